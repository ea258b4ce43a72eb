// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models from files and memory to objects and results, through the C API.

#include "Api.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

using namespace qopt_test;

extern "C" const char *qopt_test_version_from_c(void);

namespace {

std::string get(const Result &result, const char *kind) {
  const void *bytes = nullptr;
  size_t size = 0;
  if (qopt_result_get(result.get(), kind, &bytes, &size) != QOPT_OK)
    return "";
  EXPECT_EQ(static_cast<const char *>(bytes)[size], 0);
  return std::string(static_cast<const char *>(bytes), size);
}

Result compile(const Source &source, const Options &options) {
  qopt_result *result = nullptr;
  EXPECT_EQ(qopt_compile(source.get(), options.get(), &result), QOPT_OK)
      << lastError().message;
  return Result(result);
}

Program load(const Result &result) {
  qopt_program *program = nullptr;
  EXPECT_EQ(qopt_program_create(result.get(), &program), QOPT_OK)
      << lastError().message;
  return Program(program);
}

/// 32 samples of mlp's input, and a run over them.
class Mlp : public ::testing::Test {
protected:
  std::vector<int64_t> inDims{32, 8}, outDims{32, 3};
  std::vector<float> x = makeValues(32 * 8), y = std::vector<float>(32 * 3);
  Source source = openModel("mlp");
  Options options = makeOptions({{"range", "minmax"}});

  void setSamples() {
    qopt_array array = arrayOf(inDims, x);
    ASSERT_EQ(qopt_options_set_samples(options.get(), &array, 1), QOPT_OK)
        << lastError().message;
  }
  std::vector<float> run(const Program &program) {
    qopt_array in = arrayOf(inDims, x), out = arrayOf(outDims, y);
    EXPECT_EQ(qopt_program_run(program.get(), &in, 1, &out, 1), QOPT_OK)
        << lastError().message;
    return y;
  }
};

/// mlp.onnx in float64.
std::vector<double> mlpInFloat(const float *x) {
  static const double w1[4][8] = {
      {0.5, -0.25, 0.125, 1.0, -0.75, 0.3, 0.2, -0.1},
      {0.9, -0.8, 0.7, -0.6, 0.5, -0.4, 0.3, -0.2},
      {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8},
      {-0.5, -0.25, 0.6, -0.3, 0.9, 0.2, -0.4, 0.15}};
  static const double b1[4] = {0.1, -0.2, 0.3, 0.0};
  static const double w2[3][4] = {{0.5, -0.5, 0.25, 0.75},
                                  {-0.3, 0.6, 0.9, -0.2},
                                  {0.8, 0.1, -0.7, 0.4}};
  static const double b2[3] = {0.05, -0.05, 0.0};
  double h[4];
  for (int i = 0; i < 4; ++i) {
    h[i] = b1[i];
    for (int k = 0; k < 8; ++k)
      h[i] += w1[i][k] * x[k];
    h[i] = std::max(h[i], 0.0);
  }
  std::vector<double> y(b2, b2 + 3);
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 4; ++k)
      y[i] += w2[i][k] * h[k];
  return y;
}

TEST_F(Mlp, CompilesArraysAndRuns) {
  setSamples();
  Result result = compile(source, options);
  EXPECT_NE(get(result, "header").find("mlp_run"), std::string::npos);
  EXPECT_NE(get(result, "report").find("\"calibration_samples\": 32"),
            std::string::npos);
  std::vector<float> got = run(load(result));
  for (int s = 0; s < 32; ++s)
    for (int i = 0; i < 3; ++i)
      EXPECT_NEAR(got[s * 3 + i], mlpInFloat(&x[s * 8])[i], 0.06);
}

TEST_F(Mlp, BytesAreThePathsModel) {
  setSamples();
  Result fromFile = compile(source, options);
  std::string bytes = readBytes(modelPath("mlp"));
  qopt_source *memory = nullptr;
  ASSERT_EQ(qopt_source_from_memory(bytes.data(), bytes.size(), "mlp.onnx",
                                    &memory),
            QOPT_OK);
  Source fromMemory(memory);
  Result other = compile(fromMemory, options);
  for (const char *kind : {"obj", "header", "report", "qcal"})
    EXPECT_EQ(get(fromFile, kind), get(other, kind)) << kind;
}

TEST_F(Mlp, CallbackStatisticsAndFileAgree) {
  setSamples();
  Result arrays = compile(source, options);
  // The same samples, five at most a call.
  struct State {
    float *x;
    int64_t done = 0;
    int64_t dims[2] = {0, 8};
  } state{x.data()};
  Options called = makeOptions({{"range", "minmax"}});
  auto next = [](void *user, qopt_array *arrays, size_t count) {
    auto *state = static_cast<State *>(user);
    EXPECT_EQ(count, 1u);
    EXPECT_STREQ(arrays[0].name, "x");
    state->dims[0] = std::min<int64_t>(5, 32 - state->done);
    if (state->dims[0] == 0)
      return 0;
    arrays[0].rank = 2;
    arrays[0].dims = state->dims;
    arrays[0].data = state->x + state->done * 8;
    arrays[0].bytes = state->dims[0] * 8 * sizeof(float);
    state->done += state->dims[0];
    return 1;
  };
  ASSERT_EQ(qopt_options_set_next(called.get(), next, &state), QOPT_OK);
  qopt_stats *made = nullptr;
  ASSERT_EQ(qopt_calibrate(source.get(), called.get(), &made), QOPT_OK)
      << lastError().message;
  Stats stats(made);
  uint64_t samples = 0;
  EXPECT_EQ(qopt_stats_samples(stats.get(), &samples), QOPT_OK);
  EXPECT_EQ(samples, 32u);
  const void *bytes = nullptr;
  size_t size = 0;
  ASSERT_EQ(qopt_stats_bytes(stats.get(), &bytes, &size), QOPT_OK);
  std::string qcal(static_cast<const char *>(bytes), size);
  EXPECT_EQ(qcal, get(arrays, "qcal"));

  Options counted = makeOptions({{"range", "minmax"}});
  ASSERT_EQ(qopt_options_set_stats(counted.get(), stats.get()), QOPT_OK);
  EXPECT_EQ(get(compile(source, counted), "obj"), get(arrays, "obj"));

  std::string file = ::testing::TempDir() + "qopt-capi.qcal";
  ASSERT_EQ(qopt_stats_write(stats.get(), file.c_str()), QOPT_OK);
  Options read = makeOptions({{"range", "minmax"}, {"calibrate", file.c_str()}});
  EXPECT_EQ(get(compile(source, read), "obj"), get(arrays, "obj"));
  qopt_stats *parsed = nullptr;
  ASSERT_EQ(qopt_stats_parse(qcal.data(), qcal.size(), &parsed), QOPT_OK);
  Stats again(parsed);
  EXPECT_EQ(qopt_stats_merge(again.get(), stats.get()), QOPT_BAD_DATA);
  EXPECT_EQ(lastError().code, 416);
  std::remove(file.c_str());
}

TEST_F(Mlp, ShardsMergeToTheWhole) {
  setSamples();
  auto shard = [&](const char *which) {
    Options part = makeOptions({{"shard", which}});
    qopt_array array = arrayOf(inDims, x);
    qopt_options_set_samples(part.get(), &array, 1);
    qopt_stats *stats = nullptr;
    EXPECT_EQ(qopt_calibrate(source.get(), part.get(), &stats), QOPT_OK);
    return Stats(stats);
  };
  Stats first = shard("0/2"), second = shard("1/2");
  ASSERT_EQ(qopt_stats_merge(second.get(), first.get()), QOPT_OK);
  const void *bytes = nullptr;
  size_t size = 0;
  ASSERT_EQ(qopt_stats_bytes(second.get(), &bytes, &size), QOPT_OK);
  EXPECT_EQ(std::string(static_cast<const char *>(bytes), size),
            get(compile(source, options), "qcal"));
}

TEST_F(Mlp, RunsIntegersOneSampleAtATime) {
  setSamples();
  // Without a search of bits, inputs have 8.
  ASSERT_EQ(qopt_options_set(options.get(), "max-slowdown", "1"), QOPT_OK);
  Program program = load(compile(source, options));
  run(program);
  qopt_port in{}, out{};
  in.struct_size = out.struct_size = sizeof(qopt_port);
  ASSERT_EQ(qopt_program_input(program.get(), 0, &in), QOPT_OK);
  ASSERT_EQ(qopt_program_output(program.get(), 0, &out), QOPT_OK);
  EXPECT_STREQ(in.name, "x");
  EXPECT_EQ(in.dtype, QOPT_DTYPE_I8);
  EXPECT_EQ(out.dtype, QOPT_DTYPE_I16);
  EXPECT_EQ(out.elements, 3u);
  std::vector<int64_t> one{1, 8}, oneOut{1, 3};
  for (int s = 0; s < 32; ++s) {
    int8_t q[8];
    int16_t r[3];
    for (int k = 0; k < 8; ++k)
      q[k] = static_cast<int8_t>(
          std::nearbyint(x[s * 8 + k] / in.scale) + in.zero_point);
    qopt_array a{sizeof(a), "x", QOPT_DTYPE_I8, 2, one.data(), q, 8};
    qopt_array b{sizeof(b), nullptr, QOPT_DTYPE_I16, 2, oneOut.data(), r, 6};
    ASSERT_EQ(qopt_program_run(program.get(), &a, 1, &b, 1), QOPT_OK);
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(out.scale * static_cast<float>(r[i] - out.zero_point),
                y[s * 3 + i]);
  }
}

TEST_F(Mlp, SavesWhatTheCommandLineWrites) {
  setSamples();
  Result result = compile(source, options);
  std::string stem = ::testing::TempDir() + "qopt-capi-saved";
  for (const char *suffix : {".o", ".so", ".a", ".json", ".qcal"})
    EXPECT_EQ(qopt_result_save(result.get(), (stem + suffix).c_str()), QOPT_OK);
  EXPECT_EQ(readBytes(stem + ".o"), get(result, "obj"));
  EXPECT_EQ(readBytes(stem + ".h"), get(result, "header"));
  EXPECT_EQ(readBytes(stem + ".so").substr(1, 3), "ELF");
  EXPECT_EQ(readBytes(stem + ".a").substr(0, 7), "!<arch>");
  // The name of the symbols is the output's stem there, so it is given here.
  std::string output = ::testing::TempDir() + "qopt-capi-files.o";
  for (auto [name, value] : {std::pair("o", output.c_str()),
                             {"name", "mlp"}})
    ASSERT_EQ(qopt_options_set(options.get(), name, value), QOPT_OK);
  ASSERT_EQ(qopt_compile_files(source.get(), options.get()), QOPT_OK)
      << lastError().message;
  EXPECT_EQ(readBytes(output), get(result, "obj"));
}

TEST_F(Mlp, EmitAddsKinds) {
  setSamples();
  ASSERT_EQ(qopt_options_set(options.get(), "emit", "mlir:qint,asm"), QOPT_OK);
  Result result = compile(source, options);
  EXPECT_NE(get(result, "mlir:qint").find("qint.gemm"), std::string::npos);
  EXPECT_NE(get(result, "asm").find("mlp_run"), std::string::npos);
  EXPECT_FALSE(get(result, "obj").empty());
}

template <typename T>
void writeNpy(const std::string &path, const char *type, const char *shape,
              const std::vector<T> &values) {
  std::string header = std::string("{'descr': '") + type +
                       "', 'fortran_order': False, 'shape': " + shape + "}";
  header.resize(117, ' ');
  std::ofstream(path, std::ios::binary)
      << std::string("\x93NUMPY\x01\0\x76\0", 10) << header << "\n"
      << std::string(reinterpret_cast<const char *>(values.data()),
                     values.size() * sizeof(T));
}

/// Labelled data in two files; integers get two samples less right than the
/// float model.
std::string writeEval() {
  std::string stem = ::testing::TempDir() + "qopt-capi-eval";
  std::vector<float> x(2000 * 8);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(-1 + i * 0.000125);
  writeNpy(stem + "-x.npy", "<f4", "(2000, 8)", x);
  writeNpy(stem + "-y.npy", "<i8", "(2000,)", std::vector<int64_t>(2000));
  return stem + "-x.npy," + stem + "-y.npy";
}

TEST_F(Mlp, MissedDropIsAStatus) {
  std::string data = writeEval();
  for (auto [name, value] : {std::pair("calibrate", "random:uniform:-1:1,n=64"),
                             {"range", "mse"},
                             {"max-slowdown", "1"},
                             {"eval", data.c_str()},
                             {"max-drop", "0.01"}})
    ASSERT_EQ(qopt_options_set(options.get(), name, value), QOPT_OK);
  qopt_result *result = nullptr;
  EXPECT_EQ(qopt_compile(source.get(), options.get(), &result), QOPT_ACCURACY);
  EXPECT_EQ(result, nullptr);
  EXPECT_EQ(lastError().code, 601);
  ASSERT_EQ(qopt_options_set(options.get(), "force", "on"), QOPT_OK);
  Result forced = compile(source, options);
  EXPECT_NE(get(forced, "report").find("\"max_drop\""), std::string::npos);
  EXPECT_FALSE(get(forced, "obj").empty());
}

TEST_F(Mlp, SimulationsHoldNoObject) {
  std::string data = writeEval();
  for (auto [name, value] : {std::pair("calibrate", "random:uniform:-1:1,n=64"),
                             {"eval", data.c_str()},
                             {"eval-limit", "20"},
                             {"simulate", "integer"}})
    ASSERT_EQ(qopt_options_set(options.get(), name, value), QOPT_OK);
  Result result = compile(source, options);
  EXPECT_NE(get(result, "report").find("\"arithmetic\": \"integer\""),
            std::string::npos);
  EXPECT_EQ(get(result, "obj"), "");
  qopt_program *program = nullptr;
  EXPECT_EQ(qopt_program_create(result.get(), &program), QOPT_USAGE);
  EXPECT_EQ(lastError().code, 154);
  std::string object = ::testing::TempDir() + "qopt-capi-simulated.o";
  EXPECT_EQ(qopt_result_save(result.get(), object.c_str()), QOPT_USAGE);
}

TEST_F(Mlp, TellsNotesAndProgress) {
  std::string lines;
  int64_t ticks = 0;
  auto log = [](void *user, const char *line) {
    *static_cast<std::string *>(user) += std::string(line) + "\n";
  };
  auto progress = [](void *user, const char *what, int64_t, int64_t total) {
    EXPECT_STREQ(what, "calibrating");
    EXPECT_EQ(total, 7);
    ++*static_cast<int64_t *>(user);
  };
  qopt_options_set(options.get(), "calibrate", "random:uniform:-1:1,n=7");
  qopt_options_set_log(options.get(), log, &lines);
  qopt_options_set_progress(options.get(), progress, &ticks);
  compile(source, options);
  EXPECT_EQ(ticks, 7);
  EXPECT_NE(lines.find("warning: random data"), std::string::npos) << lines;
}

TEST_F(Mlp, ProgramTakesCallsFromThreads) {
  setSamples();
  Program program = load(compile(source, options));
  std::vector<float> expected = run(program);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      std::vector<float> mine(32 * 3);
      for (int i = 0; i < 20; ++i) {
        qopt_array in = arrayOf(inDims, x), out = arrayOf(outDims, mine);
        ASSERT_EQ(qopt_program_run(program.get(), &in, 1, &out, 1), QOPT_OK);
        ASSERT_EQ(mine, expected);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Capi, TwoInputsByName) {
  std::vector<int64_t> dims{16, 2, 3}, flat{16, 6};
  std::vector<float> a = makeValues(96, 2), b = makeValues(96, 3);
  Options options = makeOptions();
  qopt_array arrays[2] = {arrayOf(flat, b, "b"), arrayOf(dims, a, "a")};
  ASSERT_EQ(qopt_options_set_samples(options.get(), arrays, 2), QOPT_OK);
  Source source = openModel("two");
  Program program = load(compile(source, options));
  size_t inputs = 0, outputs = 0;
  ASSERT_EQ(qopt_program_count(program.get(), &inputs, &outputs), QOPT_OK);
  EXPECT_EQ(inputs, 2u);
  EXPECT_EQ(outputs, 2u);
  std::vector<float> sum(96), product(96);
  qopt_array out[2] = {arrayOf(flat, product, "product"),
                       arrayOf(flat, sum, "sum")};
  ASSERT_EQ(qopt_program_run(program.get(), arrays, 2, out, 2), QOPT_OK)
      << lastError().message;
  for (int i = 0; i < 96; ++i) {
    EXPECT_NEAR(sum[i], a[i] + b[i], 0.03);
    EXPECT_NEAR(product[i], a[i] * b[i], 0.03);
  }
}

TEST(Capi, CallbackThatThrowsIsAnError) {
  Options options = makeOptions();
  auto next = [](void *, qopt_array *, size_t) -> int {
    throw std::runtime_error("no more disk");
  };
  ASSERT_EQ(qopt_options_set_next(options.get(), next, nullptr), QOPT_OK);
  Source source = openModel("mlp");
  qopt_stats *stats = nullptr;
  EXPECT_EQ(qopt_calibrate(source.get(), options.get(), &stats), QOPT_INTERNAL);
  EXPECT_STREQ(lastError().message, "exception: no more disk");
  EXPECT_EQ(stats, nullptr);
}

TEST(Capi, EveryOptionIsTheCommandLines) {
  std::string names;
  for (size_t i = 0; const char *name = qopt_option_name(i); ++i)
    names += std::string(name) + " ";
  for (const char *name : {"range", "emit", "config", "o", "eval", "threads"})
    EXPECT_NE((" " + names).find(" " + std::string(name) + " "),
              std::string::npos);
  EXPECT_STREQ(qopt_version(), qopt_test_version_from_c());
}

} // namespace
