// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The two forms that a value has while `qopt-rewrite-to-dynamic` runs, and how
// one becomes the other.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/QintDynamic.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/Dynamic.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::qopt {

/// An activation on a grid: what a layer, a sum or an input gives.
struct GridValue {
  Value values, grid;
  /// No value is negative, so 8 bits have 255 steps for it.
  bool isPositive = false;
};

/// An activation in 8 bits, with a scale a sample.
struct ByteValue {
  Value integers, scale;
  int32_t zeroPoint = 0;
  /// An input of bytes: the scale is 1, known before the run.
  bool isUnscaled = false;
};

/// The values of one function, and the ops that bring them from one form to the
/// other.
class DynamicForms {
public:
  /// Scales belong to `samples` samples.
  DynamicForms(MLIRContext *context, int64_t samples)
      : builder(context), samples(samples) {}

  RankedTensorType getType(ArrayRef<int64_t> shape, unsigned bits) {
    return RankedTensorType::get(shape, builder.getIntegerType(bits));
  }
  RankedTensorType getType(Value like, unsigned bits) {
    return getType(cast<RankedTensorType>(like.getType()).getShape(), bits);
  }
  RankedTensorType getGridType() {
    return getType({samples, numerics::gridFields}, 32);
  }
  RankedTensorType getScaleType() {
    return getType({samples, numerics::scaleFields}, 32);
  }

  bool isKnown(Value value) const {
    return grids.contains(value) || bytes.contains(value);
  }
  /// `value`, which is known, in 8 bits: quantized once.
  ByteValue getBytes(Value value);
  /// `value`, which is known, on a grid.
  GridValue getGrid(Value value);

  /// The ends of a clamp, if there is one.
  DenseI32ArrayAttr getLowerEnd(FnAttr clamp);
  DenseI32ArrayAttr getUpperEnd(FnAttr clamp);

  /// `f(x)` on a grid; `like` has its shape.
  GridValue createClamped(Value like, const ByteValue &from, FnAttr clamp);
  /// `f((from.integers - zeroPoint) * scale * factor)` on a grid; `like` has
  /// its shape, and the differences are below `2^bits`.
  GridValue createScaled(Value like, const ByteValue &from, int32_t zeroPoint,
                         int32_t bits, double factor, FnAttr clamp);
  /// The grid of a layer without values.
  GridValue createGrid(Location loc, Value scale,
                       const numerics::Mantissas &multipliers,
                       std::optional<int32_t> biasExponent, int32_t bits,
                       FnAttr clamp);
  /// `f(left * right)` on a grid; `like` has its shape, and the products are
  /// below `2^bits`.
  GridValue createProduct(Value like, const ByteValue &left,
                          const ByteValue &right, int32_t bits, FnAttr clamp);
  /// A scale that is known before the run.
  Value createScale(Location loc, double scale);

  OpBuilder builder;
  int64_t samples;
  llvm::DenseMap<Value, GridValue> grids;
  llvm::DenseMap<Value, ByteValue> bytes;

private:
  DenseI32ArrayAttr getEnd(double bound);
};

} // namespace mlir::qopt
