// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Positioned reads from plain files, gzip files and memory. Files are read, not
// mapped: a file that shrinks while it is used is then an error, not a signal.

#include "qopt/Calibration/DataStream.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

static constexpr size_t kSkipBytes = 65536;
static constexpr uint64_t kMaximumReadBytes = 1u << 30;

static llvm::Error endsEarly(const ByteSource &source, uint64_t offset) {
  return makeError(442,
                   "'" + source.getName() + "' ends before byte " +
                       std::to_string(offset) + ", which its header promises",
                   {}, "the file is cut off; copy or write it again");
}

static llvm::Error cannotOpen(llvm::StringRef path, llvm::StringRef why) {
  return makeError(441, ("cannot read data '" + path + "': " + why).str(), {},
                   "check the path");
}

ByteSource::~ByteSource() = default;

llvm::Error ByteSource::finish(uint64_t) { return llvm::Error::success(); }

llvm::Error SequentialSource::advance(uint64_t offset) {
  char skipped[kSkipBytes];
  while (position < offset) {
    size_t count = std::min<uint64_t>(offset - position, kSkipBytes);
    auto got = readSome({skipped, count});
    if (!got)
      return got.takeError();
    if (*got == 0)
      return endsEarly(*this, offset);
    position += *got;
  }
  return llvm::Error::success();
}

llvm::Error SequentialSource::read(uint64_t offset,
                                   llvm::MutableArrayRef<char> bytes) {
  if (!started || offset < position) {
    // A failure below leaves the stream unusable until it is started again.
    started = false;
    position = 0;
    if (llvm::Error error = restart())
      return error;
  }
  started = false;
  if (llvm::Error error = advance(offset))
    return error;
  while (!bytes.empty()) {
    auto got = readSome(
        bytes.take_front(std::min<uint64_t>(bytes.size(), kMaximumReadBytes)));
    if (!got)
      return got.takeError();
    if (*got == 0)
      return endsEarly(*this, position + bytes.size());
    position += *got;
    bytes = bytes.drop_front(*got);
  }
  started = true;
  return llvm::Error::success();
}

llvm::Error SequentialSource::finish(uint64_t offset) {
  if (!started || position != offset)
    return llvm::Error::success();
  // Checksums stand behind the last byte: only a read at the end checks them.
  char excess;
  auto got = readSome({&excess, 1});
  if (!got)
    return got.takeError();
  if (*got == 0)
    return llvm::Error::success();
  started = false;
  return makeError(442,
                   "'" + getName() + "' goes on after byte " +
                       std::to_string(offset) +
                       ", where its header says it ends",
                   {}, "write the file again");
}

uint64_t calibration::maximumInflatedSize(uint64_t compressedSize) {
  constexpr uint64_t kRatio = 1032;
  constexpr uint64_t kSlack = 1024;
  if (compressedSize > (UINT64_MAX - kSlack) / kRatio)
    return UINT64_MAX;
  return compressedSize * kRatio + kSlack;
}

llvm::Expected<uint64_t> calibration::regularFileSize(llvm::StringRef path) {
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return cannotOpen(path, error.message());
  if (!llvm::sys::fs::is_regular_file(status))
    return cannotOpen(path, "it is not a regular file");
  return status.getSize();
}

namespace {

class FileBytes : public ByteSource {
public:
  FileBytes(std::string name, int descriptor, uint64_t fileSize)
      : ByteSource(std::move(name)), descriptor(descriptor),
        fileSize(fileSize) {}
  ~FileBytes() override { ::close(descriptor); }

  std::optional<uint64_t> size() const override { return fileSize; }

  llvm::Error read(uint64_t offset,
                   llvm::MutableArrayRef<char> bytes) override {
    while (!bytes.empty()) {
      ssize_t got =
          ::pread(descriptor, bytes.data(),
                  std::min<uint64_t>(bytes.size(), kMaximumReadBytes), offset);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return cannotOpen(getName(), llvm::sys::StrError(errno));
      if (got == 0)
        return endsEarly(*this, offset + bytes.size());
      offset += got;
      bytes = bytes.drop_front(got);
    }
    return llvm::Error::success();
  }

private:
  int descriptor;
  uint64_t fileSize;
};

class GzipBytes : public SequentialSource {
public:
  GzipBytes(std::string name, gzFile file, uint64_t compressedSize)
      : SequentialSource(std::move(name)), file(file),
        compressedSize(compressedSize) {}
  ~GzipBytes() override { gzclose_r(file); }

  std::optional<uint64_t> size() const override { return std::nullopt; }
  uint64_t maximumSize() const override {
    return maximumInflatedSize(compressedSize);
  }

protected:
  llvm::Error restart() override {
    if (gzrewind(file) == 0)
      return llvm::Error::success();
    return damaged();
  }

  llvm::Expected<size_t> readSome(llvm::MutableArrayRef<char> bytes) override {
    int got = gzread(file, bytes.data(), bytes.size());
    int code = Z_OK;
    gzerror(file, &code);
    // A file cut off inside its last block reports Z_BUF_ERROR with the bytes.
    if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END))
      return damaged();
    return got;
  }

private:
  llvm::Error damaged() {
    int code = Z_OK;
    const char *message = gzerror(file, &code);
    return makeError(442,
                     "'" + getName() + "' is a damaged gzip file: " + message,
                     {}, "copy or compress it again");
  }

  gzFile file;
  uint64_t compressedSize;
};

/// Bytes in memory: a string of its own, or what a reference shows.
template <typename Contents> class MemoryBytes : public ByteSource {
public:
  MemoryBytes(std::string name, Contents contents)
      : ByteSource(std::move(name)), contents(std::move(contents)) {}

  std::optional<uint64_t> size() const override { return contents.size(); }

  llvm::Error read(uint64_t offset,
                   llvm::MutableArrayRef<char> bytes) override {
    if (offset > contents.size() || bytes.size() > contents.size() - offset)
      return endsEarly(*this, offset + bytes.size());
    if (!bytes.empty())
      std::memcpy(bytes.data(), contents.data() + offset, bytes.size());
    return llvm::Error::success();
  }

private:
  Contents contents;
};

} // namespace

llvm::Expected<std::unique_ptr<ByteSource>>
calibration::openFileBytes(llvm::StringRef path) {
  auto fileSize = regularFileSize(path);
  if (!fileSize)
    return fileSize.takeError();
  std::string name = path.str();
  int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return cannotOpen(path, llvm::sys::StrError(errno));
  auto plain = std::make_unique<FileBytes>(name, descriptor, *fileSize);
  char magic[2] = {};
  if (*fileSize >= sizeof(magic))
    if (llvm::Error error = plain->read(0, magic))
      return std::move(error);
  if (static_cast<uint8_t>(magic[0]) != 0x1f ||
      static_cast<uint8_t>(magic[1]) != 0x8b)
    return std::unique_ptr<ByteSource>(std::move(plain));

  plain.reset();
  gzFile file = gzopen(name.c_str(), "rbe");
  if (!file)
    return cannotOpen(path, "zlib cannot open it");
  gzbuffer(file, 1u << 17);
  return std::make_unique<GzipBytes>(name, file, *fileSize);
}

std::unique_ptr<ByteSource> calibration::makeMemoryBytes(std::string name,
                                                         std::string contents) {
  return std::make_unique<MemoryBytes<std::string>>(std::move(name),
                                                    std::move(contents));
}

std::unique_ptr<ByteSource>
calibration::makeBorrowedBytes(std::string name, llvm::StringRef contents) {
  return std::make_unique<MemoryBytes<llvm::StringRef>>(std::move(name),
                                                        contents);
}
