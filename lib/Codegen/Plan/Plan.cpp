// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns a function into steps over planned memory.

#include "qopt/Codegen/Plan/Plan.h"
#include "Planner.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Plan/Strips.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {

FailureOr<SmallVector<int64_t, 4>> reshapeStrides(const View &view,
                                                  ArrayRef<int64_t> shape) {
  SmallVector<int64_t> oldShape, oldStrides;
  for (auto [size, stride] : llvm::zip_equal(view.shape, view.strides)) {
    if (size == 1)
      continue;
    oldShape.push_back(size);
    oldStrides.push_back(stride);
  }
  SmallVector<int64_t, 4> strides(shape.size(), 1);
  int64_t newAxis = int64_t(shape.size()) - 1;
  int64_t oldAxis = int64_t(oldShape.size()) - 1;
  // From the innermost axes on: a run of old axes that is one regular sequence
  // splits into new ones.
  while (oldAxis >= 0) {
    int64_t oldSize = oldShape[oldAxis], stride = oldStrides[oldAxis];
    --oldAxis;
    int64_t newSize = 1, step = stride;
    while (newSize != oldSize) {
      if (newSize < oldSize) {
        if (newAxis < 0)
          return failure();
        strides[newAxis] = step;
        step *= shape[newAxis];
        newSize *= shape[newAxis];
        --newAxis;
      } else {
        if (oldAxis < 0 || oldStrides[oldAxis] != stride * oldSize)
          return failure();
        oldSize *= oldShape[oldAxis];
        --oldAxis;
      }
    }
  }
  return strides;
}

llvm::Expected<Plan> planFunction(func::FuncOp func,
                                  const PlanOptions &options) {
  return Planner(func, options).run();
}

/// The relabelling of a boundary tensor that is `type` outside.
static int32_t boundaryBias(const View &view, StringAttr type) {
  if (!type)
    return 0;
  if (view.kind == ElementKind::I16)
    return type == "uint16" ? 32768 : 0;
  return view.kind == ElementKind::I8 && type == "uint8" ? 128 : 0;
}

llvm::Expected<Plan> Planner::run() {
  if (llvm::Error error = checkTypes())
    return error;
  collectLayouts();
  collectHalos();
  passHalosThroughSlices();
  chooseWindows();
  auto returnOp = cast<func::ReturnOp>(func.getBody().front().getTerminator());
  for (auto [i, value] : llvm::enumerate(returnOp.getOperands())) {
    auto type = cast<ShapedType>(value.getType());
    View view = layOut(type.getShape(), *elementKindOf(type.getElementType()),
                       false, Halo());
    view.storageBias = boundaryBias(
        view, func.getResultAttrOfType<StringAttr>(i, "qopt.type"));
    view.buffer = newBuffer(Buffer::Place::Output, view.spanBytes(), i);
    plan.outputs.push_back(view);
  }
  planArguments();
  for (Operation &op : func.getBody().front()) {
    planOp(&op);
    // The integer form of an observed value carries the observer's id.
    auto id = op.getAttrOfType<StringAttr>("qopt.value");
    if (options.keepObserved && id && isa<qint::QintDialect>(op.getDialect()) &&
        op.getNumResults() == 1)
      noteObserved(id, op.getResult(0));
  }
  computeLifetimes();
  if (options.hasStrips) {
    plan.chains = findStripChains(plan, options.cutsSmallSteps);
    keepChainsAlive();
  }
  plan.arenaBytes =
      llvm::alignTo(assignOffsets(plan.buffers) + overReadSlack, 64);
  return std::move(plan);
}

llvm::Error Planner::checkTypes() {
  if (func.isDeclaration())
    return makeError(302,
                     "function '" + func.getName().str() + "' has no body");
  if (!func.getBody().hasOneBlock())
    return makeError(302, "function '" + func.getName().str() +
                              "' has control flow, which has no kernels");
  auto check = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape() &&
           succeeded(elementKindOf(type.getElementType()));
  };
  bool isFine = llvm::all_of(func.getArguments(), check);
  for (Operation &op : func.getBody().front())
    isFine &= llvm::all_of(op.getResults(), check);
  if (!isFine)
    return makeError(302,
                     "function '" + func.getName().str() +
                         "' has values that kernels cannot hold",
                     {"kernels work on static i8, i16, i32 and f32 tensors"},
                     "lower to the qint level first");
  for (Operation &op : func.getBody().front())
    if (isa<qint::ConstantOp, qopt::ConstantOp>(op) &&
        failed(readConstant(op.getResult(0))))
      return makeError(302, "function '" + func.getName().str() +
                                "' has a constant without data");
  return llvm::Error::success();
}

void Planner::addCopy(Step::Kind kind, const View &from, const View &to) {
  Step step;
  step.kind = kind;
  step.in = {from};
  step.out = {to};
  plan.steps.push_back(std::move(step));
}

void Planner::planArguments() {
  for (BlockArgument argument : func.getArguments()) {
    auto type = cast<ShapedType>(argument.getType());
    View from = layOut(type.getShape(), *elementKindOf(type.getElementType()),
                       false, Halo());
    from.storageBias =
        boundaryBias(from, func.getArgAttrOfType<StringAttr>(
                               argument.getArgNumber(), "qopt.type"));
    from.buffer = newBuffer(Buffer::Place::Input, from.spanBytes(),
                            argument.getArgNumber());
    plan.inputs.push_back(from);
    if (!argument.use_empty())
      addCopy(Step::Kind::Copy, from, viewOf(argument));
  }
}

void Planner::noteObserved(StringRef id, Value value) {
  View view = viewOf(value);
  if (view.buffer >= 0 &&
      plan.buffers[view.buffer].place == Buffer::Place::Arena)
    plan.observed.push_back({id.str(), view});
}

void Planner::planOp(Operation *op) {
  if (isa<qint::ConstantOp, qopt::ConstantOp>(op))
    return;
  if (auto observe = dyn_cast<qopt::ObserveOp>(op)) {
    noteObserved(observe.getId(), observe.getInput());
    return;
  }
  if (isa<func::ReturnOp>(op))
    return planReturn(op);
  if (isa<qint::ReshapeOp, qopt::ReshapeOp>(op))
    return planReshape(op);
  if (isa<qint::ConcatOp, qopt::ConcatOp>(op))
    return planConcat(op);
  if (isa<qint::PadOp, qopt::PadOp>(op))
    return planPad(op);
  if (isa<qint::SliceOp, qopt::SliceOp>(op))
    return planSlice(op);
  if (isa<qint::TransposeOp, qopt::TransposeOp>(op))
    return planTranspose(op);
  planCompute(op);
}

/// Whether kernels of a rank-4 value find its channels next to each other.
static bool hasUsualLayout(const View &view) {
  return view.rank() != 4 || view.shape[1] == 1 || view.strides[1] == 1;
}

/// Whether neighbours along the last axis are neighbours in memory.
static bool hasDenseRows(const View &view) {
  for (int64_t axis = view.rank(); axis-- > 0;)
    if (view.shape[axis] != 1)
      return view.strides[axis] == 1;
  return true;
}

/// Whether a product's kernel takes operand `index` as it lies.
static bool fitsProduct(const View &view, unsigned index) {
  auto isUnit = [&](int64_t fromEnd) {
    int64_t axis = view.rank() - fromEnd;
    return view.shape[axis] == 1 || view.strides[axis] == 1;
  };
  return isUnit(1) || (index == 1 && isUnit(2));
}

/// Whether kernels find neighbours where they expect them: channels of images,
/// else the last axis.
bool Planner::isFastFor(Value value, const View &view) const {
  return isChannelsLast(value) ? hasUsualLayout(view) : hasDenseRows(view);
}

void Planner::planReshape(Operation *op) {
  Value result = op->getResult(0);
  Value input = throughObservers(op->getOperand(0));
  View from = viewOf(input);
  bool isPermuted = permuted.contains(input);
  auto shape = cast<ShapedType>(result.getType()).getShape();
  if (halos.lookup(result).empty() && !windows.count(result)) {
    View alias = from;
    alias.halo = Halo();
    alias.shape.assign(shape.begin(), shape.end());
    auto strides = reshapeStrides(from, shape);
    if (succeeded(strides)) {
      alias.strides = *strides;
      bool isRankFour = alias.rank() == 4;
      if ((!isPermuted && !isRankFour) || isFastFor(result, alias) ||
          mayStayPermuted(result, alias)) {
        views[result] = alias;
        if (isPermuted)
          permuted.insert(result);
        return;
      }
    }
    // Matrix products take a flattened channels-last value as it is: their
    // weights are packed in its order.
    SmallVector<OpOperand *> uses = usesThroughObservers(result);
    bool isFlatten = from.rank() == 4 && shape.size() == 2 &&
                     shape[0] == from.shape[0] && !uses.empty();
    if (isFlatten && llvm::all_of(uses, [](OpOperand *use) {
          return isa<qint::GemmOp, qopt::GemmOp>(use->getOwner());
        })) {
      from.halo = Halo();
      views[result] = from;
      return;
    }
  }
  addCopy(Step::Kind::ReshapeCopy, from, viewOf(result));
}

void Planner::planConcat(Operation *op) {
  Value result = op->getResult(0);
  int64_t axis = cast<IntegerAttr>(op->getAttr("axis")).getInt();
  SmallVector<int64_t> begins(cast<ShapedType>(result.getType()).getRank(), 0);
  viewOf(result);
  for (Value operand : op->getOperands()) {
    auto shape = cast<ShapedType>(operand.getType()).getShape();
    Value value = throughObservers(operand);
    auto window = windows.find(value);
    bool isInPlace = window != windows.end() &&
                     window->second.parent == result &&
                     window->second.begins == begins;
    if (!isInPlace) {
      View from = viewOf(value);
      View to = windowView({result, begins}, shape);
      to.halo = Halo();
      addCopy(Step::Kind::Copy, from, to);
    }
    begins[axis] += shape[axis];
  }
}

void Planner::planPad(Operation *op) {
  Value result = op->getResult(0), input = throughObservers(op->getOperand(0));
  viewOf(result);
  auto window = windows.find(input);
  if (window != windows.end() && window->second.parent == result)
    return;
  auto pads = cast<DenseI64ArrayAttr>(op->getAttr("pads")).asArrayRef();
  View from = viewOf(input);
  View to = windowView(
      {result, SmallVector<int64_t>(pads.take_front(pads.size() / 2))},
      cast<ShapedType>(input.getType()).getShape());
  to.halo = Halo();
  addCopy(Step::Kind::Copy, from, to);
}

void Planner::planSlice(Operation *op) {
  Value result = op->getResult(0);
  View from = viewOf(op->getOperand(0)), slice = from;
  auto starts = cast<DenseI64ArrayAttr>(op->getAttr("starts")).asArrayRef();
  auto steps = cast<DenseI64ArrayAttr>(op->getAttr("steps")).asArrayRef();
  auto shape = cast<ShapedType>(result.getType()).getShape();
  slice.shape.assign(shape.begin(), shape.end());
  for (auto [axis, stride] : llvm::enumerate(slice.strides)) {
    slice.offset += starts[axis] * stride;
    stride *= steps[axis];
  }
  // Only a slice of channels has the halo around it.
  if (!isSliceOfChannels(op))
    slice.halo = Halo();
  bool isPermuted = permuted.contains(throughObservers(op->getOperand(0)));
  if (!windows.count(result) &&
      (isFastFor(result, slice) || mayStayPermuted(result, slice))) {
    views[result] = slice;
    if (isPermuted)
      permuted.insert(result);
    return;
  }
  addCopy(Step::Kind::Copy, slice, viewOf(result));
}

/// Whether all readers of `value` take it in the order of axes that it has in
/// `view`: what moves again, and matrix products, which pack.
bool Planner::mayStayPermuted(Value value, const View &view) const {
  return llvm::all_of(usesThroughObservers(value), [&](OpOperand *use) {
    Operation *op = use->getOwner();
    if (isa<qint::ReshapeOp, qopt::ReshapeOp>(op))
      return true;
    if (isa<qint::SliceOp, qopt::SliceOp>(op))
      return hasDenseRows(view);
    return isa<qint::MatMulOp, qint::AttendOp>(op) &&
           fitsProduct(view, use->getOperandNumber());
  });
}

void Planner::planTranspose(Operation *op) {
  Value result = op->getResult(0);
  View from = viewOf(op->getOperand(0));
  auto permutation =
      cast<DenseI64ArrayAttr>(op->getAttr("permutation")).asArrayRef();
  View view = from;
  view.halo = Halo();
  for (auto [axis, source] : llvm::enumerate(permutation)) {
    view.shape[axis] = from.shape[source];
    view.strides[axis] = from.strides[source];
  }
  // A reshape that cannot stay in place copies anyway: once is enough. An image
  // whose channels become the last axis lies there already.
  bool isInOrder = isChannelsLast(result) ? view.isChannelsLastDense()
                                          : view.isRowMajorDense();
  bool isFree = !windows.count(result) && halos.lookup(result).empty();
  if (isFree && (isInOrder || mayStayPermuted(result, view))) {
    views[result] = view;
    if (!isInOrder)
      permuted.insert(result);
    return;
  }
  addCopy(Step::Kind::Transpose, from, viewOf(result));
  plan.steps.back().op = op;
}

/// The operands of `op` that are read at compile time.
static bool isCompileTimeOperand(Operation *op, unsigned index) {
  return index > 0 && isa<qint::ConvOp, qopt::ConvOp, qint::GemmOp,
                          qopt::GemmOp, qopt::BatchNormOp>(op);
}

View Planner::convInput(Operation *op, const ConvGeometry &geometry) {
  Value input = throughObservers(op->getOperand(0));
  View view = viewOf(input);
  Halo need = geometry.halo(), have = view.halo;
  bool covers = need.top <= have.top && need.left <= have.left &&
                need.bottom <= have.bottom && need.right <= have.right;
  bool sameValue =
      need.empty() || haloValues.lookup(input) == geometry.zeroPoint;
  if (covers && sameValue && hasUsualLayout(view))
    return view;
  // Some other consumer decided the layout: a copy of its own for this one.
  View copy = layOut(view.shape, view.kind, true, need);
  copy.buffer =
      newBuffer(Buffer::Place::Arena,
                (copy.begin() + copy.spanElements()) * copy.elementBytes());
  Step fill;
  fill.kind = Step::Kind::HaloFill;
  fill.out = {copy};
  fill.value = geometry.zeroPoint;
  if (!need.empty())
    plan.steps.push_back(std::move(fill));
  addCopy(Step::Kind::Copy, view, copy);
  return copy;
}

View Planner::productInput(Operation *op, unsigned index) {
  View view = viewOf(op->getOperand(index));
  if (fitsProduct(view, index))
    return view;
  View copy = layOut(view.shape, view.kind, false, Halo());
  copy.buffer = newBuffer(Buffer::Place::Arena, copy.spanBytes());
  addCopy(Step::Kind::Copy, view, copy);
  return copy;
}

/// Working memory of the kernel of `op`, if it has any.
void Planner::addScratch(Step &step) {
  View scratch;
  if (auto attend = dyn_cast<qopt::AttendOp>(step.op)) {
    scratch = layOut(attend.getLogits().getType().getShape(), ElementKind::F32,
                     false, Halo());
  } else {
    int64_t bytes = scratchBytes(step.op);
    if (bytes == 0)
      return;
    scratch.shape = {bytes};
    scratch.strides = {1};
  }
  scratch.buffer = newBuffer(Buffer::Place::Arena, scratch.spanBytes());
  step.out.push_back(scratch);
}

/// Channels that the largest vectors of bytes hold.
static constexpr int64_t rowSumsAlignment = 64;

/// The table that alone reads the bytes of `op`, a product.
Operation *Planner::tableBehind(Operation *op) const {
  if (!isa<qint::ConvOp, qint::GemmOp>(op) || !options.fusesTables ||
      options.keepObserved)
    return nullptr;
  SmallVector<OpOperand *> uses = usesThroughObservers(op->getResult(0));
  auto table = uses.size() == 1 ? dyn_cast<qint::TableOp>(uses[0]->getOwner())
                                : qint::TableOp();
  if (!table || !table.getInput().getType().getElementType().isInteger(8) ||
      !table.getResult().getType().getElementType().isInteger(8))
    return nullptr;
  return table;
}

/// Plans the mean of a large image as sums of groups of rows and what becomes
/// of them.
bool Planner::planGroupedMean(Operation *op) {
  auto mean = dyn_cast<qint::ReduceMeanOp>(op);
  const int64_t groups = options.meanGroups;
  if (!mean || groups <= 1)
    return false;
  View in = viewOf(mean.getInput());
  bool isImage = in.rank() == 4 && in.kind == ElementKind::I8 &&
                 in.shape[0] == 1 && in.shape[1] > 1 && in.strides[1] == 1 &&
                 mean.getKeepDims() &&
                 mean.getAxes() == llvm::ArrayRef<int64_t>({2, 3});
  if (!isImage || in.shape[2] % groups != 0 ||
      in.numElements() < options.minGroupedMean ||
      255 * in.shape[2] * in.shape[3] > INT32_MAX)
    return false;
  View out = viewOf(mean.getResult());
  if (out.strides[1] != 1)
    return false;
  // Kernels store whole vectors.
  View sums =
      layOut({groups, int64_t(llvm::alignTo(in.shape[1], rowSumsAlignment))},
             ElementKind::I32, false, Halo());
  sums.buffer = newBuffer(Buffer::Place::Arena, sums.spanBytes());
  // Not where the step before reads: sums of a part's rows would have to wait.
  plan.buffers.back().firstStep =
      std::max<int64_t>(0, int64_t(plan.steps.size()) - 1);
  auto add = [&](Step::Kind kind, const View &from, const View &to) {
    addCopy(kind, from, to);
    plan.steps.back().op = op;
  };
  add(Step::Kind::RowSums, in, sums);
  add(Step::Kind::MeanOfSums, sums, out);
  return true;
}

void Planner::planCompute(Operation *op) {
  if (fused.contains(op) || planGroupedMean(op))
    return;
  Step step;
  step.op = op;
  step.table = tableBehind(op);
  if (step.table)
    fused.insert(step.table);
  auto geometry = convGeometry(op);
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (isCompileTimeOperand(op, i))
      step.in.push_back(View());
    else if (geometry)
      step.in.push_back(convInput(op, *geometry));
    else if (isa<qint::MatMulOp, qint::AttendOp>(op))
      step.in.push_back(productInput(op, i));
    else
      step.in.push_back(viewOf(operand));
  }
  View out = viewOf((step.table ? step.table : op)->getResult(0));
  if (!geometry || hasUsualLayout(out)) {
    step.out.push_back(out);
    addScratch(step);
    plan.steps.push_back(std::move(step));
    return;
  }
  View usual = layOut(out.shape, out.kind, true, Halo());
  usual.buffer = newBuffer(Buffer::Place::Arena, usual.spanBytes());
  step.out.push_back(usual);
  plan.steps.push_back(std::move(step));
  addCopy(Step::Kind::Copy, usual, out);
}

void Planner::planReturn(Operation *op) {
  for (auto [i, value] : llvm::enumerate(op->getOperands())) {
    View from = viewOf(value);
    if (from.buffer != plan.outputs[i].buffer)
      addCopy(Step::Kind::Copy, from, plan.outputs[i]);
  }
}

void Planner::computeLifetimes() {
  for (auto [i, step] : llvm::enumerate(plan.steps)) {
    auto touch = [&, index = int64_t(i)](const View &view) {
      if (view.buffer < 0)
        return;
      Buffer &buffer = plan.buffers[view.buffer];
      if (buffer.firstStep < 0)
        buffer.firstStep = index;
      buffer.lastStep = index;
    };
    llvm::for_each(step.in, touch);
    llvm::for_each(step.out, touch);
  }
  if (!options.keepObserved)
    return;
  for (const ObservedValue &value : plan.observed)
    plan.buffers[value.view.buffer].lastStep = plan.steps.size();
}

void Planner::keepChainsAlive() {
  for (const StripChain &chain : plan.chains)
    for (Buffer &buffer : plan.buffers)
      if (buffer.firstStep <= chain.last && buffer.lastStep >= chain.first) {
        buffer.firstStep = std::min(buffer.firstStep, chain.first);
        buffer.lastStep = std::max(buffer.lastStep, chain.last);
      }
}

void Plan::print(llvm::raw_ostream &os) const {
  static const char *const kinds[] = {
      "op",        "copy",     "reshape-copy", "transpose",
      "halo-fill", "pad-fill", "row-sums",     "mean-of-sums"};
  static const char *const places[] = {"arena", "input", "output", "constant"};
  for (auto [i, buffer] : llvm::enumerate(buffers))
    os << "buffer " << i << ' ' << places[int(buffer.place)] << ' '
       << buffer.bytes << " bytes at " << buffer.offset << ", steps "
       << buffer.firstStep << " to " << buffer.lastStep << '\n';
  for (auto [i, step] : llvm::enumerate(steps)) {
    os << "step " << i << ' ' << kinds[int(step.kind)];
    if (step.op)
      os << ' ' << step.op->getName();
    if (step.table)
      os << ' ' << step.table->getName();
    auto printView = [&](const View &view) {
      if (view.buffer >= 0)
        os << " b" << view.buffer << '+' << view.offset << ':' << view.key();
    };
    llvm::for_each(step.in, printView);
    os << " ->";
    llvm::for_each(step.out, printView);
    os << '\n';
  }
  os << "arena " << arenaBytes << " bytes\n";
}

} // namespace mlir::qopt::codegen
