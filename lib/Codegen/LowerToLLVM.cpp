// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops over planned memory to the LLVM dialect.

#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt::codegen {

void registerCodegenDialects(DialectRegistry &registry) {
  registry
      .insert<arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect,
              LLVM::LLVMDialect, memref::MemRefDialect, qint::QintDialect,
              qopt::QoptDialect, scf::SCFDialect, vector::VectorDialect>();
}

/// The qint vector ops in `root` become instructions or generic vector ops.
static LogicalResult lowerVectorOps(Operation *root, const Isa &target) {
  RewritePatternSet patterns(root->getContext());
  populateIsaPatterns(target, patterns);
  // Each op is replaced by ops of other dialects: one walk does.
  walkAndApplyPatterns(root, std::move(patterns));
  bool isDone = true;
  root->walk([&](Operation *op) {
    if (isa<qint::Dot4Op, qint::Dot2Op, qint::MulHighOp, qint::MulRoundOp,
            qint::PackOp, qint::LookupOp>(op)) {
      op->emitOpError("has no lowering for ") << target.key();
      isDone = false;
    }
  });
  return success(isDone);
}

/// Each variant's functions for its instruction set.
static LogicalResult lowerVariants(ModuleOp module,
                                   llvm::ArrayRef<CodeVariant> variants) {
  for (auto function : module.getOps<func::FuncOp>()) {
    auto name = function->getAttrOfType<StringAttr>(variantAttr);
    const auto *variant = llvm::find_if(variants, [&](const CodeVariant &each) {
      return name && each.name == name;
    });
    if (variant == variants.end())
      return function.emitOpError("expects a variant of the module, but got ")
             << (name ? name.getValue() : "none");
    if (failed(lowerVectorOps(function, variant->isa)))
      return failure();
  }
  return success();
}

/// A named section lets a reader of the object find and size the constants.
static void placeConstants(ModuleOp module) {
  for (auto global : module.getOps<LLVM::GlobalOp>()) {
    global.setSection(".rodata.qopt");
    global.setConstant(true);
    global.setAlignment(arenaAlignment);
    global.setLinkage(LLVM::Linkage::Internal);
  }
}

LogicalResult lowerToLLVM(ModuleOp module, const Isa &isa,
                          llvm::ArrayRef<CodeVariant> variants) {
  if (failed(variants.empty() ? lowerVectorOps(module, isa)
                              : lowerVariants(module, variants)))
    return failure();
  PassManager manager(module.getContext());
  manager.enableVerifier(false);
  manager.addPass(createCSEPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createFinalizeMemRefToLLVMConversionPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  ConvertFuncToLLVMPassOptions funcOptions;
  funcOptions.useBarePtrCallConv = true;
  manager.addPass(createConvertFuncToLLVMPass(funcOptions));
  manager.addPass(createReconcileUnrealizedCastsPass());
  if (failed(manager.run(module)))
    return failure();
  placeConstants(module);
  return success();
}

} // namespace mlir::qopt::codegen
