// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes, stack depth, and text patched into an object.

#include "qopt/Target/ObjectFigures.h"
#include "ObjectCode.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/ObjCopy/CommonConfig.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/LEB128.h"
#include <set>

using namespace mlir::qopt;
using namespace mlir::qopt::target;
using llvm::StringRef;

namespace {

llvm::Error noFigure(const std::string &message) {
  return makeError(707, "the stack size is not known", {message},
                   "this is a defect of qopt; please report it with the "
                   "command line");
}

/// Stack depth over the call graph of one object.
class StackDepth {
public:
  explicit StackDepth(const ObjectCode &code) : code(code) {}

  llvm::Error readFrames();
  llvm::Expected<uint64_t> of(const ObjectCode::Function &function);

private:
  struct Body {
    std::set<const ObjectCode::Function *> callees;
    uint64_t realignment = 0;
  };

  Body inspect(const ObjectCode::Function &function) const;
  void addCallees(ObjectCode::Place place, Body &body) const;

  const ObjectCode &code;
  std::map<const ObjectCode::Function *, uint64_t> frames;
  std::map<const ObjectCode::Function *, uint64_t> depths;
  std::set<const ObjectCode::Function *> open;
};

/// Records are a relocated 8-byte address and the frame's size in ULEB128.
llvm::Error StackDepth::readFrames() {
  for (const llvm::object::SectionRef &section : code.file().sections()) {
    auto name = section.getName();
    if (!name)
      return name.takeError();
    if (*name != ".stack_sizes")
      continue;
    auto contents = section.getContents();
    if (!contents)
      return contents.takeError();
    for (const auto &[offset, place] :
         code.relocatedWords(section.getIndex())) {
      if (offset > contents->size() || contents->size() - offset < 9)
        return noFigure("a stack size record is cut off");
      const char *problem = nullptr;
      uint64_t size =
          llvm::decodeULEB128(contents->bytes_begin() + offset + 8, nullptr,
                              contents->bytes_end(), &problem);
      if (problem)
        return noFigure(problem);
      if (const ObjectCode::Function *function = code.functionAt(place))
        frames[function] = size;
    }
  }
  return llvm::Error::success();
}

/// A table of function addresses (variants, tasks) stands for its entries; a
/// jump table points into the middle of its own function and adds nothing.
void StackDepth::addCallees(ObjectCode::Place place, Body &body) const {
  if (const ObjectCode::Function *callee = code.functionAt(place)) {
    if (callee->offset == place.offset)
      body.callees.insert(callee);
    return;
  }
  for (const auto &[offset, target] : code.relocatedWords(place.section)) {
    const ObjectCode::Function *callee = code.functionAt(target);
    if (callee && callee->offset == target.offset)
      body.callees.insert(callee);
  }
}

StackDepth::Body
StackDepth::inspect(const ObjectCode::Function &function) const {
  Body body;
  code.visitFunction(function, [&](const ObjectCode::Instruction &instruction) {
    for (ObjectCode::Place place : code.references(instruction)) {
      // A jump to the own start is a loop; a call to it is recursion.
      if (code.functionAt(place) == &function &&
          !(code.opcodeName(instruction).starts_with("CALL")))
        continue;
      addCallees(place, body);
    }
    // Realignment moves the stack pointer by less than the alignment; the
    // recorded size does not have it.
    if (code.opcodeName(instruction).starts_with("AND64ri") &&
        StringRef(code.registers().getName(
            instruction.inst.getOperand(0).getReg())) == "RSP") {
      int64_t mask =
          instruction.inst.getOperand(instruction.inst.getNumOperands() - 1)
              .getImm();
      body.realignment =
          std::max(body.realignment, static_cast<uint64_t>(-mask));
    }
  });
  return body;
}

llvm::Expected<uint64_t> StackDepth::of(const ObjectCode::Function &function) {
  constexpr uint64_t returnAddress = 8;
  if (auto known = depths.find(&function); known != depths.end())
    return known->second;
  auto frame = frames.find(&function);
  if (frame == frames.end())
    return noFigure("function '" + function.name +
                    "' has a frame of unknown size");
  if (!open.insert(&function).second)
    return noFigure("function '" + function.name + "' calls itself");
  Body body = inspect(function);
  // A callee outside this object still takes its return address.
  uint64_t deepest = returnAddress;
  for (const ObjectCode::Function *callee : body.callees) {
    auto depth = of(*callee);
    if (!depth)
      return depth;
    deepest = std::max(deepest, *depth);
  }
  open.erase(&function);
  uint64_t depth = returnAddress + frame->second + body.realignment + deepest;
  depths[&function] = depth;
  return depth;
}

} // namespace

llvm::Expected<ObjectSizes>
mlir::qopt::target::measureObject(StringRef object,
                                  llvm::ArrayRef<std::string> leaveOut) {
  auto code = ObjectCode::create(object);
  if (!code)
    return code.takeError();
  ObjectSizes sizes;
  for (const llvm::object::SectionRef &section : (*code)->file().sections()) {
    auto name = section.getName();
    if (!name)
      return name.takeError();
    uint64_t flags = llvm::object::ELFSectionRef(section).getFlags();
    if (!(flags & llvm::ELF::SHF_ALLOC))
      continue;
    if (flags & llvm::ELF::SHF_EXECINSTR)
      sizes.code += section.getSize();
    else if (!(flags & llvm::ELF::SHF_WRITE) ||
             name->starts_with(".data.rel.ro"))
      sizes.constants += section.getSize();
  }
  for (const llvm::object::SymbolRef &symbol : (*code)->file().symbols()) {
    auto name = symbol.getName();
    if (!name)
      return name.takeError();
    if (llvm::is_contained(leaveOut, *name))
      sizes.constants -= std::min(sizes.constants,
                                  llvm::object::ELFSymbolRef(symbol).getSize());
  }
  return sizes;
}

llvm::Expected<uint64_t>
mlir::qopt::target::codeBytes(StringRef object,
                              llvm::ArrayRef<std::string> names) {
  auto code = ObjectCode::create(object);
  if (!code)
    return code.takeError();
  uint64_t bytes = 0;
  for (const std::string &name : names)
    if (const ObjectCode::Function *function = (*code)->findFunction(name))
      bytes += function->size;
  return bytes;
}

llvm::Expected<uint64_t> mlir::qopt::target::stackBytes(StringRef object,
                                                        StringRef function) {
  auto code = ObjectCode::create(object);
  if (!code)
    return code.takeError();
  const ObjectCode::Function *root = (*code)->findFunction(function);
  if (!root)
    return noFigure("function '" + function.str() + "' is not there");
  StackDepth depth(**code);
  if (llvm::Error error = depth.readFrames())
    return error;
  return depth.of(*root);
}

llvm::Error mlir::qopt::target::patchFixedWidth(std::string &object,
                                                StringRef symbol,
                                                StringRef placeholder,
                                                StringRef value) {
  auto refuse = [&](const std::string &why) {
    return makeError(711, "field '" + placeholder.str() + "' of '" +
                              symbol.str() + "' cannot be filled in: " + why);
  };
  if (placeholder.empty() || value.size() > placeholder.size())
    return refuse("'" + value.str() + "' is too wide");
  auto code = ObjectCode::create(object);
  if (!code)
    return code.takeError();
  size_t position = StringRef::npos;
  for (const llvm::object::SymbolRef &candidate : (*code)->file().symbols()) {
    auto name = candidate.getName();
    auto section = candidate.getSection();
    auto offset = candidate.getValue();
    if (!name || !section || !offset)
      return llvm::joinErrors(
          name.takeError(),
          llvm::joinErrors(section.takeError(), offset.takeError()));
    if (*name != symbol || *section == (*code)->file().section_end())
      continue;
    auto contents = (*section)->getContents();
    if (!contents)
      return contents.takeError();
    StringRef bytes = contents->substr(
        *offset, llvm::object::ELFSymbolRef(candidate).getSize());
    size_t first = bytes.find(placeholder);
    if (first == StringRef::npos)
      return refuse("it is not there");
    if (bytes.find(placeholder, first + 1) != StringRef::npos)
      return refuse("it is there twice");
    position = static_cast<size_t>(bytes.data() - object.data()) + first;
  }
  if (position == StringRef::npos)
    return refuse("the symbol is not defined");
  std::string padded(placeholder.size() - value.size(), ' ');
  padded += value;
  object.replace(position, padded.size(), padded);
  return llvm::Error::success();
}

llvm::Expected<std::string>
mlir::qopt::target::stripStackSizes(StringRef object) {
  auto code = ObjectCode::create(object);
  if (!code)
    return code.takeError();
  auto failed = [](llvm::Error error) {
    return makeError(709, "stack size records cannot be removed",
                     {llvm::toString(std::move(error))});
  };
  llvm::objcopy::ConfigManager config;
  if (llvm::Error error = config.Common.ToRemove.addMatcher(
          llvm::objcopy::NameOrPattern::create(
              ".stack_sizes", llvm::objcopy::MatchStyle::Literal,
              [](llvm::Error error) { return error; })))
    return failed(std::move(error));
  auto binary = llvm::object::createBinary(
      llvm::MemoryBufferRef(object, "object"), nullptr);
  if (!binary)
    return failed(binary.takeError());
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (llvm::Error error =
          llvm::objcopy::executeObjcopyOnBinary(config, **binary, stream))
    return failed(std::move(error));
  return std::string(bytes.begin(), bytes.end());
}
