// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What quantization changed: accuracy, loss and agreement on labelled data,
// the error of each output and of each tensor.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Calibration/DataLabelled.h"
#include "qopt/Evaluation/QuantizedModel.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/JSON.h"
#include <optional>
#include <string>
#include <vector>

namespace mlir::qopt::evaluation {

/// One graph output. SQNR is `10 log10(sum ref^2 / sum (ref - out)^2)` over all
/// samples, 300 where they are equal.
struct OutputQuality {
  std::string name;
  /// Of the integer model against the float model.
  double sqnrDb = 0;
  /// Of the float and the integer model against the data's reference.
  std::optional<double> floatSqnrDb;
  std::optional<double> integerSqnrDb;
};

/// One quantized tensor. `ownSqnrDb`: its float values rounded to its own
/// scale, nothing else quantized; `accumulatedSqnrDb`: its integer values in
/// the integer model, everything before it quantized too; absent where the
/// integer function does not have the tensor.
struct TensorError {
  std::string id;
  float scale = 1;
  int32_t zeroPoint = 0;
  double ownSqnrDb = 0;
  std::optional<double> accumulatedSqnrDb;
};

struct Evaluation {
  int64_t samples = 0;
  /// Share of samples whose largest first output is the label (of labels, where
  /// a sample has several); with labels only.
  std::optional<double> floatAccuracy, integerAccuracy;
  /// Mean cross entropy of the first output as logits (or of its values where
  /// they are probabilities: all in [0, 1] and a sum of 1); with labels only.
  std::optional<double> floatLoss, integerLoss;
  /// Share of samples on which both models' largest first output agree.
  double agreement = 0;
  std::vector<OutputQuality> outputs;
  /// Function order; over the first `tensorSamples` samples.
  std::vector<TensorError> tensors;
  int64_t tensorSamples = 0;
  /// Nanoseconds an inference: minimum over the samples.
  double floatNs = 0, integerNs = 0;
};

struct EvaluationOptions {
  /// Samples over which the tensors' errors are measured; 0: none.
  int64_t tensorSamples = 64;
  llvm::function_ref<void(int64_t, int64_t)> progress = nullptr;
};

/// The outputs of a float function, as LabelledSet matches references.
std::vector<calibration::OutputSpec> getOutputSpecs(func::FuncOp function);

/// `imported` is the float model before any pass, `observed` the same with
/// observers (their scales decided), `integer` the `qint` function, whose
/// tensors' errors are measured; both null where there is none. `quantized` is
/// what is held against the float model. Fails with Q04xx and Q07xx.
llvm::Expected<Evaluation> evaluate(func::FuncOp imported,
                                    func::FuncOp observed, func::FuncOp integer,
                                    QuantizedModel &quantized,
                                    calibration::LabelledSet &data,
                                    const EvaluationOptions &options = {});

/// Writes the members of `evaluation` as one JSON object.
void writeJson(llvm::json::OStream &json, const Evaluation &evaluation);

} // namespace mlir::qopt::evaluation
