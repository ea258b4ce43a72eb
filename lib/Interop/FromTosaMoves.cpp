// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TOSA in: ops that move values.

#include "FromTosa.h"

using namespace mlir;
using namespace mlir::qopt;

LogicalResult TosaReader::convertReshape(tosa::ReshapeOp op) {
  return finish(op,
                ReshapeOp::create(builder, op.getLoc(),
                                  getType(op.getType(), false),
                                  get(op.getInput1())),
                false);
}

LogicalResult TosaReader::convertTranspose(tosa::TransposeOp op) {
  SmallVector<int64_t> permutation(op.getPerms());
  return finish(op,
                TransposeOp::create(builder, op.getLoc(),
                                    getType(op.getType(), false),
                                    get(op.getInput1()), permutation),
                false);
}

LogicalResult TosaReader::convertConcat(tosa::ConcatOp op) {
  bool first = worksChannelsFirst(op);
  SmallVector<Value> inputs;
  for (Value input : op.getInput1())
    inputs.push_back(getOperand(input, first));
  return finish(op,
                ConcatOp::create(builder, op.getLoc(),
                                 getType(op.getType(), first), inputs,
                                 getAxis(op.getAxis(), first)),
                first);
}

LogicalResult TosaReader::convertPad(tosa::PadOp op) {
  std::optional<SmallVector<int64_t>> padding = getIntegers(op.getPadding());
  std::optional<float> value = getScalar(op.getPadConst());
  if (!padding || !value)
    return refuse(op, "its padding is not constant");
  // begin and end of one axis after another, to all begins and all ends
  SmallVector<int64_t> begins, ends, pads;
  for (size_t axis = 0; axis < padding->size() / 2; ++axis) {
    begins.push_back((*padding)[2 * axis]);
    ends.push_back((*padding)[2 * axis + 1]);
  }
  bool first = worksChannelsFirst(op);
  llvm::append_range(pads, first ? layouts.other(begins) : begins);
  llvm::append_range(pads, first ? layouts.other(ends) : ends);
  return finish(
      op,
      PadOp::create(builder, op.getLoc(), getType(op.getType(), first),
                    getOperand(op.getInput1(), first), pads, APFloat(*value)),
      first);
}

LogicalResult TosaReader::convertSlice(tosa::SliceOp op) {
  std::optional<SmallVector<int64_t>> starts = getIntegers(op.getStart());
  if (!starts)
    return refuse(op, "its start is not constant");
  bool first = worksChannelsFirst(op);
  SmallVector<int64_t> steps(starts->size(), 1);
  return finish(
      op,
      SliceOp::create(builder, op.getLoc(), getType(op.getType(), first),
                      getOperand(op.getInput1(), first),
                      first ? layouts.other(*starts) : *starts, steps),
      first);
}

LogicalResult TosaReader::convertIdentity(tosa::IdentityOp op) {
  layouts.set(op.getResult(), get(op.getInput1()));
  return success();
}

Value TosaReader::createGather(Value input, int64_t axis,
                               ArrayRef<int64_t> indices) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = indices.size();
  return GatherOp::create(builder, input.getLoc(), type.clone(shape), input,
                          axis, indices);
}

LogicalResult TosaReader::convertReverse(tosa::ReverseOp op) {
  bool first = worksChannelsFirst(op);
  Value input = getOperand(op.getInput1(), first);
  int64_t axis = getAxis(op.getAxis(), first);
  int64_t size = cast<RankedTensorType>(input.getType()).getDimSize(axis);
  SmallVector<int64_t> indices =
      llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(size)));
  return finish(op, createGather(input, axis, indices).getDefiningOp(), first);
}

LogicalResult TosaReader::convertTile(tosa::TileOp op) {
  std::optional<SmallVector<int64_t>> multiples =
      getIntegers(op.getMultiples());
  if (!multiples)
    return refuse(op, "its multiples are not constant");
  bool first = worksChannelsFirst(op);
  if (first)
    multiples = layouts.other(*multiples);
  Value result = getOperand(op.getInput1(), first);
  // The innermost axis first: those before it copy whole rows.
  for (int64_t axis = multiples->size(); axis-- > 0;) {
    int64_t size = cast<RankedTensorType>(result.getType()).getDimSize(axis);
    SmallVector<int64_t> indices;
    for (int64_t index = 0; index < size * (*multiples)[axis]; ++index)
      indices.push_back(index % size);
    if ((*multiples)[axis] != 1)
      result = createGather(result, axis, indices);
  }
  if (result != getOperand(op.getInput1(), first))
    return finish(op, result.getDefiningOp(), first);
  layouts.set(op.getResult(), get(op.getInput1()));
  return success();
}

std::optional<SmallVector<int64_t>> TosaReader::getRows(Value indices,
                                                        int64_t count) {
  std::optional<SmallVector<int64_t>> rows = getIntegers(indices);
  int64_t perBatch = cast<ShapedType>(indices.getType()).getDimSize(1);
  if (!rows ||
      llvm::any_of(*rows, [&](int64_t row) { return row < 0 || row >= count; }))
    return std::nullopt;
  for (auto [position, row] : llvm::enumerate(*rows))
    row += position / perBatch * count;
  return rows;
}

LogicalResult TosaReader::convertGather(tosa::GatherOp op) {
  ArrayRef<int64_t> shape =
      cast<ShapedType>(op.getValues().getType()).getShape();
  std::optional<SmallVector<int64_t>> rows = getRows(op.getIndices(), shape[1]);
  if (!rows)
    return refuse(op, "its indices are not constant and inside");
  Value flat =
      ReshapeOp::create(builder, op.getLoc(),
                        RankedTensorType::get({shape[0] * shape[1], shape[2]},
                                              builder.getF32Type()),
                        get(op.getValues()));
  return finish(op,
                ReshapeOp::create(builder, op.getLoc(),
                                  getType(op.getType(), false),
                                  createGather(flat, 0, *rows)),
                false);
}

/// Each row of the result is one of the values or of the rows that replace
/// them.
LogicalResult TosaReader::convertScatter(tosa::ScatterOp op) {
  ArrayRef<int64_t> shape =
      cast<ShapedType>(op.getValuesIn().getType()).getShape();
  std::optional<SmallVector<int64_t>> rows = getRows(op.getIndices(), shape[1]);
  if (!rows)
    return refuse(op, "its indices are not constant and inside");
  int64_t count = shape[0] * shape[1], added = rows->size();
  auto rowsType = [&](int64_t size) {
    return RankedTensorType::get({size, shape[2]}, builder.getF32Type());
  };
  SmallVector<Value> both;
  for (auto [value, size] : {std::pair<Value, int64_t>(op.getValuesIn(), count),
                             {op.getInput(), added}})
    both.push_back(
        ReshapeOp::create(builder, op.getLoc(), rowsType(size), get(value)));
  Value all =
      ConcatOp::create(builder, op.getLoc(), rowsType(count + added), both, 0);
  SmallVector<int64_t> from = llvm::to_vector(llvm::seq<int64_t>(count));
  for (auto [position, row] : llvm::enumerate(*rows))
    from[row] = count + position;
  return finish(op,
                ReshapeOp::create(builder, op.getLoc(),
                                  getType(op.getType(), false),
                                  createGather(all, 0, from)),
                false);
}
