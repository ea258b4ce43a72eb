// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sample by sample: read, run, observe. Nothing here grows with the data.

#include "qopt/Calibration/Calibrate.h"
#include "StridedProbe.h"
#include "mlir/IR/Threading.h"
#include "qopt/Calibration/Engine.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Support/Error.h"
#include <mutex>

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

namespace {

/// One thread's part of a calibration: an engine and the statistics of the
/// samples that it ran.
class Worker {
public:
  static llvm::Expected<std::unique_ptr<Worker>>
  create(func::FuncOp function, std::unique_ptr<Engine> engine,
         CalibrationState state);

  /// Runs sample `id`, whose values stand in `inputs`.
  llvm::Error add(uint64_t id);

  Buffers inputs, outputs;
  std::unique_ptr<Engine> engine;
  CalibrationState state;

private:
  Worker(std::unique_ptr<Engine> engine, CalibrationState state)
      : engine(std::move(engine)), state(std::move(state)) {}
  std::vector<Observed> observed;
};

/// Hands the samples to workers, in order, until one fails.
class Samples {
public:
  Samples(DataSet &data, llvm::function_ref<bool(int64_t, int64_t)> progress)
      : data(data), progress(progress) {}

  void work(Worker &worker);
  /// What happened at the first sample that failed. Every sample before it was
  /// handed out earlier, so this does not depend on the number of workers.
  llvm::Error takeError() { return std::move(error); }

private:
  std::optional<uint64_t> readNext(Worker &worker, int64_t &sample);
  void fail(int64_t sample, llvm::Error reason);

  DataSet &data;
  llvm::function_ref<bool(int64_t, int64_t)> progress;
  std::mutex mutex;
  bool atEnd = false;
  int64_t next = 0, done = 0;
  int64_t failed = INT64_MAX;
  llvm::Error error = llvm::Error::success();
};

} // namespace

llvm::Expected<std::unique_ptr<Worker>>
Worker::create(func::FuncOp function, std::unique_ptr<Engine> engine,
               CalibrationState state) {
  std::unique_ptr<Worker> worker(
      new Worker(std::move(engine), std::move(state)));
  if (llvm::Error error =
          worker->inputs.allocate(function.getArgumentTypes(), "input"))
    return std::move(error);
  if (llvm::Error error =
          worker->outputs.allocate(function.getResultTypes(), "output"))
    return std::move(error);
  auto observed = findProbes(*worker->engine, worker->state);
  if (!observed)
    return observed.takeError();
  worker->observed = std::move(*observed);
  return worker;
}

llvm::Error Worker::add(uint64_t id) {
  if (llvm::Error error = state.addSample(id, inputs.arrays()))
    return error;
  engine->run(inputs.constVoids(), outputs.voids());
  for (Observed &entry : observed)
    if (llvm::Error error =
            state.observe(entry.index, id, entry.values.current()))
      return error;
  return llvm::Error::success();
}

void Samples::fail(int64_t sample, llvm::Error reason) {
  if (sample > failed) {
    llvm::consumeError(std::move(reason));
    return;
  }
  failed = sample;
  llvm::consumeError(std::move(error));
  error = std::move(reason);
}

/// The id of the next sample, read into the worker's inputs.
std::optional<uint64_t> Samples::readNext(Worker &worker, int64_t &sample) {
  std::lock_guard<std::mutex> lock(mutex);
  if (failed != INT64_MAX || atEnd)
    return std::nullopt;
  sample = next++;
  auto more = data.has(sample);
  if (!more)
    fail(sample, more.takeError());
  if (!more || !*more) {
    atEnd = true;
    return std::nullopt;
  }
  if (llvm::Error reason = data.read(sample, worker.inputs.floats())) {
    fail(sample, std::move(reason));
    return std::nullopt;
  }
  return data.id(sample);
}

void Samples::work(Worker &worker) {
  int64_t sample = 0;
  while (std::optional<uint64_t> id = readNext(worker, sample)) {
    llvm::Error reason = worker.add(*id);
    std::lock_guard<std::mutex> lock(mutex);
    if (reason)
      fail(sample, std::move(reason));
    else if (++done;
             progress && !progress(done, data.hasKnownSize() ? data.size() : 0))
      fail(sample, makeError(155, "the run was cancelled"));
  }
}

/// Workers beside the first: as many as there are threads and samples for, and
/// no more than keep all arenas together small.
static int64_t countOthers(func::FuncOp function, const Engine &engine,
                           int64_t samples) {
  constexpr uint64_t budget = uint64_t(1) << 29;
  int64_t threads = function.getContext()->getNumThreads();
  int64_t fitting = budget / std::max<uint64_t>(engine.arenaBytes(), 1);
  return std::max<int64_t>(std::min({threads, samples, fitting}) - 1, 0);
}

llvm::Expected<CalibrationState> mlir::qopt::calibration::calibrate(
    func::FuncOp function, const observers::Hash &modelHash, DataSet &data,
    llvm::function_ref<bool(int64_t, int64_t)> progress) {
  if (data.size() == 0)
    return makeError(445, "the calibration data has no samples");
  auto state = makeState(function, modelHash);
  if (!state)
    return state.takeError();
  EngineOptions options;
  options.keepProbes = true;
  auto engine = Engine::create(function, options);
  if (!engine)
    return engine.takeError();
  std::vector<std::unique_ptr<Worker>> workers;
  for (int64_t others = countOthers(function, **engine, data.size());
       others > 0; --others) {
    auto copy = (*engine)->duplicate();
    if (!copy)
      return copy.takeError();
    auto part = makeState(function, modelHash);
    if (!part)
      return part.takeError();
    auto worker = Worker::create(function, std::move(*copy), std::move(*part));
    if (!worker)
      return worker.takeError();
    workers.push_back(std::move(*worker));
  }
  auto worker = Worker::create(function, std::move(*engine), std::move(*state));
  if (!worker)
    return worker.takeError();
  workers.push_back(std::move(*worker));

  Samples samples(data, progress);
  parallelForEach(function.getContext(), workers,
                  [&](auto &worker) { samples.work(*worker); });
  if (llvm::Error error = samples.takeError())
    return std::move(error);
  // Statistics merge to the same bytes however the samples were dealt.
  CalibrationState total = std::move(workers.back()->state);
  workers.pop_back();
  for (const std::unique_ptr<Worker> &other : workers)
    if (llvm::Error error = total.merge(other->state))
      return std::move(error);
  if (total.getSamples().size() == 0)
    return makeError(445, "the calibration data has no samples");
  return total;
}
