// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of the C API share.
#pragma once

#include "qopt-c/qopt.h"
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace qopt_test {

inline std::string modelPath(const char *name) {
  return std::string(QOPT_API_MODELS "/") + name + ".onnx";
}

inline std::string readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <auto Destroy> struct Deleter {
  template <typename T> void operator()(T *handle) const { Destroy(handle); }
};
using Options =
    std::unique_ptr<qopt_options, Deleter<qopt_options_destroy>>;
using Source = std::unique_ptr<qopt_source, Deleter<qopt_source_destroy>>;
using Stats = std::unique_ptr<qopt_stats, Deleter<qopt_stats_destroy>>;
using Result = std::unique_ptr<qopt_result, Deleter<qopt_result_destroy>>;
using Program = std::unique_ptr<qopt_program, Deleter<qopt_program_destroy>>;

inline Options makeOptions(
    std::initializer_list<std::pair<const char *, const char *>> flags = {}) {
  qopt_options *options = nullptr;
  qopt_options_create(&options);
  for (auto [name, value] : flags)
    qopt_options_set(options, name, value);
  return Options(options);
}

inline Source openModel(const char *name) {
  qopt_source *source = nullptr;
  qopt_source_from_file(modelPath(name).c_str(), &source);
  return Source(source);
}

inline qopt_error lastError(size_t index = 0) {
  qopt_error error{};
  error.struct_size = sizeof(error);
  qopt_last_error(index, &error);
  return error;
}

/// A float array; `dims` and `values` must outlive it.
inline qopt_array arrayOf(const std::vector<int64_t> &dims,
                          std::vector<float> &values,
                          const char *name = nullptr) {
  return {sizeof(qopt_array),
          name,
          QOPT_DTYPE_F32,
          static_cast<uint32_t>(dims.size()),
          dims.data(),
          values.data(),
          values.size() * sizeof(float)};
}

/// Values in [-1, 1], the same on every machine.
inline std::vector<float> makeValues(size_t count, uint32_t seed = 1) {
  std::vector<float> values(count);
  for (float &value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / float(1 << 23) - 1.0f;
  }
  return values;
}

} // namespace qopt_test
