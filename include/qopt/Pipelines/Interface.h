// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compiled model looks like from outside: names as C identifiers,
// boundary tensors, the generated header and the JSON of NAME_info.
#pragma once

#include "qopt/Target/Abi.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>
#include <vector>

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace mlir::qopt::pipelines {

/// A C identifier made from any text: `input.1` becomes `input_1`, `7x` becomes
/// `_7x`, a keyword of C or C++ gets a trailing underscore.
std::string toIdentifier(llvm::StringRef text);

/// The boundary of a `qint` function, from its signature and the `qopt.name`,
/// `qint.scale` and `qint.zero_point` attributes of its arguments and results.
/// Identifiers are unique.
struct Boundary {
  std::vector<target::BoundaryTensor> inputs;
  std::vector<target::BoundaryTensor> outputs;
};
Boundary getBoundary(func::FuncOp function);

/// What a header and NAME_info say beside the boundary. Figures that are known
/// only after code generation are absent at first; NAME_info then holds a
/// placeholder of `figureWidth` characters that is patched in the object.
struct ModelInfo {
  std::string name;
  std::string modelHash;
  std::string triple;
  /// The CPU of variant 0.
  std::string cpu;
  std::string features;
  struct Variant {
    std::string cpu;
    std::string features;
    /// Of the functions that are for this CPU alone.
    uint64_t codeBytes = 0;
  };
  /// All variants, where there are several.
  std::vector<Variant> variants;
  uint64_t macs = 0;
  uint64_t arenaBytes = 0;
  std::optional<uint64_t> stackBytes;
  std::optional<uint64_t> constBytes;
  std::optional<uint64_t> codeBytes;
};

/// Every figure takes this many characters, right-aligned.
inline constexpr unsigned figureWidth = 12;

/// What stands in NAME_info for a figure that is not known: `@stack_bytes`.
std::string figurePlaceholder(llvm::StringRef key);

/// The JSON of NAME_info; schema_version 1.
std::string makeInfo(const ModelInfo &info, const Boundary &boundary);

/// The generated header: C11 and C++17, readable, complete in itself.
std::string makeHeader(const ModelInfo &info, const Boundary &boundary,
                       bool helpers);

} // namespace mlir::qopt::pipelines
