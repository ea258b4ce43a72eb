// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lld is linked in, so that a shared library needs no tool on the machine. An
// executable needs a C library's start files, which only `cc` can name.

#include "qopt/Target/Link.h"
#include "lld/Common/Driver.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Target/Emit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <atomic>
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace mlir::qopt;
using namespace mlir::qopt::target;
using llvm::StringRef;

namespace {

/// Folders that are there, or are being made.
std::atomic<int> numScratchFolders = 0;

/// A folder for the files of one link, removed with all that is in it.
class ScratchFolder {
public:
  static llvm::Expected<std::unique_ptr<ScratchFolder>> create() {
    std::unique_ptr<ScratchFolder> made(new ScratchFolder);
    llvm::SmallString<128> path;
    if (std::error_code error =
            llvm::sys::fs::createUniqueDirectory("qopt", path))
      return makeError(501, "cannot make a temporary folder", {error.message()},
                       "set TMPDIR to a writable folder");
    made->folder = std::string(path);
    return made;
  }
  ~ScratchFolder() {
    if (!folder.empty())
      llvm::sys::fs::remove_directories(folder);
    --numScratchFolders;
  }

  std::string path(StringRef name) const {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return std::string(path);
  }

private:
  ScratchFolder() { ++numScratchFolders; }
  std::string folder;
};

llvm::Error linkFailure(int code, const std::string &what,
                        const std::string &output) {
  std::vector<std::string> notes;
  if (!StringRef(output).trim().empty())
    notes.push_back(StringRef(output).trim().str());
  return makeError(code, what, std::move(notes));
}

/// Runs lld on `arguments`; what it says is in the error.
llvm::Error runLld(llvm::ArrayRef<std::string> arguments) {
  static std::mutex mutex;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!usable)
    return makeError(712, "the linker cannot run again after an earlier crash",
                     {}, "start qopt anew");
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string output;
  llvm::raw_string_ostream stream(output);
  lld::Result result =
      lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
  usable = result.canRunAgain;
  if (result.retCode == 0)
    return llvm::Error::success();
  return linkFailure(712, "the shared library cannot be linked", output);
}

/// An object with `const qopt_model *const qopt_driver_model = &modelSymbol`:
/// the driver is compiled before any model has a name.
llvm::Expected<std::string> emitDriverStub(StringRef modelSymbol,
                                           const ResolvedTarget &target) {
  llvm::LLVMContext context;
  llvm::Module module("qopt", context);
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(target);
  if (!machine)
    return makeError(700, "this LLVM has no x86 code generator");
  auto *model = new llvm::GlobalVariable(
      module, llvm::Type::getInt8Ty(context), /*isConstant=*/true,
      llvm::GlobalValue::ExternalLinkage, nullptr, modelSymbol);
  auto *pointer = new llvm::GlobalVariable(
      module, model->getType(), /*isConstant=*/true,
      llvm::GlobalValue::ExternalLinkage, model, "qopt_driver_model");
  if (llvm::Error error = prepare(module, *machine, {pointer->getName().str()}))
    return error;
  return emitObject(module, *machine);
}

llvm::Expected<std::string> findCompilerDriver() {
  for (StringRef name : {"cc", "gcc", "clang"})
    if (auto path = llvm::sys::findProgramByName(name))
      return *path;
  return makeError(503, "an executable needs a C compiler driver to link it",
                   {"'cc', 'gcc' and 'clang' are not in PATH"},
                   "apt-get install gcc, or emit obj, a or lib and link it "
                   "elsewhere");
}

llvm::Error runCompilerDriver(llvm::ArrayRef<std::string> arguments,
                              const std::string &logPath) {
  std::vector<StringRef> references(arguments.begin(), arguments.end());
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(logPath),
                                          StringRef(logPath)};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(arguments[0], references, std::nullopt,
                                         redirects,
                                         /*SecondsToWait=*/0,
                                         /*MemoryLimit=*/0, &message);
  if (status == 0)
    return llvm::Error::success();
  if (auto log = readFile(logPath))
    message += (*log)->getBuffer();
  else
    llvm::consumeError(log.takeError());
  return linkFailure(504, "'" + arguments[0] + "' cannot link the executable",
                     message);
}

} // namespace

bool mlir::qopt::target::isLinking() { return numScratchFolders != 0; }

llvm::Expected<std::string> mlir::qopt::target::linkShared(StringRef object,
                                                           StringRef soname) {
  auto folder = ScratchFolder::create();
  if (!folder)
    return folder.takeError();
  // Fixed names: lld may write an input's name into its output.
  std::string input = (*folder)->path("model.o");
  std::string output = (*folder)->path("model.so");
  if (llvm::Error error = writeFileAtomically(input, object))
    return error;
  std::vector<std::string> arguments{"ld.lld",
                                     "-shared",
                                     "-Bsymbolic",
                                     "--threads=1",
                                     "--build-id=none",
                                     "--hash-style=gnu",
                                     "-z",
                                     "noexecstack",
                                     "-z",
                                     "relro",
                                     "-z",
                                     "now",
                                     "--no-dependent-libraries",
                                     "-o",
                                     output,
                                     input};
  if (!soname.empty()) {
    arguments.push_back("-soname");
    arguments.push_back(soname.str());
  }
  if (llvm::Error error = runLld(arguments))
    return error;
  auto bytes = readFile(output);
  if (!bytes)
    return bytes.takeError();
  return (*bytes)->getBuffer().str();
}

llvm::Expected<std::string>
mlir::qopt::target::makeArchive(StringRef object, StringRef memberName) {
  std::vector<llvm::NewArchiveMember> members;
  members.emplace_back(llvm::MemoryBufferRef(object, memberName));
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (llvm::Error error = llvm::writeArchiveToStream(
          stream, members, llvm::SymtabWritingMode::NormalSymtab,
          llvm::object::Archive::K_GNU, /*Deterministic=*/true,
          /*Thin=*/false))
    return makeError(712, "the archive cannot be made",
                     {llvm::toString(std::move(error))});
  return std::string(bytes.begin(), bytes.end());
}

llvm::Error mlir::qopt::target::linkExecutable(StringRef object,
                                               StringRef modelSymbol,
                                               const ResolvedTarget &target,
                                               StringRef runtimePath,
                                               StringRef path) {
  auto driver = findCompilerDriver();
  if (!driver)
    return driver.takeError();
  if (!llvm::sys::fs::exists(runtimePath))
    return makeError(
        503, "the runtime archive '" + runtimePath.str() + "' is not there", {},
        "install qopt completely, or emit obj instead");
  auto folder = ScratchFolder::create();
  if (!folder)
    return folder.takeError();
  auto stub = emitDriverStub(modelSymbol, target);
  if (!stub)
    return stub.takeError();
  std::string model = (*folder)->path("model.o");
  std::string stubPath = (*folder)->path("driver-model.o");
  std::string output = (*folder)->path("model");
  if (llvm::Error error = writeFileAtomically(model, object))
    return error;
  if (llvm::Error error = writeFileAtomically(stubPath, *stub))
    return error;
  // The model's object comes first: it is what the archive is pulled in for.
  if (llvm::Error error =
          runCompilerDriver({*driver, model, stubPath, runtimePath.str(),
                             "-pthread", "-Wl,--build-id=none", "-o", output},
                            (*folder)->path("log")))
    return error;
  auto bytes = readFile(output);
  if (!bytes)
    return bytes.takeError();
  return writeFileAtomically(path, (*bytes)->getBuffer(), /*executable=*/true);
}
