// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The front of the calibration data: spec, shard and limit, and `--input`.

#include "qopt/Calibration/DataSet.h"
#include "qopt/Calibration/DataImages.h"
#include "qopt/Calibration/DataSources.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

float Affine::apply(uint8_t value, int64_t channel) const {
  auto pick = [channel](const std::vector<float> &list) {
    return list.size() == 1 ? list.front() : list[channel];
  };
  float a = pick(first), b = pick(second);
  // One operation a statement: contracted to FMA it would round differently.
  if (form == Form::ScaleBias) {
    float scaled = static_cast<float>(value) * a;
    return scaled + b;
  }
  float unit = static_cast<float>(value) / 255.0f;
  float centred = unit - a;
  return centred / b;
}

std::vector<double> Affine::getScale() const {
  std::vector<double> scale;
  const bool raw = form == Form::ScaleBias;
  for (float value : raw ? first : second)
    scale.push_back(raw ? value : 1 / (255.0 * value));
  return scale;
}

std::vector<double> Affine::getShift() const {
  if (form == Form::ScaleBias)
    return {second.begin(), second.end()};
  std::vector<double> shift;
  for (size_t i = 0, e = std::max(first.size(), second.size()); i < e; ++i)
    shift.push_back(-double(first[first.size() == 1 ? 0 : i]) /
                    second[second.size() == 1 ? 0 : i]);
  return shift;
}

static llvm::Error badInputOption(llvm::StringRef text,
                                  const std::string &why) {
  return makeError(142, ("--input '" + text + "' is not valid: " + why).str(),
                   {},
                   "write --input NAME:u8,mean=0.5,std=0.5 or "
                   "--input NAME:u8,scale=0.0078125,bias=-1; lists give one "
                   "value a channel: mean=0.485,0.456,0.406");
}

static bool isFiniteFloat(double value) {
  return std::isfinite(static_cast<float>(value));
}

llvm::Expected<std::pair<std::string, Affine>>
calibration::parseInputOption(llvm::StringRef text) {
  auto [head, tail] = text.split(',');
  llvm::StringRef name = head;
  if (!name.consume_back(":u8") || name.empty())
    return badInputOption(text, "it does not start with NAME:u8");
  Affine affine;
  std::vector<float> mean, deviation, scale, bias;
  std::vector<float> *list = nullptr;
  llvm::SmallVector<llvm::StringRef> items;
  if (head.size() != text.size())
    tail.split(items, ',');
  for (llvm::StringRef item : items) {
    if (item.contains('=')) {
      auto [key, value] = item.split('=');
      item = value;
      list = key == "mean"    ? &mean
             : key == "std"   ? &deviation
             : key == "scale" ? &scale
             : key == "bias"  ? &bias
                              : nullptr;
      if (list && !list->empty())
        return badInputOption(text, ("'" + key + "' is given twice").str());
      if (key == "boundary" && (value == "float" || value == "u8")) {
        affine.inModel = value == "u8";
        continue;
      }
      if (key == "axis" && !value.getAsInteger(10, affine.axis) &&
          affine.axis >= 0)
        continue;
      if (!list)
        return badInputOption(
            text, ("'" + key +
                   "' is not mean, std, scale, bias, axis with a number, or "
                   "boundary with u8 or float")
                      .str());
    }
    double value;
    if (!list || item.getAsDouble(value) || !isFiniteFloat(value))
      return badInputOption(text, ("'" + item + "' is not a number").str());
    list->push_back(static_cast<float>(value));
  }
  if (llvm::is_contained(deviation, 0.0f))
    return badInputOption(text, "std must not be 0");
  bool raw = !scale.empty() || !bias.empty();
  if (raw && (!mean.empty() || !deviation.empty()))
    return badInputOption(text, "mean and std exclude scale and bias");
  auto orDefault = [](std::vector<float> &values, float value) {
    return values.empty() ? std::vector<float>{value} : std::move(values);
  };
  if (raw) {
    affine.form = Affine::Form::ScaleBias;
    affine.first = orDefault(scale, 1.0f);
    affine.second = orDefault(bias, 0.0f);
  } else {
    affine.first = orDefault(mean, 0.0f);
    affine.second = orDefault(deviation, 1.0f);
  }
  return std::make_pair(name.str(), std::move(affine));
}

llvm::Error calibration::parseShard(llvm::StringRef text,
                                    DataOptions &options) {
  auto [index, count] = text.split('/');
  int64_t i, n;
  if (index.getAsInteger(10, i) || count.getAsInteger(10, n) || i < 0 || i >= n)
    return makeError(
        143,
        ("--shard expects I/N with 0 <= I < N, but got '" + text + "'").str(),
        {}, "for 16 machines: --shard 0/16 to --shard 15/16");
  options.shardIndex = i;
  options.shardCount = n;
  return llvm::Error::success();
}

/// One value, or as many as the channel axis is long.
static llvm::Error checkAffine(const InputSpec &input) {
  const Affine &affine = *input.u8;
  if (!isFloat(input.type))
    return badInputOption(input.name + ":u8",
                          "the model's input is " +
                              elementName(input.type).str() + ", not a float");
  bool hasAxis = affine.axis >= 0 &&
                 affine.axis < static_cast<int64_t>(input.shape.size());
  for (size_t length : {affine.first.size(), affine.second.size()})
    if (length != 1 &&
        (!hasAxis || static_cast<int64_t>(length) != input.shape[affine.axis]))
      return badInputOption(
          input.name + ":u8",
          "a list of " + std::to_string(length) + " does not fit axis " +
              std::to_string(affine.axis) + " of the input's shape " +
              formatShape(input.shape));
  return llvm::Error::success();
}

static llvm::Error checkInputs(llvm::ArrayRef<InputSpec> inputs) {
  if (inputs.empty())
    return makeError(445, "the model has no inputs, so it needs no data");
  for (const InputSpec &input : inputs) {
    auto count = countElements(input.shape);
    if (!count || llvm::any_of(input.shape, [](int64_t d) { return d < 1; }))
      return makeError(444,
                       "input '" + input.name + "' has the shape " +
                           formatShape(input.shape) +
                           ", but data needs fixed positive dimensions",
                       {}, "bind them with --shape " + input.name + "=...");
    if (input.u8)
      if (llvm::Error error = checkAffine(input))
        return error;
  }
  return llvm::Error::success();
}

/// Arrays, or the images of a folder: where `--input` asks for images, or where
/// the folder holds no arrays.
static llvm::Expected<std::unique_ptr<SampleSource>>
openFiles(llvm::StringRef spec, llvm::ArrayRef<InputSpec> inputs,
          std::vector<std::string> &warnings) {
  bool asImages = inputs.front().image.has_value();
  auto groups = spec.starts_with("raw:") ? parseRawSpec(spec, inputs)
                                         : findSampleGroups(spec, inputs);
  if (groups && !asImages)
    return makeArraySource(std::move(*groups), inputs, warnings);
  std::vector<std::string> images;
  if (llvm::sys::fs::is_directory(spec)) {
    auto found = findImages(spec);
    if (!found)
      return llvm::joinErrors(groups.takeError(), found.takeError());
    images = std::move(*found);
  }
  if (images.empty() && (!asImages || !llvm::sys::fs::exists(spec)))
    return groups.takeError();
  llvm::consumeError(groups.takeError());
  if (images.empty())
    return makeError(445, "--input " + inputs.front().name +
                              ":image expects images, but '" + spec.str() +
                              "' is no folder with .jpg, .jpeg or .png files");
  return makeImageSource(std::move(images), inputs);
}

llvm::Expected<std::unique_ptr<DataSet>>
DataSet::open(llvm::StringRef spec, llvm::ArrayRef<InputSpec> inputs,
              const DataOptions &options) {
  if (llvm::Error error = checkInputs(inputs))
    return std::move(error);
  std::unique_ptr<DataSet> set(new DataSet());
  set->inputs = inputs.vec();
  set->options = options;
  if (spec.starts_with("random:")) {
    auto source = makeRandomSource(spec, set->inputs);
    if (!source)
      return source.takeError();
    set->source = std::move(*source);
    set->warnings.push_back("random data shows that a model compiles; ranges "
                            "from it are not the model's own, so its accuracy "
                            "is lost");
  } else {
    auto source = openFiles(spec, set->inputs, set->warnings);
    if (!source)
      return source.takeError();
    set->source = std::move(*source);
  }
  if (llvm::Error error = set->finishOpening(spec.str()))
    return std::move(error);
  return set;
}

llvm::Expected<std::unique_ptr<DataSet>>
DataSet::fromMemory(const MemorySamples &samples,
                    llvm::ArrayRef<InputSpec> inputs,
                    const DataOptions &options) {
  if (llvm::Error error = checkInputs(inputs))
    return std::move(error);
  std::unique_ptr<DataSet> set(new DataSet());
  set->inputs = inputs.vec();
  set->options = options;
  auto source = makeMemorySource(samples, set->inputs, set->warnings);
  if (!source)
    return source.takeError();
  set->source = std::move(*source);
  if (llvm::Error error = set->finishOpening("the arrays"))
    return std::move(error);
  return set;
}

/// Draws the samples and refuses a set without any.
llvm::Error DataSet::finishOpening(const std::string &name) {
  if (options.seed && options.limit) {
    if (!hasKnownSize())
      return makeError(141,
                       "--seed draws from a known number of samples, but a "
                       "function brings them",
                       {}, "leave --seed out, or give the samples as arrays");
    if (*options.limit < totalSize())
      drawn = drawIds(totalSize(), *options.limit, *options.seed);
  }
  if (size() == 0)
    return makeError(445,
                     "no sample of '" + name + "' is left, it has " +
                         std::to_string(totalSize()),
                     {}, "raise --limit or use fewer shards");
  return llvm::Error::success();
}

llvm::Expected<bool> DataSet::has(int64_t index) {
  if (index >= size())
    return false;
  return source->has(id(index));
}

int64_t DataSet::size() const {
  int64_t last = source->size();
  if (options.limit)
    last = std::min(last, *options.limit);
  if (last <= options.shardIndex)
    return 0;
  return (last - options.shardIndex - 1) / options.shardCount + 1;
}

llvm::Error DataSet::read(int64_t index, llvm::MutableArrayRef<float *> out) {
  if (index < 0 || index >= size() || out.size() != inputs.size())
    return makeError(700, "read of sample " + std::to_string(index) + " with " +
                              std::to_string(out.size()) + " buffers");
  return source->read(id(index), out);
}
