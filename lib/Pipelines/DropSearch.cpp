// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accuracies in points.

#include "DropSearch.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

void DropSearch::add(double targetDb,
                     const std::optional<evaluation::BitSearch> &bits,
                     const evaluation::Evaluation &evaluation) {
  DropRound round;
  round.targetDb = targetDb;
  round.slowdown = bits ? bits->slowdown : 1;
  round.floatAccuracy = *evaluation.floatAccuracy;
  round.quantizedAccuracy = *evaluation.integerAccuracy;
  round.drop = 100 * (round.floatAccuracy - round.quantizedAccuracy);
  rounds.push_back(round);
  if (round.drop < getBest().drop)
    best = rounds.size() - 1;
}

bool DropSearch::isMet() const {
  // Accuracies are quotients; a thousandth of a sample of 100,000 is no drop.
  return getBest().drop <= allowed + 1e-6;
}

/// As it was written.
static std::string formatShort(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

llvm::Error DropSearch::refuse(const CompileOptions &options) const {
  std::vector<std::string> notes;
  for (const DropRound &round : rounds)
    notes.push_back(llvm::formatv("{0:F2} points with --target-sqnr={1:F0}, "
                                  "{2:F2}x the cycles of 8 bits",
                                  round.drop, round.targetDb, round.slowdown));
  std::string help = "nothing was written; --force writes the best";
  if (options.mode != Mode::Static)
    notes.clear();
  else
    help += llvm::formatv(", a larger --max-slowdown (now {0}) lets the "
                          "search go on",
                          formatShort(options.maxSlowdown));
  return makeError(
      601,
      llvm::formatv("accuracy drops by {0:F2} points, more than --max-drop={1} "
                    "allows: float {2:F2} %, {3} {4:F2} %",
                    getBest().drop, formatShort(allowed), 100 * getBest().floatAccuracy,
                    options.mode == Mode::Weights ? "quantized" : "integer",
                    100 * getBest().quantizedAccuracy),
      std::move(notes), std::move(help));
}
