// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bounds that `qopt-rewrite-to-qint` proves, as numbers for the report.

#include "Overflow.h"
#include "qopt/IR/Qopt.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Numerics/Multipliers.h"
#include "qopt/Transforms/Constants.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using numerics::AccumulatorBound;

/// A sum of one value has one bit, its sign.
static int countBits(const AccumulatorBound &bound) {
  auto magnitude = [](int64_t value) {
    return static_cast<uint64_t>(value < 0 ? ~value : value);
  };
  return static_cast<int>(llvm::Log2_64_Ceil(
             std::max(magnitude(bound.min), magnitude(bound.max)) + 1)) +
         1;
}

static bool isPerTensor(Value value) {
  return isQuantized(value.getType()) && !isPerAxis(value.getType());
}

template <typename OpT> static int countLayerBits(OpT op) {
  std::optional<SmallVector<int32_t>> weights =
      getQuantizedConstant(op.getWeight());
  if (!isPerTensor(op.getInput()) || !weights)
    return 0;
  std::optional<SmallVector<int32_t>> biases;
  if (op.getBias())
    biases = getQuantizedConstant(op.getBias());
  const numerics::QuantParams input = quantParams(op.getInput().getType());
  Type type = op.getWeight().getType();
  const size_t channels = cast<RankedTensorType>(type).getDimSize(0);
  const size_t row = weights->size() / channels;
  // Above 1 for weights of more than 16 bits.
  auto getBiasStep = [&](size_t channel) -> int64_t {
    return std::llround(quantScale(op.getBias().getType(), channel) /
                        (quantScale(type, channel) * input.scale));
  };
  int bits = 0;
  for (size_t channel = 0; channel < channels; ++channel)
    bits = std::max(
        bits, countBits(numerics::accumulatorBound(
                  ArrayRef(*weights).slice(channel * row, row),
                  quantParams(type, isPerAxis(type) ? channel : 0).zeroPoint,
                  input.qmin, input.qmax, input.zeroPoint,
                  biases ? (*biases)[channel] * getBiasStep(channel) : 0)));
  return bits;
}

static int countProductBits(MatMulOp op) {
  if (!isPerTensor(op.getLhs()) || !isPerTensor(op.getRhs()))
    return 0;
  auto getLargest = [](Value value) -> int64_t {
    const numerics::QuantParams params = quantParams(value.getType());
    return std::max(params.zeroPoint - params.qmin,
                    params.qmax - params.zeroPoint);
  };
  const int64_t largest =
      cast<RankedTensorType>(op.getLhs().getType()).getShape().back() *
      getLargest(op.getLhs()) * getLargest(op.getRhs());
  return countBits({-largest, largest});
}

std::vector<AccumulatorWidth>
mlir::qopt::pipelines::getAccumulatorWidths(func::FuncOp quantized) {
  std::vector<AccumulatorWidth> widths;
  quantized.walk([&](Operation *op) {
    int bits = 0;
    if (auto conv = dyn_cast<ConvOp>(op))
      bits = countLayerBits(conv);
    else if (auto gemm = dyn_cast<GemmOp>(op))
      bits = countLayerBits(gemm);
    else if (auto product = dyn_cast<MatMulOp>(op))
      bits = countProductBits(product);
    auto name = op->getAttrOfType<StringAttr>("qopt.value");
    if (bits > 0)
      widths.push_back({name ? name.getValue() : StringRef(), bits});
  });
  return widths;
}
