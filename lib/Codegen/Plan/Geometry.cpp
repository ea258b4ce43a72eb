// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the shape of a convolution off its op.

#include "qopt/Codegen/Plan/Geometry.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"

namespace mlir::qopt::codegen {

Halo ConvGeometry::halo() const {
  auto beyond = [](int64_t out, int64_t stride, int64_t kernel,
                   int64_t dilation, int64_t begin, int64_t in) {
    int64_t reach = (out - 1) * stride + (kernel - 1) * dilation + 1;
    return std::max<int64_t>(0, reach - begin - in);
  };
  return {padTop, padLeft,
          beyond(outH, strideH, kernelH, dilationH, padTop, inH),
          beyond(outW, strideW, kernelW, dilationW, padLeft, inW)};
}

template <typename ConvOp> static ConvGeometry geometryOf(ConvOp op) {
  auto in = cast<ShapedType>(op.getInput().getType()).getShape();
  auto weight = cast<ShapedType>(op.getWeight().getType()).getShape();
  auto out = cast<ShapedType>(op.getResult().getType()).getShape();
  ConvGeometry g;
  g.batch = in[0];
  g.inChannels = in[1];
  g.inH = in[2];
  g.inW = in[3];
  g.outChannels = out[1];
  g.outH = out[2];
  g.outW = out[3];
  g.kernelH = weight[2];
  g.kernelW = weight[3];
  g.strideH = op.getStrides()[0];
  g.strideW = op.getStrides()[1];
  g.dilationH = op.getDilations()[0];
  g.dilationW = op.getDilations()[1];
  g.padTop = op.getPads()[0];
  g.padLeft = op.getPads()[1];
  g.padBottom = op.getPads()[2];
  g.padRight = op.getPads()[3];
  g.groups = op.getGroups();
  return g;
}

std::optional<ConvGeometry> convGeometry(Operation *op) {
  if (auto conv = dyn_cast<qint::ConvOp>(op)) {
    ConvGeometry geometry = geometryOf(conv);
    geometry.zeroPoint = conv.getInputZeroPoint();
    return geometry;
  }
  if (auto conv = dyn_cast<qopt::ConvOp>(op))
    return geometryOf(conv);
  return std::nullopt;
}

Value throughObservers(Value value) {
  while (auto observe = value.getDefiningOp<qopt::ObserveOp>())
    value = observe.getInput();
  return value;
}

SmallVector<OpOperand *> usesThroughObservers(Value value) {
  SmallVector<OpOperand *> uses;
  // Use lists are in reverse order of construction, which is deterministic.
  for (OpOperand &use : value.getUses()) {
    if (auto observe = dyn_cast<qopt::ObserveOp>(use.getOwner()))
      llvm::append_range(uses, usesThroughObservers(observe.getResult()));
    else
      uses.push_back(&use);
  }
  return uses;
}

} // namespace mlir::qopt::codegen
