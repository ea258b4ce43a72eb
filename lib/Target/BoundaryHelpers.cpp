// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One conversion a tensor. Large boundaries are cut into one part a worker, so
// that no thread is left alone with them.

#include "BoundaryHelpers.h"
#include "ContextCode.h"
#include "Quotient.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::qopt;
using namespace mlir::qopt::target;

/// Elements that are handled at once.
static constexpr unsigned vectorLanes = 16;

/// Bytes that are made at once where four vectors are packed into one.
static constexpr unsigned packedLanes = 64;

/// How far ahead floats are asked for.
static constexpr uint64_t prefetchedElements = 512;

/// Quotients are clamped to this before they are rounded by a float sum.
static constexpr float quotientLimit = 2097152.0f;

/// Below this most of what is asked for would lie behind the tensor.
static constexpr uint64_t minPrefetchingElements = 4 * prefetchedElements;

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
  void prefetchFloats(llvm::Value *index, unsigned lanes);
  llvm::Value *loadFloats(llvm::Value *index, unsigned lanes);
  bool hasFastQuotient(const BoundaryTensor &tensor) const;
  llvm::Value *buildQuotient(llvm::Value *x, const BoundaryTensor &tensor);
  bool isPacked(const BoundaryTensor &tensor) const;
  llvm::Value *roundQuotients(const BoundaryTensor &tensor, llvm::Value *index);
  void quantizePacked(const BoundaryTensor &tensor, llvm::Value *index);
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

/// Blocks of `[begin, end)`, the largest first, then what is left.
void HelperBuilder::buildElementLoops(const BoundaryTensor &tensor,
                                      llvm::Value *begin, llvm::Value *end) {
  llvm::SmallVector<unsigned> steps;
  if (isPacked(tensor))
    steps.push_back(packedLanes);
  steps.push_back(vectorLanes);
  // Where their number is known, few are left without a loop.
  if (llvm::isa<llvm::Constant>(end))
    llvm::append_range(steps, llvm::ArrayRef<unsigned>{8, 4, 2});
  steps.push_back(1);
  for (unsigned step : steps) {
    llvm::Value *inBlocks =
        builder.CreateAnd(builder.CreateSub(end, begin), -uint64_t(step));
    llvm::Value *middle = builder.CreateAdd(begin, inBlocks);
    buildLoop(tensor, begin, middle, step);
    begin = middle;
  }
  builder.CreateRetVoid();
}

/// Callers' memory is far away; what fetches ahead by itself stops at the end
/// of each page. May point behind the end: a prefetch never faults.
void HelperBuilder::prefetchFloats(llvm::Value *index, unsigned lanes) {
  llvm::Function *function = builder.GetInsertBlock()->getParent();
  for (unsigned line = 0; line < lanes; line += vectorLanes) {
    llvm::Value *ahead = builder.CreateGEP(
        f32, function->getArg(isInput ? 0 : 1),
        builder.CreateAdd(index, builder.getInt64(prefetchedElements + line)));
    const int isWritten = isInput ? 0 : 1, nearest = 3, isData = 1;
    builder.CreateIntrinsic(llvm::Intrinsic::prefetch, {ptr},
                            {ahead, builder.getInt32(isWritten),
                             builder.getInt32(nearest),
                             builder.getInt32(isData)});
  }
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
  if (step > 1 && tensor.elements() >= minPrefetchingElements)
    prefetchFloats(index, step);
  if (tensor.type == BoundaryType::F32)
    copy(index, step);
  else if (step == packedLanes)
    quantizePacked(tensor, index);
  else if (isInput)
    quantize(tensor, index, step);
  else
    dequantize(tensor, index, step);
  llvm::Value *next = builder.CreateAdd(index, builder.getInt64(step));
  index->addIncoming(next, loop);
  builder.CreateCondBr(builder.CreateICmpULT(next, end), loop, exit);
  builder.SetInsertPoint(exit);
}

llvm::Value *HelperBuilder::loadFloats(llvm::Value *index, unsigned lanes) {
  llvm::Function *function = builder.GetInsertBlock()->getParent();
  return builder.CreateAlignedLoad(
      inLanes(f32, lanes),
      builder.CreateInBoundsGEP(f32, function->getArg(0), index),
      llvm::Align(4));
}

/// Whether fused multiply-adds can take the place of the division, which is
/// many times slower. Within these scales no remainder near a tie is subnormal.
bool HelperBuilder::hasFastQuotient(const BoundaryTensor &tensor) const {
  return spec.cpuFeatures.hasFMA && tensor.scale > 0x1p-80f &&
         tensor.scale < 0x1p80f;
}

/// What rounds to the integer that `x / scale` rounds to, if that lies in the
/// type's range, and else lies outside too.
llvm::Value *HelperBuilder::buildQuotient(llvm::Value *x,
                                          const BoundaryTensor &tensor) {
  const float scale = tensor.scale;
  auto constant = [&](float value) {
    return llvm::ConstantFP::get(x->getType(), value);
  };
  if (!hasFastQuotient(tensor))
    return builder.CreateFDiv(x, constant(scale));
  auto fma = [&](llvm::Value *a, float b, llvm::Value *c) {
    return builder.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()},
                                   {a, constant(b), c});
  };
  const float reciprocal = 1 / scale;
  const QuotientForm form =
      quotientForm(scale, int64_t(tensor.qmin) - tensor.zeroPoint,
                   int64_t(tensor.qmax) - tensor.zeroPoint);
  if (form == QuotientForm::SplitProduct)
    return fma(x, reciprocal,
               builder.CreateFMul(x, constant(reciprocalRest(scale))));
  llvm::Value *quotient = builder.CreateFMul(x, constant(reciprocal));
  const unsigned improvements = form == QuotientForm::Product           ? 0
                                : form == QuotientForm::ImprovedProduct ? 1
                                                                        : 2;
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
  auto clamp = [&](llvm::Value *v, float end) {
    v = builder.CreateSelect(builder.CreateFCmpOLT(v, constant(-end)),
                             constant(-end), v);
    return builder.CreateSelect(builder.CreateFCmpOGT(v, constant(end)),
                                constant(end), v);
  };
  llvm::Value *v = loadFloats(index, lanes);
  if (hasFastQuotient(tensor))
    v = buildQuotient(clamp(v, quotientLimit * tensor.scale), tensor);
  else
    v = clamp(buildQuotient(v, tensor), quotientLimit);
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

/// Whether AVX-512's saturating packs can narrow four vectors to bytes.
bool HelperBuilder::isPacked(const BoundaryTensor &tensor) const {
  return isInput && boundaryTypeSize(tensor.type) == 1 &&
         spec.cpuFeatures.vectorBits() == 512 && hasFastQuotient(tensor);
}

/// The rounded quotients of a vector of floats; 0 for NaN. Those too small for
/// an integer, and what stands for -infinity, become the smallest one.
llvm::Value *HelperBuilder::roundQuotients(const BoundaryTensor &tensor,
                                           llvm::Value *index) {
  llvm::Value *x = loadFloats(index, vectorLanes);
  llvm::Value *end =
      llvm::ConstantFP::get(x->getType(), quotientLimit * tensor.scale);
  llvm::Value *isNumber = builder.CreateFCmpORD(x, x);
  x = builder.CreateSelect(builder.CreateFCmpOGT(x, end), end, x);
  x = builder.CreateSelect(isNumber, x,
                           llvm::Constant::getNullValue(x->getType()));
  llvm::Type *words = inLanes(i32, vectorLanes);
  const int currentRounding = 4;
  return builder.CreateIntrinsic(
      words, llvm::Intrinsic::x86_avx512_mask_cvtps2dq_512,
      {buildQuotient(x, tensor), llvm::Constant::getNullValue(words),
       builder.getInt16(0xffff), builder.getInt32(currentRounding)});
}

/// The same on `packedLanes` elements. Quotients that saturate to 16 bits are
/// outside the bytes' range with any zero point.
void HelperBuilder::quantizePacked(const BoundaryTensor &tensor,
                                   llvm::Value *index) {
  llvm::Function *function = builder.GetInsertBlock()->getParent();
  const bool isByteUnsigned = isUnsigned(tensor.type);
  llvm::Type *halves = inLanes(builder.getInt16Ty(), 32),
             *bytes = inLanes(builder.getInt8Ty(), packedLanes),
             *dwords = inLanes(i32, 16);
  auto integer = [](llvm::Type *type, int32_t value) {
    return llvm::ConstantInt::get(type, value, /*IsSigned=*/true);
  };
  auto pack = [&](llvm::Type *type, llvm::Intrinsic::ID how, llvm::Value *a,
                  llvm::Value *b) {
    return builder.CreateIntrinsic(type, how, {a, b});
  };
  llvm::Value *half[2];
  for (unsigned i : {0, 1}) {
    llvm::Value *quotients[2];
    for (unsigned j : {0, 1})
      quotients[j] = roundQuotients(
          tensor, builder.CreateAdd(
                      index, builder.getInt64((2 * i + j) * vectorLanes)));
    half[i] = builder.CreateBinaryIntrinsic(
        llvm::Intrinsic::sadd_sat,
        pack(halves, llvm::Intrinsic::x86_avx512_packssdw_512, quotients[0],
             quotients[1]),
        integer(halves, tensor.zeroPoint));
  }
  llvm::Value *q =
      pack(bytes,
           isByteUnsigned ? llvm::Intrinsic::x86_avx512_packuswb_512
                          : llvm::Intrinsic::x86_avx512_packsswb_512,
           half[0], half[1]);
  q = builder.CreateBinaryIntrinsic(isByteUnsigned ? llvm::Intrinsic::umax
                                                   : llvm::Intrinsic::smax,
                                    q, integer(bytes, tensor.qmin));
  q = builder.CreateBinaryIntrinsic(isByteUnsigned ? llvm::Intrinsic::umin
                                                   : llvm::Intrinsic::smin,
                                    q, integer(bytes, tensor.qmax));
  // Packs take 128 bits of each vector in turn.
  llvm::SmallVector<int> order;
  for (int dword = 0; dword < 16; ++dword)
    order.push_back(dword % 4 * 4 + dword / 4);
  q = builder.CreateShuffleVector(builder.CreateBitCast(q, dwords), order);
  builder.CreateAlignedStore(q,
                             builder.CreateInBoundsGEP(builder.getInt8Ty(),
                                                       function->getArg(1),
                                                       index),
                             llvm::Align(1));
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
