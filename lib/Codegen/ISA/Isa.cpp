// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Figures of the instruction sets, and which patterns each one takes.

#include "qopt/Codegen/ISA/Isa.h"
#include "Lowering.h"
#include "llvm/ADT/StringSwitch.h"

namespace mlir::qopt::codegen {

int64_t Isa::lanes() const {
  switch (kind) {
  case IsaKind::Scalar:
    return 4;
  case IsaKind::AVX2:
  case IsaKind::AVXVNNI:
    return 8;
  case IsaKind::AVX512VNNI:
    return 16;
  }
  return 4;
}

int64_t Isa::registers() const { return kind == IsaKind::AVX512VNNI ? 32 : 16; }

int64_t Isa::dotScratchPerWeight() const {
  return kind == IsaKind::AVX2 || kind == IsaKind::Scalar ? 1 : 0;
}

int64_t Isa::dotScratchPerActivation() const {
  return kind == IsaKind::AVX2 || kind == IsaKind::Scalar ? 1 : 0;
}

llvm::StringRef stringifyIsa(IsaKind kind) {
  switch (kind) {
  case IsaKind::Scalar:
    return "scalar";
  case IsaKind::AVX2:
    return "avx2";
  case IsaKind::AVXVNNI:
    return "avxvnni";
  case IsaKind::AVX512VNNI:
    return "avx512vnni";
  }
  return "";
}

std::optional<IsaKind> parseIsa(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<IsaKind>>(name)
      .Case("scalar", IsaKind::Scalar)
      .Case("avx2", IsaKind::AVX2)
      .Case("avxvnni", IsaKind::AVXVNNI)
      .Case("avx512vnni", IsaKind::AVX512VNNI)
      .Default(std::nullopt);
}

std::string Isa::key() const {
  return stringifyIsa(kind).str() + (hasVbmi ? "+vbmi" : "");
}

void populateIsaPatterns(const Isa &isa, RewritePatternSet &patterns) {
  populateGenericPatterns(patterns);
  if (isa.kind != IsaKind::Scalar)
    populateX86Patterns(isa, patterns);
}

} // namespace mlir::qopt::codegen
