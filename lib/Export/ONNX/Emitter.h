// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the parts of the exporter share.
#pragma once

#include "Graph.h"
#include "qopt/IR/Qopt.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cmath>
#include <limits>

namespace mlir::qopt::exporter {

/// Gives the name of an operand's real values.
using GetReals = llvm::function_ref<std::string(Value)>;

/// What a result is limited to.
struct Limits {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool any() const { return std::isfinite(low) || std::isfinite(high); }
};

/// Adds the nodes of one op on reals, its fused clamp and `limits` last, in one
/// node; gives the name of its result. Names begin with `hint`. Empty where the
/// op has no ONNX form. The input of a `qopt.gemm` is taken as a matrix.
std::string emitOp(Graph &graph, Operation *op, llvm::StringRef hint,
                   GetReals getReals, const Limits &limits);

/// The same for a chain of scalar functions, which is balanced and not empty.
std::string emitFunctions(Graph &graph, llvm::ArrayRef<FnAttr> functions,
                          std::string input, llvm::StringRef hint);

/// `min(max(input, low), high)`; an infinite end is no end.
std::string emitClip(Graph &graph, std::string input, const Limits &limits,
                     llvm::StringRef hint);

} // namespace mlir::qopt::exporter
