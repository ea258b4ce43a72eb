// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What more bits cost: cycles by a model, never by a clock, so that every
// machine decides alike.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt::evaluation {

/// Multiply-accumulates of a convolution, gemm or product; 0 of others.
double countMacs(Operation *op);

/// Cycles of the integer form of `function` on one core with AVX512-VNNI, every
/// observer of 8 bits.
double predictCycles(func::FuncOp function);

/// What values of more bits add: to their makers, which store two bytes and may
/// need wider sums, and to their readers. Layers multiply at half the rate;
/// functions take a piecewise table.
double predictExtraCycles(ArrayRef<ObserveOp> group);

} // namespace mlir::qopt::evaluation
