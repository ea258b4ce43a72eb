// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a module of the LLVM dialect in this process, compiled by the same code
// as an object that is written to a file.
#pragma once

#include "qopt/Target/Target.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace mlir::qopt::target {

/// Objects by a hash of their IR and target, kept in memory. Any thread may
/// use it.
class ObjectCache {
public:
  /// The object stored under `key`, or an empty string.
  std::string find(const std::string &key) const;
  void insert(const std::string &key, std::string object);
  size_t size() const;

private:
  mutable std::mutex mutex;
  std::map<std::string, std::string> objects;
};

struct JitOptions {
  TargetOptions target;
  /// Float kernels promise equal bytes on every CPU with FMA, so they refuse
  /// one without.
  bool needsFMA = false;
  /// Reused where it holds the module already. May be null.
  ObjectCache *cache = nullptr;
  /// Data of this process that the module declares, by name; outlives the code.
  std::vector<std::pair<std::string, const void *>> data = {};
};

/// One compiled module. Code and data live as long as this object.
class Jit {
public:
  /// Compiles `module`; `exports` are what `lookup` finds. The code sees no
  /// symbol of this process but memcpy, memset, memmove and `options.data`.
  /// Fails with Q0334 (this CPU lacks FMA or a feature of the target) and with
  /// the codes of Target.h and Emit.h; Q0706 if the code cannot be loaded.
  static llvm::Expected<std::unique_ptr<Jit>>
  create(ModuleOp module, llvm::ArrayRef<std::string> exports,
         const JitOptions &options = {});
  /// Loads the bytes of an object for this machine, which may read `data`.
  static llvm::Expected<std::unique_ptr<Jit>> createFromObject(
      llvm::StringRef object,
      llvm::ArrayRef<std::pair<std::string, const void *>> data = {});
  ~Jit();

  /// The address of an exported function or global. Fails with Q0706.
  llvm::Expected<void *> lookup(llvm::StringRef name) const;

private:
  struct Impl;
  explicit Jit(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace mlir::qopt::target
