// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and shapes as messages show them, and the checked element count.
#include "Model.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::importer {

std::string quoted(StringRef name) {
  constexpr size_t limit = 120;
  std::string text = "'";
  llvm::raw_string_ostream os(text);
  for (unsigned char c : name.take_front(limit)) {
    if (llvm::isPrint(c))
      os << c;
    else
      os << "\\x" << llvm::hexdigit(c >> 4) << llvm::hexdigit(c & 15);
  }
  os << (name.size() > limit ? "...'" : "'");
  return text;
}

std::string formatShape(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(shape, os, "x");
  return text;
}

std::optional<int64_t> countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    // A zero does not excuse a product that overflows beside it.
    empty |= size == 0;
    if (size == 0)
      continue;
    if (size > kMaxElements / count)
      return std::nullopt;
    count *= size;
  }
  return empty ? 0 : count;
}

} // namespace mlir::qopt::importer
