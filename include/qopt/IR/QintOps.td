// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor ops of the qint dialect; the arithmetic is docs/arithmetic.md.
#ifndef QOPT_IR_QINTOPS_TD
#define QOPT_IR_QINTOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QintBase.td"
include "qopt/IR/QintMoveOps.td"
include "qopt/IR/QintRowOps.td"
include "qopt/IR/QintVectorOps.td"

def Qint_ConstantOp : Qint_Op<"constant", [Pure, ConstantLike]> {
  let summary = "Integer weights, biases and constant activations";
  let description = [{
    Constraints:
    - (C1) value and result have one type.
    - (C2) a resource that is present has as many bytes as the type.

    ```mlir
    %w = qint.constant dense_resource<w> : tensor<8x4xi8>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Qint_ConstantTensor:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasFolder = 1;
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
    build($_builder, $_state, value.getShapedType(), value);
  }]>];
}

def Qint_ConvOp : Qint_Op<"conv", [Pure]> {
  let summary = "Integer 2-D convolution";
  let description = [{
    `acc = bias[o] + sum (x - input_zp)(w - weight_zp[o])` exact in int32,
    padding is the input's zero point, then `requant` of channel `o`. Shapes
    and attributes as `qopt.conv`. `weight_zero_points` is empty (all zero), or
    has one entry, or one an output channel.

    Constraints:
    - (C1) shapes, strides, pads, dilations and groups as `qopt.conv`.
    - (C2) `requant` has one multiplier, or one an output channel.
    - (C3) the bias, if present, is i32 with one value an output channel.
    - (C4) `input_zero_point` fits the input's type, `weight_zero_points` the
      weight's; 16-bit weights have none.
    - (C5) `requant`'s zero point and clamp fit the result's type, its multipliers are positive.
    - (C6) with an i32 result, the accumulators, `requant` is the identity (`getIdentityRequant`).

    ```mlir
    %y = qint.conv %x, %w, %b {input_zero_point = -3 : i32, pads = array<i64: 1, 1, 1, 1>,
        requant = #qint.requant<[1234567], [38], zp 5, clamp -128 to 127>}
      : (tensor<1x3x8x8xi8>, tensor<16x3x3x3xi8>, tensor<16xi32>) -> tensor<1x16x8x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_WeightTensor:$weight,
      Optional<Qint_BiasTensor>:$bias,
      Qint_I32Attr:$input_zero_point,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$weight_zero_points,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
      DefaultValuedAttr<Qint_I64Attr, "1">:$groups,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_LayerTensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_GemmOp : Qint_Op<"gemm", [Pure]> {
  let summary = "Integer fully connected layer";
  let description = [{
    `acc = bias[n] + sum_k (x[..., k] - input_zp)(w[n, k] - weight_zp[n])`
    exact in int32, then `requant` of channel `n`.

    Constraints: as `qopt.gemm`, then (C2) to (C6) of `qint.conv`.

    ```mlir
    %y = qint.gemm %x, %w, %b {input_zero_point = 0 : i32,
        requant = #qint.requant<[1234567], [38], zp 0, clamp 0 to 127>}
      : (tensor<1x4xi8>, tensor<8x4xi8>, tensor<8xi32>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_WeightTensor:$weight,
      Optional<Qint_BiasTensor>:$bias,
      Qint_I32Attr:$input_zero_point,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$weight_zero_points,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_LayerTensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_SumPartsOp : Qint_Op<"sum_parts", [Pure]> {
  let summary = "The accumulators of one layer in two parts, with one rounding";
  let description = [{
    `acc = 2^low_bits high + low` exact in int64, then `requant` of the index of
    `axis`.

    Constraints:
    - (C1) operands and result have one shape.
    - (C2) `axis` lies in `[0, rank)`.
    - (C3) `low_bits` lies in `[1, 16]`.
    - (C4) `requant` has one multiplier, or one an index of `axis`; they are
      positive.
    - (C5) `requant`'s zero point and clamp fit the result's type.

    ```mlir
    %y = qint.sum_parts %high, %low {axis = 1 : i64, low_bits = 8 : i32,
        requant = #qint.requant<[1234567], [46], zp 0, clamp -128 to 127>}
      : (tensor<1x8xi32>, tensor<1x8xi32>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_BiasTensor:$high, Qint_BiasTensor:$low,
      Qint_I64Attr:$axis, Qint_I32Attr:$low_bits, Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $high `,` $low attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_AddOp : Qint_Op<"add", [Pure]> {
  let summary = "Sum of two differently scaled tensors with one rounding";
  let description = [{
    `clamp(round(((a - za) Ma + (b - zb) Mb) / 2^S) + z)`; `requant` holds
    `[Ma, Mb]` and the common shift `S`. A subtraction has a negative `Mb`.

    Constraints:
    - (C1) the result shape is the broadcast of the operands' shapes.
    - (C2) `requant` has two multipliers and one shift.
    - (C3) zero points and clamp fit their types.

    ```mlir
    %y = qint.add %a, %b {lhs_zero_point = 1 : i32, rhs_zero_point = -7 : i32,
        requant = #qint.requant<[1048576, -2097152], [20], zp 0, clamp -128 to 127>}
      : (tensor<1x8xi8>, tensor<1x8xi8>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs,
      Qint_I32Attr:$lhs_zero_point, Qint_I32Attr:$rhs_zero_point,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_MulOp : Qint_Op<"mul", [Pure]> {
  let summary = "Product with one rounding";
  let description = [{
    `acc = (a - za)(b - zb)`, then `requant`.

    Constraints:
    - (C1) the result shape is the broadcast of the operands' shapes.
    - (C2) `requant` has one positive multiplier and one shift.
    - (C3) zero points and clamp fit their types.

    ```mlir
    %y = qint.mul %a, %b {lhs_zero_point = 1 : i32, rhs_zero_point = -7 : i32,
        requant = #qint.requant<[1048576], [28], zp 0, clamp -128 to 127>}
      : (tensor<1x8xi8>, tensor<1x8xi8>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs,
      Qint_I32Attr:$lhs_zero_point, Qint_I32Attr:$rhs_zero_point,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_DivOp : Qint_Op<"div", [Pure]> {
  let summary = "Quotient with one rounding";
  let description = [{
    `clamp(round((a - za) M / ((b - zb) 2^S)) + z)`; a zero divisor gives the
    clamp's end on the dividend's side, and `z` for a zero dividend.

    Constraints:
    - (C1) the result shape is the broadcast of the operands' shapes.
    - (C2) `requant` has one positive multiplier and one shift of at most 44,
      and rounds half up.
    - (C3) zero points and clamp fit their types.

    ```mlir
    %y = qint.div %a, %b {lhs_zero_point = 1 : i32, rhs_zero_point = -7 : i32,
        requant = #qint.requant<[1048576], [18], zp 0, clamp -128 to 127>}
      : (tensor<1x8xi8>, tensor<1x8xi8>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs,
      Qint_I32Attr:$lhs_zero_point, Qint_I32Attr:$rhs_zero_point,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

class Qint_ExtremeOp<string mnemonic, string text>
    : Qint_Op<mnemonic, [Pure]> {
  let summary = "The " # text # " of two tensors of one scale";
  let description = [{
    Exact; shapes broadcast.

    Constraints:
    - (C1) the result shape is the broadcast of the operands' shapes.
    - (C2) operands and result have one element type.

    ```mlir
    %y = qint.}] # mnemonic # [{ %a, %b : (tensor<1x8xi8>, tensor<1x8xi8>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}
def Qint_MaxOp : Qint_ExtremeOp<"max", "larger">;
def Qint_MinOp : Qint_ExtremeOp<"min", "smaller">;

def Qint_MatMulOp : Qint_Op<"matmul", [Pure]> {
  let summary = "Integer matrix product of two computed tensors";
  let description = [{
    `acc = sum_k (a[..., m, k] - za)(b[..., k, n] - zb)` exact in int32, then
    `requant`.

    Constraints:
    - (C1) shapes as `qopt.matmul`.
    - (C2) `requant` has one positive multiplier and one shift.
    - (C3) zero points and clamp fit their types.
    - (C4) no sum of `k` products leaves int32.

    ```mlir
    %y = qint.matmul %a, %b {lhs_zero_point = 1 : i32, rhs_zero_point = -7 : i32,
        requant = #qint.requant<[1048576], [28], zp 0, clamp -128 to 127>}
      : (tensor<4x2x3xi8>, tensor<4x3x5xi8>) -> tensor<4x2x5xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs,
      Qint_I32Attr:$lhs_zero_point, Qint_I32Attr:$rhs_zero_point,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_TableOp : Qint_Op<"table", [Pure]> {
  let summary = "A scalar function of a tensor as a table";
  let description = [{
    `y = table[x - qmin]`, `qmin` the least value of `x`'s type.

    Constraints:
    - (C1) the table has 256 entries for an i8 input, 65536 for i16, each within
      the result's type.
    - (C2) input and result have one shape.

    ```mlir
    %y = qint.table %x {table = array<i16: ...>} : (tensor<1x8xi8>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI16ArrayAttr:$table);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Qint_PiecewiseOp : Qint_Op<"piecewise", [Pure]> {
  let summary = "A scalar function of an i16 tensor by quadratic pieces";
  let description = [{
    The domain is cut into as many equal segments as `base` has entries. With
    `d` the position of `x` in its segment, -1 to 1 in units of `2^-15`, and
    `r(v) = floor((v + 2^14) / 2^15)`:
    `y = clamp(floor((base + r((slope + r(curve d)) d)) / 2^fraction_bits),
    clamp_min, clamp_max)`.

    Constraints:
    - (C1) `base`, `slope` and `curve` have 32, 64 or 128 entries, all the same.
    - (C2) `fraction_bits` lies in `[0, 7]`.
    - (C3) `|slope| + |curve|` is at most 32000, and `base / 2^fraction_bits`
      lies within 16 bits.
    - (C4) the clamp is not empty and fits the result.
    - (C5) the input is i16; input and result have one shape.

    ```mlir
    %y = qint.piecewise %x {base = array<i32: ...>, slope = array<i16: ...>,
        curve = array<i16: ...>, fraction_bits = 7 : i32, clamp_min = -128 : i32,
        clamp_max = 127 : i32} : (tensor<1x8xi16>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI32ArrayAttr:$base,
      DenseI16ArrayAttr:$slope, DenseI16ArrayAttr:$curve,
      Qint_I32Attr:$fraction_bits, Qint_I32Attr:$clamp_min,
      Qint_I32Attr:$clamp_max);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getSegments() { return getBase().size(); }
  }];
}

def Qint_RequantizeOp : Qint_Op<"requantize", [Pure]> {
  let summary = "The same values at another scale";
  let description = [{
    `acc = x - input_zp`, then `requant`.

    Constraints:
    - (C1) input and result have one shape.
    - (C2) `requant` has one positive multiplier and one shift.
    - (C3) zero points and clamp fit their types.

    ```mlir
    %y = qint.requantize %x {input_zero_point = 0 : i32,
        requant = #qint.requant<[1048576], [20], zp 4, clamp -128 to 127>}
      : (tensor<1x8xi16>) -> tensor<1x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_I32Attr:$input_zero_point,
                       Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Qint_SoftmaxOp : Qint_Op<"softmax", [Pure]> {
  let summary = "Softmax along one axis, correctly rounded";
  let description = [{
    With `d = max x - x` along `axis`, `E = exp_table[d]`, `S = 2^p sum E`:
    `y = clamp(floor((2 levels E + S) / (2 S)) + zero_point)`, the clamp being
    the result type's range. `levels / 2^p`, `p` the `level_shift`, is the inverse
    of the output scale. An i16
    input has a table `C` of multiples of 256, then a table `F` of what is left:
    `E = floor((C[d / 256] F[d mod 256] + 2^36) / 2^37)`.

    Constraints:
    - (C1) `axis` lies in `[0, rank)`.
    - (C2) each table of `exp_table` has 256 entries in `[0, 2^23]`, or `[0, 2^30]`
      where there are two; its first is the largest.
    - (C3) an i8 input has one table, an i16 input two; input and result have one
      shape.
    - (C4) `levels` is positive, `level_shift` lies in `[0, 15]`,
      `levels / 2^level_shift` is at most `2^30`; the zero point fits the result.
    - (C5) rows have at most 2^24 elements.

    ```mlir
    %y = qint.softmax %x axis 1 {exp_table = array<i32: 8388608, ...>,
        levels = 256 : i32, zero_point = -128 : i32} : (tensor<1x10xi8>) -> tensor<1x10xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_I64Attr:$axis,
      DenseI32ArrayAttr:$exp_table, Qint_I32Attr:$levels,
      DefaultValuedAttr<Qint_I32Attr, "0">:$level_shift, Qint_I32Attr:$zero_point);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_MaxPoolOp : Qint_Op<"max_pool", [Pure]> {
  let summary = "2-D maximum pooling";
  let description = [{
    As `qopt.max_pool`; exact.

    Constraints: as `qopt.max_pool`.

    ```mlir
    %y = qint.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x3x8x8xi8>) -> tensor<1x3x4x4xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$kernel,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Qint_AvgPoolOp : Qint_Op<"avg_pool", [Pure]> {
  let summary = "2-D average pooling over the taps inside the input";
  let description = [{
    `acc = sum (x - input_zp)` over the `n` taps of the window that lie inside
    the input, then the multiplier and shift of `n`: `requant` has one
    multiplier and one shift for each tap count in `tap_counts`, in its order.

    Constraints:
    - (C1) shapes as `qopt.avg_pool`.
    - (C2) `tap_counts` is ascending and holds every count that occurs;
      `requant` has as many positive multipliers, and one shift or as many.
    - (C3) zero points and clamp fit their types.

    ```mlir
    %y = qint.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>,
        tap_counts = array<i64: 4>, input_zero_point = 3 : i32,
        requant = #qint.requant<[536870912], [31], zp 3, clamp -128 to 127>}
      : (tensor<1x3x8x8xi8>) -> tensor<1x3x4x4xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$kernel,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
      DenseI64ArrayAttr:$tap_counts, Qint_I32Attr:$input_zero_point,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Qint_ReduceMeanOp : Qint_Op<"reduce_mean", [Pure]> {
  let summary = "Mean over axes with one rounding";
  let description = [{
    `acc = sum (x - input_zp)` over `axes`, then `requant`, whose multiplier
    holds the division by the number of elements.

    Constraints:
    - (C1) axes and shapes as `qopt.reduce_mean`.
    - (C2) `requant` has one positive multiplier and one shift.
    - (C3) zero points and clamp fit their types.
    - (C4) at least one and at most 2^22 elements are summed.

    ```mlir
    %y = qint.reduce_mean %x axes [2, 3] {input_zero_point = 3 : i32,
        requant = #qint.requant<[21913098], [30], zp 3, clamp -128 to 127>}
      : (tensor<1x8x7x7xi8>) -> tensor<1x8x1x1xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$axes,
      DefaultValuedAttr<BoolAttr, "true">:$keep_dims,
      Qint_I32Attr:$input_zero_point, Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `axes` $axes attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

class Qint_ReduceExtremeOp<string mnemonic, string text>
    : Qint_Op<mnemonic, [Pure]> {
  let summary = "The " # text # " over axes";
  let description = [{
    Exact.

    Constraints: as `qopt.reduce_max`.

    ```mlir
    %y = qint.}] # mnemonic # [{ %x axes [2, 3] : (tensor<1x8x7x7xi8>) -> tensor<1x8x1x1xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$axes,
      DefaultValuedAttr<BoolAttr, "true">:$keep_dims);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `axes` $axes attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}
def Qint_ReduceMaxOp : Qint_ReduceExtremeOp<"reduce_max", "maximum">;
def Qint_ReduceMinOp : Qint_ReduceExtremeOp<"reduce_min", "minimum">;

def Qint_InterpolateOp : Qint_Op<"interpolate", [Pure]> {
  let summary = "Resizes rows and columns by integer taps";
  let description = [{
    `acc = sum_{i,j} R[h,i] C[w,j] (x[n,c,r[h,i],k[w,j]] - input_zp)` exact in
    int64, then `requant`. Taps as in `qopt.interpolate`.

    Constraints:
    - (C1) shapes and taps as `qopt.interpolate`.
    - (C2) weights lie in `[-2^15, 2^15]`.
    - (C3) `requant` has one positive multiplier and one shift.
    - (C4) zero points and clamp fit their types.

    ```mlir
    %y = qint.interpolate %x rows [0, 1] [8192, 8192] columns [0, 1] [16384, 16384]
      {input_zero_point = 3 : i32,
       requant = #qint.requant<[1048576], [48], zp 3, clamp -128 to 127>}
      : (tensor<1x3x2x2xi8>) -> tensor<1x3x1x2xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input,
      DenseI64ArrayAttr:$row_indices, DenseI32ArrayAttr:$row_weights,
      DenseI64ArrayAttr:$column_indices, DenseI32ArrayAttr:$column_weights,
      Qint_I32Attr:$input_zero_point, Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `rows` $row_indices $row_weights `columns` $column_indices
    $column_weights attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // QOPT_IR_QINTOPS_TD
