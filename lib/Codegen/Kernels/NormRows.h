// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of normalizations: rows, and the terms of a row. Lanes are
// neighbouring terms where these lie side by side, else neighbouring rows.
#pragma once

#include "qopt/Codegen/Kernels/ElementwiseNest.h"

namespace mlir::qopt::codegen {

class NormRows {
public:
  /// Rows are along `axes` of `in` and `out`, which have one shape. `factors`
  /// (f32 or i32, shapes that broadcast; null ones are left out) are put into
  /// the constants and become operands 2, 3, ... in their order. A row body
  /// gets up to `rowLanes` rows, a term body up to `termLanes` terms.
  NormRows(KernelContext &context, const View &in, const View &out,
           ArrayRef<int64_t> axes, ArrayRef<DenseElementsAttr> factors,
           int64_t rowLanes, int64_t termLanes);

  /// Elements of a row.
  int64_t length() const { return terms.numElements(); }
  /// Lanes are terms of one row.
  bool isAlongTerms() const { return alongTerms; }
  llvm::SmallVector<KernelArg> args() const { return nest->args(); }
  /// What is not in the arguments' views.
  std::string key() const;

  /// `body` for all rows, or blocks of rows.
  void run(KernelBuilder &k, ValueRange args,
           llvm::function_ref<void(const Chunk &)> body) const {
    nest->run(k, args, body);
  }

  /// `body` for all terms of `rows`, or blocks of terms; it gets and gives
  /// loop-carried values.
  SmallVector<Value>
  forTerms(KernelBuilder &k, const Chunk &rows, ValueRange init,
           llvm::function_ref<SmallVector<Value>(const Chunk &, ValueRange)>
               body) const;

  /// `lanes` elements of `operand` from lane `first` of a chunk on, in its own
  /// type; those past the chunk's count are unspecified.
  Value load(KernelBuilder &k, const Chunk &chunk, unsigned operand,
             int64_t lanes, int64_t first = 0) const;

private:
  SmallVector<Value>
  level(KernelBuilder &k, unsigned dim, const Chunk &at, ValueRange init,
        llvm::function_ref<SmallVector<Value>(const Chunk &, ValueRange)> body)
      const;
  bool isRepeated(unsigned operand) const {
    return alongTerms ? terms.innerStride(operand) == 0
                      : nest->isRepeated(operand);
  }

  std::vector<NestOperand> operands;
  std::optional<ElementwiseNest> nest;
  LoopSpace terms;
  bool alongTerms = false;
  int64_t termLanes;
};

} // namespace mlir::qopt::codegen
