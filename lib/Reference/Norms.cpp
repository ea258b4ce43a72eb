// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalizations of rows, float and integer (docs/arithmetic.md, "Layer
// normalization").

#include "Loops.h"
#include "Ops.h"
#include "Requantizer.h"
#include "qopt/Numerics/Normalize.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

/// Factors of all elements; `rest` where there are none.
template <typename T> class Factors {
public:
  Factors(DenseElementsAttr attr, ArrayRef<int64_t> shape, T rest)
      : values(attr ? llvm::to_vector(attr.getValues<T>())
                    : SmallVector<T>{rest}),
        map(shape, attr ? attr.getType().getShape() : ArrayRef<int64_t>()) {}

  T operator[](int64_t index) const { return values[map(index)]; }

private:
  SmallVector<T> values;
  BroadcastMap map;
};

llvm::Error reference::evaluateOp(LayerNormOp op, Operands in, Tensor &out) {
  Factors<float> gamma(op.getGammaAttr(), out.getShape(), 1);
  Factors<float> beta(op.getBetaAttr(), out.getShape(), 0);
  ArrayRef<float> x = in[0]->values<float>();
  double epsilon = op.getEpsilon().convertToDouble();
  FnAttr activation = op.getActivationAttr();
  int64_t count = out.getNumElements();
  BroadcastMap rowOf = reductionMap(out.getShape(), op.getAxes());
  int64_t length = 1;
  for (int64_t axis : op.getAxes())
    length *= out.getShape()[axis];

  int64_t rows = length == 0 ? 0 : count / length;
  std::vector<double> means(rows), powers(rows);
  for (int64_t i = 0; i < count && op.getCenter(); ++i)
    means[rowOf(i)] += static_cast<double>(x[i]) / length;
  for (int64_t i = 0; i < count; ++i) {
    double d = x[i] - means[rowOf(i)];
    powers[rowOf(i)] += (op.getPower() == 2 ? d * d : std::fabs(d)) / length;
  }
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = rowOf(i);
    double divisor =
        op.getPower() == 2 ? std::sqrt(powers[row] + epsilon) : powers[row];
    double normal = divisor == 0 ? 0 : (x[i] - means[row]) / divisor;
    double value = normal * gamma[i] + beta[i];
    if (activation)
      value = std::min(std::max(value, activation.getClampMin()),
                       activation.getClampMax());
    out.values<float>()[i] = static_cast<float>(value);
  }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::LayerNormOp op, Operands in,
                                  Tensor &out) {
  Factors<int32_t> gamma(op.getGammaAttr(), out.getShape(), 0);
  Factors<int32_t> beta(op.getBetaAttr(), out.getShape(), 0);
  int64_t length = op.getRowLength(), count = out.getNumElements();
  BroadcastMap rowOf = reductionMap(out.getShape(), op.getAxes());
  numerics::NormRule rule{length, op.getCenter(),
                          static_cast<int>(op.getPower())};
  auto at = [&](int64_t i) {
    return static_cast<int64_t>(in[0]->getInteger(i)) - op.getInputZeroPoint();
  };

  int64_t rows = length == 0 ? 0 : count / length;
  std::vector<int64_t> sums(rows), powers(rows);
  for (int64_t i = 0; i < count; ++i) {
    sums[rowOf(i)] += op.getCenter() ? at(i) : 0;
    powers[rowOf(i)] += op.getPower() == 2 ? at(i) * at(i) : std::abs(at(i));
  }
  std::vector<numerics::RowInverse> inverses;
  for (auto [sum, power] : llvm::zip(sums, powers))
    inverses.push_back(op.getPower() == 1
                           ? numerics::inverseOfMagnitude(power, rule)
                           : numerics::inverseOfVariance(
                                 length * power - sum * sum, rule,
                                 op.getVarianceShift(), op.getEpsilon()));
  Requantizer requantize(op.getRequant());
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = rowOf(i);
    out.setInteger(
        i, requantize(numerics::normalizeElement(
               length * at(i) - sums[row], inverses[row], gamma[i], beta[i])));
  }
  return requantize.finish(op);
}
