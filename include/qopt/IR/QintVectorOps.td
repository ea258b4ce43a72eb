// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Target-neutral vector ops that kernels are written in; each instruction set
// lowers them in lib/Codegen/ISA.
#ifndef QOPT_IR_QINTVECTOROPS_TD
#define QOPT_IR_QINTVECTOROPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "qopt/IR/QintBase.td"

def Qint_Dot4Op : Qint_Op<"dot4", [Pure, AllTypesMatch<["acc", "result"]>,
                             AllTypesMatch<["u", "s"]>]> {
  let summary = "Four-way dot product of u8 by s8 into i32 lanes";
  let description = [{
    `result[i] = acc[i] + sum_{j<4} zext(u[4i+j]) * sext(s[4i+j])`, the products
    and their sum exact, the addition to `acc` modulo 2^32.

    Constraints:
    - (C1) `u` and `s` have four times the lanes of `acc`.

    ```mlir
    %r = qint.dot4 %acc, %u, %s : vector<16xi32>, vector<64xi8>
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I32]>:$acc,
                       VectorOfRankAndType<[1], [I8]>:$u,
                       VectorOfRankAndType<[1], [I8]>:$s);
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = [{
    $acc `,` $u `,` $s attr-dict `:` type($acc) `,` type($u)
  }];
  let hasVerifier = 1;
}

def Qint_Dot2Op : Qint_Op<"dot2", [Pure, AllTypesMatch<["acc", "result"]>,
                             AllTypesMatch<["a", "b"]>]> {
  let summary = "Two-way dot product of s16 by s16 into i32 lanes";
  let description = [{
    `result[i] = acc[i] + sum_{j<2} sext(a[2i+j]) * sext(b[2i+j])` modulo 2^32.

    Constraints:
    - (C1) `a` and `b` have twice the lanes of `acc`.

    ```mlir
    %r = qint.dot2 %acc, %a, %b : vector<16xi32>, vector<32xi16>
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I32]>:$acc,
                       VectorOfRankAndType<[1], [I16]>:$a,
                       VectorOfRankAndType<[1], [I16]>:$b);
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = [{
    $acc `,` $a `,` $b attr-dict `:` type($acc) `,` type($a)
  }];
  let hasVerifier = 1;
}

def Qint_MulHighOp : Qint_Op<"mul_high", [Pure,
                             AllTypesMatch<["lhs", "rhs", "result"]>]> {
  let summary = "High half of a signed 64-bit product, lane by lane";
  let description = [{
    `result[i] = floor(lhs[i] * rhs[i] / 2^32)`.

    ```mlir
    %h = qint.mul_high %a, %m : vector<16xi32>
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I32]>:$lhs,
                       VectorOfRankAndType<[1], [I32]>:$rhs);
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Qint_MulRoundOp : Qint_Op<"mul_round", [Pure,
                             AllTypesMatch<["lhs", "rhs", "result"]>]> {
  let summary = "Rounded 1.15 fixed-point product, lane by lane";
  let description = [{
    `result[i] = floor((lhs[i] * rhs[i] + 2^14) / 2^15)`, modulo 2^16. With
    `rhs = 2^(15-f)`, `1 <= f <= 15`, it is the shift by `f` that rounds half
    up.

    ```mlir
    %h = qint.mul_round %a, %m : vector<32xi16>
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I16]>:$lhs,
                       VectorOfRankAndType<[1], [I16]>:$rhs);
  let results = (outs VectorOfRankAndType<[1], [I16]>:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Qint_PackOp : Qint_Op<"pack", [Pure, AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "Two vectors to one of half the lane width, saturating";
  let description = [{
    Lanes are read as signed and saturated to the result's range: unsigned with
    `unsigned`, else signed. Order goes by blocks of 128 bits: block `b` of the
    result holds block `b` of `lhs`, then block `b` of `rhs`. A generator that
    needs another order chooses the order of its channels.

    Constraints:
    - (C1) operands are i32 or i16 vectors of a multiple of 128 bits.
    - (C2) the result has twice the lanes at half the width.

    ```mlir
    %p = qint.pack %a, %b unsigned : vector<32xi16> -> vector<64xi8>
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I16, I32]>:$lhs,
                       VectorOfRankAndType<[1], [I16, I32]>:$rhs,
                       UnitAttr:$is_unsigned);
  let results = (outs VectorOfRankAndType<[1], [I8, I16]>:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`unsigned` $is_unsigned^)? attr-dict `:` type($lhs) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Qint_LookupOp : Qint_Op<"lookup", [Pure, AllTypesMatch<["index", "result"]>]> {
  let summary = "Table in registers";
  let description = [{
    `result[i] = table[zext(index[i])]`. Meant for instruction sets that keep
    the table in registers; `Isa::hasVbmi` says so.

    Constraints:
    - (C1) `table` has 256 entries of i8, or 32, 64 or 128 of i16, and `index`
      the same element type. Indices are smaller than the entries' count.
    - (C2) `index` has a multiple of 16 lanes.

    ```mlir
    %r = qint.lookup %table, %index : vector<256xi8>, vector<64xi8>
    ```
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I8, I16]>:$table,
                       VectorOfRankAndType<[1], [I8, I16]>:$index);
  let results = (outs VectorOfRankAndType<[1], [I8, I16]>:$result);
  let assemblyFormat = [{
    $table `,` $index attr-dict `:` type($table) `,` type($index)
  }];
  let hasVerifier = 1;
}

#endif // QOPT_IR_QINTVECTOROPS_TD
