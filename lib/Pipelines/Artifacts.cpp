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

/// What is known of the model before there is an object.
static ModelInfo describeModel(Levels &levels,
                               ArrayRef<target::ResolvedTarget> targets,
                               StringRef name) {
  ModelInfo info;
  info.name = name.str();
  info.modelHash = levels.printModelHash();
  info.triple = targets.front().triple;
  info.cpu = targets.front().cpu;
  info.features = targets.front().features;
  info.macs = levels.getFigures().macs;
  info.arenaBytes = levels.getFigures().arenaBytes;
  if (targets.size() > 1)
    for (const target::ResolvedTarget &target : targets)
      info.variants.push_back({target.cpu, target.features, 0});
  return info;
}

static target::AbiSpec makeAbi(const CodeFigures &figures,
                               ArrayRef<target::ResolvedTarget> targets,
                               const ObjectArtifacts &artifacts, bool helpers) {
  target::AbiSpec abi;
  abi.name = artifacts.info.name;
  abi.inputs = artifacts.boundary.inputs;
  abi.outputs = artifacts.boundary.outputs;
  abi.arenaBytes = figures.arenaBytes;
  for (auto [i, code] : llvm::enumerate(figures.variants)) {
    target::AbiVariant &variant = i == 0 ? abi : abi.richer.emplace_back();
    variant.computeFunction = code.computeFunction;
    variant.regions = code.regions;
    variant.cpuFeatures = targets[i].cpuFeatures;
  }
  for (const target::AbiRegion &region : abi.regions)
    abi.maxWorkers =
        std::max(abi.maxWorkers, static_cast<uint32_t>(region.parts));
  abi.info = makeInfo(artifacts.info, artifacts.boundary);
  abi.helpers = helpers;
  return abi;
}

llvm::Expected<ObjectArtifacts> mlir::qopt::pipelines::buildObject(
    Levels &levels, ArrayRef<target::ResolvedTarget> targets, StringRef name,
    const CompileOptions &options, PhaseClock &clock) {
  clock.enter(Phase::LLVM);
  const CodeFigures &figures = levels.getFigures();
  ObjectArtifacts artifacts;
  ModelInfo &info = artifacts.info;
  info = describeModel(levels, targets, name);
  artifacts.boundary = getBoundary(levels.getFunction("qint"));
  const target::AbiSpec abi = makeAbi(figures, targets, artifacts,
                                      options.io == BoundaryIO::Float);

  llvm::LLVMContext context;
  auto module = target::translate(levels.getLevel("llvm"), context);
  if (!module)
    return module.takeError();
  auto machine = target::createTargetMachine(targets.front());
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
  for (auto [i, variant] : llvm::enumerate(info.variants)) {
    auto bytes = target::codeBytes(*object, figures.variants[i].functions);
    if (!bytes)
      return bytes.takeError();
    variant.codeBytes = *bytes;
  }
  auto stripped = target::stripStackSizes(*object);
  if (!stripped)
    return stripped.takeError();
  if (llvm::Error error = checkObject(*stripped, abi))
    return std::move(error);
  artifacts.object = std::move(*stripped);
  artifacts.header = makeHeader(info, artifacts.boundary, abi.helpers);
  return artifacts;
}
