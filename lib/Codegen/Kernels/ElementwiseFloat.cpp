// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float sums, products and scalar functions of elements, for calibration.

#include "Arith.h"
#include "FloatChain.h"
#include "Operands.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Format.h"

namespace mlir::qopt::codegen {
namespace {

/// f32 vectors that a body handles at once: two, for instruction parallelism.
int64_t chunkOf(const Isa &isa) { return 2 * isa.lanes(); }

/// `x` limited by a clamp function; as ONNX Clip, the upper bound wins.
Value clampF(KernelBuilder &k, Value x, FnAttr fn) {
  return floatClamp(k, x, fn.getClampMin(), fn.getClampMax());
}

std::string fnKey(FnAttr fn) {
  std::string text;
  llvm::raw_string_ostream out(text);
  if (!fn)
    return text;
  out << stringifyFunction(fn.getFunction());
  for (double param : fn.getParams())
    out << ',' << llvm::format_hex(llvm::bit_cast<uint64_t>(param), 18);
  out << ';';
  return text;
}

/// Emits a kernel that stores `compute` of each chunk.
void emitFloat(
    KernelContext &context, Location loc, StringRef family, const Twine &params,
    const ElementwiseNest &nest,
    llvm::function_ref<Value(KernelBuilder &, const Chunk &)> compute) {
  context.emitKernel(loc, family, params + " " + nest.key(), nest.args(),
                     [&](KernelBuilder &k, ValueRange args) {
                       nest.run(k, args, [&](const Chunk &chunk) {
                         nest.store(k, chunk, compute(k, chunk));
                       });
                     });
}

using BinaryFn = Value (*)(KernelBuilder &, Value, Value);

LogicalResult emitBinary(KernelContext &context, Operation *op, FnAttr clamp,
                         StringRef family, BinaryFn compute, ArrayRef<View> in,
                         ArrayRef<View> out) {
  auto operands = binaryOperands(context, op, in, out[0]);
  if (failed(operands))
    return failure();
  int64_t lanes = chunkOf(context.isa);
  ElementwiseNest nest(out[0].shape, *operands, lanes);
  emitFloat(context, op->getLoc(), family, fnKey(clamp), nest,
            [&](KernelBuilder &k, const Chunk &chunk) {
              Value result = compute(k, nest.load(k, chunk, 1, lanes),
                                     nest.load(k, chunk, 2, lanes));
              return clamp ? clampF(k, result, clamp) : result;
            });
  return success();
}

} // namespace

LogicalResult emit(KernelContext &context, qopt::AddOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitBinary(context, op, op.getActivationAttr(), "add_f32", addF, in,
                    out);
}

LogicalResult emit(KernelContext &context, qopt::SubOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitBinary(context, op, op.getActivationAttr(), "sub_f32", subF, in,
                    out);
}

LogicalResult emit(KernelContext &context, qopt::MulOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitBinary(context, op, op.getActivationAttr(), "mul_f32", mulF, in,
                    out);
}

LogicalResult emit(KernelContext &context, qopt::DivOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  return emitBinary(context, op, op.getActivationAttr(), "div_f32", divF, in,
                    out);
}

LogicalResult emit(KernelContext &context, qopt::UnaryOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  auto input = operandOf(context, op, op.getInput(), in[0], out[0]);
  if (failed(input))
    return failure();
  int64_t lanes = chunkOf(context.isa);
  ElementwiseNest nest(out[0].shape,
                       {NestOperand::of(out[0], out[0].shape, true), *input},
                       lanes);
  std::string params;
  for (auto fn : op.getFunctions().getAsRange<FnAttr>())
    params += fnKey(fn);
  emitFloat(context, op.getLoc(), "unary_f32", params, nest,
            [&](KernelBuilder &k, const Chunk &chunk) {
              return floatChain(k, nest.load(k, chunk, 1, lanes),
                                op.getFunctions());
            });
  return success();
}

LogicalResult emit(KernelContext &context, qopt::BatchNormOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  const View &to = out[0];
  std::vector<NestOperand> operands = {NestOperand::of(to, to.shape, true),
                                       NestOperand::of(in[0], to.shape)};
  for (Value value : {op.getScale(), op.getShift()}) {
    FailureOr<ConstantData> data = readConstant(value);
    if (failed(data))
      return op.emitOpError("expects constant scale and shift");
    // One value for each index of axis 1.
    data->shape.assign({data->numElements()});
    data->shape.append(to.rank() - 2, 1);
    operands.push_back(NestOperand::ofConstant(context, *data, to));
  }
  int64_t lanes = chunkOf(context.isa);
  ElementwiseNest nest(to.shape, operands, lanes);
  emitFloat(context, op.getLoc(), "batch_norm_f32", "", nest,
            [&](KernelBuilder &k, const Chunk &chunk) {
              return fma(k, nest.load(k, chunk, 1, lanes),
                         nest.load(k, chunk, 2, lanes),
                         nest.load(k, chunk, 3, lanes));
            });
  return success();
}

} // namespace mlir::qopt::codegen
