// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calibration data: samples for a model's inputs, read one at a time from
// files of many kinds, in memory that does not grow with their number.
#pragma once

#include "qopt/Calibration/DataArray.h"
#include <functional>
#include <utility>

namespace mlir::qopt::calibration {

/// How 8-bit samples become the model's float input, on the host side:
/// MeanStd: x = (u8 / 255 - first) / second, in float32, three roundings
/// (torchvision's ToTensor and Normalize to the bit);
/// ScaleBias: x = u8 * first + bias, bias = second, in float32, two roundings.
struct Affine {
  enum class Form : uint8_t { MeanStd, ScaleBias };
  Form form = Form::MeanStd;
  /// One value for all channels, or one a channel.
  std::vector<float> first = {0.0f};
  std::vector<float> second = {1.0f};
  /// The channel axis of the input's shape.
  int64_t axis = 1;
  /// Whether the model does this itself and takes the bytes.
  bool inModel = true;

  float apply(uint8_t value, int64_t channel) const;
  /// The same as `scale * u8 + shift` in float64.
  std::vector<double> getScale() const;
  std::vector<double> getShift() const;
};

/// How an image file becomes a sample: resized, cropped to the input's size
/// around its centre, then each byte as `affine` says, a channel at a time.
struct ImageRule {
  /// The shorter side after resizing, the other in proportion; or 0: to
  /// `height` x `width`, which are the input's own where they are 0.
  int64_t shorterSide = 0;
  int64_t height = 0, width = 0;
  /// Must be the input's size where they are given.
  int64_t cropHeight = 0, cropWidth = 0;
  bool bgr = false;
  /// Absent: by the shape of the input, channels first where both fit.
  std::optional<bool> channelsLast;
  Affine affine;

  /// The axis of channels in an input of `shape`: 1 or 3.
  int64_t getChannelAxis(llvm::ArrayRef<int64_t> shape) const;
};

/// A graph input as the data must fill it.
struct InputSpec {
  std::string name;
  /// Static, every dimension at least 1.
  std::vector<int64_t> shape;
  ElementKind type = ElementKind::F32;
  /// Set by `--input name:u8,...`: the file holds u8 samples.
  std::optional<Affine> u8;
  /// Set by `--input name:image,...`: samples are image files.
  std::optional<ImageRule> image = std::nullopt;
};

/// Samples of one input in memory, row-major. The bytes are somebody else's.
struct MemoryArray {
  /// The input's name, or empty: inputs are taken in their order.
  std::string name;
  ElementKind kind = ElementKind::F32;
  std::vector<int64_t> shape;
  llvm::StringRef bytes;
};

/// Samples that lie in memory, or that a function brings.
struct MemorySamples {
  /// One array an input, each with the same number of samples.
  std::vector<MemoryArray> arrays;
  /// Where it is set, in place of `arrays`: brings the next such arrays, which
  /// stay valid until the next call; false where there are no more. Is given
  /// one array an input, with its name, and fills in the rest. Calls do
  /// not overlap, but may come from several threads.
  std::function<llvm::Expected<bool>(std::vector<MemoryArray> &)> next;
};

/// Parses the value of `--input`: `x:u8,mean=0.5,std=0.25`, or
/// `x:u8,scale=0.0078125,bias=-1`; lists a channel as
/// `mean=0.485,0.456,0.406`; `axis=3` where the channels are not on axis 1.
/// Left-out values are mean 0, std 1, scale 1, bias 0. Returns the input's name
/// with it. `boundary=float` leaves the model's input a float one
/// (`Affine::inModel`). Q0142.
llvm::Expected<std::pair<std::string, Affine>>
parseInputOption(llvm::StringRef text);

/// The same for `x:image,resize=256,crop=224,mean=...,std=...,order=bgr,
/// layout=nhwc`; `resize=HxW` gives both sides, `spec=FILE` reads more items,
/// one a line. Q0142, Q0502.
llvm::Expected<std::pair<std::string, ImageRule>>
parseImageOption(llvm::StringRef text);

/// Which part of a data set is used. Ids are positions in the whole set.
struct DataOptions {
  /// Ids with id % shardCount == shardIndex.
  int64_t shardIndex = 0;
  int64_t shardCount = 1;
  /// Ids below this, so that the shards of a limited set are the limited set.
  std::optional<int64_t> limit;
  /// With a limit: which ids are taken, drawn without repetition; absent: the
  /// first ones.
  std::optional<uint64_t> seed = std::nullopt;
};

/// Parses `3/16` of `--shard`. Q0143.
llvm::Error parseShard(llvm::StringRef text, DataOptions &options);

/// How many samples an array holds for an input, as docs/cli.md says: axis 0
/// counts samples where the rest of the array's shape is the input's shape
/// without its batch axis (a batch of B takes B rows a sample), or is the whole
/// of the input's shape; an array of just the input's shape is one sample.
/// Axes of length 1 are ignored when shapes are compared. Nullopt: no match.
std::optional<int64_t> matchSamples(llvm::ArrayRef<int64_t> arrayShape,
                                    llvm::ArrayRef<int64_t> inputShape);

/// More samples than any data set has.
inline constexpr int64_t unknownSize = INT64_MAX;

/// Where the samples come from; `read` may be called in any order, ascending
/// ids are fast. Internal to DataSet.
class SampleSource {
public:
  virtual ~SampleSource();
  /// Samples in the whole set; `unknownSize` where only reading tells.
  virtual int64_t size() const = 0;
  /// Whether there is a sample `id`. Of a source of unknown size this is asked
  /// before each `read`, ids growing.
  virtual llvm::Expected<bool> has(int64_t id) { return id < size(); }
  virtual llvm::Error read(int64_t id, llvm::MutableArrayRef<float *> out) = 0;
};

/// The samples of a calibration run. Not thread safe.
class DataSet {
public:
  /// `spec` is
  ///   - a folder with `<input>.npy` (any name if there is one input), with
  ///     `.npz` files (one array an input, each file one or more samples), or
  ///     with `test_data_set_*/input_*.pb` (or `input_*.pb` itself);
  ///   - a folder of `.jpg`, `.jpeg` or `.png` images, in it or in folders
  ///     below it;
  ///   - one `.npy`, `.npz`, IDX (`.gz` too) or `.pb` file;
  ///   - `raw:TYPE:SHAPE:FILE`, elements without a header, little-endian:
  ///     `raw:u8:100x28x28:images.bin`;
  ///   - `random:uniform:LO:HI,n=N[,seed=S]` or
  ///     `random:normal:MEAN:STD,n=N[,seed=S]`.
  /// All headers are checked before it returns: names, types, shapes, counts.
  /// Errors: Q0141 (form of spec), Q0441 to Q0445. Files are taken in the
  /// order of their names, numbers by value.
  static llvm::Expected<std::unique_ptr<DataSet>>
  open(llvm::StringRef spec, llvm::ArrayRef<InputSpec> inputs,
       const DataOptions &options = {});

  /// The same for samples in memory. A function's number of samples is not
  /// known, so that it excludes a seed (Q0141); that it brings none is seen
  /// when it is read. `samples` must outlive the data set.
  static llvm::Expected<std::unique_ptr<DataSet>>
  fromMemory(const MemorySamples &samples, llvm::ArrayRef<InputSpec> inputs,
             const DataOptions &options = {});

  /// Samples that remain after limit and shard; where `hasKnownSize` is false,
  /// there may be fewer.
  int64_t size() const;
  bool hasKnownSize() const { return source->size() != unknownSize; }
  /// Whether there is a sample `index`; indices must grow where the size is
  /// not known.
  llvm::Expected<bool> has(int64_t index);
  /// Samples in the whole data set.
  int64_t totalSize() const { return source->size(); }
  /// The id of sample `index`, 0 <= index < size(); grows with index.
  int64_t id(int64_t index) const {
    int64_t position = options.shardIndex + index * options.shardCount;
    return drawn.empty() ? position : drawn[position];
  }

  /// Fills one buffer an input (product of its shape, row-major) with sample
  /// `index`. Q0442 where a file is damaged, Q0446 where a value is not finite
  /// or not representable in the input's type; both name file and sample.
  llvm::Error read(int64_t index, llvm::MutableArrayRef<float *> out);

  /// What a person should know, one sentence each: random data, u8 samples
  /// without normalization, values that lose bits.
  llvm::ArrayRef<std::string> getWarnings() const { return warnings; }
  llvm::ArrayRef<InputSpec> getInputs() const { return inputs; }

private:
  DataSet() = default;
  llvm::Error finishOpening(const std::string &name);

  std::vector<InputSpec> inputs;
  DataOptions options;
  /// With a seed: the ids taken, ascending.
  std::vector<int64_t> drawn;
  std::unique_ptr<SampleSource> source;
  std::vector<std::string> warnings;
};

} // namespace mlir::qopt::calibration
