// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Logits that a mask moved far below all others.
#pragma once

#include "qopt/Observers/TensorStats.h"
#include <optional>

namespace mlir::qopt::observers {

/// How far below all other logits masked ones count: a weight of 6e-6.
inline constexpr float maskedDistance = 12;

/// `stats` of logits with the masked ones raised to `maskedDistance` below the
/// smallest of the others: softmax gives them next to no weight there either,
/// and a range need not reach further. Masked are values of -32 and below, below
/// an octave in which there are no values. Nothing where there are none.
/// Moments stay those of `stats`; per-channel state is dropped.
std::optional<TensorStats> raiseMasked(const TensorStats &stats);

} // namespace mlir::qopt::observers
