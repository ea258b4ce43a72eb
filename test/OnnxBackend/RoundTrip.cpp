// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Both sides are float arithmetic between the same roundings.

#include "RoundTrip.h"
#include "qopt/Export/ONNX/Export.h"
#include "qopt/IR/Qopt.h"
#include "qopt/IR/QuantTypes.h"
#include "qopt/Import/ONNX/Import.h"
#include "qopt/Reference/Evaluate.h"
#include "qopt/Support/Error.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using reference::Tensor;

namespace qopt_test {

/// The step of result `index`.
static double getStep(func::FuncOp function, unsigned index) {
  Value value = function.getBody().front().getTerminator()->getOperand(index);
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  return quantScale(dequantize ? dequantize.getInput().getType()
                               : value.getType());
}

llvm::Error checkRoundTrip(func::FuncOp quantized, ArrayRef<Tensor> inputs) {
  auto bytes = exporter::exportQdq(quantized, "again", "0");
  if (!bytes)
    return bytes.takeError();
  importer::ImportOptions options;
  auto module =
      importer::importModelBytes(*bytes, *quantized.getContext(), options);
  if (!module)
    return module.takeError();
  auto before = reference::evaluate(quantized, inputs);
  if (!before)
    return before.takeError();
  auto after = reference::evaluateModule(**module, inputs);
  if (!after)
    return after.takeError();
  if (before->size() != after->size())
    return makeError(799, "the exported model has another number of outputs");
  for (auto [i, results] : llvm::enumerate(llvm::zip_equal(*before, *after))) {
    const auto &[first, second] = results;
    if (first.getShape() != second.getShape())
      return makeError(799, "the exported model has another output shape");
    const double step = getStep(quantized, i);
    int64_t moved = 0;
    const int64_t count = first.getNumElements();
    for (auto [a, b] :
         llvm::zip_equal(first.values<float>(), second.values<float>())) {
      double steps = std::fabs(double(a) - b) / step;
      if (!(steps <= 2.01))
        return makeError(799, "the exported model is off by " +
                                  std::to_string(steps) + " steps");
      moved += steps > 0.01;
    }
    if (moved > 1 + count / 20)
      return makeError(799, std::to_string(moved) + " of " +
                                std::to_string(count) +
                                " elements of the exported model are off");
  }
  return llvm::Error::success();
}

} // namespace qopt_test
