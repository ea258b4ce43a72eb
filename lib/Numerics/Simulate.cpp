// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `quantize` and `dequantize` on whole vectors.

#include "qopt/Numerics/Simulate.h"
#include "Clones.h"
#include <cstring>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

namespace {
constexpr size_t lanes = 16;
typedef float Floats __attribute__((vector_size(lanes * 4)));
} // namespace

/// Whole vectors of `quantize`, kept as floats: every value between is an
/// integer below 2^24.
QOPT_CLONES static void simulateVectors(float *values, size_t size, float scale,
                                        float zeroPoint, float qmin,
                                        float qmax) {
  const float magic = 12582912.0f;
  const float limit = 2097152.0f;
  for (size_t i = 0; i < size; i += lanes) {
    Floats v;
    std::memcpy(&v, values + i, sizeof(v));
    v = v / scale;
    v = v == v ? v : Floats{};
    v = v < -limit ? -limit : (v > limit ? limit : v);
    v = (v + magic) - magic + zeroPoint;
    v = v < qmin ? qmin : (v > qmax ? qmax : v);
    v = scale * (v - zeroPoint);
    std::memcpy(values + i, &v, sizeof(v));
  }
}

void numerics::simulate(llvm::MutableArrayRef<float> values,
                        const QuantParams &params) {
  const size_t whole = values.size() / lanes * lanes;
  simulateVectors(
      values.data(), whole, params.scale, static_cast<float>(params.zeroPoint),
      static_cast<float>(params.qmin), static_cast<float>(params.qmax));
  for (float &value : values.drop_front(whole))
    value = dequantize(quantize(value, params), params);
}
