// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds one function a case, compiles them together, runs and compares.

#include "KernelHarness.h"
#include "GuardedBuffer.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Reference/Evaluate.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>

namespace mlir::qopt::codegen::testing {
namespace {

MLIRContext &sharedContext() {
  static MLIRContext *context = [] {
    DialectRegistry registry;
    registerCodegenDialects(registry);
    auto *made = new MLIRContext(registry, MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

/// A window of `outer` at `begins`.
View window(const View &outer, ArrayRef<int64_t> begins,
            ArrayRef<int64_t> shape) {
  View view = outer;
  view.halo = {};
  view.shape.assign(shape.begin(), shape.end());
  for (int64_t axis = 0; axis < outer.rank(); ++axis)
    view.offset += begins[axis] * outer.strides[axis];
  return view;
}

LogicalResult emitConcat(KernelContext &context, qint::ConcatOp op,
                         ArrayRef<View> in, ArrayRef<View> out) {
  SmallVector<int64_t> begins(out[0].rank(), 0);
  for (const View &from : in) {
    emitCopy(context, op.getLoc(), from, window(out[0], begins, from.shape));
    begins[op.getAxis()] += from.shape[op.getAxis()];
  }
  return success();
}

LogicalResult emitPad(KernelContext &context, qint::PadOp op, ArrayRef<View> in,
                      ArrayRef<View> out) {
  ArrayRef<int64_t> begins = op.getPads().take_front(out[0].rank());
  emitPadFill(context, op.getLoc(), out[0], begins, in[0].shape, op.getValue());
  emitCopy(context, op.getLoc(), in[0], window(out[0], begins, in[0].shape));
  return success();
}

/// Emits whatever kernels stand for `op`.
LogicalResult emitOp(KernelContext &context, Operation *op, ArrayRef<View> in,
                     ArrayRef<View> out) {
  auto viaFamily = [&](auto typed) { return emit(context, typed, in, out); };
  auto viaDepthwise = [&](auto typed) {
    return emitDepthwise(context, typed, in, out);
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<qint::AddOp, qint::MulOp, qint::RequantizeOp, qint::TableOp,
            qint::PiecewiseOp, qint::SoftmaxOp, qint::MaxPoolOp,
            qint::AvgPoolOp, qint::ReduceMeanOp, qint::GatherOp,
            qint::InterpolateOp, qopt::InterpolateOp, qopt::AddOp, qopt::SubOp,
            qopt::MulOp, qopt::UnaryOp, qopt::SoftmaxOp, qopt::MaxPoolOp,
            qopt::AvgPoolOp, qopt::ReduceMeanOp, qopt::BatchNormOp, qint::DivOp,
            qopt::DivOp, qint::MaxOp, qint::MinOp, qopt::MaxOp, qopt::MinOp,
            qint::SumPartsOp, qint::MatMulOp, qopt::MatMulOp, qint::ReduceMaxOp,
            qint::ReduceMinOp, qopt::ReduceMaxOp, qopt::ReduceMinOp,
            qopt::ReduceSumOp, qint::LayerNormOp, qopt::LayerNormOp,
            qint::LogSoftmaxOp, qopt::LogSoftmaxOp, qint::ReducePowerOp,
            qopt::ReduceL1Op, qopt::ReduceL2Op, qopt::ReduceSumSquareOp,
            qint::ArgMaxOp, qint::ArgMinOp, qopt::ArgMaxOp, qopt::ArgMinOp,
            qint::AttendOp, qopt::AttendOp>(viaFamily)
      .Case<qint::ConvOp, qopt::ConvOp>(viaDepthwise)
      .Case([&](qint::ConcatOp concat) {
        return emitConcat(context, concat, in, out);
      })
      .Case([&](qint::PadOp pad) { return emitPad(context, pad, in, out); })
      .Case([&](qint::ReshapeOp reshape) {
        emitReshapeCopy(context, reshape.getLoc(), in[0], out[0]);
        return success();
      })
      .Case([&](qint::TransposeOp transpose) {
        emitTranspose(context, transpose.getLoc(), in[0], out[0],
                      transpose.getPermutation());
        return success();
      })
      .Default([](Operation *op) {
        return op->emitOpError("has no case in the test harness");
      });
}

/// The working memory of `op`'s kernel; an empty view where there is none.
View scratchOf(Operation *op) {
  View view;
  if (isa<qopt::AttendOp>(op)) {
    view.kind = ElementKind::F32;
    view.shape = llvm::to_vector<4>(
        cast<ShapedType>(op->getOperand(0).getType()).getShape());
  } else if (int64_t bytes = scratchBytes(op)) {
    view.shape = {bytes};
  }
  view.strides = rowMajorStrides(view.shape);
  return view;
}

/// One case's function in the source module and its views.
struct Prepared {
  mutable func::FuncOp source;
  std::vector<View> in;
  View out;
  /// Without a shape where the kernel takes no working memory.
  View scratch;
  std::vector<int64_t> slack;
};

/// The op under test.
Operation *resultOp(func::FuncOp source) {
  return source.getBody()
      .front()
      .getTerminator()
      ->getOperand(0)
      .getDefiningOp();
}

/// Read up to the slack, like the arena.
int64_t scratchSize(const Prepared &p) {
  return overReadSlack + (p.scratch.shape.empty() ? 0 : p.scratch.spanBytes());
}

int64_t bufferBytes(const View &view) {
  return view.begin() * view.elementBytes() + view.spanBytes();
}

Prepared prepare(const KernelCase &c, ModuleOp module, size_t index,
                 Random &random) {
  Prepared p;
  p.source = module.lookupSymbol<func::FuncOp>("f" + std::to_string(index));
  p.in = c.in;
  p.out = c.out;
  for (auto [i, view] : llvm::enumerate(p.in)) {
    view.buffer = i;
    p.slack.push_back(random.chance(70) ? overReadSlack : 0);
  }
  p.out.buffer = p.in.size();
  if (!c.fillsHalo)
    p.scratch = scratchOf(resultOp(p.source));
  p.scratch.buffer = p.in.size() + 1;
  return p;
}

/// `@c<index>(inputs..., output, constants, working memory)` in the module of
/// kernels.
LogicalResult buildCase(KernelContext &kernels, OpBuilder &b, ModuleOp module,
                        const KernelCase &c, const Prepared &p, size_t index) {
  Location loc = b.getUnknownLoc();
  b.setInsertionPointToEnd(module.getBody());
  auto bytes = [&](int64_t size) -> Type {
    return MemRefType::get({size}, b.getIntegerType(8));
  };
  SmallVector<Type> types;
  for (auto [view, slack] : llvm::zip(p.in, p.slack))
    types.push_back(bytes(bufferBytes(view) + slack));
  types.push_back(bytes(bufferBytes(p.out)));
  types.push_back(bytes(int64_t(1) << 40));
  types.push_back(bytes(scratchSize(p)));
  auto func = func::FuncOp::create(b, loc, "c" + std::to_string(index),
                                   b.getFunctionType(types, {}));
  Block *entry = func.addEntryBlock();
  b.setInsertionPointToStart(entry);
  kernels.buffers.clear();
  for (size_t i = 0; i <= p.in.size(); ++i)
    kernels.buffers.push_back(
        {entry->getArgument(i), 0, i < p.in.size() && p.slack[i] != 0});
  kernels.constantMemory = entry->getArgument(p.in.size() + 1);
  kernels.buffers.push_back({entry->getArgument(p.in.size() + 2), 0, true});

  LogicalResult result = success();
  if (c.fillsHalo) {
    emitHaloFill(kernels, loc, p.out, c.haloValue);
  } else {
    Operation *op = resultOp(p.source);
    SmallVector<View> in, out = {p.out};
    for (Value operand : op->getOperands()) {
      auto argument = dyn_cast<BlockArgument>(operand);
      in.push_back(argument ? p.in[argument.getArgNumber()] : View());
    }
    if (!p.scratch.shape.empty())
      out.push_back(p.scratch);
    result = emitOp(kernels, op, in, out);
  }
  func::ReturnOp::create(b, loc);
  return result;
}

//===----------------------------------------------------------------------===//
// Memory images
//===----------------------------------------------------------------------===//

/// `body(element's position in bytes)` in row-major order.
void forEachElement(const View &view,
                    llvm::function_ref<void(int64_t index, int64_t at)> body) {
  for (int64_t i = 0; i < view.numElements(); ++i) {
    int64_t rest = i, at = view.offset;
    for (int64_t axis = view.rank(); axis-- > 0;) {
      at += rest % view.shape[axis] * view.strides[axis];
      rest /= view.shape[axis];
    }
    body(i, at * view.elementBytes());
  }
}

reference::ElementKind referenceKind(ElementKind kind) {
  switch (kind) {
  case ElementKind::I8:
    return reference::ElementKind::I8;
  case ElementKind::I16:
    return reference::ElementKind::I16;
  case ElementKind::I32:
    return reference::ElementKind::I32;
  case ElementKind::F32:
    return reference::ElementKind::F32;
  }
  return reference::ElementKind::I8;
}

const uint8_t *rawBytes(const reference::Tensor &tensor) {
  switch (tensor.getKind()) {
  case reference::ElementKind::F32:
    return reinterpret_cast<const uint8_t *>(tensor.values<float>().data());
  case reference::ElementKind::I8:
    return reinterpret_cast<const uint8_t *>(tensor.values<int8_t>().data());
  case reference::ElementKind::I16:
    return reinterpret_cast<const uint8_t *>(tensor.values<int16_t>().data());
  case reference::ElementKind::I32:
    return reinterpret_cast<const uint8_t *>(tensor.values<int32_t>().data());
  }
  return nullptr;
}

/// Writes a tensor into memory as `view` says.
void scatter(const reference::Tensor &tensor, const View &view,
             uint8_t *memory) {
  const uint8_t *raw = rawBytes(tensor);
  int64_t width = view.elementBytes();
  forEachElement(view, [&](int64_t i, int64_t at) {
    for (int64_t byte = 0; byte < width; ++byte)
      memory[at + byte] =
          raw[i * width + byte] + (byte == 0 ? view.storageBias : 0);
  });
}

reference::Tensor randomTensor(Random &random, const View &view,
                               const KernelCase &c, bool isFirst) {
  reference::Tensor tensor(view.shape, referenceKind(view.kind));
  // Extremes reach what uniform values never do: the largest sums.
  int extreme = random.pick<int>({0, 0, 0, 0, 0, 0, 0, 1, 2, 3});
  auto integer = [&](int64_t top) -> int64_t {
    bool isTop = extreme == 1 || (extreme == 3 && random.chance(50));
    return extreme == 0 ? random.in(-top - 1, top) : isTop ? top : -top - 1;
  };
  for (int64_t i = 0; i < view.numElements(); ++i) {
    if (view.kind == ElementKind::I8 && isFirst && !c.values.empty())
      tensor.values<int8_t>()[i] = c.values[i % c.values.size()];
    else if (view.kind == ElementKind::I8)
      tensor.values<int8_t>()[i] = integer(127);
    else if (view.kind == ElementKind::I16)
      tensor.values<int16_t>()[i] = integer(32767);
    else if (view.kind == ElementKind::I32)
      tensor.values<int32_t>()[i] = integer(INT32_MAX);
    else
      tensor.values<float>()[i] = random.real(c.low, c.high);
  }
  return tensor;
}

/// The halo of an operand holds what padding stands for.
void fillHalo(const View &view, int64_t value, uint8_t *memory) {
  if (view.halo.empty())
    return;
  const Halo &h = view.halo;
  for (int64_t n = 0; n < view.shape[0]; ++n)
    for (int64_t y = -h.top; y < view.shape[2] + h.bottom; ++y)
      for (int64_t x = -h.left; x < view.shape[3] + h.right; ++x)
        for (int64_t c = 0; c < view.shape[1]; ++c) {
          if (y >= 0 && y < view.shape[2] && x >= 0 && x < view.shape[3])
            continue;
          int64_t at = view.offset + n * view.strides[0] + c * view.strides[1] +
                       y * view.strides[2] + x * view.strides[3];
          int64_t bits = value + view.storageBias;
          for (int64_t byte = 0; byte < view.elementBytes(); ++byte)
            memory[at * view.elementBytes() + byte] = bits >> (8 * byte);
        }
}

/// What the padding of an op's first operand stands for.
int64_t paddingValue(Operation *op) {
  if (auto conv = dyn_cast<qint::ConvOp>(op))
    return conv.getInputZeroPoint();
  return 0;
}

/// Whether two floats are as close as a case asks; NaN is close to NaN.
bool isClose(float got, float want, const KernelCase &c) {
  if (std::isnan(got) || std::isnan(want))
    return std::isnan(got) && std::isnan(want);
  double allowed =
      c.floatTolerance + c.floatUlps * std::ldexp(std::fabs(want), -23);
  return got == want || std::fabs(double(got) - want) <= allowed;
}

void compareFloats(const View &view, const uint8_t *got, const uint8_t *want,
                   const KernelCase &c) {
  forEachElement(view, [&](int64_t i, int64_t at) {
    float a, b;
    std::memcpy(&a, got + at, 4);
    std::memcpy(&b, want + at, 4);
    if (!isClose(a, b, c))
      ADD_FAILURE() << "element " << i << " is " << a << ", not " << b << "\n"
                    << c.text;
  });
}

struct RunState {
  std::vector<std::unique_ptr<GuardedBuffer>> buffers;
  std::vector<uint8_t> want;
};

/// Fills memory, asks the reference, calls the kernel, compares.
void runOne(const KernelCase &c, const Prepared &p, void *address,
            uint8_t *constants, uint64_t seed, std::vector<uint8_t> *result) {
  Random random(seed);
  std::vector<reference::Tensor> inputs;
  std::vector<uint8_t *> pointers;
  RunState state;
  Operation *op = nullptr;
  if (!c.fillsHalo)
    op = resultOp(p.source);
  for (size_t i = 0; i <= p.in.size(); ++i) {
    bool isOutput = i == p.in.size();
    const View &view = isOutput ? p.out : p.in[i];
    int64_t size = bufferBytes(view) + (isOutput ? 0 : p.slack[i]);
    state.buffers.push_back(std::make_unique<GuardedBuffer>(size));
    uint8_t *memory = state.buffers.back()->data();
    for (int64_t byte = 0; byte < size; ++byte)
      memory[byte] = random.in(0, 255);
    pointers.push_back(memory);
    if (isOutput) {
      state.want.assign(memory, memory + size);
      continue;
    }
    inputs.push_back(randomTensor(random, view, c, i == 0));
    scatter(inputs.back(), view, memory);
    if (op)
      fillHalo(view, paddingValue(op), memory);
  }
  if (c.fillsHalo) {
    fillHalo(p.out, c.haloValue, state.want.data());
  } else {
    auto expected = reference::evaluate(p.source, inputs);
    if (!expected) {
      ADD_FAILURE() << toString(expected.takeError()) << "\n" << c.text;
      return;
    }
    scatter((*expected)[0], p.out, state.want.data());
  }
  using Fn = void (*)(uint8_t *, uint8_t *, uint8_t *, uint8_t *, uint8_t *);
  auto fn = reinterpret_cast<Fn>(address);
  uint8_t *output = pointers.back();
  GuardedBuffer scratch(scratchSize(p));
  for (int64_t byte = 0; byte < scratchSize(p); ++byte)
    scratch.data()[byte] = random.in(0, 255);
  pointers.push_back(constants);
  pointers.push_back(scratch.data());
  pointers.resize(5, constants);
  fn(pointers[0], pointers[1], pointers[2], pointers[3], pointers[4]);
  if (result)
    result->assign(output, output + state.want.size());

  std::vector<uint8_t> got(output, output + state.want.size());
  if (c.floatUlps > 0) {
    compareFloats(p.out, got.data(), state.want.data(), c);
    // Whatever was not a result must be as before.
    forEachElement(p.out, [&](int64_t, int64_t at) {
      std::memcpy(&got[at], &state.want[at], 4);
    });
  }
  for (size_t i = 0; i < got.size(); ++i)
    if (got[i] != state.want[i]) {
      ADD_FAILURE() << "byte " << i << " is " << int(got[i]) << ", not "
                    << int(state.want[i]) << "; result " << p.out.key()
                    << (p.in.empty() ? "" : "; operand " + p.in[0].key())
                    << "\n"
                    << c.text;
      return;
    }
}

} // namespace

void runCases(ArrayRef<KernelCase> cases, const TestIsa &isa, uint64_t seed,
              std::vector<std::vector<uint8_t>> *results) {
  MLIRContext &context = sharedContext();
  std::string text;
  for (auto [i, c] : llvm::enumerate(cases))
    text += "func.func @f" + std::to_string(i) + c.text + "\n";
  OwningOpRef<ModuleOp> source = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(source) << text;

  OpBuilder b(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getUnknownLoc());
  KernelContext kernels(b, *module, "test", isa.isa);
  std::vector<Prepared> prepared;
  std::vector<std::string> exports;
  for (auto [i, c] : llvm::enumerate(cases)) {
    Random random(seed * 1000 + i);
    prepared.push_back(prepare(c, *source, i, random));
    ASSERT_TRUE(
        succeeded(buildCase(kernels, b, *module, c, prepared.back(), i)))
        << c.text;
    exports.push_back("c" + std::to_string(i));
  }
  ASSERT_TRUE(succeeded(lowerToLLVM(*module, isa.isa)));
  target::JitOptions options;
  options.target = isa.target;
  options.target.optLevel = optLevelOf(seed);
  auto jit = target::Jit::create(*module, exports, options);
  if (!jit)
    FAIL() << toString(jit.takeError());
  ArrayRef<uint8_t> constants = kernels.constants.bytes();
  GuardedBuffer blob(constants.size() + overReadSlack);
  std::copy(constants.begin(), constants.end(), blob.data());
  if (results)
    results->resize(cases.size());
  for (auto [i, c] : llvm::enumerate(cases)) {
    auto address = (*jit)->lookup(exports[i]);
    ASSERT_TRUE(bool(address));
    SCOPED_TRACE(isa.isa.key() + " case " + std::to_string(i) + " of seed " +
                 std::to_string(seed));
    runOne(c, prepared[i], *address, blob.data(), seed * 1000 + i,
           results ? &(*results)[i] : nullptr);
    if (::testing::Test::HasFailure())
      return;
  }
}

} // namespace mlir::qopt::codegen::testing
