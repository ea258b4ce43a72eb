// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls that are wrong: each returns its status and a code, changes nothing
// and leaves what it should have made NULL.

#include "Api.h"
#include <climits>
#include <functional>
#include <gtest/gtest.h>

using namespace qopt_test;

namespace {

/// Good handles and arrays that a case spoils.
struct Good {
  std::vector<int64_t> inDims{16, 8}, outDims{16, 3};
  std::vector<float> x = makeValues(16 * 8), y = std::vector<float>(16 * 3);
  qopt_array in = arrayOf(inDims, x), out = arrayOf(outDims, y);
  Options options = makeOptions({{"range", "minmax"}});
  Source source = openModel("mlp");
  qopt_stats *stats = nullptr;
  qopt_result *result = nullptr;
  qopt_program *program = nullptr;
  std::string text = "this is neither a model nor an object nor a .qcal";
  // What calls write to.
  qopt_options *newOptions = nullptr;
  qopt_source *newSource = nullptr;
  qopt_stats *newStats = nullptr;
  qopt_result *newResult = nullptr;
  qopt_program *newProgram = nullptr;
  const void *bytes = nullptr;
  const char *name = nullptr;
  size_t size = 0, other = 0;
  uint64_t count = 0;
  qopt_port port{};
  qopt_error error{};

  Good() {
    samples();
    stats = shared().stats.get();
    result = shared().result.get();
    program = shared().program.get();
    port.struct_size = sizeof(port);
    error.struct_size = sizeof(error);
  }
  /// Made once: no call may change them.
  struct Shared {
    Stats stats;
    Result result;
    Program program;
  };
  static const Shared &shared() {
    static const Shared all = [] {
      Shared made;
      std::vector<int64_t> dims{16, 8};
      std::vector<float> x = makeValues(16 * 8);
      qopt_array in = arrayOf(dims, x);
      Options options = makeOptions({{"range", "minmax"}});
      Source source = openModel("mlp");
      qopt_options_set_samples(options.get(), &in, 1);
      qopt_stats *stats = nullptr;
      qopt_calibrate(source.get(), options.get(), &stats);
      made.stats.reset(stats);
      qopt_result *result = nullptr;
      qopt_compile(source.get(), options.get(), &result);
      made.result.reset(result);
      qopt_program *program = nullptr;
      qopt_program_create(result, &program);
      made.program.reset(program);
      return made;
    }();
    return all;
  }
  qopt_status samples() {
    return qopt_options_set_samples(options.get(), &in, 1);
  }
  qopt_status run() { return qopt_program_run(program, &in, 1, &out, 1); }
  qopt_status set(const char *flag, const char *value) {
    return qopt_options_set(options.get(), flag, value);
  }
  qopt_status compile() {
    return qopt_compile(source.get(), options.get(), &newResult);
  }
  /// Compiles on samples that `next` brings.
  qopt_status compileFrom(qopt_next_fn next) {
    qopt_options_set_next(options.get(), next, this);
    return compile();
  }
  qopt_status fromText() {
    qopt_source_from_memory(text.data(), text.size(), "m", &newSource);
    source.reset(newSource);
    newSource = nullptr;
    return compile();
  }
};

/// A handle of another kind.
template <typename To, typename From> To *as(const From &handle) {
  return reinterpret_cast<To *>(&*handle);
}

struct Case {
  const char *what;
  qopt_status status;
  int code;
  std::function<qopt_status(Good &)> call;
};

constexpr int null = 150, handle = 151, size = 152, order = 153, word = 154;

const std::vector<Case> handleCases = {
    {"options_create NULL", QOPT_USAGE, null,
     [](Good &) { return qopt_options_create(nullptr); }},
    {"options_set NULL handle", QOPT_USAGE, null,
     [](Good &) { return qopt_options_set(nullptr, "range", "mse"); }},
    {"options_set wrong handle", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_options_set(as<qopt_options>(g.source), "range", "mse");
     }},
    {"options_set NULL name", QOPT_USAGE, null,
     [](Good &g) { return g.set(nullptr, "mse"); }},
    {"options_set NULL value", QOPT_USAGE, null,
     [](Good &g) { return g.set("range", nullptr); }},
    {"options_set_next NULL handle", QOPT_USAGE, null,
     [](Good &) {
       return qopt_options_set_next(
           nullptr, [](void *, qopt_array *, size_t) { return 0; }, nullptr);
     }},
    {"options_set_next NULL", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_options_set_next(g.options.get(), nullptr, nullptr);
     }},
    {"options_set_stats NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_options_set_stats(g.options.get(), nullptr); }},
    {"options_set_stats wrong handle", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_options_set_stats(g.options.get(), as<qopt_stats>(g.result));
     }},
    {"options_set_stats NULL options", QOPT_USAGE, null,
     [](Good &g) { return qopt_options_set_stats(nullptr, g.stats); }},
    {"options_set_log NULL handle", QOPT_USAGE, null,
     [](Good &) { return qopt_options_set_log(nullptr, nullptr, nullptr); }},
    {"options_set_cancel NULL handle", QOPT_USAGE, null,
     [](Good &) { return qopt_options_set_cancel(nullptr, nullptr, nullptr); }},
    {"options_set_progress NULL handle", QOPT_USAGE, null,
     [](Good &) {
       return qopt_options_set_progress(nullptr, nullptr, nullptr);
     }},
    {"source_from_file NULL path", QOPT_USAGE, null,
     [](Good &g) { return qopt_source_from_file(nullptr, &g.newSource); }},
    {"source_from_file NULL source", QOPT_USAGE, null,
     [](Good &) { return qopt_source_from_file("x.onnx", nullptr); }},
    {"source_from_file no file", QOPT_IO, 502,
     [](Good &g) { return qopt_source_from_file("no/x.onnx", &g.newSource); }},
    {"source_from_memory NULL", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_source_from_memory(nullptr, 8, "m", &g.newSource);
     }},
    {"source_from_memory empty", QOPT_USAGE, size,
     [](Good &g) { return qopt_source_from_memory("", 0, "m", &g.newSource); }},
    {"source_from_memory NULL source", QOPT_USAGE, null,
     [](Good &) { return qopt_source_from_memory("m", 1, "m", nullptr); }},
    {"calibrate NULL source", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_calibrate(nullptr, g.options.get(), &g.newStats);
     }},
    {"calibrate wrong source", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_calibrate(as<qopt_source>(g.options), g.options.get(),
                             &g.newStats);
     }},
    {"calibrate wrong options", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_calibrate(g.source.get(), as<qopt_options>(g.source),
                             &g.newStats);
     }},
    {"calibrate NULL stats", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_calibrate(g.source.get(), g.options.get(), nullptr);
     }},
    {"calibrate without data", QOPT_USAGE, 103,
     [](Good &g) {
       return qopt_calibrate(g.source.get(), nullptr, &g.newStats);
     }},
    {"stats_read NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_stats_read(nullptr, &g.newStats); }},
    {"stats_read NULL stats", QOPT_USAGE, null,
     [](Good &) { return qopt_stats_read("x.qcal", nullptr); }},
    {"stats_read no file", QOPT_IO, 502,
     [](Good &g) { return qopt_stats_read("no/x.qcal", &g.newStats); }},
    {"stats_parse NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_stats_parse(nullptr, 0, &g.newStats); }},
    {"stats_parse empty", QOPT_BAD_DATA, 417,
     [](Good &g) { return qopt_stats_parse("", 0, &g.newStats); }},
    {"stats_parse text", QOPT_BAD_DATA, 417,
     [](Good &g) {
       return qopt_stats_parse(g.text.data(), g.text.size(), &g.newStats);
     }},
    {"stats_merge NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_stats_merge(nullptr, g.stats); }},
    {"stats_merge NULL other", QOPT_USAGE, null,
     [](Good &g) { return qopt_stats_merge(g.stats, nullptr); }},
    {"stats_merge wrong handle", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_stats_merge(g.stats, as<qopt_stats>(g.source));
     }},
    {"stats_merge with itself", QOPT_BAD_DATA, 416,
     [](Good &g) { return qopt_stats_merge(g.stats, g.stats); }},
    {"stats_write NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_stats_write(g.stats, nullptr); }},
    {"stats_write NULL stats", QOPT_USAGE, null,
     [](Good &) { return qopt_stats_write(nullptr, "x.qcal"); }},
    {"stats_write no folder", QOPT_IO, 501,
     [](Good &g) { return qopt_stats_write(g.stats, "no/x.qcal"); }},
    {"stats_bytes NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_stats_bytes(g.stats, nullptr, &g.size); }},
    {"stats_bytes NULL size", QOPT_USAGE, null,
     [](Good &g) { return qopt_stats_bytes(g.stats, &g.bytes, nullptr); }},
    {"stats_samples NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_stats_samples(g.stats, nullptr); }},
    {"stats_samples wrong handle", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_stats_samples(as<qopt_stats>(g.program), &g.count);
     }},
    {"compile_files NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_compile_files(nullptr, g.options.get()); }},
    {"compile_files no folder", QOPT_IO, 501,
     [](Good &g) {
       g.set("o", "no/m.o");
       return qopt_compile_files(g.source.get(), g.options.get());
     }},
    {"compile NULL source", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_compile(nullptr, g.options.get(), &g.newResult);
     }},
    {"compile NULL result", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_compile(g.source.get(), g.options.get(), nullptr);
     }},
    {"compile wrong options", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_compile(g.source.get(), as<qopt_options>(g.stats),
                           &g.newResult);
     }},
    {"compile without data", QOPT_USAGE, 103,
     [](Good &g) {
       return qopt_compile(g.source.get(), nullptr, &g.newResult);
     }},
    {"compile of no model", QOPT_BAD_MODEL, 0,
     [](Good &g) { return g.fromText(); }},
    {"result_name NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_result_name(g.result, nullptr); }},
    {"result_name NULL result", QOPT_USAGE, null,
     [](Good &g) { return qopt_result_name(nullptr, &g.name); }},
    {"result_get NULL kind", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_result_get(g.result, nullptr, &g.bytes, &g.size);
     }},
    {"result_get unknown kind", QOPT_USAGE, word,
     [](Good &g) {
       return qopt_result_get(g.result, "object", &g.bytes, &g.size);
     }},
    {"result_get kind not made", QOPT_USAGE, word,
     [](Good &g) {
       return qopt_result_get(g.result, "asm", &g.bytes, &g.size);
     }},
    {"result_get wrong handle", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_result_get(as<qopt_result>(g.stats), "obj", &g.bytes,
                              &g.size);
     }},
    {"result_save NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_result_save(g.result, nullptr); }},
    {"result_save no suffix", QOPT_USAGE, word,
     [](Good &g) { return qopt_result_save(g.result, "model"); }},
    {"result_save to standard output", QOPT_USAGE, word,
     [](Good &g) { return qopt_result_save(g.result, "-"); }},
    {"result_save no folder", QOPT_IO, 501,
     [](Good &g) { return qopt_result_save(g.result, "no/m.o"); }},
    {"program_create NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_program_create(g.result, nullptr); }},
    {"program_create wrong handle", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_program_create(as<qopt_result>(g.source), &g.newProgram);
     }},
    {"program_load empty", QOPT_USAGE, size,
     [](Good &g) {
       return qopt_program_load(g.text.data(), 0, "m", &g.newProgram);
     }},
    {"program_load NULL name", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_program_load(g.text.data(), 8, nullptr, &g.newProgram);
     }},
    {"program_load no object", QOPT_INTERNAL, 706,
     [](Good &g) {
       return qopt_program_load(g.text.data(), g.text.size(), "m",
                                &g.newProgram);
     }},
    {"program_load wrong name", QOPT_INTERNAL, 706,
     [](Good &g) {
       qopt_result_get(g.result, "obj", &g.bytes, &g.size);
       return qopt_program_load(g.bytes, g.size, "other", &g.newProgram);
     }},
    {"program_count NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_program_count(g.program, nullptr, &g.size); }},
    {"program_input NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_program_input(g.program, 0, nullptr); }},
    {"program_input behind the last", QOPT_USAGE, size,
     [](Good &g) { return qopt_program_input(g.program, 1, &g.port); }},
    {"program_output behind the last", QOPT_USAGE, size,
     [](Good &g) { return qopt_program_output(g.program, SIZE_MAX, &g.port); }},
    {"program_input struct_size 0", QOPT_USAGE, size,
     [](Good &g) {
       g.port.struct_size = 0;
       return qopt_program_input(g.program, 0, &g.port);
     }},
    {"program_run NULL", QOPT_USAGE, null,
     [](Good &g) { return qopt_program_run(nullptr, &g.in, 1, &g.out, 1); }},
    {"program_run wrong handle", QOPT_USAGE, handle,
     [](Good &g) {
       return qopt_program_run(as<qopt_program>(g.options), &g.in, 1, &g.out,
                               1);
     }},
    {"program_run NULL inputs", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_program_run(g.program, nullptr, 1, &g.out, 1);
     }},
    {"program_run NULL outputs", QOPT_USAGE, null,
     [](Good &g) { return qopt_program_run(g.program, &g.in, 1, nullptr, 1); }},
};

const std::vector<Case> valueCases = {
    {"unknown flag", QOPT_USAGE, 101,
     [](Good &g) { return g.set("rnage", "mse"); }},
    {"flag with dashes", QOPT_USAGE, 101,
     [](Good &g) { return g.set("--range", "mse"); }},
    {"unknown value", QOPT_USAGE, 102,
     [](Good &g) { return g.set("range", "best"); }},
    {"number out of range", QOPT_USAGE, 102,
     [](Good &g) { return g.set("threads", "65"); }},
    {"unknown mode", QOPT_USAGE, 102,
     [](Good &g) { return g.set("mode", "float"); }},
    {"config file missing", QOPT_IO, 502,
     [](Good &g) { return g.set("config", "no/q.yaml"); }},
    {"executable in memory", QOPT_USAGE, 111,
     [](Good &g) { return g.set("emit", "exe") ? QOPT_OK : g.compile(); }},
    {"output file in memory", QOPT_USAGE, order,
     [](Good &g) { return g.set("o", "m.o") ? QOPT_OK : g.compile(); }},
    {"files and samples", QOPT_USAGE, order,
     [](Good &g) {
       g.set("calibrate", "data");
       return g.compile();
     }},
    {"shard of a compilation", QOPT_USAGE, 104,
     [](Good &g) { return g.set("shard", "0/2") ? QOPT_OK : g.compile(); }},
    {"unknown CPU", QOPT_UNSUPPORTED, 332,
     [](Good &g) { return g.set("mcpu", "z80") ? QOPT_OK : g.compile(); }},
    {"unknown input", QOPT_USAGE, 0,
     [](Good &g) { return g.set("shape", "z=1x8") ? QOPT_OK : g.compile(); }},
    {"name is no identifier", QOPT_USAGE, 107,
     [](Good &g) { return g.set("name", "a-b") ? QOPT_OK : g.compile(); }},
    {"no arrays", QOPT_USAGE, size,
     [](Good &g) {
       return qopt_options_set_samples(g.options.get(), &g.in, 0);
     }},
    {"NULL arrays", QOPT_USAGE, null,
     [](Good &g) {
       return qopt_options_set_samples(g.options.get(), nullptr, 1);
     }},
    {"array struct_size 0", QOPT_USAGE, size,
     [](Good &g) { return g.in.struct_size = 0, g.samples(); }},
    {"array struct_size odd", QOPT_USAGE, size,
     [](Good &g) { return g.in.struct_size = sizeof(g.in) + 1, g.samples(); }},
    {"array dtype", QOPT_USAGE, size,
     [](Good &g) { return g.in.dtype = 13, g.samples(); }},
    {"array dtype negative", QOPT_USAGE, size,
     [](Good &g) { return g.in.dtype = -1, g.samples(); }},
    {"array rank", QOPT_USAGE, size,
     [](Good &g) { return g.in.rank = UINT_MAX, g.samples(); }},
    {"array NULL dims", QOPT_USAGE, size,
     [](Good &g) { return g.in.dims = nullptr, g.samples(); }},
    {"array NULL data", QOPT_USAGE, size,
     [](Good &g) { return g.in.data = nullptr, g.samples(); }},
    {"array negative dimension", QOPT_USAGE, size,
     [](Good &g) { return g.inDims[0] = -16, g.samples(); }},
    {"array dimensions overflow", QOPT_USAGE, size,
     [](Good &g) {
       g.inDims = {INT64_MAX, INT64_MAX};
       g.in.dims = g.inDims.data();
       return g.samples();
     }},
    {"array too few bytes", QOPT_USAGE, size,
     [](Good &g) { return g.in.bytes -= 4, g.samples(); }},
    {"array not aligned", QOPT_USAGE, size,
     [](Good &g) {
       g.inDims[0] = 15;
       g.in.bytes -= 32;
       g.in.data = static_cast<char *>(g.in.data) + 1;
       return g.samples();
     }},
    {"samples of another shape", QOPT_BAD_DATA, 444,
     [](Good &g) {
       g.inDims = {32, 4};
       g.in.dims = g.inDims.data();
       return g.samples() ? QOPT_OK : g.compile();
     }},
    {"samples of another input", QOPT_BAD_DATA, 445,
     [](Good &g) {
       g.in.name = "pixels";
       return g.samples() ? QOPT_OK : g.compile();
     }},
    {"samples for two inputs", QOPT_BAD_DATA, 445,
     [](Good &g) {
       qopt_array both[2] = {g.in, g.in};
       return qopt_options_set_samples(g.options.get(), both, 2) ? QOPT_OK
                                                                 : g.compile();
     }},
    {"no sample at all", QOPT_BAD_DATA, 445,
     [](Good &g) {
       g.inDims[0] = 0;
       g.in.bytes = 0;
       return g.samples() ? QOPT_OK : g.compile();
     }},
    {"a sample that is not a number", QOPT_BAD_DATA, 446,
     [](Good &g) {
       g.x[3] = 0.0f / 0.0f;
       return g.samples() ? QOPT_OK : g.compile();
     }},
    {"callback gives up", QOPT_USAGE, order,
     [](Good &g) {
       return g.compileFrom([](void *, qopt_array *, size_t) { return -1; });
     }},
    {"callback has nothing", QOPT_BAD_DATA, 445,
     [](Good &g) {
       return g.compileFrom([](void *, qopt_array *, size_t) { return 0; });
     }},
    {"callback fills nothing in", QOPT_USAGE, size,
     [](Good &g) {
       return g.compileFrom([](void *, qopt_array *, size_t) { return 1; });
     }},
    {"callback brings another shape", QOPT_BAD_DATA, 444,
     [](Good &g) {
       return g.compileFrom([](void *user, qopt_array *arrays, size_t) {
         static const int64_t dims[2] = {32, 4};
         arrays[0] = static_cast<Good *>(user)->in;
         arrays[0].dims = dims;
         return 1;
       });
     }},
    {"seed of a callback", QOPT_USAGE, 141,
     [](Good &g) {
       g.set("seed", "1");
       g.set("limit", "4");
       return g.compileFrom([](void *, qopt_array *, size_t) { return 0; });
     }},
    {"statistics of another model", QOPT_BAD_DATA, 414,
     [](Good &g) {
       qopt_options_set_stats(g.options.get(), g.stats);
       g.source = openModel("two");
       return g.compile();
     }},
    {"run with too few outputs", QOPT_BAD_DATA, 445,
     [](Good &g) { return qopt_program_run(g.program, &g.in, 1, nullptr, 0); }},
    {"run with too many inputs", QOPT_BAD_DATA, 445,
     [](Good &g) {
       qopt_array both[2] = {g.in, g.in};
       return qopt_program_run(g.program, both, 2, &g.out, 1);
     }},
    {"run with another input's name", QOPT_BAD_DATA, 445,
     [](Good &g) { return g.in.name = "y", g.run(); }},
    {"run on another shape", QOPT_BAD_DATA, 444,
     [](Good &g) {
       g.inDims = {32, 4};
       g.in.dims = g.inDims.data();
       return g.run();
     }},
    {"run into fewer samples", QOPT_BAD_DATA, 445,
     [](Good &g) {
       g.outDims[0] = 15;
       g.out.bytes -= 12;
       return g.run();
     }},
    {"run on no sample", QOPT_BAD_DATA, 444,
     [](Good &g) {
       g.inDims[0] = g.outDims[0] = 0;
       g.in.bytes = g.out.bytes = 0;
       return g.run();
     }},
    {"run on f64", QOPT_BAD_DATA, 443,
     [](Good &g) {
       g.inDims[0] = 8;
       g.in.dtype = QOPT_DTYPE_F64;
       return g.run();
     }},
    {"run into i8", QOPT_BAD_DATA, 443,
     [](Good &g) {
       g.out.dtype = QOPT_DTYPE_I8;
       g.out.bytes = 16 * 3;
       return g.run();
     }},
    {"run into bytes that do not fill the shape", QOPT_USAGE, size,
     [](Good &g) { return g.out.bytes += 4, g.run(); }},
};

class Misuse : public ::testing::TestWithParam<Case> {};

TEST_P(Misuse, IsAnError) {
  const Case &param = GetParam();
  Good good;
  ASSERT_TRUE(good.program);
  EXPECT_EQ(param.call(good), param.status) << lastError().message;
  qopt_error error = lastError();
  EXPECT_EQ(error.status, param.status);
  if (param.code)
    EXPECT_EQ(error.code, param.code) << error.message;
  EXPECT_GT(std::string(error.message).size(), 10u);
  EXPECT_FALSE(good.newSource || good.newStats || good.newResult ||
               good.newProgram || good.newOptions);
  // What was there still works.
  Good fresh;
  EXPECT_EQ(fresh.run(), QOPT_OK);
}

INSTANTIATE_TEST_SUITE_P(Handles, Misuse, ::testing::ValuesIn(handleCases));
INSTANTIATE_TEST_SUITE_P(Values, Misuse, ::testing::ValuesIn(valueCases));

TEST(MisuseTable, HasManyCases) {
  EXPECT_GE(handleCases.size() + valueCases.size(), 100u);
}

TEST(MisuseTable, DestroyTakesNull) {
  qopt_options_destroy(nullptr);
  qopt_source_destroy(nullptr);
  qopt_stats_destroy(nullptr);
  qopt_result_destroy(nullptr);
  qopt_program_destroy(nullptr);
}

TEST(MisuseTable, LastErrorIsChecked) {
  EXPECT_EQ(qopt_options_create(nullptr), QOPT_USAGE);
  EXPECT_EQ(qopt_last_error(0, nullptr), QOPT_USAGE);
  qopt_error error{};
  EXPECT_EQ(qopt_last_error(0, &error), QOPT_USAGE);
  error.struct_size = sizeof(error);
  EXPECT_EQ(qopt_last_error(1, &error), QOPT_USAGE);
  EXPECT_EQ(qopt_last_error(0, &error), QOPT_OK);
  EXPECT_EQ(error.code, null);
  EXPECT_EQ(std::string(error.help), "qopt-c/qopt.h says what the call takes");
}

} // namespace
