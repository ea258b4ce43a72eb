// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-opt with qopt's dialects, passes and pipelines.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Interop/Passes.h"
#include "qopt/Interop/Pipelines.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/Pipelines.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::qopt::QoptDialect, mlir::qint::QintDialect,
                  mlir::func::FuncDialect, mlir::quant::QuantDialect,
                  mlir::arith::ArithDialect, mlir::scf::SCFDialect,
                  mlir::vector::VectorDialect, mlir::memref::MemRefDialect,
                  mlir::LLVM::LLVMDialect, mlir::tosa::TosaDialect>();
  mlir::registerTransformsPasses();
  mlir::qopt::registerQoptTransformsPasses();
  mlir::qopt::registerQoptInteropPasses();
  mlir::qopt::registerTransformsPipelines();
  mlir::qopt::registerInteropPipelines();
  mlir::qopt::codegen::registerCodegenPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "qopt modular optimizer driver\n", registry));
}
