// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `--max-drop`: the rounds of a search for accuracy, and its verdict.
#pragma once

#include "qopt/Evaluation/Evaluation.h"
#include "qopt/Evaluation/SearchBits.h"
#include "qopt/Pipelines/Options.h"

namespace mlir::qopt::pipelines {

/// One round.
struct DropRound {
  /// The SQNR that was to be enough.
  double targetDb = 0;
  /// Predicted cycles by those of 8 bits.
  double slowdown = 1;
  double floatAccuracy = 0, quantizedAccuracy = 0;
  /// Points below float.
  double drop = 0;
};

struct DropSearch {
  /// Points, `--max-drop`.
  double allowed = 0;
  std::vector<DropRound> rounds;
  /// The round with the smallest drop, the first of equals.
  size_t best = 0;

  const DropRound &getBest() const { return rounds[best]; }
  /// `evaluation` has labels; `bits` is absent where nothing was searched.
  void add(double targetDb, const std::optional<evaluation::BitSearch> &bits,
           const evaluation::Evaluation &evaluation);
  bool isMet() const;
  /// Q0601, with the figures of each round.
  llvm::Error refuse(const CompileOptions &options) const;
};

} // namespace mlir::qopt::pipelines
