// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `--input` says.
#pragma once

#include "qopt/Calibration/DataSet.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Pipelines/Options.h"

namespace mlir::qopt::pipelines {

/// One `--input`: one of `u8`, `image` and `value` is set.
struct InputOption {
  std::string name;
  std::optional<calibration::Affine> u8;
  std::optional<calibration::ImageRule> image;
  /// What the input always is.
  std::optional<std::vector<double>> value;

  calibration::Affine &getAffine() { return u8 ? *u8 : image->affine; }
};

/// Q0142, Q0502.
llvm::Expected<InputOption> parseInput(llvm::StringRef text);

/// What the command line says of a model's boundary.
llvm::Expected<importer::ImportOptions>
makeImportOptions(const CompileOptions &options);

} // namespace mlir::qopt::pipelines
