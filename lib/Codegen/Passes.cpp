// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code generation as passes.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Codegen/Plan/Plan.h"
#include "qopt/IR/Diagnostics.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {

#define GEN_PASS_DECL
#define GEN_PASS_DEF_PRINTPLAN
#define GEN_PASS_DEF_LOWERTOLOOPS
#define GEN_PASS_DEF_LOWERTOLLVM
#include "qopt/Codegen/Passes.h.inc"

namespace {

/// The instruction set that option `isa` names; an error at `op` otherwise.
FailureOr<Isa> isaNamed(Operation *op, StringRef name) {
  auto kind = parseIsa(name);
  if (!kind)
    return op->emitError("expects isa to be scalar, avx2, avxvnni or "
                         "avx512vnni, but got '")
           << name << "'";
  Isa isa;
  isa.kind = *kind;
  return isa;
}

struct PrintPlan final : impl::PrintPlanBase<PrintPlan> {
  void runOnOperation() override {
    auto plan = planFunction(getOperation(), PlanOptions());
    if (!plan) {
      (void)emitRefusal(getOperation(), plan.takeError());
      return signalPassFailure();
    }
    std::string text;
    llvm::raw_string_ostream os(text);
    plan->print(os);
    getOperation().emitRemark("plan of @") << getOperation().getName() << "\n"
                                           << text;
    markAllAnalysesPreserved();
  }
};

struct LowerToLoops final : impl::LowerToLoopsBase<LowerToLoops> {
  using impl::LowerToLoopsBase<LowerToLoops>::LowerToLoopsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = isaNamed(module, isa);
    if (failed(target))
      return signalPassFailure();
    CodegenOptions options;
    options.name = name;
    options.isa = *target;
    options.keepObserved = keepObserved;
    ModuleLowering lowering(&getContext(), options);
    auto functions = llvm::to_vector(module.getOps<func::FuncOp>());
    for (func::FuncOp func : functions) {
      auto info = lowering.add(func, func.getName());
      if (info)
        continue;
      (void)emitRefusal(func, info.takeError());
      return signalPassFailure();
    }
    for (func::FuncOp func : functions)
      func.erase();
    OwningOpRef<ModuleOp> lowered = lowering.finish().first;
    module.getBody()->getOperations().splice(
        module.getBody()->end(), lowered->getBody()->getOperations());
  }
};

struct LowerToLLVM final : impl::LowerToLLVMBase<LowerToLLVM> {
  using impl::LowerToLLVMBase<LowerToLLVM>::LowerToLLVMBase;

  void runOnOperation() override {
    auto target = isaNamed(getOperation(), isa);
    if (failed(target) || failed(lowerToLLVM(getOperation(), *target)))
      signalPassFailure();
  }
};

} // namespace

#define GEN_PASS_REGISTRATION
#include "qopt/Codegen/Passes.h.inc"

void registerCodegenPasses() { registerQoptCodegenPasses(); }

} // namespace mlir::qopt::codegen
