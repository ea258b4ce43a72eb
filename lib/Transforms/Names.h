// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The model's names of values, kept through rewrites: observer ids and
// per-tensor reports come from them.
#pragma once

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace mlir::qopt {

/// On an op: the model's name of its result.
inline constexpr llvm::StringLiteral valueNameAttr = "qopt.value";
/// On a function's argument or result: the model's name of it.
inline constexpr llvm::StringLiteral boundaryNameAttr = "qopt.name";
/// Likewise: its integer type outside, where that is not the one inside.
inline constexpr llvm::StringLiteral boundaryTypeAttr = "qopt.type";

/// On an op: `half_even` where its integer form rounds ties to even.
inline constexpr llvm::StringLiteral roundingAttr = "qopt.rounding";

/// The method of an observer whose scale came with the model.
inline constexpr llvm::StringLiteral importedMethod = "imported";
/// The method of an observer of bytes, which stand for themselves.
inline constexpr llvm::StringLiteral bytesMethod = "bytes";

/// The name of `op`'s result; null if it has none.
inline StringAttr getValueName(Operation *op) {
  return op->getAttrOfType<StringAttr>(valueNameAttr);
}

/// `to` computes what `from` did: it takes over `from`'s name, or loses its
/// own where `from` has none.
inline void takeValueName(Operation *from, Operation *to) {
  if (StringAttr name = getValueName(from))
    to->setAttr(valueNameAttr, name);
  else
    to->removeAttr(valueNameAttr);
}

inline void dropValueName(Operation *op) { op->removeAttr(valueNameAttr); }

} // namespace mlir::qopt
