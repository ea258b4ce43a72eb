// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks the function once and runs every op on all samples, in four streams
// side by side; layers are corrected as they come.

#include "qopt/Evaluation/CorrectBias.h"
#include "Streams.h"
#include "mlir/IR/Threading.h"
#include "qopt/Evaluation/Metrics.h"
#include "qopt/Numerics/Simulate.h"
#include "qopt/Transforms/Constants.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

namespace {

/// The float model; the quantized one as it is; corrected by the samples that
/// do not judge; corrected by all samples, which is what is kept.
enum Stream : unsigned { Real, Plain, Judged, Final, streamCount };

/// What is added to the bias of a layer.
struct LayerCorrection {
  Operation *op;
  std::vector<double> delta;
};

class Corrector {
public:
  Corrector(func::FuncOp function, const observers::CalibrationState &state,
            const BiasCorrectionOptions &options)
      : body(function.getBody().front()), options(options),
        streams(function, state, streamCount) {}

  llvm::Expected<BiasCorrection> run();

private:
  llvm::Error visit(Operation &op);
  llvm::Error compute(Operation &op);
  void observe(ObserveOp op);
  void correct(Operation &op, int64_t axis, StreamValues &result);
  BiasCorrection judge(func::ReturnOp op);
  void apply(const LayerCorrection &correction);

  Block &body;
  const BiasCorrectionOptions &options;
  Streams streams;
  std::vector<LayerCorrection> corrections;
};

} // namespace

void Corrector::observe(ObserveOp op) {
  StreamValues result = streams.take(op.getInput());
  if (op.getScale() && op.getZeroPoint()) {
    numerics::QuantParams params;
    params.scale = op.getScale()->convertToFloat();
    params.zeroPoint = static_cast<int32_t>(*op.getZeroPoint());
    params.qmin = numerics::signedMin(op.getBits());
    params.qmax = numerics::signedMax(op.getBits());
    parallelFor(op.getContext(), 0, streams.size(), [&](size_t sample) {
      for (unsigned stream = Plain; stream < streamCount; ++stream)
        numerics::simulate(result.at(stream, sample), params);
    });
  }
  streams.set(op.getResult(), std::move(result));
}

/// Moves the channel means of the corrected streams to those of the float one,
/// then applies the clamp that the engine left out.
void Corrector::correct(Operation &op, int64_t axis, StreamValues &result) {
  const ChannelLayout layout(op, axis);
  std::vector<double> delta(layout.channels), judged(layout.channels);
  forEachChannelBlock(op.getContext(), layout.channels,
                      [&](size_t first, size_t last) {
                        streams.moveMeans(result, layout, first, last, Judged,
                                          /*estimatingOnly=*/true, judged);
                        streams.moveMeans(result, layout, first, last, Final,
                                          /*estimatingOnly=*/false, delta);
                        streams.clamp(op, result, layout, first, last);
                      });
  corrections.push_back({&op, std::move(delta)});
}

llvm::Error Corrector::compute(Operation &op) {
  std::optional<SmallVector<float>> rounded;
  const int64_t axis = getChannelAxis(op);
  if (auto quantizable = dyn_cast<QuantizableOpInterface>(op);
      quantizable && axis >= 0)
    rounded = getRoundedWeights(quantizable, options.weights);
  auto result = streams.compute(op, rounded);
  if (!result)
    return result.takeError();
  if (rounded && result->elements)
    correct(op, axis, *result);
  streams.set(op.getResult(0), std::move(*result));
  return llvm::Error::success();
}

llvm::Error Corrector::visit(Operation &op) {
  if (isa<ConstantOp>(op))
    return llvm::Error::success();
  if (auto observer = dyn_cast<ObserveOp>(op))
    observe(observer);
  else if (llvm::Error error = compute(op))
    return error;
  streams.release(op);
  return llvm::Error::success();
}

BiasCorrection Corrector::judge(func::ReturnOp op) {
  ErrorSum before, after;
  for (Value output : op.getOperands()) {
    StreamValues &result = streams.get(output);
    for (size_t sample = 0; sample < streams.size(); ++sample) {
      if (Streams::isEstimating(sample))
        continue;
      before.add(result.at(Real, sample), result.at(Plain, sample));
      after.add(result.at(Real, sample), result.at(Judged, sample));
    }
  }
  BiasCorrection verdict;
  verdict.beforeDb = before.sqnrDb();
  verdict.afterDb = after.sqnrDb();
  verdict.kept = !corrections.empty() && verdict.afterDb > verdict.beforeDb;
  verdict.layers = verdict.kept ? corrections.size() : 0;
  return verdict;
}

void Corrector::apply(const LayerCorrection &correction) {
  auto op = cast<QuantizableOpInterface>(correction.op);
  OpBuilder builder(correction.op);
  const int64_t channels = correction.delta.size();
  SmallVector<float> bias(channels, 0.0f);
  Operation *old = nullptr;
  if (OpOperand *operand = op.getBiasOperand()) {
    bias = *getConstantF32(operand->get());
    old = operand->get().getDefiningOp();
  }
  for (auto [value, delta] : llvm::zip_equal(bias, correction.delta))
    value = static_cast<float>(value + delta);
  auto type = RankedTensorType::get({channels}, builder.getF32Type());
  Value constant = createConstantF32(builder, op.getLoc(), type, bias);
  if (auto conv = dyn_cast<ConvOp>(correction.op))
    conv.getBiasMutable().assign(constant);
  else if (auto gemm = dyn_cast<GemmOp>(correction.op))
    gemm.getBiasMutable().assign(constant);
  if (old && old->use_empty())
    old->erase();
}

llvm::Expected<BiasCorrection> Corrector::run() {
  StreamLimits limits;
  limits.maxSamples = options.maxSamples;
  limits.maxBytes = options.maxBytes;
  if (llvm::Error error = streams.load(limits))
    return std::move(error);
  if (streams.size() == 0)
    return BiasCorrection();
  for (Operation &op : body.without_terminator())
    if (llvm::Error error = visit(op))
      return std::move(error);
  BiasCorrection verdict = judge(cast<func::ReturnOp>(body.getTerminator()));
  if (verdict.kept)
    for (const LayerCorrection &correction : corrections)
      apply(correction);
  return verdict;
}

llvm::Expected<BiasCorrection>
mlir::qopt::evaluation::correctBias(func::FuncOp calibrated,
                                    const observers::CalibrationState &state,
                                    const BiasCorrectionOptions &options) {
  return Corrector(calibrated, state, options).run();
}
