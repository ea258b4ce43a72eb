// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Labels and float references beside a data set.

#include "qopt/Calibration/DataLabelled.h"
#include "qopt/Calibration/DataFormats.h"
#include "qopt/Calibration/DataSources.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

static llvm::Error noAnswers(llvm::StringRef spec) {
  return makeError(447,
                   ("'" + spec + "' has neither labels nor references").str(),
                   {"known are an .npz or a folder of .npy with the inputs and "
                    "'label', 'ref' or 'ref_<output>', and the file pair "
                    "images,labels"},
                   "add an array 'label' with one integer a sample");
}

/// The array `name` beside the inputs, or null where there is none.
static llvm::Expected<std::unique_ptr<ArrayReader>>
openAnswer(llvm::StringRef path, bool isFolder, llvm::StringRef name) {
  if (isFolder) {
    llvm::SmallString<128> file(path);
    std::string fileName = name.str();
    llvm::replace(fileName, '/', '_');
    llvm::sys::path::append(file, fileName + ".npy");
    if (!llvm::sys::fs::exists(file))
      return std::unique_ptr<ArrayReader>();
    return openArrayFile(file);
  }
  auto isZip = isZipFile(path);
  if (!isZip)
    return isZip.takeError();
  if (!*isZip)
    return std::unique_ptr<ArrayReader>();
  auto names = listNpzArrays(path);
  if (!names)
    return names.takeError();
  if (!llvm::is_contained(*names, name))
    return std::unique_ptr<ArrayReader>();
  return openNpzArray(path, name);
}

/// Labels are integers, the same number for each of `samples`.
static llvm::Expected<int64_t> checkLabels(const ArrayReader &labels,
                                           int64_t samples) {
  llvm::ArrayRef<int64_t> shape = labels.getShape();
  if (isFloat(labels.getKind()))
    return makeError(447,
                     "labels in '" + labels.getName() + "' are " +
                         elementName(labels.getKind()).str() +
                         ", but integers are expected",
                     {}, "store class numbers as integers");
  int64_t found = shape.empty() ? 1 : shape.front();
  if (found != samples || labels.getNumElements() == 0)
    return makeError(447,
                     "'" + labels.getName() + "' has " + formatShape(shape) +
                         " labels, but there are " + std::to_string(samples) +
                         " samples",
                     {}, "store one label a sample, in the samples' order");
  return labels.getNumElements() / samples;
}

static llvm::Error checkReference(const ArrayReader &reference,
                                  const OutputSpec &output, int64_t samples) {
  auto found = matchSamples(reference.getShape(), output.shape);
  if (found == samples)
    return llvm::Error::success();
  return makeError(
      447,
      "references for output '" + output.name + "' in '" + reference.getName() +
          "' have shape " + formatShape(reference.getShape()) + ", expected " +
          std::to_string(samples) + " samples of " + formatShape(output.shape),
      {}, "store the float model's outputs as they are");
}

llvm::Expected<std::unique_ptr<LabelledSet>>
LabelledSet::open(llvm::StringRef spec, llvm::ArrayRef<InputSpec> inputs,
                  llvm::ArrayRef<OutputSpec> outputs,
                  const DataOptions &options) {
  std::unique_ptr<LabelledSet> set(new LabelledSet());
  llvm::StringRef samples = spec, labelFile;
  if (!llvm::sys::fs::exists(spec) && spec.contains(','))
    std::tie(samples, labelFile) = spec.rsplit(',');
  auto data = DataSet::open(samples, inputs, options);
  if (!data)
    return data.takeError();
  set->data = std::move(*data);
  set->references.resize(outputs.size());
  if (samples.starts_with("random:"))
    return noAnswers(spec);
  const int64_t total = set->data->totalSize();
  const bool isFolder = llvm::sys::fs::is_directory(samples);

  auto labels = labelFile.empty() ? openAnswer(samples, isFolder, "label")
                                  : openArrayFile(labelFile);
  if (!labels)
    return labels.takeError();
  if (*labels) {
    auto perSample = checkLabels(**labels, total);
    if (!perSample)
      return perSample.takeError();
    set->labelsPerSample = *perSample;
    set->labels = std::move(*labels);
  }
  bool answered = set->hasLabels();
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto reference = openAnswer(samples, isFolder, "ref_" + outputs[i].name);
    if (reference && !*reference && i == 0)
      reference = openAnswer(samples, isFolder, "ref");
    if (!reference)
      return reference.takeError();
    if (!*reference)
      continue;
    if (llvm::Error error = checkReference(**reference, outputs[i], total))
      return std::move(error);
    set->references[i] = std::move(*reference);
    answered = true;
  }
  if (!answered)
    return noAnswers(spec);
  return set;
}

llvm::Error LabelledSet::readLabels(int64_t index,
                                    llvm::MutableArrayRef<int64_t> out) {
  if (!hasLabels() || index < 0 || index >= size() ||
      static_cast<int64_t>(out.size()) != labelsPerSample)
    return makeError(700,
                     "read of the labels of sample " + std::to_string(index));
  return labels->readIntegers(id(index) * labelsPerSample, out);
}

llvm::Error LabelledSet::readReference(int64_t index, unsigned output,
                                       llvm::MutableArrayRef<float> out) {
  if (output >= references.size() || !hasReference(output) || index < 0 ||
      index >= size())
    return makeError(700, "read of the reference of sample " +
                              std::to_string(index));
  ArrayReader &reference = *references[output];
  int64_t count = reference.getNumElements() / data->totalSize();
  if (static_cast<int64_t>(out.size()) != count)
    return makeError(700, "buffer of a wrong size for a reference");
  if (llvm::Error error = reference.readFloats(id(index) * count, out))
    return error;
  for (size_t i = 0; i < out.size(); ++i)
    if (!std::isfinite(out[i]))
      return makeError(446,
                       "'" + reference.getName() + "', sample " +
                           std::to_string(id(index)) + ", element " +
                           std::to_string(i) + " is not a finite f32",
                       {}, "repair the references or leave them out");
  return llvm::Error::success();
}
