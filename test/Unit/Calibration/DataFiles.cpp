// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writers of test data.

#include "DataFiles.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <zip.h>
#include <zlib.h>

using namespace qopt_test;

TempFolder::TempFolder() {
  llvm::SmallString<128> unique;
  EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("qopt-data", unique));
  path = std::string(unique);
}

TempFolder::~TempFolder() { llvm::sys::fs::remove_directories(path); }

void qopt_test::writeBytes(const std::string &path, const std::string &bytes) {
  // Cutting off a file that is there can wait for the disk.
  llvm::sys::fs::remove(path);
  std::error_code error;
  llvm::raw_fd_ostream os(path, error);
  ASSERT_FALSE(error) << path;
  os << bytes;
}

std::string qopt_test::readBytes(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  EXPECT_TRUE(static_cast<bool>(buffer));
  return buffer ? (*buffer)->getBuffer().str() : "";
}

void qopt_test::makeFolder(const std::string &path) {
  ASSERT_FALSE(llvm::sys::fs::create_directories(path));
}

void qopt_test::writeGzip(const std::string &path, const std::string &bytes) {
  gzFile file = gzopen(path.c_str(), "wb6");
  ASSERT_TRUE(file);
  ASSERT_EQ(gzwrite(file, bytes.data(), bytes.size()), int(bytes.size()));
  ASSERT_EQ(gzclose(file), Z_OK);
}

static void addMember(zip_t *archive, const std::string &name,
                      zip_source_t *source, bool deflated) {
  zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
  ASSERT_GE(index, 0);
  zip_set_file_compression(archive, index,
                           deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 6);
}

void qopt_test::writeZip(const std::string &path,
                         const std::map<std::string, std::string> &members,
                         bool deflated) {
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  ASSERT_TRUE(archive);
  for (const auto &[name, bytes] : members)
    addMember(archive, name,
              zip_source_buffer(archive, bytes.data(), bytes.size(), 0),
              deflated);
  ASSERT_EQ(zip_close(archive), 0);
}

void qopt_test::writeZipOfFile(const std::string &path,
                               const std::string &member,
                               const std::string &file) {
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  ASSERT_TRUE(archive);
  addMember(archive, member, zip_source_file(archive, file.c_str(), 0, -1),
            /*deflated=*/true);
  ASSERT_EQ(zip_close(archive), 0);
}

std::string qopt_test::npy(const std::string &descr, const std::string &shape,
                           const std::string &data, const std::string &order) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order +
                       ", 'shape': " + shape + ", }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size() & 255);
  bytes += char(header.size() >> 8);
  return bytes + header + data;
}

static std::string counting(int elements, float first) {
  std::vector<float> values;
  for (int i = 0; i < elements; ++i)
    values.push_back(first + i);
  return raw(values);
}

std::string qopt_test::countingNpy(const std::string &shape, int elements,
                                   float first) {
  return npy("<f4", shape, counting(elements, first));
}

std::string qopt_test::idx(unsigned code, const std::vector<unsigned> &dims,
                           const std::string &data) {
  std::string bytes(2, '\0');
  bytes += char(code);
  bytes += char(dims.size());
  for (unsigned dim : dims)
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes += char(dim >> shift);
  return bytes + data;
}

std::string qopt_test::varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7)
    bytes += char((value & 127) | 128);
  return bytes + char(value);
}

std::string qopt_test::varintField(unsigned field, uint64_t value) {
  return varint(field << 3) + varint(value);
}

std::string qopt_test::bytesField(unsigned field, const std::string &bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}

std::string qopt_test::countingProto(const std::vector<int64_t> &dims,
                                     int elements, float first) {
  std::string bytes;
  for (int64_t dim : dims)
    bytes += varintField(1, dim);
  return bytes + varintField(2, 1) + bytesField(9, counting(elements, first));
}

std::string qopt_test::text(llvm::Error error) {
  std::string printed;
  llvm::raw_string_ostream os(printed);
  mlir::qopt::reportError(std::move(error), os);
  return printed;
}

bool qopt_test::refuses(const std::string &message, const std::string &code,
                        const std::vector<std::string> &parts) {
  bool right = message.find("error[" + code + "]") == 0;
  for (const std::string &part : parts)
    right &= message.find(part) != std::string::npos;
  if (!right)
    ADD_FAILURE() << "got: " << (message.empty() ? "success" : message);
  return right;
}
