// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cpuid and xgetbv in LLVM IR, so that the check needs no library. Bits are
// from Intel's Software Developer's Manual, volume 2A, CPUID.

#include "CpuCheck.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Module.h"

using namespace mlir::qopt::target;

namespace {

/// Bits that must be set, by where they stand.
struct Required {
  uint32_t leaf1Ecx = 0;
  uint32_t leaf7Ebx = 0;
  uint32_t leaf7Ecx = 0;
  uint32_t leaf7Sub1Eax = 0;
  /// Register state that the system saves.
  uint32_t xcr0 = 0;
};

Required requirementsOf(const CpuFeatures &features) {
  Required required;
  bool vnni512 = features.isa == KernelIsa::AVX512VNNI;
  if (features.hasFMA)
    required.leaf1Ecx |= 1u << 12;
  if (features.isa >= KernelIsa::AVX2)
    required.leaf7Ebx |= 1u << 5;
  if (features.isa == KernelIsa::AVXVNNI)
    required.leaf7Sub1Eax |= 1u << 4;
  if (features.hasAVX512F)
    required.leaf7Ebx |= 1u << 16;
  if (features.hasAVX512BW)
    required.leaf7Ebx |= 1u << 30;
  if (features.hasAVX512VL)
    required.leaf7Ebx |= 1u << 31;
  if (features.hasVBMI)
    required.leaf7Ecx |= 1u << 1;
  if (vnni512)
    required.leaf7Ecx |= 1u << 11;
  bool any = required.leaf1Ecx || required.leaf7Ebx || required.leaf7Ecx ||
             required.leaf7Sub1Eax;
  // SSE and AVX state; with AVX-512 masks and the upper halves too.
  if (any) {
    required.xcr0 = features.hasAVX512F ? 0xe6 : 0x6;
    required.leaf1Ecx |= 1u << 27 | 1u << 28; // OSXSAVE, AVX
  }
  return required;
}

class CheckBuilder {
public:
  CheckBuilder(llvm::Module &module, const llvm::Twine &name)
      : builder(module.getContext()), i32(builder.getInt32Ty()) {
    function = llvm::Function::Create(llvm::FunctionType::get(i32, false),
                                      llvm::GlobalValue::ExternalLinkage, name,
                                      module);
    refuse = llvm::BasicBlock::Create(module.getContext(), "refuse", function);
    builder.SetInsertPoint(refuse);
    builder.CreateRet(builder.getInt32(~0u));
    builder.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(),
                                                    "entry", function, refuse));
  }

  /// eax, ebx, ecx, edx of one leaf.
  llvm::Value *cpuid(uint32_t leaf, uint32_t subleaf) {
    auto *registers = llvm::StructType::get(i32, i32, i32, i32);
    auto *type = llvm::FunctionType::get(registers, {i32, i32}, false);
    auto *code = llvm::InlineAsm::get(
        type, "cpuid",
        "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},"
        "~{flags}",
        /*hasSideEffects=*/true);
    return builder.CreateCall(
        type, code, {builder.getInt32(leaf), builder.getInt32(subleaf)});
  }

  llvm::Value *xcr0() {
    auto *registers = llvm::StructType::get(i32, i32);
    auto *type = llvm::FunctionType::get(registers, {i32}, false);
    auto *code = llvm::InlineAsm::get(
        type, "xgetbv", "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}",
        /*hasSideEffects=*/true);
    return builder.CreateCall(type, code, {builder.getInt32(0)});
  }

  /// Goes on only if all bits of `mask` are set in word `index` of `words`.
  void require(llvm::Value *words, unsigned index, uint32_t mask) {
    if (!mask)
      return;
    llvm::Value *word = builder.CreateExtractValue(words, index);
    llvm::Value *bits = builder.CreateAnd(word, builder.getInt32(mask));
    goOnIf(builder.CreateICmpEQ(bits, builder.getInt32(mask)));
  }

  void requireLeaf(uint32_t leaf) {
    llvm::Value *highest = builder.CreateExtractValue(cpuid(0, 0), 0);
    goOnIf(builder.CreateICmpUGE(highest, builder.getInt32(leaf)));
  }

  llvm::Function *finish() {
    builder.CreateRet(builder.getInt32(0));
    return function;
  }

private:
  void goOnIf(llvm::Value *condition) {
    auto *next = llvm::BasicBlock::Create(builder.getContext(), "next",
                                          function, refuse);
    builder.CreateCondBr(condition, next, refuse);
    builder.SetInsertPoint(next);
  }

  llvm::IRBuilder<> builder;
  llvm::Type *i32;
  llvm::Function *function;
  llvm::BasicBlock *refuse;
};

} // namespace

llvm::Function *mlir::qopt::target::buildCpuCheck(llvm::Module &module,
                                                  const llvm::Twine &name,
                                                  const CpuFeatures &features) {
  Required required = requirementsOf(features);
  CheckBuilder check(module, name);
  if (!required.leaf1Ecx)
    return check.finish();
  // A leaf that a CPU does not have answers with another one's bits.
  check.requireLeaf(7);
  check.require(check.cpuid(1, 0), 2, required.leaf1Ecx);
  llvm::Value *leaf7 = check.cpuid(7, 0);
  check.require(leaf7, 1, required.leaf7Ebx);
  check.require(leaf7, 2, required.leaf7Ecx);
  if (required.leaf7Sub1Eax)
    check.require(check.cpuid(7, 1), 0, required.leaf7Sub1Eax);
  // Legal only where OSXSAVE is set, which leaf 1 has said.
  check.require(check.xcr0(), 0, required.xcr0);
  return check.finish();
}
