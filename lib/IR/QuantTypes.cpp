// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verification of and access to `!quant.uniform` element types.

#include "qopt/IR/QuantTypes.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using quant::QuantizedType;
using quant::UniformQuantizedPerAxisType;
using quant::UniformQuantizedType;

static QuantizedType quantElement(Type type) {
  return dyn_cast<QuantizedType>(getElementTypeOrSelf(type));
}

bool mlir::qopt::isQuantized(Type type) {
  return isa_and_nonnull<UniformQuantizedType, UniformQuantizedPerAxisType>(
      quantElement(type));
}

bool mlir::qopt::isPerAxis(Type type) {
  return isa<UniformQuantizedPerAxisType>(getElementTypeOrSelf(type));
}

int64_t mlir::qopt::quantAxis(Type type) {
  if (auto perAxis =
          dyn_cast<UniformQuantizedPerAxisType>(getElementTypeOrSelf(type)))
    return perAxis.getQuantizedDimension();
  return -1;
}

/// Scales and zero points, one entry each for a per-tensor type.
static std::pair<SmallVector<double>, SmallVector<int64_t>>
parametersOf(QuantizedType type) {
  if (auto perAxis = dyn_cast<UniformQuantizedPerAxisType>(type))
    return {llvm::to_vector(perAxis.getScales()),
            llvm::to_vector(perAxis.getZeroPoints())};
  auto perTensor = cast<UniformQuantizedType>(type);
  return {{perTensor.getScale()}, {perTensor.getZeroPoint()}};
}

/// Storage and expressed types, and a storage range inside the storage type.
static LogicalResult
verifyStorage(llvm::function_ref<InFlightDiagnostic()> emitError,
              QuantizedType type) {
  unsigned bits = type.getStorageTypeIntegralWidth();
  if (!type.isSigned() || (bits != 8 && bits != 16 && bits != 32))
    return emitError() << "expects signed i8, i16 or i32 storage, but got "
                       << type;
  if (!type.getExpressedType() || !type.getExpressedType().isF32())
    return emitError() << "expects f32 as expressed type, but got " << type;
  int64_t low = -(INT64_C(1) << (bits - 1)), high = -low - 1;
  if (type.getStorageTypeMin() < low || type.getStorageTypeMax() > high ||
      type.getStorageTypeMin() >= type.getStorageTypeMax())
    return emitError() << "expects a storage range inside [" << low << ", "
                       << high << "], but got [" << type.getStorageTypeMin()
                       << ", " << type.getStorageTypeMax() << "]";
  return success();
}

LogicalResult
mlir::qopt::verifyQuantType(llvm::function_ref<InFlightDiagnostic()> emitError,
                            Type type) {
  if (!isQuantized(type))
    return success();
  QuantizedType element = quantElement(type);
  if (failed(verifyStorage(emitError, element)))
    return failure();
  auto [scales, zeroPoints] = parametersOf(element);
  if (auto perAxis = dyn_cast<UniformQuantizedPerAxisType>(element)) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    int64_t axis = perAxis.getQuantizedDimension();
    if (!tensor || axis < 0 || axis >= tensor.getRank())
      return emitError() << "expects the quantized axis inside the rank, but "
                            "got axis "
                         << axis << " of " << type;
    if (static_cast<int64_t>(scales.size()) != tensor.getDimSize(axis) ||
        scales.size() != zeroPoints.size())
      return emitError() << "expects " << tensor.getDimSize(axis)
                         << " scales and zero points along axis " << axis
                         << ", but got " << scales.size() << " and "
                         << zeroPoints.size();
  }
  for (double scale : scales)
    if (!std::isfinite(scale) || scale <= 0)
      return emitError() << "expects a finite scale above zero, but got "
                         << scale;
  for (int64_t zeroPoint : zeroPoints)
    if (zeroPoint < element.getStorageTypeMin() ||
        zeroPoint > element.getStorageTypeMax())
      return emitError() << "expects a zero point in ["
                         << element.getStorageTypeMin() << ", "
                         << element.getStorageTypeMax() << "], but got "
                         << zeroPoint;
  return success();
}

double mlir::qopt::quantScale(Type type, int64_t channel) {
  Type element = getElementTypeOrSelf(type);
  if (auto perAxis = dyn_cast<UniformQuantizedPerAxisType>(element))
    return perAxis.getScales()[channel];
  return cast<UniformQuantizedType>(element).getScale();
}

numerics::QuantParams mlir::qopt::quantParams(Type type, int64_t channel) {
  QuantizedType element = quantElement(type);
  numerics::QuantParams params;
  params.scale = static_cast<float>(quantScale(type, channel));
  if (auto perAxis = dyn_cast<UniformQuantizedPerAxisType>(element))
    params.zeroPoint = static_cast<int32_t>(perAxis.getZeroPoints()[channel]);
  else
    params.zeroPoint = static_cast<int32_t>(
        cast<UniformQuantizedType>(element).getZeroPoint());
  params.qmin = static_cast<int32_t>(element.getStorageTypeMin());
  params.qmax = static_cast<int32_t>(element.getStorageTypeMax());
  return params;
}

RankedTensorType mlir::qopt::storageTensorType(RankedTensorType type) {
  if (QuantizedType element = quantElement(type))
    return RankedTensorType::get(type.getShape(), element.getStorageType());
  return type;
}
