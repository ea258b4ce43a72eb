// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emission of one planned step.
#pragma once

#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Codegen/Plan/Plan.h"

namespace mlir::qopt::codegen {

/// Emits the step's kernel call. A failure has emitted an error at the op.
LogicalResult emitStep(KernelContext &context, Location loc, const Step &step);

} // namespace mlir::qopt::codegen
