// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized qopt IR to ONNX files.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::qopt::exporter {

/// `quantized` (level `quantized`) as the bytes of an ONNX model in QDQ form,
/// opset 21: float operators between QuantizeLinear and DequantizeLinear with
/// the integers, scales and zero points that the function has. Values of 9 to
/// 15 bits are int16 behind a Clip to their range. Inputs and outputs keep
/// their names; those with `qopt.type` are of that type, others float. The same
/// function gives the same bytes. Fails with Q0335 on an op without an ONNX
/// form and with Q0336 above 2 GB.
llvm::Expected<std::string> exportQdq(func::FuncOp quantized,
                                      llvm::StringRef name,
                                      llvm::StringRef version);

} // namespace mlir::qopt::exporter
