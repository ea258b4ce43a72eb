// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qint ops on whole rows: normalizations, the logarithm of softmax, attention,
// norms, positions of extremes.
#ifndef QOPT_IR_QINTROWOPS_TD
#define QOPT_IR_QINTROWOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QintBase.td"

def Qint_LogSoftmaxOp : Qint_Op<"log_softmax", [Pure]> {
  let summary = "The logarithm of softmax along one axis";
  let description = [{
    `d`, `E` and `S = sum E` as in `qint.softmax`, `L = ln(S / 2^23)` in steps of
    2^-30. `requant` has the multipliers `[M, N]` and shifts `[s, t]`:
    `y = clamp(round((-d M - round(L N / 2^t)) / 2^s) + zero point)`, halves up.

    Constraints:
    - (C1) `axis` lies in `[0, rank)`.
    - (C2), (C3) `exp_table`, input and result are as in `qint.softmax`.
    - (C4) `requant` has two positive multipliers and two shifts, rounds half
      up, its zero point and clamp fit the result; `N < 2^26`.
    - (C5) no sum leaves int32: `255 M + round(N ln(length) 2^(30 - t)) +
      2^(s-1) < 2^31`; or 47 bits for an i16 input, 65535 in place of 255.

    ```mlir
    %y = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, ...>,
        requant = #qint.requant<[65536, 33554432], [14, 39], zp 127, clamp -128 to 127>}
      : (tensor<1x10xi8>) -> tensor<1x10xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_I64Attr:$axis,
      DenseI32ArrayAttr:$exp_table, Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_AttendOp : Qint_Op<"attend", [Pure]> {
  let summary = "Averages weighted by softmax, divided late";
  let description = [{
    With `d = max x - x` along the last axis, `e = exp_table[d]`, `R = sum e` and
    `A = sum_k e[..., m, k] (v[..., k, n] - values_zp)`: `A` by `requant`, whose
    multiplier `M` is `round(2^6 M / R)` in each row (docs/arithmetic.md,
    "Attention").

    Constraints:
    - (C1) shapes as `qopt.matmul`; logits and values are i8.
    - (C2) `exp_table` has 256 entries in `[0, 255]`, the first is 255.
    - (C3) `requant` has one positive multiplier and one shift and rounds half
      up; zero points and clamp fit their types.
    - (C4) no sum of `k` products leaves int32.

    ```mlir
    %y = qint.attend %x, %v {exp_table = array<i32: 255, 231, ...>, values_zero_point = 3 : i32,
        requant = #qint.requant<[1048576], [36], zp 0, clamp -128 to 127>}
      : (tensor<4x2x3xi8>, tensor<4x3x5xi8>) -> tensor<4x2x5xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$logits, Qint_Tensor:$values,
      DenseI32ArrayAttr:$exp_table, Qint_I32Attr:$values_zero_point,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $logits `,` $values attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Qint_LayerNormOp : Qint_Op<"layer_norm", [Pure]> {
  let summary = "Normalization over axes with one rounding";
  let description = [{
    A row, the elements along `axes`, has `n` of them; `S = sum (x - input_zp)` (0 unless `center`),
    `D = n (x - input_zp) - S`.
    With `power` 2, `V = (n sum (x - input_zp)^2 - S^2) 2^variance_shift +
    epsilon`, brought into `[2^60, 2^62)` by `e` even left shifts, and
    `r = floor(sqrt(V))`; with `power` 1, `r = sum |x - input_zp|`, brought into
    `[2^30, 2^31)` by `e` left shifts. Then, with `I = min(floor(2^61 / r),
    2^31 - 1)` and `a` the shift that `D` needs with `r`:

    `t = floor(floor(D 2^a) I / 2^32)`, `acc = floor(t gamma / 2^32) + beta`,

    and `requant`, whose multiplier is 1. See docs/arithmetic.md.

    Constraints:
    - (C1) axes and shapes as `qopt.layer_norm`.
    - (C2) a row has at most 2^22 (i8) or 2^15 (i16) elements.
    - (C3) `power` is 2; or 1, then nothing is centered and `epsilon` and
      `variance_shift` are 0.
    - (C4) `gamma` and `beta` have the input's rank, each of their sizes is the
      input's or 1; `gamma` is not -2^31, `beta` lies in `[-2^30, 2^30]`.
    - (C5) `variance_shift` is even and not negative, `epsilon` is not negative,
      and no `V` reaches 2^62.
    - (C6) `requant` has the multiplier 1 and one shift in `[1, 24]`.
    - (C7) zero points and clamp fit their types.

    ```mlir
    %y = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32,
        variance_shift = 40 : i32, epsilon = 1024 : i64,
        gamma = dense<1073741824> : tensor<1x1xi32>,
        requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>}
      : (tensor<4x8xi8>) -> tensor<4x8xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$axes,
      Qint_I32Attr:$input_zero_point,
      DefaultValuedAttr<BoolAttr, "true">:$center,
      DefaultValuedAttr<Qint_I64Attr, "2">:$power,
      DefaultValuedAttr<Qint_I32Attr, "0">:$variance_shift,
      DefaultValuedAttr<Qint_I64Attr, "0">:$epsilon,
      I32ElementsAttr:$gamma, OptionalAttr<I32ElementsAttr>:$beta,
      Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `axes` $axes attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Elements of one row.
    int64_t getRowLength();
  }];
}

def Qint_ReducePowerOp : Qint_Op<"reduce_power", [Pure]> {
  let summary = "Sum of magnitudes or squares over axes, or the root of it";
  let description = [{
    `acc = sum |x - input_zp|^power` over `axes`, exact; with `root_shift`,
    `acc = floor(sqrt(acc 4^root_shift))`; then `requant`.

    Constraints:
    - (C1) axes and shapes as `qopt.reduce_mean`.
    - (C2) `requant` has one positive multiplier and one shift.
    - (C3) zero points and clamp fit their types.
    - (C4) at least one and at most 2^22 elements are summed.
    - (C5) `power` is 1 or 2; `root_shift` stands with 2 alone, is not negative,
      and no `acc 4^root_shift` reaches 2^62.

    ```mlir
    %y = qint.reduce_power %x axes [2, 3] {input_zero_point = 3 : i32,
        power = 2 : i64, root_shift = 16 : i32,
        requant = #qint.requant<[21913098], [46], zp 3, clamp -128 to 127>}
      : (tensor<1x8x7x7xi8>) -> tensor<1x8x1x1xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, DenseI64ArrayAttr:$axes,
      DefaultValuedAttr<BoolAttr, "true">:$keep_dims,
      Qint_I32Attr:$input_zero_point, Qint_I64Attr:$power,
      OptionalAttr<Qint_I32Attr>:$root_shift, Qint_RequantAttr:$requant);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `axes` $axes attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

class Qint_ArgOp<string mnemonic, string text> : Qint_Op<mnemonic, [Pure]> {
  let summary = "Where the " # text # " along one axis stands";
  let description = [{
    `zero_point` more than the index; of several equal elements the first, or
    the last with `select_last`.

    Constraints:
    - (C1) shapes and axis as `qopt.arg_max`.
    - (C2) every index, `zero_point` more, fits the result's type.

    ```mlir
    %y = qint.}] # mnemonic # [{ %x axis 1 {zero_point = -128 : i32}
      : (tensor<1x10x7xi8>) -> tensor<1x1x7xi8>
    ```
  }];
  let arguments = (ins Qint_Tensor:$input, Qint_I64Attr:$axis,
      DefaultValuedAttr<BoolAttr, "true">:$keep_dims,
      DefaultValuedAttr<BoolAttr, "false">:$select_last,
      Qint_I32Attr:$zero_point);
  let results = (outs Qint_Tensor:$result);
  let assemblyFormat = [{
    $input `axis` $axis attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}
def Qint_ArgMaxOp : Qint_ArgOp<"arg_max", "largest element">;
def Qint_ArgMinOp : Qint_ArgOp<"arg_min", "smallest element">;

#endif // QOPT_IR_QINTROWOPS_TD
