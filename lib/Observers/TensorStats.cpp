// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Observation of tensors and merging of their statistics.

#include "qopt/Observers/TensorStats.h"
#include "ChunkKernels.h"
#include "llvm/Support/MemAlloc.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

using namespace mlir::qopt::observers;

uint64_t *Histogram::data() {
  if (!bins)
    bins.reset(
        static_cast<uint64_t *>(llvm::safe_calloc(numBins, sizeof(uint64_t))));
  return bins.get();
}

void Histogram::Free::operator()(uint64_t *pointer) const { free(pointer); }

namespace {

/// 16-bit counters of a bin, together one 64-bit word.
constexpr size_t counterLanes = sizeof(uint64_t) / sizeof(uint16_t);
/// Tensors below this many values are counted straight into their histogram:
/// emptying the scratch counters would cost more than it saves.
constexpr size_t scratchThreshold = Histogram::numBins / counterLanes;

/// Counters of one thread, four to a bin so that runs of equal values do not
/// wait for each other. Always zero between uses.
class ScratchCounters {
public:
  /// Chunks that can be counted before a 16-bit counter could overflow.
  static constexpr size_t capacity = UINT16_MAX / chunkSize;

  ScratchCounters()
      : counters(static_cast<uint16_t *>(llvm::safe_calloc(
            Histogram::numBins * counterLanes, sizeof(uint16_t)))) {}
  ScratchCounters(const ScratchCounters &) = delete;
  ~ScratchCounters() { free(counters); }

  void count(const float *data, size_t size) {
    size_t i = 0;
    for (; i + counterLanes <= size; i += counterLanes)
      for (size_t lane = 0; lane < counterLanes; ++lane)
        ++counters[binOf(data[i + lane]) * counterLanes + lane];
    for (; i < size; ++i)
      ++counters[binOf(data[i]) * counterLanes];
  }

  /// Moves the counts of values within `extremes` into `bins`.
  void flush(const Extremes &extremes, uint64_t *bins) {
    moveBin(0, bins);
    moveBin(0x8000, bins);
    // Where all values are zeros this is 0; without values of a sign the last
    // bin comes before the first one.
    const int lowest = extremes.smallestMagnitude() >> 16;
    move(lowest, extremes.maxKey >> 16, bins);
    move(0x8000 + lowest, 0x8000 + (~extremes.minKey >> 16), bins);
  }

  static size_t binOf(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof(bits));
    return bits >> 16;
  }

private:
  void move(int first, int last, uint64_t *bins) {
    for (int bin = first; bin <= last; ++bin)
      moveBin(bin, bins);
  }
  void moveBin(size_t bin, uint64_t *bins) {
    uint16_t *lane = counters + bin * counterLanes;
    uint64_t total = 0;
    for (size_t i = 0; i < counterLanes; ++i) {
      total += lane[i];
      lane[i] = 0;
    }
    bins[bin] += total;
  }

  uint16_t *counters;
};

/// Feeds runs of at most `chunkSize` contiguous values into one state.
class Observation {
public:
  Observation(TensorStats &stats, size_t size)
      : stats(stats), bins(stats.histogram.data()),
        useScratch(size >= scratchThreshold) {}

  /// False if the run holds a value that is not finite.
  bool add(const float *data, size_t size);
  void finish();

private:
  void addLeftOut(const float *data, size_t size, int field);
  void countDirectly(const float *data, size_t size);
  static ScratchCounters &scratch() {
    static thread_local ScratchCounters counters;
    return counters;
  }
  void flush() {
    scratch().flush(unflushed, bins);
    unflushed = Extremes();
    room = ScratchCounters::capacity;
  }

  TensorStats &stats;
  uint64_t *bins;
  bool useScratch;
  /// Chunks until the scratch counters must be emptied.
  size_t room = ScratchCounters::capacity;
  Extremes unflushed;
  Extremes all;
};

} // namespace

bool Observation::add(const float *data, size_t size) {
  const Extremes extremes = findExtremes(data, size);
  if (!extremes.finite()) {
    if (useScratch)
      flush();
    return false;
  }
  all.merge(extremes);
  const int field = extremes.largestField();
  const ChunkSums sums = sumChunk(data, size, field);
  stats.sum.add(sums.sum);
  stats.sumOfSquares.add(sums.squareHigh);
  stats.sumOfSquares.add(sums.squareLow);
  if (extremes.hasLeftOut())
    addLeftOut(data, size, field);
  if (!useScratch) {
    countDirectly(data, size);
    return true;
  }
  scratch().count(data, size);
  unflushed.merge(extremes);
  if (!--room)
    flush();
  return true;
}

void Observation::addLeftOut(const float *data, size_t size, int field) {
  float leftOut[chunkSize];
  const size_t found = collectLeftOut(data, size, field, leftOut);
  for (size_t i = 0; i < found; ++i) {
    const double x = leftOut[i];
    stats.sum.add(x);
    stats.sumOfSquares.add(x * x);
  }
}

void Observation::countDirectly(const float *data, size_t size) {
  // Zeros go to counters that take turns: one counter for the many that a ReLU
  // leaves would make each value wait for the one before.
  uint64_t zeros[counterLanes] = {};
  for (size_t i = 0; i < size; ++i) {
    const size_t bin = ScratchCounters::binOf(data[i]);
    ++*(bin ? bins + bin : zeros + i % counterLanes);
  }
  for (uint64_t count : zeros)
    bins[0] += count;
}

void Observation::finish() {
  if (useScratch)
    flush();
  // Adding +0 turns -0 into it.
  const float low = fromOrderedKey(all.minKey) + 0.0f;
  const float high = fromOrderedKey(all.maxKey) + 0.0f;
  stats.min = stats.count == 0 ? low : std::min(stats.min, low);
  stats.max = stats.count == 0 ? high : std::max(stats.max, high);
  stats.sumOfMins.add(low);
  stats.sumOfMaxs.add(high);
  ++stats.samples;
}

/// Calls `visit(pointer, size)` for each row; stops when it returns false.
template <typename Visit>
static bool forEachRow(const StridedValues &values, Visit visit) {
  for (size_t plane = 0; plane < values.planes; ++plane)
    for (size_t row = 0; row < values.rows; ++row)
      if (!visit(values.base + plane * values.planeStride +
                     row * values.rowStride,
                 values.rowLength))
        return false;
  return true;
}

/// Feeds all values in runs of `chunkSize`; short rows are gathered first.
static bool addAll(Observation &observation, const StridedValues &values) {
  alignas(64) float buffer[chunkSize];
  size_t filled = 0;
  const bool finite = forEachRow(values, [&](const float *row, size_t length) {
    while (length > 0) {
      const size_t take = std::min(length, chunkSize - filled);
      if (filled == 0 && length >= chunkSize) {
        if (!observation.add(row, chunkSize))
          return false;
      } else {
        std::copy(row, row + take, buffer + filled);
        filled += take;
        if (filled == chunkSize) {
          filled = 0;
          if (!observation.add(buffer, chunkSize))
            return false;
        }
      }
      row += take;
      length -= take;
    }
    return true;
  });
  return finite && (filled == 0 || observation.add(buffer, filled));
}

/// The position of a value that there is.
static int64_t firstNonFinite(const StridedValues &values) {
  int64_t position = 0;
  forEachRow(values, [&](const float *row, size_t length) {
    for (size_t i = 0; i < length; ++i, ++position)
      if (!std::isfinite(row[i]))
        return false;
    return true;
  });
  return position;
}

namespace {
/// Per-channel work of one call: extremes so far and exact partial sums.
class ChannelObservation {
public:
  ChannelObservation(std::vector<ChannelStats> &channels, int largestField)
      : channels(channels), largestField(largestField), min(channels.size()),
        max(channels.size()), sum(channels.size()), high(channels.size()),
        low(channels.size()) {
    for (size_t c = 0; c < channels.size(); ++c) {
      min[c] = channels[c].min;
      max[c] = channels[c].max;
    }
  }

  void add(const float *data) {
    const ChannelArrays arrays{min.data(), max.data(), sum.data(), high.data(),
                               low.data()};
    if (addPosition(data, channels.size(), largestField, arrays))
      for (size_t c = 0; c < channels.size(); ++c)
        if (isLeftOut(data[c], largestField)) {
          const double x = data[c];
          channels[c].sum.add(x);
          channels[c].sumOfSquares.add(x * x);
        }
    if (!--room)
      flush();
  }

  void flush() {
    for (size_t c = 0; c < channels.size(); ++c) {
      channels[c].min = min[c];
      channels[c].max = max[c];
      channels[c].sum.add(std::exchange(sum[c], 0.0));
      channels[c].sumOfSquares.add(std::exchange(high[c], 0.0));
      channels[c].sumOfSquares.add(std::exchange(low[c], 0.0));
    }
    room = chunkSize;
  }

private:
  std::vector<ChannelStats> &channels;
  int largestField;
  /// Positions until the partial sums must be emptied.
  size_t room = chunkSize;
  std::vector<float> min, max;
  std::vector<double> sum, high, low;
};
} // namespace

/// `low` and `high` bound every value.
static void observeChannels(const StridedValues &values, float low, float high,
                            bool first, std::vector<ChannelStats> &channels) {
  const size_t count = channels.size();
  if (first)
    for (size_t c = 0; c < count; ++c)
      channels[c].min = channels[c].max = values.base[c] + 0.0f;
  Extremes extremes;
  extremes.minKey = orderedKey(low);
  extremes.maxKey = orderedKey(high);
  ChannelObservation observation(channels, extremes.largestField());
  forEachRow(values, [&](const float *row, size_t length) {
    for (size_t i = 0; i + count <= length; i += count)
      observation.add(row + i);
    return true;
  });
  observation.flush();
}

int64_t TensorStats::observe(const StridedValues &values) {
  const size_t size = values.size();
  if (size == 0)
    return -1;
  Observation observation(*this, size);
  if (!addAll(observation, values))
    return firstNonFinite(values);
  const bool first = count == 0;
  observation.finish();
  count += size;
  if (!channelStats.empty())
    observeChannels(values, min, max, first, channelStats);
  return -1;
}

/// Most bins are empty, and shards are many: whole blocks are passed over.
static void addBins(uint64_t *bins, const Histogram &other) {
  constexpr size_t block = 32;
  static_assert(Histogram::numBins % block == 0, "the last block is whole");
  for (size_t first = 0; first < Histogram::numBins; first += block) {
    uint64_t any = 0;
    for (size_t bin = first; bin < first + block; ++bin)
      any |= other[bin];
    if (any)
      for (size_t bin = first; bin < first + block; ++bin)
        bins[bin] += other[bin];
  }
}

void TensorStats::merge(const TensorStats &other) {
  if (other.count != 0) {
    min = count == 0 ? other.min : std::min(min, other.min);
    max = count == 0 ? other.max : std::max(max, other.max);
    for (size_t c = 0; c < channelStats.size(); ++c) {
      ChannelStats &mine = channelStats[c];
      const ChannelStats &theirs = other.channelStats[c];
      mine.min = count == 0 ? theirs.min : std::min(mine.min, theirs.min);
      mine.max = count == 0 ? theirs.max : std::max(mine.max, theirs.max);
    }
  }
  count += other.count;
  samples += other.samples;
  sum.merge(other.sum);
  sumOfSquares.merge(other.sumOfSquares);
  sumOfMins.merge(other.sumOfMins);
  sumOfMaxs.merge(other.sumOfMaxs);
  for (size_t c = 0; c < channelStats.size(); ++c) {
    channelStats[c].sum.merge(other.channelStats[c].sum);
    channelStats[c].sumOfSquares.merge(other.channelStats[c].sumOfSquares);
  }
  if (other.histogram.empty())
    return;
  addBins(histogram.data(), other.histogram);
}

double TensorStats::mean() const {
  return count == 0 ? 0 : sum.value() / static_cast<double>(count);
}

double TensorStats::secondMoment() const {
  return count == 0 ? 0 : sumOfSquares.value() / static_cast<double>(count);
}
