// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Codegen's output, compiled by Target and called through one function that
// takes all pointers in an array.

#include "qopt/Calibration/Engine.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Support/Error.h"
#include "qopt/Target/Jit.h"
#include <cstdlib>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

struct Engine::Impl {
  struct Free {
    void operator()(void *pointer) const { std::free(pointer); }
  };

  /// Gives the arena its memory and binds the probes to it.
  llvm::Error allocate();

  /// What the code reads.
  std::shared_ptr<AsmResourceBlob> constants;
  std::shared_ptr<target::Jit> jit;
  /// Reads its arguments from an array: inputs, outputs, arena.
  void (*entry)(void **) = nullptr;
  std::unique_ptr<void, Free> arena;
  std::vector<void *> pointers;
  std::vector<codegen::TensorPlacement> placements;
  std::vector<Probe> probes;
  uint64_t arenaBytes = 0;
  uint64_t macs = 0;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Engine::~Engine() = default;

static constexpr llvm::StringLiteral moduleName = "engine";
static constexpr llvm::StringLiteral entryName = "engine_entry";

static bool hasFloats(func::FuncOp function) {
  auto isFloat = [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped && isa<FloatType>(shaped.getElementType());
  };
  return llvm::any_of(function.getArgumentTypes(), isFloat) ||
         llvm::any_of(function.getResultTypes(), isFloat);
}

/// Adds `entryName(ptr)`, which loads `count` pointers and calls the compute
/// function with them: C++ cannot call a function whose number of arguments is
/// known only now.
static llvm::Error addEntry(ModuleOp module, size_t count) {
  std::string callee = (moduleName + "_compute").str();
  auto compute = module.lookupSymbol<LLVM::LLVMFuncOp>(callee);
  if (!compute || compute.getNumArguments() != count)
    return makeError(730, "the generated module has no '" + callee + "' of " +
                              std::to_string(count) + " arguments");
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto nothing = LLVM::LLVMVoidType::get(module.getContext());
  auto entry = LLVM::LLVMFuncOp::create(
      builder, loc, entryName, LLVM::LLVMFunctionType::get(nothing, {pointer}));
  Block *body = entry.addEntryBlock(builder);
  builder.setInsertionPointToStart(body);
  SmallVector<Value> arguments;
  for (size_t i = 0; i < count; ++i) {
    Value slot = LLVM::GEPOp::create(
        builder, loc, pointer, pointer, body->getArgument(0),
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    arguments.push_back(LLVM::LoadOp::create(builder, loc, pointer, slot));
  }
  LLVM::CallOp::create(builder, loc, compute, arguments);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  return llvm::Error::success();
}

/// Takes the constants out of `module`, whose code will read them where they
/// lie: compiling and loading them would copy them several times, and the
/// context would keep them for good. `data` becomes their symbol and address.
static std::shared_ptr<AsmResourceBlob>
takeConstants(ModuleOp module,
              std::vector<std::pair<std::string, const void *>> &data) {
  for (auto global : module.getOps<LLVM::GlobalOp>()) {
    auto value =
        dyn_cast_or_null<DenseResourceElementsAttr>(global.getValueAttr());
    AsmResourceBlob *blob = value ? value.getRawHandle().getBlob() : nullptr;
    if (!blob)
      continue;
    auto constants = std::make_shared<AsmResourceBlob>(std::move(*blob));
    value.getRawHandle().getResource()->setBlob(AsmResourceBlob());
    global.removeValueAttr();
    global.removeSectionAttr();
    global.setLinkage(LLVM::Linkage::External);
    data.emplace_back(global.getSymName().str(), constants->getData().data());
    return constants;
  }
  return nullptr;
}

namespace {

/// What code generation reports while it lives.
class Diagnostics {
public:
  explicit Diagnostics(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          std::string message = diagnostic.str();
          if (auto name = dyn_cast<NameLoc>(diagnostic.getLocation()))
            message += " (node '" + name.getName().str() + "')";
          messages.push_back(std::move(message));
          return success();
        }) {}

  /// `error` followed by the reports, an error each.
  llvm::Error addTo(llvm::Error error) {
    for (const std::string &message : messages)
      error = llvm::joinErrors(std::move(error), makeError(302, message));
    return error;
  }
  std::vector<std::string> take() { return std::move(messages); }

private:
  std::vector<std::string> messages;
  ScopedDiagnosticHandler handler;
};

} // namespace

static Probe makeProbe(const codegen::TensorPlacement &placement,
                       const void *arena) {
  const codegen::View &view = placement.view;
  Probe probe;
  probe.id = placement.id;
  probe.shape.assign(view.shape.begin(), view.shape.end());
  probe.strides.assign(view.strides.begin(), view.strides.end());
  probe.data =
      static_cast<const char *>(arena) + view.offset * view.elementBytes();
  probe.isFloat = view.kind == codegen::ElementKind::F32;
  probe.bits = 8 * view.elementBytes();
  probe.storageBias = view.storageBias;
  return probe;
}

/// The kernels' instruction set for a CPU.
static llvm::Expected<codegen::Isa>
isaFor(const target::TargetOptions &options) {
  auto target = target::resolveTarget(options);
  if (!target)
    return target.takeError();
  codegen::Isa isa;
  isa.kind = static_cast<codegen::IsaKind>(target->cpuFeatures.isa);
  isa.hasVbmi = target->cpuFeatures.hasVBMI;
  return isa;
}

static llvm::Expected<codegen::Compiled> generate(func::FuncOp function,
                                                  const EngineOptions &options,
                                                  const codegen::Isa &isa) {
  MLIRContext *context = function.getContext();
  DialectRegistry registry;
  codegen::registerCodegenDialects(registry);
  context->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context->getOrLoadDialect(name);
  codegen::CodegenOptions codegenOptions;
  codegenOptions.name = moduleName.str();
  codegenOptions.isa = isa;
  codegenOptions.keepObserved = options.keepProbes;
  Diagnostics diagnostics(context);
  auto compiled = codegen::lower(function, codegenOptions);
  if (!compiled)
    return diagnostics.addTo(compiled.takeError());
  if (failed(codegen::lowerToLLVM(*compiled->module, isa)))
    return makeError(721, "lowering to the LLVM dialect failed",
                     diagnostics.take());
  if (llvm::Error error =
          addEntry(*compiled->module,
                   function.getNumArguments() + function.getNumResults() + 1))
    return std::move(error);
  return compiled;
}

llvm::Error Engine::Impl::allocate() {
  arena.reset(std::aligned_alloc(
      codegen::arenaAlignment,
      std::max<uint64_t>(llvm::alignTo(arenaBytes, codegen::arenaAlignment),
                         codegen::arenaAlignment)));
  if (!arena)
    return makeError(731, "no memory for an arena of " +
                              std::to_string(arenaBytes) + " bytes");
  pointers.back() = arena.get();
  for (const codegen::TensorPlacement &placement : placements)
    probes.push_back(makeProbe(placement, arena.get()));
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Engine>>
Engine::create(func::FuncOp function, const EngineOptions &options) {
  target::JitOptions jitOptions;
  jitOptions.target.cpu = options.cpu;
  jitOptions.needsFMA = hasFloats(function);
  jitOptions.cache = options.cache;
  auto isa = isaFor(jitOptions.target);
  if (!isa)
    return isa.takeError();
  auto compiled = generate(function, options, *isa);
  if (!compiled)
    return compiled.takeError();

  auto impl = std::make_unique<Impl>();
  impl->constants = takeConstants(*compiled->module, jitOptions.data);
  auto jit =
      target::Jit::create(*compiled->module, {entryName.str()}, jitOptions);
  if (!jit)
    return jit.takeError();
  impl->jit = std::move(*jit);
  auto entry = impl->jit->lookup(entryName);
  if (!entry)
    return entry.takeError();
  impl->entry = reinterpret_cast<void (*)(void **)>(*entry);

  impl->arenaBytes = compiled->arenaBytes;
  impl->macs = compiled->macs;
  impl->pointers.resize(function.getNumArguments() + function.getNumResults() +
                        1);
  if (options.keepProbes)
    impl->placements = std::move(compiled->placements);
  if (llvm::Error error = impl->allocate())
    return std::move(error);
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

llvm::Expected<std::unique_ptr<Engine>> Engine::duplicate() const {
  auto copy = std::make_unique<Impl>();
  copy->constants = impl->constants;
  copy->jit = impl->jit;
  copy->entry = impl->entry;
  copy->pointers.resize(impl->pointers.size());
  copy->placements = impl->placements;
  copy->arenaBytes = impl->arenaBytes;
  copy->macs = impl->macs;
  if (llvm::Error error = copy->allocate())
    return std::move(error);
  return std::unique_ptr<Engine>(new Engine(std::move(copy)));
}

void Engine::run(llvm::ArrayRef<const void *> inputs,
                 llvm::ArrayRef<void *> outputs) {
  size_t next = 0;
  for (const void *input : inputs)
    impl->pointers[next++] = const_cast<void *>(input);
  for (void *output : outputs)
    impl->pointers[next++] = output;
  impl->entry(impl->pointers.data());
}

llvm::ArrayRef<Probe> Engine::probes() const { return impl->probes; }
uint64_t Engine::arenaBytes() const { return impl->arenaBytes; }
uint64_t Engine::macs() const { return impl->macs; }
