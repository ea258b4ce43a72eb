// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sample by sample: read, run, observe. Nothing here grows with the data.

#include "qopt/Calibration/Calibrate.h"
#include "StridedProbe.h"
#include "qopt/Calibration/Engine.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Support/Error.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::calibration;
using observers::CalibrationState;

std::vector<InputSpec>
mlir::qopt::calibration::getInputSpecs(func::FuncOp function) {
  std::vector<InputSpec> specs;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    InputSpec spec;
    auto name = function.getArgAttrOfType<StringAttr>(i, "qopt.name");
    spec.name = name ? name.str() : "input" + std::to_string(i);
    if (auto shaped = dyn_cast<RankedTensorType>(type))
      spec.shape.assign(shaped.getShape().begin(), shaped.getShape().end());
    specs.push_back(std::move(spec));
  }
  return specs;
}

namespace {

/// Dense row-major floats for all arguments or all results.
class Buffers {
public:
  /// Fails with Q0340 on a type that is not a static tensor of f32.
  llvm::Error allocate(TypeRange types, StringRef what) {
    for (auto [i, type] : llvm::enumerate(types)) {
      auto shaped = dyn_cast<RankedTensorType>(type);
      if (!shaped || !shaped.hasStaticShape() ||
          !shaped.getElementType().isF32())
        return makeError(340, "calibration expects " + what.str() + " " +
                                  std::to_string(i) +
                                  " to be a static tensor of f32");
      values.emplace_back(shaped.getNumElements());
    }
    for (std::vector<float> &buffer : values)
      pointers.push_back(buffer.data());
    return llvm::Error::success();
  }

  MutableArrayRef<float *> floats() { return pointers; }
  SmallVector<void *> voids() {
    return SmallVector<void *>(pointers.begin(), pointers.end());
  }
  SmallVector<const void *> constVoids() {
    return SmallVector<const void *>(pointers.begin(), pointers.end());
  }
  SmallVector<ArrayRef<float>> arrays() {
    return SmallVector<ArrayRef<float>>(values.begin(), values.end());
  }

private:
  std::vector<std::vector<float>> values;
  std::vector<float *> pointers;
};

/// One observer: where its values lie, and its number in the state.
struct Observed {
  StridedProbe values;
  size_t index;
};

} // namespace

static llvm::Expected<CalibrationState>
makeState(func::FuncOp function, const observers::Hash &modelHash) {
  std::vector<observers::InputLayout> layouts;
  for (const InputSpec &spec : getInputSpecs(function)) {
    uint64_t elements = 1;
    for (int64_t dim : spec.shape)
      elements *= dim;
    layouts.push_back({spec.name, elements});
  }
  std::vector<CalibrationState::TensorSpec> tensors;
  function.walk([&](ObserveOp observe) {
    tensors.push_back({observe.getId().str(), 0});
  });
  return CalibrationState::create(modelHash, std::move(layouts), tensors);
}

/// The observers of `state` in the engine's arena. Each must be there.
static llvm::Expected<std::vector<Observed>>
findProbes(const Engine &engine, const CalibrationState &state) {
  std::vector<Observed> observed;
  std::vector<bool> found(state.getTensors().size());
  for (const Probe &probe : engine.probes()) {
    int64_t index = state.indexOf(probe.id);
    if (index < 0 || found[index])
      continue;
    found[index] = true;
    observed.push_back({StridedProbe(probe), static_cast<size_t>(index)});
  }
  for (auto [tensor, isThere] : llvm::zip_equal(state.getTensors(), found))
    if (!isThere)
      return makeError(732, "the generated code does not keep tensor '" +
                                tensor.id + "'");
  return observed;
}

llvm::Expected<CalibrationState> mlir::qopt::calibration::calibrate(
    func::FuncOp function, const observers::Hash &modelHash, DataSet &data,
    llvm::function_ref<void(int64_t, int64_t)> progress) {
  if (data.size() == 0)
    return makeError(445, "the calibration data has no samples");
  Buffers inputs, outputs;
  if (llvm::Error error = inputs.allocate(function.getArgumentTypes(), "input"))
    return std::move(error);
  if (llvm::Error error = outputs.allocate(function.getResultTypes(), "output"))
    return std::move(error);
  auto state = makeState(function, modelHash);
  if (!state)
    return state.takeError();
  EngineOptions options;
  options.keepProbes = true;
  auto engine = Engine::create(function, options);
  if (!engine)
    return engine.takeError();
  auto observed = findProbes(**engine, *state);
  if (!observed)
    return observed.takeError();

  const SmallVector<const void *> in = inputs.constVoids();
  const SmallVector<void *> out = outputs.voids();
  for (int64_t i = 0; i < data.size(); ++i) {
    if (llvm::Error error = data.read(i, inputs.floats()))
      return std::move(error);
    if (llvm::Error error = state->addSample(data.id(i), inputs.arrays()))
      return std::move(error);
    (*engine)->run(in, out);
    for (Observed &entry : *observed)
      if (llvm::Error error =
              state->observe(entry.index, data.id(i), entry.values.current()))
        return std::move(error);
    if (progress)
      progress(i + 1, data.size());
  }
  return state;
}
