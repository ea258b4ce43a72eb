// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layout of qopt_context (include/qopt/Runtime/qopt_abi.h) in LLVM IR.

#include "ContextCode.h"
#include "llvm/IR/Function.h"

using namespace mlir::qopt;

/// A field of the qopt_context that `ctx` points to.
static llvm::Value *loadField(llvm::IRBuilder<> &builder, llvm::Value *ctx,
                              unsigned index) {
  llvm::Type *i32 = builder.getInt32Ty(), *ptr = builder.getPtrTy();
  auto *type = llvm::StructType::get(builder.getContext(),
                                     {i32, i32, i32, i32, ptr, ptr});
  return builder.CreateLoad(type->getElementType(index),
                            builder.CreateStructGEP(type, ctx, index));
}

llvm::Value *mlir::qopt::target::loadVariant(llvm::IRBuilder<> &builder,
                                             llvm::Value *ctx) {
  return loadField(builder, ctx, 1);
}

llvm::BasicBlock *
mlir::qopt::target::branchOnWorkers(llvm::IRBuilder<> &builder,
                                    llvm::Value *ctx) {
  llvm::Function *function = builder.GetInsertBlock()->getParent();
  auto newBlock = [&](const char *name) {
    return llvm::BasicBlock::Create(builder.getContext(), name, function);
  };
  llvm::BasicBlock *ask = newBlock("ask"), *shared = newBlock("shared"),
                   *serial = newBlock("serial");
  builder.CreateCondBr(builder.CreateIsNull(ctx), serial, ask);
  builder.SetInsertPoint(ask);
  builder.CreateCondBr(
      builder.CreateICmpUGT(loadField(builder, ctx, 2), builder.getInt32(1)),
      shared, serial);
  builder.SetInsertPoint(shared);
  return serial;
}

void mlir::qopt::target::callParallelFor(llvm::IRBuilder<> &builder,
                                         llvm::Value *ctx, uint32_t parts,
                                         llvm::Function *task,
                                         llvm::Value *frame) {
  llvm::Type *ptr = builder.getPtrTy();
  auto *type = llvm::FunctionType::get(
      builder.getVoidTy(), {ptr, builder.getInt32Ty(), ptr, ptr}, false);
  llvm::Value *parallelFor = loadField(builder, ctx, 4);
  builder.CreateCall(
      type, parallelFor,
      {loadField(builder, ctx, 5), builder.getInt32(parts), task, frame});
}
