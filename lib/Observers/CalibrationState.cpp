// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Samples, reservoir and merging of calibration states.

#include "qopt/Observers/CalibrationState.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/Threading.h"
#include <algorithm>
#include <optional>

using namespace mlir::qopt;
using namespace mlir::qopt::observers;

Hash observers::hashModel(llvm::StringRef bytes) {
  return llvm::SHA256::hash(llvm::arrayRefFromStringRef(bytes));
}

//===----------------------------------------------------------------------===//
// SampleIds
//===----------------------------------------------------------------------===//

/// The first interval that ends after `id`.
template <typename Intervals>
static auto firstEndingAfter(Intervals &intervals, uint64_t id) {
  return std::upper_bound(intervals.begin(), intervals.end(), id,
                          [](uint64_t value, const SampleIds::Interval &entry) {
                            return value < entry.first + entry.count;
                          });
}

bool SampleIds::contains(uint64_t id) const {
  auto entry = firstEndingAfter(intervals, id);
  return entry != intervals.end() && entry->first <= id;
}

bool SampleIds::insert(uint64_t id) {
  auto next = firstEndingAfter(intervals, id);
  if (next != intervals.end() && next->first <= id)
    return false;
  const bool joinsNext = next != intervals.end() && next->first == id + 1;
  const bool joinsPrevious =
      next != intervals.begin() &&
      std::prev(next)->first + std::prev(next)->count == id;
  if (joinsPrevious && joinsNext) {
    std::prev(next)->count += 1 + next->count;
    intervals.erase(next);
  } else if (joinsPrevious) {
    ++std::prev(next)->count;
  } else if (joinsNext) {
    --next->first;
    ++next->count;
  } else {
    intervals.insert(next, {id, 1});
  }
  return true;
}

int64_t SampleIds::firstCommon(const SampleIds &other) const {
  auto mine = intervals.begin();
  auto theirs = other.intervals.begin();
  while (mine != intervals.end() && theirs != other.intervals.end()) {
    const uint64_t first = std::max(mine->first, theirs->first);
    const uint64_t mineEnd = mine->first + mine->count;
    const uint64_t theirsEnd = theirs->first + theirs->count;
    if (first < std::min(mineEnd, theirsEnd))
      return static_cast<int64_t>(first);
    mineEnd < theirsEnd ? ++mine : ++theirs;
  }
  return -1;
}

void SampleIds::merge(const SampleIds &other) {
  std::vector<Interval> all = intervals;
  all.insert(all.end(), other.intervals.begin(), other.intervals.end());
  llvm::sort(all, [](const Interval &a, const Interval &b) {
    return a.first < b.first;
  });
  intervals.clear();
  for (const Interval &entry : all)
    if (!intervals.empty() &&
        intervals.back().first + intervals.back().count == entry.first)
      intervals.back().count += entry.count;
    else
      intervals.push_back(entry);
}

uint64_t SampleIds::size() const {
  uint64_t total = 0;
  for (const Interval &entry : intervals)
    total += entry.count;
  return total;
}

//===----------------------------------------------------------------------===//
// CalibrationState
//===----------------------------------------------------------------------===//

/// The finalizer of splitmix64: a fixed bijection of 64 bits.
static uint64_t hashId(uint64_t id) {
  uint64_t x = id + UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static bool hashesLower(const ReservoirSample &a, const ReservoirSample &b) {
  return hashId(a.id) < hashId(b.id);
}

llvm::Expected<CalibrationState>
CalibrationState::create(const Hash &modelHash, std::vector<InputLayout> inputs,
                         llvm::ArrayRef<TensorSpec> tensors) {
  CalibrationState state;
  state.modelHash = modelHash;
  for (const InputLayout &input : inputs) {
    // So many values are beyond the budget of bytes, and add up.
    const uint64_t limit = maxReservoirBytes;
    state.sampleElements =
        std::min(limit, state.sampleElements + std::min(limit, input.elements));
  }
  state.inputs = std::move(inputs);
  state.capacity =
      maxReservoirBytes / std::max(state.sampleElements * sizeof(float),
                                   maxReservoirBytes / maxReservoirSamples);

  std::vector<TensorSpec> sorted(tensors.begin(), tensors.end());
  llvm::sort(sorted, [](const TensorSpec &a, const TensorSpec &b) {
    return a.id < b.id;
  });
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i].id.empty() || (i > 0 && sorted[i].id == sorted[i - 1].id))
      return makeError(410, "tensor id '" + sorted[i].id +
                                "' is empty or used twice");
    state.tensors.push_back({sorted[i].id, TensorStats(sorted[i].channels)});
  }
  return state;
}

bool CalibrationState::wouldKeep(uint64_t id) const {
  if (reservoir.size() < capacity)
    return true;
  return !reservoir.empty() && hashId(id) < hashId(reservoir.back().id);
}

void CalibrationState::keep(ReservoirSample sample) {
  if (reservoir.size() == capacity)
    reservoir.pop_back();
  auto position =
      std::upper_bound(reservoir.begin(), reservoir.end(), sample, hashesLower);
  reservoir.insert(position, std::move(sample));
}

llvm::Error
CalibrationState::addSample(uint64_t id,
                            llvm::ArrayRef<llvm::ArrayRef<float>> values) {
  bool sizesAgree = values.size() == inputs.size();
  for (size_t i = 0; sizesAgree && i < inputs.size(); ++i)
    sizesAgree = values[i].size() == inputs[i].elements;
  if (!sizesAgree || id >> 62)
    return makeError(
        412, llvm::formatv("sample {0} does not have the sizes of the model's "
                           "inputs",
                           id)
                 .str());
  if (!samples.insert(id))
    return makeError(
        411, llvm::formatv("sample {0} was calibrated on before", id).str());
  if (!wouldKeep(id))
    return llvm::Error::success();
  ReservoirSample sample;
  sample.id = id;
  sample.values.reserve(sampleElements);
  for (llvm::ArrayRef<float> input : values)
    sample.values.insert(sample.values.end(), input.begin(), input.end());
  keep(std::move(sample));
  return llvm::Error::success();
}

llvm::Error CalibrationState::observe(size_t index, uint64_t sample,
                                      const StridedValues &values) {
  Tensor &tensor = tensors[index];
  const int64_t position = tensor.stats.observe(values);
  if (position < 0)
    return llvm::Error::success();
  return makeError(
      413,
      llvm::formatv("tensor '{0}' holds a NaN or an infinity at sample {1}",
                    tensor.id, sample)
          .str(),
      {llvm::formatv("the first one is value {0} of the tensor", position)
           .str()},
      "check that sample's data and the model's weights");
}

const TensorStats *CalibrationState::find(llvm::StringRef id) const {
  const int64_t index = indexOf(id);
  return index < 0 ? nullptr : &tensors[index].stats;
}

void CalibrationState::addTensor(llvm::StringRef id, const TensorStats &stats) {
  auto position = llvm::partition_point(
      tensors, [&](const Tensor &tensor) { return tensor.id < id; });
  if (position != tensors.end() && position->id == id)
    return;
  TensorStats copy(stats.channelStats.size());
  copy.merge(stats);
  tensors.insert(position, {id.str(), std::move(copy)});
}

int64_t CalibrationState::indexOf(llvm::StringRef id) const {
  auto position = llvm::partition_point(
      tensors, [&](const Tensor &tensor) { return tensor.id < id; });
  if (position == tensors.end() || position->id != id)
    return -1;
  return position - tensors.begin();
}

static bool sameTensors(const CalibrationState &a, const CalibrationState &b) {
  return llvm::equal(
      a.getTensors(), b.getTensors(), [](const auto &mine, const auto &theirs) {
        return mine.id == theirs.id && mine.stats.channelStats.size() ==
                                           theirs.stats.channelStats.size();
      });
}

llvm::Error CalibrationState::merge(const CalibrationState &other,
                                    llvm::StringRef otherName) {
  if (modelHash != other.modelHash)
    return makeError(414, (otherName + " belongs to another model").str(),
                     {"the model hashes are " + llvm::toHex(modelHash, true) +
                      " and " + llvm::toHex(other.modelHash, true)},
                     "calibrate every shard with the same model file");
  if (inputs != other.inputs || !sameTensors(*this, other))
    return makeError(415,
                     (otherName + " observed other tensors or inputs").str(),
                     {}, "calibrate every shard with the same options");
  if (const int64_t common = samples.firstCommon(other.samples); common >= 0)
    return makeError(
        416,
        (otherName + " overlaps: sample " + llvm::Twine(common) + " is in both")
            .str(),
        {}, "make shards with --shard i/n, each i once");
  samples.merge(other.samples);
  for (size_t i = 0; i < tensors.size(); ++i)
    tensors[i].stats.merge(other.tensors[i].stats);
  for (const ReservoirSample &sample : other.reservoir)
    if (wouldKeep(sample.id))
      keep(sample);
  return llvm::Error::success();
}

/// One after the other.
static llvm::Expected<CalibrationState>
mergeInOrder(llvm::ArrayRef<std::string> paths) {
  auto merged = CalibrationState::read(paths[0]);
  if (!merged)
    return merged.takeError();
  for (const std::string &path : paths.drop_front()) {
    auto shard = CalibrationState::read(path);
    if (!shard)
      return shard.takeError();
    if (llvm::Error error = merged->merge(*shard, "'" + path + "'"))
      return std::move(error);
  }
  return merged;
}

llvm::Expected<CalibrationState>
observers::mergeFiles(llvm::ArrayRef<std::string> paths) {
  if (paths.empty())
    return makeError(410, "no .qcal file to merge");
  // Parts on all threads; merging commutes, so their number does not matter.
  constexpr size_t smallestPart = 32;
  size_t parts =
      std::min<size_t>(llvm::hardware_concurrency().compute_thread_count(),
                       paths.size() / smallestPart);
  if (parts < 2)
    return mergeInOrder(paths);
  std::vector<std::optional<CalibrationState>> merged(parts);
  llvm::parallelFor(0, parts, [&](size_t part) {
    size_t first = paths.size() * part / parts;
    size_t last = paths.size() * (part + 1) / parts;
    auto state = mergeInOrder(paths.slice(first, last - first));
    if (state)
      merged[part] = std::move(*state);
    else
      llvm::consumeError(state.takeError());
  });
  for (std::optional<CalibrationState> &part : merged) {
    bool failed = !part;
    if (part && &part != &merged.front())
      if (llvm::Error error = merged.front()->merge(*part)) {
        llvm::consumeError(std::move(error));
        failed = true;
      }
    // In order the error names its file, the first of several.
    if (failed)
      return mergeInOrder(paths);
  }
  return std::move(*merged.front());
}
