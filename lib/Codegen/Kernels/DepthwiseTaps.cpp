// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Depthwise convolution one tap at a time in i32, for layouts and types that
// the dot products do not serve.

#include "Arith.h"
#include "DepthwisePlan.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/Requant.h"

namespace mlir::qopt::codegen {

void emitTapByTap(KernelContext &context, qint::ConvOp op,
                  const DepthwiseShape &shape, const DepthwiseData &data,
                  const View &in, const View &out) {
  qint::RequantAttr requant = op.getRequant();
  bool hasMultipliers = requant.getMultiplier().size() > 1;
  Rescale rescale = Rescale::of(requant, data.bound);
  OutputType output = OutputType::of(requant, out);
  // Tables of one i32 a channel: bias, weights by tap, multipliers, shifts.
  std::vector<int32_t> tables = data.bias;
  for (int64_t tap = 0; tap < shape.taps(); ++tap)
    for (int64_t c = 0; c < shape.channels; ++c)
      tables.push_back(data.weights[c * shape.taps() + tap]);
  for (int64_t c = 0; c < shape.channels && hasMultipliers; ++c)
    tables.push_back(requant.getMultiplierFor(data.firstChannel + c));
  for (int64_t c = 0; c < shape.channels && !rescale.hasOneShift(); ++c)
    tables.push_back(requant.getShiftFor(data.firstChannel + c));

  NestOperand to = NestOperand::of(out, out.shape, /*isWritten=*/true);
  NestOperand from = NestOperand::of(in, in.shape);
  from.strides = {in.strides[0], in.strides[1],
                  in.strides[2] * shape.strides[0],
                  in.strides[3] * shape.strides[1]};
  from.origin -= shape.pads[0] * in.strides[2] + shape.pads[1] * in.strides[3];
  NestOperand table;
  table.kind = ElementKind::I32;
  table.arg = KernelArg::constant(
      context.constants.appendValues(ArrayRef<int32_t>(tables)),
      tables.size() * sizeof(int32_t), /*mayOverRead=*/false);
  table.strides = {0, 1, 0, 0};
  ElementwiseNest nest(out.shape, {to, from, table}, context.isa.bytes());
  bool flip = in.kind == ElementKind::I8 && in.storageBias == 0;

  auto body = [&](KernelBuilder &k, const Chunk &chunk) {
    int64_t lanes = k.isa.lanes();
    auto tableAt = [&](int64_t index) {
      Value at = k.add(chunk.positions[2], index * shape.channels * 4);
      if (nest.isRepeated(2))
        return SmallVector<Value, 4>(
            4, k.loadSplat(chunk.memories[2], at, k.i32(), lanes));
      SmallVector<Value, 4> values;
      for (int64_t part = 0; part < 4; ++part) {
        int64_t left =
            std::clamp<int64_t>(chunk.count - part * lanes, 0, lanes);
        auto type = k.vec(lanes, k.i32());
        values.push_back(k.loadTail(chunk.memories[2],
                                    k.add(at, part * lanes * 4), type, left));
      }
      return values;
    };
    SmallVector<Value, 4> acc = tableAt(0);
    for (int64_t tap = 0; tap < shape.taps(); ++tap) {
      int64_t row = tap / shape.kernel[1] * shape.dilations[0];
      int64_t column = tap % shape.kernel[1] * shape.dilations[1];
      int64_t offset = row * in.strides[2] + column * in.strides[3];
      Value x = loadPart(k, chunk.memories[1],
                         k.add(chunk.positions[1], offset * in.elementBytes()),
                         k.vec(k.isa.bytes(), k.elementType(in.kind)),
                         chunk.count, in.spanBytes());
      if (flip)
        x = xorI(k, x, 128);
      for (auto [sum, value, weight] :
           llvm::zip(acc, widen(k, x, LaneOrder::Natural), tableAt(1 + tap)))
        sum = addI(k, sum, mulI(k, value, weight));
    }
    if (out.kind == ElementKind::I32) {
      for (int64_t part = 0; part * lanes < chunk.count; ++part)
        k.storeTail(chunk.memories[0],
                    k.add(chunk.positions[0], part * lanes * 4), acc[part],
                    std::min(lanes, chunk.count - part * lanes));
      return;
    }
    RescaleLanes scales;
    if (hasMultipliers)
      scales.multipliers = tableAt(1 + shape.taps());
    if (!rescale.hasOneShift())
      scales.shifts = tableAt(1 + shape.taps() + hasMultipliers);
    storeLanes(k, chunk.memories[0], chunk.positions[0],
               requantize(k, acc, rescale, scales, output, LaneOrder::Natural),
               chunk.count);
  };
  context.emitKernel(op.getLoc(), "depthwise_taps",
                     shape.key() + " " + nest.key() + " " + rescale.key() +
                         (hasMultipliers ? "m " : " ") + output.key(),
                     nest.args(), [&](KernelBuilder &k, ValueRange args) {
                       nest.run(k, args,
                                [&](const Chunk &chunk) { body(k, chunk); });
                     });
}

} // namespace mlir::qopt::codegen
