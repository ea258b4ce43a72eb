// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles whole functions, plan and boundary included, and compares what they
// write with the reference evaluator.
#pragma once

#include "KernelHarness.h"

namespace mlir::qopt::codegen::testing {

/// One function and how to judge it.
struct GraphCase {
  /// `(%x: type, ...) -> (type, ...) { ... }`: what follows the name.
  std::string text;
  /// Largest difference of float results, relative to the largest value of the
  /// result; integers are compared exactly.
  double tolerance = 1e-5;
  /// Values of float arguments.
  float low = -2, high = 2;
};

/// Compiles all cases into one module for `isa`, runs each on random inputs in
/// guarded memory and reports differences as gtest failures. `results` receives
/// each case's outputs. Products are cut by candidate `tileCandidate`.
void runGraphs(ArrayRef<GraphCase> cases, const TestIsa &isa, uint64_t seed,
               std::vector<std::vector<uint8_t>> *results = nullptr,
               size_t tileCandidate = 0);

/// `casesToRun(count)` random functions for the instruction sets of `isasOf` or
/// `floatIsasOf`, on which float results must be equal.
void runGraphFamily(llvm::StringRef family, int count, bool isFloat,
                    llvm::function_ref<GraphCase(Random &)> make);

/// Random weights of i8 with 4 or 2 bits, or a multiple of them that groups of
/// input channels share; none is larger in magnitude than `most`, of 1 at least.
/// In the order of output channels, input channels and taps.
std::string randomFewBits(Random &random, int64_t channels, int64_t inputs,
                          int64_t taps, int64_t most);

/// `dense<"0x...">` of random weights in `[low, high]`, i8 or i32.
std::string randomIntegers(Random &random, int64_t count, ElementKind kind,
                           int64_t low, int64_t high);
/// The same of f32.
std::string randomFloats(Random &random, int64_t count, float low, float high);

} // namespace mlir::qopt::codegen::testing
