// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function a file of this folder: the patterns it adds. A pattern for an
// instruction set has a higher benefit than the generic one it replaces.
#pragma once

#include "mlir/IR/PatternMatch.h"
#include "qopt/Codegen/ISA/Isa.h"

namespace mlir::qopt::codegen {

/// Every vector op in arith and vector ops: right on any target.
void populateGenericPatterns(RewritePatternSet &patterns);

/// AVX2, AVX-VNNI and AVX512-VNNI instructions.
void populateX86Patterns(const Isa &isa, RewritePatternSet &patterns);

} // namespace mlir::qopt::codegen
