// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that find scales when the model runs; docs/arithmetic.md, "Dynamic
// scales".
#ifndef QOPT_IR_QINTDYNAMICOPS_TD
#define QOPT_IR_QINTDYNAMICOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QintBase.td"

/// Integers on a grid, or the bits of float32 values.
def Qint_GridTensor : StaticShapeTensorOf<[I32]>;
def Qint_AnyTensor : StaticShapeTensorOf<[I8, I16, I32]>;
/// One row a sample: (mantissa, exponent, multiplier, shift).
def Qint_ScaleTensor : StaticShapeTensorOf<[I32]>;
/// One row a sample: (mantissa, shift) of two terms, the grid's exponent, the
/// clamp's ends.
def Qint_GridRecord : StaticShapeTensorOf<[I32]>;

class Qint_DynamicOp<string mnemonic, Type type>
    : Qint_Op<mnemonic, [Pure]> {
  let results = (outs type:$result);
  let assemblyFormat =
      "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Qint_RealGridOp : Qint_DynamicOp<"real_grid", Qint_GridRecord> {
  let summary = "The finest grid that holds each sample's float32 values";
  let description = [{
    `bits` are float32 values as the integers of their bits. Samples are the
    indices of axis 0, or all elements where the result has one row.

    Constraints:
    - (C1) the result is `tensor<Rx7xi32>`, `R` 1 or the input's axis 0.

    ```mlir
    %g = qint.real_grid %x : (tensor<1x8xi32>) -> tensor<1x7xi32>
    ```
  }];
  let arguments = (ins Qint_GridTensor:$bits);
}

def Qint_RealToGridOp : Qint_DynamicOp<"real_to_grid", Qint_GridTensor> {
  let summary = "Float32 values as integers on a grid";
  let description = [{
    Constraints:
    - (C1) the grid is `tensor<Rx7xi32>`, `R` 1 or the values' axis 0.
    - (C2) input and result have one type.

    ```mlir
    %v = qint.real_to_grid %x, %g : (tensor<1x8xi32>, tensor<1x7xi32>) -> tensor<1x8xi32>
    ```
  }];
  let arguments = (ins Qint_GridTensor:$bits, Qint_GridRecord:$grid);
}

def Qint_LayerGridOp : Qint_DynamicOp<"layer_grid", Qint_GridRecord> {
  let summary = "The grid of a layer's results, from its input's scale";
  let description = [{
    Multipliers of `qint.layer_to_grid` are in units of `2^multiplier_exponent`,
    biases of `2^bias_exponent`; without one there are none. No accumulator
    reaches `2^accumulator_bits`. `clamp_min` and `clamp_max` are (mantissa,
    exponent), or empty.

    Constraints:
    - (C1) input and result are `tensor<Rx4xi32>` and `tensor<Rx7xi32>`.
    - (C2) `accumulator_bits` lies in `[1, 31]`.
    - (C3) exponents lie in `[-4096, 4096]`.
    - (C4) each end of the clamp is absent or has two entries, the mantissa in
      `[-2^30, 2^30]`.

    ```mlir
    %g = qint.layer_grid %s {multiplier_exponent = -38 : i32, bias_exponent = -31 : i32,
        accumulator_bits = 20 : i32, clamp_min = array<i32: 0, 0>}
      : (tensor<1x4xi32>) -> tensor<1x7xi32>
    ```
  }];
  let arguments = (ins Qint_ScaleTensor:$scale,
      Qint_I32Attr:$multiplier_exponent,
      OptionalAttr<Qint_I32Attr>:$bias_exponent,
      Qint_I32Attr:$accumulator_bits,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$clamp_min,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$clamp_max);
}

def Qint_LayerToGridOp : Qint_DynamicOp<"layer_to_grid", Qint_GridTensor> {
  let summary = "Accumulators with their channels' scales and biases on a grid";
  let description = [{
    Constraints:
    - (C1) the grid is `tensor<Rx7xi32>`, `R` 1 or the values' axis 0.
    - (C2) input and result have one shape.
    - (C3) `multipliers` has one entry or one an index of `axis`, in
      `[1, 2^30]`; `biases` is empty or likewise, in `[-2^30, 2^30]`.
    - (C4) `zero_point` fits the input's type.

    ```mlir
    %v = qint.layer_to_grid %acc, %g {axis = 1 : i64, multipliers = array<i32: 805306368>,
        biases = array<i32: 1073741824>, zero_point = 0 : i32}
      : (tensor<1x8xi32>, tensor<1x7xi32>) -> tensor<1x8xi32>
    ```
  }];
  let arguments = (ins Qint_AnyTensor:$input, Qint_GridRecord:$grid,
      Qint_I64Attr:$axis, DenseI32ArrayAttr:$multipliers,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$biases,
      Qint_I32Attr:$zero_point);
}

def Qint_SumGridOp : Qint_DynamicOp<"sum_grid", Qint_GridRecord> {
  let summary = "The grid of a sum of two tensors, from their scales";
  let description = [{
    Constraints:
    - (C1) inputs are `tensor<Rx4xi32>`, the result is `tensor<Rx7xi32>`.
    - (C2) `clamp_min` and `clamp_max` as in `qint.layer_grid`.

    ```mlir
    %g = qint.sum_grid %s, %t : (tensor<1x4xi32>, tensor<1x4xi32>) -> tensor<1x7xi32>
    ```
  }];
  let arguments = (ins Qint_ScaleTensor:$lhs, Qint_ScaleTensor:$rhs,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$clamp_min,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$clamp_max);
}

def Qint_SumToGridOp : Qint_DynamicOp<"sum_to_grid", Qint_GridTensor> {
  let summary = "The sum of two quantized tensors on a grid";
  let description = [{
    Constraints:
    - (C1) the grid is `tensor<Rx7xi32>`, `R` 1 or the values' axis 0.
    - (C2) inputs are i8; they and the result have one shape.
    - (C3) zero points fit i8.

    ```mlir
    %v = qint.sum_to_grid %a, %b, %g {lhs_zero_point = -128 : i32, rhs_zero_point = 0 : i32}
      : (tensor<1x8xi8>, tensor<1x8xi8>, tensor<1x7xi32>) -> tensor<1x8xi32>
    ```
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs,
      Qint_GridRecord:$grid,
      Qint_I32Attr:$lhs_zero_point, Qint_I32Attr:$rhs_zero_point);
}

def Qint_ProductGridOp : Qint_DynamicOp<"product_grid", Qint_GridRecord> {
  let summary = "The grid of a product of two tensors, from their scales";
  let description = [{
    No product of integers reaches `2^product_bits`.

    Constraints:
    - (C1) inputs are `tensor<Rx4xi32>`, the result is `tensor<Rx7xi32>`.
    - (C2) `product_bits` lies in `[1, 31]`.
    - (C3) `clamp_min` and `clamp_max` as in `qint.layer_grid`.

    ```mlir
    %g = qint.product_grid %s, %t {product_bits = 16 : i32}
      : (tensor<1x4xi32>, tensor<1x4xi32>) -> tensor<1x7xi32>
    ```
  }];
  let arguments = (ins Qint_ScaleTensor:$lhs, Qint_ScaleTensor:$rhs,
      Qint_I32Attr:$product_bits,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$clamp_min,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$clamp_max);
}

def Qint_ProductToGridOp : Qint_DynamicOp<"product_to_grid", Qint_GridTensor> {
  let summary = "The product of two quantized tensors on a grid";
  let description = [{
    Constraints:
    - (C1) the grid is `tensor<Rx7xi32>`, `R` 1 or the result's axis 0.
    - (C2) the result's shape is the broadcast of the inputs' shapes.
    - (C3) zero points fit the inputs' types.

    ```mlir
    %v = qint.product_to_grid %a, %b, %g {lhs_zero_point = -128 : i32, rhs_zero_point = 0 : i32}
      : (tensor<1x8x4xi8>, tensor<1x8x1xi16>, tensor<1x7xi32>) -> tensor<1x8x4xi32>
    ```
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs,
      Qint_GridRecord:$grid,
      Qint_I32Attr:$lhs_zero_point, Qint_I32Attr:$rhs_zero_point);
}

def Qint_GridToFixedOp : Qint_DynamicOp<"grid_to_fixed", Qint_Tensor> {
  let summary = "Integers on a grid to 16 bits of a scale known before the run";
  let description = [{
    Steps of the result are `2^exponent`; larger values saturate.

    Constraints:
    - (C1) the grid is `tensor<Rx7xi32>`, `R` 1 or the values' axis 0.
    - (C2) the result is i16 of the input's shape.
    - (C3) `exponent` lies in `[-4096, 4096]`.

    ```mlir
    %q = qint.grid_to_fixed %v, %g {exponent = -12 : i32}
      : (tensor<1x8xi32>, tensor<1x7xi32>) -> tensor<1x8xi16>
    ```
  }];
  let arguments = (ins Qint_GridTensor:$input, Qint_GridRecord:$grid,
      Qint_I32Attr:$exponent);
}

def Qint_GridScaleOp : Qint_DynamicOp<"grid_scale", Qint_ScaleTensor> {
  let summary = "The scale by which each sample's largest value is a type's";
  let description = [{
    `steps` are those between zero and the largest magnitude: 127, or 255 where
    no value is negative.

    Constraints:
    - (C1) the grid is `tensor<Rx7xi32>`, `R` 1 or the values' axis 0; the result
      is `tensor<Rx4xi32>`.
    - (C2) `steps` is 127 or 255.

    ```mlir
    %s = qint.grid_scale %v, %g {steps = 127 : i32}
      : (tensor<1x8xi32>, tensor<1x7xi32>) -> tensor<1x4xi32>
    ```
  }];
  let arguments = (ins Qint_GridTensor:$input, Qint_GridRecord:$grid,
      Qint_I32Attr:$steps);
}

def Qint_GridQuantizeOp : Qint_DynamicOp<"grid_quantize", Qint_Tensor> {
  let summary = "Integers on a grid to 8 bits by a scale found at run time";
  let description = [{
    Constraints:
    - (C1) the scale is `tensor<Rx4xi32>`, `R` 1 or the values' axis 0.
    - (C2) the result is i8 of the input's shape, which `zero_point` fits.

    ```mlir
    %q = qint.grid_quantize %v, %s {zero_point = 0 : i32}
      : (tensor<1x8xi32>, tensor<1x4xi32>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_GridTensor:$input, Qint_ScaleTensor:$scale,
      Qint_I32Attr:$zero_point);
}

def Qint_GridToRealOp : Qint_DynamicOp<"grid_to_real", Qint_GridTensor> {
  let summary = "Integers on a grid as the bits of the nearest float32";
  let description = [{
    Constraints:
    - (C1) the grid is `tensor<Rx7xi32>`, `R` 1 or the values' axis 0.
    - (C2) input and result have one type.

    ```mlir
    %y = qint.grid_to_real %v, %g : (tensor<1x8xi32>, tensor<1x7xi32>) -> tensor<1x8xi32>
    ```
  }];
  let arguments = (ins Qint_GridTensor:$input, Qint_GridRecord:$grid);
}

#endif // QOPT_IR_QINTDYNAMICOPS_TD
