// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Model-local functions.
#pragma once

#include "Model.h"
#include "OnnxProto.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::qopt::importer {

/// The opset of the nodes that come from a function with its own import.
using NodeOpsets = llvm::DenseMap<const onnx::NodeProto *, int64_t>;

/// How deep functions may call functions.
inline constexpr size_t kMaxCallDepth = 16;

/// Replaces each call of a function that the model defines, in subgraphs too,
/// by the function's nodes. A value `v` inside the call `f` becomes `f/v`;
/// references to the call's attributes become their values, or the function's
/// defaults. Errors: Q0203 (a function calls itself, or calls go deeper than
/// kMaxCallDepth), Q0206 (a call does not fit), Q0209 (too many nodes).
Expected<NodeOpsets> inlineFunctions(onnx::ModelProto &model);

} // namespace mlir::qopt::importer
