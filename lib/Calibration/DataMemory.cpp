// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Samples in memory: arrays as they are, or brought by a function. Both go
// through the source of array files, so that they are matched, converted and
// refused alike.

#include "qopt/Calibration/DataSources.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

/// One array an input, in the inputs' order.
static llvm::Expected<SampleGroup>
makeGroup(const std::vector<MemoryArray> &arrays,
          llvm::ArrayRef<InputSpec> inputs, const std::string &what) {
  if (arrays.size() != inputs.size())
    return makeError(445, what + " expects one array for each of " +
                              std::to_string(inputs.size()) +
                              " inputs, but got " +
                              std::to_string(arrays.size()));
  SampleGroup group;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const InputSpec &input = inputs[i];
    const auto found = llvm::find_if(
        arrays, [&](const MemoryArray &a) { return a.name == input.name; });
    if (found == arrays.end() && !arrays[i].name.empty()) {
      std::vector<std::string> known;
      for (const InputSpec &spec : inputs)
        known.push_back("the model has an input '" + spec.name + "'");
      return makeError(445,
                       what + " has no array for input '" + input.name + "'",
                       std::move(known));
    }
    ArrayLocation location;
    location.memory = found == arrays.end() ? arrays[i] : *found;
    location.path = what;
    group.arrays.push_back(std::move(location));
  }
  return group;
}

namespace {

/// Keeps the arrays of one call at a time.
class FunctionSource : public SampleSource {
public:
  FunctionSource(const MemorySamples &samples,
                 llvm::ArrayRef<InputSpec> inputs,
                 std::vector<std::string> &warnings)
      : samples(samples), inputs(inputs), warnings(warnings) {}

  int64_t size() const override { return unknownSize; }
  llvm::Expected<bool> has(int64_t id) override;
  llvm::Error read(int64_t id, llvm::MutableArrayRef<float *> out) override {
    return current->read(id - firstId, out);
  }

private:
  const MemorySamples &samples;
  llvm::ArrayRef<InputSpec> inputs;
  std::vector<std::string> &warnings;
  std::unique_ptr<SampleSource> current;
  std::vector<MemoryArray> arrays;
  int64_t firstId = 0, calls = 0;
};

} // namespace

llvm::Expected<bool> FunctionSource::has(int64_t id) {
  while (!current || id >= firstId + current->size()) {
    if (current)
      firstId += current->size();
    current.reset();
    arrays.assign(inputs.size(), MemoryArray());
    for (auto [array, input] : llvm::zip_equal(arrays, inputs))
      array.name = input.name;
    auto more = samples.next(arrays);
    if (!more || !*more)
      return more;
    auto group = makeGroup(arrays, inputs, "item " + std::to_string(calls++));
    if (!group)
      return group.takeError();
    std::vector<SampleGroup> groups;
    groups.push_back(std::move(*group));
    std::vector<std::string> later;
    auto source = makeArraySource(std::move(groups), inputs,
                                  calls == 1 ? warnings : later);
    if (!source)
      return source.takeError();
    current = std::move(*source);
  }
  return true;
}

llvm::Expected<std::unique_ptr<SampleSource>>
calibration::makeMemorySource(const MemorySamples &samples,
                              llvm::ArrayRef<InputSpec> inputs,
                              std::vector<std::string> &warnings) {
  if (samples.next)
    return std::unique_ptr<SampleSource>(
        std::make_unique<FunctionSource>(samples, inputs, warnings));
  auto group = makeGroup(samples.arrays, inputs, "the data");
  if (!group)
    return group.takeError();
  std::vector<SampleGroup> groups;
  groups.push_back(std::move(*group));
  return makeArraySource(std::move(groups), inputs, warnings);
}
