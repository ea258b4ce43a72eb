// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Options: flags by name, samples in memory, callbacks.

#include "Handles.h"
#include "qopt/Support/Error.h"

using namespace mlir::qopt;
using namespace mlir::qopt::capi;
using calibration::MemoryArray;

const char *qopt_option_name(size_t index) {
  auto names = pipelines::getOptionNames();
  return index < names.size() ? names[index].data() : nullptr;
}

qopt_status qopt_options_create(qopt_options **options) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error = check.pointer(options, "options").take())
      return error;
    *options = new qopt_options();
    return llvm::Error::success();
  });
}

void qopt_options_destroy(qopt_options *options) { destroy(options); }

qopt_status qopt_options_set(qopt_options *options, const char *name,
                             const char *value) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error = check.handle(options, "options")
                                .pointer(name, "name")
                                .pointer(value, "value")
                                .take())
      return error;
    if (llvm::Error error = pipelines::checkOption(name, value))
      return error;
    options->flags.emplace_back(name, value);
    return llvm::Error::success();
  });
}

static MemoryArray viewOf(const qopt_array &array) {
  MemoryArray view;
  if (array.name)
    view.name = array.name;
  view.kind = static_cast<calibration::ElementKind>(array.dtype);
  view.shape = shapeOf(array);
  view.bytes = {static_cast<const char *>(array.data), array.bytes};
  return view;
}

/// Takes the data in memory of earlier calls away.
static void clearData(qopt_options &options) {
  options.samples.reset();
  options.statistics.reset();
  options.bytes.clear();
}

qopt_status qopt_options_set_samples(qopt_options *options,
                                     const qopt_array *arrays, size_t count) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    check.handle(options, "options").pointer(arrays, "arrays");
    if (!count)
      check.refuse(wrongSize, "'count' must not be 0");
    checkArrays(check, arrays, count, "arrays");
    if (llvm::Error error = check.take())
      return error;
    clearData(*options);
    auto samples = std::make_unique<calibration::MemorySamples>();
    options->bytes.resize(count);
    for (size_t i = 0; i < count; ++i) {
      MemoryArray view = viewOf(arrayAt(arrays, i));
      options->bytes[i] = view.bytes.str();
      view.bytes = options->bytes[i];
      samples->arrays.push_back(std::move(view));
    }
    options->samples = std::move(samples);
    return llvm::Error::success();
  });
}

/// Calls `next` and checks what it brought.
static llvm::Expected<bool> callNext(qopt_next_fn next, void *user,
                                     std::vector<MemoryArray> &arrays) try {
  std::vector<qopt_array> given(arrays.size());
  for (size_t i = 0; i < arrays.size(); ++i) {
    given[i].struct_size = sizeof(qopt_array);
    given[i].name = arrays[i].name.c_str();
  }
  int status = next(user, given.data(), given.size());
  if (status == 0)
    return false;
  if (status != 1)
    return makeError(wrongOrder, "the calibration samples' callback gave up");
  Check check("the calibration samples' callback");
  checkArrays(check, given.data(), given.size(), "arrays");
  if (llvm::Error error = check.take())
    return std::move(error);
  std::vector<MemoryArray> views;
  for (const qopt_array &array : given)
    views.push_back(viewOf(array));
  arrays = std::move(views);
  return true;
} catch (...) {
  return takeException();
}

qopt_status qopt_options_set_next(qopt_options *options, qopt_next_fn next,
                                  void *user) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    check.handle(options, "options");
    if (!next)
      check.pointer(nullptr, "next");
    if (llvm::Error error = check.take())
      return error;
    clearData(*options);
    options->samples = std::make_unique<calibration::MemorySamples>();
    options->samples->next = [next, user](std::vector<MemoryArray> &arrays) {
      return callNext(next, user, arrays);
    };
    return llvm::Error::success();
  });
}

qopt_status qopt_options_set_stats(qopt_options *options,
                                   const qopt_stats *stats) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error =
            check.handle(options, "options").handle(stats, "stats").take())
      return error;
    clearData(*options);
    options->statistics = stats->state.serialize();
    return llvm::Error::success();
  });
}

qopt_status qopt_options_set_log(qopt_options *options, qopt_log_fn log,
                                 void *user) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error = check.handle(options, "options").take())
      return error;
    options->log = log;
    options->logUser = user;
    return llvm::Error::success();
  });
}

qopt_status qopt_options_set_progress(qopt_options *options,
                                      qopt_progress_fn progress, void *user) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error = check.handle(options, "options").take())
      return error;
    options->progress = progress;
    options->progressUser = user;
    return llvm::Error::success();
  });
}

qopt_status qopt_options_set_cancel(qopt_options *options,
                                    qopt_cancel_fn cancel, void *user) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error = check.handle(options, "options").take())
      return error;
    options->cancel = cancel;
    options->cancelUser = user;
    return llvm::Error::success();
  });
}
