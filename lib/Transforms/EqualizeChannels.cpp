// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cross-layer equalization (Nagel et al., "Data-Free Quantization Through
// Weight Equalization and Bias Correction") and the same behind normalizations
// (Xiao et al., "SmoothQuant"), by powers of two: the float model computes the
// same bits.

#include "qopt/Transforms/ChannelGroups.h"
#include "qopt/Transforms/ChannelScales.h"
#include "qopt/Transforms/Passes.h"
#include <cmath>

namespace mlir::qopt {
#define GEN_PASS_DEF_EQUALIZECHANNELS
#include "qopt/Transforms/Passes.h.inc"

namespace {

/// Octaves that a channel may be off. Within that, weights say little about the
/// values that they make: on trained networks factors help and harm alike.
constexpr double tolerance = 1;
/// Chains settle in a few passes; a ring of groups may never do.
constexpr int maxSweeps = 20;

/// How many standard deviations a normalized channel is taken to reach.
constexpr double deviations = 3;

/// How large channel `channel` of what `layer` makes is, by its constants.
double getSize(ScaledLayer &layer, int64_t channel) {
  double size = 0;
  layer.forOutput(channel, [&](float w) {
    size = std::max(size, std::fabs(static_cast<double>(w)));
  });
  if (!layer.isNorm())
    return size;
  double shift = layer.bias.empty() ? 0.0 : layer.bias[channel];
  return deviations * size + std::fabs(shift);
}

/// For each channel the power of two that would bring it in line; 0 for those
/// that are, and for channels without weights on a side.
SmallVector<int> findExponents(ChannelGroups &groups,
                               const ChannelGroup &group) {
  int64_t channels = groups.countChannels(group);
  SmallVector<double> ratios, known;
  for (int64_t channel = 0; channel < channels; ++channel) {
    double out = 0, in = 0;
    for (size_t producer : group.producers)
      out = std::max(out, getSize(groups.getLayer(producer), channel));
    for (size_t consumer : group.consumers)
      groups.getLayer(consumer).forInput(channel, [&](float w) {
        in = std::max(in, std::fabs(static_cast<double>(w)));
      });
    bool isUsed = out > 0 && in > 0;
    ratios.push_back(isUsed ? 0.5 * std::log2(out / in) : NAN);
    if (isUsed)
      known.push_back(ratios.back());
  }
  SmallVector<int> exponents(channels, 0);
  if (known.empty())
    return exponents;
  llvm::sort(known);
  double middle = known[known.size() / 2];
  for (auto [exponent, ratio] : llvm::zip_equal(exponents, ratios))
    if (std::fabs(ratio - middle) >= tolerance)
      exponent = static_cast<int>(std::lround(ratio - middle));
  return exponents;
}

struct EqualizeChannels final : impl::EqualizeChannelsBase<EqualizeChannels> {
  using impl::EqualizeChannelsBase<EqualizeChannels>::EqualizeChannelsBase;

  /// Whether the options leave a group to this pass.
  bool mayScale(bool hasNorm) const { return hasNorm ? norms : weights; }

  /// By group and channel: the powers of two that it was divided by in all;
  /// empty: nothing was done.
  using Exponents = std::vector<SmallVector<int32_t>>;

  /// One pass over the groups with or without norms; whether anything changed.
  bool sweep(ChannelGroups &groups, bool ofNorms, Exponents &done) {
    bool changed = false;
    for (auto [index, group] : llvm::enumerate(groups.get())) {
      if (groups.hasNorm(group) != ofNorms || !mayScale(ofNorms))
        continue;
      for (auto [channel, exponent] :
           llvm::enumerate(findExponents(groups, group)))
        if (exponent != 0) {
          groups.scale(group, channel, std::ldexp(1.0, exponent));
          done[index].resize(groups.countChannels(group));
          done[index][channel] += exponent;
          changed = true;
        }
    }
    return changed;
  }

  void runOnOperation() override {
    ChannelGroups groups(getOperation());
    Exponents done(groups.get().size());
    // What layers make first, so that it does not depend on norms.
    for (bool ofNorms : {false, true})
      for (int i = 0; i < maxSweeps && sweep(groups, ofNorms, done); ++i)
        ;
    groups.store();
    for (auto [group, exponents] : llvm::zip_equal(groups.get(), done))
      if (!exponents.empty())
        for (Operation *op : group.ops)
          ChannelScale{groups.hasNorm(group) ? ChannelMethod::Norms
                                             : ChannelMethod::Weights,
                       group.axis, exponents}
              .set(op);
  }
};

} // namespace
} // namespace mlir::qopt
