// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the time of a compilation goes (--timing).
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <array>
#include <chrono>
#include <vector>

namespace mlir::qopt::pipelines {

/// What a compilation does, in its order.
enum class Phase {
  /// Reading the model, float passes, observers.
  Import,
  /// Running samples, or reading a .qcal.
  Calibrate,
  /// Choosing ranges, bits, roundings and biases on kept samples.
  Search,
  /// Quantized ops to integers, loops and the LLVM dialect.
  Lower,
  /// LLVM, from its dialect to an object.
  LLVM,
  /// Disassembling that object.
  Check,
  /// What was asked to be measured: --eval, errors of layers.
  Evaluate,
  /// Making and writing files.
  Write,
};

/// Gives each moment of a run to one phase, so that phases add up to the run.
class PhaseClock {
public:
  /// Starts in phase `Import`.
  PhaseClock() : since(Clock::now()) {}

  /// From now on, time is `phase`'s.
  void enter(Phase phase);

  struct Entry {
    llvm::StringRef phase;
    double seconds;
  };
  /// All phases up to now that took part, in their order.
  std::vector<Entry> read() const;

private:
  using Clock = std::chrono::steady_clock;
  static constexpr size_t phaseCount = static_cast<size_t>(Phase::Write) + 1;

  Phase current = Phase::Import;
  Clock::time_point since;
  std::array<Clock::duration, phaseCount> spent{};
  std::array<bool, phaseCount> entered{true};
};

/// A table of milliseconds and shares.
void printTiming(llvm::raw_ostream &os, const PhaseClock &clock);

/// The attribute `timing` of a report: milliseconds until now.
void writeTiming(llvm::json::OStream &json, const PhaseClock &clock);

} // namespace mlir::qopt::pipelines
