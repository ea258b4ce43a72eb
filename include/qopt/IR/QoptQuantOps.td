// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt ops between levels: observe, quantize, dequantize, requantize.
#ifndef QOPT_IR_QOPTQUANTOPS_TD
#define QOPT_IR_QOPTQUANTOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QoptBase.td"
include "qopt/IR/QoptInterfaces.td"

def Qopt_ObserveOp : Qopt_Op<"observe", []> {
  let summary = "Marks a value whose range matters";
  let description = [{
    The identity in the float model. `id` matches statistics to the value and
    survives foreign passes; the other attributes hold what was decided for it,
    and config files, flags and searches edit only these:

    - `bits`: 8 to 16;
    - `symmetric`: zero point 0;
    - `method`: how the range is chosen (`minmax`, `mean-minmax`,
      `percentile:99.99`, `entropy`, `mse`), or `imported` where the scale came
      with the model;
    - `power_of_two`: the scale is one;
    - `scale`, `zero_point`: present once statistics have been folded.

    Constraints:
    - (C1) `id` is not empty.
    - (C2) `bits` is 8 to 16, and above 8 only with `symmetric` where there is no
      scale yet.
    - (C3) `scale` and `zero_point` come together; the scale is finite and > 0.
    - (C4) input and result have one type.
    - (C5) with `power_of_two` the scale, if there is one, is a power of two.

    Not `Pure`: an observer with an unused result still observes.

    ```mlir
    %y = qopt.observe %x "conv1" {bits = 8 : i64} : tensor<1x8xf32> -> tensor<1x8xf32>
    ```
  }];
  let arguments = (ins Qopt_FloatTensor:$input, StrAttr:$id,
      DefaultValuedAttr<Qopt_I64Attr, "8">:$bits,
      DefaultValuedAttr<BoolAttr, "false">:$symmetric,
      DefaultValuedStrAttr<StrAttr, "mse">:$method,
      OptionalAttr<F32Attr>:$scale, OptionalAttr<I64Attr>:$zero_point,
      UnitAttr:$power_of_two);
  let results = (outs Qopt_FloatTensor:$result);
  let assemblyFormat = [{
    $input $id attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Qopt_QuantizeOp : Qopt_Op<"quantize", [Pure]> {
  let summary = "f32 to a quantized type (the model's entry)";
  let description = [{
    `q = saturate(roundHalfEven(x / s) + z)`, as ONNX `QuantizeLinear`.

    Constraints:
    - (C1) input and result have one shape.

    ```mlir
    %q = qopt.quantize %x : tensor<1x8xf32> -> tensor<1x8x!quant.uniform<i8:f32, 0.5:-3>>
    ```
  }];
  let arguments = (ins Qopt_FloatTensor:$input);
  let results = (outs Qopt_QuantTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Qopt_DequantizeOp : Qopt_Op<"dequantize", [Pure]> {
  let summary = "A quantized type to f32 (the model's exit)";
  let description = [{
    `x = s (q - z)`.

    Constraints:
    - (C1) input and result have one shape.

    ```mlir
    %x = qopt.dequantize %q : tensor<1x8x!quant.uniform<i8:f32, 0.5:-3>> -> tensor<1x8xf32>
    ```
  }];
  let arguments = (ins Qopt_QuantTensor:$input);
  let results = (outs Qopt_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Qopt_RequantizeOp : Qopt_Op<"requantize", [Pure]> {
  let summary = "One quantized type to another";
  let description = [{
    The nearest value of the result's type.

    Constraints:
    - (C1) input and result have one shape.

    ```mlir
    %r = qopt.requantize %q : tensor<4x!quant.uniform<i8:f32, 0.5>> -> tensor<4x!quant.uniform<i16:f32, 0.25>>
    ```
  }];
  let arguments = (ins Qopt_QuantTensor:$input);
  let results = (outs Qopt_QuantTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif // QOPT_IR_QOPTQUANTOPS_TD
