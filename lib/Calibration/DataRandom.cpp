// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `random:` samples: a hash of (seed, sample, input, element), so that any
// sample can be made alone and is the same on every machine.

#include "qopt/Calibration/DataSources.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>
#include <cmath>
#include <set>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

namespace {

struct RandomSpec {
  bool normal = false;
  /// LO and HI, or mean and standard deviation.
  double first = 0.0, second = 1.0;
  uint64_t count = 64;
  uint64_t seed = 0;
};

/// The splitmix64 generator.
struct Splitmix {
  uint64_t state;

  uint64_t next() {
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
};

class RandomSource : public SampleSource {
public:
  RandomSource(RandomSpec spec, llvm::ArrayRef<InputSpec> inputs)
      : spec(spec), inputs(inputs) {}

  int64_t size() const override { return spec.count; }
  llvm::Error read(int64_t id, llvm::MutableArrayRef<float *> out) override;

private:
  double draw(Splitmix &random, bool integer) const;

  RandomSpec spec;
  llvm::ArrayRef<InputSpec> inputs;
};

} // namespace

double RandomSource::draw(Splitmix &random, bool integer) const {
  constexpr double kUnit = 0x1p-53;
  if (spec.normal) {
    // 12 values of 53 bits need 57: exact, where a library's log and cos
    // would differ between machines.
    uint64_t sum = 0;
    for (int i = 0; i < 12; ++i)
      sum += random.next() >> 11;
    double deviation = static_cast<double>(sum) * kUnit;
    deviation -= 6.0;
    double scaled = deviation * spec.second;
    double value = spec.first + scaled;
    return integer ? std::nearbyint(value) : value;
  }
  double unit = static_cast<double>(random.next() >> 11) * kUnit;
  double width = spec.second - spec.first;
  if (integer)
    width += 1.0;
  double offset = unit * width;
  double value = spec.first + offset;
  return std::min(integer ? std::floor(value) : value, spec.second);
}

llvm::Error RandomSource::read(int64_t id, llvm::MutableArrayRef<float *> out) {
  for (size_t number = 0; number < inputs.size(); ++number) {
    const InputSpec &input = inputs[number];
    Splitmix random{spec.seed};
    random.state = random.next() ^ static_cast<uint64_t>(id);
    random.state = random.next() ^ number;
    bool integer = !isFloat(input.type);
    auto [lowest, highest] = integerLimits(input.type);
    int64_t count = *countElements(input.shape);
    for (int64_t i = 0; i < count; ++i) {
      double value = draw(random, integer);
      if (integer)
        value = std::clamp<double>(value, lowest, highest);
      out[number][i] = static_cast<float>(value);
    }
  }
  return llvm::Error::success();
}

static llvm::Error badRandom(llvm::StringRef spec, const std::string &why) {
  return makeError(141, ("data '" + spec + "' is not valid: " + why).str(), {},
                   "write random:uniform:LO:HI,n=N or "
                   "random:normal:MEAN:STD,n=N, and seed=S if you like");
}

static llvm::Error parseOption(llvm::StringRef spec, llvm::StringRef option,
                               RandomSpec &parsed) {
  constexpr uint64_t kMaximumCount = uint64_t(1) << 40;
  auto [key, value] = option.split('=');
  if (key == "n") {
    if (value.getAsInteger(10, parsed.count) || parsed.count == 0 ||
        parsed.count > kMaximumCount)
      return badRandom(spec, "n expects a number of samples from 1 to 2^40");
    return llvm::Error::success();
  }
  if (key == "seed") {
    if (value.getAsInteger(10, parsed.seed))
      return badRandom(spec, "seed expects a whole number");
    return llvm::Error::success();
  }
  return badRandom(spec, ("'" + option + "' is not n=N or seed=S").str());
}

llvm::Expected<std::unique_ptr<SampleSource>>
calibration::makeRandomSource(llvm::StringRef spec,
                              llvm::ArrayRef<InputSpec> inputs) {
  llvm::SmallVector<llvm::StringRef> options;
  spec.split(options, ',');
  llvm::SmallVector<llvm::StringRef> parts;
  options.front().split(parts, ':');
  RandomSpec parsed;
  if (parts.size() != 4 || parts[0] != "random" ||
      (parts[1] != "uniform" && parts[1] != "normal"))
    return badRandom(spec, "uniform or normal with two numbers is expected");
  parsed.normal = parts[1] == "normal";
  constexpr double kLargest = 1e30;
  if (parts[2].getAsDouble(parsed.first) ||
      parts[3].getAsDouble(parsed.second) ||
      !(std::abs(parsed.first) <= kLargest) ||
      !(std::abs(parsed.second) <= kLargest))
    return badRandom(spec, "two numbers of magnitude up to 1e30 are expected");
  if (parsed.normal ? parsed.second <= 0 : parsed.first > parsed.second)
    return badRandom(spec, parsed.normal ? "STD must be above 0"
                                         : "LO must not be above HI");
  for (llvm::StringRef option : llvm::drop_begin(options))
    if (llvm::Error error = parseOption(spec, option, parsed))
      return std::move(error);
  return std::make_unique<RandomSource>(parsed, inputs);
}

std::vector<int64_t> calibration::drawIds(int64_t total, int64_t count,
                                          uint64_t seed) {
  // Floyd's method: one draw an id, however large the set is.
  Splitmix random{seed};
  std::set<int64_t> ids;
  for (int64_t last = std::max<int64_t>(total - count, 0); last < total;
       ++last) {
    int64_t id = int64_t(random.next() % uint64_t(last + 1));
    if (!ids.insert(id).second)
      ids.insert(last);
  }
  return {ids.begin(), ids.end()};
}
