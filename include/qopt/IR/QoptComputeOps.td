// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt ops that compute: convolution, matrix products, elementwise, pooling.
#ifndef QOPT_IR_QOPTCOMPUTEOPS_TD
#define QOPT_IR_QOPTCOMPUTEOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QoptBase.td"
include "qopt/IR/QoptInterfaces.td"

def Qopt_ConvOp : Qopt_Op<"conv", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface,
        ["getWeightOperand", "getBiasOperand"]>,
    DeclareOpInterfaceMethods<Qopt_FusesActivationInterface>]> {
  let summary = "2-D convolution, grouped, with an optional clamp";
  let description = [{
    `y[n,o,h,w] = f(b[o] + sum_{i,kh,kw} x[n, g I + i, h s0 + kh d0 - p0,
    w s1 + kw d1 - p1] * W[o,i,kh,kw])`, padding counts as zero. 1-D
    convolutions are imported with a height of one.

    `pads` are `[top, left, bottom, right]`.

    Constraints:
    - (C1) input and weight have rank 4, result rank 4.
    - (C2) input channels = weight axis 1 times `groups`; output channels are
      divisible by `groups`.
    - (C3) `strides` and `dilations` have two entries >= 1, `pads` four >= 0.
    - (C4) the result shape is what the formula gives.
    - (C5) the bias has one value an output channel.
    - (C6) `activation` is a clamp (relu, clip).

    ```mlir
    %y = qopt.conv %x, %w, %b {activation = #qopt.fn<relu>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<1x16x8x8xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, Qopt_Tensor:$weight,
      Optional<Qopt_Tensor>:$bias,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
      DefaultValuedAttr<Qopt_I64Attr, "1">:$groups,
      OptionalAttr<Qopt_FnAttr>:$activation);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qopt_GemmOp : Qopt_Op<"gemm", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface,
        ["getWeightOperand", "getBiasOperand"]>,
    DeclareOpInterfaceMethods<Qopt_FusesActivationInterface>]> {
  let summary = "Fully connected layer: y = f(x W^T + b)";
  let description = [{
    `y[..., n] = f(b[n] + sum_k x[..., k] * W[n, k])`: every Gemm and every
    MatMul with a constant right side, the weight stored output channel first.

    Constraints:
    - (C1) the inner dimensions match.
    - (C2) the weight has rank 2, the input rank >= 1.
    - (C3) the result has the input's leading dimensions, then `n`.
    - (C4) the bias has `n` values.
    - (C5) `activation` is a clamp (relu, clip).

    ```mlir
    %y = qopt.gemm %x, %w, %b {activation = #qopt.fn<clip, 0.0, 6.0>}
      : (tensor<1x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<1x8xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, Qopt_Tensor:$weight,
      Optional<Qopt_Tensor>:$bias, OptionalAttr<Qopt_FnAttr>:$activation);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

class Qopt_BinaryOp<string mnemonic, string text>
    : Qopt_Op<mnemonic, [Pure,
        DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface>,
        DeclareOpInterfaceMethods<Qopt_FusesActivationInterface>]> {
  let summary = text # " with broadcasting and an optional clamp";
  let arguments = (ins Qopt_Tensor:$lhs, Qopt_Tensor:$rhs,
                       OptionalAttr<Qopt_FnAttr>:$activation);
  let results = (outs Qopt_Tensor:$result);
  let description = [{
    Shapes broadcast as in NumPy.

    Constraints:
    - (C1) the result shape is the broadcast of the operands' shapes.
    - (C2) `activation` is a clamp (relu, clip).

    ```mlir
    %y = qopt.}] # mnemonic # [{ %a, %b : (tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}
def Qopt_AddOp : Qopt_BinaryOp<"add", "Addition">;
def Qopt_SubOp : Qopt_BinaryOp<"sub", "Subtraction">;
def Qopt_MulOp : Qopt_BinaryOp<"mul", "Multiplication">;

def Qopt_DivOp : Qopt_BinaryOp<"div", "Division">;

class Qopt_ExtremeOp<string mnemonic, string text>
    : Qopt_Op<mnemonic, [Pure,
        DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface,
                                  ["getScaleRule"]>]> {
  let summary = "The " # text # " of two tensors, with broadcasting";
  let arguments = (ins Qopt_Tensor:$lhs, Qopt_Tensor:$rhs);
  let results = (outs Qopt_Tensor:$result);
  let description = [{
    Shapes broadcast as in NumPy.

    Constraints:
    - (C1) the result shape is the broadcast of the operands' shapes.
    - (C2) operands and result have one element type.

    ```mlir
    %y = qopt.}] # mnemonic # [{ %a, %b : (tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}
def Qopt_MaxOp : Qopt_ExtremeOp<"max", "larger">;
def Qopt_MinOp : Qopt_ExtremeOp<"min", "smaller">;

def Qopt_MatMulOp : Qopt_Op<"matmul", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface>]> {
  let summary = "Matrix product of two computed tensors";
  let description = [{
    `y[..., m, n] = sum_k a[..., m, k] * b[..., k, n]`; the leading axes
    broadcast as in NumPy. A product with constants is a `qopt.gemm`.

    Constraints:
    - (C1) both operands have rank 2 or more, and `k` is the same.
    - (C2) the result's shape is the broadcast of the leading axes, then `m` and
      `n`.

    ```mlir
    %y = qopt.matmul %a, %b : (tensor<4x2x3xf32>, tensor<4x3x5xf32>) -> tensor<4x2x5xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$lhs, Qopt_Tensor:$rhs);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qopt_AttendOp : Qopt_Op<"attend", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface>]> {
  let summary = "Averages of rows, weighted by softmax";
  let description = [{
    `y[..., m, n] = sum_k softmax(x)[..., m, k] * v[..., k, n]`, the softmax along
    the last axis; the leading axes broadcast as in `qopt.matmul`. One op, so that
    integers divide once, behind the sum.

    Constraints: as `qopt.matmul`.

    ```mlir
    %y = qopt.attend %x, %v : (tensor<4x2x3xf32>, tensor<4x3x5xf32>) -> tensor<4x2x5xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$logits, Qopt_Tensor:$values);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $logits `,` $values attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qopt_UnaryOp : Qopt_Op<"unary", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface>]> {
  let summary = "A chain of scalar functions, applied to every element";
  let description = [{
    Applies `functions` from first to last. A chain becomes one table.

    Constraints:
    - (C1) `functions` is not empty.
    - (C2) input and result have one shape.
    - (C3) no function takes more from the stack than is there, and nothing is
      left on it.

    ```mlir
    %y = qopt.unary %x [#qopt.fn<affine, 2.0, 0.0>, #qopt.fn<sigmoid>]
      : (tensor<1x8xf32>) -> tensor<1x8xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, Qopt_FnArrayAttr:$functions);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input $functions attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The functions for Numerics.
    ::llvm::SmallVector<::mlir::qopt::numerics::ScalarFunction> getChain();
  }];
}

def Qopt_BatchNormOp : Qopt_Op<"batch_norm", [Pure]> {
  let summary = "Inference batch normalization as one scale and shift a channel";
  let description = [{
    `y = x * scale[c] + shift[c]` along axis 1; the importer has folded mean,
    variance and epsilon (in double) into `scale` and `shift`. It does not
    survive simplification: it folds into a neighbouring `conv` or `gemm`, or
    becomes a depthwise `conv`.

    Constraints:
    - (C1) the input has rank >= 2; `scale` and `shift` hold one value for each
      index of axis 1.
    - (C2) input and result have one shape.

    ```mlir
    %y = qopt.batch_norm %x, %scale, %shift
      : (tensor<1x3x4x4xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
  let arguments = (ins Qopt_FloatTensor:$input, Qopt_FloatTensor:$scale,
                       Qopt_FloatTensor:$shift);
  let results = (outs Qopt_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $scale `,` $shift attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qopt_SoftmaxOp : Qopt_Op<"softmax", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface,
        ["getScaleRule", "getFixedRange"]>]> {
  let summary = "Softmax along one axis";
  let description = [{
    `y = exp(x - max x) / sum exp(x - max x)` along `axis`.

    Constraints:
    - (C1) `axis` lies in `[0, rank)`.
    - (C2) input and result have one shape.

    ```mlir
    %y = qopt.softmax %x axis 1 : (tensor<1x10xf32>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, Qopt_I64Attr:$axis);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qopt_LogSoftmaxOp : Qopt_Op<"log_softmax", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface>]> {
  let summary = "The logarithm of softmax along one axis";
  let description = [{
    `y = x - max x - ln sum exp(x - max x)` along `axis`.

    Constraints: as `softmax`.

    ```mlir
    %y = qopt.log_softmax %x axis 1 : (tensor<1x10xf32>) -> tensor<1x10xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, Qopt_I64Attr:$axis);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qopt_LayerNormOp : Qopt_Op<"layer_norm", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface>,
    DeclareOpInterfaceMethods<Qopt_FusesActivationInterface>]> {
  let summary = "Normalization over axes, with an optional clamp";
  let description = [{
    A row is the elements along `axes`. With `m` the row's mean (0 unless
    `center`) and `d = x - m`,

    `y = f(gamma d / sqrt(mean(d^2) + epsilon) + beta)`, or with `power` 1
    `y = f(gamma d / mean(|d|) + beta)`, 0 for a row of zeros.

    `gamma` (1 where absent) and `beta` (0) broadcast to the input: one value an
    element of a row, or one a channel.

    Constraints:
    - (C1) `axes` are distinct, ascending, in `[0, rank)`, at least one; input
      and result have one shape.
    - (C2) `epsilon` is finite and not negative.
    - (C3) `power` is 2; or 1, then nothing is centered and `epsilon` is 0.
    - (C4) `gamma` and `beta` have the input's rank, each of their sizes is the
      input's or 1, and their values are finite.
    - (C5) `activation` is a clamp (relu, clip).

    ```mlir
    %y = qopt.layer_norm %x axes [2] {epsilon = 1.0e-05 : f64,
        gamma = dense<[[[1.0, 0.5]]]> : tensor<1x1x2xf32>}
      : (tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, DenseI64ArrayAttr:$axes, F64Attr:$epsilon,
      DefaultValuedAttr<BoolAttr, "true">:$center,
      DefaultValuedAttr<Qopt_I64Attr, "2">:$power,
      OptionalAttr<FloatElementsAttr<32>>:$gamma, OptionalAttr<FloatElementsAttr<32>>:$beta,
      OptionalAttr<Qopt_FnAttr>:$activation);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input `axes` $axes attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

class Qopt_PoolOp<string mnemonic, list<string> methods>
    : Qopt_Op<mnemonic, [Pure,
        DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface, methods>]> {
  let arguments = (ins Qopt_Tensor:$input, DenseI64ArrayAttr:$kernel,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qopt_MaxPoolOp : Qopt_PoolOp<"max_pool", ["getScaleRule"]> {
  let summary = "2-D maximum pooling";
  let description = [{
    The maximum over the taps of the window that lie inside the input. `pads`
    are `[top, left, bottom, right]`; `ceil_mode` is imported as larger end
    pads.

    Constraints:
    - (C1) input and result have rank 4 and equal batch and channels.
    - (C2) `kernel`, `strides`, `dilations` have two entries >= 1, `pads` four
      >= 0.
    - (C3) the result shape is what the window gives.
    - (C4) every window covers at least one input element.
    - (C5) input and result have one element type.

    ```mlir
    %y = qopt.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
    ```
  }];
}

def Qopt_AvgPoolOp : Qopt_PoolOp<"avg_pool", []> {
  let summary = "2-D average pooling over the taps inside the input";
  let description = [{
    The mean over the taps of the window that lie inside the input: padding is
    never counted. `count_include_pad` is imported as an explicit `qopt.pad`.

    Constraints: as `max_pool` (C1) to (C4).

    ```mlir
    %y = qopt.avg_pool %x {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
    ```
  }];
}

class Qopt_ReduceOp<string mnemonic, string text, list<string> methods>
    : Qopt_Op<mnemonic, [Pure,
        DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface, methods>]> {
  let summary = text # " over axes";
  let description = text # [{ over `axes`; reduced axes stay with length one if
    `keep_dims`.

    Constraints:
    - (C1) `axes` are distinct, ascending, in `[0, rank)`, at least one.
    - (C2) the result shape is what `axes` and `keep_dims` give.
    }] # !if(!empty(methods), "", "- (C3) input and result have one element type.") # [{

    ```mlir
    %y = qopt.}] # mnemonic # [{ %x axes [2, 3] : (tensor<1x8x7x7xf32>) -> tensor<1x8x1x1xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, DenseI64ArrayAttr:$axes,
                       DefaultValuedAttr<BoolAttr, "true">:$keep_dims);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input `axes` $axes attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}
def Qopt_ReduceMeanOp : Qopt_ReduceOp<"reduce_mean", "The mean", []>;
def Qopt_ReduceSumOp : Qopt_ReduceOp<"reduce_sum", "The sum", []>;
def Qopt_ReduceMaxOp
    : Qopt_ReduceOp<"reduce_max", "The maximum", ["getScaleRule"]>;
def Qopt_ReduceMinOp
    : Qopt_ReduceOp<"reduce_min", "The minimum", ["getScaleRule"]>;

def Qopt_ReduceL1Op
    : Qopt_ReduceOp<"reduce_l1", "The sum of magnitudes", []>;
def Qopt_ReduceL2Op
    : Qopt_ReduceOp<"reduce_l2", "The root of the sum of squares", []>;
def Qopt_ReduceSumSquareOp
    : Qopt_ReduceOp<"reduce_sum_square", "The sum of squares", []>;

class Qopt_ArgOp<string mnemonic, string text>
    : Qopt_Op<mnemonic, [Pure,
        DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface,
            ["getScaleRule", "getFixedRange"]>]> {
  let summary = "Where the " # text # " along one axis stands";
  let description = [{
    The index along `axis` of the }] # text # [{, as a real number; of several
    equal ones the first, or the last with `select_last`. Its scale is 1.

    Constraints:
    - (C1) `axis` lies in `[0, rank)` and has at least one index.
    - (C2) the result shape is what `axis` and `keep_dims` give.

    ```mlir
    %y = qopt.}] # mnemonic # [{ %x axis 1 : (tensor<1x10x7xf32>) -> tensor<1x1x7xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, Qopt_I64Attr:$axis,
      DefaultValuedAttr<BoolAttr, "true">:$keep_dims,
      DefaultValuedAttr<BoolAttr, "false">:$select_last);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}
def Qopt_ArgMaxOp : Qopt_ArgOp<"arg_max", "largest element">;
def Qopt_ArgMinOp : Qopt_ArgOp<"arg_min", "smallest element">;

def Qopt_InterpolateOp : Qopt_Op<"interpolate", [Pure,
    DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface>]> {
  let summary = "Resizes rows and columns by known taps";
  let description = [{
    `y[n,c,h,w] = sum_{i,j} R[h,i] C[w,j] x[n,c,r[h,i],k[w,j]]`: every linear or
    cubic Resize, whatever its coordinates. `row_indices` (r) and `row_weights`
    (R) hold the taps of result row 0, then those of row 1, and so on, equally
    many a row; `column_indices` (k) and `column_weights` (C) likewise.

    Constraints:
    - (C1) input and result have rank 4 and equal batch and channels.
    - (C2) indices and weights of an axis are equally many, and a positive
      multiple of the result's size.
    - (C3) every index lies inside the input.

    ```mlir
    %y = qopt.interpolate %x rows [0, 1] [0.5, 0.5] columns [0, 1] [1.0, 1.0]
      : (tensor<1x3x2x2xf32>) -> tensor<1x3x1x2xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input,
      DenseI64ArrayAttr:$row_indices, DenseF64ArrayAttr:$row_weights,
      DenseI64ArrayAttr:$column_indices, DenseF64ArrayAttr:$column_weights);
  let results = (outs Qopt_Tensor:$result);
  let assemblyFormat = [{
    $input `rows` $row_indices $row_weights `columns` $column_indices
    $column_weights attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // QOPT_IR_QOPTCOMPUTEOPS_TD
