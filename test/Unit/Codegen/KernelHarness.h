// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs the kernel of one op on random layouts and compares every byte of the
// memory it may touch with what the reference evaluator says.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/Reference/Tensor.h"
#include "qopt/Target/Jit.h"
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mlir::qopt::codegen::testing {

/// Random numbers of one case. The same seed gives the same case everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}

  /// Uniform in `[low, high]`.
  int64_t in(int64_t low, int64_t high);
  bool chance(int percent) { return in(1, 100) <= percent; }
  template <typename T> T pick(std::initializer_list<T> values) {
    return values.begin()[in(0, values.size() - 1)];
  }
  float real(float low, float high);

private:
  std::mt19937_64 engine;
};

/// One op on operands in given layouts.
struct KernelCase {
  /// `(%a: type, ...) -> type { ... return }`: what follows a function's name.
  /// The op under test makes the returned value.
  std::string text;
  /// Layouts of the function's arguments and of its result; `buffer` is set
  /// by the harness.
  std::vector<View> in;
  View out;
  /// Values of f32 operands.
  float low = -4, high = 4;
  /// The first operand's values, repeated; random ones if there are none.
  std::vector<int64_t> values;
  /// Check a float result within so many units in the last place plus an
  /// absolute difference, instead of exactly.
  double floatUlps = 0, floatTolerance = 1e-6;
  /// Fill the result's halo instead of computing it; `haloValue` is logical.
  bool fillsHalo = false;
  int64_t haloValue = 0;
};

/// A machine that kernels are compiled for.
struct TestIsa {
  Isa isa;
  target::TargetOptions target;
};
/// The instruction sets that this machine runs, the richest first.
std::vector<TestIsa> runnableIsas();
/// `count`, or with QOPT_SOAK in the environment as many more as make 300 into
/// 10,000.
int casesToRun(int count);
/// The instruction sets that a batch of integer cases is compiled for: the
/// richest and, in turn, one of the others; in a soak each batch has one, in
/// turn. `withByteShuffles` tells AVX512-VNNI with and without VBMI apart.
std::vector<TestIsa> isasOf(int batch, bool withByteShuffles = true);
/// The code generator's level for module `number`, each of 0 to 2 in turn: none
/// may change a result, and the highest takes most of the time.
int optLevelOf(uint64_t number);
/// Float cases must give equal bytes wherever there is FMA, so a batch always
/// has two: the richest and, in turn, one of the others.
std::vector<TestIsa> floatIsasOf(int batch);

/// Compiles all cases into one module for `isa`, runs each on random data and
/// reports differences as gtest failures. For float cases, `results` receives
/// each case's result bytes.
void runCases(ArrayRef<KernelCase> cases, const TestIsa &isa, uint64_t seed,
              std::vector<std::vector<uint8_t>> *results = nullptr);

/// `casesToRun(count)` cases of a family in modules of some dozens, for
/// `isasOf` each module. `make` builds one case.
void runFamily(llvm::StringRef family, int count,
               llvm::function_ref<KernelCase(Random &)> make);
/// The same for float ops, for `floatIsasOf` each module; results are equal on
/// both.
void runFloatFamily(llvm::StringRef family, int count,
                    llvm::function_ref<KernelCase(Random &)> make);

//===----------------------------------------------------------------------===//
// Random parts of cases
//===----------------------------------------------------------------------===//

/// A layout as the planner makes them: rank 4 channels last, perhaps with a
/// halo of at least `minHalo` or as a slice of something wider; others
/// row-major. With `boundary`, ONNX layout without gaps or bias.
View randomView(Random &random, ArrayRef<int64_t> shape, ElementKind kind,
                const Halo &minHalo = {}, bool allowBoundary = true);
/// `tensor<1x2xi8>`.
std::string tensorType(ArrayRef<int64_t> shape, ElementKind kind);
/// `#qint.requant<...>` of `count` multipliers for accumulators up to `bound`.
std::string randomRequant(Random &random, int64_t bound, int64_t count,
                          ElementKind out);
int64_t randomZeroPoint(Random &random, ElementKind kind);
ElementKind randomKind(Random &random, int percent16);
/// The exponentials of a softmax's inputs of `kind`, falling, or flat so that
/// rows are long and equal.
std::string exponentialTables(Random &random, ElementKind kind);
/// Channel counts around vector widths.
int64_t randomChannels(Random &random);
/// `array<i64: 1, 2>`.
std::string arrayText(ArrayRef<int64_t> values);

} // namespace mlir::qopt::codegen::testing
