// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The slow, obvious evaluator of every op: the oracle of all engines.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/Reference/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::qopt::reference {

/// Sees each function argument and each op's result (constants excepted), in
/// program order.
using Hook = llvm::function_ref<void(Value, const Tensor &)>;

/// Runs one function over many inputs; constants are read once. The function
/// must outlive the evaluator and stay unchanged.
///
/// - Float `qopt` ops: each result element is computed in float64 in index
///   order and rounded once to float32.
/// - Quantized `qopt` ops (fake quantization): the float op on real values on
///   the operands' grids, then the nearest value on the result's grid.
/// - `qint` ops: docs/arithmetic.md, to the bit. An accumulator that leaves
///   int32, or a product that leaves 63 bits, is an error: it breaks the
///   contract, whatever a machine would compute.
class Evaluator {
public:
  /// Fails with Q0712 where an op has no evaluation (all of them listed), and
  /// with Q0715 where a constant's data is missing.
  static llvm::Expected<Evaluator> create(func::FuncOp function);

  /// One run. `inputs` have the arguments' shapes and kinds (Q0713 otherwise);
  /// for a quantized argument either its integers or F32. Results of quantized
  /// type are F32. Fails with Q0714 where the arithmetic contract is broken.
  llvm::Expected<SmallVector<Tensor>> run(ArrayRef<Tensor> inputs,
                                          Hook hook = nullptr) const;

private:
  explicit Evaluator(func::FuncOp function) : function(function) {}

  func::FuncOp function;
  llvm::DenseMap<Value, Tensor> constants;
};

/// One run of `function`.
llvm::Expected<SmallVector<Tensor>>
evaluate(func::FuncOp function, ArrayRef<Tensor> inputs, Hook hook = nullptr);

/// One run of the module's `@main`; Q0711 where there is none.
llvm::Expected<SmallVector<Tensor>>
evaluateModule(ModuleOp module, ArrayRef<Tensor> inputs, Hook hook = nullptr);

} // namespace mlir::qopt::reference
