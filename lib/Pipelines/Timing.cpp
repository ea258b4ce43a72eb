// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adds up phases and prints them.

#include "Timing.h"
#include "llvm/Support/Format.h"
#include <cmath>

using namespace mlir::qopt::pipelines;

static constexpr llvm::StringRef names[] = {"import",   "calibrate", "search",
                                            "lower",    "llvm",      "check",
                                            "evaluate", "write"};

void PhaseClock::enter(Phase phase) {
  Clock::time_point now = Clock::now();
  spent[static_cast<size_t>(current)] += now - since;
  since = now;
  current = phase;
  entered[static_cast<size_t>(phase)] = true;
}

std::vector<PhaseClock::Entry> PhaseClock::read() const {
  std::vector<Entry> entries;
  for (size_t i = 0; i < phaseCount; ++i) {
    if (!entered[i])
      continue;
    Clock::duration time = spent[i];
    if (i == static_cast<size_t>(current))
      time += Clock::now() - since;
    entries.push_back({names[i], std::chrono::duration<double>(time).count()});
  }
  return entries;
}

static double sum(llvm::ArrayRef<PhaseClock::Entry> entries) {
  double total = 0;
  for (const PhaseClock::Entry &entry : entries)
    total += entry.seconds;
  return total;
}

void mlir::qopt::pipelines::printTiming(llvm::raw_ostream &os,
                                        const PhaseClock &clock) {
  const std::vector<PhaseClock::Entry> entries = clock.read();
  const double total = sum(entries);
  auto print = [&](llvm::StringRef name, double seconds) {
    os << llvm::left_justify(name, 12)
       << llvm::format("%10.1f ms %5.1f %%\n", 1e3 * seconds,
                       total > 0 ? 100 * seconds / total : 0.0);
  };
  for (const PhaseClock::Entry &entry : entries)
    print(entry.phase, entry.seconds);
  print("total", total);
}

void mlir::qopt::pipelines::writeTiming(llvm::json::OStream &json,
                                        const PhaseClock &clock) {
  const std::vector<PhaseClock::Entry> entries = clock.read();
  auto milliseconds = [](double seconds) {
    return std::round(1e6 * seconds) / 1e3;
  };
  json.attributeObject("timing", [&] {
    json.attributeObject("phases_ms", [&] {
      for (const PhaseClock::Entry &entry : entries)
        json.attribute(entry.phase, milliseconds(entry.seconds));
    });
    json.attribute("total_ms", milliseconds(sum(entries)));
  });
}
