// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code generation as passes, so that each level can be printed.
#ifndef QOPT_CODEGEN_PASSES_TD
#define QOPT_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def PrintPlan : Pass<"qopt-plan", "::mlir::func::FuncOp"> {
  let summary = "Print the memory plan of a function";
  let description = [{
    Prints what code generation would do with the function as a remark at it:
    the buffers with their sizes, offsets and lifetimes, then the steps, one a
    line, with the views that each one reads and writes.

    ```
    buffer 0 output 10 bytes at 0, steps 2 to 2
    step 1 op qint.conv b3+18:i8[1x1x2x2|16,1,4,1|1,1,1,1|128] -> ...
    ```

    Leaves the function as it is.
  }];
}

def LowerToLoops : Pass<"qopt-lower-to-loops", "::mlir::ModuleOp"> {
  let summary = "Functions of qint or float qopt ops to loops over one arena";
  let description = [{
    Replaces each function `@f` by `@f_compute` over planned memory, the kernels
    that it calls and the constants; see qopt/Codegen/Codegen.h. What comes out
    consists of `func`, `scf`, `arith`, `memref`, `vector` and `qint` vector
    ops.

    ```mlir
    func.func @f(%x: tensor<1x4xi8>) -> tensor<1x4xi8> { ... }
    // becomes
    func.func @f_compute(%in0: memref<4xi8>, %out0: memref<4xi8>,
                         %arena: memref<128xi8>) { ... }
    ```

    Leaves alone: nothing; a function that has no such form is an error.
  }];
  let options = [
    Option<"isa", "isa", "std::string", "\"scalar\"",
           "scalar, avx2, avxvnni or avx512vnni">,
    Option<"name", "name", "std::string", "\"model\"",
           "prefix of kernels and constants">,
    Option<"keepObserved", "keep-observed", "bool", "false",
           "keep observed values in the arena until the end">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
    "::mlir::qint::QintDialect", "::mlir::qopt::QoptDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
  ];
}

def LowerToLLVM : Pass<"qopt-lower-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Loops over memory to the LLVM dialect";
  let description = [{
    Turns what `qopt-lower-to-loops` made into the LLVM dialect: `qint` vector
    ops become the instruction set's intrinsics, memrefs bare pointers, and the
    constants go to the section `.rodata.qopt`.

    ```mlir
    %r = qint.dot4 %acc, %u, %s : vector<16xi32>, vector<64xi8>
    // becomes, for avx512vnni
    %r = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%acc, %u, %s) : ...
    ```

    Leaves alone: what is in the LLVM dialect already.
  }];
  let options = [
    Option<"isa", "isa", "std::string", "\"scalar\"",
           "scalar, avx2, avxvnni or avx512vnni">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
    "::mlir::vector::VectorDialect",
  ];
}

#endif // QOPT_CODEGEN_PASSES_TD
