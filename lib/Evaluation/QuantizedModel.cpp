// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The object through its ABI, and the simulations through Reference.

#include "qopt/Evaluation/QuantizedModel.h"
#include "IntegerRun.h"
#include "qopt/Evaluation/ObjectModel.h"
#include "qopt/Evaluation/OpSteps.h"
#include "qopt/Reference/Evaluate.h"
#include "qopt/Support/Error.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using reference::Tensor;

QuantizedModel::~QuantizedModel() = default;

static std::vector<int64_t> countAll(TypeRange types) {
  std::vector<int64_t> sizes;
  for (Type type : types)
    sizes.push_back(cast<RankedTensorType>(type).getNumElements());
  return sizes;
}

namespace {

class LoadedObject : public QuantizedModel {
public:
  explicit LoadedObject(std::unique_ptr<ObjectModel> model)
      : QuantizedModel(model->inputSizes(), model->outputSizes()),
        model(std::move(model)) {}

  void setInputs(ArrayRef<const float *> inputs) override {
    model->setInputs(inputs);
  }
  llvm::Error run() override {
    model->run();
    return llvm::Error::success();
  }
  void getOutputs(ArrayRef<float *> outputs) const override {
    model->getOutputs(outputs);
  }

private:
  std::unique_ptr<ObjectModel> model;
};

/// What both simulations share: a function and its evaluator.
class Simulated : public QuantizedModel {
public:
  Simulated(func::FuncOp function, reference::Evaluator evaluator)
      : QuantizedModel(countAll(function.getArgumentTypes()),
                       countAll(function.getResultTypes())),
        function(function), evaluator(std::move(evaluator)) {}

  llvm::Error run() override {
    auto computed = evaluator.run(inputs);
    if (!computed)
      return computed.takeError();
    results = std::move(*computed);
    return llvm::Error::success();
  }

protected:
  func::FuncOp function;
  reference::Evaluator evaluator;
  SmallVector<Tensor> inputs, results;
};

class FloatSimulation : public Simulated {
public:
  using Simulated::Simulated;

  void setInputs(ArrayRef<const float *> values) override {
    inputs.clear();
    for (auto [type, from] :
         llvm::zip_equal(function.getArgumentTypes(), values)) {
      auto tensor = cast<RankedTensorType>(type);
      inputs.push_back(Tensor::from(tensor.getShape(),
                                    ArrayRef(from, tensor.getNumElements())));
    }
  }
  void getOutputs(ArrayRef<float *> outputs) const override {
    for (auto [result, to] : llvm::zip_equal(results, outputs))
      llvm::copy(result.values<float>(), to);
  }
};

class IntegerSimulation : public Simulated {
public:
  IntegerSimulation(func::FuncOp function, reference::Evaluator evaluator,
                    std::vector<numerics::QuantParams> outputParams)
      : Simulated(function, std::move(evaluator)),
        outputParams(std::move(outputParams)) {}

  void setInputs(ArrayRef<const float *> values) override {
    inputs.clear();
    for (auto [i, from] : llvm::enumerate(values)) {
      auto type = cast<RankedTensorType>(function.getArgumentTypes()[i]);
      inputs.push_back(
          quantizeInput(function, i, ArrayRef(from, type.getNumElements())));
    }
  }
  void getOutputs(ArrayRef<float *> outputs) const override {
    for (auto [result, to, params] :
         llvm::zip_equal(results, outputs, outputParams))
      for (int64_t i = 0, e = result.getNumElements(); i < e; ++i)
        to[i] = numerics::dequantize(result.getInteger(i), params);
  }

private:
  std::vector<numerics::QuantParams> outputParams;
};

class CompiledFunction : public QuantizedModel {
public:
  CompiledFunction(func::FuncOp function,
                   std::unique_ptr<calibration::Engine> engine)
      : QuantizedModel(countAll(function.getArgumentTypes()),
                       countAll(function.getResultTypes())),
        engine(std::move(engine)) {
    for (int64_t size : outputElements)
      results.emplace_back(size);
  }

  void setInputs(ArrayRef<const float *> values) override {
    inputs.assign(values.begin(), values.end());
  }
  llvm::Error run() override {
    SmallVector<void *> out;
    for (std::vector<float> &result : results)
      out.push_back(result.data());
    engine->run(inputs, out);
    return llvm::Error::success();
  }
  void getOutputs(ArrayRef<float *> outputs) const override {
    for (auto [result, to] : llvm::zip_equal(results, outputs))
      llvm::copy(result, to);
  }

private:
  std::unique_ptr<calibration::Engine> engine;
  SmallVector<const void *> inputs;
  std::vector<std::vector<float>> results;
};

} // namespace

llvm::Expected<std::unique_ptr<QuantizedModel>>
mlir::qopt::evaluation::loadObject(StringRef object, StringRef name) {
  auto model = ObjectModel::create(object, name);
  if (!model)
    return model.takeError();
  return std::make_unique<LoadedObject>(std::move(*model));
}

llvm::Expected<std::unique_ptr<QuantizedModel>>
mlir::qopt::evaluation::simulateFloat(func::FuncOp quantized) {
  auto evaluator = reference::Evaluator::create(quantized);
  if (!evaluator)
    return evaluator.takeError();
  return std::make_unique<FloatSimulation>(quantized, std::move(*evaluator));
}

llvm::Expected<std::unique_ptr<QuantizedModel>>
mlir::qopt::evaluation::simulateInteger(func::FuncOp integer) {
  auto evaluator = reference::Evaluator::create(integer);
  if (!evaluator)
    return evaluator.takeError();
  for (auto [i, type] : llvm::enumerate(integer.getArgumentTypes()))
    if (auto params = getBoundaryParams(integer.getArgAttrDict(i), type,
                                        "input " + llvm::Twine(i));
        !params)
      return params.takeError();
  std::vector<numerics::QuantParams> outputParams;
  for (auto [i, type] : llvm::enumerate(integer.getResultTypes())) {
    auto params = getBoundaryParams(integer.getResultAttrDict(i), type,
                                    "output " + llvm::Twine(i));
    if (!params)
      return params.takeError();
    outputParams.push_back(*params);
  }
  return std::make_unique<IntegerSimulation>(integer, std::move(*evaluator),
                                             std::move(outputParams));
}

llvm::Expected<std::unique_ptr<QuantizedModel>>
mlir::qopt::evaluation::simulateCompiled(func::FuncOp function) {
  auto engine = calibration::Engine::create(function);
  if (!engine)
    return engine.takeError();
  return std::make_unique<CompiledFunction>(function, std::move(*engine));
}
