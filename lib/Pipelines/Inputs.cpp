// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes `--input` apart.

#include "qopt/Pipelines/Inputs.h"

using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

llvm::Expected<InputOption>
mlir::qopt::pipelines::parseInput(llvm::StringRef text) {
  InputOption option;
  if (text.split(',').first.ends_with(":image")) {
    auto parsed = calibration::parseImageOption(text);
    if (!parsed)
      return parsed.takeError();
    std::tie(option.name, option.image) = std::move(*parsed);
  } else {
    auto parsed = calibration::parseInputOption(text);
    if (!parsed)
      return parsed.takeError();
    std::tie(option.name, option.u8) = std::move(*parsed);
  }
  return option;
}
