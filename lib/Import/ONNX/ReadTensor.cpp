// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decodes TensorProto data of every numeric type from its typed field, from raw
// bytes or from an external file.
#include "ReadTensor.h"

#include "ExternalData.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/bit.h"
#include <cstring>
#include <limits>

namespace mlir::qopt::importer {

using onnx::TensorProto;

/// Types of ONNX 1.16, which this libonnx does not name.
enum : int { typeUint4 = 21, typeInt4 = 22 };

static bool isPacked(int type) { return type == typeUint4 || type == typeInt4; }

std::string typeName(int type) {
  if (isPacked(type))
    return type == typeInt4 ? "int4" : "uint4";
  static constexpr const char *names[] = {
      "unknown", "float32", "uint8",     "int8",       "uint16",  "int16",
      "int32",   "int64",   "string",    "bool",       "float16", "float64",
      "uint32",  "uint64",  "complex64", "complex128", "bfloat16"};
  if (type >= 0 && type < int(std::size(names)))
    return names[type];
  return "type " + std::to_string(type);
}

bool isFloatType(int type) {
  return type == TensorProto::FLOAT || type == TensorProto::FLOAT16 ||
         type == TensorProto::DOUBLE || type == TensorProto::BFLOAT16;
}

static llvm::Error malformed(StringRef name, const std::string &what) {
  return makeError(205, "tensor " + quoted(name) + " " + what);
}

/// IEEE binary16 to binary32, exact.
static float halfToFloat(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000) << 16;
  uint32_t exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
  if (exponent == 0x1f)
    return llvm::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent == 0) {
    float value = float(mantissa) * 0x1p-24f;
    return sign ? -value : value;
  }
  return llvm::bit_cast<float>(sign | ((exponent + 112) << 23) |
                               (mantissa << 13));
}

static float bfloatToFloat(uint16_t bits) {
  return llvm::bit_cast<float>(uint32_t(bits) << 16);
}

/// Decodes `bytes` as little-endian `T`s, each converted by `convert`.
template <typename T, typename Out, typename Convert>
static void decode(StringRef bytes, std::vector<Out> &out, Convert convert) {
  out.resize(bytes.size() / sizeof(T));
  for (size_t i = 0; i != out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = convert(value);
  }
}

template <typename T>
static void decodeInts(StringRef bytes, std::vector<int64_t> &out) {
  decode<T>(bytes, out, [](T value) { return int64_t(value); });
}

/// Bytes an element has in raw data, rounded up; 0 for types that are not
/// numeric.
static unsigned byteWidth(int type) {
  switch (type) {
  case typeUint4:
  case typeInt4:
  case TensorProto::UINT8:
  case TensorProto::INT8:
  case TensorProto::BOOL:
    return 1;
  case TensorProto::UINT16:
  case TensorProto::INT16:
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
    return 2;
  case TensorProto::FLOAT:
  case TensorProto::INT32:
  case TensorProto::UINT32:
    return 4;
  case TensorProto::INT64:
  case TensorProto::UINT64:
  case TensorProto::DOUBLE:
    return 8;
  default:
    return 0;
  }
}

static void decodeRaw(int type, StringRef bytes, Constant &out) {
  switch (type) {
  case TensorProto::FLOAT:
    return decode<float>(bytes, out.floats, [](float v) { return v; });
  case TensorProto::DOUBLE:
    return decode<double>(bytes, out.floats, [](double v) { return float(v); });
  case TensorProto::FLOAT16:
    return decode<uint16_t>(bytes, out.floats, halfToFloat);
  case TensorProto::BFLOAT16:
    return decode<uint16_t>(bytes, out.floats, bfloatToFloat);
  case TensorProto::BOOL:
    return decode<uint8_t>(bytes, out.ints,
                           [](uint8_t v) { return int64_t(v != 0); });
  case TensorProto::UINT8:
    return decodeInts<uint8_t>(bytes, out.ints);
  case TensorProto::INT8:
    return decodeInts<int8_t>(bytes, out.ints);
  case TensorProto::UINT16:
    return decodeInts<uint16_t>(bytes, out.ints);
  case TensorProto::INT16:
    return decodeInts<int16_t>(bytes, out.ints);
  case TensorProto::INT32:
    return decodeInts<int32_t>(bytes, out.ints);
  case TensorProto::UINT32:
    return decodeInts<uint32_t>(bytes, out.ints);
  default:
    return decodeInts<int64_t>(bytes, out.ints);
  }
}

/// Copies the field that ONNX prescribes for the type.
static void decodeFields(const TensorProto &proto, Constant &out) {
  switch (proto.data_type()) {
  case TensorProto::FLOAT:
    out.floats.assign(proto.float_data().begin(), proto.float_data().end());
    return;
  case TensorProto::DOUBLE:
    for (double value : proto.double_data())
      out.floats.push_back(float(value));
    return;
  case TensorProto::FLOAT16:
    for (int32_t bits : proto.int32_data())
      out.floats.push_back(halfToFloat(uint16_t(bits)));
    return;
  case TensorProto::BFLOAT16:
    for (int32_t bits : proto.int32_data())
      out.floats.push_back(bfloatToFloat(uint16_t(bits)));
    return;
  case TensorProto::INT64:
    out.ints.assign(proto.int64_data().begin(), proto.int64_data().end());
    return;
  case TensorProto::UINT32:
  case TensorProto::UINT64:
    out.ints.assign(proto.uint64_data().begin(), proto.uint64_data().end());
    return;
  default:
    out.ints.assign(proto.int32_data().begin(), proto.int32_data().end());
    if (proto.data_type() == TensorProto::BOOL)
      for (int64_t &value : out.ints)
        value = value != 0;
  }
}

/// Two values a byte, the first in its low half.
static void unpack(int type, int64_t count, std::vector<int64_t> &values) {
  std::vector<int64_t> bytes = std::move(values);
  values.clear();
  for (int64_t i = 0; i / 2 < int64_t(bytes.size()) && i != count; ++i) {
    int64_t half = (uint64_t(bytes[i / 2]) >> (i % 2 * 4)) & 15;
    values.push_back(type == typeInt4 && half > 7 ? half - 16 : half);
  }
}

/// Bytes of `count` elements in raw data.
static uint64_t rawBytes(int type, int64_t count) {
  return isPacked(type) ? (uint64_t(count) + 1) / 2
                        : uint64_t(count) * byteWidth(type);
}

static Expected<ExternalLocation> readLocation(const TensorProto &proto,
                                               StringRef name) {
  ExternalLocation location;
  for (const auto &entry : proto.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    uint64_t number = 0;
    if (key == "location") {
      location.path = value.str();
    } else if (key == "offset" || key == "length") {
      if (value.getAsInteger(10, number))
        return makeError(208, "external data of tensor " + quoted(name) +
                                  " expects a number as " + key.str() +
                                  ", but got " + quoted(value));
      if (key == "offset")
        location.offset = number;
      else
        location.length = number;
    }
  }
  return location;
}

static Expected<std::unique_ptr<llvm::MemoryBuffer>>
readExternal(const TensorProto &proto, StringRef name, TensorSource &source) {
  auto location = readLocation(proto, name);
  if (!location)
    return location.takeError();
  if (!source.allowExternal)
    return makeError(208, "tensor " + quoted(name) +
                              " has external data, but the model comes from "
                              "memory and has no folder");
  auto buffer = readExternalData(source.folder, *location, name);
  if (buffer) {
    source.hash.update((*buffer)->getBuffer());
    source.bytes += (*buffer)->getBufferSize();
  }
  return buffer;
}

Expected<ConstantRef> readTensor(const TensorProto &proto, StringRef name,
                                 TensorSource &source) {
  int type = proto.data_type();
  if (byteWidth(type) == 0)
    return malformed(name, "has element type " + typeName(type) +
                               ", which is not supported");
  if (proto.has_segment())
    return malformed(name, "is stored in segments, which is not supported");
  if (size_t(proto.dims_size()) > kMaxRank)
    return makeError(209, "tensor " + quoted(name) + " has " +
                              std::to_string(proto.dims_size()) +
                              " dimensions, at most " +
                              std::to_string(kMaxRank) + " are supported");
  auto constant = std::make_shared<Constant>();
  constant->name = name.str();
  constant->type = type;
  constant->shape.assign(proto.dims().begin(), proto.dims().end());
  std::optional<int64_t> count = countElements(constant->shape);
  if (!count)
    return makeError(209, "tensor " + quoted(name) + " has shape " +
                              formatShape(constant->shape) +
                              ": a dimension is negative or the product "
                              "exceeds 2^31 - 1 elements");
  constant->element = isFloatType(type)           ? Element::Float
                      : type == TensorProto::BOOL ? Element::Bool
                                                  : Element::Int;

  std::unique_ptr<llvm::MemoryBuffer> external;
  std::optional<StringRef> raw;
  if (proto.data_location() == TensorProto::EXTERNAL) {
    auto buffer = readExternal(proto, name, source);
    if (!buffer)
      return buffer.takeError();
    external = std::move(*buffer);
    raw = external->getBuffer();
  } else if (proto.has_raw_data()) {
    raw = StringRef(proto.raw_data());
  }
  if (raw && raw->size() != rawBytes(type, *count))
    return malformed(name, "expects " + std::to_string(rawBytes(type, *count)) +
                               " bytes of data for shape " +
                               formatShape(constant->shape) + ", but got " +
                               std::to_string(raw->size()));
  if (raw)
    decodeRaw(isPacked(type) ? int(TensorProto::UINT8) : type, *raw, *constant);
  else
    decodeFields(proto, *constant);
  if (isPacked(type))
    unpack(type, *count, constant->ints);
  if (constant->size() != *count)
    return malformed(name, "expects " + std::to_string(*count) +
                               " values for shape " +
                               formatShape(constant->shape) + ", but got " +
                               std::to_string(constant->size()));
  // Only uint64 can turn negative on the way to int64.
  if (type == TensorProto::UINT64)
    for (int64_t value : constant->ints)
      if (value < 0)
        return malformed(name, "holds a value above 2^63 - 1");
  return ConstantRef(std::move(constant));
}

} // namespace mlir::qopt::importer
