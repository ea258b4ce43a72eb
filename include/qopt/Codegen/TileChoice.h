// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What code generation decides for each shape of a product by its cost model,
// and `--tune` by measuring. Results depend on none of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mlir::qopt::codegen {

/// How a product is cut into register tiles.
struct TileChoice {
  /// Vectors of output channels in a panel, at the most.
  int64_t vectors = 4;
  /// Rows of a tile, at the most; fewer where registers hold no more.
  int64_t rows = 16;
  /// Dots that the body of the innermost loop has at least.
  int64_t dots = 48;

  bool operator==(const TileChoice &other) const {
    return vectors == other.vectors && rows == other.rows && dots == other.dots;
  }
  bool operator!=(const TileChoice &other) const { return !(*this == other); }
};

/// By shape (`TileUse::shape`).
using TileChoices = std::map<std::string, TileChoice>;

/// A shape of a product in a module.
struct TileUse {
  /// The instruction set, what is multiplied, and how much of it.
  std::string shape;
  /// What the cost model says, and what was used.
  TileChoice modelled, used;
  /// The functions with products of this shape; each once.
  std::vector<std::string> kernels;
};

} // namespace mlir::qopt::codegen
