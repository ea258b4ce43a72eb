// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer depthwise convolution: the bytes of four input rows are interleaved
// so that one dot product takes four taps of a channel; packing the results
// undoes the interleaving at no cost.

#include "Arith.h"
#include "DepthwisePlan.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Kernels/Requant.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {
namespace {

/// Channels that go through one piece of code: `count` blocks of `width`
/// channels, or one block of which only `width` minus some are there.
struct ChannelBlocks {
  int64_t first = 0;
  int64_t count = 1;
  int64_t lanes = 0;
  int64_t valid = 0;
  /// Position of the first block's constants, and bytes of each.
  int64_t constants = 0;
};

/// Whole vectors, then the smallest vector that holds the rest.
SmallVector<ChannelBlocks> divideChannels(int64_t channels, const Isa &isa) {
  SmallVector<ChannelBlocks> result;
  int64_t whole = channels / isa.bytes();
  if (whole)
    result.push_back({0, whole, isa.bytes(), isa.bytes(), 0});
  if (int64_t rest = channels % isa.bytes()) {
    int64_t lanes = 16;
    while (lanes < rest)
      lanes *= 2;
    result.push_back({channels - rest, 1, lanes, rest, 0});
  }
  return result;
}

class DepthwiseKernel {
public:
  DepthwiseKernel(qint::ConvOp op, const DepthwiseShape &shape,
                  const DepthwiseData &data, const View &in, const View &out,
                  const Isa &isa)
      : shape(shape), data(data), in(in), out(out), requant(op.getRequant()),
        plan(DepthwisePlan::choose(shape, isa, out.shape[2])),
        rescale(Rescale::of(requant, data.bound)),
        output(OutputType::of(requant, out)),
        blocks(divideChannels(shape.channels, isa)) {
    hasMultipliers = requant.getMultiplier().size() > 1;
    hasShifts = !rescale.hasOneShift();
    for (int32_t weight : data.weights)
      if (weight < -128 || weight > 127)
        parts = 2;
  }

  std::vector<uint8_t> packConstants();
  std::string key() const;
  void emit(KernelBuilder &k, ValueRange args) const;

private:
  struct Block {
    const ChannelBlocks &channels;
    Value constants;
    int64_t lanes() const { return channels.lanes; }
  };
  using Quads = SmallVector<Value>;

  // Layout of a block's constants: bias, multipliers, shifts (i32, four
  // vectors each), then weights.
  int64_t tableBytes(const ChannelBlocks &b) const { return 4 * b.lanes; }
  int64_t multipliersAt(const ChannelBlocks &b) const { return tableBytes(b); }
  int64_t shiftsAt(const ChannelBlocks &b) const {
    return tableBytes(b) * (1 + hasMultipliers);
  }
  int64_t weightsAt(const ChannelBlocks &b) const {
    return tableBytes(b) * (1 + hasMultipliers + hasShifts);
  }
  int64_t weightIndex(int64_t row, int64_t quad, int64_t column, int64_t digit,
                      int64_t part) const {
    int64_t index = (row * plan.quads + quad) * shape.kernel[1] + column;
    return (index * parts + digit) * 4 + part;
  }
  int64_t blockBytes(const ChannelBlocks &b) const {
    return weightsAt(b) + weightIndex(plan.rows, 0, 0, 0, 0) * b.lanes;
  }
  void packBlock(const ChannelBlocks &b, int64_t first,
                 std::vector<uint8_t> &bytes) const;
  int8_t weightByte(int64_t channel, int64_t row, int64_t quad, int64_t j,
                    int64_t column, int64_t digit) const;

  void rowsOfImage(KernelBuilder &k, ValueRange args, Value inImage,
                   Value outImage) const;
  void rowBlock(KernelBuilder &k, ValueRange args, Value inRow, Value outRow,
                int64_t rows) const;
  void columns(KernelBuilder &k, ValueRange args, const Block &block,
               Value inRow, Value outRow, int64_t rows) const;
  Quads loadColumn(KernelBuilder &k, Value memory, const Block &block,
                   Value position, int64_t rows) const;
  void accumulate(KernelBuilder &k, Value constants, const Block &block,
                  const Quads &quads, int64_t column, int64_t rows,
                  SmallVector<Value> &acc) const;
  SmallVector<Value> start(KernelBuilder &k, Value constants,
                           const Block &block, int64_t rows) const;
  void finish(KernelBuilder &k, ValueRange args, const Block &block,
              ArrayRef<Value> acc, Value position, int64_t rows) const;
  SmallVector<Value, 4> loadTable(KernelBuilder &k, Value constants,
                                  const Block &block, int64_t offset) const;

  const DepthwiseShape &shape;
  const DepthwiseData &data;
  const View &in;
  const View &out;
  qint::RequantAttr requant;
  DepthwisePlan plan;
  Rescale rescale;
  OutputType output;
  SmallVector<ChannelBlocks> blocks;
  bool hasMultipliers = false, hasShifts = false;
  /// A weight outside of i8 (zero points) is the sum of two that fit.
  int64_t parts = 1;
};

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

int8_t DepthwiseKernel::weightByte(int64_t channel, int64_t row, int64_t quad,
                                   int64_t j, int64_t column,
                                   int64_t digit) const {
  int64_t kernelRow = plan.kernelRow(shape, row, quad, j);
  if (channel >= shape.channels || kernelRow < 0)
    return 0;
  int32_t weight = data.weight(shape, channel, kernelRow, column);
  int32_t first = std::clamp(weight, -128, 127);
  return digit == 0 ? first : weight - first;
}

void DepthwiseKernel::packBlock(const ChannelBlocks &b, int64_t first,
                                std::vector<uint8_t> &bytes) const {
  int64_t lanes = b.lanes / 4;
  auto channelOf = [&](int64_t part, int64_t lane) {
    return first + lane / 4 * 16 + part * 4 + lane % 4;
  };
  auto appendTable = [&](llvm::function_ref<int32_t(int64_t)> valueOf) {
    for (int64_t part = 0; part < 4; ++part)
      for (int64_t lane = 0; lane < lanes; ++lane) {
        int64_t channel = std::min(channelOf(part, lane), shape.channels - 1);
        uint32_t value = valueOf(channel);
        for (int byte = 0; byte < 4; ++byte)
          bytes.push_back(value >> (8 * byte));
      }
  };
  appendTable([&](int64_t channel) { return data.bias[channel]; });
  if (hasMultipliers)
    appendTable(
        [&](int64_t channel) { return requant.getMultiplierFor(channel); });
  if (hasShifts)
    appendTable([&](int64_t channel) { return requant.getShiftFor(channel); });
  for (int64_t row = 0; row < plan.rows; ++row)
    for (int64_t quad = 0; quad < plan.quads; ++quad)
      for (int64_t column = 0; column < shape.kernel[1]; ++column)
        for (int64_t digit = 0; digit < parts; ++digit)
          for (int64_t part = 0; part < 4; ++part)
            for (int64_t lane = 0; lane < lanes; ++lane)
              for (int64_t j = 0; j < 4; ++j)
                bytes.push_back(weightByte(channelOf(part, lane), row, quad, j,
                                           column, digit));
}

std::vector<uint8_t> DepthwiseKernel::packConstants() {
  std::vector<uint8_t> bytes;
  for (ChannelBlocks &b : blocks) {
    b.constants = bytes.size();
    for (int64_t i = 0; i < b.count; ++i)
      packBlock(b, b.first + i * b.lanes, bytes);
  }
  return bytes;
}

std::string DepthwiseKernel::key() const {
  std::string text = shape.key() + " " + rescale.key() + " " + output.key();
  llvm::raw_string_ostream(text) << ' ' << hasMultipliers << parts;
  return text;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void DepthwiseKernel::emit(KernelBuilder &k, ValueRange args) const {
  // The window of the first result begins in the halo.
  int64_t start = in.origin() - shape.pads[0] * in.strides[2] -
                  shape.pads[1] * in.strides[3];
  k.loop(0, out.shape[0], 1, [&](Value n) {
    rowsOfImage(k, args, k.add(k.mul(n, in.strides[0]), start),
                k.add(k.mul(n, out.strides[0] * out.elementBytes()),
                      out.origin() * out.elementBytes()));
  });
}

void DepthwiseKernel::rowsOfImage(KernelBuilder &k, ValueRange args,
                                  Value inImage, Value outImage) const {
  int64_t inStep = shape.strides[0] * in.strides[2];
  int64_t outStep = out.strides[2] * out.elementBytes();
  auto at = [&](Value row, int64_t rows) {
    rowBlock(k, args, k.add(inImage, k.mul(row, inStep)),
             k.add(outImage, k.mul(row, outStep)), rows);
  };
  int64_t size = out.shape[2], whole = size - size % plan.rows;
  k.loop(0, whole, plan.rows, [&](Value row) { at(row, plan.rows); });
  if (whole < size)
    at(k.index(whole), size - whole);
}

void DepthwiseKernel::rowBlock(KernelBuilder &k, ValueRange args, Value inRow,
                               Value outRow, int64_t rows) const {
  for (const ChannelBlocks &b : blocks)
    k.loop(0, b.count, 1, [&](Value i) {
      Block block{b, k.add(k.mul(i, blockBytes(b)), b.constants)};
      Value channel = k.add(k.mul(i, b.lanes), b.first);
      columns(k, args, block, k.add(inRow, channel),
              k.add(outRow, k.mul(channel, out.elementBytes())), rows);
    });
}

void DepthwiseKernel::columns(KernelBuilder &k, ValueRange args,
                              const Block &block, Value inRow, Value outRow,
                              int64_t rows) const {
  int64_t kernel = shape.kernel[1], stride = shape.strides[1];
  int64_t columnStep = in.strides[3];
  int64_t outStep = out.strides[3] * out.elementBytes();
  int64_t kept = plan.slides ? std::max<int64_t>(0, kernel - stride) : 0;
  int64_t perColumn = 4 * plan.quads;

  // `window` holds the first `kept` columns; the others are loaded where they
  // are needed first, when older columns are done with.
  auto result = [&](Value position, Value outPosition,
                    SmallVector<Quads> &window) {
    SmallVector<Value> acc = start(k, args[2], block, rows);
    for (int64_t column = 0; column < kernel; ++column) {
      if (column >= static_cast<int64_t>(window.size())) {
        int64_t offset = column * shape.dilations[1] * columnStep;
        window.push_back(
            loadColumn(k, args[0], block, k.add(position, offset), rows));
      }
      accumulate(k, args[2], block, window[column], column, rows, acc);
    }
    finish(k, args, block, acc, outPosition, rows);
    // Columns that the next result starts with.
    SmallVector<Quads> next;
    for (int64_t column = stride; column < stride + kept; ++column)
      next.push_back(window[column]);
    window = next;
  };
  auto step = [&](Value first, int64_t count, ValueRange carried) {
    SmallVector<Quads> window;
    for (int64_t column = 0; column < kept; ++column) {
      ValueRange values = carried.slice(column * perColumn, perColumn);
      window.push_back(Quads(values.begin(), values.end()));
    }
    for (int64_t i = 0; i < count; ++i)
      result(k.add(k.add(inRow, k.mul(first, stride * columnStep)),
                   i * stride * columnStep),
             k.add(k.add(outRow, k.mul(first, outStep)), i * outStep), window);
    SmallVector<Value> next;
    for (const Quads &quads : window)
      next.append(quads);
    return next;
  };

  SmallVector<Value> carried;
  for (int64_t column = 0; column < kept; ++column)
    carried.append(
        loadColumn(k, args[0], block, k.add(inRow, column * columnStep), rows));
  // With two results a round, carried columns change places without moves.
  int64_t unroll = kept ? 2 : 1;
  int64_t size = out.shape[3], whole = size - size % unroll;
  carried = k.loop(0, whole, unroll, carried, [&](Value iv, ValueRange values) {
    return step(iv, unroll, values);
  });
  if (whole < size)
    step(k.index(whole), size - whole, carried);
}

//===----------------------------------------------------------------------===//
// One column
//===----------------------------------------------------------------------===//

DepthwiseKernel::Quads
DepthwiseKernel::loadColumn(KernelBuilder &k, Value memory, const Block &block,
                            Value position, int64_t rows) const {
  int64_t needed = plan.inputRows(shape, rows);
  int64_t rowBytes = plan.rowStep(shape) * in.strides[2];
  auto type = k.vec(block.lanes(), k.i8());
  SmallVector<Value> pixels;
  for (int64_t row = 0; row < 4 * plan.quads; ++row) {
    if (row >= needed) {
      // Its weights are zero.
      pixels.push_back(pixels[needed - 1]);
      continue;
    }
    Value pixel = loadPart(k, memory, k.add(position, row * rowBytes), type,
                           block.channels.valid, in.spanBytes());
    pixels.push_back(in.storageBias ? pixel : xorI(k, pixel, 128));
  }
  Quads result;
  for (int64_t quad = 0; quad < plan.quads; ++quad) {
    Value *p = &pixels[4 * quad];
    for (bool upper : {false, true}) {
      Value low = k.bitcast(interleave(k, p[0], p[1], upper), k.i16());
      Value high = k.bitcast(interleave(k, p[2], p[3], upper), k.i16());
      for (bool upperPairs : {false, true})
        result.push_back(
            k.bitcast(interleave(k, low, high, upperPairs), k.i8()));
    }
  }
  return result;
}

SmallVector<Value, 4> DepthwiseKernel::loadTable(KernelBuilder &k,
                                                 Value constants,
                                                 const Block &block,
                                                 int64_t offset) const {
  SmallVector<Value, 4> result;
  for (int64_t part = 0; part < 4; ++part)
    result.push_back(
        k.load(constants, k.add(block.constants, offset + part * block.lanes()),
               k.vec(block.lanes() / 4, k.i32())));
  return result;
}

SmallVector<Value> DepthwiseKernel::start(KernelBuilder &k, Value constants,
                                          const Block &block,
                                          int64_t rows) const {
  SmallVector<Value> acc;
  for (int64_t row = 0; row < rows; ++row)
    acc.append(loadTable(k, constants, block, 0));
  return acc;
}

void DepthwiseKernel::accumulate(KernelBuilder &k, Value constants,
                                 const Block &block, const Quads &quads,
                                 int64_t column, int64_t rows,
                                 SmallVector<Value> &acc) const {
  auto type = k.vec(block.lanes(), k.i8());
  for (int64_t quad = 0; quad < plan.quads; ++quad)
    for (int64_t row = 0; row < rows; ++row) {
      if (!plan.uses(shape, row, quad))
        continue;
      for (int64_t digit = 0; digit < parts; ++digit)
        for (int64_t part = 0; part < 4; ++part) {
          int64_t offset =
              weightsAt(block.channels) +
              weightIndex(row, quad, column, digit, part) * block.lanes();
          Value weights =
              k.load(constants, k.add(block.constants, offset), type);
          Value &sum = acc[4 * row + part];
          sum = qint::Dot4Op::create(k.b, k.loc, sum.getType(), sum,
                                     quads[4 * quad + part], weights);
        }
    }
}

void DepthwiseKernel::finish(KernelBuilder &k, ValueRange args,
                             const Block &block, ArrayRef<Value> acc,
                             Value position, int64_t rows) const {
  RescaleLanes lanes;
  if (hasMultipliers)
    lanes.multipliers =
        loadTable(k, args[2], block, multipliersAt(block.channels));
  if (hasShifts)
    lanes.shifts = loadTable(k, args[2], block, shiftsAt(block.channels));
  for (int64_t row = 0; row < rows; ++row) {
    Value target = k.add(position, row * out.strides[2] * out.elementBytes());
    storeLanes(k, args[1], target,
               requantize(k, acc.slice(4 * row, 4), rescale, lanes, output,
                          LaneOrder::Blocked),
               block.channels.valid);
  }
}

//===----------------------------------------------------------------------===//
// Any strides, 16-bit inputs
//===----------------------------------------------------------------------===//

/// One tap at a time in i32, for layouts and types that the dot products do
/// not serve.
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
    tables.push_back(requant.getMultiplierFor(c));
  for (int64_t c = 0; c < shape.channels && !rescale.hasOneShift(); ++c)
    tables.push_back(requant.getShiftFor(c));

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
      tables.size() * sizeof(int32_t));
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

} // namespace

LogicalResult emitDepthwise(KernelContext &context, qint::ConvOp op,
                            ArrayRef<View> in, ArrayRef<View> out) {
  const View &from = in[0];
  DepthwiseShape shape = DepthwiseShape::of(op);
  bool isByte = from.kind == ElementKind::I8;
  FailureOr<DepthwiseData> data =
      DepthwiseData::of(op, from.kind, isByte ? 128 : 0);
  if (failed(data))
    return failure();
  if (!isByte || from.strides[1] != 1 || out[0].strides[1] != 1) {
    emitTapByTap(context, op, shape, *data, from, out[0]);
    return success();
  }
  DepthwiseKernel kernel(op, shape, *data, from, out[0], context.isa);
  std::vector<uint8_t> bytes = kernel.packConstants();
  context.emitKernel(
      op.getLoc(), "depthwise", kernel.key(),
      {KernelArg::read(from), KernelArg::write(out[0]),
       KernelArg::constant(context.constants.append(bytes), bytes.size())},
      [&](KernelBuilder &k, ValueRange args) { kernel.emit(k, args); });
  return success();
}

} // namespace mlir::qopt::codegen
