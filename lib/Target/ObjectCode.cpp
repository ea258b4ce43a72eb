// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoding relies on the object alone: neither the module that it came from
// nor the target machine is asked.

#include "ObjectCode.h"
#include "InitializeX86.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrAnalysis.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::qopt;
using namespace mlir::qopt::target;
using llvm::StringRef;

namespace {

/// A relocation: the place that its symbol and addend name, before the
/// correction for what the CPU adds.
struct Relocation {
  uint64_t section;
  int64_t value;
  bool pcRelative;
};

llvm::Error unreadable(llvm::Error error) {
  return makeError(709, "the object cannot be read",
                   {llvm::toString(std::move(error))});
}

bool isPcRelative(uint64_t type) {
  return type != llvm::ELF::R_X86_64_64 && type != llvm::ELF::R_X86_64_32 &&
         type != llvm::ELF::R_X86_64_32S;
}

} // namespace

struct ObjectCode::Impl {
  std::unique_ptr<llvm::object::ObjectFile> file;
  std::unique_ptr<const llvm::MCRegisterInfo> registers;
  std::unique_ptr<const llvm::MCAsmInfo> assembly;
  std::unique_ptr<const llvm::MCInstrInfo> instructions;
  std::unique_ptr<const llvm::MCSubtargetInfo> subtarget;
  std::unique_ptr<llvm::MCContext> context;
  std::unique_ptr<const llvm::MCDisassembler> disassembler;
  std::unique_ptr<const llvm::MCInstrAnalysis> analysis;
  std::unique_ptr<llvm::MCInstPrinter> printer;
  /// Contents of the executable sections, by section index.
  std::map<uint64_t, StringRef> code;
  /// Relocations by section index and offset; those whose symbol is not
  /// defined here are absent.
  std::map<uint64_t, std::map<uint64_t, Relocation>> relocations;
};

ObjectCode::ObjectCode() : impl(std::make_unique<Impl>()) {}
ObjectCode::~ObjectCode() = default;

llvm::Expected<std::unique_ptr<ObjectCode>>
ObjectCode::create(StringRef bytes) {
  std::unique_ptr<ObjectCode> code(new ObjectCode());
  if (llvm::Error error = code->load(bytes))
    return error;
  if (llvm::Error error = code->collectFunctions())
    return unreadable(std::move(error));
  if (llvm::Error error = code->collectRelocations())
    return unreadable(std::move(error));
  return code;
}

llvm::Error ObjectCode::load(StringRef bytes) {
  initializeX86();
  auto file = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(bytes, "object"));
  if (!file)
    return unreadable(file.takeError());
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  if (!(*file)->isELF() || !(*file)->isRelocatableObject() ||
      (*file)->makeTriple().getArch() != triple.getArch())
    return makeError(709, "the object is no relocatable x86-64 ELF file");
  std::string unused;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, unused);
  if (!target)
    return makeError(700, "this LLVM has no x86 disassembler");
  impl->file = std::move(*file);
  impl->registers.reset(target->createMCRegInfo(triple));
  impl->assembly.reset(target->createMCAsmInfo(*impl->registers, triple,
                                               llvm::MCTargetOptions()));
  impl->instructions.reset(target->createMCInstrInfo());
  impl->subtarget.reset(target->createMCSubtargetInfo(triple, "", ""));
  impl->context = std::make_unique<llvm::MCContext>(
      triple, impl->assembly.get(), impl->registers.get(),
      impl->subtarget.get());
  impl->disassembler.reset(
      target->createMCDisassembler(*impl->subtarget, *impl->context));
  impl->analysis.reset(target->createMCInstrAnalysis(impl->instructions.get()));
  impl->printer.reset(target->createMCInstPrinter(
      triple, 0, *impl->assembly, *impl->instructions, *impl->registers));
  return llvm::Error::success();
}

llvm::Error ObjectCode::collectFunctions() {
  for (const llvm::object::SectionRef &section : impl->file->sections()) {
    if (!section.isText())
      continue;
    auto contents = section.getContents();
    if (!contents)
      return contents.takeError();
    impl->code[section.getIndex()] = *contents;
  }
  for (const llvm::object::SymbolRef &symbol : impl->file->symbols()) {
    auto type = symbol.getType();
    if (!type)
      return type.takeError();
    if (*type != llvm::object::SymbolRef::ST_Function)
      continue;
    auto section = symbol.getSection();
    auto name = symbol.getName();
    auto offset = symbol.getValue();
    if (!section)
      return llvm::joinErrors(
          section.takeError(),
          llvm::joinErrors(name.takeError(), offset.takeError()));
    if (!name || !offset)
      return llvm::joinErrors(name.takeError(), offset.takeError());
    if (*section == impl->file->section_end())
      continue;
    uint64_t index = (*section)->getIndex();
    uint64_t size = llvm::object::ELFSymbolRef(symbol).getSize();
    auto code = impl->code.find(index);
    if (code == impl->code.end() || *offset > code->second.size() ||
        size > code->second.size() - *offset)
      return llvm::createStringError("function '" + name->str() +
                                     "' lies outside its section");
    functionList.push_back({name->str(), index, *offset, size});
  }
  llvm::sort(functionList, [](const Function &a, const Function &b) {
    return std::tie(a.section, a.offset, a.name) <
           std::tie(b.section, b.offset, b.name);
  });
  return llvm::Error::success();
}

llvm::Error ObjectCode::collectRelocations() {
  for (const llvm::object::SectionRef &section : impl->file->sections()) {
    auto relocated = section.getRelocatedSection();
    if (!relocated)
      return relocated.takeError();
    if (*relocated == impl->file->section_end())
      continue;
    auto &words = impl->relocations[(*relocated)->getIndex()];
    for (const llvm::object::RelocationRef &relocation :
         section.relocations()) {
      auto symbol = relocation.getSymbol();
      if (symbol == impl->file->symbol_end())
        continue;
      auto home = symbol->getSection();
      if (!home)
        return home.takeError();
      if (*home == impl->file->section_end())
        continue;
      auto value = symbol->getValue();
      if (!value)
        return value.takeError();
      auto addend = llvm::object::ELFRelocationRef(relocation).getAddend();
      if (!addend)
        return addend.takeError();
      words[relocation.getOffset()] = {(*home)->getIndex(),
                                       static_cast<int64_t>(*value) + *addend,
                                       isPcRelative(relocation.getType())};
    }
  }
  return llvm::Error::success();
}

const llvm::object::ObjectFile &ObjectCode::file() const { return *impl->file; }

const ObjectCode::Function *ObjectCode::findFunction(StringRef name) const {
  for (const Function &function : functionList)
    if (function.name == name)
      return &function;
  return nullptr;
}

const ObjectCode::Function *ObjectCode::functionAt(Place place) const {
  auto after = llvm::upper_bound(
      functionList, place, [](const Place &place, const Function &function) {
        return std::tie(place.section, place.offset) <
               std::tie(function.section, function.offset);
      });
  if (after == functionList.begin())
    return nullptr;
  const Function &function = *std::prev(after);
  bool inside = function.section == place.section &&
                place.offset - function.offset < function.size;
  return inside ? &function : nullptr;
}

void ObjectCode::visit(
    uint64_t section, uint64_t begin, uint64_t end,
    llvm::function_ref<void(const Instruction &)> visit) const {
  llvm::ArrayRef<uint8_t> bytes =
      llvm::arrayRefFromStringRef(impl->code.at(section));
  for (uint64_t offset = begin; offset < end;) {
    Instruction instruction{section, offset, 1,
                            false,   {},     functionAt({section, offset})};
    uint64_t size = 0;
    auto status = impl->disassembler->getInstruction(
        instruction.inst, size, bytes.slice(offset, end - offset), offset,
        llvm::nulls());
    instruction.valid = status == llvm::MCDisassembler::Success && size != 0;
    if (instruction.valid)
      instruction.size = size;
    visit(instruction);
    offset += instruction.size;
  }
}

void ObjectCode::visitFunction(
    const Function &function,
    llvm::function_ref<void(const Instruction &)> visitor) const {
  visit(function.section, function.offset, function.offset + function.size,
        visitor);
}

void ObjectCode::visitAll(
    llvm::function_ref<void(const Instruction &)> visitor) const {
  for (const auto &[section, bytes] : impl->code) {
    // Decoding starts anew at each function, so that no instruction reaches
    // from one into the next.
    uint64_t from = 0;
    for (const Function &function : functionList)
      if (function.section == section && function.offset > from) {
        visit(section, from, function.offset, visitor);
        from = function.offset;
      }
    visit(section, from, bytes.size(), visitor);
  }
}

std::vector<ObjectCode::Place>
ObjectCode::references(const Instruction &instruction) const {
  std::vector<Place> places;
  uint64_t end = instruction.offset + instruction.size;
  auto words = impl->relocations.find(instruction.section);
  if (words != impl->relocations.end()) {
    auto word = words->second.lower_bound(instruction.offset);
    for (; word != words->second.end() && word->first < end; ++word) {
      int64_t value = word->second.value;
      // The CPU counts from the next instruction, the relocation from itself.
      if (word->second.pcRelative)
        value += static_cast<int64_t>(end - word->first);
      places.push_back({word->second.section, static_cast<uint64_t>(value)});
    }
  }
  uint64_t target = 0;
  if (places.empty() && instruction.valid &&
      impl->analysis->evaluateBranch(instruction.inst, instruction.offset,
                                     instruction.size, target))
    places.push_back({instruction.section, target});
  return places;
}

std::map<uint64_t, ObjectCode::Place>
ObjectCode::relocatedWords(uint64_t section) const {
  std::map<uint64_t, Place> places;
  auto words = impl->relocations.find(section);
  if (words != impl->relocations.end())
    for (const auto &[offset, relocation] : words->second)
      places[offset] = {relocation.section,
                        static_cast<uint64_t>(relocation.value)};
  return places;
}

const llvm::MCInstrDesc &
ObjectCode::describe(const Instruction &instruction) const {
  return impl->instructions->get(instruction.inst.getOpcode());
}

StringRef ObjectCode::opcodeName(const Instruction &instruction) const {
  return impl->instructions->getName(instruction.inst.getOpcode());
}

const llvm::MCRegisterInfo &ObjectCode::registers() const {
  return *impl->registers;
}

std::string ObjectCode::print(const Instruction &instruction) const {
  if (!instruction.valid)
    return "no instruction";
  std::string text;
  llvm::raw_string_ostream stream(text);
  impl->printer->printInst(&instruction.inst, instruction.offset, "",
                           *impl->subtarget, stream);
  for (char &c : text)
    if (c == '\t' || c == '\n')
      c = ' ';
  return StringRef(text).trim().str();
}
