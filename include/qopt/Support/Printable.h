// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names that come from strangers' files, on their way to a terminal.
#pragma once

#include "llvm/ADT/StringExtras.h"
#include <string>

namespace mlir::qopt {

/// `text` with `?` for each control character but those of `kept`, so that no
/// name moves a cursor. Bytes of UTF-8 stay.
inline std::string makePrintable(llvm::StringRef text,
                                 llvm::StringRef kept = "") {
  std::string result;
  for (char c : text)
    result += llvm::isPrint(c) || static_cast<unsigned char>(c) >= 0x80 ||
                      kept.contains(c)
                  ? c
                  : '?';
  return result;
}

} // namespace mlir::qopt
