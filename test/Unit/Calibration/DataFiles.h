// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data files that the reader tests write for themselves, each format from its
// own definition and not through the code under test.
#pragma once

#include "qopt/Calibration/DataArray.h"
#include <map>
#include <string>
#include <vector>

namespace qopt_test {

/// A folder that is removed with all its contents.
class TempFolder {
public:
  TempFolder();
  ~TempFolder();

  std::string operator/(const std::string &name) const {
    return path + "/" + name;
  }
  const std::string &str() const { return path; }

private:
  std::string path;
};

void writeBytes(const std::string &path, const std::string &bytes);
void writeGzip(const std::string &path, const std::string &bytes);
void makeFolder(const std::string &path);
std::string readBytes(const std::string &path);

/// Members by file name ("x.npy"), stored or deflated.
void writeZip(const std::string &path,
              const std::map<std::string, std::string> &members, bool deflated);

/// One deflated member with the contents of a file.
void writeZipOfFile(const std::string &path, const std::string &member,
                    const std::string &file);

/// The bytes of an `.npy`: `descr` is '<f4', `shape` "(2, 3)".
std::string npy(const std::string &descr, const std::string &shape,
                const std::string &data, const std::string &order = "False");

/// Elements as they lie in memory.
template <typename T> std::string raw(const std::vector<T> &values) {
  return std::string(reinterpret_cast<const char *>(values.data()),
                     values.size() * sizeof(T));
}

/// An f32 `.npy` whose elements count up from `first`.
std::string countingNpy(const std::string &shape, int elements,
                        float first = 0);

/// An IDX file: element code, dimensions, data as it is.
std::string idx(unsigned code, const std::vector<unsigned> &dims,
                const std::string &data);

/// Wire encoding of TensorProto fields.
std::string varint(uint64_t value);
std::string varintField(unsigned field, uint64_t value);
std::string bytesField(unsigned field, const std::string &bytes);
/// dims, data type 1 and raw_data of counting f32.
std::string countingProto(const std::vector<int64_t> &dims, int elements,
                          float first = 0);

/// The printed error (and its exit code's class), "" for success.
std::string text(llvm::Error error);
template <typename T> std::string text(llvm::Expected<T> value) {
  return value ? std::string() : text(value.takeError());
}

/// True where `message` is error `code` ("Q0442") and has each of `parts`.
bool refuses(const std::string &message, const std::string &code,
             const std::vector<std::string> &parts = {});

} // namespace qopt_test
