// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Figures that are known only after code generation, read from the object and
// written back into text that it carries.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace mlir::qopt::target {

struct ObjectSizes {
  /// Bytes of all executable sections.
  uint64_t code = 0;
  /// Bytes of all loaded read-only data, and of constants that hold addresses.
  uint64_t constants = 0;
};

/// Sizes of `object`; the bytes of the symbols in `leaveOut` do not count as
/// constants. Fails with Q0709.
llvm::Expected<ObjectSizes>
measureObject(llvm::StringRef object,
              llvm::ArrayRef<std::string> leaveOut = {});

/// Bytes of code of the functions `names`, those that are still there. Fails
/// with Q0709.
llvm::Expected<uint64_t> codeBytes(llvm::StringRef object,
                                   llvm::ArrayRef<std::string> names);

/// Upper bound in bytes of the stack that a call of `function` needs, return
/// addresses included: the deepest path through everything that it calls or
/// whose address it takes. What the object does not contain (memcpy, a
/// parallel-for given at run time) counts as its return address only. Needs
/// the stack sizes that `createTargetMachine` records. Fails with Q0707 for
/// recursion, a frame of unknown size or a function that is not there.
llvm::Expected<uint64_t> stackBytes(llvm::StringRef object,
                                    llvm::StringRef function);

/// Replaces the one occurrence of `placeholder` in the bytes of `symbol` by
/// `value`, filled up with blanks on the left. Fails with Q0711 if the value is
/// wider or the placeholder is not there exactly once.
llvm::Error patchFixedWidth(std::string &object, llvm::StringRef symbol,
                            llvm::StringRef placeholder, llvm::StringRef value);

/// The object without its stack size records, which no linker needs.
llvm::Expected<std::string> stripStackSizes(llvm::StringRef object);

} // namespace mlir::qopt::target
