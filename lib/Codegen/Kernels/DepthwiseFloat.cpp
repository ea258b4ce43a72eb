// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float depthwise convolution, for calibration: taps in index order.

#include "DepthwisePlan.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {

/// One f32 a channel: bias, then weights by tap.
static FailureOr<std::vector<float>> floatTables(qopt::ConvOp op,
                                                 const DepthwiseShape &shape) {
  FailureOr<ConstantData> weight = readConstant(op.getWeight());
  if (failed(weight))
    return op.emitOpError("expects a constant weight");
  std::vector<float> tables(shape.channels, 0.0f);
  if (op.getBias()) {
    FailureOr<ConstantData> bias = readConstant(op.getBias());
    if (failed(bias))
      return op.emitOpError("expects a constant bias");
    for (int64_t c = 0; c < shape.channels; ++c)
      tables[c] = bias->floatAt(c);
  }
  for (int64_t tap = 0; tap < shape.taps(); ++tap)
    for (int64_t c = 0; c < shape.channels; ++c)
      tables.push_back(weight->floatAt(c * shape.taps() + tap));
  return tables;
}

LogicalResult emitDepthwise(KernelContext &context, qopt::ConvOp op,
                            ArrayRef<View> in, ArrayRef<View> out) {
  const View &from = in[0], &result = out[0];
  DepthwiseShape shape = DepthwiseShape::of(op, result.shape[1]);
  auto tables = floatTables(op, shape);
  if (failed(tables))
    return failure();
  NestOperand to = NestOperand::of(result, result.shape, /*isWritten=*/true);
  NestOperand input = NestOperand::of(from, from.shape);
  input.strides = {from.strides[0], from.strides[1],
                   from.strides[2] * shape.strides[0],
                   from.strides[3] * shape.strides[1]};
  input.origin -=
      shape.pads[0] * from.strides[2] + shape.pads[1] * from.strides[3];
  NestOperand table;
  table.kind = ElementKind::F32;
  table.arg = KernelArg::constant(
      context.constants.appendValues(ArrayRef<float>(*tables)),
      tables->size() * sizeof(float), /*mayOverRead=*/false);
  table.strides = {0, 1, 0, 0};
  int64_t lanes = 2 * context.isa.lanes();
  ElementwiseNest nest(result.shape, {to, input, table}, lanes);
  FnAttr clamp = op.getActivationAttr();
  std::string params = shape.key() + " " + nest.key();
  if (clamp)
    llvm::raw_string_ostream(params)
        << ' ' << clamp.getClampMin() << ' ' << clamp.getClampMax();
  context.emitKernel(
      op.getLoc(), "depthwise_f32", params, nest.args(),
      [&](KernelBuilder &k, ValueRange args) {
        auto type = k.vec(lanes, k.f32());
        nest.run(k, args, [&](const Chunk &chunk) {
          auto tableAt = [&](int64_t index) {
            Value at = k.add(chunk.positions[2], index * shape.channels * 4);
            if (nest.isRepeated(2))
              return k.loadSplat(chunk.memories[2], at, k.f32(), lanes);
            return k.loadTail(chunk.memories[2], at, type, chunk.count);
          };
          Value sum = tableAt(0);
          for (int64_t tap = 0; tap < shape.taps(); ++tap) {
            int64_t row = tap / shape.kernel[1] * shape.dilations[0];
            int64_t column = tap % shape.kernel[1] * shape.dilations[1];
            int64_t offset = row * from.strides[2] + column * from.strides[3];
            Value x = loadPart(k, chunk.memories[1],
                               k.add(chunk.positions[1], 4 * offset), type,
                               chunk.count, from.spanBytes());
            sum = fma(k, x, tableAt(1 + tap), sum);
          }
          if (clamp)
            sum = floatClamp(k, sum, clamp.getClampMin(), clamp.getClampMax());
          nest.store(k, chunk, sum);
        });
      });
  return success();
}

} // namespace mlir::qopt::codegen
