// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One conversion a tensor. Large boundaries are cut into one part a worker, so
// that no thread is left alone with them.

#include "BoundaryHelpers.h"
#include "ContextCode.h"
#include "Quotient.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::qopt;
using namespace mlir::qopt::target;

/// Elements that are handled at once.
static constexpr unsigned vectorLanes = 16;

/// How far ahead floats are asked for.
static constexpr uint64_t prefetchedElements = 512;

/// Fewer elements are not worth sharing: 16 take about 2 ns.
static constexpr uint64_t minSharedElements = 1 << 14;

/// Parts begin at multiples of this: no two write to one cache line.
static constexpr uint64_t partGranule = 64;

static bool isUnsigned(BoundaryType type) {
  return type == BoundaryType::U8 || type == BoundaryType::U16;
}

/// `type`, or a vector of it.
static llvm::Type *inLanes(llvm::Type *type, unsigned lanes) {
  return lanes == 1 ? type : llvm::FixedVectorType::get(type, lanes);
}

static bool isShared(const AbiSpec &spec,
                     llvm::ArrayRef<BoundaryTensor> tensors) {
  uint64_t elements = 0;
  for (const BoundaryTensor &tensor : tensors)
    elements += tensor.elements();
  return spec.maxWorkers > 1 && elements >= minSharedElements;
}

static const char *verbOf(bool isInput) {
  return isInput ? "_quantize" : "_dequantize";
}

static std::string nameOf(const AbiSpec &spec, const BoundaryTensor &tensor,
                          bool isInput) {
  return spec.name + verbOf(isInput) + "_" + tensor.identifier;
}

static std::string allNameOf(const AbiSpec &spec, bool isInput) {
  return spec.name + verbOf(isInput);
}

static std::string taskNameOf(const AbiSpec &spec, bool isInput) {
  return spec.name + "_task" + verbOf(isInput);
}

/// Of a tensor whose elements are shared.
static std::string rangeNameOf(const AbiSpec &spec,
                               const BoundaryTensor &tensor, bool isInput) {
  return spec.name + "_range" + verbOf(isInput) + "_" + tensor.identifier;
}

namespace {

class HelperBuilder {
public:
  HelperBuilder(llvm::Module &module, const AbiSpec &spec, bool isInput)
      : module(module), spec(spec), isInput(isInput),
        tensors(isInput ? spec.inputs : spec.outputs),
        context(module.getContext()), builder(context), ptr(builder.getPtrTy()),
        i32(builder.getInt32Ty()), i64(builder.getInt64Ty()),
        f32(builder.getFloatTy()) {}

  BoundaryHelpers build();

private:
  llvm::Function *declare(const llvm::Twine &name,
                          llvm::ArrayRef<llvm::Type *> arguments);
  llvm::Function *buildOne(const BoundaryTensor &tensor);
  llvm::Function *buildAll();
  llvm::Function *buildTask();
  llvm::Value *loadPointer(llvm::Value *list, size_t index);

  void buildElementLoops(const BoundaryTensor &tensor, llvm::Value *begin,
                         llvm::Value *end);
  void buildLoop(const BoundaryTensor &tensor, llvm::Value *begin,
                 llvm::Value *end, unsigned step);
  void prefetchFloats(llvm::Value *index);
  llvm::Value *buildQuotient(llvm::Value *x, const BoundaryTensor &tensor,
                             float limit);
  void quantize(const BoundaryTensor &tensor, llvm::Value *index,
                unsigned lanes);
  void dequantize(const BoundaryTensor &tensor, llvm::Value *index,
                  unsigned lanes);
  void copy(llvm::Value *index, unsigned lanes);

  llvm::Module &module;
  const AbiSpec &spec;
  bool isInput;
  llvm::ArrayRef<BoundaryTensor> tensors;
  llvm::LLVMContext &context;
  llvm::IRBuilder<> builder;
  llvm::Type *ptr, *i32, *i64, *f32;
  BoundaryHelpers helpers;
  /// `void(src, dst, i64 begin, i64 end)`, one a tensor, where work is shared.
  std::vector<llvm::Function *> ranges;
};

} // namespace

llvm::Function *HelperBuilder::declare(const llvm::Twine &name,
                                       llvm::ArrayRef<llvm::Type *> arguments) {
  auto *type = llvm::FunctionType::get(builder.getVoidTy(), arguments, false);
  auto *function = llvm::Function::Create(
      type, llvm::GlobalValue::ExternalLinkage, name, module);
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  return function;
}

llvm::Value *HelperBuilder::loadPointer(llvm::Value *list, size_t index) {
  return builder.CreateLoad(
      ptr, builder.CreateConstInBoundsGEP1_64(ptr, list, index));
}

/// Blocks of `vectorLanes` elements of `[begin, end)`, then those that are
/// left.
void HelperBuilder::buildElementLoops(const BoundaryTensor &tensor,
                                      llvm::Value *begin, llvm::Value *end) {
  llvm::Value *inBlocks =
      builder.CreateAnd(builder.CreateSub(end, begin), -uint64_t(vectorLanes));
  llvm::Value *middle = builder.CreateAdd(begin, inBlocks);
  buildLoop(tensor, begin, middle, vectorLanes);
  buildLoop(tensor, middle, end, 1);
  builder.CreateRetVoid();
}

/// Callers' memory is far away; what fetches ahead by itself stops at the end
/// of each page. May point behind the end: a prefetch never faults.
void HelperBuilder::prefetchFloats(llvm::Value *index) {
  llvm::Function *function = builder.GetInsertBlock()->getParent();
  llvm::Value *ahead = builder.CreateGEP(
      f32, function->getArg(isInput ? 0 : 1),
      builder.CreateAdd(index, builder.getInt64(prefetchedElements)));
  const int isWritten = isInput ? 0 : 1, nearest = 3, isData = 1;
  builder.CreateIntrinsic(llvm::Intrinsic::prefetch, {ptr},
                          {ahead, builder.getInt32(isWritten),
                           builder.getInt32(nearest),
                           builder.getInt32(isData)});
}

/// Converts `step` elements at a time, as vectors where that is not 1.
void HelperBuilder::buildLoop(const BoundaryTensor &tensor, llvm::Value *begin,
                              llvm::Value *end, unsigned step) {
  llvm::BasicBlock *entry = builder.GetInsertBlock();
  auto *loop = llvm::BasicBlock::Create(context, "loop", entry->getParent());
  auto *exit = llvm::BasicBlock::Create(context, "exit", entry->getParent());
  builder.CreateCondBr(builder.CreateICmpULT(begin, end), loop, exit);
  builder.SetInsertPoint(loop);
  llvm::PHINode *index = builder.CreatePHI(i64, 2);
  index->addIncoming(begin, entry);
  if (step > 1)
    prefetchFloats(index);
  if (tensor.type == BoundaryType::F32)
    copy(index, step);
  else if (isInput)
    quantize(tensor, index, step);
  else
    dequantize(tensor, index, step);
  llvm::Value *next = builder.CreateAdd(index, builder.getInt64(step));
  index->addIncoming(next, loop);
  builder.CreateCondBr(builder.CreateICmpULT(next, end), loop, exit);
  builder.SetInsertPoint(exit);
}

/// `x / scale`, rounded to float32 and clamped to +-`limit`; NaN stays. Where
/// there is a fused multiply-add it takes the place of the division, which is
/// many times slower: a quotient by the reciprocal is improved, until it rounds
/// to the integer of the quotient; twice gives the quotient itself by
/// Markstein's theorem. Within these scales no remainder near a tie is
/// subnormal.
llvm::Value *HelperBuilder::buildQuotient(llvm::Value *x,
                                          const BoundaryTensor &tensor,
                                          float limit) {
  const float scale = tensor.scale;
  auto constant = [&](float value) {
    return llvm::ConstantFP::get(x->getType(), value);
  };
  auto clamp = [&](llvm::Value *v, float end) {
    v = builder.CreateSelect(builder.CreateFCmpOLT(v, constant(-end)),
                             constant(-end), v);
    return builder.CreateSelect(builder.CreateFCmpOGT(v, constant(end)),
                                constant(end), v);
  };
  if (!spec.cpuFeatures.hasFMA || !(scale > 0x1p-80f && scale < 0x1p80f))
    return clamp(builder.CreateFDiv(x, constant(scale)), limit);
  x = clamp(x, limit * scale);
  auto fma = [&](llvm::Value *a, float b, llvm::Value *c) {
    return builder.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()},
                                   {a, constant(b), c});
  };
  const float reciprocal = 1 / scale;
  llvm::Value *quotient = builder.CreateFMul(x, constant(reciprocal));
  const unsigned improvements =
      quotientImprovements(scale, int64_t(tensor.qmin) - tensor.zeroPoint,
                           int64_t(tensor.qmax) - tensor.zeroPoint);
  for (unsigned i = 0; i < improvements; ++i)
    quotient = fma(fma(quotient, -scale, x), reciprocal, quotient);
  return quotient;
}

/// numerics::quantize on elements from `index` on: clamped first, rounded by
/// adding 1.5 * 2^23, since rintf is a libm call below SSE4.1. NaN gives the
/// zero point.
void HelperBuilder::quantize(const BoundaryTensor &tensor, llvm::Value *index,
                             unsigned lanes) {
  llvm::Function *function = builder.GetInsertBlock()->getParent();
  auto *element = builder.getIntNTy(8 * boundaryTypeSize(tensor.type));
  llvm::Type *floats = inLanes(f32, lanes), *words = inLanes(i32, lanes);
  auto constant = [&](float value) {
    return llvm::ConstantFP::get(floats, value);
  };
  auto integer = [&](int32_t value) {
    return llvm::ConstantInt::get(words, value, /*IsSigned=*/true);
  };
  llvm::Value *x = builder.CreateAlignedLoad(
      floats, builder.CreateInBoundsGEP(f32, function->getArg(0), index),
      llvm::Align(4));
  const float limit = 2097152.0f;
  llvm::Value *v = buildQuotient(x, tensor, limit);
  llvm::Value *isNumber = builder.CreateFCmpORD(v, v);
  // The rounded number is what the sum's bits are above those of 1.5 * 2^23.
  const float magic = 12582912.0f;
  const int32_t magicBits = 0x4b400000;
  v = builder.CreateSelect(isNumber, builder.CreateFAdd(v, constant(magic)),
                           constant(magic));
  llvm::Value *q = builder.CreateAdd(builder.CreateBitCast(v, words),
                                     integer(tensor.zeroPoint - magicBits));
  llvm::Value *qmin = integer(tensor.qmin), *qmax = integer(tensor.qmax);
  q = builder.CreateSelect(builder.CreateICmpSLT(q, qmin), qmin, q);
  q = builder.CreateSelect(builder.CreateICmpSGT(q, qmax), qmax, q);
  builder.CreateAlignedStore(
      builder.CreateTrunc(q, inLanes(element, lanes)),
      builder.CreateInBoundsGEP(element, function->getArg(1), index),
      llvm::Align(boundaryTypeSize(tensor.type)));
}

/// numerics::dequantize on elements from `index` on.
void HelperBuilder::dequantize(const BoundaryTensor &tensor, llvm::Value *index,
                               unsigned lanes) {
  llvm::Function *function = builder.GetInsertBlock()->getParent();
  auto *element = builder.getIntNTy(8 * boundaryTypeSize(tensor.type));
  llvm::Type *floats = inLanes(f32, lanes), *words = inLanes(i32, lanes);
  llvm::Value *q = builder.CreateAlignedLoad(
      inLanes(element, lanes),
      builder.CreateInBoundsGEP(element, function->getArg(0), index),
      llvm::Align(boundaryTypeSize(tensor.type)));
  q = isUnsigned(tensor.type) ? builder.CreateZExt(q, words)
                              : builder.CreateSExtOrTrunc(q, words);
  q = builder.CreateSub(q, llvm::ConstantInt::get(words, tensor.zeroPoint,
                                                  /*IsSigned=*/true));
  llvm::Value *x =
      builder.CreateFMul(llvm::ConstantFP::get(floats, tensor.scale),
                         builder.CreateSIToFP(q, floats));
  builder.CreateAlignedStore(
      x, builder.CreateInBoundsGEP(f32, function->getArg(1), index),
      llvm::Align(4));
}

/// Floats that stay floats: generic callers need not know.
void HelperBuilder::copy(llvm::Value *index, unsigned lanes) {
  llvm::Function *function = builder.GetInsertBlock()->getParent();
  llvm::Value *words = builder.CreateAlignedLoad(
      inLanes(i32, lanes),
      builder.CreateInBoundsGEP(i32, function->getArg(0), index),
      llvm::Align(4));
  builder.CreateAlignedStore(
      words, builder.CreateInBoundsGEP(i32, function->getArg(1), index),
      llvm::Align(4));
}

/// All elements of `tensor`.
llvm::Function *HelperBuilder::buildOne(const BoundaryTensor &tensor) {
  const std::string name = nameOf(spec, tensor, isInput);
  llvm::Value *begin = builder.getInt64(0),
              *end = builder.getInt64(tensor.elements());
  if (!isShared(spec, tensors)) {
    llvm::Function *function = declare(name, {ptr, ptr});
    buildElementLoops(tensor, begin, end);
    return function;
  }
  llvm::Function *range =
      declare(rangeNameOf(spec, tensor, isInput), {ptr, ptr, i64, i64});
  range->setLinkage(llvm::GlobalValue::InternalLinkage);
  buildElementLoops(tensor, range->getArg(2), range->getArg(3));
  ranges.push_back(range);
  llvm::Function *function = declare(name, {ptr, ptr});
  builder.CreateCall(range,
                     {function->getArg(0), function->getArg(1), begin, end});
  builder.CreateRetVoid();
  return function;
}

/// A qopt_task that converts one part of each tensor; its argument points to
/// the lists of sources and results.
llvm::Function *HelperBuilder::buildTask() {
  llvm::Function *task = declare(taskNameOf(spec, isInput), {ptr, i32});
  task->setLinkage(llvm::GlobalValue::InternalLinkage);
  llvm::Value *from = loadPointer(task->getArg(0), 0),
              *to = loadPointer(task->getArg(0), 1);
  llvm::Value *part = builder.CreateZExt(task->getArg(1), i64);
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    const uint64_t longest = llvm::alignTo(
        llvm::divideCeil(tensor.elements(), spec.maxWorkers), partGranule);
    llvm::Value *count = builder.getInt64(tensor.elements());
    auto cut = [&](llvm::Value *at) {
      return builder.CreateBinaryIntrinsic(
          llvm::Intrinsic::umin,
          builder.CreateMul(at, builder.getInt64(longest)), count);
    };
    llvm::Value *next = builder.CreateAdd(part, builder.getInt64(1));
    builder.CreateCall(ranges[i], {loadPointer(from, i), loadPointer(to, i),
                                   cut(part), cut(next)});
  }
  builder.CreateRetVoid();
  return task;
}

llvm::Function *HelperBuilder::buildAll() {
  llvm::Function *task = isShared(spec, tensors) ? buildTask() : nullptr;
  llvm::Function *all = declare(allNameOf(spec, isInput), {ptr, ptr, ptr});
  if (task) {
    llvm::Value *frame = builder.CreateAlloca(llvm::ArrayType::get(ptr, 2));
    llvm::BasicBlock *serial = branchOnWorkers(builder, all->getArg(2));
    for (unsigned i = 0; i < 2; ++i)
      builder.CreateStore(all->getArg(i),
                          builder.CreateConstInBoundsGEP1_64(ptr, frame, i));
    callParallelFor(builder, all->getArg(2), spec.maxWorkers, task, frame);
    builder.CreateRetVoid();
    builder.SetInsertPoint(serial);
  }
  for (auto [i, one] : llvm::enumerate(helpers.each))
    builder.CreateCall(
        one, {loadPointer(all->getArg(0), i), loadPointer(all->getArg(1), i)});
  builder.CreateRetVoid();
  return all;
}

BoundaryHelpers HelperBuilder::build() {
  for (const BoundaryTensor &tensor : tensors)
    helpers.each.push_back(buildOne(tensor));
  helpers.all = buildAll();
  return helpers;
}

BoundaryHelpers mlir::qopt::target::buildBoundaryHelpers(llvm::Module &module,
                                                         const AbiSpec &spec,
                                                         bool isInput) {
  return HelperBuilder(module, spec, isInput).build();
}

std::vector<std::string> mlir::qopt::target::helperNames(const AbiSpec &spec) {
  std::vector<std::string> names;
  if (!spec.helpers)
    return names;
  for (bool isInput : {true, false}) {
    const auto &tensors = isInput ? spec.inputs : spec.outputs;
    names.push_back(allNameOf(spec, isInput));
    names.push_back(taskNameOf(spec, isInput));
    for (const BoundaryTensor &tensor : tensors) {
      names.push_back(nameOf(spec, tensor, isInput));
      names.push_back(rangeNameOf(spec, tensor, isInput));
    }
  }
  return names;
}
