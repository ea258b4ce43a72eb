// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens external tensor data without ever leaving the model's folder: each
// path component is opened below the one before it and links are not followed,
// so that nothing can change between a check and its use.
#include "ExternalData.h"

#include "qopt/Support/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mlir::qopt::importer {

static llvm::Error refuse(StringRef tensor, const ExternalLocation &location,
                          const std::string &why) {
  return makeError(208,
                   "external data " + quoted(location.path) + " of tensor " +
                       quoted(tensor) + " is refused: " + why,
                   {}, "keep the data in a regular file in the model's folder");
}

/// Opens `path` below `folder` component by component; -1 and errno on failure.
static int openBeneath(StringRef folder, ArrayRef<StringRef> components) {
  int fd = ::open(folder.empty() ? "." : folder.str().c_str(),
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (size_t i = 0; fd >= 0 && i != components.size(); ++i) {
    bool last = i + 1 == components.size();
    // O_NONBLOCK keeps a named pipe from blocking the compiler.
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
                (last ? 0 : O_DIRECTORY);
    int next = ::openat(fd, components[i].str().c_str(), flags);
    int error = errno;
    ::close(fd);
    errno = error;
    fd = next;
  }
  return fd;
}

Expected<std::unique_ptr<llvm::MemoryBuffer>>
readExternalData(StringRef folder, const ExternalLocation &location,
                 StringRef tensor) {
  StringRef path = location.path;
  if (path.empty())
    return refuse(tensor, location, "the location is empty");
  if (path.contains('\0'))
    return refuse(tensor, location, "the location holds a zero byte");
  if (path.starts_with("/"))
    return refuse(tensor, location, "the location is an absolute path");
  SmallVector<StringRef> components;
  path.split(components, '/', -1, /*KeepEmpty=*/false);
  llvm::erase(components, ".");
  if (llvm::is_contained(components, ".."))
    return refuse(tensor, location, "the location contains '..'");
  if (components.empty())
    return refuse(tensor, location, "the location is a folder");

  int fd = openBeneath(folder, components);
  if (fd < 0 && (errno == ELOOP || errno == EMLINK || errno == ENOTDIR))
    return refuse(tensor, location, "the location contains a symbolic link");
  if (fd < 0)
    return makeError(
        502, "cannot read external data " + quoted(path) + " of tensor " +
                 quoted(tensor) + ": " +
                 std::error_code(errno, std::generic_category()).message());
  llvm::scope_exit close([&] { ::close(fd); });

  struct stat status;
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return refuse(tensor, location, "it is not a regular file");
  if (status.st_nlink > 1)
    return refuse(tensor, location, "it is a hard link");
  uint64_t size = status.st_size;
  if (location.offset > size)
    return refuse(tensor, location, "the offset lies behind the file's end");
  uint64_t length = location.length.value_or(size - location.offset);
  if (length > size - location.offset)
    return refuse(tensor, location, "the data reaches behind the file's end");
  auto buffer = llvm::MemoryBuffer::getOpenFileSlice(
      llvm::sys::fs::convertFDToNativeFile(fd), path, length, location.offset);
  if (!buffer)
    return makeError(502, "cannot read external data " + quoted(path) + ": " +
                              buffer.getError().message());
  return std::move(*buffer);
}

} // namespace mlir::qopt::importer
