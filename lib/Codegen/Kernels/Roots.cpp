// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer square roots, a binary digit at a time.

#include "Roots.h"
#include "Arith.h"

namespace mlir::qopt::codegen {

Value squareRoot(KernelBuilder &k, Value value) {
  Type type = value.getType();
  auto vector = dyn_cast<VectorType>(type);
  Value zero = k.constant(type, 0);
  Value first = k.constant(k.i64(), int64_t(1) << 60);
  return k.loop(
      0, 31, 1, {value, zero, first},
      [&](Value, ValueRange carried) -> SmallVector<Value> {
        Value rest = carried[0], root = carried[1], bit = carried[2];
        Value bits = vector ? k.splat(bit, vector.getNumElements()) : bit;
        Value next = addI(k, root, bits);
        Value fits = compare(k, arith::CmpIPredicate::sge, rest, next);
        rest = select(k, fits, subI(k, rest, next), rest);
        root = addI(k, shiftRight(k, root, 1), select(k, fits, bits, zero));
        return {rest, root, shiftRight(k, bit, 2)};
      })[1];
}

} // namespace mlir::qopt::codegen
