// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bilinear resizing as Pillow defines it: along one axis each output pixel is
// a weighted mean of the input pixels under a triangle, whose half width is
// one output pixel where the image shrinks and one input pixel where it grows.

#include "qopt/Calibration/DataImages.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

namespace {

/// The input pixels under one output pixel, and their weights (sum 1).
struct Window {
  int64_t first = 0;
  std::vector<double> weights;
};

} // namespace

static std::vector<Window> makeWindows(int64_t from, int64_t to) {
  double scale = static_cast<double>(from) / static_cast<double>(to);
  double reach = std::max(scale, 1.0);
  std::vector<Window> windows(to);
  for (int64_t i = 0; i < to; ++i) {
    double center = (static_cast<double>(i) + 0.5) * scale;
    int64_t first = std::max<int64_t>(int64_t(center - reach + 0.5), 0);
    int64_t last = std::min<int64_t>(int64_t(center + reach + 0.5), from);
    double sum = 0;
    windows[i].first = first;
    for (int64_t x = first; x < last; ++x) {
      double distance = (static_cast<double>(x) - center + 0.5) / reach;
      double weight = std::max(1.0 - std::abs(distance), 0.0);
      windows[i].weights.push_back(weight);
      sum += weight;
    }
    for (double &weight : windows[i].weights)
      weight /= sum;
  }
  return windows;
}

static uint8_t roundToByte(double value) {
  return static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
}

/// Resizes along one axis: `lines` lines of pixels `step` bytes apart.
static void resizeLine(const uint8_t *from, size_t fromStep, uint8_t *to,
                       size_t toStep, const std::vector<Window> &windows) {
  for (const Window &window : windows) {
    double sums[3] = {0, 0, 0};
    const uint8_t *pixel = from + size_t(window.first) * fromStep;
    for (double weight : window.weights) {
      for (int c = 0; c < 3; ++c)
        sums[c] += weight * pixel[c];
      pixel += fromStep;
    }
    for (int c = 0; c < 3; ++c)
      to[c] = roundToByte(sums[c]);
    to += toStep;
  }
}

Image calibration::resizeBilinear(const Image &image, int64_t width,
                                  int64_t height) {
  Image wide{width, image.height, {}};
  wide.rgb.resize(size_t(width) * size_t(image.height) * 3);
  std::vector<Window> columns = makeWindows(image.width, width);
  for (int64_t y = 0; y < image.height; ++y)
    resizeLine(image.rgb.data() + size_t(y * image.width) * 3, 3,
               wide.rgb.data() + size_t(y * width) * 3, 3, columns);
  Image result{width, height, {}};
  result.rgb.resize(size_t(width) * size_t(height) * 3);
  std::vector<Window> rows = makeWindows(image.height, height);
  for (int64_t x = 0; x < width; ++x)
    resizeLine(wide.rgb.data() + size_t(x) * 3, size_t(width) * 3,
               result.rgb.data() + size_t(x) * 3, size_t(width) * 3, rows);
  return result;
}

std::pair<int64_t, int64_t>
calibration::resizedSize(const ImageRule &rule, int64_t width, int64_t height,
                         int64_t targetWidth, int64_t targetHeight) {
  if (rule.shorterSide == 0)
    return {rule.width ? rule.width : targetWidth,
            rule.height ? rule.height : targetHeight};
  int64_t shorter = std::min(width, height);
  // The longer side is rounded down, as torchvision's Resize does.
  return {width == shorter ? rule.shorterSide
                           : rule.shorterSide * width / shorter,
          height == shorter ? rule.shorterSide
                            : rule.shorterSide * height / shorter};
}
