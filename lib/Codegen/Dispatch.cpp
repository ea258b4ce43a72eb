// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a planned step to the kernel family that emits it: the one list of ops
// that have kernels.

#include "Dispatch.h"
#include "Kernels/Dynamic.h"
#include "Kernels/Table.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Codegen/Plan/Geometry.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::qopt::codegen {

/// Weights that are worth asking for ahead, and how many are asked for at most.
static constexpr int64_t minAheadBytes = 128 << 10,
                         maxAheadBytes = 1280 << 10;
/// As many constants stay in the second level's cache from run to run.
static constexpr int64_t keptBytes = 1 << 20;

/// A product, and its table in the kernel or, where bytes are not looked up in
/// registers, behind it.
template <typename OpTy>
static LogicalResult emitProduct(KernelContext &context, OpTy op,
                                 const Step &step) {
  ProductPart part{step.firstChannel, {}};
  if (!step.table)
    return emit(context, op, step.in, step.out, part);
  ArrayRef<int16_t> table = cast<qint::TableOp>(step.table).getTable();
  if (context.isa.hasVbmi) {
    part.table = table;
    return emit(context, op, step.in, step.out, part);
  }
  View looked = step.out[0], computed = indexView(looked);
  if (failed(emit(context, op, step.in, {computed}, part)))
    return failure();
  emitTable(context, step.table->getLoc(), computed, looked, table);
  return success();
}

static LogicalResult emitOp(KernelContext &context, const Step &step) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(step.op)
      .Case<qint::ConvOp, qint::GemmOp>(
          [&](auto op) { return emitProduct(context, op, step); })
      .Case<qint::AddOp, qint::MulOp, qint::RequantizeOp, qint::TableOp,
            qint::PiecewiseOp, qint::SoftmaxOp, qint::MaxPoolOp,
            qint::AvgPoolOp, qint::ReduceMeanOp, qopt::ConvOp, qopt::GemmOp,
            qopt::AddOp, qopt::SubOp, qopt::MulOp, qopt::UnaryOp,
            qopt::BatchNormOp, qopt::SoftmaxOp, qopt::MaxPoolOp,
            qopt::AvgPoolOp, qopt::ReduceMeanOp, qopt::ReduceSumOp, qint::DivOp,
            qopt::DivOp, qint::MaxOp, qint::MinOp, qopt::MaxOp, qopt::MinOp,
            qint::MatMulOp, qopt::MatMulOp, qint::ReduceMaxOp,
            qint::ReduceMinOp, qopt::ReduceMaxOp, qopt::ReduceMinOp,
            qint::GatherOp, qint::InterpolateOp, qopt::GatherOp,
            qopt::InterpolateOp, qint::LayerNormOp, qopt::LayerNormOp,
            qint::LogSoftmaxOp, qopt::LogSoftmaxOp, qint::ReducePowerOp,
            qopt::ReduceL1Op, qopt::ReduceL2Op, qopt::ReduceSumSquareOp,
            qint::ArgMaxOp, qint::ArgMinOp, qopt::ArgMaxOp, qopt::ArgMinOp,
            qint::AttendOp, qopt::AttendOp, qint::RealToGridOp,
            qint::LayerToGridOp, qint::SumToGridOp, qint::GridQuantizeOp,
            qint::GridToRealOp, qint::RealGridOp, qint::GridScaleOp,
            qint::LayerGridOp, qint::SumGridOp, qint::ProductGridOp,
            qint::ProductToGridOp, qint::GridToFixedOp, qint::SumPartsOp>(
          [&](auto op) { return emit(context, op, step.in, step.out); })
      .Default([](Operation *op) { return op->emitOpError("has no kernel"); });
}

LogicalResult emitStep(KernelContext &context, Location loc, const Step &step) {
  switch (step.kind) {
  case Step::Kind::Op:
    return emitOp(context, step);
  case Step::Kind::Copy:
    emitCopy(context, loc, step.in[0], step.out[0]);
    return success();
  case Step::Kind::ReshapeCopy:
    emitReshapeCopy(context, loc, step.in[0], step.out[0]);
    return success();
  case Step::Kind::Transpose: {
    auto permutation = cast<DenseI64ArrayAttr>(step.op->getAttr("permutation"));
    emitTranspose(context, loc, step.in[0], step.out[0], permutation);
    return success();
  }
  case Step::Kind::HaloFill:
    emitHaloFill(context, loc, step.out[0], static_cast<int64_t>(step.value));
    return success();
  case Step::Kind::PadFill:
    emitPadFill(context, loc, step.out[0], step.begins, step.sizes, step.value);
    return success();
  case Step::Kind::RowSums:
    emitRowSums(context, loc, step.in[0], step.out[0]);
    return success();
  case Step::Kind::MeanOfSums:
    emitMeanOfSums(context, cast<qint::ReduceMeanOp>(step.op), step.in[0],
                   step.out[0]);
    return success();
  }
  return failure();
}

/// Whether `step` reads each of its weights once.
static bool hasOneRow(const Step &step) {
  const View &out = step.out[0];
  return isa<qint::GemmOp>(step.op) && out.numElements() == out.shape.back();
}

static bool isProduct(const Step &step) {
  return step.kind == Step::Kind::Op &&
         isa<qint::ConvOp, qint::GemmOp>(step.op);
}

ConstantRange weightsAhead(KernelContext &context, const Step &step,
                           llvm::ArrayRef<Step> following,
                           llvm::ArrayRef<Step> after) {
  if (!isProduct(step) || hasOneRow(step))
    return {};
  const Step *next = llvm::find_if(following, isProduct);
  if (next == following.end()) {
    next = llvm::find_if(after, isProduct);
    if (next == after.end())
      return {};
  }
  if (!hasOneRow(*next) || next->table)
    return {};
  context.packsOnly = true;
  LogicalResult result = emitStep(context, next->op->getLoc(), *next);
  context.packsOnly = false;
  ConstantRange ahead = std::exchange(context.packed, {});
  const int64_t own =
      cast<ShapedType>(step.op->getOperand(1).getType()).getNumElements();
  const int64_t all = own + context.constants.bytes().size();
  if (failed(result) || ahead.bytes < minAheadBytes || all < keptBytes)
    return {};
  ahead.bytes = std::min(ahead.bytes, maxAheadBytes);
  return ahead;
}

uint64_t macsOf(Operation *op) {
  if (auto geometry = convGeometry(op))
    return geometry->macs();
  if (!isa<qint::GemmOp, qopt::GemmOp, qint::MatMulOp, qopt::MatMulOp,
           qint::AttendOp, qopt::AttendOp>(op))
    return 0;
  auto result = cast<ShapedType>(op->getResult(0).getType());
  auto input = cast<ShapedType>(op->getOperand(0).getType());
  return result.getNumElements() * input.getShape().back();
}

} // namespace mlir::qopt::codegen
