// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory whose end is followed by an unreadable page, so that reading beyond
// it is seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>

namespace mlir::qopt::codegen::testing {

class GuardedBuffer {
public:
  explicit GuardedBuffer(size_t size) {
    size_t page = sysconf(_SC_PAGESIZE);
    size_t used = (size + page - 1) / page * page;
    mapped = used + page;
    base = static_cast<uint8_t *>(mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base == MAP_FAILED) {
      base = nullptr;
      return;
    }
    mprotect(base + used, page, PROT_NONE);
    begin = base + used - size;
  }
  ~GuardedBuffer() {
    if (base)
      munmap(base, mapped);
  }
  GuardedBuffer(const GuardedBuffer &) = delete;
  GuardedBuffer &operator=(const GuardedBuffer &) = delete;

  /// `size` bytes; null if there was no memory.
  uint8_t *data() const { return begin; }

private:
  uint8_t *base = nullptr, *begin = nullptr;
  size_t mapped = 0;
};

} // namespace mlir::qopt::codegen::testing
