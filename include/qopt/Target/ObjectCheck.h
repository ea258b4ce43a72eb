// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an object promises is read back from its bytes: integer arithmetic
// only, nothing needed from outside, nothing written outside its arguments.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace mlir::qopt::target {

struct IntegerOnlyRules {
  /// Functions that may compute in floating point: the boundary helpers. No
  /// other function may refer to them.
  std::vector<std::string> exempt;
  /// Symbols that the object may leave to the linker.
  std::vector<std::string> allowedUndefined = {"memcpy", "memmove", "memset"};
};

/// Disassembles every executable byte of the ELF `object` and refuses
/// - floating-point arithmetic, conversion, comparison or control, x87 and
///   bytes that are no instruction outside the exempt functions (Q0701);
/// - a reference from other code to an exempt function (Q0701);
/// - an undefined symbol that is not allowed (Q0708).
/// Moves, blends, shuffles and bitwise operations of vector registers are no
/// arithmetic. Bytes that are no readable x86-64 object: Q0709.
llvm::Error checkIntegerOnly(llvm::StringRef object,
                             const IntegerOnlyRules &rules = {});

/// Refuses data that the code could write (other than constants that only the
/// loader relocates), thread-local data, and constructors (Q0710).
llvm::Error checkStateless(llvm::StringRef object);

} // namespace mlir::qopt::target
