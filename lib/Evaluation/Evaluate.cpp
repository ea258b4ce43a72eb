// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float model and emitted object over labelled data, sample by sample.

#include "TensorErrors.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Evaluation/Evaluation.h"
#include "qopt/Evaluation/Metrics.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include <chrono>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using calibration::Engine;
using calibration::LabelledSet;
using calibration::OutputSpec;

std::vector<OutputSpec>
mlir::qopt::evaluation::getOutputSpecs(func::FuncOp function) {
  std::vector<OutputSpec> specs;
  for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
    OutputSpec spec;
    auto name = function.getResultAttrOfType<StringAttr>(i, "qopt.name");
    spec.name = name ? name.str() : "output" + std::to_string(i);
    if (auto shaped = dyn_cast<RankedTensorType>(type))
      spec.shape.assign(shaped.getShape().begin(), shaped.getShape().end());
    specs.push_back(std::move(spec));
  }
  return specs;
}

namespace {

/// Floats for all inputs or outputs of a model.
struct Buffers {
  explicit Buffers(ArrayRef<int64_t> sizes) {
    for (int64_t size : sizes)
      values.emplace_back(size);
    for (std::vector<float> &buffer : values)
      pointers.push_back(buffer.data());
  }
  std::vector<std::vector<float>> values;
  std::vector<float *> pointers;
};

/// The least time of several runs.
class Stopwatch {
public:
  /// Gives what `run` gives.
  template <typename Run> auto time(Run run) {
    auto begin = std::chrono::steady_clock::now();
    llvm::scope_exit stop([&] {
      std::chrono::duration<double, std::nano> taken =
          std::chrono::steady_clock::now() - begin;
      least = std::min(least, taken.count());
    });
    return run();
  }
  double nanoseconds() const { return std::isfinite(least) ? least : 0; }

private:
  double least = std::numeric_limits<double>::infinity();
};

/// What is summed over the first output's decisions.
struct Decisions {
  ClassLayout layout;
  int64_t count = 0, agreeing = 0, floatRight = 0, integerRight = 0;
  double floatLoss = 0, integerLoss = 0;

  void addAgreement(ArrayRef<float> real, ArrayRef<float> quantized) {
    for (int64_t row = 0; row < layout.rows; ++row)
      agreeing += largestClass(real, layout, row) ==
                  largestClass(quantized, layout, row);
    count += layout.rows;
  }
  void addLabels(ArrayRef<float> real, ArrayRef<float> quantized,
                 ArrayRef<int64_t> labels) {
    for (int64_t row = 0; row < layout.rows; ++row) {
      int64_t label = labels[row];
      floatRight += largestClass(real, layout, row) == label;
      integerRight += largestClass(quantized, layout, row) == label;
      bool probabilities = areProbabilities(real, layout, row);
      floatLoss += crossEntropy(real, layout, row, label, probabilities);
      integerLoss += crossEntropy(quantized, layout, row, label, probabilities);
    }
  }
};

/// One output's error sums.
struct OutputSums {
  ErrorSum integerToFloat, floatToReference, integerToReference;
  std::vector<float> reference;
};

/// Everything of one evaluation while it runs.
class Run {
public:
  Run(ArrayRef<OutputSpec> specs, ArrayRef<int64_t> inputSizes,
      ArrayRef<int64_t> outputSizes, LabelledSet &data)
      : specs(specs), data(data), inputs(inputSizes), real(outputSizes),
        quantized(outputSizes), sums(outputSizes.size()) {
    for (auto [i, sum] : llvm::enumerate(sums))
      if (data.hasReference(i))
        sum.reference.resize(outputSizes[i]);
  }

  llvm::Error prepare();
  llvm::Error addSample(int64_t index, Engine &engine, QuantizedModel &model);
  Evaluation finish();
  ArrayRef<float *> getInputs() const { return inputs.pointers; }

private:
  llvm::Error checkFinite(int64_t index) const;
  llvm::Error addLabels(int64_t index);
  llvm::Error addReferences(int64_t index);

  ArrayRef<OutputSpec> specs;
  LabelledSet &data;
  Buffers inputs, real, quantized;
  std::vector<OutputSums> sums;
  std::vector<int64_t> labels;
  Decisions decisions;
  Stopwatch floatTime, integerTime;
};

} // namespace

llvm::Error Run::prepare() {
  ArrayRef<int64_t> shape = specs.front().shape;
  const bool hasLabels = data.hasLabels();
  const int64_t rows = hasLabels           ? data.getLabelsPerSample()
                       : shape.size() >= 2 ? shape.front()
                                           : 1;
  auto layout = ClassLayout::find(shape, rows);
  if (!layout)
    return makeError(449,
                     "there are " + std::to_string(rows) +
                         " labels a sample, but output '" + specs.front().name +
                         "' of shape " + calibration::formatShape(shape) +
                         " cannot be divided into as many decisions",
                     {}, "store one label for each row of the output");
  decisions.layout = *layout;
  labels.resize(hasLabels ? rows : 0);
  return llvm::Error::success();
}

llvm::Error Run::checkFinite(int64_t index) const {
  for (auto [spec, values] : llvm::zip_equal(specs, real.values))
    for (float value : values)
      if (!std::isfinite(value))
        return makeError(449,
                         "output '" + spec.name +
                             "' of the float model holds a NaN or an infinity "
                             "at sample " +
                             std::to_string(data.id(index)),
                         {}, "check that sample's data");
  return llvm::Error::success();
}

llvm::Error Run::addLabels(int64_t index) {
  if (llvm::Error error = data.readLabels(index, labels))
    return error;
  const int64_t classes = decisions.layout.classes;
  for (int64_t label : labels)
    if (label < 0 || label >= classes)
      return makeError(
          449,
          "sample " + std::to_string(data.id(index)) + " has label " +
              std::to_string(label) + ", but output '" + specs.front().name +
              "' has classes 0 to " + std::to_string(classes - 1),
          {}, "check that the labels count from 0 and belong to this model");
  decisions.addLabels(real.values.front(), quantized.values.front(), labels);
  return llvm::Error::success();
}

llvm::Error Run::addReferences(int64_t index) {
  for (auto [i, sum] : llvm::enumerate(sums)) {
    sum.integerToFloat.add(real.values[i], quantized.values[i]);
    if (!data.hasReference(i))
      continue;
    if (llvm::Error error = data.readReference(index, i, sum.reference))
      return error;
    sum.floatToReference.add(sum.reference, real.values[i]);
    sum.integerToReference.add(sum.reference, quantized.values[i]);
  }
  return llvm::Error::success();
}

llvm::Error Run::addSample(int64_t index, Engine &engine,
                           QuantizedModel &model) {
  if (llvm::Error error = data.read(index, inputs.pointers))
    return error;
  const SmallVector<const void *> in(inputs.pointers.begin(),
                                     inputs.pointers.end());
  const SmallVector<void *> out(real.pointers.begin(), real.pointers.end());
  floatTime.time([&] { engine.run(in, out); });
  if (llvm::Error error = checkFinite(index))
    return error;
  model.setInputs(SmallVector<const float *>(inputs.pointers.begin(),
                                             inputs.pointers.end()));
  if (llvm::Error error = integerTime.time([&] { return model.run(); }))
    return error;
  model.getOutputs(quantized.pointers);

  decisions.addAgreement(real.values.front(), quantized.values.front());
  if (data.hasLabels())
    if (llvm::Error error = addLabels(index))
      return error;
  return addReferences(index);
}

Evaluation Run::finish() {
  Evaluation result;
  result.samples = data.size();
  const double count = static_cast<double>(decisions.count);
  result.agreement = decisions.agreeing / count;
  if (data.hasLabels()) {
    result.floatAccuracy = decisions.floatRight / count;
    result.integerAccuracy = decisions.integerRight / count;
    result.floatLoss = decisions.floatLoss / count;
    result.integerLoss = decisions.integerLoss / count;
  }
  for (auto [i, sum] : llvm::enumerate(sums)) {
    OutputQuality quality;
    quality.name = specs[i].name;
    quality.sqnrDb = sum.integerToFloat.sqnrDb();
    if (data.hasReference(i)) {
      quality.floatSqnrDb = sum.floatToReference.sqnrDb();
      quality.integerSqnrDb = sum.integerToReference.sqnrDb();
    }
    result.outputs.push_back(std::move(quality));
  }
  result.floatNs = floatTime.nanoseconds();
  result.integerNs = integerTime.nanoseconds();
  return result;
}

/// Elements of static f32 tensors; fails with Q0340 on another type.
static llvm::Expected<std::vector<int64_t>> countFloats(TypeRange types) {
  std::vector<int64_t> sizes;
  for (Type type : types) {
    auto shaped = dyn_cast<RankedTensorType>(type);
    if (!shaped || !shaped.hasStaticShape() || !shaped.getElementType().isF32())
      return makeError(340, "evaluation expects a float model whose inputs and "
                            "outputs are static tensors of f32");
    sizes.push_back(shaped.getNumElements());
  }
  return sizes;
}

llvm::Expected<Evaluation>
mlir::qopt::evaluation::evaluate(func::FuncOp imported, func::FuncOp observed,
                                 func::FuncOp integer,
                                 QuantizedModel &quantized, LabelledSet &data,
                                 const EvaluationOptions &options) {
  const std::vector<OutputSpec> specs = getOutputSpecs(imported);
  auto inputSizes = countFloats(imported.getArgumentTypes());
  if (!inputSizes)
    return inputSizes.takeError();
  auto outputSizes = countFloats(imported.getResultTypes());
  if (!outputSizes)
    return outputSizes.takeError();
  if (data.size() == 0 || specs.empty())
    return makeError(445, "the evaluation data has no samples");
  auto engine = Engine::create(imported);
  if (!engine)
    return engine.takeError();
  if (quantized.inputSizes() != ArrayRef(*inputSizes) ||
      quantized.outputSizes() != ArrayRef(*outputSizes))
    return makeError(735, "the object is not of the model that it is compared "
                          "with: other inputs or outputs");
  Run run(specs, *inputSizes, *outputSizes, data);
  if (llvm::Error error = run.prepare())
    return std::move(error);

  const int64_t tensorSamples =
      observed ? std::clamp<int64_t>(options.tensorSamples, 0, data.size()) : 0;
  std::optional<TensorErrors> tensors;
  if (tensorSamples > 0) {
    auto created = TensorErrors::create(observed, integer);
    if (!created)
      return created.takeError();
    tensors = std::move(*created);
  }
  for (int64_t i = 0; i < data.size(); ++i) {
    if (llvm::Error error = run.addSample(i, **engine, quantized))
      return std::move(error);
    if (i < tensorSamples)
      tensors->add(run.getInputs());
    if (options.progress)
      options.progress(i + 1, data.size());
  }
  Evaluation result = run.finish();
  result.tensorSamples = tensorSamples;
  if (tensors)
    result.tensors = tensors->results();
  return result;
}
