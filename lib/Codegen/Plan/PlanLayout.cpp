// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which values share memory, what lies around them, and how their elements are
// laid out.

#include "Planner.h"
#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

namespace mlir::qopt::codegen {

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

static bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  return op && isa<qint::ConstantOp, qopt::ConstantOp>(op);
}

/// Whether `op` multiplies along the last axis of its operand `index`.
static bool readsRows(Operation *op, unsigned index) {
  if (isa<qint::GemmOp, qopt::GemmOp>(op))
    return index == 0;
  return isa<qint::MatMulOp, qopt::MatMulOp, qint::AttendOp, qopt::AttendOp>(
      op);
}

/// Whether the kernels of `op` work on images with channels next to each
/// other.
static bool readsImages(Operation *op) {
  return convGeometry(op) ||
         isa<qint::MaxPoolOp, qopt::MaxPoolOp, qint::AvgPoolOp, qopt::AvgPoolOp,
             qint::InterpolateOp, qopt::InterpolateOp, qopt::BatchNormOp>(op);
}

static Halo unionOf(const Halo &a, const Halo &b) {
  return {std::max(a.top, b.top), std::max(a.left, b.left),
          std::max(a.bottom, b.bottom), std::max(a.right, b.right)};
}

//===----------------------------------------------------------------------===//
// Order of axes
//===----------------------------------------------------------------------===//

Value Planner::layoutOf(Value value) const {
  while (true) {
    auto leader = layoutLeaders.find(value);
    if (leader == layoutLeaders.end())
      return value;
    value = leader->second;
  }
}

void Planner::collectLayouts() {
  SmallVector<Value> images;
  for (Operation &op : func.getBody().front()) {
    // These ops read one order and write another.
    if (isa<qint::ReshapeOp, qopt::ReshapeOp, qint::TransposeOp,
            qopt::TransposeOp, qopt::ObserveOp, func::ReturnOp>(op) ||
        readsRows(&op, 0))
      continue;
    Value first;
    auto join = [&](Value value) {
      value = throughObservers(value);
      if (shapeOf(value).size() != 4 || isConstant(value))
        return;
      Value leader = layoutOf(value);
      if (!first)
        first = leader;
      else if (leader != layoutOf(first))
        layoutLeaders[leader] = layoutOf(first);
    };
    llvm::for_each(op.getOperands(), join);
    llvm::for_each(op.getResults(), join);
    if (first && readsImages(&op))
      images.push_back(first);
  }
  for (Value value : images)
    imageLayouts.insert(layoutOf(value));
}

bool Planner::isChannelsLast(Value value) const {
  Operation *op = value.getDefiningOp();
  if (shapeOf(value).size() != 4 || (op && readsRows(op, 0)) ||
      !imageLayouts.contains(layoutOf(value)))
    return false;
  return llvm::none_of(usesThroughObservers(value), [](OpOperand *use) {
    return readsRows(use->getOwner(), use->getOperandNumber());
  });
}

//===----------------------------------------------------------------------===//
// Halos and windows
//===----------------------------------------------------------------------===//

void Planner::collectHalos() {
  func.walk([&](Operation *op) {
    auto geometry = convGeometry(op);
    if (!geometry || geometry->halo().empty())
      return;
    Value input = throughObservers(op->getOperand(0));
    // A consumer that pads with another value gets a copy of its own.
    auto [known, isNew] = haloValues.try_emplace(input, geometry->zeroPoint);
    if (known->second == geometry->zeroPoint)
      halos[input] = unionOf(halos.lookup(input), geometry->halo());
  });
}

bool isSliceOfChannels(Operation *op) {
  ArrayRef<int64_t> from = shapeOf(op->getOperand(0));
  ArrayRef<int64_t> to = shapeOf(op->getResult(0));
  if (from.size() != 4 || from[2] != to[2] || from[3] != to[3])
    return false;
  // One row may have any step, but then its stride is no longer that of the
  // rows of the halo.
  auto steps = cast<DenseI64ArrayAttr>(op->getAttr("steps")).asArrayRef();
  return steps[2] == 1 && steps[3] == 1;
}

void Planner::passHalosThroughSlices() {
  // From the last slice on, so that a slice of a slice hands its halo on.
  Block &block = func.getBody().front();
  for (Operation &op : llvm::reverse(block)) {
    if (!isa<qint::SliceOp, qopt::SliceOp>(op) || !isSliceOfChannels(&op))
      continue;
    Value result = op.getResult(0), input = throughObservers(op.getOperand(0));
    auto own = halos.find(result);
    if (own == halos.end() || !isChannelsLast(input))
      continue;
    Halo halo = own->second;
    int64_t value = haloValues.lookup(result);
    if (haloValues.try_emplace(input, value).first->second == value)
      halos[input] = unionOf(halos.lookup(input), halo);
  }
}

bool Planner::canBeWindow(Value value, Value parent,
                          ArrayRef<int64_t> begins) const {
  if (isConstant(value) || windows.count(value) ||
      isa_and_present<qint::ReshapeOp, qopt::ReshapeOp, qint::SliceOp,
                      qopt::SliceOp>(value.getDefiningOp()))
    return false;
  if (isChannelsLast(value) != isChannelsLast(parent))
    return false;
  if (halos.lookup(value).empty())
    return true;
  // A halo around a window of channels is one around all of them.
  bool isChannelWindow = begins.size() == 4 && begins[0] == 0 &&
                         begins[2] == 0 && begins[3] == 0 &&
                         shapeOf(value)[2] == shapeOf(parent)[2] &&
                         shapeOf(value)[3] == shapeOf(parent)[3];
  auto inner = haloValues.find(value), outer = haloValues.find(parent);
  return isChannelWindow &&
         (outer == haloValues.end() || outer->second == inner->second);
}

void Planner::tryWindow(Value value, Value parent, ArrayRef<int64_t> begins) {
  value = throughObservers(value);
  if (!canBeWindow(value, parent, begins))
    return;
  windows[value] = {parent, SmallVector<int64_t>(begins)};
  Halo halo = halos.lookup(value);
  if (halo.empty())
    return;
  halos[parent] = unionOf(halos.lookup(parent), halo);
  haloValues[parent] = haloValues.lookup(value);
}

void Planner::chooseWindows() {
  func.walk([&](Operation *op) {
    if (isa<qint::ConcatOp, qopt::ConcatOp>(op)) {
      int64_t axis = cast<IntegerAttr>(op->getAttr("axis")).getInt();
      Value result = op->getResult(0);
      SmallVector<int64_t> begins(shapeOf(result).size(), 0);
      for (Value operand : op->getOperands()) {
        tryWindow(operand, result, begins);
        begins[axis] += shapeOf(operand)[axis];
      }
    } else if (isa<qint::PadOp, qopt::PadOp>(op)) {
      auto pads = cast<DenseI64ArrayAttr>(op->getAttr("pads")).asArrayRef();
      tryWindow(op->getOperand(0), op->getResult(0),
                pads.take_front(pads.size() / 2));
    }
  });
}

int64_t Planner::directOutput(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op || options.keepObserved || windows.count(value) ||
      isa<qint::ConcatOp, qopt::ConcatOp, qint::PadOp, qopt::PadOp>(op))
    return -1;
  SmallVector<OpOperand *> uses = usesThroughObservers(value);
  if (uses.size() != 1 || !isa<func::ReturnOp>(uses[0]->getOwner()))
    return -1;
  // Kernels write in channels-last order; the caller reads the ONNX order.
  ArrayRef<int64_t> shape = shapeOf(value);
  if (isChannelsLast(value) && shape[1] != 1 && shape[2] * shape[3] != 1)
    return -1;
  int64_t output = uses[0]->getOperandNumber();
  // Kernels know only bytes of another sign than their values.
  return plan.outputs[output].storageBias > 128 ? -1 : output;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int64_t Planner::newBuffer(Buffer::Place place, int64_t bytes, int64_t index) {
  Buffer buffer;
  buffer.place = place;
  buffer.bytes = bytes;
  buffer.index = index;
  plan.buffers.push_back(std::move(buffer));
  return plan.buffers.size() - 1;
}

View Planner::layOut(ArrayRef<int64_t> shape, ElementKind kind,
                     bool channelsLast, const Halo &halo) const {
  View view;
  view.kind = kind;
  view.shape.assign(shape.begin(), shape.end());
  view.storageBias = kind == ElementKind::I8 ? options.storageBias : 0;
  if (!channelsLast) {
    view.strides = rowMajorStrides(shape);
    return view;
  }
  view.halo = halo;
  int64_t column = shape[1];
  int64_t row = (shape[3] + halo.left + halo.right) * column;
  int64_t image = (shape[2] + halo.top + halo.bottom) * row;
  view.strides = {image, 1, row, column};
  view.offset = halo.top * row + halo.left * column;
  return view;
}

View Planner::newRoot(Value value, const Halo &halo, int64_t haloValue) {
  auto type = cast<ShapedType>(value.getType());
  View view = layOut(type.getShape(), *elementKindOf(type.getElementType()),
                     isChannelsLast(value) || !halo.empty(), halo);
  int64_t output = directOutput(value);
  if (output >= 0 && halo.empty()) {
    view.buffer = plan.outputs[output].buffer;
    view.storageBias = plan.outputs[output].storageBias;
    return view;
  }
  int64_t elements = view.shape.empty() ? 1 : view.shape[0] * view.strides[0];
  if (!halo.empty())
    elements = std::max(elements, view.begin() + view.spanElements());
  view.buffer = newBuffer(Buffer::Place::Arena, elements * view.elementBytes());
  if (!halo.empty()) {
    Step fill;
    fill.kind = Step::Kind::HaloFill;
    fill.out = {view};
    fill.value = haloValue;
    plan.steps.push_back(std::move(fill));
  }
  return view;
}

View Planner::windowView(const Window &window, ArrayRef<int64_t> shape) {
  View view = viewOf(window.parent);
  for (auto [begin, stride] : llvm::zip_equal(window.begins, view.strides))
    view.offset += begin * stride;
  bool isWhole = view.rank() == 4 && shape[2] == view.shape[2] &&
                 shape[3] == view.shape[3];
  // Only a window of channels has the halo around it.
  if (!isWhole)
    view.halo = Halo();
  view.shape.assign(shape.begin(), shape.end());
  return view;
}

/// Whether a constant meets values that are stored channels last.
bool Planner::isReadAsImage(Value constant) const {
  return llvm::any_of(usesThroughObservers(constant), [&](OpOperand *use) {
    Operation *op = use->getOwner();
    return op->getNumResults() == 1 && isChannelsLast(op->getResult(0));
  });
}

View Planner::constantView(Value value) {
  auto data = readConstant(value);
  if (failed(data))
    return View();
  View view = layOut(data->shape, data->kind,
                     data->shape.size() == 4 && isReadAsImage(value), Halo());
  int64_t width = view.elementBytes();
  view.buffer = newBuffer(Buffer::Place::Constant, view.numElements() * width);
  std::vector<uint8_t> &bytes = plan.buffers.back().data;
  bytes.resize(view.numElements() * width);
  SmallVector<int64_t> index(data->shape.size(), 0);
  for (int64_t i = 0, e = view.numElements(); i < e; ++i) {
    int64_t left = i, position = 0;
    for (int64_t axis = view.rank() - 1; axis >= 0; --axis) {
      position += left % view.shape[axis] * view.strides[axis];
      left /= view.shape[axis];
    }
    std::memcpy(bytes.data() + position * width, data->bytes.data() + i * width,
                width);
  }
  if (view.storageBias)
    for (uint8_t &byte : bytes)
      byte ^= 0x80;
  return view;
}

View Planner::viewOf(Value value) {
  value = throughObservers(value);
  auto known = views.find(value);
  if (known != views.end())
    return known->second;
  View view;
  if (isConstant(value))
    view = constantView(value);
  else if (auto window = windows.find(value); window != windows.end())
    view = windowView(Window(window->second), shapeOf(value));
  else
    view = newRoot(value, halos.lookup(value), haloValues.lookup(value));
  views[value] = view;

  // What surrounds a padded value's window is written before anything else.
  Operation *op = value.getDefiningOp();
  if (op && isa<qint::PadOp, qopt::PadOp>(op)) {
    Step fill;
    fill.kind = Step::Kind::PadFill;
    fill.out = {view};
    auto pads = cast<DenseI64ArrayAttr>(op->getAttr("pads")).asArrayRef();
    fill.begins.assign(pads.begin(), pads.begin() + pads.size() / 2);
    fill.sizes.assign(shapeOf(op->getOperand(0)).begin(),
                      shapeOf(op->getOperand(0)).end());
    if (auto pad = dyn_cast<qint::PadOp>(op))
      fill.value = pad.getValue();
    else
      fill.value = cast<qopt::PadOp>(op).getValue().convertToFloat();
    plan.steps.push_back(std::move(fill));
  }
  return view;
}

} // namespace mlir::qopt::codegen
