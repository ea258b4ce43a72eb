// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluation data: a data set with what the answers should be.
#pragma once

#include "qopt/Calibration/DataSet.h"

namespace mlir::qopt::calibration {

/// A graph output as float references must match it.
struct OutputSpec {
  std::string name;
  std::vector<int64_t> shape;
};

/// Samples with integer labels, float references, or both. Not thread safe.
class LabelledSet {
public:
  /// `spec` is an `.npz` (arrays by input name, plus `label`, `ref` (the first
  /// output) or `ref_<output>`), a folder of such `.npy` files, or two files
  /// `images,labels` (IDX, `.gz` too, or `.npy`) for a model with one input.
  /// At least labels or one reference must be there (Q0447).
  static llvm::Expected<std::unique_ptr<LabelledSet>>
  open(llvm::StringRef spec, llvm::ArrayRef<InputSpec> inputs,
       llvm::ArrayRef<OutputSpec> outputs, const DataOptions &options = {});

  int64_t size() const { return data->size(); }
  int64_t id(int64_t index) const { return data->id(index); }
  /// As DataSet::read.
  llvm::Error read(int64_t index, llvm::MutableArrayRef<float *> out) {
    return data->read(index, out);
  }
  llvm::ArrayRef<std::string> getWarnings() const {
    return data->getWarnings();
  }

  bool hasLabels() const { return labels != nullptr; }
  /// Integers a sample; 1 for plain classification.
  int64_t getLabelsPerSample() const { return labelsPerSample; }
  /// Fills `getLabelsPerSample()` labels of sample `index`.
  llvm::Error readLabels(int64_t index, llvm::MutableArrayRef<int64_t> out);

  bool hasReference(unsigned output) const {
    return references[output] != nullptr;
  }
  /// Fills the reference of output number `output` (product of its shape).
  llvm::Error readReference(int64_t index, unsigned output,
                            llvm::MutableArrayRef<float> out);

private:
  LabelledSet() = default;

  std::unique_ptr<DataSet> data;
  std::unique_ptr<ArrayReader> labels;
  int64_t labelsPerSample = 1;
  /// One an output; null where there is none.
  std::vector<std::unique_ptr<ArrayReader>> references;
};

} // namespace mlir::qopt::calibration
