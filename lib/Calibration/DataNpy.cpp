// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NPY: the header is a Python dictionary literal, parsed by hand and strictly.

#include "qopt/Calibration/DataFormats.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

static constexpr uint32_t kMaximumHeaderBytes = 65536;
static constexpr size_t kMaximumRank = 32;

namespace {

/// Reads the literals that an NPY header is made of.
class Cursor {
public:
  explicit Cursor(llvm::StringRef text) : rest(text) { skipSpace(); }

  bool consume(char expected) {
    if (rest.empty() || rest.front() != expected)
      return false;
    rest = rest.drop_front();
    skipSpace();
    return true;
  }

  /// 'text' or "text", without escapes.
  std::optional<llvm::StringRef> string() {
    if (rest.empty() || (rest.front() != '\'' && rest.front() != '"'))
      return std::nullopt;
    size_t end = rest.find(rest.front(), 1);
    if (end == llvm::StringRef::npos)
      return std::nullopt;
    llvm::StringRef value = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    skipSpace();
    return value;
  }

  std::optional<bool> boolean() {
    std::optional<bool> value;
    if (rest.consume_front("True"))
      value = true;
    else if (rest.consume_front("False"))
      value = false;
    skipSpace();
    return value;
  }

  /// (3, 4), (3,) or (); dimensions may end with Python 2's L.
  std::optional<std::vector<int64_t>> tuple() {
    std::vector<int64_t> dims;
    if (!consume('('))
      return std::nullopt;
    while (!consume(')')) {
      uint64_t dim;
      if (dims.size() == kMaximumRank || rest.consumeInteger(10, dim) ||
          dim > static_cast<uint64_t>(INT64_MAX))
        return std::nullopt;
      rest.consume_front("L");
      skipSpace();
      dims.push_back(static_cast<int64_t>(dim));
      if (!consume(',') && !rest.starts_with(")"))
        return std::nullopt;
    }
    return dims;
  }

  bool atEnd() const { return rest.empty(); }
  llvm::StringRef left() const { return rest; }

private:
  void skipSpace() { rest = rest.ltrim(" \t\r\n"); }

  llvm::StringRef rest;
};

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortranOrder;
  std::optional<std::vector<int64_t>> shape;
};

} // namespace

static llvm::Error badHeader(const ByteSource &source, llvm::StringRef why) {
  return makeError(
      442,
      ("'" + source.getName() + "' has a damaged .npy header: " + why).str(),
      {}, "write the file again with numpy.save");
}

static llvm::Error badType(const ByteSource &source, llvm::StringRef descr,
                           llvm::StringRef what) {
  return makeError(443,
                   ("'" + source.getName() + "' holds " + what + " (numpy " +
                    "type '" + descr + "'), but numbers are expected")
                       .str(),
                   {"f16, f32, f64, integers and bool can be read"},
                   "convert it with array.astype(numpy.float32)");
}

static llvm::Error parseDescr(const ByteSource &source, llvm::StringRef descr,
                              ArrayInfo &info) {
  llvm::StringRef code = descr;
  char order = '|';
  if (!code.empty() && llvm::StringRef("<>|=").contains(code.front())) {
    order = code.front();
    code = code.drop_front();
  }
  std::optional<ElementKind> kind =
      llvm::StringSwitch<std::optional<ElementKind>>(code)
          .Case("f4", ElementKind::F32)
          .Case("f8", ElementKind::F64)
          .Case("f2", ElementKind::F16)
          .Case("i1", ElementKind::I8)
          .Case("i2", ElementKind::I16)
          .Case("i4", ElementKind::I32)
          .Case("i8", ElementKind::I64)
          .Case("u1", ElementKind::U8)
          .Case("u2", ElementKind::U16)
          .Case("u4", ElementKind::U32)
          .Case("u8", ElementKind::U64)
          .Cases({"b1", "?"}, ElementKind::Bool)
          .Default(std::nullopt);
  if (!kind) {
    llvm::StringRef what =
        llvm::StringSwitch<llvm::StringRef>(code.take_front(1))
            .Case("O", "pickled Python objects")
            .Cases({"U", "S"}, "strings")
            .Case("c", "complex numbers")
            .Cases({"M", "m"}, "dates")
            .Case("V", "raw bytes")
            .Default("an unknown element type");
    return badType(source, descr, what);
  }
  if (order == '|' && elementSize(*kind) > 1)
    return badType(source, descr, "elements without a byte order");
  info.kind = *kind;
  info.bigEndian = order == '>';
  return llvm::Error::success();
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
static llvm::Error parseDictionary(const ByteSource &source,
                                   llvm::StringRef text, Header &header) {
  Cursor cursor(text);
  if (!cursor.consume('{'))
    return badHeader(source, "a dictionary is expected");
  while (!cursor.consume('}')) {
    auto key = cursor.string();
    if (!key || !cursor.consume(':'))
      return badHeader(source, "a key is expected");
    bool parsed = false;
    if (*key == "descr" && !header.descr) {
      if (cursor.left().starts_with("["))
        return badType(source, "[...]", "structured records");
      if (auto value = cursor.string())
        header.descr = value->str();
      parsed = header.descr.has_value();
    } else if (*key == "fortran_order" && !header.fortranOrder) {
      header.fortranOrder = cursor.boolean();
      parsed = header.fortranOrder.has_value();
    } else if (*key == "shape" && !header.shape) {
      header.shape = cursor.tuple();
      parsed = header.shape.has_value();
    }
    if (!parsed)
      return badHeader(source, "the value of one of its keys is not valid");
    if (!cursor.consume(',') && !cursor.left().starts_with("}"))
      return badHeader(source, "',' or '}' is expected");
  }
  if (!cursor.atEnd() || !header.descr || !header.fortranOrder || !header.shape)
    return badHeader(source, "descr, fortran_order and shape are expected");
  return llvm::Error::success();
}

llvm::Expected<ArrayInfo> calibration::parseNpyHeader(ByteSource &source) {
  char start[12] = {};
  if (llvm::Error error = source.read(0, {start, 10}))
    return std::move(error);
  if (llvm::StringRef(start, 6) != "\x93NUMPY")
    return badHeader(source, "it does not start with the NUMPY magic");
  int version = start[6];
  if (version < 1 || version > 3)
    return badHeader(source, "its version is not 1, 2 or 3");
  uint64_t prefix = version == 1 ? 10 : 12;
  uint32_t length = llvm::support::endian::read16le(start + 8);
  if (version > 1) {
    if (llvm::Error error = source.read(10, {start + 10, 2}))
      return std::move(error);
    length = llvm::support::endian::read32le(start + 8);
  }
  if (length > kMaximumHeaderBytes)
    return badHeader(source, "it is longer than 64 KiB");
  std::string text(length, '\0');
  if (llvm::Error error = source.read(prefix, {text.data(), text.size()}))
    return std::move(error);

  Header header;
  if (llvm::Error error = parseDictionary(source, text, header))
    return std::move(error);
  ArrayInfo info;
  if (llvm::Error error = parseDescr(source, *header.descr, info))
    return std::move(error);
  int64_t longAxes =
      llvm::count_if(*header.shape, [](int64_t d) { return d != 1; });
  if (*header.fortranOrder && longAxes > 1)
    return makeError(443,
                     "'" + source.getName() +
                         "' is in column-major (Fortran) order, row-major is "
                         "expected",
                     {}, "store numpy.ascontiguousarray(array)");
  info.shape = std::move(*header.shape);
  info.dataOffset = prefix + length;
  return info;
}

std::string calibration::npyHeader(ElementKind kind,
                                   llvm::ArrayRef<int64_t> shape) {
  static constexpr const char *codes[] = {"<f4", "<f8", "<f2", "|V2", "|i1",
                                          "<i2", "<i4", "<i8", "|u1", "<u2",
                                          "<u4", "<u8", "|b1"};
  std::string text = "{'descr': '";
  text += codes[static_cast<unsigned>(kind)];
  text += "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < shape.size(); ++i)
    text += std::to_string(shape[i]) + (i + 1 < shape.size() ? ", " : "");
  text += shape.size() == 1 ? ",), }" : "), }";
  // numpy ends the header with a line feed on a multiple of 64 bytes.
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 255);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

llvm::Error calibration::writeNpy(llvm::StringRef path, ElementKind kind,
                                  llvm::ArrayRef<int64_t> shape,
                                  llvm::ArrayRef<char> bytes) {
  std::optional<int64_t> count = countElements(shape);
  if (!count || shape.size() > kMaximumRank || kind == ElementKind::BF16 ||
      static_cast<uint64_t>(*count) * elementSize(kind) != bytes.size())
    return makeError(700, ("array for '" + path + "' does not fill its shape " +
                           formatShape(shape))
                              .str());
  std::string contents = npyHeader(kind, shape);
  contents.append(bytes.begin(), bytes.end());
  return writeFileAtomically(path, contents);
}

template <typename T>
llvm::Error calibration::writeNpy(llvm::StringRef path,
                                  llvm::ArrayRef<int64_t> shape,
                                  llvm::ArrayRef<T> values) {
  static_assert(llvm::endianness::native == llvm::endianness::little,
                "elements are written as they lie in memory");
  constexpr ElementKind kind = std::is_same_v<T, float>      ? ElementKind::F32
                               : std::is_same_v<T, int8_t>   ? ElementKind::I8
                               : std::is_same_v<T, uint8_t>  ? ElementKind::U8
                               : std::is_same_v<T, int16_t>  ? ElementKind::I16
                               : std::is_same_v<T, uint16_t> ? ElementKind::U16
                               : std::is_same_v<T, int32_t>  ? ElementKind::I32
                                                             : ElementKind::I64;
  return writeNpy(path, kind, shape,
                  {reinterpret_cast<const char *>(values.data()),
                   values.size() * sizeof(T)});
}

namespace mlir::qopt::calibration {
#define QOPT_WRITE_NPY(T)                                                      \
  template llvm::Error writeNpy<T>(llvm::StringRef, llvm::ArrayRef<int64_t>,   \
                                   llvm::ArrayRef<T>)
QOPT_WRITE_NPY(float);
QOPT_WRITE_NPY(int8_t);
QOPT_WRITE_NPY(uint8_t);
QOPT_WRITE_NPY(int16_t);
QOPT_WRITE_NPY(uint16_t);
QOPT_WRITE_NPY(int32_t);
QOPT_WRITE_NPY(int64_t);
#undef QOPT_WRITE_NPY
} // namespace mlir::qopt::calibration
