// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JPEG and PNG through libjpeg and libpng. Both leave a damaged file by
// longjmp: the functions that call them own nothing that has a destructor.

#include "qopt/Calibration/DataImages.h"
#include "qopt/Support/Error.h"
#include <csetjmp>
#include <cstdio>
#include <cstring>
// jpeglib.h needs stdio's types.
#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

namespace {

/// What a decoder leaves behind when it fails.
struct Failure {
  bool tooLarge = false;
  char text[JMSG_LENGTH_MAX] = "";
};

struct JpegErrors {
  jpeg_error_mgr base;
  jmp_buf jump;
  Failure *failure;
};

struct PngInput {
  const char *data;
  size_t size, position;
  Failure *failure;
};

} // namespace

static void onJpegError(j_common_ptr info) {
  auto *errors = reinterpret_cast<JpegErrors *>(info->err);
  info->err->format_message(info, errors->failure->text);
  longjmp(errors->jump, 1);
}

/// A file that ends early is only a warning to libjpeg, which makes pixels up.
static void onJpegMessage(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF)
    onJpegError(info);
}

/// Allocates the pixels; false where there would be too many.
static bool allocate(Image &image, uint64_t width, uint64_t height,
                     Failure &failure) {
  failure.tooLarge = width * height > uint64_t(kMaxPixels);
  if (failure.tooLarge)
    return false;
  image.width = int64_t(width);
  image.height = int64_t(height);
  image.rgb.resize(width * height * 3);
  return true;
}

static bool decodeJpeg(llvm::StringRef bytes, Image &image, Failure &failure) {
  jpeg_decompress_struct info;
  JpegErrors errors;
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = onJpegError;
  errors.base.emit_message = onJpegMessage;
  errors.failure = &failure;
  if (setjmp(errors.jump)) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char *>(bytes.data()),
               bytes.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  if (!allocate(image, info.output_width, info.output_height, failure)) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  while (info.output_scanline < info.output_height) {
    JSAMPROW row =
        image.rgb.data() + size_t(info.output_scanline) * info.output_width * 3;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

static void onPngError(png_structp png, png_const_charp text) {
  auto *input = static_cast<PngInput *>(png_get_error_ptr(png));
  std::snprintf(input->failure->text, sizeof(input->failure->text), "%s", text);
  png_longjmp(png, 1);
}

static void onPngWarning(png_structp, png_const_charp) {}

static void readPng(png_structp png, png_bytep out, size_t count) {
  auto *input = static_cast<PngInput *>(png_get_io_ptr(png));
  if (count > input->size - input->position)
    png_error(png, "the file ends early");
  std::memcpy(out, input->data + input->position, count);
  input->position += count;
}

static bool readPngPixels(png_structp png, png_infop info, PngInput &input,
                          Image &image, std::vector<png_bytep> &rows) {
  if (setjmp(png_jmpbuf(png)))
    return false;
  png_set_read_fn(png, &input, readPng);
  png_set_user_limits(png, uint32_t(1) << 20, uint32_t(1) << 20);
  png_read_info(png, info);
  if (!allocate(image, png_get_image_width(png, info),
                png_get_image_height(png, info), *input.failure))
    return false;
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_gray_to_rgb(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != size_t(image.width) * 3)
    png_error(png, "unexpected bytes a row");
  rows.resize(image.height);
  for (size_t y = 0; y != rows.size(); ++y)
    rows[y] = image.rgb.data() + y * size_t(image.width) * 3;
  png_read_image(png, rows.data());
  png_read_end(png, nullptr);
  return true;
}

static bool decodePng(llvm::StringRef bytes, Image &image, Failure &failure) {
  PngInput input{bytes.data(), bytes.size(), 0, &failure};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input,
                                           onPngError, onPngWarning);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  std::vector<png_bytep> rows;
  bool done = info && readPngPixels(png, info, input, image, rows);
  png_destroy_read_struct(&png, &info, nullptr);
  return done;
}

llvm::Expected<Image> calibration::decodeImage(llvm::StringRef bytes,
                                               llvm::StringRef name) {
  Image image;
  Failure failure;
  bool isPng = bytes.starts_with("\x89PNG\r\n\x1a\n");
  if (!isPng && !bytes.starts_with("\xff\xd8\xff"))
    return makeError(443, ("'" + name + "' is neither a JPEG nor a PNG").str());
  if (isPng ? decodePng(bytes, image, failure)
            : decodeJpeg(bytes, image, failure))
    return image;
  if (failure.tooLarge)
    return makeError(443, ("'" + name + "' has more than " +
                           llvm::Twine(kMaxPixels) + " pixels")
                              .str());
  return makeError(442, ("'" + name + "' is damaged: " + failure.text).str());
}
