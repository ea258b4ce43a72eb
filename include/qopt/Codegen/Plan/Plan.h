// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What memory a function's values take and in which order it is filled:
// decides, emits nothing.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Codegen/Plan/View.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir::qopt::codegen {

struct Buffer {
  enum class Place { Arena, Input, Output, Constant };
  Place place = Place::Arena;
  int64_t bytes = 0;
  /// Which input, output or (for `Constant`) nothing.
  int64_t index = 0;
  /// First and last step that touch it.
  int64_t firstStep = -1;
  int64_t lastStep = -1;
  /// In bytes; for `Arena`.
  int64_t offset = 0;
  /// For `Constant`: an operand of an op that reads it from memory, already in
  /// the view's layout and storage bias.
  std::vector<uint8_t> data;
};

/// One thing to emit.
struct Step {
  enum class Kind {
    /// The kernel of `op` on `in` and `out`.
    Op,
    /// `in[0]` to `out[0]`, equal logical shapes.
    Copy,
    /// The same across a change of shape.
    ReshapeCopy,
    /// `in[0]` to `out[0]` with `op`'s permutation.
    Transpose,
    /// `value` to the halo of `out[0]`.
    HaloFill,
    /// `value` to what of `out[0]` lies outside the window `begins`, `sizes`.
    PadFill,
    /// The sums of groups of rows of the image `in[0]`, of which `op` takes the
    /// mean, to the rows of `out[0]`: i32 in the order of the kernel's lanes.
    RowSums,
    /// `op`'s mean from the sums `in[0]` that `RowSums` left.
    MeanOfSums,
  };
  Kind kind = Kind::Op;
  Operation *op = nullptr;
  /// A `qint.table` that results of `op`, a convolution or product, are looked
  /// up in before they are stored.
  Operation *table = nullptr;
  SmallVector<View, 2> in;
  /// The result, then the working memory of kernels that take some.
  SmallVector<View, 1> out;
  double value = 0;
  /// Of a part of a product's channels: which of the op's is the result's
  /// first.
  int64_t firstChannel = 0;
  SmallVector<int64_t> begins;
  SmallVector<int64_t> sizes;
};

struct ObservedValue {
  std::string id;
  View view;
};

/// Steps from `first` to `last` that run in turns, a strip of rows at a time.
struct StripChain {
  int64_t first = 0, last = 0, strips = 1;
};

struct Plan {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  /// In order; what their steps use is alive from the first to the last one.
  std::vector<StripChain> chains;
  std::vector<ObservedValue> observed;
  /// Boundary views: row-major, storage bias 0.
  std::vector<View> inputs;
  std::vector<View> outputs;
  /// Slack for over-reads included.
  int64_t arenaBytes = 0;

  void print(llvm::raw_ostream &os) const;
};

struct PlanOptions {
  /// 128 where 8-bit activations are kept as unsigned bytes.
  int32_t storageBias = 128;
  /// Values under `qopt.observe` live until the end.
  bool keepObserved = false;
  /// Results of convolutions and products are looked up in a table behind them
  /// before they are stored. That spares memory traffic, which threads wait
  /// for; it takes one thread alone as many instructions as before.
  bool fusesTables = false;
  /// Groups of rows that an image's mean is summed in, each by the thread that
  /// wrote them; 1 for none.
  int64_t meanGroups = 1;
  /// Large images are written and read in strips of rows.
  bool hasStrips = false;
  /// Strips of small images too; for tests.
  bool cutsSmallSteps = false;
  /// Images of fewer elements are summed at once.
  int64_t minGroupedMean = 1 << 14;
};

/// Fails with Q0302 on a type that has no memory form.
llvm::Expected<Plan> planFunction(func::FuncOp func,
                                  const PlanOptions &options);

/// Sets the arena buffers' offsets, so that those alive at one time do not
/// overlap. Returns the bytes in use.
int64_t assignOffsets(std::vector<Buffer> &buffers);

/// The largest sum of arena buffers that are alive at one time.
int64_t largestLiveBytes(ArrayRef<Buffer> buffers);

/// The strides of `view`'s elements under `shape`, equally many elements in
/// row-major order, or failure where that is no strided window.
FailureOr<SmallVector<int64_t, 4>> reshapeStrides(const View &view,
                                                  ArrayRef<int64_t> shape);

} // namespace mlir::qopt::codegen
