// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way from the LLVM dialect to object bytes. Everything that could differ
// between two runs (file names, idents, pass defaults) is fixed here.

#include "qopt/Target/Emit.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "qopt/Support/Error.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include <set>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::target;

namespace {

/// Collects what LLVM reports while it lives. LLVM's own handler ends the
/// process.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(llvm::LLVMContext &context)
      : context(context), previous(context.getDiagnosticHandler()) {
    context.setDiagnosticHandler(std::make_unique<Handler>(errors));
  }
  ~DiagnosticCollector() { context.setDiagnosticHandler(std::move(previous)); }

  llvm::Error take(int code, std::string message) {
    if (errors.empty())
      return llvm::Error::success();
    return makeError(code, std::move(message), std::move(errors));
  }

private:
  struct Handler final : llvm::DiagnosticHandler {
    explicit Handler(std::vector<std::string> &errors) : errors(errors) {}
    bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
      if (info.getSeverity() != llvm::DS_Error)
        return true;
      std::string text;
      llvm::raw_string_ostream stream(text);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
      errors.push_back(text);
      return true;
    }
    std::vector<std::string> &errors;
  };

  llvm::LLVMContext &context;
  std::unique_ptr<llvm::DiagnosticHandler> previous;
  std::vector<std::string> errors;
};

/// No library function exists but the three that an object may call.
llvm::TargetLibraryInfoImpl memoryFunctionsOnly(const llvm::Module &module) {
  llvm::TargetLibraryInfoImpl library(module.getTargetTriple());
  library.disableAllFunctions();
  for (llvm::LibFunc function :
       {llvm::LibFunc_memcpy, llvm::LibFunc_memset, llvm::LibFunc_memmove})
    library.setAvailable(function);
  return library;
}

llvm::Error verify(const llvm::Module &module, int code,
                   const std::string &message) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (!llvm::verifyModule(module, &stream))
    return llvm::Error::success();
  return makeError(code, message, {text});
}

void setAttributes(llvm::Function &function, llvm::TargetMachine &machine) {
  // A function of a variant knows its CPU.
  if (!function.hasFnAttribute("target-cpu")) {
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    if (!machine.getTargetFeatureString().empty())
      function.addFnAttr("target-features", machine.getTargetFeatureString());
  }
  if (function.isDeclaration())
    return;
  bool wide = machine.getSubtargetImpl(function)->checkFeatures(
      "+avx512f,+avx512bw,+avx512vl");
  function.addFnAttr("prefer-vector-width", wide ? "512" : "256");
  function.addFnAttr("frame-pointer", "none");
  function.addFnAttr(llvm::Attribute::NoUnwind);
  // Bytes below the stack pointer would be missing in the stack figure.
  function.addFnAttr(llvm::Attribute::NoRedZone);
  function.removeFnAttr(llvm::Attribute::UWTable);
  for (llvm::Attribute::AttrKind kind :
       {llvm::Attribute::StackProtect, llvm::Attribute::StackProtectReq,
        llvm::Attribute::StackProtectStrong})
    function.removeFnAttr(kind);
}

llvm::Expected<std::string> emit(const llvm::Module &module,
                                 llvm::TargetMachine &machine,
                                 llvm::CodeGenFileType type) {
  // The code generator rewrites the IR that it is given.
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  DiagnosticCollector diagnostics(copy->getContext());
  llvm::legacy::PassManager passes;
  passes.add(
      new llvm::TargetLibraryInfoWrapperPass(memoryFunctionsOnly(*copy)));
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return makeError(705, "the target cannot write this kind of file");
  passes.run(*copy);
  if (llvm::Error error = diagnostics.take(705, "LLVM could not generate code"))
    return error;
  return std::string(bytes.begin(), bytes.end());
}

/// Cleans up what generators leave behind and moves invariant code out of
/// loops. The order is that of LLVM's -O2 without its vectorizers, unrollers,
/// unswitching, loop idioms and inliner. A combiner that has not reached its
/// fixpoint after one round would otherwise end the process.
constexpr llvm::StringLiteral pipelineText =
    "always-inline,globalopt,"
    "function(sroa<modify-cfg>,early-cse<memssa>,simplifycfg,"
    "instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-instsimplify,loop-simplifycfg,loop-rotate,"
    "licm<allowspeculation>),"
    "simplifycfg,instcombine<no-verify-fixpoint>,loop(indvars,loop-deletion),"
    "sroa<modify-cfg>,gvn,sccp,bdce,instcombine<no-verify-fixpoint>,"
    "dse,loop-mssa(licm<allowspeculation>),adce,"
    "simplifycfg<hoist-common-insts;sink-common-insts>,"
    "instcombine<no-verify-fixpoint>,"
    "div-rem-pairs),"
    "globaldce,constmerge";

} // namespace

llvm::Expected<std::unique_ptr<llvm::Module>>
mlir::qopt::target::translate(ModuleOp module, llvm::LLVMContext &context) {
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
  std::unique_ptr<llvm::Module> result =
      translateModuleToLLVMIR(module, context, "qopt");
  if (!result)
    return makeError(702, "the module does not translate to LLVM IR");
  result->setSourceFileName("qopt");
  if (llvm::Error error =
          verify(*result, 702, "the module translates to invalid LLVM IR"))
    return error;
  return result;
}

llvm::Error mlir::qopt::target::prepare(llvm::Module &module,
                                        llvm::TargetMachine &machine,
                                        llvm::ArrayRef<std::string> exports) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  std::set<std::string> names(exports.begin(), exports.end());
  for (const std::string &name : names) {
    llvm::GlobalValue *value = module.getNamedValue(name);
    if (!value || value->isDeclaration())
      return makeError(703, "exported symbol '" + name + "' is not defined");
  }
  llvm::internalizeModule(module, [&](const llvm::GlobalValue &value) {
    return names.count(value.getName().str()) != 0;
  });
  for (llvm::Function &function : module)
    if (!function.isIntrinsic())
      setAttributes(function, machine);
  return verify(module, 703, "the prepared module is invalid LLVM IR");
}

llvm::Error mlir::qopt::target::optimize(llvm::Module &module,
                                         llvm::TargetMachine &machine) {
  DiagnosticCollector diagnostics(module.getContext());
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  llvm::TargetLibraryInfoImpl library = memoryFunctionsOnly(module);
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);

  llvm::ModulePassManager passes;
  if (llvm::Error error = builder.parsePassPipeline(passes, pipelineText))
    return makeError(704, "the optimization pipeline does not parse",
                     {llvm::toString(std::move(error))});
  passes.run(module, modules);
  if (llvm::Error error = diagnostics.take(704, "LLVM refused the module"))
    return error;
  return verify(module, 704, "optimization left invalid LLVM IR");
}

llvm::Expected<std::string>
mlir::qopt::target::emitObject(const llvm::Module &module,
                               llvm::TargetMachine &machine) {
  return emit(module, machine, llvm::CodeGenFileType::ObjectFile);
}

llvm::Expected<std::string>
mlir::qopt::target::emitAssembly(const llvm::Module &module,
                                 llvm::TargetMachine &machine) {
  return emit(module, machine, llvm::CodeGenFileType::AssemblyFile);
}

std::string mlir::qopt::target::emitLLVMIR(const llvm::Module &module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

llvm::Expected<std::unique_ptr<llvm::Module>>
mlir::qopt::target::lowerToOptimizedIR(ModuleOp module,
                                       llvm::LLVMContext &context,
                                       llvm::TargetMachine &machine,
                                       llvm::ArrayRef<std::string> exports) {
  auto translated = translate(module, context);
  if (!translated)
    return translated.takeError();
  if (llvm::Error error = prepare(**translated, machine, exports))
    return error;
  if (llvm::Error error = optimize(**translated, machine))
    return error;
  return translated;
}
