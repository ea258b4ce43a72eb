// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that ops of both dialects share.

#include "VerifyShapes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "qopt/IR/Shapes.h"

using namespace mlir;
using namespace mlir::qopt;

std::string mlir::qopt::shapeText(ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t size : shape)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text.empty() ? "scalar" : text;
}

LogicalResult mlir::qopt::verifySizes(Operation *op) {
  auto check = [&](Type type) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (tensor && !countElements(tensor.getShape()))
      return op->emitOpError("expects at most ")
             << maxElements << " elements a tensor, but got " << tensor;
    return success();
  };
  for (Type type : op->getOperandTypes())
    if (failed(check(type)))
      return failure();
  for (Type type : op->getResultTypes())
    if (failed(check(type)))
      return failure();
  return success();
}

static LogicalResult expectShape(Operation *op, RankedTensorType result,
                                 ArrayRef<int64_t> expected) {
  if (result.getShape() == expected)
    return success();
  return op->emitOpError("expects result shape ")
         << shapeText(expected) << ", but got " << shapeText(result.getShape());
}

static LogicalResult expectRank4(Operation *op, StringRef what,
                                 RankedTensorType type) {
  if (type.getRank() == 4)
    return success();
  return op->emitOpError("expects ")
         << what << " of rank 4, but got " << type.getRank();
}

static LogicalResult expectEntries(Operation *op, StringRef name,
                                   ArrayRef<int64_t> values, size_t count,
                                   int64_t low) {
  bool ok = values.size() == count;
  for (int64_t value : values)
    ok &= value >= low && value <= maxElements;
  if (ok)
    return success();
  return op->emitOpError("expects ")
         << count << " entries >= " << low << " in '" << name << "', but got ["
         << values << "]";
}

static LogicalResult verifyWindowAttrs(Operation *op, WindowAttrs window) {
  return failure(
      failed(expectEntries(op, "strides", window.strides, 2, 1)) ||
      failed(expectEntries(op, "dilations", window.dilations, 2, 1)) ||
      failed(expectEntries(op, "pads", window.pads, 4, 0)));
}

static LogicalResult expectVector(Operation *op, StringRef what,
                                  RankedTensorType type, int64_t size) {
  if (type.getRank() == 1 && type.getDimSize(0) == size)
    return success();
  return op->emitOpError("expects ")
         << what << " of shape " << size << ", but got "
         << shapeText(type.getShape());
}

LogicalResult mlir::qopt::verifyConv(Operation *op, RankedTensorType input,
                                     RankedTensorType weight,
                                     RankedTensorType bias,
                                     RankedTensorType result, WindowAttrs attrs,
                                     int64_t groups) {
  // (C1)
  if (failed(expectRank4(op, "input", input)) ||
      failed(expectRank4(op, "weight", weight)) ||
      failed(expectRank4(op, "result", result)))
    return failure();
  // (C2)
  if (groups < 1 || groups > maxElements)
    return op->emitOpError("expects groups >= 1, but got ") << groups;
  if (input.getDimSize(1) != weight.getDimSize(1) * groups)
    return op->emitOpError("expects ")
           << weight.getDimSize(1) * groups << " input channels, but got "
           << input.getDimSize(1);
  int64_t channels = weight.getDimSize(0);
  if (channels % groups != 0)
    return op->emitOpError("expects output channels divisible by groups, but "
                           "got ")
           << channels << " and " << groups;
  // (C3)
  if (failed(verifyWindowAttrs(op, attrs)))
    return failure();
  // (C4)
  auto window = Window2D::get(input.getShape().drop_front(2),
                              weight.getShape().drop_front(2), attrs.strides,
                              attrs.pads, attrs.dilations);
  auto size = window ? window->outputSize() : std::nullopt;
  if (!size)
    return op->emitOpError("expects a window that fits the padded input, but "
                           "got kernel ")
           << shapeText(weight.getShape().drop_front(2)) << " on input "
           << shapeText(input.getShape());
  if (failed(expectShape(
          op, result, {input.getDimSize(0), channels, (*size)[0], (*size)[1]})))
    return failure();
  // (C5)
  return bias ? expectVector(op, "a bias", bias, channels) : success();
}

LogicalResult mlir::qopt::verifyGemm(Operation *op, RankedTensorType input,
                                     RankedTensorType weight,
                                     RankedTensorType bias,
                                     RankedTensorType result) {
  // (C2)
  if (weight.getRank() != 2)
    return op->emitOpError("expects weight of rank 2, but got ")
           << weight.getRank();
  if (input.getRank() < 1)
    return op->emitOpError("expects input of rank 1 or more, but got 0");
  // (C1)
  if (input.getShape().back() != weight.getDimSize(1))
    return op->emitOpError("expects inner dimensions to match, but got ")
           << input.getShape().back() << " and " << weight.getDimSize(1);
  // (C3)
  SmallVector<int64_t> expected(input.getShape());
  expected.back() = weight.getDimSize(0);
  if (failed(expectShape(op, result, expected)))
    return failure();
  // (C4)
  return bias ? expectVector(op, "a bias", bias, weight.getDimSize(0))
              : success();
}

LogicalResult mlir::qopt::verifyBroadcast(Operation *op, RankedTensorType lhs,
                                          RankedTensorType rhs,
                                          RankedTensorType result) {
  auto shape = broadcastShapes(lhs.getShape(), rhs.getShape());
  if (!shape)
    return op->emitOpError("expects shapes that broadcast, but got ")
           << shapeText(lhs.getShape()) << " and " << shapeText(rhs.getShape());
  return expectShape(op, result, *shape);
}

LogicalResult mlir::qopt::verifyPool(Operation *op, RankedTensorType input,
                                     RankedTensorType result,
                                     ArrayRef<int64_t> kernel,
                                     WindowAttrs attrs) {
  // (C1)
  if (failed(expectRank4(op, "input", input)) ||
      failed(expectRank4(op, "result", result)))
    return failure();
  if (input.getShape().take_front(2) != result.getShape().take_front(2))
    return op->emitOpError("expects equal batch and channels, but got ")
           << shapeText(input.getShape()) << " and "
           << shapeText(result.getShape());
  // (C2)
  if (failed(expectEntries(op, "kernel", kernel, 2, 1)) ||
      failed(verifyWindowAttrs(op, attrs)))
    return failure();
  // (C3)
  auto window = Window2D::get(input.getShape().drop_front(2), kernel,
                              attrs.strides, attrs.pads, attrs.dilations);
  auto size = window ? window->outputSize() : std::nullopt;
  if (!size)
    return op->emitOpError("expects a window that fits the padded input, but "
                           "got kernel ")
           << shapeText(kernel) << " on input " << shapeText(input.getShape());
  if (failed(expectShape(
          op, result,
          {input.getDimSize(0), input.getDimSize(1), (*size)[0], (*size)[1]})))
    return failure();
  // (C4)
  if (window->tapCounts().front() < 1)
    return op->emitOpError("expects every window to cover an input element, "
                           "but got one that lies in the padding");
  return success();
}

/// Distinct, ascending axes of `input`, at least one.
static LogicalResult verifyAxes(Operation *op, RankedTensorType input,
                                ArrayRef<int64_t> axes) {
  if (!axes.empty() && reduceShape(input.getShape(), axes, /*keepDims=*/true))
    return success();
  return op->emitOpError("expects distinct, ascending axes in [0, ")
         << input.getRank() << "), but got [" << axes << "]";
}

LogicalResult mlir::qopt::verifyReduce(Operation *op, RankedTensorType input,
                                       RankedTensorType result,
                                       ArrayRef<int64_t> axes, bool keepDims) {
  // (C1)
  if (failed(verifyAxes(op, input, axes)))
    return failure();
  // (C2)
  return expectShape(op, result,
                     *reduceShape(input.getShape(), axes, keepDims));
}

LogicalResult mlir::qopt::verifyNormAxes(Operation *op, RankedTensorType input,
                                         RankedTensorType result,
                                         ArrayRef<int64_t> axes) {
  return failure(failed(verifyAxes(op, input, axes)) ||
                 failed(verifySameShape(op, input, result)));
}

LogicalResult mlir::qopt::verifySameShape(Operation *op, RankedTensorType input,
                                          RankedTensorType result) {
  if (input.getShape() == result.getShape())
    return success();
  return op->emitOpError("expects input and result of one shape, but got ")
         << shapeText(input.getShape()) << " and "
         << shapeText(result.getShape());
}

LogicalResult mlir::qopt::verifyAxis(Operation *op, int64_t axis,
                                     int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return op->emitOpError("expects axis in [0, ")
         << rank << "), but got " << axis;
}

LogicalResult mlir::qopt::verifyReshape(Operation *op, RankedTensorType input,
                                        RankedTensorType result) {
  if (countElements(input.getShape()) == countElements(result.getShape()))
    return success();
  return op->emitOpError("expects equally many elements, but got ")
         << shapeText(input.getShape()) << " and "
         << shapeText(result.getShape());
}

LogicalResult mlir::qopt::verifyTranspose(Operation *op, RankedTensorType input,
                                          RankedTensorType result,
                                          ArrayRef<int64_t> permutation) {
  // (C1)
  if (static_cast<int64_t>(permutation.size()) != input.getRank() ||
      !isPermutation(permutation))
    return op->emitOpError("expects a permutation of ")
           << input.getRank() << " axes, but got [" << permutation << "]";
  // (C2)
  return expectShape(op, result, permuteShape(input.getShape(), permutation));
}

LogicalResult mlir::qopt::verifyConcat(Operation *op, TypeRange inputs,
                                       RankedTensorType result, int64_t axis) {
  // (C1)
  if (inputs.empty())
    return op->emitOpError("expects at least one input, but got 0");
  SmallVector<ArrayRef<int64_t>> shapes;
  for (Type type : inputs) {
    shapes.push_back(cast<RankedTensorType>(type).getShape());
    if (static_cast<int64_t>(shapes.back().size()) != result.getRank())
      return op->emitOpError("expects inputs of rank ")
             << result.getRank() << ", but got " << shapes.back().size();
  }
  // (C2)
  if (failed(verifyAxis(op, axis, result.getRank())))
    return failure();
  // (C3)
  auto shape = concatShapes(shapes, axis);
  if (!shape)
    return op->emitOpError("expects equal sizes outside axis ")
           << axis << ", but got different ones";
  return expectShape(op, result, *shape);
}

LogicalResult mlir::qopt::verifyPad(Operation *op, RankedTensorType input,
                                    RankedTensorType result,
                                    ArrayRef<int64_t> pads) {
  // (C1)
  if (failed(expectEntries(op, "pads", pads, 2 * input.getRank(), 0)))
    return failure();
  // (C2)
  return expectShape(op, result, *padShape(input.getShape(), pads));
}

LogicalResult mlir::qopt::verifySlice(Operation *op, RankedTensorType input,
                                      RankedTensorType result,
                                      ArrayRef<int64_t> starts,
                                      ArrayRef<int64_t> steps) {
  // (C1)
  size_t rank = input.getRank();
  if (failed(expectEntries(op, "starts", starts, rank, 0)) ||
      failed(expectEntries(op, "steps", steps, rank, 1)))
    return failure();
  // (C2)
  if (result.getRank() != input.getRank())
    return op->emitOpError("expects a result of rank ")
           << rank << ", but got " << result.getRank();
  for (size_t axis = 0; axis < rank; ++axis) {
    int64_t size = result.getDimSize(axis);
    int64_t last = starts[axis] + (size - 1) * steps[axis];
    if (size > 0 && last >= input.getDimSize(axis))
      return op->emitOpError("expects indices below ")
             << input.getDimSize(axis) << " along axis " << axis << ", but got "
             << last;
  }
  return success();
}

LogicalResult mlir::qopt::verifyGather(Operation *op, RankedTensorType input,
                                       RankedTensorType result, int64_t axis,
                                       ArrayRef<int64_t> indices) {
  // (C1)
  if (failed(verifyAxis(op, axis, input.getRank())))
    return failure();
  // (C2)
  SmallVector<int64_t> shape(input.getShape());
  shape[axis] = indices.size();
  if (failed(expectShape(op, result, shape)))
    return failure();
  // (C3)
  for (int64_t index : indices)
    if (index < 0 || index >= input.getDimSize(axis))
      return op->emitOpError("expects indices in [0, ")
             << input.getDimSize(axis) << "), but got " << index;
  return success();
}

LogicalResult mlir::qopt::verifyMatMul(Operation *op, RankedTensorType lhs,
                                       RankedTensorType rhs,
                                       RankedTensorType result) {
  // (C1)
  if (lhs.getRank() < 2 || rhs.getRank() < 2)
    return op->emitOpError("expects operands of rank 2 or more, but got ")
           << lhs.getRank() << " and " << rhs.getRank();
  int64_t inner = lhs.getShape().back();
  if (rhs.getDimSize(rhs.getRank() - 2) != inner)
    return op->emitOpError("expects ")
           << inner << " rows on the right side, but got "
           << rhs.getDimSize(rhs.getRank() - 2);
  // (C2)
  auto shape =
      broadcastShapes(lhs.getShape().drop_back(2), rhs.getShape().drop_back(2));
  if (!shape)
    return op->emitOpError("expects leading axes that broadcast, but got ")
           << shapeText(lhs.getShape()) << " and " << shapeText(rhs.getShape());
  shape->push_back(lhs.getDimSize(lhs.getRank() - 2));
  shape->push_back(rhs.getShape().back());
  return expectShape(op, result, *shape);
}

/// (C2) and (C3) of `interpolate` for one axis.
static LogicalResult verifyTaps(Operation *op, StringRef name, AxisTaps taps,
                                int64_t inputSize, int64_t resultSize) {
  // (C2)
  int64_t count = taps.indices.size();
  if (taps.indices.size() != taps.numWeights || count == 0 || resultSize == 0 ||
      count % resultSize != 0)
    return op->emitOpError("expects equally many ")
           << name << " indices and weights, a multiple of " << resultSize
           << ", but got " << count << " and " << taps.numWeights;
  // (C3)
  for (int64_t index : taps.indices)
    if (index < 0 || index >= inputSize)
      return op->emitOpError("expects ") << name << " indices in [0, "
                                         << inputSize << "), but got " << index;
  return success();
}

LogicalResult mlir::qopt::verifyInterpolate(Operation *op,
                                            RankedTensorType input,
                                            RankedTensorType result,
                                            AxisTaps rows, AxisTaps columns) {
  // (C1)
  if (failed(expectRank4(op, "input", input)) ||
      failed(expectRank4(op, "result", result)))
    return failure();
  SmallVector<int64_t> expected(result.getShape());
  expected[0] = input.getDimSize(0);
  expected[1] = input.getDimSize(1);
  if (failed(expectShape(op, result, expected)))
    return failure();
  return failure(failed(verifyTaps(op, "row", rows, input.getDimSize(2),
                                   result.getDimSize(2))) ||
                 failed(verifyTaps(op, "column", columns, input.getDimSize(3),
                                   result.getDimSize(3))));
}

LogicalResult mlir::qopt::verifyFactors(Operation *op, RankedTensorType input,
                                        ShapedType factors) {
  bool fits = factors.getRank() == input.getRank();
  for (int64_t i = 0; fits && i < input.getRank(); ++i)
    fits = factors.getDimSize(i) == 1 ||
           factors.getDimSize(i) == input.getDimSize(i);
  if (fits)
    return success();
  return op->emitOpError("expects factors that broadcast to ")
         << shapeText(input.getShape()) << ", but got "
         << shapeText(factors.getShape());
}

LogicalResult mlir::qopt::verifyNormPower(Operation *op, int64_t power,
                                          bool isCentered, bool isEpsilonZero) {
  if (power != 1 && power != 2)
    return op->emitOpError("expects power 1 or 2, but got ") << power;
  if (power == 1 && (isCentered || !isEpsilonZero))
    return op->emitOpError("expects no center and no epsilon with power 1");
  return success();
}

LogicalResult mlir::qopt::verifyArgExtreme(Operation *op,
                                           RankedTensorType input,
                                           RankedTensorType result,
                                           int64_t axis, bool keepDims) {
  // (C1)
  if (failed(verifyAxis(op, axis, input.getRank())))
    return failure();
  if (input.getDimSize(axis) == 0)
    return op->emitOpError("expects at least one element along the axis");
  // (C2)
  return expectShape(op, result,
                     *reduceShape(input.getShape(), axis, keepDims));
}

LogicalResult mlir::qopt::verifyOneElementType(Operation *op) {
  Type expected = getElementTypeOrSelf(op->getResult(0).getType());
  for (Type type : op->getOperandTypes())
    if (getElementTypeOrSelf(type) != expected)
      return op->emitOpError("expects one element type, but got ")
             << getElementTypeOrSelf(type) << " and " << expected;
  return success();
}

LogicalResult mlir::qopt::verifyConstant(Operation *op, ElementsAttr value,
                                         RankedTensorType stored) {
  if (value.getShapedType() != stored)
    return op->emitOpError("expects a value of type ")
           << stored << ", but got " << value.getShapedType();
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (!resource)
    return success();
  // A blob may be absent from text that was printed without its data.
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  uint64_t bytes =
      *countElements(stored.getShape()) * (stored.getElementTypeBitWidth() / 8);
  if (blob && blob->getData().size() != bytes)
    return op->emitOpError("expects ")
           << bytes << " bytes in resource '"
           << resource.getRawHandle().getKey() << "', but got "
           << blob->getData().size();
  return success();
}
