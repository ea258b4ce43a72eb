// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer depthwise convolution: the bytes of four input rows, or the words of
// two, are interleaved so that one dot product takes as many taps of a channel;
// packing the results undoes the interleaving.

#include "Arith.h"
#include "ChannelBlocks.h"
#include "DepthwisePlan.h"
#include "Table.h"
#include "WeightDigits.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Kernels/Requant.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {
namespace {

/// Where a block's tables and weights begin.
struct BlockConstants {
  int64_t tables = 0, weights = 0;
};

class DepthwiseKernel {
public:
  DepthwiseKernel(qint::ConvOp op, const DepthwiseShape &shape,
                  const DepthwiseData &data, const View &in, const View &out,
                  bool hasTable, const Isa &isa)
      : shape(shape), data(data), in(in), out(out), requant(op.getRequant()),
        lanes{in.kind == ElementKind::I16,
              in.kind == ElementKind::I16 || isa.dotsWords()},
        plan(DepthwisePlan::choose(shape, isa, out.shape[2], lanes)),
        rescale(Rescale::of(requant, data.bound)),
        output(OutputType::of(requant, hasTable ? indexView(out) : out)),
        blocks(divideChannels(shape.channels, out.shape[3], isa)) {
    this->hasTable = hasTable;
    hasMultipliers = requant.getMultiplier().size() > 1;
    hasShifts = !rescale.hasOneShift();
    for (int32_t weight : data.weights)
      if (!lanes.areWords)
        parts = std::max(parts, countWeightDigits(weight));
  }

  /// Fills in the bytes of both kinds of constants.
  void pack(std::vector<uint8_t> &tables, std::vector<uint8_t> &weights);
  std::string key() const;
  void emit(KernelBuilder &k, ValueRange args) const;

private:
  struct Block {
    const ChannelBlocks &channels;
    Value tables, weights;
    /// Output columns between the columns of a vector, from its first one.
    SmallVector<int64_t, 4> columns;
    int64_t width() const { return channels.width(); }
  };
  using Quads = SmallVector<Value>;

  LaneOrder order() const {
    return lanes.fromWords ? LaneOrder::Halves : LaneOrder::Blocked;
  }
  /// Bytes between neighbours of the input along an axis.
  int64_t inStride(int axis) const {
    return in.strides[axis] * in.elementBytes();
  }

  // A block's tables: bias, multipliers, shifts (i32, four vectors each).
  int64_t tableBytes(const ChannelBlocks &b) const { return 4 * b.width(); }
  int64_t multipliersAt(const ChannelBlocks &b) const { return tableBytes(b); }
  int64_t shiftsAt(const ChannelBlocks &b) const {
    return tableBytes(b) * (1 + hasMultipliers);
  }
  int64_t allTablesBytes(const ChannelBlocks &b) const {
    return tableBytes(b) * (1 + hasMultipliers + hasShifts);
  }
  int64_t weightIndex(int64_t row, int64_t quad, int64_t column, int64_t digit,
                      int64_t part) const {
    int64_t index = (row * plan.quads + quad) * shape.kernel[1] + column;
    return (index * parts + digit) * 4 + part;
  }
  int64_t weightBytes(const ChannelBlocks &b) const {
    return weightIndex(plan.rows, 0, 0, 0, 0) * b.width();
  }
  void packTables(const ChannelBlocks &b, int64_t first,
                  std::vector<uint8_t> &bytes) const;
  void packWeights(const ChannelBlocks &b, int64_t first,
                   std::vector<uint8_t> &bytes) const;
  int32_t weightOf(int64_t channel, int64_t row, int64_t quad, int64_t j,
                   int64_t column, int64_t digit) const;
  int64_t channelOf(const ChannelBlocks &b, int64_t first, int64_t part,
                    int64_t lane) const;

  void rowsOfBlock(KernelBuilder &k, ValueRange args, const Block &block,
                   Value inPlane, Value outPlane) const;
  void columns(KernelBuilder &k, ValueRange args, const Block &block,
               Value inRow, Value outRow, int64_t rows) const;
  Value wordsOf(KernelBuilder &k, Value pixels, bool upper) const;
  Quads loadQuad(KernelBuilder &k, Value memory, const Block &block,
                 Value position, int64_t quad, int64_t rows) const;
  void accumulate(KernelBuilder &k, Value constants, const Block &block,
                  const Quads &quads, int64_t quad, int64_t column,
                  int64_t rows, SmallVector<Value> &acc) const;
  SmallVector<Value> start(KernelBuilder &k, Value constants,
                           const Block &block, int64_t rows) const;
  void finish(KernelBuilder &k, ValueRange args, const Block &block,
              ArrayRef<Value> acc, Value position, int64_t rows) const;
  /// Columns that one result leaves for the next.
  int64_t keptColumns() const {
    return plan.slides
               ? std::max<int64_t>(0, shape.kernel[1] - shape.strides[1])
               : 0;
  }
  /// Rounds over the columns of a row; columns that share a vector are far
  /// apart where that lets them slide.
  int64_t columnsPerLane(const ChannelBlocks &b) const {
    return llvm::divideCeil(out.shape[3], b.columns);
  }
  SmallVector<int64_t, 4> columnsOf(const ChannelBlocks &b) const;
  static SmallVector<int64_t, 4> scaled(ArrayRef<int64_t> columns,
                                        int64_t step) {
    SmallVector<int64_t, 4> bytes;
    for (int64_t column : columns)
      bytes.push_back(column * step);
    return bytes;
  }
  SmallVector<Value, 4> loadTable(KernelBuilder &k, Value constants,
                                  const Block &block, int64_t offset) const;

  const DepthwiseShape &shape;
  const DepthwiseData &data;
  const View &in;
  const View &out;
  qint::RequantAttr requant;
  DepthwiseLanes lanes;
  DepthwisePlan plan;
  Rescale rescale;
  OutputType output;
  SmallVector<ChannelBlocks> blocks;
  SmallVector<BlockConstants> constants;
  bool hasMultipliers = false, hasShifts = false, hasTable = false;
  /// A weight outside of i8 (zero points) is the sum of two that fit.
  int64_t parts = 1;
};

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

int32_t DepthwiseKernel::weightOf(int64_t channel, int64_t row, int64_t quad,
                                  int64_t j, int64_t column,
                                  int64_t digit) const {
  int64_t kernelRow = plan.kernelRow(shape, row, quad, j);
  if (channel >= shape.channels || kernelRow < 0)
    return 0;
  int32_t weight = data.weight(shape, channel, kernelRow, column);
  return lanes.areWords ? weight : weightDigit(weight, digit);
}

/// Channel of lane `lane` of vector `part` of a block.
int64_t DepthwiseKernel::channelOf(const ChannelBlocks &b, int64_t first,
                                   int64_t part, int64_t lane) const {
  int64_t element = lanes.fromWords ? part / 2 * (b.width() / 2) +
                                          lane / 4 * 8 + part % 2 * 4 + lane % 4
                                    : lane / 4 * 16 + part * 4 + lane % 4;
  return first + element % b.lanes;
}

void DepthwiseKernel::packTables(const ChannelBlocks &b, int64_t first,
                                 std::vector<uint8_t> &bytes) const {
  auto append = [&](llvm::function_ref<int32_t(int64_t)> valueOf) {
    for (int64_t part = 0; part < 4; ++part)
      for (int64_t lane = 0; lane < b.width() / 4; ++lane) {
        int64_t channel =
            std::min(channelOf(b, first, part, lane), shape.channels - 1);
        uint32_t value = valueOf(channel);
        for (int byte = 0; byte < 4; ++byte)
          bytes.push_back(value >> (8 * byte));
      }
  };
  append([&](int64_t channel) { return data.bias[channel]; });
  int64_t firstOfOp = data.firstChannel;
  if (hasMultipliers)
    append([&](int64_t c) { return requant.getMultiplierFor(firstOfOp + c); });
  if (hasShifts)
    append([&](int64_t c) { return requant.getShiftFor(firstOfOp + c); });
}

void DepthwiseKernel::packWeights(const ChannelBlocks &b, int64_t first,
                                  std::vector<uint8_t> &bytes) const {
  for (int64_t row = 0; row < plan.rows; ++row)
    for (int64_t quad = 0; quad < plan.quads; ++quad)
      for (int64_t column = 0; column < shape.kernel[1]; ++column)
        for (int64_t digit = 0; digit < parts; ++digit)
          for (int64_t part = 0; part < 4; ++part)
            for (int64_t lane = 0; lane < b.width() / 4; ++lane)
              for (int64_t j = 0; j < plan.group; ++j) {
                int32_t weight = weightOf(channelOf(b, first, part, lane), row,
                                          quad, j, column, digit);
                for (int64_t byte = 0; byte < 4 / plan.group; ++byte)
                  bytes.push_back(weight >> (8 * byte));
              }
}

void DepthwiseKernel::pack(std::vector<uint8_t> &tables,
                           std::vector<uint8_t> &weights) {
  for (const ChannelBlocks &b : blocks) {
    constants.push_back({int64_t(tables.size()), int64_t(weights.size())});
    for (int64_t i = 0; i < b.count; ++i) {
      packTables(b, b.first + i * b.lanes, tables);
      packWeights(b, b.first + i * b.lanes, weights);
    }
  }
}

std::string DepthwiseKernel::key() const {
  std::string text = shape.key() + " " + rescale.key() + " " + output.key();
  llvm::raw_string_ostream(text)
      << ' ' << hasMultipliers << parts << (lanes.fromWords ? "w" : "")
      << (hasTable ? "t" : "");
  return text;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void DepthwiseKernel::emit(KernelBuilder &k, ValueRange args) const {
  // The window of the first result begins in the halo.
  int64_t start = in.origin() * in.elementBytes() -
                  shape.pads[0] * inStride(2) - shape.pads[1] * inStride(3);
  k.loop(0, out.shape[0], 1, [&](Value n) {
    // Channels outside of rows: what rows share stays in the first cache, and
    // constants are loaded once.
    for (size_t index = 0; index < blocks.size(); ++index) {
      const ChannelBlocks &b = blocks[index];
      const BlockConstants &at = constants[index];
      k.loop(0, b.count, 1, [&](Value i) {
        Block block{b, k.add(k.mul(i, allTablesBytes(b)), at.tables),
                    k.add(k.mul(i, weightBytes(b)), at.weights), columnsOf(b)};
        Value channel = k.add(k.mul(i, b.lanes), b.first);
        Value inPlane = k.add(k.add(k.mul(n, inStride(0)), start),
                              k.mul(channel, in.elementBytes()));
        Value outPlane = k.add(k.mul(n, out.strides[0] * out.elementBytes()),
                               out.origin() * out.elementBytes());
        outPlane = k.add(outPlane, k.mul(channel, out.elementBytes()));
        rowsOfBlock(k, args, block, inPlane, outPlane);
      });
    }
  });
}

SmallVector<int64_t, 4>
DepthwiseKernel::columnsOf(const ChannelBlocks &b) const {
  SmallVector<int64_t, 4> columns;
  int64_t size = columnsPerLane(b);
  for (int64_t i = 0; i < b.columns; ++i)
    columns.push_back(keptColumns() ? std::min(i * size, out.shape[3] - size)
                                    : i);
  return columns;
}

void DepthwiseKernel::rowsOfBlock(KernelBuilder &k, ValueRange args,
                                  const Block &block, Value inPlane,
                                  Value outPlane) const {
  int64_t inStep = shape.strides[0] * inStride(2);
  int64_t outStep = out.strides[2] * out.elementBytes();
  auto at = [&](Value row, int64_t rows) {
    columns(k, args, block, k.add(inPlane, k.mul(row, inStep)),
            k.add(outPlane, k.mul(row, outStep)), rows);
  };
  int64_t size = out.shape[2], whole = size - size % plan.rows;
  k.loop(0, whole, plan.rows, [&](Value row) { at(row, plan.rows); });
  if (whole < size)
    at(k.index(whole), size - whole);
}

void DepthwiseKernel::columns(KernelBuilder &k, ValueRange args,
                              const Block &block, Value inRow, Value outRow,
                              int64_t rows) const {
  int64_t kernel = shape.kernel[1], stride = shape.strides[1];
  int64_t columnStep = inStride(3);
  int64_t outStep = out.strides[3] * out.elementBytes();
  int64_t kept = keptColumns();
  int64_t perColumn = 4 * plan.quads;

  // `window` holds the first `kept` columns; the others are loaded where they
  // are needed first, when older columns are done with.
  auto result = [&](Value position, Value outPosition,
                    SmallVector<Quads> &window) {
    SmallVector<Value> acc = start(k, args[2], block, rows);
    for (int64_t column = 0; column < kernel; ++column) {
      bool isNew = column >= static_cast<int64_t>(window.size());
      if (isNew)
        window.emplace_back();
      int64_t offset = column * shape.dilations[1] * columnStep;
      for (int64_t quad = 0; quad < plan.quads; ++quad) {
        if (isNew)
          window[column].append(
              loadQuad(k, args[0], block, k.add(position, offset), quad, rows));
        accumulate(k, args[3], block, window[column], quad, column, rows, acc);
      }
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
    for (int64_t quad = 0; quad < plan.quads; ++quad)
      carried.append(loadQuad(k, args[0], block,
                              k.add(inRow, column * columnStep), quad, rows));
  if (int64_t columns = block.channels.columns; columns > 1 && !kept) {
    // The last round may do some columns again.
    int64_t size = out.shape[3], whole = size - size % columns;
    k.loop(0, whole, columns, [&](Value iv) { step(iv, 1, {}); });
    if (whole < size)
      step(k.index(size - columns), 1, {});
    return;
  }
  // With two results a round, carried columns change places without moves.
  int64_t unroll = kept ? 2 : 1;
  int64_t size = columnsPerLane(block.channels);
  int64_t whole = size - size % unroll;
  carried = k.loop(0, whole, unroll, carried, [&](Value iv, ValueRange values) {
    return step(iv, unroll, values);
  });
  if (whole < size)
    step(k.index(whole), size - whole, carried);
}

//===----------------------------------------------------------------------===//
// One column
//===----------------------------------------------------------------------===//

DepthwiseKernel::Quads DepthwiseKernel::loadQuad(KernelBuilder &k, Value memory,
                                                 const Block &block,
                                                 Value position, int64_t quad,
                                                 int64_t rows) const {
  int64_t needed = plan.inputRows(shape, rows);
  int64_t rowBytes = plan.rowStep(shape) * inStride(2);
  SmallVector<Value, 4> p;
  for (int64_t j = 0; j < plan.group; ++j) {
    // Rows beyond the last have zero weights: any bytes do.
    int64_t row = std::min(plan.group * quad + j, needed - 1);
    if (j > 0 && plan.group * quad + j > row) {
      p.push_back(p[j - 1]);
      continue;
    }
    Value pixel = loadColumns(
        k, memory, in, block.channels, k.add(position, row * rowBytes),
        scaled(block.columns, shape.strides[1] * inStride(3)));
    p.push_back(in.storageBias || lanes.fromWords ? pixel
                                                  : xorI(k, pixel, 128));
  }
  Quads result;
  if (lanes.areWords) {
    for (bool upperWords : {false, true}) {
      Value first = wordsOf(k, p[0], upperWords);
      Value second = wordsOf(k, p[1], upperWords);
      for (bool upper : {false, true})
        result.push_back(interleave(k, first, second, upper));
    }
    return result;
  }
  for (bool upper : {false, true}) {
    Value low = k.bitcast(interleave(k, p[0], p[1], upper), k.i16());
    Value high = k.bitcast(interleave(k, p[2], p[3], upper), k.i16());
    for (bool upperPairs : {false, true})
      result.push_back(k.bitcast(interleave(k, low, high, upperPairs), k.i8()));
  }
  return result;
}

/// Half of a block's pixels as words: of words the first or the second half, of
/// bytes the lower or the upper ones of each 128 bits.
Value DepthwiseKernel::wordsOf(KernelBuilder &k, Value pixels,
                               bool upper) const {
  if (lanes.fromWords) {
    int64_t half = cast<VectorType>(pixels.getType()).getNumElements() / 2;
    return k.slice(pixels, upper ? half : 0, half);
  }
  Value zero = k.constant(pixels.getType(), 0);
  return k.bitcast(interleave(k, pixels, zero, upper), k.i16());
}

SmallVector<Value, 4> DepthwiseKernel::loadTable(KernelBuilder &k,
                                                 Value constants,
                                                 const Block &block,
                                                 int64_t offset) const {
  SmallVector<Value, 4> result;
  for (int64_t part = 0; part < 4; ++part)
    result.push_back(k.load(constants,
                            k.add(block.tables, offset + part * block.width()),
                            k.vec(block.width() / 4, k.i32())));
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
                                 int64_t quad, int64_t column, int64_t rows,
                                 SmallVector<Value> &acc) const {
  auto type = lanes.areWords ? k.vec(block.width() / 2, k.i16())
                             : k.vec(block.width(), k.i8());
  for (int64_t row = 0; row < rows; ++row) {
    if (!plan.uses(shape, row, quad))
      continue;
    for (int64_t digit = 0; digit < parts; ++digit)
      for (int64_t part = 0; part < 4; ++part) {
        int64_t offset =
            weightIndex(row, quad, column, digit, part) * block.width();
        Value weights = k.load(constants, k.add(block.weights, offset), type);
        Value &sum = acc[4 * row + part];
        Value taps = quads[4 * quad + part];
        if (lanes.areWords)
          sum = qint::Dot2Op::create(k.b, k.loc, sum.getType(), sum, taps,
                                     weights);
        else
          sum = qint::Dot4Op::create(k.b, k.loc, sum.getType(), sum, taps,
                                     weights);
      }
  }
}

void DepthwiseKernel::finish(KernelBuilder &k, ValueRange args,
                             const Block &block, ArrayRef<Value> acc,
                             Value position, int64_t rows) const {
  RescaleLanes scales;
  if (hasMultipliers)
    scales.multipliers =
        loadTable(k, args[2], block, multipliersAt(block.channels));
  if (hasShifts)
    scales.shifts = loadTable(k, args[2], block, shiftsAt(block.channels));
  for (int64_t row = 0; row < rows; ++row) {
    Value target = k.add(position, row * out.strides[2] * out.elementBytes());
    SmallVector<Value, 2> results =
        requantize(k, acc.slice(4 * row, 4), rescale, scales, output, order());
    if (hasTable)
      results[0] = lookUpBytes(k, args[4], results[0]);
    storeColumns(k, args[1], block.channels, target,
                 scaled(block.columns, out.strides[3] * out.elementBytes()),
                 results, out.elementBytes());
  }
}

} // namespace

LogicalResult emitDepthwise(KernelContext &context, qint::ConvOp op,
                            ArrayRef<View> in, ArrayRef<View> out,
                            const ProductPart &part) {
  const View &from = in[0];
  DepthwiseShape shape = DepthwiseShape::of(op, out[0].shape[1]);
  bool isByte = from.kind == ElementKind::I8;
  FailureOr<DepthwiseData> data = DepthwiseData::of(
      op, from.kind, isByte ? 128 : 0, part.firstChannel, shape.channels);
  if (failed(data))
    return failure();
  // Zero points may take 16-bit weights beyond 16 bits.
  bool isTooWide = !isByte && llvm::any_of(data->weights, [](int32_t weight) {
    return weight != static_cast<int16_t>(weight);
  });
  const bool isPlain = out[0].kind == ElementKind::I32;
  if (isTooWide || isPlain || from.strides[1] != 1 || out[0].strides[1] != 1) {
    bool hasTable = !part.table.empty();
    View computed = hasTable ? indexView(out[0]) : out[0];
    emitTapByTap(context, op, shape, *data, from, computed);
    if (hasTable)
      emitTable(context, op.getLoc(), computed, out[0], part.table);
    return success();
  }
  DepthwiseKernel kernel(op, shape, *data, from, out[0], !part.table.empty(),
                         context.isa);
  std::vector<uint8_t> tables, weights;
  kernel.pack(tables, weights);
  ConstantBlob &blob = context.constants;
  KernelArg weightArg =
      KernelArg::constant(blob.append(weights), weights.size(),
                          /*mayOverRead=*/false);
  // Where a dot product is several instructions, some of them are about the
  // weights alone and worth doing once.
  weightArg.isReloaded =
      context.isa.dotsWords() || context.isa.dotScratchPerWeight() == 0;
  SmallVector<KernelArg> args = {
      KernelArg::read(from), KernelArg::write(out[0]),
      KernelArg::constant(blob.append(tables), tables.size(),
                          /*mayOverRead=*/false),
      weightArg};
  if (!part.table.empty())
    args.push_back(tableArg(context, byteTable(part.table, out[0])));
  context.emitKernel(
      op.getLoc(), "depthwise", kernel.key(), args,
      [&](KernelBuilder &k, ValueRange values) { kernel.emit(k, values); });
  return success();
}

} // namespace mlir::qopt::codegen
