// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Atomic writes and checked reads.

#include "qopt/Support/File.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::qopt;

bool mlir::qopt::isSpecialFile(llvm::StringRef path) {
  llvm::sys::fs::file_status status;
  return !llvm::sys::fs::status(path, status) &&
         llvm::sys::fs::is_other(status);
}

static llvm::Error writeRefused(llvm::StringRef path, std::string why) {
  return makeError(501, ("cannot write '" + path + "': " + why).str(), {},
                   "name a file in a folder that can be written");
}

llvm::Error mlir::qopt::writeFileAtomically(llvm::StringRef path,
                                            llvm::StringRef contents,
                                            bool executable) {
  if (path == "-") {
    llvm::outs() << contents;
    llvm::outs().flush();
    return llvm::Error::success();
  }
  if (isSpecialFile(path)) {
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    os << contents;
    os.flush();
    if (!error)
      error = os.error();
    os.clear_error();
    return error ? writeRefused(path, error.message())
                 : llvm::Error::success();
  }
  unsigned mode = llvm::sys::fs::all_read | llvm::sys::fs::all_write;
  if (executable)
    mode |= llvm::sys::fs::all_exe;
  auto temporary = llvm::sys::fs::TempFile::create(path + ".tmp%%%%%%", mode);
  if (!temporary)
    return writeRefused(path, llvm::toString(temporary.takeError()));
  {
    llvm::raw_fd_ostream os(temporary->FD, /*shouldClose=*/false);
    os << contents;
    os.flush();
    if (std::error_code error = os.error()) {
      os.clear_error();
      llvm::consumeError(temporary->discard());
      return writeRefused(path, error.message());
    }
  }
  // The mode a temporary file gets ignores the umask that a plain file obeys.
  unsigned umask = llvm::sys::fs::getUmask();
  if (std::error_code error = llvm::sys::fs::setPermissions(
          temporary->FD, static_cast<llvm::sys::fs::perms>(mode & ~umask))) {
    llvm::consumeError(temporary->discard());
    return writeRefused(path, error.message());
  }
  if (llvm::Error error = temporary->keep(path)) {
    std::string why = llvm::toString(std::move(error));
    llvm::consumeError(temporary->discard());
    return writeRefused(path, why);
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
mlir::qopt::readFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError(
        502, ("cannot read '" + path + "': " + buffer.getError().message()).str(),
        {}, "check the path");
  return std::move(*buffer);
}
