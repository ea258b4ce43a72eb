// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs one function over samples in code that Codegen generates: the float
// model for calibration, the integer model for its tensors' errors.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mlir::qopt::target {
class ObjectCache;
} // namespace mlir::qopt::target

namespace mlir::qopt::calibration {

/// A marked value after a run: its elements lie in the engine's arena and stay
/// valid until the next run.
struct Probe {
  /// The id of a `qopt.observe`, or `qopt.value` of a `qint` op.
  std::string id;
  /// Logical (ONNX) shape and element strides of `data`.
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  /// The first logical element: f32, i8, i16 or i32 by `bits` and `isFloat`.
  const void *data = nullptr;
  bool isFloat = true;
  unsigned bits = 32;
  /// Memory holds `q + storageBias` modulo 2^bits; see codegen::View.
  int32_t storageBias = 0;
};

/// Copies the elements of `probe` in row-major order of its logical shape into
/// `out` (product of the shape): floats as they are; integers as the values
/// they stand for, before scale and zero point.
void copyElements(const Probe &probe, llvm::MutableArrayRef<float> out);

/// The number of logical elements.
int64_t countElements(const Probe &probe);

struct EngineOptions {
  /// Keep every marked value alive until the run ends, and list it in `probes`.
  bool keepProbes = false;
  /// An LLVM CPU name that this machine can run code for; empty: its own. Float
  /// results are the same bits for each that has FMA.
  std::string cpu;
  /// Code that differs in its constants alone is compiled once. May be null.
  target::ObjectCache *cache = nullptr;
};

/// A function compiled for this machine. Not thread safe.
class Engine {
public:
  /// `function` holds float `qopt` ops (observers included) or `qint` ops. The
  /// function is not changed; its context must not be in use. Fails with Q07xx,
  /// Q0302 where Codegen has no kernel for an op, and Q0334 where this CPU
  /// lacks what float calibration needs (FMA).
  static llvm::Expected<std::unique_ptr<Engine>>
  create(func::FuncOp function, const EngineOptions &options = {});
  ~Engine();

  /// The same code with an arena of its own: may run beside this engine. Fails
  /// with Q0731 where there is no memory.
  llvm::Expected<std::unique_ptr<Engine>> duplicate() const;

  /// One run: one pointer a graph input and output, row-major elements of the
  /// function's argument and result types.
  void run(llvm::ArrayRef<const void *> inputs, llvm::ArrayRef<void *> outputs);

  llvm::ArrayRef<Probe> probes() const;
  /// Bytes of the arena, and multiply-accumulates of one run.
  uint64_t arenaBytes() const;
  uint64_t macs() const;

private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace mlir::qopt::calibration
