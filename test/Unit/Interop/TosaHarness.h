// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs TOSA: the stock mlir-opt lowers a module, LLVM's JIT runs its functions.
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Interop/Passes.h"
#include "qopt/Reference/Evaluate.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "gtest/gtest.h"

namespace mlir::qopt::test {

using reference::Tensor;

/// A generator that is the same on every machine.
struct Random {
  uint32_t state;
  int32_t next(int32_t low, int32_t high) {
    state = state * 1664525u + 1013904223u;
    return low + static_cast<int32_t>((state >> 8) %
                                      static_cast<uint32_t>(high - low + 1));
  }
};

inline const char *const lowering =
    "--pass-pipeline=builtin.module(func.func("
    "tosa-optional-decompositions,tosa-to-scf,tosa-to-linalg-named,"
    "tosa-to-linalg,tosa-to-tensor,tosa-to-arith{include-apply-rescale}),"
    "canonicalize,one-shot-bufferize{bufferize-function-boundaries "
    "function-boundary-type-conversion=identity-layout-map},"
    "func.func(convert-linalg-to-loops),expand-strided-metadata,lower-affine,"
    "convert-scf-to-cf,convert-math-to-libm,convert-to-llvm,reconcile-"
    "unrealized-casts)";

/// What the C interface passes for a tensor: pointers, offset, sizes, strides.
struct Descriptor {
  explicit Descriptor(Tensor &tensor) {
    words[0] = words[1] = reinterpret_cast<intptr_t>(tensor.bytes().data());
    int64_t stride = 1;
    size_t rank = tensor.getShape().size();
    for (size_t axis = rank; axis-- > 0;) {
      words[3 + axis] = tensor.getShape()[axis];
      words[3 + rank + axis] = stride;
      stride *= tensor.getShape()[axis];
    }
  }
  Descriptor() = default;
  int64_t words[16] = {};
};

class TosaTest : public ::testing::Test {
protected:
  TosaTest() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    context.appendDialectRegistry(registry);
    context.loadDialect<QoptDialect, qint::QintDialect, func::FuncDialect,
                        LLVM::LLVMDialect>();
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  }

  /// Lowers and compiles a TOSA module; functions have `llvm.emit_c_interface`.
  void compile(ModuleOp tosa) {
    SmallString<128> in, out;
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("qopt", "mlir", in));
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("qopt", "mlir", out));
    std::error_code code;
    llvm::raw_fd_ostream file(in, code);
    tosa->print(file);
    file.close();
    EXPECT_EQ(llvm::sys::ExecuteAndWait(MLIR_OPT,
                                        {MLIR_OPT, in, lowering, "-o", out}),
              0);
    lowered = parseSourceFile<ModuleOp>(out, &context);
    llvm::sys::fs::remove(in);
    llvm::sys::fs::remove(out);
    ASSERT_TRUE(lowered);
    ExecutionEngineOptions options;
    StringRef runtime = MLIR_RUNTIME; // copies between layouts
    options.sharedLibPaths = runtime;
    auto created = ExecutionEngine::create(*lowered, options);
    ASSERT_TRUE(static_cast<bool>(created))
        << llvm::toString(created.takeError());
    engine = std::move(*created);
  }

  /// The result of a compiled function, filled into `result`.
  void run(StringRef function, MutableArrayRef<Tensor> inputs, Tensor &result) {
    std::vector<Descriptor> descriptors(1);
    for (Tensor &input : inputs)
      descriptors.emplace_back(input);
    std::vector<void *> pointers;
    for (Descriptor &descriptor : descriptors)
      pointers.push_back(&descriptor);
    std::vector<void *> arguments;
    for (void *&pointer : pointers)
      arguments.push_back(&pointer);
    llvm::Error error =
        engine->invokePacked(("_mlir_ciface_" + function).str(), arguments);
    ASSERT_FALSE(static_cast<bool>(error)) << llvm::toString(std::move(error));
    const int64_t *words = descriptors.front().words;
    std::memcpy(result.bytes().data(), reinterpret_cast<char *>(words[1]),
                result.bytes().size());
    free(reinterpret_cast<void *>(words[0]));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> lowered;
  std::unique_ptr<ExecutionEngine> engine;
};

} // namespace mlir::qopt::test
