// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scales that are found when the model runs.

#include "qopt/Numerics/Dynamic.h"
#include "DynamicOps.h"
#include "Loops.h"
#include "qopt/Support/Error.h"
#include <cstdlib>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;
using namespace mlir::qopt::numerics;

namespace {

/// A tensor's elements by sample: the rows of a record take equal parts of it.
class Samples {
public:
  Samples(const Tensor &values, const Tensor &record)
      : count(record.getShape()[0]), size(values.getNumElements() / count) {}

  int64_t sampleOf(int64_t element) const { return element / size; }

  /// The largest `magnitude(element)` of each sample.
  template <typename Magnitude>
  std::vector<uint32_t> findLargest(Magnitude magnitude) const {
    std::vector<uint32_t> largest(count, 0);
    for (int64_t i = 0; i < count * size; ++i)
      largest[sampleOf(i)] = std::max(largest[sampleOf(i)], magnitude(i));
    return largest;
  }

private:
  int64_t count, size;
};

} // namespace

static Grid getGrid(const Tensor &record, int64_t sample) {
  ArrayRef<int32_t> row = record.values<int32_t>().slice(
      sample * gridFields, static_cast<size_t>(gridFields));
  return {row[0], row[1], row[2], row[3], row[4], row[5], row[6]};
}

static void setGrid(Tensor &record, int64_t sample, const Grid &grid) {
  llvm::copy(ArrayRef<int32_t>{grid.leftMantissa, grid.leftShift,
                               grid.rightMantissa, grid.rightShift,
                               grid.exponent, grid.lower, grid.upper},
             record.values<int32_t>().begin() + sample * gridFields);
}

static DynamicScale getScale(const Tensor &record, int64_t sample) {
  ArrayRef<int32_t> row = record.values<int32_t>().slice(
      sample * scaleFields, static_cast<size_t>(scaleFields));
  return {row[0], row[1], row[2], row[3]};
}

static std::optional<MantissaPair> getEnd(ArrayRef<int32_t> end) {
  if (end.empty())
    return std::nullopt;
  return MantissaPair{end[0], end[1]};
}

llvm::Error reference::evaluateOp(qint::RealGridOp, Operands in, Tensor &out) {
  ArrayRef<int32_t> bits = in[0]->values<int32_t>();
  Samples samples(*in[0], out);
  std::vector<uint32_t> largest =
      samples.findLargest([&](int64_t i) { return magnitudeBits(bits[i]); });
  for (auto [sample, value] : llvm::enumerate(largest))
    setGrid(out, sample, realGrid(value));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::RealToGridOp, Operands in,
                                  Tensor &out) {
  ArrayRef<int32_t> bits = in[0]->values<int32_t>();
  Samples samples(out, *in[1]);
  for (auto [i, value] : llvm::enumerate(out.values<int32_t>()))
    value = realToGrid(bits[i], getGrid(*in[1], samples.sampleOf(i)));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::LayerGridOp op, Operands in,
                                  Tensor &out) {
  for (int64_t sample = 0; sample < out.getShape()[0]; ++sample)
    setGrid(out, sample,
            layerGrid(getScale(*in[0], sample), op.getMultiplierExponent(),
                      op.getBiasExponent(), op.getAccumulatorBits(),
                      {getEnd(op.getClampMin()), getEnd(op.getClampMax())}));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::LayerToGridOp op, Operands in,
                                  Tensor &out) {
  int64_t step = 1;
  for (int64_t size : out.getShape().drop_front(op.getAxis() + 1))
    step *= size;
  const int64_t channels = out.getShape()[op.getAxis()];
  ArrayRef<int32_t> multipliers = op.getMultipliers(), biases = op.getBiases();
  auto entryOf = [](ArrayRef<int32_t> values, int64_t channel) {
    return values.empty() ? 0 : values[values.size() == 1 ? 0 : channel];
  };
  Samples samples(out, *in[1]);
  for (auto [i, value] : llvm::enumerate(out.values<int32_t>())) {
    const int64_t channel = static_cast<int64_t>(i) / step % channels;
    const int64_t acc =
        static_cast<int64_t>(in[0]->getInteger(i)) - op.getZeroPoint();
    value = layerToGrid(acc, entryOf(multipliers, channel),
                        entryOf(biases, channel),
                        getGrid(*in[1], samples.sampleOf(i)));
  }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::SumGridOp op, Operands in,
                                  Tensor &out) {
  for (int64_t sample = 0; sample < out.getShape()[0]; ++sample)
    setGrid(out, sample,
            sumGrid(getScale(*in[0], sample), getScale(*in[1], sample),
                    {getEnd(op.getClampMin()), getEnd(op.getClampMax())}));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::SumToGridOp op, Operands in,
                                  Tensor &out) {
  Samples samples(out, *in[2]);
  for (auto [i, value] : llvm::enumerate(out.values<int32_t>()))
    value = sumToGrid(in[0]->getInteger(i) - op.getLhsZeroPoint(),
                      in[1]->getInteger(i) - op.getRhsZeroPoint(),
                      getGrid(*in[2], samples.sampleOf(i)));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::ProductGridOp op, Operands in,
                                  Tensor &out) {
  for (int64_t sample = 0; sample < out.getShape()[0]; ++sample)
    setGrid(out, sample,
            productGrid(getScale(*in[0], sample), getScale(*in[1], sample),
                        op.getProductBits(),
                        {getEnd(op.getClampMin()), getEnd(op.getClampMax())}));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::ProductToGridOp op, Operands in,
                                  Tensor &out) {
  Samples samples(out, *in[2]);
  BroadcastMap left(out.getShape(), in[0]->getShape());
  BroadcastMap right(out.getShape(), in[1]->getShape());
  for (auto [i, value] : llvm::enumerate(out.values<int32_t>()))
    value = productToGrid(in[0]->getInteger(left(i)) - op.getLhsZeroPoint(),
                          in[1]->getInteger(right(i)) - op.getRhsZeroPoint(),
                          getGrid(*in[2], samples.sampleOf(i)));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::GridToFixedOp op, Operands in,
                                  Tensor &out) {
  ArrayRef<int32_t> values = in[0]->values<int32_t>();
  Samples samples(out, *in[1]);
  for (auto [i, value] : llvm::enumerate(values))
    out.setInteger(i, gridToFixed(value,
                                  getGrid(*in[1], samples.sampleOf(i)).exponent,
                                  op.getExponent()));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::GridScaleOp op, Operands in,
                                  Tensor &out) {
  ArrayRef<int32_t> values = in[0]->values<int32_t>();
  Samples samples(*in[0], out);
  std::vector<uint32_t> largest = samples.findLargest([&](int64_t i) {
    return static_cast<uint32_t>(std::abs(static_cast<int64_t>(values[i])));
  });
  for (auto [sample, value] : llvm::enumerate(largest)) {
    DynamicScale scale =
        gridScale(value, getGrid(*in[1], sample).exponent, op.getSteps());
    llvm::copy(ArrayRef<int32_t>{scale.mantissa, scale.exponent,
                                 scale.multiplier, scale.shift},
               out.values<int32_t>().begin() + sample * scaleFields);
  }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::GridQuantizeOp op, Operands in,
                                  Tensor &out) {
  ArrayRef<int32_t> values = in[0]->values<int32_t>();
  Samples samples(out, *in[1]);
  for (auto [i, value] : llvm::enumerate(values))
    out.setInteger(i, gridQuantize(value, getScale(*in[1], samples.sampleOf(i)),
                                   op.getZeroPoint()));
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::GridToRealOp, Operands in,
                                  Tensor &out) {
  ArrayRef<int32_t> values = in[0]->values<int32_t>();
  Samples samples(out, *in[1]);
  for (auto [i, value] : llvm::enumerate(out.values<int32_t>()))
    value = static_cast<int32_t>(
        gridToReal(values[i], getGrid(*in[1], samples.sampleOf(i)).exponent));
  return llvm::Error::success();
}
