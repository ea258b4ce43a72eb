// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of static tensors.
#pragma once

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

namespace mlir::qopt::evaluation {

inline int64_t countElements(Type type) {
  return cast<RankedTensorType>(type).getNumElements();
}
inline int64_t countElements(Value value) {
  return countElements(value.getType());
}

} // namespace mlir::qopt::evaluation
