// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A quantized function as an ONNX file and back.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Reference/Tensor.h"
#include "llvm/Support/Error.h"

namespace qopt_test {

/// Exports `quantized` (level `quantized`) in QDQ form, imports the bytes and
/// holds what Reference makes of `inputs` (float) in both against each other:
/// at most one step of an output for each op, and none for all but a few.
llvm::Error
checkRoundTrip(mlir::func::FuncOp quantized,
               llvm::ArrayRef<mlir::qopt::reference::Tensor> inputs);

} // namespace qopt_test
