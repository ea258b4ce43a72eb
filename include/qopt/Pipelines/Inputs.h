// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `--input` says.
#pragma once

#include "qopt/Calibration/DataSet.h"

namespace mlir::qopt::pipelines {

/// One `--input`: either `u8` or `image` is set.
struct InputOption {
  std::string name;
  std::optional<calibration::Affine> u8;
  std::optional<calibration::ImageRule> image;

  calibration::Affine &getAffine() { return u8 ? *u8 : image->affine; }
};

/// Q0142, Q0502.
llvm::Expected<InputOption> parseInput(llvm::StringRef text);

} // namespace mlir::qopt::pipelines
