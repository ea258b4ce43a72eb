// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver: plan, bind buffers to memory, emit step by step.

#include "qopt/Codegen/Codegen.h"
#include "Dispatch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Verifier.h"
#include "qopt/Codegen/Plan/Partition.h"
#include "qopt/Codegen/Plan/Strips.h"
#include "qopt/Support/Error.h"

namespace mlir::qopt::codegen {

struct ModuleLowering::Impl {
  Impl(MLIRContext *context, const CodegenOptions &options)
      : options(options), builder(context),
        module(ModuleOp::create(builder.getUnknownLoc())),
        kernels(builder, *module, options.name, options.isa) {
    kernels.tiles = options.tiles;
    kernels.tileCandidate = options.tileCandidate;
  }

  llvm::Expected<FunctionInfo> add(func::FuncOp func, llvm::StringRef name);
  /// A function of the plan's boundaries and arena, and of `more`.
  func::FuncOp createFunction(const Plan &plan, llvm::StringRef name,
                              llvm::ArrayRef<Type> more);
  int64_t constantOffset(int64_t index, const Buffer &buffer);
  void bindBuffers(const Plan &plan, Block &entry);
  /// `after` are the steps that the same thread does next.
  llvm::Error emitSteps(llvm::ArrayRef<Step> steps,
                        llvm::ArrayRef<Step> after = {});
  llvm::Expected<Region> emitRegion(const Plan &plan, std::string name,
                                    const SharedSteps &steps,
                                    const SharedSteps *next);
  llvm::Expected<std::vector<Region>> emitRegions(const Plan &plan,
                                                  llvm::StringRef name);
  void callRegions(llvm::ArrayRef<Region> regions, func::FuncOp caller);
  /// Gives the size of the constants.
  uint64_t finish();

  CodegenOptions options;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  KernelContext kernels;
  /// To be given the constants' final type.
  SmallVector<memref::GetGlobalOp> constantUses;
  /// Where each constant buffer of the plan lies among the constants.
  std::map<int64_t, int64_t> constantOffsets;
};

ModuleLowering::ModuleLowering(MLIRContext *context,
                               const CodegenOptions &options) {
  context
      ->loadDialect<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect,
                    memref::MemRefDialect, qint::QintDialect, qopt::QoptDialect,
                    scf::SCFDialect, vector::VectorDialect>();
  impl = std::make_unique<Impl>(context, options);
}

ModuleLowering::~ModuleLowering() = default;

void ModuleLowering::startVariant(const CodeVariant &variant) {
  impl->kernels.startVariant(variant);
}

llvm::Expected<FunctionInfo> ModuleLowering::add(func::FuncOp func,
                                                 llvm::StringRef name) {
  return impl->add(func, name);
}

std::pair<OwningOpRef<ModuleOp>, uint64_t> ModuleLowering::finish() {
  const uint64_t constBytes = impl->finish();
  return {std::move(impl->module), constBytes};
}

std::vector<TileUse> ModuleLowering::getTiles() const {
  std::vector<TileUse> tiles;
  for (const auto &[shape, use] : impl->kernels.tileUses)
    tiles.push_back(use);
  return tiles;
}

/// `qopt.name` of argument or result `i`, else `fallback` and `i`.
static std::string boundaryName(DictionaryAttr attrs, llvm::StringRef fallback,
                                size_t i) {
  if (attrs)
    if (auto name = attrs.getAs<StringAttr>("qopt.name"))
      return name.str();
  return fallback.str() + std::to_string(i);
}

static Boundary boundaryOf(const View &view, std::string name) {
  Boundary boundary;
  boundary.name = std::move(name);
  boundary.kind = view.kind;
  boundary.shape = view.shape;
  boundary.bytes = view.spanBytes();
  return boundary;
}

static FunctionInfo describe(func::FuncOp func, const Plan &plan) {
  FunctionInfo info;
  info.arenaBytes = plan.arenaBytes;
  info.liveBytes = largestLiveBytes(plan.buffers);
  for (auto [i, view] : llvm::enumerate(plan.inputs))
    info.inputs.push_back(
        boundaryOf(view, boundaryName(func.getArgAttrDict(i), "in", i)));
  for (auto [i, view] : llvm::enumerate(plan.outputs))
    info.outputs.push_back(
        boundaryOf(view, boundaryName(func.getResultAttrDict(i), "out", i)));
  for (const ObservedValue &value : plan.observed) {
    View view = value.view;
    view.offset += plan.buffers[view.buffer].offset / view.elementBytes();
    info.placements.push_back({value.id, view});
  }
  for (Operation &op : func.getBody().front())
    info.macs += macsOf(&op);
  return info;
}

int64_t ModuleLowering::Impl::constantOffset(int64_t index,
                                             const Buffer &buffer) {
  auto [known, isNew] = constantOffsets.try_emplace(index, 0);
  if (isNew)
    known->second = kernels.constants.append(buffer.data);
  return known->second;
}

void ModuleLowering::Impl::bindBuffers(const Plan &plan, Block &entry) {
  size_t numInputs = plan.inputs.size();
  kernels.buffers.clear();
  for (auto [index, buffer] : llvm::enumerate(plan.buffers)) {
    KernelContext::BufferBinding binding;
    switch (buffer.place) {
    case Buffer::Place::Input:
      binding = {entry.getArgument(buffer.index), 0, false};
      break;
    case Buffer::Place::Output:
      binding = {entry.getArgument(numInputs + buffer.index), 0, false};
      break;
    case Buffer::Place::Constant:
      binding = {kernels.constantMemory, constantOffset(index, buffer), true};
      break;
    case Buffer::Place::Arena:
      binding = {entry.getArgument(numInputs + plan.outputs.size()),
                 buffer.offset, true};
      break;
    }
    kernels.buffers.push_back(binding);
  }
}

func::FuncOp ModuleLowering::Impl::createFunction(const Plan &plan,
                                                  llvm::StringRef name,
                                                  llvm::ArrayRef<Type> more) {
  SmallVector<Type> types;
  auto addBytes = [&](int64_t bytes) {
    types.push_back(MemRefType::get({bytes}, builder.getIntegerType(8)));
  };
  for (const View &view : plan.inputs)
    addBytes(view.spanBytes());
  for (const View &view : plan.outputs)
    addBytes(view.spanBytes());
  addBytes(plan.arenaBytes);
  llvm::append_range(types, more);

  Location loc = builder.getUnknownLoc();
  builder.setInsertionPointToEnd(module->getBody());
  auto func = func::FuncOp::create(builder, loc, name,
                                   builder.getFunctionType(types, {}));
  kernels.markVariant(func);
  Block *entry = func.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  auto constants = memref::GetGlobalOp::create(
      builder, loc, MemRefType::get({1}, builder.getIntegerType(8)),
      options.name + "_constants");
  constantUses.push_back(constants);
  kernels.constantMemory = constants;
  bindBuffers(plan, *entry);
  return func;
}

llvm::Error ModuleLowering::Impl::emitSteps(llvm::ArrayRef<Step> steps,
                                            llvm::ArrayRef<Step> after) {
  for (auto [index, step] : llvm::enumerate(steps)) {
    kernels.ahead =
        weightsAhead(kernels, step, steps.drop_front(index + 1), after);
    Location loc = step.op ? step.op->getLoc() : builder.getUnknownLoc();
    if (failed(emitStep(kernels, loc, step)))
      return makeError(302,
                       ("operator '" +
                        (step.op ? step.op->getName().getStringRef() : "copy") +
                        "' has no kernel of this form")
                           .str());
  }
  return llvm::Error::success();
}

/// A function that runs the part that it is told.
llvm::Expected<Region>
ModuleLowering::Impl::emitRegion(const Plan &plan, std::string name,
                                 const SharedSteps &steps,
                                 const SharedSteps *next) {
  func::FuncOp func = createFunction(plan, name, builder.getIndexType());
  Location loc = builder.getUnknownLoc();
  Value part = func.getArguments().back();
  for (auto [index, own] : llvm::enumerate(steps.parts)) {
    OpBuilder::InsertionGuard guard(builder);
    if (steps.parts.size() > 1) {
      Value number = arith::ConstantIndexOp::create(builder, loc, index);
      Value isOwn = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::eq, part, number);
      auto branch = scf::IfOp::create(builder, loc, isOwn);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    const bool goesOn = next && index < next->parts.size();
    if (llvm::Error error =
            emitSteps(own, goesOn ? llvm::ArrayRef(next->parts[index])
                                  : llvm::ArrayRef<Step>()))
      return std::move(error);
  }
  builder.setInsertionPointToEnd(&func.getBody().front());
  func::ReturnOp::create(builder, loc);
  return Region{std::move(name), static_cast<int64_t>(steps.parts.size())};
}

llvm::Expected<std::vector<Region>>
ModuleLowering::Impl::emitRegions(const Plan &plan, llvm::StringRef name) {
  std::vector<Region> regions;
  const std::vector<SharedSteps> all =
      partitionPlan(plan, options.threads, options.cutsSmallSteps);
  for (auto [index, steps] : llvm::enumerate(all)) {
    auto region =
        emitRegion(plan, (name + "_region" + llvm::Twine(index)).str(), steps,
                   index + 1 < all.size() ? &steps + 1 : nullptr);
    if (!region)
      return region.takeError();
    regions.push_back(std::move(*region));
  }
  return regions;
}

/// All parts of all regions, with the arguments of `caller`.
void ModuleLowering::Impl::callRegions(llvm::ArrayRef<Region> regions,
                                       func::FuncOp caller) {
  Location loc = builder.getUnknownLoc();
  for (const Region &region : regions)
    for (int64_t part = 0; part < region.parts; ++part) {
      SmallVector<Value> arguments(caller.getArguments());
      arguments.push_back(arith::ConstantIndexOp::create(builder, loc, part));
      func::CallOp::create(builder, loc, region.function, TypeRange(),
                           arguments);
    }
}

static size_t countConstantBytes(func::FuncOp func) {
  size_t bytes = 0;
  for (Operation &op : func.getBody().front())
    if (isa<qint::ConstantOp, qopt::ConstantOp>(op))
      if (auto constant = readConstant(op.getResult(0)); succeeded(constant))
        bytes += constant->bytes.size();
  return bytes;
}

llvm::Expected<FunctionInfo> ModuleLowering::Impl::add(func::FuncOp source,
                                                       llvm::StringRef name) {
  PlanOptions planOptions;
  planOptions.keepObserved = options.keepObserved;
  planOptions.fusesTables = options.threads > 1;
  planOptions.meanGroups = options.threads;
  planOptions.hasStrips = options.threads == 1;
  planOptions.cutsSmallSteps = options.cutsSmallSteps;
  if (options.cutsSmallSteps)
    planOptions.minGroupedMean = 0;
  auto plan = planFunction(source, planOptions);
  if (!plan)
    return plan.takeError();
  constantOffsets.clear();
  // Panels and tables take somewhat more than what they are made of.
  kernels.constants.reserve(countConstantBytes(source) * 5 / 4);
  std::vector<Region> regions;
  if (options.threads > 1) {
    auto emitted = emitRegions(*plan, name);
    if (!emitted)
      return emitted.takeError();
    regions = std::move(*emitted);
  }
  func::FuncOp func = createFunction(*plan, (name + "_compute").str(), {});
  if (options.threads > 1)
    callRegions(regions, func);
  else if (llvm::Error error = emitSteps(orderByStrips(*plan)))
    return std::move(error);
  func::ReturnOp::create(builder, builder.getUnknownLoc());
  FunctionInfo info = describe(source, *plan);
  info.regions = std::move(regions);
  return info;
}

/// Makes the constants' global and tells its users the type.
uint64_t ModuleLowering::Impl::finish() {
  llvm::erase_if(constantUses, [](memref::GetGlobalOp op) {
    if (!op->use_empty())
      return false;
    op->erase();
    return true;
  });
  if (constantUses.empty())
    return kernels.constants.bytes().size();
  if (kernels.constantsNeedSlack)
    kernels.constants.append(std::vector<uint8_t>(overReadSlack, 0), 1);
  auto bytes = std::make_shared<ConstantBlob::Bytes>(kernels.constants.take());
  auto tensor = RankedTensorType::get({int64_t(bytes->size())},
                                      builder.getIntegerType(8));
  auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
  std::string symbol = options.name + "_constants";
  auto value = DenseResourceElementsAttr::get(
      tensor, symbol,
      AsmResourceBlob(
          llvm::ArrayRef<char>(reinterpret_cast<const char *>(bytes->data()),
                               bytes->size()),
          arenaAlignment, [bytes](void *, size_t, size_t) {},
          /*dataIsMutable=*/false));
  builder.setInsertionPointToStart(module->getBody());
  memref::GlobalOp::create(builder, builder.getUnknownLoc(), symbol,
                           builder.getStringAttr("private"), type, value,
                           /*constant=*/true,
                           builder.getI64IntegerAttr(arenaAlignment));
  for (memref::GetGlobalOp use : constantUses)
    use.getResult().setType(type);
  return bytes->size();
}

llvm::Expected<Compiled> lower(func::FuncOp func,
                               const CodegenOptions &options) {
  ModuleLowering lowering(func.getContext(), options);
  std::vector<CodeVariant> variants = options.variants;
  if (variants.empty())
    variants.push_back({"", options.isa});
  Compiled compiled;
  for (const CodeVariant &variant : variants) {
    std::string name = options.name;
    if (!variant.name.empty())
      name += "_" + variant.name;
    lowering.startVariant(variant);
    auto info = lowering.add(func, name);
    if (!info)
      return info.takeError();
    compiled.variants.push_back({name + "_compute", info->regions});
    // The plan, and so all else, does not depend on instructions.
    if (compiled.variants.size() == 1)
      static_cast<FunctionInfo &>(compiled) = std::move(*info);
  }
  compiled.tiles = lowering.getTiles();
  std::tie(compiled.module, compiled.constBytes) = lowering.finish();
  if (failed(verify(*compiled.module)))
    return makeError(700, "code generation made an invalid module");
  return std::move(compiled);
}

} // namespace mlir::qopt::codegen
