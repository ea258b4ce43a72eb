// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the LLVM dialect to a checked object with its header.

#include "Artifacts.h"
#include "qopt/Support/Error.h"
#include "qopt/Target/Abi.h"
#include "qopt/Target/Emit.h"
#include "qopt/Target/ObjectCheck.h"
#include "qopt/Target/ObjectFigures.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Format.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

static std::string formatFigure(uint64_t value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format_decimal(value, figureWidth);
  return text;
}

/// Measures the object and writes the figures into NAME_info.
static llvm::Error patchFigures(std::string &object, ModelInfo &info) {
  auto sizes = target::measureObject(object, {info.name + "_info"});
  if (!sizes)
    return sizes.takeError();
  auto stack = target::stackBytes(object, info.name + "_run");
  if (!stack)
    return stack.takeError();
  info.codeBytes = sizes->code;
  info.constBytes = sizes->constants;
  info.stackBytes = *stack;
  const std::pair<StringRef, uint64_t> figures[] = {
      {"stack_bytes", *info.stackBytes},
      {"const_bytes", *info.constBytes},
      {"code_bytes", *info.codeBytes}};
  for (auto [key, value] : figures)
    if (llvm::Error error = target::patchFixedWidth(object, info.name + "_info",
                                                    figurePlaceholder(key),
                                                    formatFigure(value)))
      return error;
  return llvm::Error::success();
}

/// P1 and P5 on the very bytes that will be written.
static llvm::Error checkObject(StringRef object, const target::AbiSpec &abi) {
  target::IntegerOnlyRules rules;
  rules.exempt = target::helperNames(abi);
  if (llvm::Error error = target::checkIntegerOnly(object, rules))
    return error;
  return target::checkStateless(object);
}

llvm::Expected<ObjectArtifacts> mlir::qopt::pipelines::buildObject(
    Levels &levels, const target::ResolvedTarget &target, StringRef name,
    const CompileOptions &options, PhaseClock &clock) {
  clock.enter(Phase::LLVM);
  ObjectArtifacts artifacts;
  ModelInfo &info = artifacts.info;
  const CodeFigures &figures = levels.getFigures();
  info.name = name.str();
  info.modelHash = levels.printModelHash();
  info.triple = target.triple;
  info.cpu = target.cpu;
  info.features = target.features;
  info.macs = figures.macs;
  info.arenaBytes = figures.arenaBytes;
  artifacts.boundary = getBoundary(levels.getFunction("qint"));

  target::AbiSpec abi;
  abi.name = info.name;
  abi.computeFunction = figures.computeFunction;
  abi.inputs = artifacts.boundary.inputs;
  abi.outputs = artifacts.boundary.outputs;
  abi.arenaBytes = figures.arenaBytes;
  abi.cpuFeatures = target.cpuFeatures;
  abi.regions = figures.regions;
  for (const target::AbiRegion &region : abi.regions)
    abi.maxWorkers =
        std::max(abi.maxWorkers, static_cast<uint32_t>(region.parts));
  abi.info = makeInfo(info, artifacts.boundary);
  abi.helpers = options.io == BoundaryIO::Float;

  llvm::LLVMContext context;
  auto module = target::translate(levels.getLevel("llvm"), context);
  if (!module)
    return module.takeError();
  auto machine = target::createTargetMachine(target);
  (*module)->setDataLayout(machine->createDataLayout());
  auto exports = target::addAbi(**module, abi);
  if (!exports)
    return exports.takeError();
  if (llvm::Error error = target::prepare(**module, *machine, *exports))
    return std::move(error);
  if (llvm::Error error = target::optimize(**module, *machine))
    return std::move(error);

  if (wants(options, EmitKind::LLVM))
    artifacts.llvmIR = target::emitLLVMIR(**module);
  if (wants(options, EmitKind::Assembly)) {
    auto assembly = target::emitAssembly(**module, *machine);
    if (!assembly)
      return assembly.takeError();
    artifacts.assembly = std::move(*assembly);
  }
  auto object = target::emitObject(**module, *machine);
  if (!object)
    return object.takeError();
  clock.enter(Phase::Check);
  if (llvm::Error error = patchFigures(*object, info))
    return std::move(error);
  auto stripped = target::stripStackSizes(*object);
  if (!stripped)
    return stripped.takeError();
  if (llvm::Error error = checkObject(*stripped, abi))
    return std::move(error);
  artifacts.object = std::move(*stripped);
  artifacts.header = makeHeader(info, artifacts.boundary, abi.helpers);
  return artifacts;
}
