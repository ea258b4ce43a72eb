// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models, statistics and compilation.

#include "Handles.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Target/Link.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

using namespace mlir::qopt;
using namespace mlir::qopt::capi;
namespace path = llvm::sys::path;

//===----------------------------------------------------------------------===//
// What a run is told and tells
//===----------------------------------------------------------------------===//

namespace {

/// Hands whole lines to a function.
class LineStream : public llvm::raw_ostream {
public:
  LineStream(qopt_log_fn log, void *user)
      : raw_ostream(/*unbuffered=*/true), log(log), user(user) {}
  ~LineStream() override {
    if (!line.empty())
      finishLine();
  }

private:
  void write_impl(const char *text, size_t size) override {
    written += size;
    for (char c : llvm::StringRef(text, size)) {
      if (c == '\n')
        finishLine();
      else
        line += c;
    }
  }
  uint64_t current_pos() const override { return written; }

  void finishLine() {
    try {
      if (log)
        log(user, line.c_str());
    } catch (...) {
      // A log that fails is no reason to stop.
    }
    line.clear();
  }

  qopt_log_fn log;
  void *user;
  std::string line;
  uint64_t written = 0;
};

/// One run: its options, and where its words go.
struct Call {
  pipelines::CompileOptions options;
  LineStream log;
  pipelines::Streams streams;

  explicit Call(const qopt_options *given)
      : log(given ? given->log : nullptr, given ? given->logUser : nullptr),
        streams{llvm::nulls(), log, ""} {
    if (given && given->cancel)
      streams.cancelled = [given] {
        try {
          return given->cancel(given->cancelUser) != 0;
        } catch (...) {
          return true;
        }
      };
    if (!given || !given->progress)
      return;
    streams.tick = [given](llvm::StringRef what, int64_t done, int64_t total) {
      try {
        given->progress(given->progressUser, what.str().c_str(), done, total);
      } catch (...) {
        // As a log.
      }
    };
  }

  llvm::Error fill(const qopt_source &source, const qopt_options *given,
                   bool toFiles);
};

} // namespace

llvm::Error Call::fill(const qopt_source &source, const qopt_options *given,
                       bool toFiles) {
  if (given) {
    if (llvm::Error error = pipelines::applyOptions(given->flags, options))
      return error;
    if (given->samples || given->statistics) {
      if (!options.calibrate.empty())
        return makeError(wrongOrder,
                         "the option 'calibrate' and data in memory exclude "
                         "each other");
      options.memory.samples = given->samples.get();
      if (given->statistics)
        options.memory.statistics = *given->statistics;
    }
  }
  if (!toFiles && !options.output.empty())
    return makeError(wrongOrder, "the option 'o' belongs to qopt_compile_files",
                     {}, "save the result instead");
  options.model = source.name;
  if (source.bytes)
    options.memory.model = *source.bytes;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

qopt_status qopt_source_from_file(const char *path, qopt_source **source) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (source)
      *source = nullptr;
    if (llvm::Error error =
            check.pointer(path, "path").pointer(source, "source").take())
      return error;
    // Here rather than in the run, so that the door says it.
    auto file = readFile(path);
    if (!file)
      return file.takeError();
    auto made = std::make_unique<qopt_source>();
    made->name = path;
    *source = made.release();
    return llvm::Error::success();
  });
}

qopt_status qopt_source_from_memory(const void *bytes, size_t size,
                                    const char *name, qopt_source **source) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (source)
      *source = nullptr;
    check.pointer(bytes, "bytes").pointer(source, "source");
    if (!size)
      check.refuse(wrongSize, "'size' must not be 0");
    if (llvm::Error error = check.take())
      return error;
    auto made = std::make_unique<qopt_source>();
    made->name = name && *name ? name : "model";
    made->bytes.emplace(static_cast<const char *>(bytes), size);
    *source = made.release();
    return llvm::Error::success();
  });
}

void qopt_source_destroy(qopt_source *source) { destroy(source); }

//===----------------------------------------------------------------------===//
// Statistics
//===----------------------------------------------------------------------===//

static llvm::Error keepStats(llvm::Expected<observers::CalibrationState> state,
                             qopt_stats **stats) {
  if (!state)
    return state.takeError();
  auto made = std::make_unique<qopt_stats>();
  made->state = std::move(*state);
  *stats = made.release();
  return llvm::Error::success();
}

qopt_status qopt_calibrate(const qopt_source *source,
                           const qopt_options *options, qopt_stats **stats) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (stats)
      *stats = nullptr;
    if (llvm::Error error = check.handle(source, "source")
                                .optional(options, "options")
                                .pointer(stats, "stats")
                                .take())
      return error;
    Call call(options);
    if (llvm::Error error = call.fill(*source, options, /*toFiles=*/false))
      return error;
    return keepStats(pipelines::makeStatistics(call.options, call.streams),
                     stats);
  });
}

qopt_status qopt_stats_read(const char *path, qopt_stats **stats) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (stats)
      *stats = nullptr;
    if (llvm::Error error =
            check.pointer(path, "path").pointer(stats, "stats").take())
      return error;
    return keepStats(observers::CalibrationState::read(path), stats);
  });
}

qopt_status qopt_stats_parse(const void *bytes, size_t size,
                             qopt_stats **stats) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (stats)
      *stats = nullptr;
    if (llvm::Error error =
            check.pointer(bytes, "bytes").pointer(stats, "stats").take())
      return error;
    return keepStats(observers::CalibrationState::parse(
                         {static_cast<const char *>(bytes), size}, "the bytes"),
                     stats);
  });
}

qopt_status qopt_stats_merge(qopt_stats *stats, const qopt_stats *other) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error =
            check.handle(stats, "stats").handle(other, "other").take())
      return error;
    return stats->state.merge(other->state);
  });
}

qopt_status qopt_stats_write(const qopt_stats *stats, const char *path) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error =
            check.handle(stats, "stats").pointer(path, "path").take())
      return error;
    return stats->state.write(path);
  });
}

qopt_status qopt_stats_bytes(qopt_stats *stats, const void **bytes,
                             size_t *size) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error = check.handle(stats, "stats")
                                .pointer(bytes, "bytes")
                                .pointer(size, "size")
                                .take())
      return error;
    stats->bytes = stats->state.serialize();
    *bytes = stats->bytes.data();
    *size = stats->bytes.size();
    return llvm::Error::success();
  });
}

qopt_status qopt_stats_samples(const qopt_stats *stats, uint64_t *samples) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error =
            check.handle(stats, "stats").pointer(samples, "samples").take())
      return error;
    *samples = stats->state.getSamples().size();
    return llvm::Error::success();
  });
}

void qopt_stats_destroy(qopt_stats *stats) { destroy(stats); }

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

qopt_status qopt_compile_files(const qopt_source *source,
                               const qopt_options *options) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error =
            check.handle(source, "source").optional(options, "options").take())
      return error;
    Call call(options);
    if (llvm::Error error = call.fill(*source, options, /*toFiles=*/true))
      return error;
    pipelines::addDefaultEmission(call.options);
    return pipelines::compile(call.options, call.streams);
  });
}

qopt_status qopt_compile(const qopt_source *source, const qopt_options *options,
                         qopt_result **result) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (result)
      *result = nullptr;
    if (llvm::Error error = check.handle(source, "source")
                                .optional(options, "options")
                                .pointer(result, "result")
                                .take())
      return error;
    Call call(options);
    if (llvm::Error error = call.fill(*source, options, /*toFiles=*/false))
      return error;
    auto compiled = pipelines::compileInMemory(call.options, call.streams);
    if (!compiled)
      return compiled.takeError();
    auto made = std::make_unique<qopt_result>();
    made->compiled = std::move(*compiled);
    *result = made.release();
    return llvm::Error::success();
  });
}

qopt_status qopt_result_name(const qopt_result *result, const char **name) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error =
            check.handle(result, "result").pointer(name, "name").take())
      return error;
    *name = result->compiled.name.c_str();
    return llvm::Error::success();
  });
}

llvm::Expected<const std::string *>
capi::findFile(const pipelines::Compiled &compiled, llvm::StringRef kind) {
  auto found = compiled.files.find(kind.str());
  if (found != compiled.files.end())
    return &found->second;
  std::string known;
  for (const auto &[word, contents] : compiled.files)
    known += (known.empty() ? "" : ", ") + word;
  return makeError(unknownWord, ("the result holds no '" + kind + "'").str(),
                   {"it holds " + known},
                   "set the option emit before compiling; simulate makes no "
                   "object");
}

qopt_status qopt_result_get(const qopt_result *result, const char *kind,
                            const void **bytes, size_t *size) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error = check.handle(result, "result")
                                .pointer(kind, "kind")
                                .pointer(bytes, "bytes")
                                .pointer(size, "size")
                                .take())
      return error;
    auto file = findFile(result->compiled, kind);
    if (!file)
      return file.takeError();
    *bytes = (*file)->data();
    *size = (*file)->size();
    return llvm::Error::success();
  });
}

/// What a file with the suffix of `file` holds.
static llvm::Expected<std::string>
contentsFor(const pipelines::Compiled &compiled, llvm::StringRef file) {
  const llvm::StringRef suffix = path::extension(file);
  for (auto [known, kind] : {std::pair(".o", "obj"),
                             {".so", "obj"},
                             {".a", "obj"},
                             {".h", "header"},
                             {".json", "report"},
                             {".qcal", "qcal"}}) {
    if (suffix != known)
      continue;
    auto contents = findFile(compiled, kind);
    if (!contents)
      return contents.takeError();
    if (suffix == ".so")
      return target::linkShared(**contents, path::filename(file));
    if (suffix == ".a")
      return target::makeArchive(**contents, compiled.name + ".o");
    return **contents;
  }
  return makeError(
      unknownWord,
      ("'" + file + "' has no suffix that says what to save").str(), {},
      "name it .o, .so, .a, .h, .json or .qcal");
}

qopt_status qopt_result_save(const qopt_result *result, const char *file) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error =
            check.handle(result, "result").pointer(file, "path").take())
      return error;
    auto contents = contentsFor(result->compiled, file);
    if (!contents)
      return contents.takeError();
    const llvm::StringRef suffix = path::extension(file);
    if (llvm::Error error =
            writeFileAtomically(file, *contents, suffix == ".so"))
      return error;
    if (suffix != ".o" && suffix != ".so" && suffix != ".a")
      return llvm::Error::success();
    llvm::SmallString<256> header(file);
    path::replace_extension(header, ".h");
    return writeFileAtomically(header, result->compiled.files.at("header"));
  });
}

void qopt_result_destroy(qopt_result *result) { destroy(result); }
