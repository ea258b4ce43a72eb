// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs that are bound to numbers.
#pragma once

#include "OnnxProto.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir::qopt::importer {

/// A tensor of the type and shape that the model declares for `input`: one
/// number for all elements, or one each. Open dimensions have length 1; a
/// single one has the length that the numbers ask for. Q0142.
llvm::Expected<std::unique_ptr<onnx::TensorProto>>
makeBoundTensor(const onnx::ValueInfoProto &input,
                llvm::ArrayRef<double> values);

} // namespace mlir::qopt::importer
