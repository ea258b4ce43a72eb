// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The words of --mode.
#pragma once

#include "qopt/Pipelines/Options.h"

namespace mlir::qopt::pipelines {

inline std::string formatMode(Mode mode) {
  switch (mode) {
  case Mode::Static:
    return "static";
  case Mode::Weights:
    return "weights";
  case Mode::Dynamic:
    return "dynamic";
  }
  return "";
}

} // namespace mlir::qopt::pipelines
