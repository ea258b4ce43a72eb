// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor ops of the qint dialect; the arithmetic is docs/arithmetic.md.
#ifndef QOPT_IR_QINTOPS_TD
#define QOPT_IR_QINTOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QintBase.td"
include "qopt/IR/QintVectorOps.td"

def Qint_ConstantOp : Qint_Op<"constant", [Pure, ConstantLike]> {
  let summary = "Integer weights, biases and constant activations";
  let description = [{
    Constraints:
    - (C1) value and result have one type.
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
    - (C4) `input_zero_point` fits the input's type, `weight_zero_points` i8.
    - (C5) `requant`'s zero point and clamp fit the result's type.
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_WeightTensor:$weight,
      Optional<Qint_BiasTensor>:$bias,
      I32Attr:$input_zero_point,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$weight_zero_points,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
      DefaultValuedAttr<I64Attr, "1">:$groups,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
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

    Constraints: as `qopt.gemm`, then (C2) to (C5) of `qint.conv`.
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_WeightTensor:$weight,
      Optional<Qint_BiasTensor>:$bias,
      I32Attr:$input_zero_point,
      DefaultValuedAttr<DenseI32ArrayAttr, "{}">:$weight_zero_points,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)
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
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs,
      I32Attr:$lhs_zero_point, I32Attr:$rhs_zero_point,
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
    - (C2) `requant` has one multiplier and one shift.
    - (C3) zero points and clamp fit their types.
  }];
  let arguments = (ins Qint_Tensor:$lhs, Qint_Tensor:$rhs,
      I32Attr:$lhs_zero_point, I32Attr:$rhs_zero_point,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_TableOp : Qint_Op<"table", [Pure]> {
  let summary = "A scalar function of an i8 tensor as a table";
  let description = [{
    `y = table[x + 128]`.

    Constraints:
    - (C1) the table has 256 entries, each within the result's type.
    - (C2) the input is i8; input and result have one shape.
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI16ArrayAttr:$table);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Qint_RequantizeOp : Qint_Op<"requantize", [Pure]> {
  let summary = "The same values at another scale";
  let description = [{
    `acc = x - input_zp`, then `requant`.

    Constraints:
    - (C1) input and result have one shape.
    - (C2) `requant` has one multiplier and one shift.
    - (C3) zero points and clamp fit their types.
  }];
  let arguments = (ins Qint_Tensor:$input, I32Attr:$input_zero_point,
                       Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Qint_SoftmaxOp : Qint_Op<"softmax", [Pure]> {
  let summary = "Softmax along one axis, correctly rounded";
  let description = [{
    With `d = max x - x` along `axis`, `E = exp_table[d]`, `S = sum E`:
    `y = clamp(floor((2 levels E + S) / (2 S)) + zero_point)`. `levels` is the
    inverse of the output scale.

    Constraints:
    - (C1) `axis` lies in `[0, rank)`.
    - (C2) `exp_table` has 256 entries in `[0, 2^23]`, the first is `2^23`.
    - (C3) the input is i8; input and result have one shape.
    - (C4) `levels` lies in `[1, 32768]`; zero point and clamp fit the result.
  }];
  let arguments = (ins Qint_Tensor:$input, I64Attr:$axis,
      DenseI32ArrayAttr:$exp_table, I32Attr:$levels, I32Attr:$zero_point);
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

    Constraints: as `qopt.max_pool`, and (C5) input and result have one type.
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
      `requant` has as many multipliers, and one shift or as many.
    - (C3) zero points and clamp fit their types.
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$kernel,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
      DenseI64ArrayAttr:$tap_counts, I32Attr:$input_zero_point,
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
    - (C2) `requant` has one multiplier and one shift.
    - (C3) zero points and clamp fit their types.
    - (C4) at most 2^22 elements are summed.
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$axes,
      DefaultValuedAttr<BoolAttr, "true">:$keep_dims,
      I32Attr:$input_zero_point, Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `axes` $axes attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

class Qint_MoveOp<string mnemonic> : Qint_Op<mnemonic, [Pure]> {
  let results = (outs Qint_Tensor:$result);
  let hasVerifier = 1;
}

def Qint_ReshapeOp : Qint_MoveOp<"reshape"> {
  let summary = "The same elements in row-major order under another shape";
  let description = "Constraints: as `qopt.reshape`; one element type.";
  let arguments = (ins Qint_Tensor:$input);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Qint_TransposeOp : Qint_MoveOp<"transpose"> {
  let summary = "Permutes the axes";
  let description = "Constraints: as `qopt.transpose`; one element type.";
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let assemblyFormat = [{
    $input $permutation attr-dict `:` functional-type(operands, results)
  }];
}

def Qint_ConcatOp : Qint_MoveOp<"concat"> {
  let summary = "Joins tensors of one scale along an axis";
  let description = "Constraints: as `qopt.concat`; one element type.";
  let arguments = (ins Variadic<Qint_Tensor>:$inputs, I64Attr:$axis);
  let assemblyFormat = [{
    $inputs `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
}

def Qint_PadOp : Qint_MoveOp<"pad"> {
  let summary = "Pads with an integer";
  let description = [{
    Constraints: as `qopt.pad`; one element type, and (C3) `value` fits it.
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$pads,
                       I32Attr:$value);
  let assemblyFormat = [{
    $input $pads attr-dict `:` functional-type(operands, results)
  }];
}

#endif // QOPT_IR_QINTOPS_TD
