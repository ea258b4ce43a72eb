// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX files to float qopt IR.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Import/ONNX/Opsets.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mlir::qopt::importer {

struct ImportOptions {
  /// `--shape name=1x3x224x224`: a graph input's name and full shape. The name
  /// may be empty where the model has one input.
  llvm::SmallVector<std::pair<std::string, llvm::SmallVector<int64_t>>> shapes;

  /// Graph inputs that always have one value: a name and a serialized
  /// `TensorProto`. They become initializers and are no input any more.
  std::vector<std::pair<std::string, std::string>> constants;

  /// The same by numbers, `--input name:value=16000`: one for all elements, or
  /// one each.
  std::vector<std::pair<std::string, std::vector<double>>> values;

  /// `--inputs`, `--outputs`: values that become the model's inputs and
  /// outputs, in this order; everything that they do not need is left out.
  /// Empty: the model's own.
  std::vector<std::string> inputs, outputs;

  /// Set by the importer: nodes left out by such a cut, by operator.
  std::map<std::string, int64_t> leftOut;

  /// What the importer decided on its own, one sentence each, for the user.
  std::vector<std::string> notes;
};

/// Reads the ONNX model at `path`; external data may lie in its folder or
/// below, nowhere else.
///
/// The module holds one `func.func @main` of float `qopt` ops with one argument
/// for each graph input and one result for each graph output, in graph order,
/// with static shapes:
///
/// - arguments and results carry `qopt.name`, the ONNX name;
/// - each op has a NameLoc of its ONNX node and `qopt.value`, the unique name
///   of the value that it produces (the ONNX name, or `<name>@<what>` for a
///   value that ONNX does not name);
/// - weights of 64 bytes and more are `dense_resource` blobs;
/// - the module carries `qopt.model_hash`, the SHA-256 of the file's bytes and
///   of the external tensors that it uses, in hexadecimal, and where the model
///   is cut of the cut.
///
/// Errors: Q012x (`--shape`, `--inputs` or `--outputs` do not fit), Q02xx (bad
/// model), Q03xx (all operators and forms that are not supported, joined),
/// Q05xx (files).
llvm::Expected<OwningOpRef<ModuleOp>>
importModel(llvm::StringRef path, MLIRContext &context, ImportOptions &options);

/// The same for a model in memory. External data is looked for in `folder` and
/// refused if that is empty. `name` is what messages call the model.
llvm::Expected<OwningOpRef<ModuleOp>>
importModelBytes(llvm::StringRef bytes, MLIRContext &context,
                 ImportOptions &options, llvm::StringRef folder = "",
                 llvm::StringRef name = "model");

/// Prints the table of supported operators, opsets and forms as Markdown.
void printSupportedOps(llvm::raw_ostream &os);

} // namespace mlir::qopt::importer
