// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of the qint dialect that move elements and change none.
#ifndef QOPT_IR_QINTMOVEOPS_TD
#define QOPT_IR_QINTMOVEOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QintBase.td"

class Qint_MoveOp<string mnemonic> : Qint_Op<mnemonic, [Pure]> {
  let results = (outs Qint_Tensor:$result);
  let hasVerifier = 1;
}

def Qint_ReshapeOp : Qint_MoveOp<"reshape"> {
  let summary = "The same elements in row-major order under another shape";
  let description = [{
    Constraints: as `qopt.reshape`.

    ```mlir
    %y = qint.reshape %x : (tensor<1x8x2x2xi8>) -> tensor<1x32xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

def Qint_TransposeOp : Qint_MoveOp<"transpose"> {
  let summary = "Permutes the axes";
  let description = [{
    Constraints: as `qopt.transpose`.

    ```mlir
    %y = qint.transpose %x [0, 2, 1] : (tensor<1x3x4xi8>) -> tensor<1x4x3xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let assemblyFormat = [{
    $input $permutation attr-dict `:` functional-type(operands, results)
  }];
}

def Qint_ConcatOp : Qint_MoveOp<"concat"> {
  let summary = "Joins tensors of one scale along an axis";
  let description = [{
    Constraints: as `qopt.concat`.

    ```mlir
    %y = qint.concat %a, %b axis 1 : (tensor<1x3x4xi8>, tensor<1x5x4xi8>) -> tensor<1x8x4xi8>
    ```
  }];
  let arguments = (ins Variadic<Qint_Tensor>:$inputs, Qint_I64Attr:$axis);
  let assemblyFormat = [{
    $inputs `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
}

def Qint_PadOp : Qint_MoveOp<"pad"> {
  let summary = "Pads with an integer";
  let description = [{
    Constraints:
    - (C1), (C2) as `qopt.pad`.
    - (C3) input and result have one element type, which `value` fits.

    ```mlir
    %y = qint.pad %x [0, 0, 1, 1, 0, 0, 1, 1] {value = -3 : i32}
      : (tensor<1x3x4x4xi8>) -> tensor<1x3x6x6xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$pads,
                       Qint_I32Attr:$value);
  let assemblyFormat = [{
    $input $pads attr-dict `:` functional-type(operands, results)
  }];
}

def Qint_SliceOp : Qint_MoveOp<"slice"> {
  let summary = "A box of the input, perhaps every n-th element";
  let description = [{
    Constraints: as `qopt.slice`.

    ```mlir
    %y = qint.slice %x [0, 1, 0] steps [1, 1, 2] : (tensor<1x3x8xi8>) -> tensor<1x2x4xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$starts,
                       DenseI64ArrayAttr:$steps);
  let assemblyFormat = [{
    $input $starts `steps` $steps attr-dict `:` functional-type(operands, results)
  }];
}

def Qint_GatherOp : Qint_MoveOp<"gather"> {
  let summary = "Known indices along one axis";
  let description = [{
    Constraints: as `qopt.gather`.

    ```mlir
    %y = qint.gather %x axis 2 [0, 0, 1, 1] : (tensor<1x3x2xi8>) -> tensor<1x3x4xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_I64Attr:$axis,
                       DenseI64ArrayAttr:$indices);
  let assemblyFormat = [{
    $input `axis` $axis $indices attr-dict `:` functional-type(operands, results)
  }];
}

#endif // QOPT_IR_QINTMOVEOPS_TD
