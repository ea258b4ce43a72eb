// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights of 4 and 2 bits: how they lie in panels, and how a kernel makes bytes
// or words of them again.
#pragma once

#include "TilePlan.h"

namespace mlir::qopt::codegen {

/// One 32-bit unit of `channel`'s weights: those of up to `unitDwords` dwords
/// of K from `firstDword` of `run` on.
uint32_t packUnit(const TileGemm &gemm, const TilePlan &plan, int64_t channel,
                  int64_t run, int64_t firstDword);

/// What the weights of a vector's lanes are multiples of, in the forms that
/// unpacking needs; null where weights are no multiples.
struct GroupFactor {
  /// A word a weight, and what packed bytes lie above the weights.
  Value words, bytes;
};

/// Makes weights of a vector of packed units.
class WeightUnpacker {
public:
  WeightUnpacker(KernelBuilder &kb, const TileGemm &gemm, const TilePlan &plan)
      : kb(kb), gemm(gemm), plan(plan) {}

  /// Of `lanes` lanes whose multiples are bytes at `position` of `panels`.
  GroupFactor loadFactor(Value panels, Value position, int64_t lanes) const;
  /// Field `field` of each unit: bytes of dword `field` of K, times
  /// `2^plan.packedShift`; or words, of dword `field`, or of half `field % 2`
  /// of dword `field / 2` where activations are bytes.
  Value unpack(Value units, int64_t field, const GroupFactor &factor) const;

private:
  Value unpackBytes(Value units, int64_t field,
                    const GroupFactor &factor) const;
  Value unpackWords(Value units, int64_t field,
                    const GroupFactor &factor) const;

  KernelBuilder &kb;
  const TileGemm &gemm;
  const TilePlan &plan;
};

} // namespace mlir::qopt::codegen
