// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between qopt and upstream dialects.
#ifndef QOPT_INTEROP_PASSES_TD
#define QOPT_INTEROP_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertQoptToQuant
    : Pass<"qopt-convert-to-quant", "::mlir::func::FuncOp"> {
  let summary = "Write the boundary of the quantized level in upstream's words";
  let description = [{
    Turns `qopt.quantize` into `quant.qcast` and `qopt.dequantize` into
    `quant.dcast`, so that other compilers read where a model becomes integer.

    ```mlir
    %q = qopt.quantize %x : tensor<4xf32> -> tensor<4x!quant.uniform<i8:f32, 0.5>>
    // becomes
    %q = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5>>
    ```

    Leaves alone: every other op.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
}

def ConvertQuantToQopt
    : Pass<"qopt-convert-from-quant", "::mlir::func::FuncOp"> {
  let summary = "Read upstream's casts as the boundary of the quantized level";
  let description = [{
    Turns `quant.qcast` into `qopt.quantize` and `quant.dcast` into
    `qopt.dequantize`.

    ```mlir
    %q = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5>>
    // becomes
    %q = qopt.quantize %x : tensor<4xf32> -> tensor<4x!quant.uniform<i8:f32, 0.5>>
    ```

    Leaves alone: casts of scalars, of dynamic shapes, per axis, of another
    expressed type than f32, and of types whose parameters qopt refuses
    (unsigned storage, a zero point outside it).
  }];
  let dependentDialects = ["::mlir::qopt::QoptDialect"];
}

#endif // QOPT_INTEROP_PASSES_TD
