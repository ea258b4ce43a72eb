// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Promises P1 and P5, read back from the bytes that are about to be written.

#include "qopt/Target/ObjectCheck.h"
#include "FloatInstructions.h"
#include "ObjectCode.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include <set>

using namespace mlir::qopt;
using namespace mlir::qopt::target;
using llvm::StringRef;

namespace {

/// As many findings as a reader looks at; the rest is counted.
constexpr size_t findingLimit = 20;

void addFinding(std::vector<std::string> &findings, size_t &count,
                std::string text) {
  if (count++ < findingLimit)
    findings.push_back(std::move(text));
}

llvm::Error refuse(int code, std::string message,
                   std::vector<std::string> findings, size_t count) {
  if (count > findings.size())
    findings.push_back("and " + std::to_string(count - findings.size()) +
                       " more");
  return makeError(code, std::move(message), std::move(findings),
                   "this is a defect of qopt; please report it with the "
                   "command line");
}

llvm::Error checkInstructions(const ObjectCode &code,
                              const IntegerOnlyRules &rules) {
  std::vector<std::string> findings;
  size_t count = 0;
  auto isExempt = [&](const ObjectCode::Function *function) {
    return function && llvm::is_contained(rules.exempt, function->name);
  };
  code.visitAll([&](const ObjectCode::Instruction &instruction) {
    if (isExempt(instruction.function))
      return;
    std::string place =
        "in '" +
        (instruction.function ? instruction.function->name
                              : std::string("unnamed code")) +
        "' at offset 0x" +
        llvm::utohexstr(instruction.offset - (instruction.function
                                                  ? instruction.function->offset
                                                  : 0),
                        /*LowerCase=*/true) +
        ": ";
    if (!instruction.valid ||
        isFloatInstruction(code.describe(instruction),
                           code.opcodeName(instruction), code.registers()))
      addFinding(findings, count, place + code.print(instruction));
    for (ObjectCode::Place target : code.references(instruction))
      if (const ObjectCode::Function *callee = code.functionAt(target);
          isExempt(callee))
        addFinding(findings, count,
                   place + "refers to float helper '" + callee->name + "'");
  });
  if (!count)
    return llvm::Error::success();
  return refuse(701, "the inference code is not integer-only",
                std::move(findings), count);
}

llvm::Error checkUndefined(const llvm::object::ObjectFile &file,
                           const IntegerOnlyRules &rules) {
  std::set<std::string> refused;
  for (const llvm::object::SymbolRef &symbol : file.symbols()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name)
      return llvm::joinErrors(flags.takeError(), name.takeError());
    if ((*flags & llvm::object::SymbolRef::SF_Undefined) && !name->empty() &&
        !llvm::is_contained(rules.allowedUndefined, *name))
      refused.insert(name->str());
  }
  if (refused.empty())
    return llvm::Error::success();
  return refuse(708, "the object needs symbols from outside",
                std::vector<std::string>(refused.begin(), refused.end()),
                refused.size());
}

} // namespace

llvm::Error
mlir::qopt::target::checkIntegerOnly(StringRef object,
                                     const IntegerOnlyRules &rules) {
  auto code = ObjectCode::create(object);
  if (!code)
    return code.takeError();
  if (llvm::Error error = checkInstructions(**code, rules))
    return error;
  return checkUndefined((*code)->file(), rules);
}

llvm::Error mlir::qopt::target::checkStateless(StringRef object) {
  auto code = ObjectCode::create(object);
  if (!code)
    return code.takeError();
  std::vector<std::string> findings;
  size_t count = 0;
  for (const llvm::object::SectionRef &section : (*code)->file().sections()) {
    auto name = section.getName();
    if (!name)
      return name.takeError();
    llvm::object::ELFSectionRef elf(section);
    bool startsCode = elf.getType() == llvm::ELF::SHT_INIT_ARRAY ||
                      elf.getType() == llvm::ELF::SHT_FINI_ARRAY ||
                      elf.getType() == llvm::ELF::SHT_PREINIT_ARRAY ||
                      name->starts_with(".ctors") ||
                      name->starts_with(".dtors");
    bool writable = (elf.getFlags() & llvm::ELF::SHF_WRITE) &&
                    !name->starts_with(".data.rel.ro");
    if (section.getSize() && (startsCode || writable))
      addFinding(findings, count,
                 "section '" + name->str() + "' of " +
                     std::to_string(section.getSize()) + " bytes");
  }
  for (const llvm::object::SymbolRef &symbol : (*code)->file().symbols()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name)
      return llvm::joinErrors(flags.takeError(), name.takeError());
    if (*flags & llvm::object::SymbolRef::SF_Common)
      addFinding(findings, count, "common symbol '" + name->str() + "'");
  }
  if (!count)
    return llvm::Error::success();
  return refuse(710, "the object has state of its own", std::move(findings),
                count);
}
