// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// IDX, gzip, TensorProto and NPZ: what is read, and what is refused.

#include "DataFiles.h"
#include "qopt/Calibration/DataFormats.h"
#include "gtest/gtest.h"

using namespace mlir::qopt::calibration;
using namespace qopt_test;

static std::vector<float> floatsOf(llvm::StringRef path) {
  auto reader = openArrayFile(path);
  if (!reader) {
    ADD_FAILURE() << text(reader.takeError());
    return {};
  }
  std::vector<float> values((*reader)->getNumElements());
  EXPECT_EQ(text((*reader)->readFloats(0, values)), "");
  return values;
}

static std::string refusalOf(const TempFolder &folder, const std::string &bytes,
                             const std::string &name = "x") {
  writeBytes(folder / name, bytes);
  auto reader = openArrayFile(folder / name);
  return reader ? "" : text(reader.takeError());
}

TEST(DataIdx, plainAndGzip) {
  TempFolder folder;
  std::string images = idx(8, {2, 2, 2}, std::string("\0\1\2\3\4\5\6\xff", 8));
  writeBytes(folder / "images", images);
  writeGzip(folder / "images.gz", images);
  std::vector<float> expected = {0, 1, 2, 3, 4, 5, 6, 255};
  EXPECT_EQ(floatsOf(folder / "images"), expected);
  EXPECT_EQ(floatsOf(folder / "images.gz"), expected);
  writeBytes(folder / "f", idx(13, {1}, std::string("\x3f\xc0\0\0", 4)));
  EXPECT_EQ(floatsOf(folder / "f"), (std::vector<float>{1.5f}));
  writeBytes(folder / "i", idx(12, {1}, std::string("\xff\xff\xff\xfe", 4)));
  EXPECT_EQ(floatsOf(folder / "i"), (std::vector<float>{-2}));
  writeBytes(folder / "s", idx(11, {1}, std::string("\xff\xfe", 2)));
  EXPECT_EQ(floatsOf(folder / "s"), (std::vector<float>{-2}));
}

TEST(DataIdx, refusals) {
  TempFolder folder;
  EXPECT_TRUE(refuses(refusalOf(folder, idx(10, {1}, "a"), "x"), "Q0442",
                      {"element code"}));
  EXPECT_TRUE(refuses(refusalOf(folder, idx(8, {}, "a"), "x"), "Q0442"));
  EXPECT_TRUE(refuses(refusalOf(folder, idx(8, {3}, "ab"), "x"), "Q0442",
                      {"expects 11 bytes", "has 10"}));
  std::vector<unsigned> huge(8, 0xffffffffu);
  EXPECT_TRUE(refuses(refusalOf(folder, idx(8, huge, ""), "x"), "Q0442",
                      {"too large"}));
  // A gzip file cannot hold what this header claims.
  writeGzip(folder / "bomb.gz", idx(8, {0x40000000u}, "a"));
  EXPECT_TRUE(
      refuses(text(openArrayFile(folder / "bomb.gz")), "Q0442", {"at most"}));
}

TEST(DataIdx, gzipDamageIsFoundWhileReading) {
  TempFolder folder;
  std::string data;
  for (int i = 0; i < 5000; ++i)
    data += char(i * i * 31 >> 3);
  std::string whole = idx(8, {5000}, data);
  writeGzip(folder / "whole.gz", whole);
  std::string packed = readBytes(folder / "whole.gz");
  auto readAll = [&](const std::string &bytes) {
    writeBytes(folder / "x.gz", bytes);
    auto reader = openArrayFile(folder / "x.gz");
    if (!reader)
      return text(reader.takeError());
    std::vector<float> values((*reader)->getNumElements());
    return text((*reader)->readFloats(0, values));
  };
  EXPECT_EQ(readAll(packed), "");
  EXPECT_TRUE(refuses(readAll(packed.substr(0, packed.size() / 2)), "Q0442"));
  std::string badChecksum = packed;
  badChecksum[packed.size() - 6] ^= 1;
  EXPECT_TRUE(refuses(readAll(badChecksum), "Q0442", {"damaged gzip"}));
  writeGzip(folder / "long.gz", whole + "x");
  EXPECT_TRUE(
      refuses(readAll(readBytes(folder / "long.gz")), "Q0442", {"goes on"}));
}

TEST(DataTensorProto, typedAndRawFields) {
  auto parse = [](const std::string &bytes) {
    auto tensor = parseTensorProto(bytes, "t.pb");
    if (!tensor)
      return text(tensor.takeError());
    return tensor->bytes;
  };
  EXPECT_EQ(parse(countingProto({2, 1}, 2)), raw<float>({0, 1}));
  // Dimensions and elements may be packed or not.
  std::string dims = bytesField(1, varint(1) + varint(2));
  EXPECT_EQ(parse(dims + varintField(2, 1) + bytesField(4, raw<float>({3, 4}))),
            raw<float>({3, 4}));
  std::string single = varint(4 << 3 | 5);
  EXPECT_EQ(parse(dims + varintField(2, 1) + single + raw<float>({3}) + single +
                  raw<float>({4})),
            raw<float>({3, 4}));
  EXPECT_EQ(parse(dims + varintField(2, 3) + varintField(5, uint64_t(-5)) +
                  varintField(5, 6)),
            raw<int8_t>({-5, 6}));
  EXPECT_EQ(parse(dims + varintField(2, 7) +
                  bytesField(7, varint(uint64_t(-5)) + varint(6))),
            raw<int64_t>({-5, 6}));
  EXPECT_EQ(parse(dims + varintField(2, 10) +
                  bytesField(5, varint(0x3c00) + varint(0xbc00))),
            raw<uint16_t>({0x3c00, 0xbc00}));
  EXPECT_EQ(
      parse(dims + varintField(2, 11) + bytesField(10, raw<double>({1, 2}))),
      raw<double>({1, 2}));
  EXPECT_EQ(
      parse(dims + varintField(2, 12) + bytesField(11, varint(1) + varint(2))),
      raw<uint32_t>({1, 2}));
  auto named = parseTensorProto(countingProto({1}, 1) + bytesField(8, "x") +
                                    bytesField(12, "doc") + varintField(99, 1),
                                "t.pb");
  ASSERT_TRUE(static_cast<bool>(named));
  EXPECT_EQ(named->name, "x");
}

TEST(DataTensorProto, refusals) {
  auto refusal = [](const std::string &bytes) {
    return text(parseTensorProto(bytes, "t.pb"));
  };
  std::string one = varintField(1, 1);
  EXPECT_TRUE(refuses(refusal(""), "Q0443", {"data type 0", "t.pb"}));
  EXPECT_TRUE(refuses(refusal(one + varintField(2, 8)), "Q0443"));
  EXPECT_TRUE(refuses(refusal(one + bytesField(6, "s")), "Q0443", {"strings"}));
  EXPECT_TRUE(refuses(refusal(one + bytesField(3, "")), "Q0443", {"segment"}));
  EXPECT_TRUE(
      refuses(refusal(one + bytesField(13, "")), "Q0443", {"external"}));
  EXPECT_TRUE(
      refuses(refusal(one + varintField(14, 1)), "Q0443", {"external"}));
  EXPECT_TRUE(refuses(refusal(countingProto({3}, 2)), "Q0442",
                      {"expects 12 bytes, but got 8"}));
  EXPECT_TRUE(refuses(refusal(countingProto({-1}, 0)), "Q0442"));
  EXPECT_TRUE(
      refuses(refusal(countingProto({int64_t(1) << 40, int64_t(1) << 40}, 0)),
              "Q0442", {"too large"}));
  EXPECT_TRUE(
      refuses(refusal(countingProto({1}, 1) + bytesField(4, raw<float>({1}))),
              "Q0442", {"twice"}));
  // Field number 0, a group, a varint of 11 bytes, a length beyond the end.
  for (const std::string &bytes :
       {std::string("\0\0", 2), std::string("\x0b"), std::string(11, '\xff'),
        std::string("\x4a\x7f")})
    EXPECT_TRUE(refuses(refusal(bytes), "Q0442"));
  // A good tensor followed by a name cut by one byte, and by a field whose
  // varint needs 65 bits.
  std::string good = countingProto({1}, 1);
  std::string cut = bytesField(8, "xy");
  cut.pop_back();
  EXPECT_EQ(refusal(good), "");
  EXPECT_TRUE(refuses(refusal(good + cut), "Q0442"));
  EXPECT_TRUE(
      refuses(refusal(good + varint(99 << 3) + std::string(9, '\xff') + "\x02"),
              "Q0442"));
}

TEST(DataNpz, storedAndDeflated) {
  TempFolder folder;
  for (bool deflated : {false, true}) {
    writeZip(folder / "d.npz",
             {{"x.npy", countingNpy("(3, 2)", 6)},
              {"a/b.npy", countingNpy("(1,)", 1, 9)},
              {"readme.txt", "no array"}},
             deflated);
    auto names = listNpzArrays(folder / "d.npz");
    ASSERT_TRUE(static_cast<bool>(names));
    EXPECT_EQ(*names, (std::vector<std::string>{"a/b", "x"}));
    auto reader = openNpzArray(folder / "d.npz", "x");
    ASSERT_TRUE(static_cast<bool>(reader));
    EXPECT_EQ((*reader)->getShape().vec(), (std::vector<int64_t>{3, 2}));
    // Any order of positions gives the same elements.
    for (int64_t first : {4, 0, 2, 2, 5, 0}) {
      float value = -1;
      EXPECT_EQ(text((*reader)->readFloats(first, value)), "");
      EXPECT_EQ(value, first);
    }
    EXPECT_TRUE(refuses(text(openNpzArray(folder / "d.npz", "z")), "Q0442",
                        {"d.npz:z", "no such array"}));
  }
}

TEST(DataNpz, checksumIsCheckedAtTheEnd) {
  TempFolder folder;
  for (bool deflated : {false, true}) {
    writeZip(folder / "d.npz", {{"x.npy", countingNpy("(500,)", 500)}},
             deflated);
    std::string bytes = readBytes(folder / "d.npz");
    std::vector<float> values(500);
    auto readAll = [&]() -> std::string {
      auto reader = openNpzArray(folder / "d.npz", "x");
      if (!reader)
        return text(reader.takeError());
      return text((*reader)->readFloats(0, values));
    };
    EXPECT_EQ(readAll(), "");
    // In the middle of the member: the directory is a small part of the file.
    bytes[bytes.size() / 2] ^= 1;
    writeBytes(folder / "d.npz", bytes);
    EXPECT_TRUE(refuses(readAll(), "Q0442", {"d.npz:x"})) << deflated;
  }
}

TEST(DataNpz, refusesImpossibleSizes) {
  TempFolder folder;
  writeZip(folder / "d.npz", {{"x.npy", countingNpy("(50000,)", 50000)}}, true);
  std::string bytes = readBytes(folder / "d.npz");
  size_t central = bytes.rfind("PK\x01\x02");
  ASSERT_NE(central, std::string::npos);
  for (int i = 0; i < 3; ++i)
    bytes[central + 24 + i] = char(0xff);
  bytes[central + 27] = 0x7f;
  writeBytes(folder / "d.npz", bytes);
  EXPECT_TRUE(refuses(text(openNpzArray(folder / "d.npz", "x")), "Q0442"));
  writeBytes(folder / "e.npz", "PK\x03\x04 nothing");
  EXPECT_TRUE(refuses(text(listNpzArrays(folder / "e.npz")), "Q0442"));
}

TEST(DataFiles, unknownAndMissing) {
  TempFolder folder;
  EXPECT_TRUE(refuses(refusalOf(folder, "\x89PNG....", "x.png"), "Q0441",
                      {"x.png", "89504e47", ".npz"}));
  EXPECT_TRUE(refuses(refusalOf(folder, "", "empty"), "Q0442", {"empty"}));
  EXPECT_TRUE(refuses(text(openArrayFile(folder / "none")), "Q0441", {"none"}));
  EXPECT_TRUE(refuses(text(openArrayFile(folder.str())), "Q0441",
                      {"not a regular file"}));
  EXPECT_TRUE(refuses(text(openArrayFile("/dev/zero")), "Q0441"));
}
