// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NPY: every element kind, the header's forms, its refusals, and the writer.

#include "DataFiles.h"
#include "qopt/Calibration/DataFormats.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

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
                             const std::string &name = "x.npy") {
  writeBytes(folder / name, bytes);
  auto reader = openArrayFile(folder / name);
  return reader ? "" : text(reader.takeError());
}

TEST(DataNpy, everyKindAndBothByteOrders) {
  TempFolder folder;
  struct Case {
    const char *descr;
    std::string data;
    std::vector<float> expected;
  };
  const Case cases[] = {
      {"<f4", raw<float>({1.5f, -2.0f}), {1.5f, -2.0f}},
      {"=f4", raw<float>({1.5f, -2.0f}), {1.5f, -2.0f}},
      {">f4", std::string("\x3f\xc0\0\0\xc0\0\0\0", 8), {1.5f, -2.0f}},
      {"<f8", raw<double>({0.1, -3.0}), {0.1f, -3.0f}},
      {"<f2", raw<uint16_t>({0x3c00, 0x8001}), {1.0f, -0x1p-24f}},
      {"|i1", raw<int8_t>({-128, 127}), {-128.0f, 127.0f}},
      {"|u1", raw<uint8_t>({0, 255}), {0.0f, 255.0f}},
      {"<i2", raw<int16_t>({-32768, 7}), {-32768.0f, 7.0f}},
      {">i2", std::string("\x80\0\0\x07", 4), {-32768.0f, 7.0f}},
      {"<u2", raw<uint16_t>({65535, 1}), {65535.0f, 1.0f}},
      {"<i4", raw<int32_t>({-5, 16777217}), {-5.0f, 16777216.0f}},
      {"<u4", raw<uint32_t>({4294967295u, 2}), {4294967296.0f, 2.0f}},
      {"<i8", raw<int64_t>({-9, 1}), {-9.0f, 1.0f}},
      {"<u8", raw<uint64_t>({uint64_t(1) << 63, 1}), {0x1p63f, 1.0f}},
      {"|b1", std::string("\0\x05", 2), {0.0f, 1.0f}},
      {"?", std::string("\0\x01", 2), {0.0f, 1.0f}},
  };
  for (const Case &c : cases) {
    writeBytes(folder / "x.npy", npy(c.descr, "(2,)", c.data));
    EXPECT_EQ(floatsOf(folder / "x.npy"), c.expected) << c.descr;
  }
}

TEST(DataNpy, halfPrecisionIsExactForEveryPattern) {
  TempFolder folder;
  std::vector<uint16_t> bits;
  for (int i = 0; i < 65536; ++i)
    bits.push_back(i);
  writeBytes(folder / "x.npy", npy("<f2", "(65536,)", raw(bits)));
  std::vector<float> values = floatsOf(folder / "x.npy");
  ASSERT_EQ(values.size(), bits.size());
  for (int i = 0; i < 65536; ++i) {
    int exponent = (i >> 10) & 31, fraction = i & 1023;
    float magnitude = exponent ? std::ldexp(1024.0f + fraction, exponent - 25)
                               : std::ldexp(float(fraction), -24);
    if (exponent == 31)
      magnitude = fraction ? NAN : INFINITY;
    if (std::isnan(magnitude))
      EXPECT_TRUE(std::isnan(values[i])) << i;
    else
      EXPECT_EQ(values[i], i & 0x8000 ? -magnitude : magnitude) << i;
  }
}

TEST(DataNpy, versionsSpacesAndKeyOrder) {
  TempFolder folder;
  std::string header =
      "{ \"shape\" : ( 1L , 3 ) , 'descr':'<f4','fortran_order':  True}\n";
  std::string bytes("\x93NUMPY\x03\x00", 8);
  bytes += char(header.size());
  bytes += std::string(3, '\0') + header + raw<float>({1, 2, 3});
  writeBytes(folder / "x.npy", bytes);
  // Column-major is the same as row-major where one axis is long.
  EXPECT_EQ(floatsOf(folder / "x.npy"), (std::vector<float>{1, 2, 3}));
  writeBytes(folder / "s.npy", npy("<f4", "()", raw<float>({7})));
  EXPECT_EQ(floatsOf(folder / "s.npy"), (std::vector<float>{7}));
}

TEST(DataNpy, refusesWhatIsNotNumbers) {
  TempFolder folder;
  for (const char *descr :
       {"|O", "<U21", "|S4", "<c8", "<M8[s]", "|V2", "<f3", "", "|f4", "\xff"})
    EXPECT_TRUE(refuses(refusalOf(folder, npy(descr, "(1,)", "aaaa")), "Q0443",
                        {"x.npy"}))
        << descr;
  EXPECT_TRUE(refuses(refusalOf(folder, npy("<U21", "(1,)", "")), "Q0443",
                      {"strings", "astype(numpy.float32)"}));
  std::string structured = npy("<f4", "(1,)", "aaaa");
  structured.replace(structured.find("'<f4'"), 5, "[(  )");
  EXPECT_TRUE(refuses(refusalOf(folder, structured), "Q0443", {"structured"}));
  EXPECT_TRUE(refuses(
      refusalOf(folder, npy("<f4", "(2, 2)", raw<float>({1, 2, 3, 4}), "True")),
      "Q0443", {"column-major", "ascontiguousarray"}));
}

TEST(DataNpy, refusesHostileHeaders) {
  TempFolder folder;
  const char *shapes[] = {"(-1,)",
                          "(1",
                          "(1 2)",
                          "(,)",
                          "(99999999999999999999999,)",
                          "(9223372036854775808,)",
                          "(4294967296, 4294967296)",
                          "(65536, 65536, 65536, 65536)",
                          "(281474976710657,)",
                          "(1.5,)",
                          "[1]",
                          "None",
                          "(1,), 'shape': (1,)"};
  for (const char *shape : shapes)
    EXPECT_TRUE(refuses(refusalOf(folder, npy("<f4", shape, "aaaa")), "Q0442"))
        << shape;
  std::string deep = "(";
  for (int i = 0; i < 33; ++i)
    deep += "1, ";
  EXPECT_TRUE(
      refuses(refusalOf(folder, npy("<f4", deep + ")", "aaaa")), "Q0442"));
  std::string longHeader("\x93NUMPY\x02\x00\xff\xff\xff\xff{", 13);
  EXPECT_TRUE(refuses(refusalOf(folder, longHeader), "Q0442", {"64 KiB"}));
  std::string version = countingNpy("(1,)", 1);
  version[6] = 9;
  EXPECT_TRUE(refuses(refusalOf(folder, version), "Q0442", {"version"}));
  // Too few bytes, and too many.
  EXPECT_TRUE(refuses(refusalOf(folder, countingNpy("(3,)", 2)), "Q0442",
                      {"expects 140 bytes", "has 136"}));
  EXPECT_TRUE(
      refuses(refusalOf(folder, countingNpy("(3,)", 4)), "Q0442", {"has 144"}));
}

TEST(DataNpy, writesWhatNumpyWrites) {
  TempFolder folder;
  std::vector<float> values = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(text(writeNpy<float>(folder / "y.npy", {2, 3}, values)), "");
  EXPECT_EQ(readBytes(folder / "y.npy"), npy("<f4", "(2, 3)", raw(values)));
  EXPECT_EQ(text(writeNpy<int8_t>(folder / "y.npy", {2}, {-1, 1})), "");
  EXPECT_EQ(readBytes(folder / "y.npy"),
            npy("|i1", "(2,)", raw<int8_t>({-1, 1})));
  EXPECT_EQ(text(writeNpy<int16_t>(folder / "y.npy", {}, {300})), "");
  EXPECT_EQ(readBytes(folder / "y.npy"), npy("<i2", "()", raw<int16_t>({300})));
  EXPECT_EQ(text(writeNpy<int64_t>(folder / "y.npy", {1}, {-300})), "");
  EXPECT_EQ(floatsOf(folder / "y.npy"), (std::vector<float>{-300}));
  EXPECT_TRUE(
      refuses(text(writeNpy<float>(folder / "y.npy", {4}, values)), "Q0700"));
  EXPECT_TRUE(refuses(text(writeNpy<float>(folder / "no/y.npy", {6}, values)),
                      "Q0501"));
}

TEST(DataArray, integers) {
  TempFolder folder;
  writeBytes(folder / "x.npy",
             npy("<i8", "(2,)", raw<int64_t>({INT64_MIN, INT64_MAX})));
  auto reader = openArrayFile(folder / "x.npy");
  ASSERT_TRUE(static_cast<bool>(reader));
  int64_t values[2];
  EXPECT_EQ(text((*reader)->readIntegers(0, values)), "");
  EXPECT_EQ(values[0], INT64_MIN);
  EXPECT_EQ(values[1], INT64_MAX);
  EXPECT_TRUE(refuses(text((*reader)->readIntegers(1, values)), "Q0700"));
  writeBytes(folder / "u.npy", npy("<u8", "(1,)", raw<uint64_t>({~0ull})));
  auto unsignedReader = openArrayFile(folder / "u.npy");
  ASSERT_TRUE(static_cast<bool>(unsignedReader));
  EXPECT_TRUE(refuses(text((*unsignedReader)->readIntegers(0, {values, 1})),
                      "Q0446", {"18446744073709551615", "element 0"}));
  writeBytes(folder / "f.npy", countingNpy("(1,)", 1));
  auto floatReader = openArrayFile(folder / "f.npy");
  ASSERT_TRUE(static_cast<bool>(floatReader));
  EXPECT_TRUE(
      refuses(text((*floatReader)->readIntegers(0, {values, 1})), "Q0443"));
}
