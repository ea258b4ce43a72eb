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
    `result[i] = acc[i] + sum_{j<4} zext(u[4i+j]) * sext(s[4i+j])`, exact.

    Constraints:
    - (C1) `u` and `s` have four times the lanes of `acc`.
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

#endif // QOPT_IR_QINTVECTOROPS_TD
