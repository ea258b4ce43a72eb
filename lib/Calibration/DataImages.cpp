// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folders of images as a source of samples, and the rule that a person gives.

#include "qopt/Calibration/DataImages.h"
#include "qopt/Calibration/DataSources.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

//===----------------------------------------------------------------------===//
// The rule
//===----------------------------------------------------------------------===//

static llvm::Error badImageOption(llvm::StringRef text,
                                  const std::string &why) {
  return makeError(142, ("--input '" + text + "' is not valid: " + why).str(),
                   {},
                   "write --input NAME:image,resize=256,crop=224,"
                   "mean=0.485,0.456,0.406,std=0.229,0.224,0.225; also "
                   "resize=HxW, order=bgr, layout=nhwc, spec=FILE with one "
                   "key=value a line");
}

/// `224` or `224x320`.
static bool parseSize(llvm::StringRef text, int64_t &height, int64_t &width) {
  constexpr int64_t kMaxSide = 1 << 14;
  auto [first, second] = text.split('x');
  if (first.getAsInteger(10, height))
    return false;
  width = height;
  if (text.contains('x') && second.getAsInteger(10, width))
    return false;
  return height > 0 && width > 0 && height <= kMaxSide && width <= kMaxSide;
}

static llvm::Error applyKey(llvm::StringRef text, llvm::StringRef key,
                            llvm::StringRef value, ImageRule &rule) {
  bool valid = false;
  if (key == "resize") {
    valid = parseSize(value, rule.height, rule.width);
    if (valid && !value.contains('x')) {
      rule.shorterSide = rule.height;
      rule.height = rule.width = 0;
    }
  } else if (key == "crop") {
    valid = parseSize(value, rule.cropHeight, rule.cropWidth);
  } else if (key == "order") {
    valid = value == "rgb" || value == "bgr";
    rule.bgr = value == "bgr";
  } else if (key == "layout") {
    valid = value == "nchw" || value == "nhwc";
    rule.channelsLast = value == "nhwc";
  }
  if (valid)
    return llvm::Error::success();
  return badImageOption(text,
                        ("'" + value + "' is not a value of " + key).str());
}

/// The lines of a spec file as the items of a flag.
static llvm::Expected<std::string> readSpecFile(llvm::StringRef path) {
  auto buffer = readFile(path);
  if (!buffer)
    return buffer.takeError();
  std::string items;
  for (llvm::StringRef line : llvm::split((*buffer)->getBuffer(), '\n')) {
    line = line.split('#').first.trim();
    if (!line.empty())
      items += (items.empty() ? "" : ",") + line.str();
  }
  return items;
}

llvm::Expected<std::pair<std::string, ImageRule>>
calibration::parseImageOption(llvm::StringRef text) {
  auto [head, tail] = text.split(',');
  llvm::StringRef name = head;
  if (!name.consume_back(":image") || name.empty())
    return badImageOption(text, "it does not start with NAME:image");
  std::string items = tail.str();
  llvm::SmallVector<llvm::StringRef> given;
  tail.split(given, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef item : given)
    if (item.consume_front("spec=")) {
      auto lines = readSpecFile(item);
      if (!lines)
        return lines.takeError();
      items += "," + *lines;
    }
  ImageRule rule;
  // What is no key of images is left to the rule of 8-bit samples.
  std::string rest = name.str() + ":u8";
  bool inList = false;
  for (llvm::StringRef item : llvm::split(items, ',')) {
    auto [key, value] = item.split('=');
    bool ours =
        key == "resize" || key == "crop" || key == "order" || key == "layout";
    if (item.empty() || key == "spec")
      continue;
    if (ours)
      if (llvm::Error error = applyKey(text, key, value, rule))
        return std::move(error);
    if (!ours && !item.contains('=') && !inList)
      return badImageOption(text, ("'" + item + "' has no key").str());
    inList = !ours;
    if (!ours)
      rest += "," + item.str();
  }
  auto affine = parseInputOption(rest);
  if (!affine)
    return affine.takeError();
  rule.affine = affine->second;
  return std::make_pair(name.str(), std::move(rule));
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

bool calibration::isImageName(llvm::StringRef name) {
  std::string lower = name.lower();
  llvm::StringRef text = lower;
  return text.ends_with(".jpg") || text.ends_with(".jpeg") ||
         text.ends_with(".png");
}

llvm::Expected<std::vector<std::string>>
calibration::findImages(llvm::StringRef folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (llvm::sys::fs::recursive_directory_iterator it(folder, error), end;
       it != end && !error; it.increment(error)) {
    // A folder of a class in a folder of classes, and no further.
    if (it.level() > 3)
      it.no_push();
    if (isImageName(it->path()) && !llvm::sys::fs::is_directory(it->path()))
      files.push_back(it->path());
  }
  if (error)
    return makeError(441,
                     ("cannot list '" + folder + "': " + error.message()).str(),
                     {}, "check the path");
  llvm::sort(files, [](llvm::StringRef a, llvm::StringRef b) {
    int order = a.compare_numeric(b);
    return order != 0 ? order < 0 : a < b;
  });
  return files;
}

//===----------------------------------------------------------------------===//
// Samples
//===----------------------------------------------------------------------===//

namespace {

class ImageSource : public SampleSource {
public:
  ImageSource(std::vector<std::string> files, const InputSpec &input)
      : files(std::move(files)), input(input), rule(*input.image) {}

  llvm::Error check();
  int64_t size() const override { return files.size(); }
  llvm::Error read(int64_t id, llvm::MutableArrayRef<float *> out) override;

private:
  llvm::Expected<Image> prepare(const std::string &file) const;
  void fill(const Image &image, float *out) const;

  std::vector<std::string> files;
  const InputSpec &input;
  const ImageRule &rule;
  bool channelsLast = false;
  int64_t channels = 0, height = 0, width = 0;
};

} // namespace

static bool isChannelCount(int64_t count) { return count == 1 || count == 3; }

int64_t ImageRule::getChannelAxis(llvm::ArrayRef<int64_t> shape) const {
  return channelsLast.value_or(shape.size() == 4 && !isChannelCount(shape[1]))
             ? 3
             : 1;
}

llvm::Error ImageSource::check() {
  llvm::ArrayRef<int64_t> shape = input.shape;
  const int64_t axis = rule.getChannelAxis(shape);
  if (!isFloat(input.type) || shape.size() != 4 || shape[0] != 1 ||
      !isChannelCount(shape[axis]))
    return makeError(
        444,
        "images do not fit input '" + input.name + "' of shape " +
            formatShape(shape),
        {"expected is a float input of 1x3xHxW or 1x1xHxW, or of 1xHxWx3 or "
         "1xHxWx1"},
        "bind a batch of one with --shape " + input.name + "=1x3xHxW");
  channelsLast = axis == 3;
  channels = shape[axis];
  height = shape[channelsLast ? 1 : 2];
  width = shape[channelsLast ? 2 : 3];
  if (rule.cropHeight && (rule.cropHeight != height || rule.cropWidth != width))
    return makeError(444, "crop=" + std::to_string(rule.cropHeight) + "x" +
                              std::to_string(rule.cropWidth) +
                              " is not the size of input '" + input.name +
                              "', " + std::to_string(height) + "x" +
                              std::to_string(width));
  for (size_t length : {rule.affine.first.size(), rule.affine.second.size()})
    if (length != 1 && int64_t(length) != channels)
      return makeError(444, "a list of " + std::to_string(length) +
                                " values does not fit the " +
                                std::to_string(channels) +
                                " channels of input '" + input.name + "'");
  return llvm::Error::success();
}

/// The image resized and cropped to the input's size.
llvm::Expected<Image> ImageSource::prepare(const std::string &file) const {
  auto buffer = readFile(file);
  if (!buffer)
    return buffer.takeError();
  auto image = decodeImage((*buffer)->getBuffer(), file);
  if (!image)
    return image;
  auto [wide, high] =
      resizedSize(rule, image->width, image->height, width, height);
  if (wide < width || high < height || wide > kMaxPixels / high)
    return makeError(444,
                     "'" + file + "' is resized to " + std::to_string(high) +
                         "x" + std::to_string(wide) + ", but input '" +
                         input.name + "' takes " + std::to_string(height) +
                         "x" + std::to_string(width),
                     {}, "resize to that size at least");
  Image resized = resizeBilinear(*image, wide, high);
  // Halves go to the even neighbour, as in Python's round.
  int64_t left = int64_t(std::nearbyint(double(wide - width) / 2));
  int64_t top = int64_t(std::nearbyint(double(high - height) / 2));
  Image cropped{width, height, {}};
  for (int64_t y = 0; y < height; ++y) {
    const uint8_t *row = resized.rgb.data() + ((top + y) * wide + left) * 3;
    cropped.rgb.insert(cropped.rgb.end(), row, row + width * 3);
  }
  return cropped;
}

/// The channel `c` of a pixel; grey is ITU-R 601 luma in 16 bits.
static uint8_t channelOf(const uint8_t *pixel, int64_t c, int64_t channels,
                         bool bgr) {
  if (channels == 1)
    return uint8_t(
        (pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >>
        16);
  return pixel[bgr ? 2 - c : c];
}

void ImageSource::fill(const Image &image, float *out) const {
  int64_t area = width * height;
  for (int64_t c = 0; c < channels; ++c) {
    float table[256];
    for (int value = 0; value < 256; ++value)
      table[value] = rule.affine.apply(uint8_t(value), c);
    for (int64_t i = 0; i < area; ++i)
      out[channelsLast ? i * channels + c : c * area + i] =
          table[channelOf(image.rgb.data() + i * 3, c, channels, rule.bgr)];
  }
}

llvm::Error ImageSource::read(int64_t id, llvm::MutableArrayRef<float *> out) {
  auto image = prepare(files[id]);
  if (!image)
    return image.takeError();
  fill(*image, out.front());
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<SampleSource>>
calibration::makeImageSource(std::vector<std::string> files,
                             llvm::ArrayRef<InputSpec> inputs) {
  if (inputs.size() != 1)
    return makeError(445,
                     "images are data for one input, but the model has " +
                         std::to_string(inputs.size()),
                     {}, "store the samples as .npz, one array an input");
  const InputSpec &input = inputs.front();
  if (!input.image)
    return makeError(445,
                     "the data are images, but nothing says how they become "
                     "samples of input '" +
                         input.name + "'",
                     {},
                     "add --input " + input.name +
                         ":image,resize=256,mean=0.485,0.456,0.406,"
                         "std=0.229,0.224,0.225 as the model was trained");
  auto source = std::make_unique<ImageSource>(std::move(files), input);
  if (llvm::Error error = source->check())
    return std::move(error);
  return std::unique_ptr<SampleSource>(std::move(source));
}
