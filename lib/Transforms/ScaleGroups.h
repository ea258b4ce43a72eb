// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Observed values that get one scale because an op joins them.
#pragma once

#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/QuantParams.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::qopt {

/// Groups of observers with one range each. A group starts as one observer.
class ScaleGroups {
public:
  /// An observer whose scale is a choice. Those whose scale stands are not
  /// added and join no group.
  void add(ObserveOp op, numerics::Range range);

  /// Unites the observers of `op`'s operands and result if the operands'
  /// ranges lie within a factor of four of each other; else leaves them, so
  /// that each operand is requantized to the result's own range.
  void share(QuantizableOpInterface op);

  /// The observers given to `add`, in that order, with their group's range.
  SmallVector<std::pair<ObserveOp, numerics::Range>> getUndecided() const;

private:
  struct Member {
    numerics::Range range;
    Operation *parent;
  };
  Operation *find(Operation *op) const;

  llvm::MapVector<Operation *, Member> members;
};

} // namespace mlir::qopt
