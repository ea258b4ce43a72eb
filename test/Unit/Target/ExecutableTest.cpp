// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model linked with the driver into a program, run as a user would.

#include "ScratchFolder.h"
#include "TestAbi.h"
#include "qopt/Support/File.h"
#include "qopt/Target/Link.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Program.h"

extern "C" {
#include "npy.h"
}

using namespace mlir::qopt;
using namespace mlir::qopt::target;

namespace {

/// The program is linked once for all tests of this file.
class Executable : public testing::Test {
protected:
  static void SetUpTestSuite() {
    folder = new ScratchFolder();
    link("doubler", doublerObject(doublerSpec()), "doubler_model");
    AbiSpec bare = doublerSpec();
    bare.helpers = false;
    link("bare", doublerObject(bare), "doubler_model");
    link("subtracter", subtracterObject(), "subtracter_model");
  }
  static void link(const char *file, const std::string &object,
                   llvm::StringRef model) {
    auto target = unwrap(resolveTarget("x86_64-linux-gnu", "x86-64"));
    ASSERT_EQ(errorOf(linkExecutable(object, model, target,
                                     QOPT_RUNTIME_ARCHIVE, *folder / file)),
              "");
  }
  static void TearDownTestSuite() { delete folder; }

  /// Exit code of a run; what it printed is in `output` and `errors`.
  int run(std::vector<std::string> arguments,
          const std::string &program = "doubler") {
    arguments.insert(arguments.begin(), *folder / program);
    std::vector<llvm::StringRef> references(arguments.begin(), arguments.end());
    std::string out = *folder / "stdout", err = *folder / "stderr";
    // LLVM writes over what is there without cutting it off.
    llvm::sys::fs::remove(out);
    llvm::sys::fs::remove(err);
    std::optional<llvm::StringRef> redirects[] = {
        llvm::StringRef(), llvm::StringRef(out), llvm::StringRef(err)};
    int code = llvm::sys::ExecuteAndWait(arguments[0], references, std::nullopt,
                                         redirects, 20);
    output = unwrap(readFile(out))->getBuffer().str();
    errors = unwrap(readFile(err))->getBuffer().str();
    return code;
  }

  template <typename T>
  std::string write(const std::string &name, char kind,
                    std::vector<int64_t> dims, std::vector<T> values) {
    npy_array array = {kind, sizeof(T),     static_cast<uint32_t>(dims.size()),
                       {},   values.size(), values.data()};
    std::copy(dims.begin(), dims.end(), array.dims);
    npy_error error;
    EXPECT_EQ(npy_write((*folder / name).c_str(), &array, &error), 0);
    return *folder / name;
  }

  /// Shape and values of a file that the program wrote.
  template <typename T>
  std::pair<std::vector<int64_t>, std::vector<T>>
  read(const std::string &name) {
    npy_array array;
    npy_error error;
    if (npy_read((*folder / name).c_str(), &array, &error) != 0) {
      ADD_FAILURE() << error.text;
      return {};
    }
    EXPECT_EQ(array.item_size, sizeof(T));
    auto *data = static_cast<T *>(array.data);
    std::pair<std::vector<int64_t>, std::vector<T>> result{
        {array.dims, array.dims + array.rank}, {data, data + array.elements}};
    npy_free(&array);
    return result;
  }

  static ScratchFolder *folder;
  std::string output, errors;
};

ScratchFolder *Executable::folder = nullptr;

TEST_F(Executable, OneSampleFromFloatToFloat) {
  std::string x = write<float>("x.npy", 'f', {1, 4}, {1.5f, -2, 0, 3});
  ASSERT_EQ(run({"--in", "x.1=" + x, "--out", "y=" + (*folder / "y.npy")}), 0)
      << errors;
  auto [shape, values] = read<float>("y.npy");
  EXPECT_EQ(shape, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(values, (std::vector<float>{3, -4, 0, 6}));
}

TEST_F(Executable, ManySamplesWithNamesLeftOut) {
  std::string x =
      write<double>("x.npy", 'f', {2, 1, 4}, {1, 2, 3, 4, -1, -2, -3, -4});
  ASSERT_EQ(run({"--in", x, "--out", *folder / "y.npy"}), 0) << errors;
  auto [shape, values] = read<float>("y.npy");
  EXPECT_EQ(shape, (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(values, (std::vector<float>{2, 4, 6, 8, -2, -4, -6, -8}));
}

TEST_F(Executable, IntegersGoInAndOutAsTheyAre) {
  std::string x =
      write<int8_t>("x.npy", 'i', {3, 4}, {1, 2, 3, 4, 1, 1, 1, 1, 5, 6, 7, 8});
  for (const char *program : {"doubler", "bare"}) {
    ASSERT_EQ(
        run({"--in", x, "--out", *folder / "y.npy", "--raw", "--threads", "2"},
            program),
        0)
        << errors;
    auto [shape, values] = read<int16_t>("y.npy");
    EXPECT_EQ(shape, (std::vector<int64_t>{3, 4}));
    EXPECT_EQ(values,
              (std::vector<int16_t>{0, 4, 8, 12, 0, 0, 0, 0, 16, 20, 24, 28}));
  }
}

TEST_F(Executable, WithoutHelpersFloatsGoOutButNotIn) {
  std::string q = write<int8_t>("q.npy", 'i', {4}, {1, 2, 3, 4});
  ASSERT_EQ(run({"--in", q, "--out", *folder / "y.npy"}, "bare"), 0);
  EXPECT_EQ(read<float>("y.npy").second, (std::vector<float>{0, 1, 2, 3}));
  std::string x = write<float>("x.npy", 'f', {4}, {1, 2, 3, 4});
  EXPECT_EQ(run({"--in", x, "--out", *folder / "y.npy"}, "bare"), 4);
  EXPECT_NE(errors.find("--io=float"), std::string::npos);
}

TEST_F(Executable, SeveralInputsHaveEquallyManySamples) {
  std::string two = write<int8_t>("two.npy", 'i', {2}, {7, 9});
  std::string same = write<int8_t>("same.npy", 'i', {2}, {1, 4});
  std::string three = write<int8_t>("three.npy", 'i', {3}, {1, 2, 3});
  std::string y = *folder / "y.npy";
  ASSERT_EQ(run({"--in", "b=" + same, "--in", "a=" + two, "--out", y, "--raw"},
                "subtracter"),
            0)
      << errors;
  EXPECT_EQ(read<int8_t>("y.npy").second, (std::vector<int8_t>{6, 5}));
  EXPECT_EQ(
      run({"--in", "a=" + two, "--in", "b=" + three, "--out", y}, "subtracter"),
      4);
  EXPECT_EQ(
      run({"--in", "a=" + three, "--in", "b=" + two, "--out", y}, "subtracter"),
      4);
  EXPECT_EQ(run({"--in", "a=" + two, "--out", y}, "subtracter"), 1);
}

TEST_F(Executable, BenchPrintsOneLineOfJson) {
  ASSERT_EQ(run({"--bench", "0.05"}), 0) << errors;
  auto parsed = llvm::json::parse(output);
  ASSERT_TRUE(bool(parsed)) << output;
  const llvm::json::Object *object = parsed->getAsObject();
  ASSERT_TRUE(object);
  EXPECT_EQ(llvm::StringRef(output).count('\n'), 1u);
  auto figure = [&](const char *key) {
    return object->getInteger(key).value_or(-1);
  };
  EXPECT_GT(figure("runs"), 0);
  EXPECT_LE(figure("min_ns"), figure("p10_ns"));
  EXPECT_LE(figure("p10_ns"), figure("median_ns"));
  EXPECT_LE(figure("median_ns"), figure("p90_ns"));
  EXPECT_GE(figure("p90_ns"), 0);
}

TEST_F(Executable, InfoAndHelp) {
  ASSERT_EQ(run({"--info"}), 0);
  EXPECT_EQ(output, "{\"name\": \"doubler\"}\n");
  ASSERT_EQ(run({"--help"}), 0);
  EXPECT_NE(output.find("input x.1: int8 [1, 4], scale 0.5, zero point 1"),
            std::string::npos);
}

TEST_F(Executable, UsageErrors) {
  std::string x = write<float>("x.npy", 'f', {4}, {1, 2, 3, 4});
  const std::vector<std::vector<std::string>> lines = {
      {},
      {"--nonsense"},
      {"--in"},
      {"--in", x},
      {"--out", "y.npy"},
      {"--in", "z=" + x, "--out", "y.npy"},
      {"--in", x, "--in", "x.1=" + x},
      {"--bench", "-1"},
      {"--bench", "nan"},
      {"--bench", "1x"},
      {"--threads", "0"},
      {"--threads", "1.5"},
      {"--threads", "99999999999"}};
  for (const auto &line : lines) {
    EXPECT_EQ(run(line), 1) << llvm::join(line, " ");
    EXPECT_EQ(errors.find("error: "), 0u) << llvm::join(line, " ");
  }
}

TEST_F(Executable, BadDataIsRefused) {
  std::string out = *folder / "never.npy";
  const std::vector<std::string> files = {
      *folder / "absent.npy",
      *folder / "doubler",
      write<float>("a.npy", 'f', {5}, {1, 2, 3, 4, 5}),
      write<float>("b.npy", 'f', {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}),
      write<float>("c.npy", 'f', {0, 4}, {}),
      write<uint8_t>("d.npy", 'u', {4}, {1, 2, 3, 4}),
      write<int16_t>("e.npy", 'i', {4}, {1, 2, 3, 4})};
  for (const std::string &file : files) {
    EXPECT_EQ(run({"--in", file, "--out", out}), 4) << file;
    EXPECT_EQ(errors.find("error: "), 0u) << file;
    EXPECT_EQ(run({"--bench", "0.01", "--in", file}), 4) << file;
  }
  EXPECT_FALSE(llvm::sys::fs::exists(out));
}

TEST_F(Executable, AnOutputThatCannotBeWritten) {
  std::string x = write<float>("x.npy", 'f', {4}, {1, 2, 3, 4});
  EXPECT_EQ(run({"--in", x, "--out", "/nonexistent/y.npy"}), 5);
}

TEST_F(Executable, TheLinkersRefusalIsAnError) {
  auto target = unwrap(resolveTarget("x86_64-linux-gnu", "x86-64"));
  std::string error =
      errorOf(linkExecutable(doublerObject(doublerSpec()), "absent_model",
                             target, QOPT_RUNTIME_ARCHIVE, *folder / "never"));
  EXPECT_NE(error.find("error[Q0504]"), std::string::npos);
  EXPECT_NE(error.find("absent_model"), std::string::npos);
  EXPECT_FALSE(llvm::sys::fs::exists(*folder / "never"));
}

} // namespace
