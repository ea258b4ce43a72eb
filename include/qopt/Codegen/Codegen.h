// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a function of `qint` ops (or of float `qopt` ops) to loops over planned
// memory, and from there to the LLVM dialect.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Codegen/ISA/Isa.h"
#include "qopt/Codegen/Plan/View.h"
#include "qopt/Codegen/TileChoice.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::qopt::codegen {

/// Bytes that the arena must be aligned to, and that the constants are.
inline constexpr int64_t arenaAlignment = 64;

struct CodegenOptions {
  /// A C identifier; prefix of every symbol.
  std::string name = "model";
  Isa isa;
  /// Several forms of the code in one module, which share constants where they
  /// lay them out alike; empty: one, for `isa`.
  std::vector<CodeVariant> variants;
  /// Keep every value that a `qopt.observe` marks, and every result of a `qint`
  /// op with `qopt.value`, until the function's end, so that it can be read in
  /// the arena after a run.
  bool keepObserved = false;
  /// The most threads that may share a run; fixes who does what.
  int64_t threads = 1;
  /// Share steps and cut them into strips where that gains nothing, too; for
  /// tests.
  bool cutsSmallSteps = false;
  /// What was measured; shapes that are not here are cut by the cost model, or
  /// by its candidate of this number where there are so many.
  TileChoices tiles;
  size_t tileCandidate = 0;
};

/// A model input or output as the function takes it: ONNX layout, no gaps.
struct Boundary {
  std::string name;
  ElementKind kind = ElementKind::I8;
  llvm::SmallVector<int64_t, 4> shape;
  int64_t bytes = 0;
};

/// Where an observed value lies in the arena after a run. `view.offset` counts
/// from the arena's first byte, in elements; `view.buffer` means nothing.
struct TensorPlacement {
  /// The observer's id; `qopt.value` of a `qint` op.
  std::string id;
  View view;
};

/// Steps in a row that one thread does, or one step that several share.
struct Region {
  /// `void(inputs..., outputs..., arena, index part)`. Parts of a region may
  /// run at the same time; regions run one after the other.
  std::string function;
  int64_t parts = 1;
};

/// What a caller of a compiled function must know.
struct FunctionInfo {
  uint64_t arenaBytes = 0;
  /// The largest sum of what lives in the arena at one time: what no choice of
  /// offsets goes below.
  uint64_t liveBytes = 0;
  /// Multiply-accumulates of one run.
  uint64_t macs = 0;
  std::vector<TensorPlacement> placements;
  std::vector<Boundary> inputs;
  std::vector<Boundary> outputs;
  /// With more than one thread: what `<name>_compute` calls, part by part.
  std::vector<Region> regions;
};

/// The code of one variant.
struct VariantCode {
  std::string computeFunction;
  std::vector<Region> regions;
};

/// A compiled function. `module` holds
///
///   func.func @<name>_compute(%in0: memref<B0xi8>, ..., %out0: memref<..xi8>,
///                             ..., %arena: memref<Axi8>)
///
/// (bytes, whatever the element type; bare pointers after `lowerToLLVM`), its
/// private kernels, and the constants as `memref.global @<name>_constants`.
/// The arena is aligned to `arenaAlignment`; its contents do not matter before
/// a run.
struct Compiled : FunctionInfo {
  OwningOpRef<ModuleOp> module;
  uint64_t constBytes = 0;
  /// By shape.
  std::vector<TileUse> tiles;
  /// One for each variant, or one: `<name>_compute`. With several, names are
  /// `<name>_<variant>_compute`, and `regions` are those of the first.
  std::vector<VariantCode> variants;
};

/// Plans and emits `func`: all `qint` or all float `qopt` ops on static shapes.
/// Fails with Q0302 where an op has no kernel of that form.
llvm::Expected<Compiled> lower(func::FuncOp func,
                               const CodegenOptions &options);

/// Multiply-accumulates of one op of either dialect: convolutions and matrix
/// products; 0 of all others.
uint64_t macsOf(Operation *op);

/// Several functions in one module; they share kernels and constants.
class ModuleLowering {
public:
  ModuleLowering(MLIRContext *context, const CodegenOptions &options);
  ~ModuleLowering();

  /// What is added from here on is code of `variant`.
  void startVariant(const CodeVariant &variant);
  /// Adds `func` as `@<name>_compute`; as `lower`.
  llvm::Expected<FunctionInfo> add(func::FuncOp func, llvm::StringRef name);
  /// The module and the size of its constants. Nothing may be added after.
  std::pair<OwningOpRef<ModuleOp>, uint64_t> finish();
  /// How products were cut, by shape.
  std::vector<TileUse> getTiles() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

/// Turns a module of `lower` into the LLVM dialect alone: vector ops become
/// `isa`'s instructions, or those of the variant in `variants` that their
/// function is marked with, memrefs bare pointers, and the constants' global
/// goes to the section `.rodata.qopt`.
LogicalResult lowerToLLVM(ModuleOp module, const Isa &isa,
                          llvm::ArrayRef<CodeVariant> variants = {});

/// The dialects that `lower` and `lowerToLLVM` create ops of.
void registerCodegenDialects(DialectRegistry &registry);

/// `qopt-plan`, `qopt-lower-to-loops`, `qopt-lower-to-llvm`.
void registerCodegenPasses();

} // namespace mlir::qopt::codegen
