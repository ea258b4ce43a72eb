// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt ops that hold or move values: constants, reshapes, concat, pad.
#ifndef QOPT_IR_QOPTSHAPEOPS_TD
#define QOPT_IR_QOPTSHAPEOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QoptBase.td"
include "qopt/IR/QoptInterfaces.td"

def Qopt_ConstantOp : Qopt_Op<"constant", [Pure, ConstantLike]> {
  let summary = "Weights and other constants";
  let description = [{
    Holds `value`, a `dense_resource` blob for anything large. A quantized
    constant holds its integers and has a quantized result type.

    Constraints:
    - (C1) value and result have one shape.
    - (C2) the value's element type is the result's, or its storage type if the
      result is quantized.
    - (C3) a resource that is present has as many bytes as the type.

    ```mlir
    %w = qopt.constant dense_resource<w> : tensor<8x4xf32>
    %q = qopt.constant dense_resource<q> : tensor<8x4xi8>
      as tensor<8x4x!quant.uniform<i8<-127:127>:f32:0, {...}>>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Qopt_ConstantTensor:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasFolder = 1;
}

class Qopt_MoveOp<string mnemonic>
    : Qopt_Op<mnemonic, [Pure,
        DeclareOpInterfaceMethods<Qopt_QuantizableOpInterface,
                                  ["getScaleRule"]>]> {
  let results = (outs Qopt_Tensor:$result);
  let hasVerifier = 1;
}

def Qopt_ReshapeOp : Qopt_MoveOp<"reshape"> {
  let summary = "The same elements in row-major order under another shape";
  let description = [{
    Constraints:
    - (C1) input and result have equally many elements.
    - (C2) input and result have one element type.

    A reshape of a reshape, of a constant or to the same type folds.

    ```mlir
    %y = qopt.reshape %x : (tensor<1x8x2x2xf32>) -> tensor<1x32xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Qopt_TransposeOp : Qopt_MoveOp<"transpose"> {
  let summary = "Permutes the axes";
  let description = [{
    Result axis `i` is input axis `permutation[i]`.

    Constraints:
    - (C1) `permutation` is a permutation of `0 .. rank-1`.
    - (C2) the result shape is the permuted input shape.
    - (C3) input and result have one element type.

    A transpose of a transpose and an identity fold.

    ```mlir
    %y = qopt.transpose %x [0, 2, 1] : (tensor<1x3x4xf32>) -> tensor<1x4x3xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let assemblyFormat = [{
    $input $permutation attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

def Qopt_ConcatOp : Qopt_MoveOp<"concat"> {
  let summary = "Joins tensors along an axis";
  let description = [{
    Constraints:
    - (C1) at least one input; all have the result's rank.
    - (C2) `axis` lies in `[0, rank)`.
    - (C3) sizes are equal outside `axis` and add up along it.
    - (C4) inputs and result have one element type.

    A concat of one input folds.

    ```mlir
    %y = qopt.concat %a, %b axis 1 : (tensor<1x3x4xf32>, tensor<1x5x4xf32>) -> tensor<1x8x4xf32>
    ```
  }];
  let arguments = (ins Variadic<Qopt_Tensor>:$inputs, Qopt_I64Attr:$axis);
  let assemblyFormat = [{
    $inputs `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

def Qopt_PadOp : Qopt_MoveOp<"pad"> {
  let summary = "Pads with a constant";
  let description = [{
    `pads` are the begins of all axes, then the ends, as in ONNX.

    Constraints:
    - (C1) `pads` has two entries >= 0 an axis.
    - (C2) the result shape is the padded input shape.
    - (C3) input and result have one element type; `value` is finite.

    A pad by nothing folds.

    ```mlir
    %y = qopt.pad %x [0, 0, 1, 1, 0, 0, 1, 1]
      : (tensor<1x3x4x4xf32>) -> tensor<1x3x6x6xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, DenseI64ArrayAttr:$pads,
                       DefaultValuedAttr<F32Attr, "0.0f">:$value);
  let assemblyFormat = [{
    $input $pads attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

def Qopt_SliceOp : Qopt_MoveOp<"slice"> {
  let summary = "A box of the input, perhaps every n-th element";
  let description = [{
    Result index `i` along an axis is input index `start + i * step`; the sizes
    are the result's shape. Negative steps are imported as `qopt.gather`.

    Constraints:
    - (C1) `starts` and `steps` have one entry an axis, starts >= 0, steps >= 1.
    - (C2) the result has the input's rank, and its last index along each axis
      lies inside the input.
    - (C3) input and result have one element type.

    A slice of the whole input folds.

    ```mlir
    %y = qopt.slice %x [0, 1, 0] steps [1, 1, 2]
      : (tensor<1x3x8xf32>) -> tensor<1x2x4xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, DenseI64ArrayAttr:$starts,
                       DenseI64ArrayAttr:$steps);
  let assemblyFormat = [{
    $input $starts `steps` $steps attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

def Qopt_GatherOp : Qopt_MoveOp<"gather"> {
  let summary = "Known indices along one axis";
  let description = [{
    Result index `i` along `axis` is input index `indices[i]`: what Gather,
    Expand, Tile, nearest Resize, reflecting Pad and backward Slice move.

    Constraints:
    - (C1) `axis` lies in `[0, rank)`.
    - (C2) the result's shape is the input's with `axis` as long as `indices`.
    - (C3) every index lies in `[0, input's size along axis)`.
    - (C4) input and result have one element type.

    A gather of all indices in order folds.

    ```mlir
    %y = qopt.gather %x axis 2 [0, 0, 1, 1]
      : (tensor<1x3x2xf32>) -> tensor<1x3x4xf32>
    ```
  }];
  let arguments = (ins Qopt_Tensor:$input, Qopt_I64Attr:$axis,
                       DenseI64ArrayAttr:$indices);
  let assemblyFormat = [{
    $input `axis` $axis $indices attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

#endif // QOPT_IR_QOPTSHAPEOPS_TD
