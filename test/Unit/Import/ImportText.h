// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the importer makes of a model in memory.
#pragma once

#include "OnnxProto.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

/// The imported module as text, or the errors.
inline std::string import(const onnx::ModelProto &model) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::qopt::importer::ImportOptions options;
  auto module = mlir::qopt::importer::importModelBytes(
      model.SerializeAsString(), context, options);
  std::string text;
  llvm::raw_string_ostream os(text);
  if (module)
    (*module)->print(os);
  else
    mlir::qopt::reportError(module.takeError(), os);
  return text;
}
