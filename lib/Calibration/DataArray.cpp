// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element kinds and the conversion of stored elements to f32 and integers.

#include "qopt/Calibration/DataArray.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstring>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

unsigned calibration::elementSize(ElementKind kind) {
  switch (kind) {
  case ElementKind::I8:
  case ElementKind::U8:
  case ElementKind::Bool:
    return 1;
  case ElementKind::F16:
  case ElementKind::BF16:
  case ElementKind::I16:
  case ElementKind::U16:
    return 2;
  case ElementKind::F32:
  case ElementKind::I32:
  case ElementKind::U32:
    return 4;
  case ElementKind::F64:
  case ElementKind::I64:
  case ElementKind::U64:
    return 8;
  }
  return 8;
}

llvm::StringRef calibration::elementName(ElementKind kind) {
  static constexpr const char *names[] = {"f32", "f64", "f16", "bf16", "i8",
                                          "i16", "i32", "i64", "u8",   "u16",
                                          "u32", "u64", "bool"};
  return names[static_cast<unsigned>(kind)];
}

bool calibration::isFloat(ElementKind kind) {
  return kind == ElementKind::F32 || kind == ElementKind::F64 ||
         kind == ElementKind::F16 || kind == ElementKind::BF16;
}

std::string calibration::formatShape(llvm::ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  return llvm::join(
      llvm::map_range(shape, [](int64_t dim) { return std::to_string(dim); }),
      "x");
}

std::optional<int64_t>
calibration::countElements(llvm::ArrayRef<int64_t> shape) {
  constexpr int64_t kMaximum = int64_t(1) << 48;
  if (llvm::any_of(shape, [](int64_t dim) { return dim < 0; }))
    return std::nullopt;
  if (llvm::is_contained(shape, 0))
    return 0;
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim > kMaximum / count)
      return std::nullopt;
    count *= dim;
  }
  return count;
}

llvm::Expected<std::unique_ptr<ArrayReader>>
ArrayReader::create(std::unique_ptr<ByteSource> source, ArrayInfo info) {
  std::optional<int64_t> count = countElements(info.shape);
  if (!count)
    return makeError(442,
                     "'" + source->getName() + "' claims the shape " +
                         formatShape(info.shape) +
                         ", which is impossible or too large",
                     {}, "write the file again");
  // Below 2^48 elements of 8 bytes and a header below 2^32 cannot overflow.
  uint64_t expected = info.dataOffset + *count * elementSize(info.kind);
  std::optional<uint64_t> found = source->size();
  bool fits = found ? *found == expected : expected <= source->maximumSize();
  if (!fits) {
    uint64_t bytes = found ? *found : source->maximumSize();
    return makeError(
        442,
        "'" + source->getName() + "' says " + formatShape(info.shape) + " " +
            elementName(info.kind).str() + ", expects " +
            std::to_string(expected) + " bytes, but has " +
            (found ? "" : "at most ") + std::to_string(bytes),
        {}, "the file is cut off or damaged; copy or write it again");
  }
  return std::unique_ptr<ArrayReader>(
      new ArrayReader(std::move(source), std::move(info), *count));
}

template <typename Convert>
llvm::Error ArrayReader::readPieces(int64_t first, int64_t count,
                                    Convert convert) {
  if (first < 0 || count < 0 || first > numElements - count)
    return makeError(700, "read of elements beyond '" + getName() + "'");
  alignas(8) char piece[65536];
  const int64_t size = elementSize(info.kind);
  const int64_t perPiece = sizeof(piece) / size;
  for (int64_t done = 0; done < count;) {
    int64_t now = std::min(perPiece, count - done);
    uint64_t offset = info.dataOffset + (first + done) * size;
    if (llvm::Error error =
            source->read(offset, {piece, static_cast<size_t>(now * size)}))
      return error;
    if (llvm::Error error = convert(piece, done, now))
      return error;
    done += now;
  }
  if (first + count == numElements)
    return source->finish(info.dataOffset + numElements * size);
  return llvm::Error::success();
}

/// f16 to f32, exact for every bit pattern.
static float widenHalf(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 31;
  uint32_t fraction = bits & 1023;
  if (exponent == 31)
    return llvm::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0)
    return llvm::bit_cast<float>(sign | ((exponent + 112) << 23) |
                                 (fraction << 13));
  float magnitude = static_cast<float>(fraction) * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

template <typename T> static T loadElement(const char *bytes, bool bigEndian) {
  return bigEndian
             ? llvm::support::endian::read<T, llvm::endianness::big>(bytes)
             : llvm::support::endian::read<T, llvm::endianness::little>(bytes);
}

/// Calls `visit(index, value)` for each element, the value in its own C++ type
/// (f16 and bf16 as f32, bool as 0 or 1).
template <typename Visit>
static void visitElements(ElementKind kind, bool bigEndian, const char *bytes,
                          int64_t count, Visit visit) {
  auto each = [&](auto zero, auto value) {
    using T = decltype(zero);
    for (int64_t i = 0; i < count; ++i)
      visit(i, value(loadElement<T>(bytes + i * sizeof(T), bigEndian)));
  };
  auto same = [](auto value) { return value; };
  switch (kind) {
  case ElementKind::F32:
    return each(uint32_t(),
                [](uint32_t b) { return llvm::bit_cast<float>(b); });
  case ElementKind::F64:
    return each(uint64_t(),
                [](uint64_t b) { return llvm::bit_cast<double>(b); });
  case ElementKind::F16:
    return each(uint16_t(), widenHalf);
  case ElementKind::BF16:
    return each(uint16_t(), [](uint16_t b) {
      return llvm::bit_cast<float>(uint32_t(b) << 16);
    });
  case ElementKind::I8:
    return each(int8_t(), same);
  case ElementKind::I16:
    return each(int16_t(), same);
  case ElementKind::I32:
    return each(int32_t(), same);
  case ElementKind::I64:
    return each(int64_t(), same);
  case ElementKind::U8:
    return each(uint8_t(), same);
  case ElementKind::U16:
    return each(uint16_t(), same);
  case ElementKind::U32:
    return each(uint32_t(), same);
  case ElementKind::U64:
    return each(uint64_t(), same);
  case ElementKind::Bool:
    return each(uint8_t(), [](uint8_t b) { return uint8_t(b != 0); });
  }
}

llvm::Error ArrayReader::readFloats(int64_t first,
                                    llvm::MutableArrayRef<float> out) {
  return readPieces(
      first, out.size(), [&](const char *piece, int64_t done, int64_t now) {
        visitElements(info.kind, info.bigEndian, piece, now,
                      [to = out.data() + done](int64_t i, auto value) {
                        to[i] = static_cast<float>(value);
                      });
        return llvm::Error::success();
      });
}

llvm::Error ArrayReader::readIntegers(int64_t first,
                                      llvm::MutableArrayRef<int64_t> out) {
  if (isFloat(info.kind))
    return makeError(443,
                     "'" + getName() + "' holds " +
                         elementName(info.kind).str() +
                         ", but integers are expected",
                     {}, "store the array with an integer type");
  return readPieces(
      first, out.size(),
      [&](const char *piece, int64_t done, int64_t now) -> llvm::Error {
        int64_t *to = out.data() + done;
        int64_t tooLarge = -1;
        visitElements(info.kind, info.bigEndian, piece, now,
                      [&](int64_t i, auto value) {
                        to[i] = static_cast<int64_t>(value);
                        if (info.kind == ElementKind::U64 && to[i] < 0)
                          tooLarge = i;
                      });
        if (tooLarge < 0)
          return llvm::Error::success();
        return makeError(
            446, "'" + getName() + "' holds " +
                     std::to_string(static_cast<uint64_t>(to[tooLarge])) +
                     " at element " + std::to_string(first + done + tooLarge) +
                     ", more than an i64 can be");
      });
}
