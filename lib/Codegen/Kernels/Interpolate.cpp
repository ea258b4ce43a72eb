// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resizing by taps: loops over result pixels whose taps stand in a table,
// vectors of channels inside.

#include "Arith.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Kernels/Requant.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

namespace mlir::qopt::codegen {
namespace {

/// Taps of an axis up to which they are not a loop.
constexpr int64_t maxUnrolledTaps = 4;

/// The taps of one axis in the table: byte offsets, then weights as 32 bits.
struct AxisTable {
  int64_t taps = 1;
  /// Byte positions in the table of the first offset and the first weight.
  int64_t offsets = 0, weights = 0;
};

/// The table of both axes among the constants, and how results walk it.
struct Taps {
  AxisTable rows, columns;
  std::vector<int32_t> words;
  const View &in;
  const View &out;
  /// Channels that the body is given at once.
  int64_t chunk;

  template <typename Weight>
  Taps(ArrayRef<int64_t> rowIndices, ArrayRef<Weight> rowWeights,
       ArrayRef<int64_t> columnIndices, ArrayRef<Weight> columnWeights,
       const View &in, const View &out, int64_t chunk)
      : in(in), out(out), chunk(chunk) {
    rows = append(rowIndices, rowWeights, in.strides[2], out.shape[2]);
    columns = append(columnIndices, columnWeights, in.strides[3], out.shape[3]);
    bool isContiguous =
        out.shape[1] == 1 || (in.strides[1] == 1 && out.strides[1] == 1);
    if (!isContiguous)
      this->chunk = 1;
  }

  template <typename Weight>
  AxisTable append(ArrayRef<int64_t> indices, ArrayRef<Weight> weights,
                   int64_t stride, int64_t size) {
    AxisTable axis;
    axis.taps = indices.size() / size;
    axis.offsets = 4 * words.size();
    for (int64_t index : indices)
      words.push_back(index * stride);
    axis.weights = 4 * words.size();
    for (Weight weight : weights) {
      int32_t word;
      std::memcpy(&word, &weight, sizeof(word));
      words.push_back(word);
    }
    return axis;
  }

  SmallVector<KernelArg> args(KernelContext &context) const {
    int64_t offset = context.constants.appendValues<int32_t>(words);
    return {KernelArg::write(out), KernelArg::read(in),
            KernelArg::constant(offset, 4 * words.size(),
                                /*mayOverRead=*/false)};
  }

  std::string key() const {
    return (llvm::Twine(rows.taps) + "x" + llvm::Twine(columns.taps) + " of " +
            llvm::Twine(words.size()))
        .str();
  }
};

/// What the body of one chunk of channels reads.
struct Site {
  /// Bytes of the table where the row's and the column's taps begin.
  Value rowTaps, columnTaps;
  /// Byte positions of the channels in result and input, taps left out.
  Value to, from;
  int64_t count;
};

void runTaps(KernelBuilder &k, const Taps &t,
             llvm::function_ref<void(const Site &)> body) {
  int64_t inWidth = t.in.elementBytes(), outWidth = t.out.elementBytes();
  Value to = k.index(t.out.origin() * outWidth);
  Value from = k.index(t.in.origin() * inWidth);
  auto along = [&](Value position, Value iv, const View &view, int64_t axis) {
    return k.add(position, k.mul(iv, view.strides[axis] * view.elementBytes()));
  };
  k.loop(0, t.out.shape[0], 1, [&](Value n) {
    Value toImage = along(to, n, t.out, 0), fromImage = along(from, n, t.in, 0);
    k.loop(0, t.out.shape[2], 1, [&](Value h) {
      Value toRow = along(toImage, h, t.out, 2);
      k.loop(0, t.out.shape[3], 1, [&](Value w) {
        Site site;
        site.rowTaps = k.mul(h, 4 * t.rows.taps);
        site.columnTaps = k.mul(w, 4 * t.columns.taps);
        Value toPixel = along(toRow, w, t.out, 3);
        auto at = [&](Value c, int64_t count) {
          site.to = along(toPixel, c, t.out, 1);
          site.from = along(fromImage, c, t.in, 1);
          site.count = count;
          body(site);
        };
        int64_t channels = t.out.shape[1], whole = channels / t.chunk * t.chunk;
        k.loop(0, whole, t.chunk, [&](Value c) { at(c, t.chunk); });
        if (whole < channels)
          at(k.index(whole), channels - whole);
      });
    });
  });
}

/// Folds `combine(carried, tap's position, tap's weight position)` over the
/// taps of an axis, `first` bytes behind the beginning of its table.
SmallVector<Value> foldTaps(
    KernelBuilder &k, Value table, const AxisTable &axis, Value first,
    Value position, int64_t width, ValueRange init,
    llvm::function_ref<SmallVector<Value>(ValueRange, Value, Value)> combine) {
  auto at = [&](Value tap, ValueRange carried) {
    Value entry = k.add(first, k.mul(tap, 4));
    Value offset = k.load(table, k.add(entry, k.index(axis.offsets)), k.i32());
    offset = arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), offset);
    return combine(carried, k.add(position, k.mul(offset, width)),
                   k.add(entry, k.index(axis.weights)));
  };
  if (axis.taps > maxUnrolledTaps)
    return k.loop(0, axis.taps, 1, init, at);
  SmallVector<Value> values(init);
  for (int64_t tap = 0; tap < axis.taps; ++tap)
    values = at(k.index(tap), values);
  return values;
}

/// The largest sum of magnitudes among groups of `taps` weights.
int64_t largestSum(ArrayRef<int32_t> weights, int64_t taps) {
  int64_t largest = 0;
  for (size_t i = 0; i < weights.size(); i += taps) {
    int64_t sum = 0;
    for (int32_t weight : weights.slice(i, taps))
      sum += std::abs(int64_t(weight));
    largest = std::max(largest, sum);
  }
  return largest;
}

} // namespace

LogicalResult emit(KernelContext &context, qint::InterpolateOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  const View &from = in[0];
  bool isByte = from.kind == ElementKind::I8;
  bool flip = isByte && from.storageBias == 0;
  int64_t zero = op.getInputZeroPoint() + (isByte ? 128 : 0);
  LaneOrder order = isByte ? LaneOrder::Blocked : LaneOrder::Natural;
  Taps taps(op.getRowIndices(), op.getRowWeights(), op.getColumnIndices(),
            op.getColumnWeights(), from, out[0], context.isa.bytes());
  int64_t rowBound = (isByte ? 255 : 65535) *
                     largestSum(op.getColumnWeights(), taps.columns.taps);
  int64_t bound;
  if (llvm::MulOverflow(
          rowBound, largestSum(op.getRowWeights(), taps.rows.taps), bound) ||
      bound > (int64_t(1) << 62))
    return op.emitOpError("has weights whose sums leave 64 bits");
  Rescale rescale = Rescale::of(op.getRequant(), bound);
  OutputType output = OutputType::of(op.getRequant(), out[0]);
  std::string params;
  llvm::raw_string_ostream(params)
      << taps.key() << " z" << zero << ' ' << rescale.key() << ' '
      << output.key() << (rowBound > INT32_MAX);
  context.emitKernel(
      op.getLoc(), "interpolate", params, taps.args(context),
      [&](KernelBuilder &k, ValueRange args) {
        int64_t lanes = k.isa.lanes(), width = from.elementBytes();
        Type rowType = rowBound > INT32_MAX ? k.i64() : k.i32();
        Type sumType = bound > INT32_MAX ? k.i64() : k.i32();
        auto type = k.vec(k.isa.bytes(), k.elementType(from.kind));
        auto zeros = [&](Type element) {
          return SmallVector<Value>(4, k.constant(k.vec(lanes, element), 0));
        };
        // Adds `values` times the weight at `weightAt` to `sums`.
        auto addTimes = [&](ValueRange sums, ValueRange values, Value weightAt,
                            Type element) {
          Value weight = k.extendS(
              k.loadSplat(args[2], weightAt, k.i32(), lanes), element);
          SmallVector<Value> next;
          for (auto [sum, value] : llvm::zip(sums, values))
            next.push_back(
                addI(k, sum, mulI(k, k.extendS(value, element), weight)));
          return next;
        };
        runTaps(k, taps, [&](const Site &site) {
          auto row = [&](ValueRange sums, Value at, Value weightAt) {
            SmallVector<Value> rowSums = foldTaps(
                k, args[2], taps.columns, site.columnTaps, at, width,
                zeros(rowType), [&](ValueRange carried, Value tap, Value w) {
                  Value x = loadPart(k, args[1], tap, type, site.count,
                                     from.spanBytes());
                  WideLanes wide = widen(k, flip ? xorI(k, x, 128) : x, order);
                  for (Value &part : wide)
                    part = subI(k, part, zero);
                  return addTimes(carried, wide, w, rowType);
                });
            return addTimes(sums, rowSums, weightAt, sumType);
          };
          SmallVector<Value> sums =
              foldTaps(k, args[2], taps.rows, site.rowTaps, site.from, width,
                       zeros(sumType), row);
          storeLanes(k, args[0], site.to,
                     requantize(k, sums, rescale, {}, output, order),
                     site.count);
        });
      });
  return success();
}

LogicalResult emit(KernelContext &context, qopt::InterpolateOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  auto single = [](ArrayRef<double> weights) {
    return SmallVector<float>(weights.begin(), weights.end());
  };
  SmallVector<float> rows = single(op.getRowWeights());
  SmallVector<float> columns = single(op.getColumnWeights());
  int64_t lanes = context.isa.lanes();
  Taps taps(op.getRowIndices(), ArrayRef<float>(rows), op.getColumnIndices(),
            ArrayRef<float>(columns), in[0], out[0], lanes);
  context.emitKernel(
      op.getLoc(), "interpolate_f32", taps.key(), taps.args(context),
      [&](KernelBuilder &k, ValueRange args) {
        auto type = k.vec(lanes, k.f32());
        Value zero = k.constantF(type, 0.0f);
        auto weightOf = [&](Value at) {
          return k.loadSplat(args[2], at, k.f32(), lanes);
        };
        runTaps(k, taps, [&](const Site &site) {
          auto row = [&](ValueRange sum, Value at,
                         Value weightAt) -> SmallVector<Value> {
            Value rowSum = foldTaps(
                k, args[2], taps.columns, site.columnTaps, at, 4, {zero},
                [&](ValueRange carried, Value tap,
                    Value w) -> SmallVector<Value> {
                  Value x = loadPart(k, args[1], tap, type, site.count,
                                     in[0].spanBytes());
                  return {fma(k, x, weightOf(w), carried[0])};
                })[0];
            return {fma(k, rowSum, weightOf(weightAt), sum[0])};
          };
          Value sum = foldTaps(k, args[2], taps.rows, site.rowTaps, site.from,
                               4, {zero}, row)[0];
          k.storeTail(args[0], site.to, sum, site.count);
        });
      });
  return success();
}

} // namespace mlir::qopt::codegen
