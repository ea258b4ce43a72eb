// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IDX headers, and which format a file is.

#include "qopt/Calibration/DataFormats.h"
#include "qopt/Calibration/DataStream.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

/// protobuf itself reads no larger message.
static constexpr uint64_t kMaximumProtoBytes = uint64_t(1) << 31;

static std::optional<ElementKind> idxKind(uint8_t code) {
  switch (code) {
  case 0x08:
    return ElementKind::U8;
  case 0x09:
    return ElementKind::I8;
  case 0x0b:
    return ElementKind::I16;
  case 0x0c:
    return ElementKind::I32;
  case 0x0d:
    return ElementKind::F32;
  case 0x0e:
    return ElementKind::F64;
  default:
    return std::nullopt;
  }
}

llvm::Expected<ArrayInfo> calibration::parseIdxHeader(ByteSource &source) {
  char start[4];
  if (llvm::Error error = source.read(0, start))
    return std::move(error);
  std::optional<ElementKind> kind = idxKind(static_cast<uint8_t>(start[2]));
  unsigned rank = static_cast<uint8_t>(start[3]);
  if (start[0] != 0 || start[1] != 0 || !kind || rank == 0 || rank > 32)
    return makeError(442,
                     "'" + source.getName() +
                         "' has a damaged IDX header: element code or rank is "
                         "not valid",
                     {}, "copy the file again");
  char dims[4 * 32];
  if (llvm::Error error = source.read(4, {dims, 4 * rank}))
    return std::move(error);
  ArrayInfo info;
  info.kind = *kind;
  info.bigEndian = true;
  for (unsigned i = 0; i < rank; ++i)
    info.shape.push_back(llvm::support::endian::read32be(dims + 4 * i));
  info.dataOffset = 4 + 4 * rank;
  return info;
}

static llvm::Expected<std::unique_ptr<ArrayReader>>
openTensorProto(llvm::StringRef path, std::unique_ptr<ByteSource> source) {
  std::optional<uint64_t> size = source->size();
  if (!size || *size > kMaximumProtoBytes)
    return makeError(442, ("'" + path +
                           "' is compressed or larger than 2 GiB, which "
                           "a TensorProto cannot be")
                              .str());
  std::string bytes(*size, '\0');
  if (llvm::Error error = source->read(0, {bytes.data(), bytes.size()}))
    return std::move(error);
  auto tensor = parseTensorProto(bytes, path);
  if (!tensor)
    return tensor.takeError();
  ArrayInfo info;
  info.kind = tensor->kind;
  info.shape = std::move(tensor->shape);
  return ArrayReader::create(
      makeMemoryBytes(path.str(), std::move(tensor->bytes)), std::move(info));
}

llvm::Expected<std::unique_ptr<ArrayReader>>
calibration::openArrayFile(llvm::StringRef path) {
  auto source = openFileBytes(path);
  if (!source)
    return source.takeError();
  if (path.ends_with(".pb"))
    return openTensorProto(path, std::move(*source));
  char magic[4] = {};
  if (llvm::Error error = (*source)->read(0, magic))
    return std::move(error);
  llvm::StringRef start(magic, 4);
  if (start != "\x93NUM" && start.take_front(2) != llvm::StringRef("\0\0", 2))
    return makeError(441,
                     ("'" + path +
                      "' is not a data file: it starts with the bytes " +
                      llvm::toHex(start, /*LowerCase=*/true))
                         .str(),
                     {"known are .npy, .npz, IDX (.gz too) and ONNX .pb"},
                     "convert the data, with numpy.savez for instance");
  auto info =
      start == "\x93NUM" ? parseNpyHeader(**source) : parseIdxHeader(**source);
  if (!info)
    return info.takeError();
  return ArrayReader::create(std::move(*source), std::move(*info));
}
