// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weight and bias quantization (docs/arithmetic.md, "Weight quantization").

#include "qopt/Numerics/Weights.h"
#include "Clones.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

namespace {
constexpr int clipSteps = 50;
/// Candidates `1 - i / 20`: each of them is fitted to all groups.
constexpr int groupClipSteps = 10;
constexpr int lanes = 16;
/// Whole vectors; those beyond `clipSteps` repeat its last one.
constexpr int candidates = (clipSteps + lanes - 1) / lanes * lanes;
typedef float Floats __attribute__((vector_size(lanes * 4)));
typedef double Doubles __attribute__((vector_size(lanes * 8)));
/// A scale below this share of the layer's largest is raised to it.
constexpr double weakestShare = 0x1p-20;
} // namespace

static float maxAbs(llvm::ArrayRef<float> weights) {
  float largest = 0;
  for (float w : weights)
    largest = std::max(largest, std::fabs(w));
  return largest;
}

static float scaleFor(double largest, int32_t qmax) {
  return chooseParams({-largest, largest}, -qmax, qmax, /*symmetric=*/true)
      .scale;
}

/// `errors[c] = sum h (w - s_c q)^2` for `lanes` scales side by side, each sum
/// in the order of the weights: every lane does what `quantize` does. `moments`
/// has one entry a weight.
QOPT_CLONES static void squaredErrors(const float *weights,
                                      const double *moments, size_t size,
                                      const float *scales, float qmax,
                                      double *errors) {
  const float magic = 12582912.0f; // 1.5 * 2^23
  const float limit = 2097152.0f;  // Keeps `v + magic` inside the binade.
  Floats scale;
  std::memcpy(&scale, scales, sizeof(scale));
  const Doubles step = __builtin_convertvector(scale, Doubles);
  Doubles sum = {};
  for (size_t i = 0; i < size; ++i) {
    Floats v = weights[i] / scale;
    v = v < -limit ? -limit : (v > limit ? limit : v);
    v = (v + magic) - magic;
    v = v < -qmax ? -qmax : (v > qmax ? qmax : v);
    const Doubles error = static_cast<double>(weights[i]) -
                          step * __builtin_convertvector(v, Doubles);
    sum += moments[i] * (error * error);
  }
  std::memcpy(errors, &sum, sizeof(sum));
}

/// What an error of each of `count` weights costs.
static std::vector<double> getMoments(const WeightOptions &options,
                                      size_t count) {
  std::vector<double> moments(count, 1.0);
  if (!options.inputSecondMoments.empty())
    for (size_t i = 0; i < count; ++i)
      moments[i] =
          options.inputSecondMoments[i % options.inputSecondMoments.size()];
  return moments;
}

static float chooseScale(llvm::ArrayRef<float> weights,
                         const WeightOptions &options) {
  const int32_t qmax = signedMax(options.bits);
  const double largest = maxAbs(weights);
  float scales[candidates];
  double errors[candidates];
  // Few steps are better spent on the many small weights.
  const double whole = options.bits < 8 ? 60 : 100;
  for (int step = 0; step < candidates; ++step)
    scales[step] = scaleFor(
        largest * ((whole - std::min(step, clipSteps - 1)) / whole), qmax);
  if (options.powerOfTwo)
    for (float &scale : scales)
      scale = powerOfTwoAbove(scale);
  if (options.scaling == WeightScaling::MaxAbs)
    return scales[0];
  const std::vector<double> moments = getMoments(options, weights.size());
  for (int step = 0; step < candidates; step += lanes)
    squaredErrors(weights.data(), moments.data(), weights.size(), scales + step,
                  static_cast<float>(qmax), errors + step);
  // The first of equal ones: the largest scale.
  return scales[std::min_element(errors, errors + clipSteps) - errors];
}

namespace {

/// The groups of a row of weights, and the multiples that fit them best.
class GroupFitter {
public:
  GroupFitter(llvm::ArrayRef<float> row, const WeightOptions &options);

  /// The scale of least squared error, the largest of equals.
  float chooseScale();
  /// The multiples for `scale`, one a weight; gives the squared error.
  double fit(float scale, std::vector<uint8_t> *multiples);

private:
  double fitGroup(size_t first, size_t size, float scale, uint8_t &multiple);

  const WeightOptions &options;
  const int32_t qmax;
  size_t inputs;
  double largest = 0;
  /// Weight `order[i]` of the row is at place `i`: tap after tap.
  std::vector<size_t> order;
  std::vector<float> ordered;
  std::vector<double> moments;
  std::vector<uint8_t> candidateMultiples;
};

} // namespace

GroupFitter::GroupFitter(llvm::ArrayRef<float> row,
                         const WeightOptions &options)
    : options(options), qmax(signedMax(options.bits)), largest(maxAbs(row)) {
  const size_t taps = options.groups.taps;
  inputs = row.size() / taps;
  const std::vector<double> all = getMoments(options, row.size());
  for (size_t tap = 0; tap < taps; ++tap)
    for (size_t input = 0; input < inputs; ++input)
      order.push_back(input * taps + tap);
  for (size_t place : order) {
    ordered.push_back(row[place]);
    moments.push_back(all[place]);
  }
  const int32_t most = maxGroupMultiple(options.bits);
  for (int32_t multiple = 1; multiple <= most;
       multiple = options.powerOfTwo ? 2 * multiple : multiple + 1)
    candidateMultiples.push_back(static_cast<uint8_t>(multiple));
}

double GroupFitter::fitGroup(size_t first, size_t size, float scale,
                             uint8_t &multiple) {
  double best = std::numeric_limits<double>::infinity();
  for (size_t begin = 0; begin < candidateMultiples.size(); begin += lanes) {
    float scales[lanes];
    double errors[lanes];
    const size_t used =
        std::min<size_t>(lanes, candidateMultiples.size() - begin);
    for (size_t i = 0; i < lanes; ++i)
      scales[i] =
          scale *
          static_cast<float>(candidateMultiples[begin + std::min(i, used - 1)]);
    squaredErrors(ordered.data() + first, moments.data() + first, size, scales,
                  static_cast<float>(qmax), errors);
    for (size_t i = 0; i < used; ++i)
      if (errors[i] < best) {
        best = errors[i];
        multiple = candidateMultiples[begin + i];
      }
  }
  return best;
}

double GroupFitter::fit(float scale, std::vector<uint8_t> *multiples) {
  double sum = 0;
  if (multiples)
    multiples->assign(order.size(), 1);
  for (size_t tap = 0; tap < options.groups.taps; ++tap)
    for (size_t input = 0; input < inputs; input += options.groups.inputs) {
      const size_t first = tap * inputs + input;
      const size_t size = std::min(options.groups.inputs, inputs - input);
      uint8_t multiple = 1;
      sum += fitGroup(first, size, scale, multiple);
      for (size_t i = 0; multiples && i < size; ++i)
        (*multiples)[order[first + i]] = multiple;
    }
  return sum;
}

float GroupFitter::chooseScale() {
  const double most = candidateMultiples.back();
  float best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step < groupClipSteps; ++step) {
    float scale = scaleFor(largest * ((20 - step) / 20.0) / most, qmax);
    if (options.powerOfTwo)
      scale = powerOfTwoAbove(scale);
    if (options.scaling == WeightScaling::MaxAbs)
      return scale;
    if (const double error = fit(scale, nullptr); error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

/// Dead and nearly dead channels get a scale that keeps the multipliers of the
/// layer in range.
static void raiseWeakScales(std::vector<float> &scales,
                            const std::vector<bool> &dead) {
  float largest = 0;
  for (size_t c = 0; c < scales.size(); ++c)
    if (!dead[c])
      largest = std::max(largest, scales[c]);
  if (largest == 0)
    largest = 1;
  const float weakest = std::max(static_cast<float>(largest * weakestShare),
                                 std::numeric_limits<float>::min());
  for (size_t c = 0; c < scales.size(); ++c)
    scales[c] = dead[c] ? largest : std::max(scales[c], weakest);
}

int32_t QuantizedWeights::getLargest() const {
  return signedMax(bits) * (multiples.empty() ? 1 : maxGroupMultiple(bits));
}

QuantizedWeights numerics::quantizeWeights(llvm::ArrayRef<float> weights,
                                           size_t channels,
                                           const WeightOptions &options) {
  const size_t rows = options.perChannel ? channels : 1;
  const size_t length = weights.size() / std::max<size_t>(rows, 1);
  const int32_t qmax = signedMax(options.bits);
  const bool isGrouped = options.groups.inputs > 0;
  QuantizedWeights result;
  result.bits = options.bits;
  std::vector<bool> dead;
  for (size_t r = 0; r < rows; ++r) {
    const llvm::ArrayRef<float> row = weights.slice(r * length, length);
    dead.push_back(maxAbs(row) == 0);
    result.scales.push_back(isGrouped ? GroupFitter(row, options).chooseScale()
                                      : chooseScale(row, options));
  }
  raiseWeakScales(result.scales, dead);
  for (size_t c = 0; c < options.scaleFloors.size(); ++c) {
    float &scale = result.scales[options.perChannel ? c : 0];
    const float floor = options.scaleFloors[c];
    scale =
        std::max(scale, options.powerOfTwo ? powerOfTwoAbove(floor) : floor);
  }
  for (size_t r = 0; isGrouped && r < rows; ++r) {
    std::vector<uint8_t> multiples;
    GroupFitter(weights.slice(r * length, length), options)
        .fit(result.scales[r], &multiples);
    result.multiples.insert(result.multiples.end(), multiples.begin(),
                            multiples.end());
  }
  result.values.resize(weights.size());
  for (size_t i = 0; i < rows * length; ++i) {
    const int32_t multiple = isGrouped ? result.multiples[i] : 1;
    const float step = result.scales[i / length] * static_cast<float>(multiple);
    result.values[i] = static_cast<int8_t>(
        multiple * quantize(weights[i], {step, 0, -qmax, qmax}));
  }
  return result;
}

/// The scale of the high parts of a channel, in float32 rounded up a little.
static float wideScale(llvm::ArrayRef<float> weights, double bias,
                       float inputScale, int64_t reach) {
  double sum = 0;
  for (float w : weights)
    sum += std::fabs(static_cast<double>(w));
  // Rounding adds up to 3/4 of a step a weight, and half a step to the bias.
  const double room = INT32_MAX - 1 - 0.75 * reach * weights.size();
  const double least = (sum * reach + std::fabs(bias) / inputScale) / room;
  return room < 0x1p30
             ? std::numeric_limits<float>::infinity()
             : static_cast<float>(
                   std::max(maxAbs(weights) / double(wideWeightMax), least) *
                   (1 + 0x1p-20));
}

std::optional<WideWeights>
numerics::quantizeWideWeights(llvm::ArrayRef<float> weights, size_t channels,
                              llvm::ArrayRef<float> biases, float inputScale,
                              int64_t reach, float scaleFloor) {
  const size_t length = weights.size() / std::max<size_t>(channels, 1);
  WideWeights result;
  result.lowBits = 8;
  while (result.lowBits > 1 &&
         std::ldexp(double(reach) * length, result.lowBits - 1) > INT32_MAX)
    --result.lowBits;
  std::vector<bool> dead;
  for (size_t c = 0; c < channels; ++c) {
    const llvm::ArrayRef<float> row = weights.slice(c * length, length);
    const float bias = biases.empty() ? 0 : biases[c];
    const float largest = maxAbs(row);
    const float high = std::max(wideScale(row, bias, inputScale, reach),
                                weightScaleFloor(bias, inputScale));
    const float scale = std::ldexp(high, -result.lowBits);
    if (largest > 0 && !(scale * signedMax(8) <= largest))
      return std::nullopt;
    dead.push_back(largest == 0);
    result.scales.push_back(
        std::max({scale, scaleFloor, std::numeric_limits<float>::min()}));
  }
  raiseWeakScales(result.scales, dead);
  result.values.resize(weights.size());
  const int32_t most = result.getLargest();
  for (size_t i = 0; i < weights.size(); ++i)
    result.values[i] = static_cast<int32_t>(std::clamp<double>(
        roundHalfEven(weights[i] / result.scales[i / length]), -most, most));
  return result;
}

float numerics::weightScaleFloor(float bias, float inputScale) {
  const double floor =
      std::fabs(static_cast<double>(bias)) / (0x1p30 * inputScale);
  if (!(floor > std::numeric_limits<float>::min()))
    return std::numeric_limits<float>::min();
  if (floor > std::numeric_limits<float>::max())
    return std::numeric_limits<float>::max();
  // Rounding to float32 may fall below by half a step; the margin between 2^30
  // and 2^31 takes that.
  return static_cast<float>(floor);
}

llvm::Expected<int32_t> numerics::quantizeBias(float bias, float inputScale,
                                               float weightScale) {
  const double scale =
      static_cast<double>(inputScale) * static_cast<double>(weightScale);
  const double q = roundHalfEven(static_cast<double>(bias) / scale);
  if (!(q >= INT32_MIN && q <= INT32_MAX))
    return makeError(
        701,
        llvm::formatv("bias {0} at scale {1:e} does not fit 32 bits", bias,
                      scale)
            .str(),
        {}, "raise the channel's weight scale");
  return static_cast<int32_t>(q);
}
