// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLJIT over finished objects: compilation stays in Emit.cpp, so that what is
// measured and tested in process is what is shipped.

#include "qopt/Target/Jit.h"
#include "InitializeX86.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/Support/Error.h"
#include "qopt/Target/Emit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::target;

struct Jit::Impl {
  /// What the session reports beside the errors that it returns. Outlives the
  /// engine, which may still report while it closes.
  std::mutex mutex;
  std::vector<std::string> reports;
  std::unique_ptr<llvm::orc::LLJIT> engine;
};

Jit::Jit(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Jit::~Jit() = default;

std::string ObjectCache::find(const std::string &key) const {
  std::lock_guard<std::mutex> lock(mutex);
  auto entry = objects.find(key);
  return entry == objects.end() ? std::string() : entry->second;
}

void ObjectCache::insert(const std::string &key, std::string object) {
  std::lock_guard<std::mutex> lock(mutex);
  objects[key] = std::move(object);
}

size_t ObjectCache::size() const {
  std::lock_guard<std::mutex> lock(mutex);
  return objects.size();
}

namespace {

llvm::Error loadError(llvm::Error error, std::vector<std::string> notes = {}) {
  notes.push_back(llvm::toString(std::move(error)));
  return makeError(706, "the compiled module cannot be loaded",
                   std::move(notes));
}

/// A hash of all that decides the object's bytes.
std::string cacheKey(const llvm::Module &module, const ResolvedTarget &target) {
  llvm::SmallVector<char, 0> bitcode;
  llvm::raw_svector_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(module, stream);
  llvm::SHA256 hash;
  hash.update(llvm::StringRef(bitcode.data(), bitcode.size()));
  hash.update(target.triple + "\n" + target.cpu + "\n" + target.features +
              "\n" + std::to_string(target.optLevel));
  return llvm::toHex(hash.final());
}

llvm::Expected<ResolvedTarget>
resolveForThisMachine(const JitOptions &options) {
  auto target = resolveTarget(options.target);
  if (!target)
    return target;
  if (options.needsFMA && !target->cpuFeatures.hasFMA)
    return makeError(334, "CPU '" + target->cpu + "' has no FMA instructions",
                     {"float code must round alike on every machine, which "
                      "needs fused multiply-add"},
                     "calibrate on an x86 CPU with FMA (2013 or later) and "
                     "pass the .qcal file here");
  if (!runsOnThisMachine(*target))
    return makeError(
        334, "code for CPU '" + target->cpu + "' does not run on this machine",
        {}, "leave the CPU out to use this machine's");
  return target;
}

llvm::Expected<std::string> compile(ModuleOp module,
                                    llvm::ArrayRef<std::string> exports,
                                    const ResolvedTarget &target,
                                    ObjectCache *cache) {
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(target);
  if (!machine)
    return makeError(700, "this LLVM has no x86 code generator");
  llvm::LLVMContext context;
  auto translated = translate(module, context);
  if (!translated)
    return translated.takeError();
  if (llvm::Error error = prepare(**translated, *machine, exports))
    return error;
  std::string key = cache ? cacheKey(**translated, target) : std::string();
  if (cache) {
    std::string object = cache->find(key);
    if (!object.empty())
      return object;
  }
  if (llvm::Error error = optimize(**translated, *machine))
    return error;
  auto object = emitObject(**translated, *machine);
  if (object && cache)
    cache->insert(key, *object);
  return object;
}

/// The memory functions and `data`.
llvm::Error
defineSymbols(llvm::orc::LLJIT &engine,
              llvm::ArrayRef<std::pair<std::string, const void *>> data) {
  llvm::orc::SymbolMap symbols;
  auto define = [&](llvm::StringRef name, auto *function) {
    symbols[engine.mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(function),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  };
  define("memcpy", &std::memcpy);
  define("memmove", &std::memmove);
  define("memset", &std::memset);
  for (const auto &[name, address] : data)
    symbols[engine.mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(address),
        llvm::JITSymbolFlags::Exported};
  return engine.getMainJITDylib().define(
      llvm::orc::absoluteSymbols(std::move(symbols)));
}

} // namespace

llvm::Expected<std::unique_ptr<Jit>> Jit::createFromObject(
    llvm::StringRef object,
    llvm::ArrayRef<std::pair<std::string, const void *>> data) {
  initializeX86();
  llvm::orc::LLJITBuilder builder;
  builder.setLinkProcessSymbolsByDefault(false);
  // Generated code has no constructors, threads or exceptions to set up.
  builder.setPlatformSetUp(llvm::orc::setUpInactivePlatform);
  builder.setJITTargetMachineBuilder(llvm::orc::JITTargetMachineBuilder(
      llvm::Triple(llvm::sys::getDefaultTargetTriple())));
  auto engine = builder.create();
  if (!engine)
    return loadError(engine.takeError());
  auto impl = std::make_unique<Impl>();
  impl->engine = std::move(*engine);
  impl->engine->getExecutionSession().setErrorReporter(
      [state = impl.get()](llvm::Error error) {
        std::lock_guard<std::mutex> lock(state->mutex);
        state->reports.push_back(llvm::toString(std::move(error)));
      });
  if (llvm::Error error = defineSymbols(*impl->engine, data))
    return loadError(std::move(error));
  if (llvm::Error error = impl->engine->addObjectFile(
          llvm::MemoryBuffer::getMemBufferCopy(object, "qopt")))
    return loadError(std::move(error));
  return std::unique_ptr<Jit>(new Jit(std::move(impl)));
}

llvm::Expected<std::unique_ptr<Jit>>
Jit::create(ModuleOp module, llvm::ArrayRef<std::string> exports,
            const JitOptions &options) {
  auto target = resolveForThisMachine(options);
  if (!target)
    return target.takeError();
  auto object = compile(module, exports, *target, options.cache);
  if (!object)
    return object.takeError();
  auto jit = createFromObject(*object, options.data);
  if (!jit)
    return jit.takeError();
  // A missing symbol shows here, not in the middle of a run.
  for (const std::string &name : exports)
    if (auto address = (*jit)->lookup(name); !address)
      return address.takeError();
  return jit;
}

llvm::Expected<void *> Jit::lookup(llvm::StringRef name) const {
  auto address = impl->engine->lookup(name);
  if (!address) {
    std::lock_guard<std::mutex> lock(impl->mutex);
    return loadError(address.takeError(), impl->reports);
  }
  return address->toPtr<void *>();
}
