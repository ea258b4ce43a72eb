// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Image files as samples: decoding, Pillow's bilinear rule, the rule's items,
// raw files, and samples drawn by a seed.

#include "qopt/Calibration/DataImages.h"
#include "DataFiles.h"
#include "qopt/Calibration/DataSources.h"

#include "gtest/gtest.h"
#include <cstdio>
#include <jpeglib.h>
#include <png.h>
#include <random>
#include <zlib.h>

using namespace mlir::qopt::calibration;
using namespace qopt_test;

namespace {

/// Red, green and blue that change with every pixel.
Image pattern(int64_t width, int64_t height) {
  Image image{width, height, {}};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t value : {x * 7 + y * 13, x * x + 3 * y, x * y * 5 + 11})
        image.rgb.push_back(uint8_t(value % 256));
  return image;
}

/// The bytes of a PNG; `format` is libpng's.
std::string png(const std::vector<uint8_t> &pixels, unsigned width,
                unsigned height, unsigned format) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = format;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0,
                            nullptr);
  std::string bytes(size, '\0');
  png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0,
                            nullptr);
  bytes.resize(size);
  return bytes;
}

std::string png(const Image &image) {
  return png(image.rgb, image.width, image.height, PNG_FORMAT_RGB);
}

/// A JPEG of one colour, grey where there is one component.
std::string jpeg(int width, int height, std::vector<uint8_t> color) {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char *data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &data, &size);
  info.image_width = width;
  info.image_height = height;
  info.input_components = color.size();
  info.in_color_space = color.size() == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> row;
  for (int x = 0; x < width; ++x)
    row.insert(row.end(), color.begin(), color.end());
  for (int y = 0; y < height; ++y) {
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&info, &pointer, 1);
  }
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<char *>(data), size);
  jpeg_destroy_compress(&info);
  free(data);
  return bytes;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

TEST(DataImages, decodesPng) {
  Image image = pattern(5, 3);
  auto decoded = decodeImage(png(image), "a.png");
  ASSERT_TRUE(bool(decoded)) << text(decoded.takeError());
  EXPECT_EQ(decoded->width, 5);
  EXPECT_EQ(decoded->height, 3);
  EXPECT_EQ(decoded->rgb, image.rgb);
}

TEST(DataImages, greyAndAlphaBecomeRgb) {
  auto grey = decodeImage(png({0, 100, 255}, 3, 1, PNG_FORMAT_GRAY), "g.png");
  ASSERT_TRUE(bool(grey));
  EXPECT_EQ(grey->rgb,
            (std::vector<uint8_t>{0, 0, 0, 100, 100, 100, 255, 255, 255}));
  auto alpha = decodeImage(
      png({9, 8, 7, 0, 6, 5, 4, 255}, 2, 1, PNG_FORMAT_RGBA), "a.png");
  ASSERT_TRUE(bool(alpha));
  EXPECT_EQ(alpha->rgb, (std::vector<uint8_t>{9, 8, 7, 6, 5, 4}));
}

TEST(DataImages, decodesJpeg) {
  for (const std::vector<uint8_t> &color :
       {std::vector<uint8_t>{200, 40, 90}, std::vector<uint8_t>{77}}) {
    auto decoded = decodeImage(jpeg(17, 9, color), "a.jpg");
    ASSERT_TRUE(bool(decoded)) << text(decoded.takeError());
    EXPECT_EQ(decoded->width, 17);
    EXPECT_EQ(decoded->height, 9);
    for (size_t i = 0; i < decoded->rgb.size(); ++i)
      EXPECT_NEAR(decoded->rgb[i], color[i % color.size()], 2);
  }
}

TEST(DataImages, refusesDamagedFiles) {
  for (const std::string &bytes :
       {png(pattern(20, 20)), jpeg(40, 40, {1, 2, 3})})
    for (size_t length = 0; length < bytes.size(); ++length) {
      // A JPEG without its last marker is whole.
      if (bytes[0] != '\x89' && length + 2 >= bytes.size())
        continue;
      auto cut = decodeImage(llvm::StringRef(bytes).take_front(length), "c");
      EXPECT_FALSE(bool(cut)) << length << " of " << bytes.size();
      // Up to its signature a file could be anything.
      size_t signature = bytes[0] == '\x89' ? 8 : 3;
      if (!cut)
        EXPECT_TRUE(refuses(text(cut.takeError()),
                            length < signature ? "Q0443" : "Q0442"));
    }
}

TEST(DataImages, survivesChangedBytes) {
  std::mt19937 random(3);
  for (const std::string &bytes :
       {png(pattern(20, 20)), jpeg(40, 40, {90, 2, 200})})
    for (int round = 0; round < 400; ++round) {
      std::string damaged = bytes;
      for (int i = 0; i < 3; ++i)
        damaged[random() % damaged.size()] = char(random());
      auto image = decodeImage(damaged, "d");
      if (!image)
        llvm::consumeError(image.takeError());
      else
        EXPECT_EQ(int64_t(image->rgb.size()), image->width * image->height * 3);
    }
}

TEST(DataImages, refusesTooManyPixels) {
  std::string bytes = png(pattern(2, 2));
  // The header's width and height, and its checksum.
  bytes.replace(16, 8, std::string("\0\1\0\0\0\1\0\0", 8));
  uLong sum = crc32(0, reinterpret_cast<const Bytef *>(&bytes[12]), 17);
  for (int i = 0; i < 4; ++i)
    bytes[29 + i] = char(sum >> (24 - 8 * i));
  auto image = decodeImage(bytes, "huge.png");
  ASSERT_FALSE(bool(image));
  EXPECT_TRUE(refuses(text(image.takeError()), "Q0443",
                      {"'huge.png' has more than 67108864 pixels"}));
}

//===----------------------------------------------------------------------===//
// Resizing
//===----------------------------------------------------------------------===//

/// Pillow 13.0's Image.resize(..., BILINEAR) of `pattern`: the first 48 bytes,
/// and the sum of all.
struct Golden {
  int64_t width, height, toWidth, toHeight;
  std::vector<int> bytes;
  int64_t sum;
};

TEST(DataImages, resizesAsPillow) {
  const Golden goldens[] = {
      {13,
       9,
       5,
       4,
       {18, 4,  15, 35, 14,  25, 53,  39,  36, 71,  78,  47,  88,  122, 56, 44,
        11, 26, 61, 21, 59,  79, 46,  97,  97, 85,  133, 114, 129, 161, 74, 17,
        38, 91, 27, 97, 109, 52, 160, 127, 91, 155, 144, 135, 106, 100, 24, 49},
       4897},
      {6,
       5,
       11,
       7,
       {0,  0,  11, 2,  0,  11, 6,  1,  11, 10, 2,  11, 14, 4,  11, 18,
        7,  11, 21, 9,  11, 25, 13, 11, 29, 17, 11, 33, 22, 11, 35, 25,
        11, 7,  2,  11, 9,  2,  12, 13, 3,  13, 17, 4,  15, 21, 6,  17},
       7284},
      {40,
       30,
       8,
       8,
       {39,  14,  32,  71,  58,  71,  106, 143, 103, 141, 103, 105,
        176, 135, 119, 206, 124, 95,  155, 101, 112, 55,  133, 112,
        83,  24,  74,  115, 68,  139, 150, 153, 130, 185, 113, 129,
        201, 145, 134, 134, 134, 130, 54,  111, 127, 66,  120, 126},
       23277},
  };
  for (const Golden &golden : goldens) {
    Image image = resizeBilinear(pattern(golden.width, golden.height),
                                 golden.toWidth, golden.toHeight);
    ASSERT_EQ(int64_t(image.rgb.size()), golden.toWidth * golden.toHeight * 3);
    int64_t sum = 0;
    for (size_t i = 0; i < image.rgb.size(); ++i) {
      sum += image.rgb[i];
      if (i < golden.bytes.size())
        EXPECT_NEAR(image.rgb[i], golden.bytes[i], 1) << i;
    }
    EXPECT_NEAR(sum, golden.sum, double(image.rgb.size()) / 50);
  }
}

TEST(DataImages, sameSizeChangesNothing) {
  Image image = pattern(7, 6);
  EXPECT_EQ(resizeBilinear(image, 7, 6).rgb, image.rgb);
}

TEST(DataImages, shorterSideKeepsTheProportion) {
  ImageRule rule;
  rule.shorterSide = 256;
  using Size = std::pair<int64_t, int64_t>;
  EXPECT_EQ(resizedSize(rule, 500, 375, 224, 224), Size(341, 256));
  EXPECT_EQ(resizedSize(rule, 375, 500, 224, 224), Size(256, 341));
  EXPECT_EQ(resizedSize(rule, 10, 10, 224, 224), Size(256, 256));
  rule.shorterSide = 0;
  EXPECT_EQ(resizedSize(rule, 500, 375, 224, 200), Size(224, 200));
}

//===----------------------------------------------------------------------===//
// Folders
//===----------------------------------------------------------------------===//

std::vector<InputSpec> inputOf(std::vector<int64_t> shape,
                               const std::string &rule) {
  InputSpec input;
  input.name = "x";
  input.shape = std::move(shape);
  if (!rule.empty()) {
    auto parsed = parseImageOption(rule);
    EXPECT_TRUE(bool(parsed));
    if (parsed)
      input.image = parsed->second;
    else
      llvm::consumeError(parsed.takeError());
  }
  return {input};
}

std::vector<float> read(DataSet &data, int64_t index, size_t elements) {
  std::vector<float> values(elements);
  float *pointer = values.data();
  llvm::Error error = data.read(index, pointer);
  EXPECT_EQ(text(std::move(error)), "");
  return values;
}

TEST(DataImages, folderIsReadInOrder) {
  TempFolder folder;
  makeFolder(folder / "class");
  writeBytes(folder / "class/10.png", png({10, 11, 12}, 1, 1, PNG_FORMAT_RGB));
  writeBytes(folder / "class/9.PNG", png({1, 2, 3}, 1, 1, PNG_FORMAT_RGB));
  writeBytes(folder / "readme.txt", "not an image");
  auto inputs = inputOf({1, 3, 1, 1}, "x:image,scale=2,bias=0.5");
  auto data = DataSet::open(folder.str(), inputs);
  ASSERT_TRUE(bool(data)) << text(data.takeError());
  ASSERT_EQ((*data)->size(), 2);
  EXPECT_EQ(read(**data, 0, 3), (std::vector<float>{2.5f, 4.5f, 6.5f}));
  EXPECT_EQ(read(**data, 1, 3), (std::vector<float>{20.5f, 22.5f, 24.5f}));
}

TEST(DataImages, layoutOrderAndChannels) {
  TempFolder folder;
  writeBytes(folder / "a.png",
             png({10, 20, 30, 40, 50, 60}, 2, 1, PNG_FORMAT_RGB));
  auto first = [&](std::vector<int64_t> shape, const std::string &rule) {
    auto inputs = inputOf(shape, rule);
    auto data = DataSet::open(folder.str(), inputs);
    EXPECT_TRUE(bool(data));
    if (!data)
      return llvm::consumeError(data.takeError()), std::vector<float>();
    return read(**data, 0, shape[1] * shape[2] * shape[3]);
  };
  std::string raw = "x:image,scale=1";
  EXPECT_EQ(first({1, 3, 1, 2}, raw),
            (std::vector<float>{10, 40, 20, 50, 30, 60}));
  EXPECT_EQ(first({1, 1, 2, 3}, raw + ",layout=nhwc"),
            (std::vector<float>{10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(first({1, 3, 1, 2}, raw + ",order=bgr"),
            (std::vector<float>{30, 60, 20, 50, 10, 40}));
  EXPECT_EQ(first({1, 3, 1, 2}, "x:image,scale=1,bias=0,100,200"),
            (std::vector<float>{10, 40, 120, 150, 230, 260}));
  // Luma of (10, 20, 30) is 18.15, of (40, 50, 60) 48.15.
  EXPECT_EQ(first({1, 1, 1, 2}, raw), (std::vector<float>{18, 48}));
}

TEST(DataImages, cropsAroundTheCentre) {
  TempFolder folder;
  std::vector<uint8_t> grey;
  for (int i = 0; i < 7 * 4; ++i)
    grey.push_back(uint8_t(i));
  writeBytes(folder / "a.png", png(grey, 7, 4, PNG_FORMAT_GRAY));
  auto inputs = inputOf({1, 1, 2, 2}, "x:image,resize=4,crop=2,scale=1");
  auto data = DataSet::open(folder.str(), inputs);
  ASSERT_TRUE(bool(data)) << text(data.takeError());
  // Half of 7 - 2 goes to 2, half of 4 - 2 is 1.
  EXPECT_EQ(read(**data, 0, 4), (std::vector<float>{9, 10, 16, 17}));
}

TEST(DataImages, takesItemsFromAFile) {
  TempFolder folder;
  writeBytes(folder / "spec.txt",
             "# as trained\nresize=256\nmean=0.5,0.4,0.3  # rgb\n\n");
  auto parsed = parseImageOption("x:image,spec=" + folder / "spec.txt" +
                                 std::string(",crop=224"));
  ASSERT_TRUE(bool(parsed)) << text(parsed.takeError());
  EXPECT_EQ(parsed->second.shorterSide, 256);
  EXPECT_EQ(parsed->second.cropHeight, 224);
  EXPECT_EQ(parsed->second.affine.first,
            (std::vector<float>{0.5f, 0.4f, 0.3f}));
}

TEST(DataImages, refusesBadRules) {
  for (const char *rule :
       {"x:image,resize=0", "x:image,resize=2x", "x:image,resize=99999",
        "x:image,order=gbr", "x:image,layout=chw", "x:image,crop=a", ":image",
        "x:image,5", "x:image,mean=1,resize=4,5", "x:image,colour=1"})
    EXPECT_TRUE(refuses(text(parseImageOption(rule)), "Q0142")) << rule;
  EXPECT_TRUE(refuses(text(parseImageOption("x:image,spec=/none")), "Q0502"));
}

TEST(DataImages, refusesWhatDoesNotFit) {
  TempFolder folder;
  writeBytes(folder / "a.png", png(pattern(4, 4)));
  auto message = [&](std::vector<int64_t> shape, const std::string &rule) {
    auto inputs = inputOf(shape, rule);
    auto data = DataSet::open(folder.str(), inputs);
    if (!data)
      return text(data.takeError());
    std::vector<float> values(*countElements(shape));
    float *pointer = values.data();
    return text((*data)->read(0, pointer));
  };
  EXPECT_TRUE(refuses(message({1, 3, 4, 4}, ""), "Q0445",
                      {"the data are images", "--input x:image,resize"}));
  EXPECT_TRUE(refuses(message({1, 4, 4, 4}, "x:image"), "Q0444"));
  EXPECT_TRUE(refuses(message({3, 4, 4}, "x:image"), "Q0444"));
  EXPECT_TRUE(refuses(message({1, 3, 4, 4}, "x:image,crop=2"), "Q0444"));
  EXPECT_TRUE(refuses(message({1, 3, 4, 4}, "x:image,mean=1,2"), "Q0444"));
  EXPECT_TRUE(refuses(message({1, 3, 4, 4}, "x:image,resize=3"), "Q0444",
                      {"is resized to 3x3"}));
  auto two = inputOf({1, 3, 4, 4}, "x:image");
  two.push_back(two.front());
  EXPECT_TRUE(refuses(text(DataSet::open(folder.str(), two)), "Q0445"));
  TempFolder empty;
  EXPECT_TRUE(refuses(
      text(DataSet::open(empty.str(), inputOf({1, 3, 4, 4}, "x:image"))),
      "Q0445", {"is no folder with .jpg"}));
}

//===----------------------------------------------------------------------===//
// Raw files and seeds
//===----------------------------------------------------------------------===//

TEST(DataRaw, isReadByTypeAndShape) {
  TempFolder folder;
  writeBytes(folder / "a.bin", raw(std::vector<int16_t>{1, -2, 3, 4, 5, 6}));
  auto inputs = inputOf({1, 2}, "");
  auto data = DataSet::open("raw:i16:3x2:" + folder / "a.bin", inputs);
  ASSERT_TRUE(bool(data)) << text(data.takeError());
  ASSERT_EQ((*data)->size(), 3);
  EXPECT_EQ(read(**data, 0, 2), (std::vector<float>{1, -2}));
  EXPECT_EQ(read(**data, 2, 2), (std::vector<float>{5, 6}));
  EXPECT_TRUE(refuses(
      text(DataSet::open("raw:i16:4x2:" + folder / "a.bin", inputs)), "Q0442"));
  for (const char *spec : {"raw:i16:3x2:", "raw:i17:3x2:a", "raw:i16:3x:a",
                           "raw:i16:0x2:a", "raw:i16:a"})
    EXPECT_TRUE(refuses(text(DataSet::open(spec, inputs)), "Q0141")) << spec;
}

TEST(DataSeed, drawsWithoutRepetition) {
  std::vector<int64_t> ids = drawIds(100, 30, 7);
  ASSERT_EQ(ids.size(), 30u);
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_TRUE(ids[i] >= 0 && ids[i] < 100);
    EXPECT_TRUE(i == 0 || ids[i] > ids[i - 1]);
  }
  EXPECT_EQ(drawIds(100, 30, 7), ids);
  EXPECT_NE(drawIds(100, 30, 8), ids);
  EXPECT_EQ(drawIds(3, 5, 1), (std::vector<int64_t>{0, 1, 2}));
}

TEST(DataSeed, shardsOfADrawnSetAreTheDrawnSet) {
  auto inputs = inputOf({1, 2}, "");
  DataOptions options;
  options.limit = 10;
  options.seed = 5;
  auto whole = DataSet::open("random:uniform:0:1,n=1000", inputs, options);
  ASSERT_TRUE(bool(whole));
  std::vector<int64_t> ids, fromShards;
  for (int64_t i = 0; i < (*whole)->size(); ++i)
    ids.push_back((*whole)->id(i));
  ASSERT_EQ(ids.size(), 10u);
  EXPECT_GT(ids.back(), 10);
  options.shardCount = 3;
  for (options.shardIndex = 0; options.shardIndex < 3; ++options.shardIndex) {
    auto shard = DataSet::open("random:uniform:0:1,n=1000", inputs, options);
    ASSERT_TRUE(bool(shard));
    for (int64_t i = 0; i < (*shard)->size(); ++i)
      fromShards.push_back((*shard)->id(i));
  }
  std::sort(fromShards.begin(), fromShards.end());
  EXPECT_EQ(fromShards, ids);
}

} // namespace
