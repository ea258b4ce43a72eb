// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An x86-64 ELF object seen as functions, instructions and what they refer to.
#pragma once

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/MC/MCInst.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/Error.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class MCInstrDesc;
} // namespace llvm

namespace mlir::qopt::target {

class ObjectCode {
public:
  /// A function symbol: `size` bytes from `offset` in section `section`.
  struct Function {
    std::string name;
    uint64_t section;
    uint64_t offset;
    uint64_t size;
  };

  /// One decoded instruction, or one byte that is none.
  struct Instruction {
    uint64_t section;
    uint64_t offset;
    uint64_t size;
    bool valid;
    llvm::MCInst inst;
    /// The function that it belongs to; null for padding and unnamed code.
    const Function *function;
  };

  /// A place in a section.
  struct Place {
    uint64_t section;
    uint64_t offset;
  };

  /// Fails with Q0709. `bytes` must outlive the result.
  static llvm::Expected<std::unique_ptr<ObjectCode>>
  create(llvm::StringRef bytes);
  ~ObjectCode();

  const llvm::object::ObjectFile &file() const;
  const std::vector<Function> &functions() const { return functionList; }
  const Function *findFunction(llvm::StringRef name) const;
  const Function *functionAt(Place place) const;

  /// Visits every instruction of the section parts [offset, offset + size) of
  /// one function, or of all executable sections, in order.
  void visitFunction(const Function &function,
                     llvm::function_ref<void(const Instruction &)> visit) const;
  void visitAll(llvm::function_ref<void(const Instruction &)> visit) const;

  /// Where `instruction` points to in this object: relocations inside its
  /// bytes and the target of a direct branch.
  std::vector<Place> references(const Instruction &instruction) const;
  /// Where the relocations of section `section` point to, by offset of the
  /// relocated word.
  std::map<uint64_t, Place> relocatedWords(uint64_t section) const;

  const llvm::MCInstrDesc &describe(const Instruction &instruction) const;
  llvm::StringRef opcodeName(const Instruction &instruction) const;
  const llvm::MCRegisterInfo &registers() const;
  /// Assembly text on one line.
  std::string print(const Instruction &instruction) const;

private:
  struct Impl;
  ObjectCode();
  llvm::Error load(llvm::StringRef bytes);
  llvm::Error collectFunctions();
  llvm::Error collectRelocations();
  void visit(uint64_t section, uint64_t begin, uint64_t end,
             llvm::function_ref<void(const Instruction &)> visit) const;

  std::unique_ptr<Impl> impl;
  /// By section, then offset.
  std::vector<Function> functionList;
};

} // namespace mlir::qopt::target
