// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One array in one file, whatever the file format: element kinds, positioned
// byte sources, and the reader that converts elements piece by piece.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlir::qopt::calibration {

/// Element types that data files and graph inputs may have.
enum class ElementKind : uint8_t {
  F32,
  F64,
  F16,
  BF16,
  I8,
  I16,
  I32,
  I64,
  U8,
  U16,
  U32,
  U64,
  Bool,
};

/// Bytes of one element: 1, 2, 4 or 8.
unsigned elementSize(ElementKind kind);

/// `f32`, `u8`, `bool`: the names used in messages.
llvm::StringRef elementName(ElementKind kind);

/// True for f32, f64, f16 and bf16.
bool isFloat(ElementKind kind);

/// `1x3x224x224`; `scalar` for rank 0.
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// The product of `shape`, or nullopt where a dimension is negative or the
/// product exceeds 2^48 (more than any data file can hold).
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape);

/// Bytes of a file or an archive member that are read by position. Memory does
/// not depend on the size. Not thread safe.
class ByteSource {
public:
  explicit ByteSource(std::string name) : name(std::move(name)) {}
  virtual ~ByteSource();

  /// Number of bytes; nullopt where only reading to the end tells (gzip).
  virtual std::optional<uint64_t> size() const = 0;

  /// No source can hold more bytes than this; bounds what a header may claim.
  virtual uint64_t maximumSize() const { return *size(); }

  /// Fills `bytes` from `offset`. Fails with Q0442 where the source ends
  /// earlier or is damaged. Sources that must be decompressed serve growing
  /// offsets in one pass; a smaller offset starts them again.
  virtual llvm::Error read(uint64_t offset,
                           llvm::MutableArrayRef<char> bytes) = 0;

  /// Called when the last byte that the header promised has been read: checks
  /// what is known only at the end (checksum, excess bytes). Q0442.
  virtual llvm::Error finish(uint64_t offset);

  /// The file as messages name it; for a member `data.npz:x.npy`.
  const std::string &getName() const { return name; }

private:
  std::string name;
};

/// Opens a regular file; one that starts with the gzip magic is decompressed
/// while it is read. Q0441 where it cannot be opened.
llvm::Expected<std::unique_ptr<ByteSource>> openFileBytes(llvm::StringRef path);

/// Bytes already in memory.
std::unique_ptr<ByteSource> makeMemoryBytes(std::string name,
                                            std::string contents);

/// Bytes of somebody else, who keeps them alive.
std::unique_ptr<ByteSource> makeBorrowedBytes(std::string name,
                                              llvm::StringRef contents);

/// What a header says: row-major elements that start at `dataOffset`.
struct ArrayInfo {
  ElementKind kind = ElementKind::F32;
  bool bigEndian = false;
  std::vector<int64_t> shape;
  uint64_t dataOffset = 0;
};

/// Reads an array's elements in pieces, through a buffer of fixed size.
class ArrayReader {
public:
  /// Checks `info` against the source: the shape must not overflow and the
  /// source must hold exactly the bytes that it claims (Q0442).
  static llvm::Expected<std::unique_ptr<ArrayReader>>
  create(std::unique_ptr<ByteSource> source, ArrayInfo info);

  const std::string &getName() const { return source->getName(); }
  ElementKind getKind() const { return info.kind; }
  llvm::ArrayRef<int64_t> getShape() const { return info.shape; }
  int64_t getNumElements() const { return numElements; }

  /// Elements [first, first + out.size()) as f32: f32 unchanged, f16 and bf16
  /// exactly, bool as 0 or 1, f64 and integers as the nearest f32 (half to
  /// even); an f64 beyond f32's range becomes an infinity.
  llvm::Error readFloats(int64_t first, llvm::MutableArrayRef<float> out);

  /// The same elements as integers. Float kinds are refused (Q0443), and so is
  /// a u64 value of 2^63 or more (Q0446).
  llvm::Error readIntegers(int64_t first, llvm::MutableArrayRef<int64_t> out);

private:
  ArrayReader(std::unique_ptr<ByteSource> source, ArrayInfo info,
              int64_t numElements)
      : source(std::move(source)), info(std::move(info)),
        numElements(numElements) {}

  template <typename Convert>
  llvm::Error readPieces(int64_t first, int64_t count, Convert convert);

  std::unique_ptr<ByteSource> source;
  ArrayInfo info;
  int64_t numElements;
};

} // namespace mlir::qopt::calibration
