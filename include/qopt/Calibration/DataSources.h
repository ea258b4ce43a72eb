// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a data spec stands for: files found, headers checked, samples served by
// id. The parts that DataSet and LabelledSet are made of.
#pragma once

#include "qopt/Calibration/DataSet.h"

namespace mlir::qopt::calibration {

/// An array in a file of its own, or a member of an `.npz`.
struct ArrayLocation {
  std::string path;
  /// The array's name in an `.npz`; empty for other files.
  std::string member;
  /// Set for elements without a header.
  std::optional<ArrayInfo> raw = std::nullopt;
  /// Set for an array in memory, which `path` only names.
  std::optional<MemoryArray> memory = std::nullopt;

  llvm::Expected<std::unique_ptr<ArrayReader>> open() const;
};

/// Files that belong together: one array an input, the same number of samples
/// in each.
struct SampleGroup {
  std::vector<ArrayLocation> arrays;
  /// Filled when the headers are checked.
  int64_t firstId = 0;
  int64_t count = 0;
};

/// True for the names that an evaluation set gives to answers: `label`, `ref`,
/// `ref_<output>`.
bool isAnswerName(llvm::StringRef name);

/// Finds the files of `path` (a folder or a file) for `inputs`, in the order
/// of their sample ids. Opens archives for their names only. Q0441, Q0445.
llvm::Expected<std::vector<SampleGroup>>
findSampleGroups(llvm::StringRef path, llvm::ArrayRef<InputSpec> inputs);

/// Checks every header of `groups`, fills their counts and appends warnings.
/// Q0442 to Q0445. `inputs` must stay alive.
llvm::Expected<std::unique_ptr<SampleSource>>
makeArraySource(std::vector<SampleGroup> groups,
                llvm::ArrayRef<InputSpec> inputs,
                std::vector<std::string> &warnings);

/// Samples in memory. The arrays that a function brings are checked as they
/// come. Q0442 to Q0445, and the function's own errors. `samples` and `inputs`
/// must stay alive.
llvm::Expected<std::unique_ptr<SampleSource>>
makeMemorySource(const MemorySamples &samples,
                 llvm::ArrayRef<InputSpec> inputs,
                 std::vector<std::string> &warnings);

/// Samples of a `random:` spec: sample, input and element fix each value, on
/// every machine. Normal values are sums of 12 uniform ones less 6, so they
/// stay within 6 standard deviations. Q0141. `inputs` must stay alive.
llvm::Expected<std::unique_ptr<SampleSource>>
makeRandomSource(llvm::StringRef spec, llvm::ArrayRef<InputSpec> inputs);

/// The file of a `raw:TYPE:SHAPE:FILE` spec. Q0141, Q0445 (several inputs).
llvm::Expected<std::vector<SampleGroup>>
parseRawSpec(llvm::StringRef spec, llvm::ArrayRef<InputSpec> inputs);

/// `count` numbers below `total`, ascending and without repetition, that `seed`
/// decides on every machine alike; all of them if there are no more.
std::vector<int64_t> drawIds(int64_t total, int64_t count, uint64_t seed);

/// Smallest and largest integer that an input of `type` may be given: its own
/// range within +-2^24, where every integer is an f32.
std::pair<int64_t, int64_t> integerLimits(ElementKind type);

} // namespace mlir::qopt::calibration
