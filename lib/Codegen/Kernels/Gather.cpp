// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies of chosen indices along one axis: regular runs of indices are strided
// copies, anything else reads its indices from a table.

#include "Arith.h"
#include "Copy.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {
namespace {

/// Runs up to which a gather has a loop nest for each.
constexpr size_t maxRuns = 6;

/// `first + i outer + j inner` for `i < count`, `j < length`. `outer` and
/// `inner` may be 0, not negative: positions in memory only grow.
struct Run {
  int64_t begin = 0, first = 0;
  int64_t count = 1, outer = 0;
  int64_t length = 1, inner = 0;
};

/// The longest progression at `begin` that does not go backward.
Run progressionAt(ArrayRef<int64_t> indices, int64_t begin) {
  Run run{begin, indices[begin]};
  int64_t size = indices.size();
  if (begin + 1 == size || indices[begin + 1] < indices[begin])
    return run;
  run.inner = indices[begin + 1] - indices[begin];
  while (begin + run.length < size &&
         indices[begin + run.length] == run.first + run.length * run.inner)
    ++run.length;
  return run;
}

/// All indices as one run of runs (each index `n` times, or all of them `n`
/// times), if they are.
std::optional<Run> wholeRun(ArrayRef<int64_t> indices) {
  Run run = progressionAt(indices, 0);
  int64_t size = indices.size();
  if (size % run.length != 0)
    return std::nullopt;
  run.count = size / run.length;
  run.outer = run.count > 1 ? indices[run.length] - indices[0] : 0;
  if (run.outer < 0)
    return std::nullopt;
  for (int64_t i = 0; i < size; ++i)
    if (indices[i] !=
        run.first + i / run.length * run.outer + i % run.length * run.inner)
      return std::nullopt;
  return run;
}

/// Few runs that make up `indices`; nothing if there are too many.
SmallVector<Run> runsOf(ArrayRef<int64_t> indices) {
  if (std::optional<Run> whole = wholeRun(indices))
    return {*whole};
  SmallVector<Run> runs;
  for (int64_t at = 0, size = indices.size(); at < size;
       at += runs.back().length) {
    runs.push_back(progressionAt(indices, at));
    if (runs.size() > maxRuns)
      return {};
  }
  return runs;
}

/// The walk of one operand along a run: `axis` becomes two.
NestOperand alongRun(const View &view, int64_t axis, const Run &run,
                     bool isWritten) {
  SmallVector<int64_t> strides(view.strides.begin(), view.strides.end());
  int64_t stride = strides[axis];
  strides[axis] = stride * (isWritten ? run.length : run.outer);
  strides.insert(strides.begin() + axis + 1,
                 stride * (isWritten ? 1 : run.inner));
  NestOperand operand = walkView(view, strides, isWritten);
  operand.origin += stride * (isWritten ? run.begin : run.first);
  return operand;
}

void emitRuns(KernelContext &context, Location loc, int64_t axis,
              ArrayRef<Run> runs, const View &from, const View &to) {
  std::vector<CopyNest> copies;
  std::string key;
  for (const Run &run : runs) {
    SmallVector<int64_t> sizes(to.shape.begin(), to.shape.end());
    sizes[axis] = run.count;
    sizes.insert(sizes.begin() + axis + 1, run.length);
    NestOperand target = alongRun(to, axis, run, true);
    NestOperand source = alongRun(from, axis, run, false);
    if (runs.size() == 1)
      return copySpace(context, loc, sizes, target, source);
    copies.emplace_back(context.isa, sizes, target, source);
    key += copies.back().nest.key() + "; ";
  }
  context.emitKernel(loc, "gather", key, copies.front().nest.args(),
                     [&](KernelBuilder &k, ValueRange args) {
                       for (const CopyNest &copy : copies)
                         copy.nest.run(k, args, [&](const Chunk &part) {
                           copy.copy(k, part);
                         });
                     });
}

/// One loop over the indices, which stand in the constants.
void emitTable(KernelContext &context, Location loc, int64_t axis,
               ArrayRef<int64_t> indices, const View &from, const View &to) {
  std::vector<int32_t> table(indices.begin(), indices.end());
  int64_t offset = context.constants.appendValues<int32_t>(table);
  SmallVector<int64_t> sizes(to.shape.begin(), to.shape.end());
  sizes[axis] = 1;
  CopyNest copy(context.isa, sizes, walkView(to, to.strides, true),
                walkView(from, from.strides, false));
  SmallVector<KernelArg> args = copy.nest.args();
  args.push_back(
      KernelArg::constant(offset, table.size() * 4, /*mayOverRead=*/false));
  int64_t width = to.elementBytes();
  context.emitKernel(
      loc, "gather",
      copy.nest.key() + llvm::Twine(" table ") + llvm::Twine(axis) + " " +
          llvm::Twine(table.size()),
      args, [&](KernelBuilder &k, ValueRange memories) {
        k.loop(0, table.size(), 1, [&](Value i) {
          Value index = k.load(memories[2], k.mul(i, 4), k.i32());
          index =
              arith::IndexCastOp::create(k.b, k.loc, k.b.getIndexType(), index);
          Value target = k.mul(i, to.strides[axis] * width);
          Value source = k.mul(index, from.strides[axis] * width);
          copy.nest.run(k, memories, [&](const Chunk &part) {
            Chunk moved = part;
            moved.positions[0] = k.add(part.positions[0], target);
            moved.positions[1] = k.add(part.positions[1], source);
            copy.copy(k, moved);
          });
        });
      });
}

void emitGather(KernelContext &context, Location loc, int64_t axis,
                ArrayRef<int64_t> indices, const View &from, const View &to) {
  SmallVector<Run> runs = runsOf(indices);
  if (runs.empty())
    return emitTable(context, loc, axis, indices, from, to);
  emitRuns(context, loc, axis, runs, from, to);
}

} // namespace

LogicalResult emit(KernelContext &context, qint::GatherOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  emitGather(context, op.getLoc(), op.getAxis(), op.getIndices(), in[0],
             out[0]);
  return success();
}

LogicalResult emit(KernelContext &context, qopt::GatherOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  emitGather(context, op.getLoc(), op.getAxis(), op.getIndices(), in[0],
             out[0]);
  return success();
}

} // namespace mlir::qopt::codegen
