// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kernel generators need to know of an instruction set. Instructions
// themselves are named only in lib/Codegen/ISA.
#pragma once

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>

namespace mlir {
class RewritePatternSet;
class LLVMTypeConverter;
} // namespace mlir

namespace mlir::qopt::codegen {

/// The instruction sets that kernels are written for, poorest first. `Scalar`
/// uses nothing but generic vector ops, 128 bits wide.
enum class IsaKind { Scalar, AVX2, AVXVNNI, AVX512VNNI };

/// An instruction set, and what follows from it for generators.
struct Isa {
  IsaKind kind = IsaKind::Scalar;
  /// `qint.lookup` is a few instructions (AVX512-VBMI).
  bool hasVbmi = false;

  /// Lanes of i32 and f32 in a vector register.
  int64_t lanes() const;
  /// Bytes in a vector register.
  int64_t bytes() const { return 4 * lanes(); }
  /// Vector registers.
  int64_t registers() const;
  /// A store of the first lanes of a vector is one instruction.
  bool hasMaskedStores() const { return kind == IsaKind::AVX512VNNI; }
  /// A `qint.dot4` is products of words: weights that many rows use are best
  /// stored as words.
  bool dotsWords() const { return kind == IsaKind::AVX2; }
  /// Registers that a `qint.dot4` needs beside its operands when weights and
  /// activations are each used several times.
  int64_t dotScratchPerWeight() const;
  int64_t dotScratchPerActivation() const;
  /// Part of every kernel's key.
  std::string key() const;
};

/// One of several forms of a model's code. `name` is part of its symbols and
/// marks its functions (`variantAttr`).
struct CodeVariant {
  std::string name;
  Isa isa;
};

/// What functions of a variant carry: its name.
inline constexpr llvm::StringLiteral variantAttr = "qopt.variant";

/// `scalar`, `avx2`, `avxvnni`, `avx512vnni`.
llvm::StringRef stringifyIsa(IsaKind kind);
std::optional<IsaKind> parseIsa(llvm::StringRef name);

/// The patterns that turn `qint` vector ops into `isa`'s instructions (LLVM
/// dialect intrinsics) or generic vector ops.
void populateIsaPatterns(const Isa &isa, RewritePatternSet &patterns);

} // namespace mlir::qopt::codegen
