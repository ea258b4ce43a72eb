// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How emitted code reads a qopt_context and shares work by it.
#pragma once

#include "llvm/IR/IRBuilder.h"

namespace mlir::qopt::target {

/// `uint32_t variant` of the qopt_context at `ctx`.
llvm::Value *loadVariant(llvm::IRBuilder<> &builder, llvm::Value *ctx);

/// `if (ctx && ctx->workers > 1)`: what follows is inside; returns the block of
/// the other case.
llvm::BasicBlock *branchOnWorkers(llvm::IRBuilder<> &builder, llvm::Value *ctx);

/// `ctx->parallel_for(ctx->pool, parts, task, frame)`
void callParallelFor(llvm::IRBuilder<> &builder, llvm::Value *ctx,
                     uint32_t parts, llvm::Function *task, llvm::Value *frame);

} // namespace mlir::qopt::target
