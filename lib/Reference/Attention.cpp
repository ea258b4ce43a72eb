// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Averages weighted by softmax, float and integer (docs/arithmetic.md,
// "Attention").

#include "qopt/Numerics/Attention.h"
#include "Loops.h"
#include "Ops.h"
#include "qopt/Numerics/Requantize.h"
#include "qopt/Numerics/ScalarFunctions.h"
#include "qopt/Support/Error.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

llvm::Error reference::evaluateOp(AttendOp, Operands in, Tensor &out) {
  ArrayRef<float> x = in[0]->values<float>(), v = in[1]->values<float>();
  int64_t keys = in[0]->getShape().back();
  std::vector<double> weights(x.size());
  for (size_t row = 0; row < x.size(); row += keys) {
    double largest = -HUGE_VAL, sum = 0;
    for (int64_t k = 0; k < keys; ++k)
      largest = std::max<double>(largest, x[row + k]);
    for (int64_t k = 0; k < keys; ++k)
      sum += weights[row + k] = numerics::expDouble(x[row + k] - largest);
    for (int64_t k = 0; k < keys; ++k)
      weights[row + k] /= sum;
  }
  multiplyMatrices<double>(
      in[0]->getShape(), in[1]->getShape(), out.getShape(),
      [&](int64_t i, int64_t j) { return weights[i] * v[j]; },
      [&](int64_t index, double sum) {
        out.values<float>()[index] = static_cast<float>(sum);
      });
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(qint::AttendOp op, Operands in, Tensor &out) {
  ArrayRef<int8_t> x = in[0]->values<int8_t>(), v = in[1]->values<int8_t>();
  int64_t keys = in[0]->getShape().back();
  qint::RequantAttr requant = op.getRequant();
  ArrayRef<int32_t> table = op.getExpTable();
  std::vector<int64_t> weights(x.size());
  std::vector<int32_t> multipliers(x.size());
  for (size_t row = 0; row < x.size(); row += keys) {
    int32_t largest = *llvm::max_element(x.slice(row, keys));
    int64_t sum = 0;
    for (int64_t k = 0; k < keys; ++k)
      sum += weights[row + k] = table[largest - x[row + k]];
    multipliers[row] =
        numerics::attentionRowMultiplier(requant.getMultiplierFor(0), sum);
  }
  int32_t multiplier = 0;
  multiplyMatrices<int64_t>(
      in[0]->getShape(), in[1]->getShape(), out.getShape(),
      [&](int64_t i, int64_t j) {
        if (i % keys == 0)
          multiplier = multipliers[i];
        return weights[i] * (v[j] - op.getValuesZeroPoint());
      },
      [&](int64_t index, int64_t sum) {
        out.setInteger(index,
                       numerics::requantize(
                           sum, multiplier, requant.getShiftFor(0),
                           requant.getZeroPoint(), requant.getClampMin(),
                           requant.getClampMax(), numerics::Rounding::HalfUp));
      });
  return llvm::Error::success();
}
