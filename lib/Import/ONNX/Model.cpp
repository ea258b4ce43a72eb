// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names and shapes as messages show them, the checked element count, and the
// integers behind quantized constants.
#include "Model.h"

#include "qopt/Numerics/QuantParams.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

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

ConstantRef pack(ConstantRef constant) {
  constexpr size_t fewInts = 1024;
  const std::vector<int64_t> &ints = constant->ints;
  if (constant->element != Element::Int || ints.size() < fewInts)
    return constant;
  auto [least, most] = std::minmax_element(ints.begin(), ints.end());
  if (static_cast<uint64_t>(*most) - static_cast<uint64_t>(*least) > 255)
    return constant;
  auto result = std::make_shared<Constant>();
  result->name = constant->name;
  result->type = constant->type;
  result->element = constant->element;
  result->shape = constant->shape;
  result->lowest = *least;
  result->packed.reserve(ints.size());
  for (int64_t value : ints)
    result->packed.push_back(static_cast<uint8_t>(value - *least));
  return result;
}

ConstantRef unpack(const ConstantRef &constant) {
  if (constant->packed.empty())
    return constant;
  auto result = std::make_shared<Constant>(*constant);
  result->packed.clear();
  result->packed.shrink_to_fit();
  result->ints.reserve(constant->packed.size());
  for (uint8_t value : constant->packed)
    result->ints.push_back(constant->lowest + value);
  return result;
}

std::optional<std::vector<int64_t>> recoverIntegers(const Constant &constant) {
  const QuantizationRef &q = constant.quantization;
  if (!q || constant.element != Element::Float)
    return std::nullopt;
  int64_t rank = constant.shape.size(), inner = 1;
  if (q->axis >= rank)
    return std::nullopt;
  int64_t channels = q->axis < 0 ? 1 : constant.shape[q->axis];
  if (int64_t(q->scales.size()) != channels)
    return std::nullopt;
  for (int64_t axis = q->axis + 1; q->axis >= 0 && axis < rank; ++axis)
    inner *= constant.shape[axis];
  const int64_t bound = int64_t(1) << (q->bits - 1);
  std::vector<int64_t> integers(constant.floats.size());
  for (size_t i = 0; i != integers.size(); ++i) {
    int64_t channel = q->axis < 0 ? 0 : int64_t(i) / inner % channels;
    float scale = q->scales[channel];
    double steps = numerics::roundHalfEven(double(constant.floats[i]) / scale);
    // Also refuses what is not a number.
    if (!(steps >= -2 * bound && steps <= 2 * bound) ||
        scale * float(steps) != constant.floats[i])
      return std::nullopt;
    integers[i] = int64_t(steps) + q->zeroPoints[channel];
    if (integers[i] < -bound || integers[i] >= bound)
      return std::nullopt;
  }
  return integers;
}

} // namespace mlir::qopt::importer
