// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop nests that float and integer ops share.
#pragma once

#include "qopt/IR/Shapes.h"
#include "qopt/Reference/Tensor.h"
#include <algorithm>
#include <vector>

namespace mlir::qopt::reference {

/// Maps row-major indices of a result to indices of an operand that is
/// broadcast to it.
class BroadcastMap {
public:
  BroadcastMap(ArrayRef<int64_t> result, ArrayRef<int64_t> operand)
      : shape(result), strides(result.size(), 0), identity(result == operand) {
    SmallVector<int64_t> own = rowMajorStrides(operand);
    size_t missing = result.size() - operand.size();
    for (size_t i = 0; i < operand.size(); ++i)
      if (operand[i] != 1)
        strides[i + missing] = own[i];
  }

  int64_t operator()(int64_t index) const {
    if (identity)
      return index;
    int64_t mapped = 0;
    for (size_t i = shape.size(); i-- > 0;) {
      mapped += index % shape[i] * strides[i];
      index /= shape[i];
    }
    return mapped;
  }

private:
  SmallVector<int64_t> shape, strides;
  bool identity;
};

/// Result shapes of reductions: maps each input index to the index of the
/// result element that it belongs to.
inline BroadcastMap reductionMap(ArrayRef<int64_t> input,
                                 ArrayRef<int64_t> axes) {
  std::optional<SmallVector<int64_t>> kept =
      reduceShape(input, axes, /*keepDims=*/true);
  return BroadcastMap(input, *kept);
}

/// A tensor seen as rows along one axis: element `k` of row `(outer, inner)`
/// is at `outer * length * step + k * step + inner`.
struct AxisView {
  int64_t outer = 1, length = 1, step = 1;

  AxisView(ArrayRef<int64_t> shape, int64_t axis) {
    for (int64_t size : shape.take_front(axis))
      outer *= size;
    length = shape[axis];
    for (int64_t size : shape.drop_front(axis + 1))
      step *= size;
  }
  int64_t index(int64_t o, int64_t k, int64_t i) const {
    return (o * length + k) * step + i;
  }
};

/// Where the extreme of each row along the op's axis stands: calls
/// `emit(row, index)` for rows in the result's order. `isBetter` compares
/// elements by their indices in the input.
template <typename Op, typename IsBetter, typename Emit>
void findExtremes(Op op, ArrayRef<int64_t> input, IsBetter isBetter,
                  Emit emit) {
  AxisView view(input, op.getAxis());
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < view.step; ++i) {
      int64_t best = 0;
      for (int64_t k = 1; k < view.length; ++k) {
        int64_t a = view.index(o, k, i), b = view.index(o, best, i);
        if (isBetter(a, b) || (op.getSelectLast() && !isBetter(b, a)))
          best = k;
      }
      emit(o * view.step + i, best);
    }
}

/// Sizes of a grouped 2-D convolution.
struct ConvGeometry {
  int64_t batch, inChannels, outChannels, groupChannels, groups;
  Window2D window;

  /// From verified shapes and attributes.
  static ConvGeometry get(ArrayRef<int64_t> input, ArrayRef<int64_t> weight,
                          ArrayRef<int64_t> strides, ArrayRef<int64_t> pads,
                          ArrayRef<int64_t> dilations, int64_t groups) {
    return {input[0],
            input[1],
            weight[0],
            weight[1],
            groups,
            *Window2D::get(input.drop_front(2), weight.drop_front(2), strides,
                           pads, dilations)};
  }
  /// Products added in one output element, at most.
  int64_t taps() const {
    return groupChannels * window.axes[0].kernel * window.axes[1].kernel;
  }
};

/// The outputs of `axis` whose tap `tap` lies inside the input: `[first,
/// last)`.
inline std::pair<int64_t, int64_t> insideOutputs(const WindowAxis &axis,
                                                 int64_t tap, int64_t outputs) {
  int64_t offset = axis.inputIndex(0, tap);
  int64_t first = offset >= 0 ? 0 : (-offset + axis.stride - 1) / axis.stride;
  int64_t last =
      offset >= axis.input ? 0 : (axis.input - 1 - offset) / axis.stride + 1;
  last = std::min(last, outputs);
  return {std::min(first, last), last};
}

/// `acc[i] += (row[offset + i stride] - zero) weight` for `i` in `[first,
/// last)`. A unit stride has a loop of its own, which compilers vectorize.
template <typename Acc, typename In>
void accumulateRow(const In *row, int64_t offset, int64_t stride, int64_t first,
                   int64_t last, Acc zero, Acc weight, Acc *acc) {
  if (stride == 1) {
    for (int64_t i = first; i < last; ++i)
      acc[i] += (static_cast<Acc>(row[offset + i]) - zero) * weight;
    return;
  }
  for (int64_t i = first; i < last; ++i)
    acc[i] += (static_cast<Acc>(row[offset + i * stride]) - zero) * weight;
}

/// A convolution's accumulators: for each output row calls
/// `emit(channel, firstIndex, row)` with `row[i] = init(channel) +
/// sum (x - inputZero)(w - weightZero(channel))`; `firstIndex` is the row's
/// first element in the result. Taps are added in the order channel, row,
/// column.
template <typename Acc, typename In, typename Weight, typename Init,
          typename WeightZero, typename Emit>
void convolve(const ConvGeometry &geometry, ArrayRef<In> x, ArrayRef<Weight> w,
              Acc inputZero, WeightZero weightZero, Init init, Emit emit) {
  const WindowAxis &rows = geometry.window.axes[0];
  const WindowAxis &columns = geometry.window.axes[1];
  auto [outRows, outColumns] = *geometry.window.outputSize();
  int64_t perGroup = geometry.outChannels / geometry.groups;
  std::vector<Acc> acc(outColumns);
  int64_t firstIndex = 0;
  for (int64_t n = 0; n < geometry.batch; ++n)
    for (int64_t o = 0; o < geometry.outChannels; ++o)
      for (int64_t r = 0; r < outRows; ++r, firstIndex += outColumns) {
        std::fill(acc.begin(), acc.end(), init(o));
        auto [firstTap, lastTap] = rows.insideTaps(r);
        for (int64_t c = 0; c < geometry.groupChannels; ++c)
          for (int64_t kr = firstTap; kr < lastTap; ++kr)
            for (int64_t kc = 0; kc < columns.kernel; ++kc) {
              int64_t channel = o / perGroup * geometry.groupChannels + c;
              const In *row =
                  x.data() + ((n * geometry.inChannels + channel) * rows.input +
                              rows.inputIndex(r, kr)) *
                                 columns.input;
              Acc weight =
                  static_cast<Acc>(
                      w[((o * geometry.groupChannels + c) * rows.kernel + kr) *
                            columns.kernel +
                        kc]) -
                  weightZero(o);
              auto [first, last] = insideOutputs(columns, kc, outColumns);
              accumulateRow(row, columns.inputIndex(0, kc), columns.stride,
                            first, last, inputZero, weight, acc.data());
            }
        emit(o, firstIndex, ArrayRef<Acc>(acc));
      }
}

/// A matrix product: for each result element, in row-major order, calls
/// `emit(index, sum of product(i, j))`, `i` and `j` being the indices of the
/// operands' elements along `k`, in ascending order.
template <typename Acc, typename Product, typename Emit>
void multiplyMatrices(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs,
                      ArrayRef<int64_t> result, Product product, Emit emit) {
  int64_t inner = lhs.back(), columns = rhs.back();
  // Element 0 along k of each operand, as if broadcast to the result.
  SmallVector<int64_t> left(lhs), right(rhs);
  left.back() = 1;
  right[right.size() - 2] = 1;
  BroadcastMap leftMap(result, left), rightMap(result, right);
  for (int64_t i = 0; i < *countElements(result); ++i) {
    int64_t row = leftMap(i), column = rightMap(i);
    int64_t matrix = column / columns;
    Acc sum = 0;
    for (int64_t k = 0; k < inner; ++k)
      sum += product(row * inner + k,
                     (matrix * inner + k) * columns + column % columns);
    emit(i, sum);
  }
}

/// Pooling windows: for each result element calls `emit(index, begin)` where
/// `begin(visit)` calls `visit(inputIndex)` for every tap inside the input.
template <typename Emit>
void forEachWindow(ArrayRef<int64_t> input, const Window2D &window, Emit emit) {
  const WindowAxis &rows = window.axes[0];
  const WindowAxis &columns = window.axes[1];
  auto [outRows, outColumns] = *window.outputSize();
  int64_t index = 0;
  for (int64_t plane = 0; plane < input[0] * input[1]; ++plane)
    for (int64_t r = 0; r < outRows; ++r)
      for (int64_t c = 0; c < outColumns; ++c, ++index) {
        auto rowTaps = rows.insideTaps(r);
        auto columnTaps = columns.insideTaps(c);
        emit(index, [&](auto visit) {
          for (int64_t i = rowTaps.first; i < rowTaps.second; ++i)
            for (int64_t j = columnTaps.first; j < columnTaps.second; ++j)
              visit((plane * rows.input + rows.inputIndex(r, i)) *
                        columns.input +
                    columns.inputIndex(c, j));
        });
      }
}

} // namespace mlir::qopt::reference
