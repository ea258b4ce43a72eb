// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the handles of the C API hold, and the checks at its border.
#pragma once

#include "qopt-c/qopt.h"
#include "qopt/Calibration/DataSet.h"
#include "qopt/Evaluation/ObjectModel.h"
#include "qopt/Pipelines/Compile.h"
#include <mutex>

namespace mlir::qopt::capi {

/// First word of each handle: tells handles apart from each other and, by
/// chance, from those that were destroyed.
enum class Magic : uint64_t {
  Destroyed = 0,
  Options = 0x716f70742d6f7074,
  Source = 0x716f70742d737263,
  Stats = 0x716f70742d737461,
  Result = 0x716f70742d726573,
  Program = 0x716f70742d707267,
};

} // namespace mlir::qopt::capi

struct qopt_options {
  static constexpr auto kind = mlir::qopt::capi::Magic::Options;
  mlir::qopt::capi::Magic magic = kind;
  mlir::qopt::pipelines::OptionList flags;
  /// At most one of the two.
  std::unique_ptr<mlir::qopt::calibration::MemorySamples> samples;
  std::optional<std::string> statistics;
  /// What the arrays of `samples` point into.
  std::vector<std::string> bytes;
  qopt_log_fn log = nullptr;
  void *logUser = nullptr;
  qopt_progress_fn progress = nullptr;
  void *progressUser = nullptr;
  qopt_cancel_fn cancel = nullptr;
  void *cancelUser = nullptr;
};

struct qopt_source {
  static constexpr auto kind = mlir::qopt::capi::Magic::Source;
  mlir::qopt::capi::Magic magic = kind;
  /// A path, or what messages call the bytes.
  std::string name;
  std::optional<std::string> bytes;
};

struct qopt_stats {
  static constexpr auto kind = mlir::qopt::capi::Magic::Stats;
  mlir::qopt::capi::Magic magic = kind;
  mlir::qopt::observers::CalibrationState state;
  std::string bytes;
};

struct qopt_result {
  static constexpr auto kind = mlir::qopt::capi::Magic::Result;
  mlir::qopt::capi::Magic magic = kind;
  mlir::qopt::pipelines::Compiled compiled;
};

struct qopt_program {
  static constexpr auto kind = mlir::qopt::capi::Magic::Program;
  mlir::qopt::capi::Magic magic = kind;
  std::mutex mutex;
  std::unique_ptr<mlir::qopt::evaluation::ObjectModel> model;
};

namespace mlir::qopt::capi {

/// The codes of calls that are wrong whatever the model: what must not be NULL,
/// what is not the handle it should be, sizes, order, words.
enum Misuse : int {
  nullArgument = 150,
  wrongHandle = 151,
  wrongSize = 152,
  wrongOrder = 153,
  unknownWord = 154,
};

/// The contents of a file of `compiled`, by its word in `--emit`. Q0154.
llvm::Expected<const std::string *>
findFile(const pipelines::Compiled &compiled, llvm::StringRef kind);

/// Checks the arguments of one call; keeps what is wrong with the first.
class Check {
public:
  explicit Check(const char *function) : function(function) {}

  Check &pointer(const void *value, const char *what);
  template <typename Handle> Check &handle(const Handle *value, const char *of) {
    pointer(value, of);
    if (!failed && value->magic != Handle::kind)
      refuse(wrongHandle, std::string("'") + of +
                              "' is no such handle, or was destroyed");
    return *this;
  }
  /// NULL is fine.
  template <typename Handle>
  Check &optional(const Handle *value, const char *of) {
    return value ? handle(value, of) : *this;
  }
  Check &structSize(size_t given, size_t least, const char *what);
  Check &refuse(int code, const std::string &message);
  llvm::Error take();

private:
  const char *function;
  bool failed = false;
  int code = 0;
  std::string message;
};

/// Keeps `error` for qopt_last_error of this thread; its status.
qopt_status keepError(llvm::Error error);

/// Called in a catch block: the exception as an error.
llvm::Error takeException();

/// Runs `body(Check &)`; nothing that it throws gets out.
template <typename Body>
qopt_status guard(const char *function, Body body) noexcept {
  try {
    Check check(function);
    return keepError(body(check));
  } catch (...) {
    return keepError(takeException());
  }
}

template <typename Handle> void destroy(Handle *handle) noexcept {
  if (!handle || handle->magic != Handle::kind)
    return;
  handle->magic = Magic::Destroyed;
  delete handle;
}

/// Array `index` of arrays that may have grown.
const qopt_array &arrayAt(const qopt_array *arrays, size_t index);

/// Sizes, types, pointers of `count` arrays, which point to `bytes` where
/// `withData`. Their dimensions and bytes must agree.
void checkArrays(Check &check, const qopt_array *arrays, size_t count,
                 const char *what);

std::vector<int64_t> shapeOf(const qopt_array &array);

} // namespace mlir::qopt::capi
