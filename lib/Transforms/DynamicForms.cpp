// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a grid to 8 bits and back (docs/arithmetic.md, "Dynamic scales").

#include "DynamicForms.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;

ByteValue DynamicForms::getBytes(Value value) {
  if (auto known = bytes.find(value); known != bytes.end())
    return known->second;
  GridValue from = grids.lookup(value);
  Location loc = value.getLoc();
  ByteValue result;
  result.zeroPoint = from.isPositive ? -128 : 0;
  result.scale = qint::GridScaleOp::create(
      builder, loc, getScaleType(), from.values, from.grid,
      builder.getI32IntegerAttr(from.isPositive ? 255 : 127));
  result.integers = qint::GridQuantizeOp::create(
      builder, loc, getType(value, 8), from.values, result.scale,
      builder.getI32IntegerAttr(result.zeroPoint));
  bytes[value] = result;
  return result;
}

GridValue DynamicForms::getGrid(Value value) {
  if (auto known = grids.find(value); known != grids.end())
    return known->second;
  ByteValue from = bytes.lookup(value);
  return createClamped(value, from, FnAttr());
}

DenseI32ArrayAttr DynamicForms::getEnd(double bound) {
  if (std::isinf(bound))
    return builder.getDenseI32ArrayAttr({});
  numerics::Mantissas end = numerics::shareExponent(bound);
  return builder.getDenseI32ArrayAttr({end.values.front(), end.exponent});
}
DenseI32ArrayAttr DynamicForms::getLowerEnd(FnAttr clamp) {
  return getEnd(clamp ? clamp.getClampMin() : -HUGE_VAL);
}
DenseI32ArrayAttr DynamicForms::getUpperEnd(FnAttr clamp) {
  return getEnd(clamp ? clamp.getClampMax() : HUGE_VAL);
}

GridValue DynamicForms::createClamped(Value like, const ByteValue &from,
                                      FnAttr clamp) {
  // An i8 less its zero point is below 2^8.
  GridValue result =
      createScaled(like, from, from.zeroPoint, /*bits=*/8, 1.0, clamp);
  result.isPositive |= from.zeroPoint == -128;
  return result;
}

GridValue DynamicForms::createScaled(Value like, const ByteValue &from,
                                     int32_t zeroPoint, int32_t bits,
                                     double factor, FnAttr clamp) {
  numerics::Mantissas multiplier = numerics::shareExponent(factor);
  GridValue result = createGrid(like.getLoc(), from.scale, multiplier,
                                std::nullopt, bits, clamp);
  result.values = qint::LayerToGridOp::create(
      builder, like.getLoc(), getType(like, 32), from.integers, result.grid,
      builder.getI64IntegerAttr(0),
      builder.getDenseI32ArrayAttr(multiplier.values),
      builder.getDenseI32ArrayAttr({}), builder.getI32IntegerAttr(zeroPoint));
  return result;
}

GridValue DynamicForms::createGrid(Location loc, Value scale,
                                   const numerics::Mantissas &multipliers,
                                   std::optional<int32_t> biasExponent,
                                   int32_t bits, FnAttr clamp) {
  GridValue result;
  result.isPositive = clamp && clamp.getClampMin() >= 0;
  result.grid = qint::LayerGridOp::create(
      builder, loc, getGridType(), scale,
      builder.getI32IntegerAttr(multipliers.exponent),
      biasExponent ? builder.getI32IntegerAttr(*biasExponent) : IntegerAttr(),
      builder.getI32IntegerAttr(bits), getLowerEnd(clamp), getUpperEnd(clamp));
  return result;
}

GridValue DynamicForms::createProduct(Value like, const ByteValue &left,
                                      const ByteValue &right, int32_t bits,
                                      FnAttr clamp) {
  Location loc = like.getLoc();
  GridValue result;
  result.isPositive = clamp && clamp.getClampMin() >= 0;
  result.grid = qint::ProductGridOp::create(
      builder, loc, getGridType(), left.scale, right.scale,
      builder.getI32IntegerAttr(bits), getLowerEnd(clamp), getUpperEnd(clamp));
  result.values = qint::ProductToGridOp::create(
      builder, loc, getType(like, 32), left.integers, right.integers,
      result.grid, builder.getI32IntegerAttr(left.zeroPoint),
      builder.getI32IntegerAttr(right.zeroPoint));
  return result;
}

Value DynamicForms::createScale(Location loc, double scale) {
  numerics::Mantissas mantissa = numerics::shareExponent(scale);
  SmallVector<int32_t> rows;
  for (int64_t sample = 0; sample < samples; ++sample)
    rows.append({mantissa.values.front(), mantissa.exponent, 0, 1});
  return qint::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(getScaleType(), ArrayRef(rows)));
}
