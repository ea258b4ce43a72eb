// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The planner's state: which value lies where, and the steps so far.
#pragma once

#include "qopt/Codegen/Plan/Geometry.h"
#include "qopt/Codegen/Plan/Plan.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::qopt::codegen {

/// Whether a slice takes channels of whole images.
bool isSliceOfChannels(Operation *op);

class Planner {
public:
  Planner(func::FuncOp func, const PlanOptions &options)
      : func(func), options(options) {}

  llvm::Expected<Plan> run();

private:
  /// A value that is written into a window of another one.
  struct Window {
    Value parent;
    SmallVector<int64_t> begins;
  };

  // PlanLayout.cpp: what is decided before any memory is laid out.
  void collectLayouts();
  void collectHalos();
  void passHalosThroughSlices();
  void chooseWindows();
  void tryWindow(Value value, Value parent, ArrayRef<int64_t> begins);
  bool canBeWindow(Value value, Value parent, ArrayRef<int64_t> begins) const;
  /// Rank 4, in one layout with what a convolution or pool reads or writes, and
  /// not an operand or result of a matrix product.
  bool isChannelsLast(Value value) const;
  bool isReadAsImage(Value constant) const;
  /// The value that stands for all that are laid out alike.
  Value layoutOf(Value value) const;
  /// The model output that `value` may be written to in place, or -1.
  int64_t directOutput(Value value) const;

  // PlanLayout.cpp: memory.
  View viewOf(Value value);
  View newRoot(Value value, const Halo &halo, int64_t haloValue);
  View windowView(const Window &window, ArrayRef<int64_t> shape);
  View constantView(Value value);
  View layOut(ArrayRef<int64_t> shape, ElementKind kind, bool channelsLast,
              const Halo &halo) const;
  int64_t newBuffer(Buffer::Place place, int64_t bytes, int64_t index = 0);

  // Plan.cpp: the steps.
  llvm::Error checkTypes();
  void planArguments();
  void noteObserved(StringRef id, Value value);
  void planOp(Operation *op);
  void planReshape(Operation *op);
  void planConcat(Operation *op);
  void planPad(Operation *op);
  void planSlice(Operation *op);
  void planTranspose(Operation *op);
  bool planGroupedMean(Operation *op);
  void planCompute(Operation *op);
  View convInput(Operation *op, const ConvGeometry &geometry);
  View productInput(Operation *op, unsigned index);
  void addScratch(Step &step);
  Operation *tableBehind(Operation *op) const;
  bool mayStayPermuted(Value value, const View &view) const;
  bool isFastFor(Value value, const View &view) const;
  void planReturn(Operation *op);
  void addCopy(Step::Kind kind, const View &from, const View &to);
  void computeLifetimes();
  void keepChainsAlive();

  func::FuncOp func;
  PlanOptions options;
  Plan plan;
  DenseMap<Value, Value> layoutLeaders;
  DenseSet<Value> imageLayouts;
  /// Values that lie in another order of axes than their own.
  DenseSet<Value> permuted;
  /// Tables that are looked up where their operands are computed.
  DenseSet<Operation *> fused;
  /// All keyed by values seen through observers.
  DenseMap<Value, View> views;
  DenseMap<Value, Halo> halos;
  DenseMap<Value, int64_t> haloValues;
  DenseMap<Value, Window> windows;
};

} // namespace mlir::qopt::codegen
