// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything one calibration run leaves behind, and the `.qcal` file that holds
// it: which samples were seen, each tensor's statistics, a reservoir of
// samples.
#pragma once

#include "qopt/Observers/TensorStats.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mlir::qopt::observers {

using Hash = std::array<uint8_t, 32>;

/// SHA-256 of a model's bytes.
Hash hashModel(llvm::StringRef bytes);

/// One graph input as the reservoir stores it: `elements` float32.
struct InputLayout {
  std::string name;
  uint64_t elements = 0;

  bool operator==(const InputLayout &other) const {
    return name == other.name && elements == other.elements;
  }
};

/// A sample kept whole: the inputs' floats one after another.
struct ReservoirSample {
  uint64_t id = 0;
  std::vector<float> values;
};

/// Sorted, disjoint, non-adjacent intervals of sample ids.
class SampleIds {
public:
  struct Interval {
    uint64_t first;
    uint64_t count;
  };
  /// False where the id is there already.
  bool insert(uint64_t id);
  bool contains(uint64_t id) const;
  /// An id that is in both, or -1.
  int64_t firstCommon(const SampleIds &other) const;
  void merge(const SampleIds &other);
  uint64_t size() const;
  llvm::ArrayRef<Interval> getIntervals() const { return intervals; }

private:
  friend struct CalibrationFile;
  std::vector<Interval> intervals;
};

/// The state of a calibration run; shards of one run merge to the same bytes in
/// any order.
class CalibrationState {
public:
  struct Tensor {
    std::string id;
    TensorStats stats;
  };
  struct TensorSpec {
    std::string id;
    /// 0: no per-channel state.
    size_t channels = 0;
  };

  /// Samples of the reservoir, bytes it may take, and the format's version.
  static constexpr uint64_t maxReservoirSamples = 64;
  static constexpr uint64_t maxReservoirBytes = 64 << 20;
  static constexpr uint32_t formatVersion = 1;

  /// A state without samples. Tensors are kept in the order of their ids, which
  /// must differ (Q0410).
  static llvm::Expected<CalibrationState>
  create(const Hash &modelHash, std::vector<InputLayout> inputs,
         llvm::ArrayRef<TensorSpec> tensors);

  /// Notes that sample `id` (its position in the whole data set, below 2^62)
  /// was run and keeps it in the reservoir if its hash is low enough. `inputs`
  /// has one array an input. Fails with Q0411 on an id seen before, Q0412 on
  /// sizes that differ from the layout.
  llvm::Error addSample(uint64_t id,
                        llvm::ArrayRef<llvm::ArrayRef<float>> inputs);
  /// True if `addSample` would keep sample `id`.
  bool wouldKeep(uint64_t id) const;

  /// Adds one sample's values of tensor `index` (into `getTensors()`). Fails
  /// with Q0413 on a NaN or an infinity, naming tensor and sample.
  llvm::Error observe(size_t index, uint64_t sample,
                      const StridedValues &values);

  /// Adds another shard. Fails with Q0414 (another model), Q0415 (other tensors
  /// or inputs), Q0416 (a sample in both); the state is then unchanged.
  /// `otherName` is how messages call `other`.
  llvm::Error merge(const CalibrationState &other,
                    llvm::StringRef otherName = "the other shard");

  /// The bytes of the `.qcal` file; equal for equal states.
  std::string serialize() const;
  /// Fails with Q0417 (not a .qcal file), Q0418 (another version), Q0419
  /// (damaged).
  static llvm::Expected<CalibrationState> parse(llvm::StringRef bytes,
                                                llvm::StringRef name);
  llvm::Error write(llvm::StringRef path) const;
  static llvm::Expected<CalibrationState> read(llvm::StringRef path);

  const Hash &getModelHash() const { return modelHash; }
  llvm::ArrayRef<InputLayout> getInputs() const { return inputs; }
  const SampleIds &getSamples() const { return samples; }
  llvm::ArrayRef<Tensor> getTensors() const { return tensors; }
  /// Adds one more tensor, with statistics of some of the samples, unless it is
  /// there.
  void addTensor(llvm::StringRef id, const TensorStats &stats);
  /// Null where there is no such id.
  const TensorStats *find(llvm::StringRef id) const;
  /// -1 where there is no such id.
  int64_t indexOf(llvm::StringRef id) const;
  /// Ascending by hash of the id.
  llvm::ArrayRef<ReservoirSample> getReservoir() const { return reservoir; }
  /// How many samples the reservoir holds at most: a function of the inputs'
  /// sizes alone.
  uint64_t getReservoirCapacity() const { return capacity; }

private:
  Hash modelHash{};
  std::vector<InputLayout> inputs;
  uint64_t sampleElements = 0;
  uint64_t capacity = 0;
  SampleIds samples;
  std::vector<Tensor> tensors;
  std::vector<ReservoirSample> reservoir;

  friend struct CalibrationFile;
  /// `wouldKeep(sample.id)` must hold.
  void keep(ReservoirSample sample);
};

/// Reads and merges shards; the result does not depend on their order. Fails
/// with Q0410 on an empty list, and as `read` and `merge`.
llvm::Expected<CalibrationState> mergeFiles(llvm::ArrayRef<std::string> paths);

} // namespace mlir::qopt::observers
