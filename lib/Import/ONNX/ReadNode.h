// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NodeProto to Node.
#pragma once

#include "ReadTensor.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::qopt::importer {

/// The node's name, or its operator and position in the file: `Conv_17`.
std::string nodeName(const onnx::NodeProto &proto, int64_t index);

/// The names that the node's subgraphs read and do not define, in order.
std::vector<std::string> capturedNames(const onnx::NodeProto &proto);

/// Copies a node. Refuses (Q0206) attributes that are named twice, that refer
/// to a function's parameter, or that hold another type than they say.
Expected<Node> readNode(const onnx::NodeProto &proto, int64_t index,
                        TensorSource &source);

/// Calls `visit` with each graph that is an attribute of the node.
void forEachSubgraph(
    const onnx::NodeProto &proto,
    llvm::function_ref<void(const std::string &, const onnx::GraphProto &)>
        visit);

} // namespace mlir::qopt::importer
