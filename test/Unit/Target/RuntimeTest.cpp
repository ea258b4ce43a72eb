// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C that is linked beside models: .npy files and the thread pool.

#include "ScratchFolder.h"
#include "qopt/Runtime/qopt_pool.h"
#include "qopt/Support/File.h"
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

extern "C" {
#include "npy.h"
}

using mlir::qopt::ScratchFolder;

namespace {

std::string npyBytes(const std::string &header, const std::string &data,
                     char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  if (version > 1)
    bytes += std::string(2, '\0');
  return bytes + header + data;
}

/// The refusal of a file with these bytes; empty if it is read.
std::string readError(const std::string &bytes, npy_array *array = nullptr) {
  ScratchFolder folder;
  std::string path = folder / "x.npy";
  EXPECT_FALSE(bool(mlir::qopt::writeFileAtomically(path, bytes)));
  npy_array local;
  npy_error error = {};
  if (npy_read(path.c_str(), &local, &error) != 0)
    return error.text;
  if (array)
    *array = local;
  else
    npy_free(&local);
  return "";
}

TEST(Npy, WhatIsWrittenIsRead) {
  ScratchFolder folder;
  std::string path = folder / "x.npy";
  int16_t values[6] = {1, -2, 3, -4, 5, -32768};
  for (std::vector<int64_t> dims :
       {std::vector<int64_t>{6}, std::vector<int64_t>{2, 3},
        std::vector<int64_t>{1, 6, 1}}) {
    npy_array array = {'i', 2, static_cast<uint32_t>(dims.size()),
                       {},  6, values};
    std::copy(dims.begin(), dims.end(), array.dims);
    npy_error error;
    ASSERT_EQ(npy_write(path.c_str(), &array, &error), 0) << error.text;
    npy_array back;
    ASSERT_EQ(npy_read(path.c_str(), &back, &error), 0) << error.text;
    EXPECT_EQ(back.kind, 'i');
    EXPECT_EQ(back.item_size, 2u);
    EXPECT_EQ(std::vector<int64_t>(back.dims, back.dims + back.rank), dims);
    EXPECT_EQ(std::memcmp(back.data, values, sizeof values), 0);
    npy_free(&back);
  }
  auto bytes = mlir::qopt::readFile(path);
  ASSERT_TRUE(bool(bytes));
  EXPECT_EQ(((*bytes)->getBufferSize() - sizeof values) % 64, 0u);
}

TEST(Npy, ReadsTheFormsThatNumpyWrites) {
  npy_array array;
  EXPECT_EQ(readError(npyBytes("{'descr': '<f4', 'fortran_order': False, "
                               "'shape': (), }   \n",
                               "abcd"),
                      &array),
            "");
  EXPECT_EQ(array.rank, 0u);
  EXPECT_EQ(array.elements, 1u);
  npy_free(&array);
  EXPECT_EQ(readError(npyBytes("{'shape': (2,), 'fortran_order': False, "
                               "'descr': '|u1'}",
                               "ab", 2),
                      &array),
            "");
  EXPECT_EQ(array.kind, 'u');
  EXPECT_EQ(array.elements, 2u);
  npy_free(&array);
  EXPECT_EQ(readError(npyBytes("{'descr': '<i8', 'fortran_order': False, "
                               "'shape': (0, 3)}",
                               "", 3)),
            "");
}

TEST(Npy, RefusesEveryTruncation) {
  std::string whole =
      npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n",
               "abcdefgh");
  EXPECT_EQ(readError(whole), "");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(readError(whole.substr(0, size)), "") << size;
  EXPECT_NE(readError(whole + "x"), "");
}

TEST(Npy, RefusesWhatItCannotTrust) {
  auto with = [](const std::string &type, const std::string &order,
                 const std::string &shape) {
    return readError(npyBytes("{'descr': " + type + ", 'fortran_order': " +
                                  order + ", 'shape': " + shape + "}",
                              "abcd"));
  };
  EXPECT_EQ(with("'<i4'", "False", "(1,)"), "");
  EXPECT_NE(with("'>i4'", "False", "(1,)").find("element type"),
            std::string::npos);
  EXPECT_NE(with("'|O'", "False", "(1,)").find("element type"),
            std::string::npos);
  EXPECT_NE(with("'<c8'", "False", "(1,)").find("element type"),
            std::string::npos);
  EXPECT_NE(with("'<i3'", "False", "(1,)").find("element type"),
            std::string::npos);
  EXPECT_NE(with("'<i4'", "True", "(1,)").find("Fortran order"),
            std::string::npos);
  for (const char *shape :
       {"(-1,)", "(1", "1", "(1 1)", "(99999999999999999999,)", "(1;)", "(",
        "(4294967296, 4294967296)", "(4611686018427387904, 3)"})
    EXPECT_NE(with("'<i4'", "False", shape), "") << shape;
  // 2^62 elements of 4 bytes wrap to 0 bytes.
  EXPECT_NE(readError(npyBytes("{'descr': '<i4', 'fortran_order': False, "
                               "'shape': (4611686018427387904,)}",
                               "")),
            "");
  std::string deep = "(";
  for (int i = 0; i < 40; ++i)
    deep += "1, ";
  EXPECT_NE(with("'<i4'", "False", deep + ")"), "");
  EXPECT_NE(readError(npyBytes("{}", "")).find("without descr"),
            std::string::npos);
  EXPECT_NE(readError("PK\3\4 not an array").find("no .npy file"),
            std::string::npos);
  EXPECT_NE(readError(npyBytes("{}", "", 9)).find("version"),
            std::string::npos);
}

TEST(Npy, AFileThatCannotBeWrittenIsAnError) {
  float value = 1;
  npy_array array = {'f', 4, 0, {}, 1, &value};
  npy_error error;
  EXPECT_NE(npy_write("/nonexistent/y.npy", &array, &error), 0);
  EXPECT_NE(std::string(error.text).find("/nonexistent/y.npy"),
            std::string::npos);
}

/// Counts how often each piece ran.
struct Counts {
  explicit Counts(uint32_t size) : of(size) {}
  std::vector<std::atomic<uint32_t>> of;
  static void task(void *arg, uint32_t index) {
    ++static_cast<Counts *>(arg)->of[index];
  }
};

TEST(Pool, EveryPieceRunsOnce) {
  for (uint32_t workers : {1u, 2u, 3u}) {
    qopt_pool *pool = qopt_pool_create(workers);
    ASSERT_TRUE(pool);
    qopt_context context = {};
    qopt_pool_attach(pool, &context);
    EXPECT_EQ(context.workers, workers);
    for (uint32_t count : {0u, 1u, 2u, 7u, 1000u, 70000u}) {
      Counts counts(count);
      context.parallel_for(context.pool, count, Counts::task, &counts);
      for (uint32_t i = 0; i < count; ++i)
        ASSERT_EQ(counts.of[i], 1u) << workers << " " << count << " " << i;
    }
    qopt_pool_destroy(pool);
  }
}

TEST(Pool, ManyShortRegionsInARow) {
  qopt_pool *pool = qopt_pool_create(2);
  ASSERT_TRUE(pool);
  for (uint32_t round = 0; round < 20000; ++round) {
    Counts counts(2 + round % 3);
    qopt_pool_parallel_for(pool, static_cast<uint32_t>(counts.of.size()),
                           Counts::task, &counts);
    for (auto &count : counts.of)
      ASSERT_EQ(count, 1u) << round;
  }
  qopt_pool_destroy(pool);
}

TEST(Pool, SleepingWorkersWakeUp) {
  qopt_pool *pool = qopt_pool_create(2);
  ASSERT_TRUE(pool);
  // The first piece waits for the second: only two threads can finish it.
  struct Pair {
    std::atomic<uint32_t> arrived{0};
    static void task(void *arg, uint32_t) {
      auto *pair = static_cast<Pair *>(arg);
      ++pair->arrived;
      while (pair->arrived < 2)
        std::this_thread::yield();
    }
  };
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Pair pair;
    qopt_pool_parallel_for(pool, 2, Pair::task, &pair);
    EXPECT_EQ(pair.arrived, 2u);
  }
  qopt_pool_destroy(pool);
}

TEST(Pool, RefusesSenselessSizes) {
  EXPECT_EQ(qopt_pool_create(0), nullptr);
  EXPECT_EQ(qopt_pool_create(100000), nullptr);
  qopt_pool_destroy(nullptr);
}

} // namespace
