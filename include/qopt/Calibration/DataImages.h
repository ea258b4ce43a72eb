// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Image files as samples: JPEG and PNG to pixels, pixels to the model's size.
#pragma once

#include "qopt/Calibration/DataSet.h"

namespace mlir::qopt::calibration {

/// 8-bit RGB, rows from the top, three bytes a pixel.
struct Image {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;
};

/// No image may have more pixels than this.
inline constexpr int64_t kMaxPixels = int64_t(1) << 26;

/// Decodes a JPEG or PNG file; which one its first bytes tell. Grey becomes
/// RGB, palettes are looked up, alpha is dropped, 16 bits become 8. `name` is
/// for messages. Q0442 (damaged), Q0443 (another format, or too large).
llvm::Expected<Image> decodeImage(llvm::StringRef bytes, llvm::StringRef name);

/// Pillow's bilinear rule: a triangle filter that widens with the reduction,
/// rows before columns, 8 bits between them. Within one level of it.
Image resizeBilinear(const Image &image, int64_t width, int64_t height);

/// The size `rule` asks for before cropping, for an image of this size and a
/// sample of `targetWidth` x `targetHeight`.
std::pair<int64_t, int64_t> resizedSize(const ImageRule &rule, int64_t width,
                                        int64_t height, int64_t targetWidth,
                                        int64_t targetHeight);

/// True for the names `.jpg`, `.jpeg` and `.png`, in any case.
bool isImageName(llvm::StringRef name);

/// The images in `folder` and the folders below it, numbers in names by value.
/// Empty where there are none. Q0441.
llvm::Expected<std::vector<std::string>> findImages(llvm::StringRef folder);

/// One sample an image for the one input of `inputs`, as its rule says. Q0444
/// (the rule does not fit the input's shape), Q0445 (no rule, or several
/// inputs). `inputs` must stay alive.
llvm::Expected<std::unique_ptr<SampleSource>>
makeImageSource(std::vector<std::string> files,
                llvm::ArrayRef<InputSpec> inputs);

} // namespace mlir::qopt::calibration
