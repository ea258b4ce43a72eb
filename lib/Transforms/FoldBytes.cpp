// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Padding of a normalized image becomes a border of the image's bytes, so that
// the normalization can fold into the first layer.

#include "Bytes.h"
#include "ChannelMap.h"
#include "SimplifyPatterns.h"
#include "mlir/IR/IRMapping.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

/// The byte of each channel that `map` takes to `value`, within half a step
/// once it is an integer; nothing where there is none.
std::optional<SmallVector<float>> getBytesOf(const ChannelMap &map,
                                             double value) {
  SmallVector<float> bytes;
  for (auto [scale, shift] : llvm::zip_equal(map.scale, map.shift)) {
    double byte = (value - shift) / scale;
    if (!(byte >= 0 && byte <= 255))
      return std::nullopt;
    bytes.push_back(static_cast<float>(byte));
  }
  return bytes;
}

/// `image` with `pads` (top, left, bottom, right) of one value a channel.
Value addBorder(PatternRewriter &rewriter, Value image, ArrayRef<int64_t> pads,
                ArrayRef<float> values) {
  auto type = cast<RankedTensorType>(image.getType());
  Location loc = image.getLoc();
  SmallVector<int64_t> shape(type.getShape());
  if (llvm::all_equal(values)) {
    shape[2] += pads[0] + pads[2];
    shape[3] += pads[1] + pads[3];
    return PadOp::create(
        rewriter, loc, type.clone(shape), image,
        ArrayRef<int64_t>{0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]},
        APFloat(values.front()));
  }
  for (int64_t axis : {2, 3}) {
    SmallVector<Value> parts;
    auto addEdge = [&](int64_t width) {
      if (width == 0)
        return;
      SmallVector<int64_t> edge(shape);
      edge[axis] = width;
      auto edgeType = type.clone(edge);
      int64_t area = edge[2] * edge[3];
      SmallVector<float> elements(edgeType.getNumElements());
      for (auto [index, element] : llvm::enumerate(elements))
        element = values[index / area % values.size()];
      parts.push_back(createConstantF32(
          rewriter, loc, cast<RankedTensorType>(edgeType), elements));
    };
    addEdge(pads[axis - 2]);
    parts.push_back(image);
    addEdge(pads[axis]);
    shape[axis] += pads[axis - 2] + pads[axis];
    if (parts.size() > 1)
      image = ConcatOp::create(rewriter, loc, type.clone(shape), parts, axis);
  }
  return image;
}

/// The map of bytes with a shift that computes `value` and has no other reader;
/// nothing where it is none.
std::optional<ChannelMap> getMapOfBytes(Value value) {
  Operation *producer = value.getDefiningOp();
  if (!producer || !producer->hasOneUse() ||
      cast<RankedTensorType>(value.getType()).getRank() != 4)
    return std::nullopt;
  std::optional<ChannelMap> map = matchChannelMap(producer, /*axis=*/1);
  if (!map || !map->hasShift() || !getBytes(map->input))
    return std::nullopt;
  return map;
}

/// `producer`, which is `map`, of the bytes with a border of `border`.
Value mapWithBorder(PatternRewriter &rewriter, Operation *producer,
                    const ChannelMap &map, ArrayRef<int64_t> pads,
                    ArrayRef<float> border) {
  rewriter.setInsertionPoint(producer);
  Value padded =
      observeBytes(rewriter, addBorder(rewriter, map.input, pads, border),
                   getBytes(map.input).getId() + ":border");
  IRMapping mapping;
  mapping.map(map.input, padded);
  Operation *mapped = rewriter.clone(*producer, mapping);
  rewriter.modifyOpInPlace(
      mapped, [&] { mapped->getResult(0).setType(padded.getType()); });
  return mapped->getResult(0);
}

/// conv(map(bytes), pads) -> conv(map(border(bytes)))
struct PadBytesOfConv final : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    if (llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; }))
      return rewriter.notifyMatchFailure(op, "has no padding");
    std::optional<ChannelMap> map = getMapOfBytes(op.getInput());
    if (!map)
      return rewriter.notifyMatchFailure(op, "input is no map of bytes");
    std::optional<SmallVector<float>> border = getBytesOf(*map, 0);
    if (!border)
      return rewriter.notifyMatchFailure(op, "no byte stands for zero");
    Operation *producer = op.getInput().getDefiningOp();
    Value input =
        mapWithBorder(rewriter, producer, *map, op.getPads(), *border);
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(input);
      op.setPads(ArrayRef<int64_t>{0, 0, 0, 0});
    });
    rewriter.eraseOp(producer);
    return success();
  }
};

/// pad(map(bytes)) -> map(border(bytes))
struct PadBytes final : OpRewritePattern<PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PadOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<SmallVector<int64_t>> pads = getImagePads(op);
    std::optional<ChannelMap> map = getMapOfBytes(op.getInput());
    if (!pads || !map)
      return rewriter.notifyMatchFailure(op, "pads no map of bytes");
    std::optional<SmallVector<float>> border =
        getBytesOf(*map, op.getValue().convertToFloat());
    if (!border)
      return rewriter.notifyMatchFailure(op, "no byte stands for its value");
    rewriter.replaceOp(op,
                       mapWithBorder(rewriter, op.getInput().getDefiningOp(),
                                     *map, *pads, *border));
    return success();
  }
};

} // namespace

void mlir::qopt::populateBytePatterns(RewritePatternSet &patterns) {
  patterns.add<PadBytesOfConv, PadBytes>(patterns.getContext());
}
