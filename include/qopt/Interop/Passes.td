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

def MarkValues : Pass<"qopt-mark-values", "::mlir::ModuleOp"> {
  let summary = "Give each value of a TOSA module an id";
  let description = [{
    Writes `qopt.id` on each argument and on each TOSA op whose value may need a
    range: its NameLoc's name where it has one, else the op's name and a number.
    Statistics are found again by these ids and nothing else, so passes of other
    tools may run between marking, calibrating and quantizing.

    ```mlir
    func.func @main(%x: tensor<1x4x4x3xf32>) -> ... {
      %y = tosa.clamp %x {...} : ...
    // becomes
    func.func @main(%x: tensor<1x4x4x3xf32> {qopt.id = "arg0"}) -> ... {
      %y = tosa.clamp %x {..., qopt.id = "clamp_0"} : ...
    ```

    `qopt.model_hash` of the module then covers ids, types and constants:
    statistics of another model are refused.

    Leaves alone: ids that are there, constants, ops of other dialects.
  }];
  let options = [
    Option<"keep", "keep", "bool", "false",
           "leave a module that has a hash as it is">,
  ];
}

def ConvertTosaToQopt
    : Pass<"qopt-convert-from-tosa", "::mlir::func::FuncOp"> {
  let summary = "Read float TOSA as the float level";
  let description = [{
    Turns `tosa.conv2d`, `depthwise_conv2d`, `matmul`, the pools, elementwise
    ops, reductions and moves on f32 into `qopt` ops. Convolutions and pools get
    channels in front; a `transpose` stands only where the layout changes. A
    `qopt.id` becomes `qopt.value` (of an argument, `qopt.name`).

    ```mlir
    %y = tosa.conv2d %x, %w, %b, %zi, %zw {pad = array<i64: 1, 1, 1, 1>, ...}
      : (tensor<1x8x8x3xf32>, tensor<16x3x3x3xf32>, ...) -> tensor<1x8x8x16xf32>
    // becomes
    %t = qopt.transpose %x [0, 3, 1, 2] : (tensor<1x8x8x3xf32>) -> tensor<1x3x8x8xf32>
    %c = qopt.conv %t, %w, %b {pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>, ...) -> tensor<1x16x8x8xf32>
    %y = qopt.transpose %c [0, 2, 3, 1] : ...
    ```

    Sums over several axes become one op, and with the division by their number
    of terms a mean.

    Refuses, naming all of them: other ops, other types than f32 with static
    shapes, weights and paddings that are not constant. Leaves alone: ops of
    `qopt`.
  }];
  let dependentDialects = ["::mlir::qopt::QoptDialect"];
}

def ConvertQintToTosa
    : Pass<"qopt-convert-to-tosa", "::mlir::func::FuncOp"> {
  let summary = "Write the integer level in TOSA, to the same bytes";
  let description = [{
    Turns `qint` ops into integer TOSA: sums in i32, then `rescale` with
    SINGLE_ROUND, which is the requantization of `docs/arithmetic.md`, then the
    clamp. What TOSA computes with other roundings is written otherwise: an
    average pool as a depthwise convolution with ones, a sum of two scales by
    products in i32. Arguments and results say what their integers mean as
    `quant.scale` and `quant.zero_point`; the function needs no dialect of qopt.

    ```mlir
    func.func @main(%x: tensor<1x4xi8> {qint.scale = 0.5 : f64, qint.zero_point = 3 : i64})
    // becomes
    func.func @main(%x: tensor<1x4xi8> {quant.scale = 0.5 : f64, quant.zero_point = 3 : i64})
    ```

    Refuses, naming all of them: ops that have no exact form (softmax,
    normalizations, tables of 16 bits, sums that leave 32 bits, halves rounded
    to even).
  }];
  let dependentDialects = ["::mlir::tosa::TosaDialect"];
}

#endif // QOPT_INTEROP_PASSES_TD
