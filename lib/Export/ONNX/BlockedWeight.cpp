// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The IR has products of integers and multiples; ONNX has them apart.

#include "BlockedWeight.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Numerics/Weights.h"
#include "qopt/Transforms/Constants.h"
#include <numeric>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::exporter;

/// The least multiple in `[1, most]` that divides all `values` into
/// `[-qmax, qmax]`; there is one.
static int32_t findMultiple(ArrayRef<int32_t> values, int32_t qmax,
                            int32_t most) {
  for (int32_t multiple = 1; multiple < most; ++multiple)
    if (llvm::all_of(values, [&](int32_t value) {
          return value % multiple == 0 && std::abs(value) <= qmax * multiple;
        }))
      return multiple;
  return most;
}

BlockedWeight exporter::splitWeight(ConstantOp constant, int64_t bits,
                                    int64_t group) {
  auto type = cast<RankedTensorType>(constant.getType());
  ArrayRef<int64_t> shape = type.getShape();
  BlockedWeight result;
  result.integers = *getQuantizedConstant(constant.getResult());
  auto getScale = [&](int64_t channel) {
    return quantParams(type, isPerAxis(type) ? channel : 0).scale;
  };
  if (group == 0) {
    if (isPerAxis(type))
      result.scaleShape.push_back(shape[0]);
    for (int64_t c = 0, e = isPerAxis(type) ? shape[0] : 1; c < e; ++c)
      result.scales.push_back(getScale(c));
    return result;
  }
  const int32_t qmax = (1 << (bits - 1)) - 1;
  const int64_t inputs = shape[1], blocks = llvm::divideCeil(inputs, group);
  const int64_t taps = std::accumulate(shape.begin() + 2, shape.end(),
                                       int64_t(1), std::multiplies<>());
  result.scaleShape.assign(shape.begin(), shape.end());
  result.scaleShape[1] = blocks;
  result.scales.resize(shape[0] * blocks * taps);
  for (int64_t channel = 0; channel < shape[0]; ++channel)
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t tap = 0; tap < taps; ++tap) {
        auto place = [&](int64_t input) {
          return (channel * inputs + input) * taps + tap;
        };
        SmallVector<int32_t> values;
        const int64_t first = block * group,
                      last = std::min(first + group, inputs);
        for (int64_t input = first; input < last; ++input)
          values.push_back(result.integers[place(input)]);
        const int32_t multiple =
            findMultiple(values, qmax, numerics::maxGroupMultiple(bits));
        for (int64_t input = first; input < last; ++input)
          result.integers[place(input)] /= multiple;
        result.scales[(channel * blocks + block) * taps + tap] =
            static_cast<float>(multiple) * getScale(channel);
      }
  return result;
}
