// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An evaluation as JSON. Times differ from run to run, so they stay out.

#include "qopt/Evaluation/Evaluation.h"

using namespace mlir::qopt::evaluation;

static void writeOptional(llvm::json::OStream &json, llvm::StringRef key,
                          const std::optional<double> &value) {
  if (value)
    json.attribute(key, *value);
}

void mlir::qopt::evaluation::writeJson(llvm::json::OStream &json,
                                       const Evaluation &evaluation) {
  json.object([&] {
    json.attribute("samples", evaluation.samples);
    writeOptional(json, "float_accuracy", evaluation.floatAccuracy);
    writeOptional(json, "integer_accuracy", evaluation.integerAccuracy);
    writeOptional(json, "float_loss", evaluation.floatLoss);
    writeOptional(json, "integer_loss", evaluation.integerLoss);
    json.attribute("agreement", evaluation.agreement);
    json.attributeArray("outputs", [&] {
      for (const OutputQuality &output : evaluation.outputs)
        json.object([&] {
          json.attribute("name", llvm::json::fixUTF8(output.name));
          json.attribute("sqnr_db", output.sqnrDb);
          writeOptional(json, "float_sqnr_db", output.floatSqnrDb);
          writeOptional(json, "integer_sqnr_db", output.integerSqnrDb);
        });
    });
    json.attribute("tensor_samples", evaluation.tensorSamples);
    json.attributeArray("tensors", [&] {
      for (const TensorError &tensor : evaluation.tensors)
        json.object([&] {
          json.attribute("id", llvm::json::fixUTF8(tensor.id));
          json.attribute("scale", static_cast<double>(tensor.scale));
          json.attribute("zero_point", tensor.zeroPoint);
          json.attribute("own_sqnr_db", tensor.ownSqnrDb);
          writeOptional(json, "accumulated_sqnr_db", tensor.accumulatedSqnrDb);
        });
    });
  });
}
