// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The graph passes in their order, as pipelines that a pass manager over a
// module takes.
#pragma once

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::qopt {

/// Options of the pipelines; each is an option of the pass it goes to.
struct QuantizePipelineOptions : PassPipelineOptions<QuantizePipelineOptions> {
  Option<int64_t> bits{*this, "bits",
                       llvm::cl::desc("bits of activations, 8 or 16"),
                       llvm::cl::init(8)};
  Option<bool> symmetric{*this, "symmetric",
                         llvm::cl::desc("activations with zero point 0"),
                         llvm::cl::init(false)};
  Option<std::string> method{
      *this, "method",
      llvm::cl::desc(
          "range method: minmax, mean-minmax, percentile:P, entropy, mse"),
      llvm::cl::init("mse")};
  Option<bool> powerOfTwo{*this, "power-of-two",
                          llvm::cl::desc("scales are powers of two"),
                          llvm::cl::init(false)};
  Option<int64_t> outputBits{*this, "output-bits",
                             llvm::cl::desc("bits of graph outputs, 8 or 16"),
                             llvm::cl::init(16)};
  Option<bool> wideSums{
      *this, "wide-sums",
      llvm::cl::desc("16 bits for values that only an addition reads"),
      llvm::cl::init(false)};
  Option<bool> wideTables{
      *this, "wide-tables",
      llvm::cl::desc("16 bits for values that only smooth functions read"),
      llvm::cl::init(false)};
  Option<std::string> statistics{
      *this, "statistics",
      llvm::cl::desc("the .qcal file; empty: observers have scales")};
  Option<bool> perChannel{*this, "per-channel",
                          llvm::cl::desc("one weight scale an output channel"),
                          llvm::cl::init(true)};
  Option<bool> clipWeights{
      *this, "clip-weights",
      llvm::cl::desc("search the weight scale of least squared error"),
      llvm::cl::init(true)};
  Option<int64_t> weightBits{*this, "weight-bits",
                             llvm::cl::desc("bits of weights: 8, 4 or 2"),
                             llvm::cl::init(8)};
  Option<int64_t> weightGroup{
      *this, "weight-group",
      llvm::cl::desc(
          "input channels that share a multiple of their channel's scale"),
      llvm::cl::init(0)};
};

/// The passes of `buildSimplifyPipeline` before channels are equalized, for a
/// pass manager over functions. Without `fuseActivations` clamps stay ops of
/// their own.
void addFusionPasses(OpPassManager &manager, bool fuseActivations = true);

/// All of them.
void addSimplifyPasses(OpPassManager &manager);

/// Float to float in its smallest form: simplify, fuse activations.
void buildSimplifyPipeline(OpPassManager &manager);

/// Float to observed.
void buildObservePipeline(OpPassManager &manager,
                          const QuantizePipelineOptions &options);

/// Observed with scales to the quantized level.
void buildQuantizedPipeline(OpPassManager &manager,
                            const QuantizePipelineOptions &options);

/// Float to `qint`: everything, with the statistics of `options`.
void buildQuantizePipeline(OpPassManager &manager,
                           const QuantizePipelineOptions &options);

/// Registers `qopt-simplify-pipeline`, `qopt-observe-pipeline` and
/// `qopt-quantize-pipeline`.
void registerTransformsPipelines();

} // namespace mlir::qopt
