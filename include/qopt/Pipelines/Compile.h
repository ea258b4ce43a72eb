// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the command line offers, as functions: compile, calibrate, merge, show,
// inspect. Each fails with a QoptError that a person can act on.
#pragma once

#include "qopt/Pipelines/Options.h"
#include "qopt/Observers/CalibrationState.h"
#include "llvm/Support/raw_ostream.h"
#include <functional>
#include <map>

namespace mlir::qopt::pipelines {

/// Progress goes to `progress` (standard error), results to `results`. `tool`
/// is the path of the running program; the runtime archive that `exe` links is
/// looked for beside it.
struct Streams {
  llvm::raw_ostream &results;
  llvm::raw_ostream &progress;
  std::string tool;
  /// Told the work under way and how much of it is done, of 0 where the total
  /// is not known.
  std::function<void(llvm::StringRef, int64_t, int64_t)> tick = nullptr;
  /// Asked after each calibration sample and between the steps of a
  /// compilation; true ends the run (Q0155).
  std::function<bool()> cancelled = nullptr;
};

/// Model to everything that `options.emissions` names. Nothing is written
/// unless all of it could be made. Ends with at most 12 lines of results.
llvm::Error compile(const CompileOptions &options, const Streams &streams);

/// A compiled model in memory.
struct Compiled {
  /// The prefix of its symbols.
  std::string name;
  /// Contents by the words of `--emit`: `obj`, `header`, `report`, `qcal`, and
  /// what `options.emissions` names.
  std::map<std::string, std::string> files;
};

/// The same without files; `options.output` has nothing to say. Executables
/// are refused (Q0111).
llvm::Expected<Compiled> compileInMemory(const CompileOptions &options,
                                         const Streams &streams);

/// One pass over the data.
llvm::Expected<observers::CalibrationState>
makeStatistics(const CompileOptions &options, const Streams &streams);

/// One pass over the data into `options.output`, a `.qcal` file.
llvm::Error calibrate(const CompileOptions &options, const Streams &streams);

/// Shards into one `.qcal` file.
llvm::Error merge(llvm::ArrayRef<std::string> shards, llvm::StringRef output,
                  const Streams &streams);

/// Min, max, scale and zero point of each tensor of a `.qcal` file or a
/// compiled model's JSON; with `values`, the weights of `options.model` as
/// float, integer and dequantized values.
llvm::Error show(llvm::StringRef file, const CompileOptions &options,
                 bool values, const Streams &streams);

/// How `inspect` writes.
struct InspectOptions {
  /// One JSON object in place of the table.
  bool json = false;
  /// One line for each node.
  bool nodes = false;
};

/// Inputs, outputs, operators, sizes and what is not supported of a model.
/// Fails with Q0304 or Q0210 after writing if a node is refused.
llvm::Error inspect(const CompileOptions &options, const InspectOptions &how,
                    const Streams &streams);

/// Two reports (`--emit=report`) side by side: each figure of both, and what
/// changed for each tensor. Fails with Q0402 where a file is no report.
llvm::Error compare(llvm::StringRef first, llvm::StringRef second, bool json,
                    const Streams &streams);

/// The error of each weight of `options.model` as integers of 2 to 16 bits,
/// symmetric and asymmetric, one range for all or one a channel.
llvm::Error weights(const CompileOptions &options, bool json,
                    const Streams &streams);

} // namespace mlir::qopt::pipelines
