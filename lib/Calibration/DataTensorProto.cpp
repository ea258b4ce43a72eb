// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The wire form of ONNX's TensorProto, as far as test data needs it. By hand,
// because only the importer's room knows protobuf.

#include "qopt/Calibration/DataFormats.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/Endian.h"

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

static constexpr size_t kMaximumRank = 32;

namespace {

enum WireType : unsigned { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// onnx.proto's field numbers of TensorProto.
enum Field : uint64_t {
  Dims = 1,
  DataType = 2,
  Segment = 3,
  FloatData = 4,
  Int32Data = 5,
  StringData = 6,
  Int64Data = 7,
  Name = 8,
  RawData = 9,
  DoubleData = 10,
  Uint64Data = 11,
  ExternalData = 13,
  DataLocation = 14,
};

/// A bounds-checked walk over wire bytes.
class Wire {
public:
  explicit Wire(llvm::StringRef bytes) : rest(bytes) {}

  bool atEnd() const { return rest.empty(); }

  bool varint(uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 70 && !rest.empty(); shift += 7) {
      uint8_t byte = rest.front();
      rest = rest.drop_front();
      if (shift == 63 && byte > 1)
        return false;
      value |= uint64_t(byte & 127) << shift;
      if (!(byte & 128))
        return true;
    }
    return false;
  }

  bool take(uint64_t count, llvm::StringRef &bytes) {
    if (count > rest.size())
      return false;
    bytes = rest.take_front(count);
    rest = rest.drop_front(count);
    return true;
  }

private:
  llvm::StringRef rest;
};

/// One field: a varint's value, or the bytes of everything else.
struct FieldValue {
  uint64_t field = 0;
  unsigned wire = 0;
  uint64_t value = 0;
  llvm::StringRef bytes;
};

/// The fields before it is known which of them hold the elements.
struct Message {
  uint64_t dataType = 0;
  std::vector<int64_t> shape;
  std::string name;
  std::optional<llvm::StringRef> raw;
  /// float_data and double_data: as on the wire, which is little-endian.
  std::string floats, doubles;
  /// int32_data, int64_data, uint64_data.
  std::vector<uint64_t> ints32, ints64, uints64;
  bool external = false, segment = false, strings = false;
};

} // namespace

static bool readField(Wire &wire, FieldValue &field) {
  uint64_t tag;
  if (!wire.varint(tag))
    return false;
  field.field = tag >> 3;
  field.wire = tag & 7;
  uint64_t length = 0;
  switch (field.wire) {
  case Varint:
    return field.field != 0 && wire.varint(field.value);
  case Fixed64:
    length = 8;
    break;
  case Fixed32:
    length = 4;
    break;
  case Bytes:
    if (!wire.varint(length))
      return false;
    break;
  default:
    return false;
  }
  return field.field != 0 && wire.take(length, field.bytes);
}

/// A repeated varint field: one value, or packed.
static bool appendVarints(const FieldValue &field, std::vector<uint64_t> &to) {
  if (field.wire == Varint) {
    to.push_back(field.value);
    return true;
  }
  if (field.wire != Bytes)
    return false;
  Wire packed(field.bytes);
  while (!packed.atEnd()) {
    uint64_t value;
    if (!packed.varint(value))
      return false;
    to.push_back(value);
  }
  return true;
}

/// A repeated fixed-width field: one value, or packed.
static bool appendFixed(const FieldValue &field, WireType single,
                        std::string &to) {
  if (field.wire != single && field.wire != Bytes)
    return false;
  to += field.bytes;
  return true;
}

static bool storeField(const FieldValue &field, Message &message) {
  switch (field.field) {
  case Dims: {
    std::vector<uint64_t> dims;
    if (!appendVarints(field, dims) ||
        message.shape.size() + dims.size() > kMaximumRank)
      return false;
    message.shape.insert(message.shape.end(), dims.begin(), dims.end());
    return true;
  }
  case DataType:
    message.dataType = field.value;
    return field.wire == Varint;
  case Segment:
    message.segment = true;
    return true;
  case FloatData:
    return appendFixed(field, Fixed32, message.floats);
  case Int32Data:
    return appendVarints(field, message.ints32);
  case StringData:
    message.strings = true;
    return true;
  case Int64Data:
    return appendVarints(field, message.ints64);
  case Name:
    message.name = field.bytes.str();
    return field.wire == Bytes;
  case RawData:
    message.raw = field.bytes;
    return field.wire == Bytes;
  case DoubleData:
    return appendFixed(field, Fixed64, message.doubles);
  case Uint64Data:
    return appendVarints(field, message.uints64);
  case ExternalData:
    message.external = true;
    return true;
  case DataLocation:
    message.external |= field.value == 1;
    return field.wire == Varint;
  default:
    return true;
  }
}

/// onnx.proto's TensorProto.DataType.
static std::optional<ElementKind> protoKind(uint64_t dataType) {
  switch (dataType) {
  case 1:
    return ElementKind::F32;
  case 2:
    return ElementKind::U8;
  case 3:
    return ElementKind::I8;
  case 4:
    return ElementKind::U16;
  case 5:
    return ElementKind::I16;
  case 6:
    return ElementKind::I32;
  case 7:
    return ElementKind::I64;
  case 9:
    return ElementKind::Bool;
  case 10:
    return ElementKind::F16;
  case 11:
    return ElementKind::F64;
  case 12:
    return ElementKind::U32;
  case 13:
    return ElementKind::U64;
  case 16:
    return ElementKind::BF16;
  default:
    return std::nullopt;
  }
}

/// The low bytes of each value, as raw_data would hold them.
static std::string narrowed(llvm::ArrayRef<uint64_t> values, ElementKind kind) {
  std::string bytes;
  unsigned size = elementSize(kind);
  bytes.reserve(values.size() * size);
  for (uint64_t value : values) {
    char all[8];
    llvm::support::endian::write64le(all, value);
    bytes.append(all, size);
  }
  return bytes;
}

static std::string typedBytes(Message &message, ElementKind kind) {
  switch (kind) {
  case ElementKind::F32:
    return std::move(message.floats);
  case ElementKind::F64:
    return std::move(message.doubles);
  case ElementKind::I64:
    return narrowed(message.ints64, kind);
  case ElementKind::U32:
  case ElementKind::U64:
    return narrowed(message.uints64, kind);
  default:
    return narrowed(message.ints32, kind);
  }
}

llvm::Expected<TensorProtoData>
calibration::parseTensorProto(llvm::StringRef bytes, llvm::StringRef fileName) {
  auto damaged = [&](const std::string &why) {
    return makeError(442,
                     "'" + fileName.str() + "' is not an ONNX tensor: " + why,
                     {}, "copy or write the file again");
  };
  Wire wire(bytes);
  Message message;
  while (!wire.atEnd()) {
    FieldValue field;
    if (!readField(wire, field) || !storeField(field, message))
      return damaged("its bytes are not a valid TensorProto message");
  }
  std::optional<ElementKind> kind = protoKind(message.dataType);
  if (message.external || message.segment || message.strings || !kind) {
    std::string what = message.external  ? "external data"
                       : message.segment ? "a segment"
                       : message.strings
                           ? "strings"
                           : "data type " + std::to_string(message.dataType);
    return makeError(443,
                     "'" + fileName.str() + "' holds " + what +
                         ", but plain numbers are expected",
                     {}, "store a dense tensor of f32 or integers in the file");
  }
  std::optional<int64_t> count = countElements(message.shape);
  if (!count)
    return damaged("its shape " + formatShape(message.shape) +
                   " is impossible or too large");
  TensorProtoData tensor;
  std::string typed = typedBytes(message, *kind);
  if (message.raw && !typed.empty())
    return damaged("it has its elements twice");
  tensor.bytes = message.raw ? message.raw->str() : std::move(typed);
  uint64_t expected = *count * elementSize(*kind);
  if (tensor.bytes.size() != expected)
    return damaged("its shape " + formatShape(message.shape) + " " +
                   elementName(*kind).str() + " expects " +
                   std::to_string(expected) + " bytes, but got " +
                   std::to_string(tensor.bytes.size()));
  tensor.name = std::move(message.name);
  tensor.kind = *kind;
  tensor.shape = std::move(message.shape);
  return tensor;
}
