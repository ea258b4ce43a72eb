// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small LLVM-dialect modules from text, compiled for the tests of this room.
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Target/Emit.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include "gtest/gtest.h"

namespace mlir::qopt::target {

/// Value or a failed test with the error's text.
template <typename T> T unwrap(llvm::Expected<T> value) {
  if (value)
    return std::move(*value);
  ADD_FAILURE() << llvm::toString(value.takeError());
  return T();
}

/// The error's text, empty for success.
template <typename T> std::string errorOf(llvm::Expected<T> value) {
  return value ? std::string() : llvm::toString(value.takeError());
}
inline std::string errorOf(llvm::Error error) {
  return error ? llvm::toString(std::move(error)) : std::string();
}

/// An MLIR context that knows the LLVM dialect, and parsing into it.
class TestModule {
public:
  explicit TestModule(llvm::StringRef text) {
    context.loadDialect<LLVM::LLVMDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << "test module does not parse";
  }
  ModuleOp get() { return *module; }

  /// Object bytes for `cpu` on Linux.
  std::string object(std::vector<std::string> exports,
                     llvm::StringRef cpu = "x86-64-v3") {
    auto target = unwrap(resolveTarget("x86_64-linux-gnu", cpu));
    auto machine = createTargetMachine(target);
    llvm::LLVMContext llvmContext;
    auto lowered =
        unwrap(lowerToOptimizedIR(get(), llvmContext, *machine, exports));
    return lowered ? unwrap(emitObject(*lowered, *machine)) : std::string();
  }

private:
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

} // namespace mlir::qopt::target
