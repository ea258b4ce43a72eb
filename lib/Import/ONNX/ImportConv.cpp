// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conv of one to three dimensions.
#include "Registry.h"
#include "Volumes.h"

namespace mlir::qopt::importer {

/// Checks weight, bias and groups against each other and the input.
static void checkConv(NodeContext &n, ArrayRef<int64_t> x, const Constant &w,
                      const Constant *bias, int64_t groups) {
  if (!checkWeight(n, x, w, groups, "output"))
    return;
  if (x[1] % groups != 0 || x[1] / groups != w.shape[1])
    return n.invalid("expects " + std::to_string(w.shape[1]) +
                     " input channels in each of " + std::to_string(groups) +
                     " groups, but the input has " + std::to_string(x[1]));
  if (bias && ArrayRef<int64_t>(bias->shape) != ArrayRef<int64_t>(w.shape[0]))
    return n.invalid("expects a bias of shape " + std::to_string(w.shape[0]) +
                     ", but got " + formatShape(bias->shape));
}

void importConv(NodeContext &n) {
  n.expectInputs(2, 3);
  ConstantRef w = n.floatConstant(1, "the weight");
  ConstantRef bias = n.hasInput(2) ? n.floatConstant(2, "the bias") : nullptr;
  int64_t groups = n.intAttribute("group", 1);
  n.ignoreAttributes(
      {"auto_pad", "kernel_shape", "strides", "dilations", "pads"});
  if (n.ok() && !as2D(w->shape) && w->shape.size() != 5)
    n.unsupported("the weight has rank " + std::to_string(w->shape.size()));
  Value x = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(x);
  checkConv(n, shape, *w, bias.get(), groups);
  if (!n.ok())
    return;
  ArrayRef<int64_t> spatial = ArrayRef(shape).drop_front(2);
  Window window = readWindow(n, spatial, ArrayRef(w->shape).drop_front(2),
                             /*ceilMode=*/false, /*dilates=*/true);
  if (!n.ok())
    return;
  if (shape.size() == 5)
    return n.setResult(convolveVolume(n, x, w, bias, window, groups));
  Shape result = {shape[0], w->shape[0]};
  result.append(window.output);

  // One dimension is two with a height of one.
  if (shape.size() == 3)
    w = n.derive(foldReshape(*w, *as2D(w->shape)), w->name);
  window = as2D(std::move(window));
  Value weight = n.emitConstant(w);
  Value biasValue = bias ? n.emitConstant(bias) : Value();
  x = n.reshape(x, *as2D(shape));
  Value y =
      n.create<ConvOp>(*as2D(result), x, weight, biasValue, window.strides,
                       window.pads, window.dilations, groups, FnAttr());
  n.setResult(n.reshape(y, result));
}

} // namespace mlir::qopt::importer
