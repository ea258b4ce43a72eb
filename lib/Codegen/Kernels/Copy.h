// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies between two strided windows, which all moves come down to.
#pragma once

#include "qopt/Codegen/Kernels/ElementwiseNest.h"

namespace mlir::qopt::codegen {

/// `view` walked with `strides`.
NestOperand walkView(const View &view, ArrayRef<int64_t> strides,
                     bool isWritten);

/// Copies `sizes` elements from one strided walk to another.
void copySpace(KernelContext &context, Location loc, ArrayRef<int64_t> sizes,
               const NestOperand &to, const NestOperand &from);

/// Loops over elements, operand 0 written from operand 1.
struct CopyNest {
  CopyNest(const Isa &isa, ArrayRef<int64_t> sizes, const NestOperand &to,
           const NestOperand &from);

  /// Copies a chunk of `nest`.
  void copy(KernelBuilder &k, const Chunk &part) const;

  ElementwiseNest nest;
  /// The bytes of i8 values change their bias.
  /// The sign bit where memory holds other integers on both sides, else 0.
  int32_t flip;
};

/// Operand 0 is written, operand 1 read; the layouts differ so that no
/// dimension is contiguous in both.
class TransposingCopy {
public:
  TransposingCopy(ArrayRef<int64_t> sizes, const NestOperand &to,
                  const NestOperand &from);

  /// Whether a dimension of `from` is contiguous, so that blocks can be
  /// transposed; otherwise an elementwise walk is as good.
  bool applies() const { return fromInner >= 0; }
  void run(KernelBuilder &k, ValueRange args) const;

private:
  struct Site {
    Value to, from;
  };
  void outerLoops(KernelBuilder &k, ValueRange args, unsigned dim,
                  Site site) const;
  void plane(KernelBuilder &k, ValueRange args, Site site) const;
  void tile(KernelBuilder &k, ValueRange args, Site site, int64_t across,
            int64_t along) const;
  void interleaveRow(KernelBuilder &k, ValueRange args, Site site) const;
  void deinterleaveRow(KernelBuilder &k, ValueRange args, Site site) const;
  Value biased(KernelBuilder &k, Value vector) const;
  int64_t used(unsigned operand) const;

  LoopSpace space;
  NestOperand to, from;
  int64_t width;
  /// The dimension along which `from` is contiguous, second innermost in
  /// `space`; `to` is contiguous along the innermost one.
  int fromInner = -1;
};

} // namespace mlir::qopt::codegen
