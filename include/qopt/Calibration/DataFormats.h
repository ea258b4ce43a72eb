// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file formats that hold arrays: NPY, NPZ, IDX, ONNX TensorProto. Headers
// come from anybody: each parser is bounded and refuses with Q0442 or Q0443.
#pragma once

#include "qopt/Calibration/DataArray.h"

namespace mlir::qopt::calibration {

/// Parses an NPY header, versions 1 to 3. Column-major order is refused unless
/// it is the same as row-major; so are object, string, structured and complex
/// elements. The header may have 64 KiB at most.
llvm::Expected<ArrayInfo> parseNpyHeader(ByteSource &source);

/// Parses an IDX header (big-endian, two zero bytes, element code, rank).
llvm::Expected<ArrayInfo> parseIdxHeader(ByteSource &source);

/// A TensorProto in row-major little-endian bytes.
struct TensorProtoData {
  std::string name;
  ElementKind kind = ElementKind::F32;
  std::vector<int64_t> shape;
  std::string bytes;
};

/// Parses the wire form of an ONNX TensorProto. `fileName` is for messages.
/// Strings, segments, external data and sub-byte or 8-bit float types are
/// refused (Q0443); so is data that does not fill the shape (Q0442).
llvm::Expected<TensorProtoData> parseTensorProto(llvm::StringRef bytes,
                                                 llvm::StringRef fileName);

/// Opens one array of an `.npy`, IDX (`.gz` too) or `.pb` file. NPY and IDX are
/// told apart by their first bytes, `.pb` by its suffix.
llvm::Expected<std::unique_ptr<ArrayReader>>
openArrayFile(llvm::StringRef path);

/// True where the file starts like a zip archive. Q0441 where it cannot be
/// opened.
llvm::Expected<bool> isZipFile(llvm::StringRef path);

/// The arrays of an `.npz` by name (member `x.npy` is `x`), in archive order.
/// Members that are not `.npy` files are left out.
llvm::Expected<std::vector<std::string>> listNpzArrays(llvm::StringRef path);

/// Opens the array `name` of an `.npz`: stored members are read in place,
/// deflated ones are decompressed as they are read. A member whose size is
/// impossible for its compressed bytes is refused before any of it is read.
llvm::Expected<std::unique_ptr<ArrayReader>> openNpzArray(llvm::StringRef path,
                                                          llvm::StringRef name);

/// An NPY version 1.0 header for a row-major little-endian array, padded to 64
/// bytes as numpy does. BF16 has no NPY type; it must not be asked for.
std::string npyHeader(ElementKind kind, llvm::ArrayRef<int64_t> shape);

/// Writes an `.npy` file whole or not at all (Q0501). `bytes` are the elements
/// in row-major little-endian order; a wrong count is an internal error.
llvm::Error writeNpy(llvm::StringRef path, ElementKind kind,
                     llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<char> bytes);

/// `writeNpy` for a plain array of f32 or of integers.
template <typename T>
llvm::Error writeNpy(llvm::StringRef path, llvm::ArrayRef<int64_t> shape,
                     llvm::ArrayRef<T> values);

} // namespace mlir::qopt::calibration
