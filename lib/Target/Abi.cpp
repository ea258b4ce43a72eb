// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the public face of a model in LLVM IR. Struct layouts here are those
// of include/qopt/Runtime/qopt_abi.h; AbiTest holds the two together.

#include "qopt/Target/Abi.h"
#include "BoundaryHelpers.h"
#include "ContextCode.h"
#include "CpuCheck.h"
#include "qopt/Support/Error.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

using namespace mlir::qopt;
using namespace mlir::qopt::target;

unsigned mlir::qopt::target::boundaryTypeSize(BoundaryType type) {
  switch (type) {
  case BoundaryType::I8:
  case BoundaryType::U8:
    return 1;
  case BoundaryType::I16:
  case BoundaryType::U16:
    return 2;
  case BoundaryType::I32:
  case BoundaryType::F32:
    return 4;
  }
  return 0;
}

const char *mlir::qopt::target::boundaryTypeName(BoundaryType type) {
  static const char *const names[] = {"int8_t",   "uint8_t", "int16_t",
                                      "uint16_t", "int32_t", "float"};
  return names[static_cast<uint32_t>(type)];
}

uint64_t BoundaryTensor::elements() const {
  uint64_t count = 1;
  for (int64_t dim : shape)
    count *= static_cast<uint64_t>(dim);
  return count;
}

namespace {

class AbiBuilder {
public:
  AbiBuilder(llvm::Module &module, const AbiSpec &spec)
      : module(module), spec(spec), context(module.getContext()),
        builder(context), ptr(llvm::PointerType::getUnqual(context)),
        i32(llvm::Type::getInt32Ty(context)),
        i64(llvm::Type::getInt64Ty(context)),
        f32(llvm::Type::getFloatTy(context)) {}

  llvm::Expected<std::vector<std::string>> build();

private:
  llvm::Function *declare(const llvm::Twine &name, llvm::Type *result,
                          llvm::ArrayRef<llvm::Type *> arguments);
  llvm::Expected<llvm::Function *> buildVariantRun(const AbiVariant &variant,
                                                   const llvm::Twine &name);
  llvm::Error buildRun();
  llvm::Error buildSharedRun(llvm::ArrayRef<AbiRegion> regions,
                             llvm::Function *run,
                             llvm::ArrayRef<llvm::Value *> pointers);
  llvm::Function *buildTask(llvm::Function *region, size_t count);
  llvm::Function *buildResolveVariant();
  llvm::Constant *buildString(llvm::StringRef text, const llvm::Twine &name,
                              bool visible = false);
  BoundaryHelpers buildHelpers(bool inputs);
  llvm::Constant *buildTensors(const BoundaryHelpers &helpers, bool inputs);
  /// qopt_tensor.
  llvm::StructType *tensorType() {
    return llvm::StructType::get(
        context, {ptr, i32, i32, ptr, i64, i64, f32, i32, ptr, ptr});
  }
  void buildModel();

  llvm::Module &module;
  const AbiSpec &spec;
  llvm::LLVMContext &context;
  llvm::IRBuilder<> builder;
  llvm::PointerType *ptr;
  llvm::IntegerType *i32;
  llvm::IntegerType *i64;
  llvm::Type *f32;
  std::vector<std::string> exports;
};

} // namespace

llvm::Function *AbiBuilder::declare(const llvm::Twine &name, llvm::Type *result,
                                    llvm::ArrayRef<llvm::Type *> arguments) {
  auto *type = llvm::FunctionType::get(result, arguments, false);
  auto *function = llvm::Function::Create(
      type, llvm::GlobalValue::ExternalLinkage, name, module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  return function;
}

/// A function as NAME_run that runs `variant`: loads the pointers, computes.
llvm::Expected<llvm::Function *>
AbiBuilder::buildVariantRun(const AbiVariant &variant,
                            const llvm::Twine &name) {
  llvm::Function *compute = module.getFunction(variant.computeFunction);
  size_t arguments = spec.inputs.size() + spec.outputs.size() + 1;
  if (!compute || compute->arg_size() != arguments)
    return makeError(702, "module has no function '" + variant.computeFunction +
                              "' of " + std::to_string(arguments) +
                              " pointers");
  llvm::Function *run =
      declare(name, builder.getVoidTy(), {ptr, ptr, ptr, ptr});
  std::vector<llvm::Value *> pointers;
  auto load = [&](unsigned argument, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      llvm::Value *slot =
          builder.CreateConstInBoundsGEP1_64(ptr, run->getArg(argument), i);
      pointers.push_back(builder.CreateLoad(ptr, slot));
    }
  };
  load(0, spec.inputs.size());
  load(1, spec.outputs.size());
  pointers.push_back(run->getArg(2));
  if (!variant.regions.empty())
    if (llvm::Error error = buildSharedRun(variant.regions, run, pointers))
      return std::move(error);
  builder.CreateCall(compute, pointers);
  builder.CreateRetVoid();
  return run;
}

/// NAME_run(inputs, outputs, arena, ctx): the variant that `ctx` names, the
/// base where it names none or one that is not there.
llvm::Error AbiBuilder::buildRun() {
  const std::string name = spec.name + "_run";
  exports.push_back(name);
  if (spec.richer.empty())
    return buildVariantRun(spec, name).takeError();
  std::vector<llvm::Function *> runs;
  for (size_t i = 0; i <= spec.richer.size(); ++i) {
    auto run = buildVariantRun(i == 0 ? spec : spec.richer[i - 1],
                               name + "_" + llvm::Twine(i));
    if (!run)
      return run.takeError();
    (*run)->setLinkage(llvm::GlobalValue::InternalLinkage);
    runs.push_back(*run);
  }
  llvm::Function *run =
      declare(name, builder.getVoidTy(), {ptr, ptr, ptr, ptr});
  auto *ask = llvm::BasicBlock::Create(context, "ask", run);
  auto *base = llvm::BasicBlock::Create(context, "base", run);
  builder.CreateCondBr(
      builder.CreateICmpEQ(run->getArg(3), llvm::ConstantPointerNull::get(ptr)),
      base, ask);
  auto call = [&](llvm::Function *variant) {
    llvm::SmallVector<llvm::Value *> arguments;
    for (llvm::Argument &argument : run->args())
      arguments.push_back(&argument);
    builder.CreateCall(variant, arguments)->setTailCall();
    builder.CreateRetVoid();
  };
  builder.SetInsertPoint(ask);
  llvm::SwitchInst *choice = builder.CreateSwitch(
      loadVariant(builder, run->getArg(3)), base, spec.richer.size());
  for (size_t i = 1; i < runs.size(); ++i) {
    auto *block = llvm::BasicBlock::Create(context, "variant", run);
    choice->addCase(builder.getInt32(i), block);
    builder.SetInsertPoint(block);
    call(runs[i]);
  }
  builder.SetInsertPoint(base);
  call(runs[0]);
  return llvm::Error::success();
}

/// `if (ctx && ctx->workers > 1)` all regions by ctx->parallel_for, and return.
/// What follows is built behind it.
llvm::Error AbiBuilder::buildSharedRun(llvm::ArrayRef<AbiRegion> regions,
                                       llvm::Function *run,
                                       llvm::ArrayRef<llvm::Value *> pointers) {
  auto *frameType = llvm::ArrayType::get(ptr, pointers.size());
  llvm::Value *frame = builder.CreateAlloca(frameType);
  llvm::Value *ctx = run->getArg(3);
  llvm::BasicBlock *serial = branchOnWorkers(builder, ctx);
  for (auto [i, pointer] : llvm::enumerate(pointers))
    builder.CreateStore(pointer,
                        builder.CreateConstInBoundsGEP1_64(ptr, frame, i));
  for (const AbiRegion &region : regions) {
    llvm::Function *function = module.getFunction(region.function);
    if (!function || function->arg_size() != pointers.size() + 1)
      return makeError(702, "module has no function '" + region.function +
                                "' of pointers and a part");
    if (region.parts == 1) {
      llvm::SmallVector<llvm::Value *> all(pointers);
      all.push_back(builder.getInt64(0));
      builder.CreateCall(function, all);
      continue;
    }
    callParallelFor(builder, ctx, static_cast<uint32_t>(region.parts),
                    buildTask(function, pointers.size()), frame);
  }
  builder.CreateRetVoid();
  builder.SetInsertPoint(serial);
  return llvm::Error::success();
}

/// A qopt_task that runs one part of `region`; its argument points to the
/// pointers.
llvm::Function *AbiBuilder::buildTask(llvm::Function *region, size_t count) {
  llvm::IRBuilder<>::InsertPointGuard guard(builder);
  llvm::Function *task =
      declare(region->getName() + "_task", builder.getVoidTy(), {ptr, i32});
  task->setLinkage(llvm::GlobalValue::InternalLinkage);
  llvm::SmallVector<llvm::Value *> arguments;
  for (size_t i = 0; i < count; ++i)
    arguments.push_back(builder.CreateLoad(
        ptr, builder.CreateConstInBoundsGEP1_64(ptr, task->getArg(0), i)));
  arguments.push_back(builder.CreateZExt(task->getArg(1), i64));
  builder.CreateCall(region, arguments);
  builder.CreateRetVoid();
  return task;
}

/// The last variant whose check the CPU passes.
llvm::Function *AbiBuilder::buildResolveVariant() {
  const std::string name = spec.name + "_resolve_variant";
  exports.push_back(name);
  if (spec.richer.empty())
    return buildCpuCheck(module, name, spec.cpuFeatures);
  llvm::Function *resolve = declare(name, i32, {});
  for (size_t i = spec.richer.size() + 1; i-- > 0;) {
    llvm::Function *check = buildCpuCheck(
        module, name + "_" + llvm::Twine(i),
        i == 0 ? spec.cpuFeatures : spec.richer[i - 1].cpuFeatures);
    check->setLinkage(llvm::GlobalValue::InternalLinkage);
    auto *runs = llvm::BasicBlock::Create(context, "runs", resolve);
    auto *next = llvm::BasicBlock::Create(context, "next", resolve);
    builder.CreateCondBr(
        builder.CreateICmpEQ(builder.CreateCall(check), builder.getInt32(0)),
        runs, next);
    builder.SetInsertPoint(runs);
    builder.CreateRet(builder.getInt32(i));
    builder.SetInsertPoint(next);
  }
  builder.CreateRet(builder.getInt32(~0u));
  return resolve;
}

llvm::Constant *AbiBuilder::buildString(llvm::StringRef text,
                                        const llvm::Twine &name, bool visible) {
  llvm::Constant *data = llvm::ConstantDataArray::getString(context, text);
  auto *global =
      new llvm::GlobalVariable(module, data->getType(), /*isConstant=*/true,
                               visible ? llvm::GlobalValue::ExternalLinkage
                                       : llvm::GlobalValue::PrivateLinkage,
                               data, name);
  global->setAlignment(llvm::Align(1));
  return global;
}

/// Those of all inputs or all outputs, if they are wanted.
BoundaryHelpers AbiBuilder::buildHelpers(bool inputs) {
  if (!spec.helpers)
    return {};
  BoundaryHelpers helpers = buildBoundaryHelpers(module, spec, inputs);
  for (llvm::Function *function : helpers.each)
    exports.push_back(function->getName().str());
  exports.push_back(helpers.all->getName().str());
  return helpers;
}

/// The array of qopt_tensor for all inputs or all outputs.
llvm::Constant *AbiBuilder::buildTensors(const BoundaryHelpers &helpers,
                                         bool inputs) {
  const auto &tensors = inputs ? spec.inputs : spec.outputs;
  llvm::StructType *type = tensorType();
  llvm::Constant *null = llvm::ConstantPointerNull::get(ptr);
  std::vector<llvm::Constant *> entries;
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    std::vector<uint64_t> dims(tensor.shape.begin(), tensor.shape.end());
    llvm::Constant *dimData = llvm::ConstantDataArray::get(context, dims);
    auto *dimGlobal = new llvm::GlobalVariable(
        module, dimData->getType(), true, llvm::GlobalValue::PrivateLinkage,
        dimData, spec.name + "_dims");
    llvm::Constant *helper = spec.helpers ? helpers.each[i] : null;
    entries.push_back(llvm::ConstantStruct::get(
        type,
        {buildString(tensor.name, spec.name + "_tensor_name"),
         builder.getInt32(static_cast<uint32_t>(tensor.type)),
         builder.getInt32(tensor.shape.size()), dimGlobal,
         builder.getInt64(tensor.elements()),
         builder.getInt64(tensor.elements() * boundaryTypeSize(tensor.type)),
         llvm::ConstantFP::get(f32, tensor.scale),
         builder.getInt32(tensor.zeroPoint), inputs ? helper : null,
         inputs ? null : helper}));
  }
  auto *array = llvm::ArrayType::get(type, entries.size());
  return new llvm::GlobalVariable(
      module, array, true, llvm::GlobalValue::PrivateLinkage,
      llvm::ConstantArray::get(array, entries),
      spec.name + (inputs ? "_inputs" : "_outputs"));
}

void AbiBuilder::buildModel() {
  BoundaryHelpers quantize = buildHelpers(true),
                  dequantize = buildHelpers(false);
  llvm::Constant *inputs = buildTensors(quantize, true);
  llvm::Constant *outputs = buildTensors(dequantize, false);
  llvm::Constant *resolve = buildResolveVariant();
  llvm::Constant *info = buildString(spec.info, spec.name + "_info", true);
  exports.push_back(spec.name + "_info");

  auto *type = llvm::StructType::get(context, {i32, i32, ptr, ptr, i64, i32,
                                               i32, i32, i32, i32, i32, ptr,
                                               ptr, ptr, ptr, ptr, ptr});
  auto orNull = [&](llvm::Function *function) -> llvm::Constant * {
    return function ? static_cast<llvm::Constant *>(function)
                    : llvm::ConstantPointerNull::get(ptr);
  };
  uint64_t size = module.getDataLayout().getTypeAllocSize(type);
  uint64_t tensorSize = module.getDataLayout().getTypeAllocSize(tensorType());
  llvm::Constant *value = llvm::ConstantStruct::get(
      type,
      {builder.getInt32(1), builder.getInt32(size),
       buildString(spec.name, spec.name + "_name"), info,
       builder.getInt64(spec.arenaBytes), builder.getInt32(spec.arenaAlign),
       builder.getInt32(spec.inputs.size()),
       builder.getInt32(spec.outputs.size()),
       builder.getInt32(1 + spec.richer.size()), builder.getInt32(tensorSize),
       builder.getInt32(spec.maxWorkers), inputs, outputs,
       module.getFunction(spec.name + "_run"), resolve, orNull(quantize.all),
       orNull(dequantize.all)});
  new llvm::GlobalVariable(module, type, true,
                           llvm::GlobalValue::ExternalLinkage, value,
                           spec.name + "_model");
  exports.push_back(spec.name + "_model");
}

llvm::Expected<std::vector<std::string>> AbiBuilder::build() {
  if (llvm::Error error = buildRun())
    return std::move(error);
  buildModel();
  return exports;
}

llvm::Expected<std::vector<std::string>>
mlir::qopt::target::addAbi(llvm::Module &module, const AbiSpec &spec) {
  return AbiBuilder(module, spec).build();
}
