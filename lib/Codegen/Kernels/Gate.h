// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of bytes, and of an image with one value a channel.
#pragma once

#include "Operands.h"

namespace mlir::qopt::codegen {

/// Differences of bytes (bias 128) from a zero point as pairs that a product of
/// two factors is the dot product of: (x, -zero) and (y - zero, y - zero). In
/// blocked order.
WideLanes factorPairs(KernelBuilder &k, Value bytes, int64_t zeroPoint);
WideLanes centeredPairs(KernelBuilder &k, Value bytes, int64_t zeroPoint);
/// Whether pairs of words hold these differences.
bool fitsPairs(int64_t zeroPoint);

/// `op` where one operand is an image and the other has one value a channel,
/// all of bytes and with channels last; false for others.
bool emitGate(KernelContext &context, qint::MulOp op, ArrayRef<View> in,
              const View &out, const Rescale &rescale,
              const OutputType &output);

} // namespace mlir::qopt::codegen
