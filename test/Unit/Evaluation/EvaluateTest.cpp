// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A whole evaluation of a model whose every figure is worked out by hand: y = x
// in float, scales of 1 for x and 1/8 for y.

#include "../Calibration/DataFiles.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Evaluation/Evaluation.h"
#include "qopt/Evaluation/OpSteps.h"
#include "qopt/Target/Abi.h"
#include "qopt/Target/Emit.h"
#include "qopt/Transforms/Passes.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using namespace qopt_test;
using calibration::LabelledSet;

namespace {

/// `observers` false: the model before any pass.
std::string identityModel(bool observers) {
  std::string text = R"(
func.func @net(%x: tensor<1x3xf32> {qopt.name = "x"})
    -> (tensor<1x3xf32> {qopt.name = "y"}) {
  %w = qopt.constant dense<[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]>
    : tensor<3x3xf32>
)";
  if (!observers)
    return text + R"(
  %y = qopt.gemm %x, %w {qopt.value = "y"}
    : (tensor<1x3xf32>, tensor<3x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
)";
  return text + R"(
  %x0 = qopt.observe %x "x" {scale = 1.0 : f32, zero_point = 0 : i64}
    : tensor<1x3xf32> -> tensor<1x3xf32>
  %y0 = qopt.gemm %x0, %w {qopt.value = "y"}
    : (tensor<1x3xf32>, tensor<3x3xf32>) -> tensor<1x3xf32>
  %y = qopt.observe %y0 "y" {bits = 16 : i64, symmetric = true,
      scale = 0.125 : f32, zero_point = 0 : i64}
    : tensor<1x3xf32> -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
)";
}

/// All that `evaluate` needs, made as the compile driver makes it.
class Compiled {
public:
  Compiled() {
    context.loadDialect<QoptDialect, qint::QintDialect, func::FuncDialect,
                        quant::QuantDialect>();
    imported = parseSourceString<ModuleOp>(identityModel(false), &context);
    observed = parseSourceString<ModuleOp>(identityModel(true), &context);
    quantized = OwningOpRef<ModuleOp>(observed->clone());
    PassManager toQuantized(&context), toInteger(&context);
    toQuantized.addNestedPass<func::FuncOp>(createQuantize());
    EXPECT_TRUE(succeeded(toQuantized.run(*quantized)));
    integer = OwningOpRef<ModuleOp>(quantized->clone());
    toInteger.addNestedPass<func::FuncOp>(createRewriteToQint());
    EXPECT_TRUE(succeeded(toInteger.run(*integer)));
    object = emit();
  }

  static func::FuncOp function(OwningOpRef<ModuleOp> &module) {
    return *module->getOps<func::FuncOp>().begin();
  }

  llvm::Expected<Evaluation> evaluate(LabelledSet &data,
                                      const EvaluationOptions &options = {}) {
    auto loaded = llvm::cantFail(loadObject(object, "net"));
    return evaluate(*loaded, data, options);
  }
  llvm::Expected<Evaluation> evaluate(QuantizedModel &quantized,
                                      LabelledSet &data,
                                      const EvaluationOptions &options = {}) {
    return mlir::qopt::evaluation::evaluate(
        function(imported), function(observed), function(integer), quantized,
        data, options);
  }

  llvm::Expected<std::unique_ptr<LabelledSet>> open(const TempFolder &folder) {
    return LabelledSet::open(folder.str(),
                             calibration::getInputSpecs(function(imported)),
                             getOutputSpecs(function(imported)));
  }

  func::FuncOp getQuantized() { return function(quantized); }
  func::FuncOp getInteger() { return function(integer); }

private:
  std::string emit() {
    auto target = llvm::cantFail(target::resolveTarget({}));
    codegen::CodegenOptions options;
    options.name = "net";
    options.isa.kind = static_cast<codegen::IsaKind>(target.cpuFeatures.isa);
    auto compiled = llvm::cantFail(codegen::lower(function(integer), options));
    EXPECT_TRUE(succeeded(codegen::lowerToLLVM(*compiled.module, options.isa)));
    target::AbiSpec abi;
    abi.name = "net";
    abi.computeFunction = "net_compute";
    abi.inputs = {
        {"x", "x", {1, 3}, target::BoundaryType::I8, 1.0f, 0, -128, 127}};
    abi.outputs = {{"y",
                    "y",
                    {1, 3},
                    target::BoundaryType::I16,
                    0.125f,
                    0,
                    -32768,
                    32767}};
    abi.arenaBytes = compiled.arenaBytes;
    abi.info = "{}";
    llvm::LLVMContext llvmContext;
    auto module =
        llvm::cantFail(target::translate(*compiled.module, llvmContext));
    auto machine = target::createTargetMachine(target);
    module->setDataLayout(machine->createDataLayout());
    auto exports = llvm::cantFail(target::addAbi(*module, abi));
    llvm::cantFail(target::prepare(*module, *machine, exports));
    llvm::cantFail(target::optimize(*module, *machine));
    return llvm::cantFail(target::emitObject(*module, *machine));
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> imported, observed, quantized, integer;
  std::string object;
};

/// Four samples of three values.
const std::vector<float> samples = {
    4,     2,     1, // Exact.
    1.25f, 3,     2, // 1.25 becomes 1.
    1.75f, 2.25f, 0, // Both become 2: a tie, so the first one wins.
    -1,    -2,    8, // Exact.
};

void writeData(const TempFolder &folder, const std::vector<int64_t> &labels) {
  writeBytes(folder / "x.npy", npy("<f4", "(4, 3)", raw(samples)));
  if (!labels.empty())
    writeBytes(folder / "label.npy", npy("<i8", "(4,)", raw(labels)));
}

double logSumExp(std::vector<double> values) {
  double sum = 0;
  for (double value : values)
    sum += std::exp(value);
  return std::log(sum);
}

double decibels(double power, double error) {
  return 10 * std::log10(power / error);
}

// By hand: squares of all samples, and of what rounding to integers changes.
const double sampleSignal = 21 + (1.5625 + 9 + 4) + (3.0625 + 5.0625) + 69;
const double sampleNoise = 0.0625 + 0.0625 + 0.0625;

} // namespace

TEST(Evaluate, FiguresEqualThoseWorkedOutByHand) {
  TempFolder folder;
  writeData(folder, {0, 1, 1, 0});
  Compiled model;
  auto data = llvm::cantFail(model.open(folder));
  auto result = model.evaluate(*data);
  ASSERT_EQ(text(result ? llvm::Error::success() : result.takeError()), "");
  EXPECT_EQ(result->samples, 4);
  // Largest: 0, 1, 1, 2 in float and 0, 1, 0, 2 in integers.
  EXPECT_EQ(result->floatAccuracy, 0.75);
  EXPECT_EQ(result->integerAccuracy, 0.5);
  EXPECT_EQ(result->agreement, 0.75);
  EXPECT_NEAR(*result->floatLoss,
              (logSumExp({4, 2, 1}) - 4 + logSumExp({1.25, 3, 2}) - 3 +
               logSumExp({1.75, 2.25, 0}) - 2.25 + logSumExp({-1, -2, 8}) + 1) /
                  4,
              1e-12);
  EXPECT_NEAR(*result->integerLoss,
              (logSumExp({4, 2, 1}) - 4 + logSumExp({1, 3, 2}) - 3 +
               logSumExp({2, 2, 0}) - 2 + logSumExp({-1, -2, 8}) + 1) /
                  4,
              1e-12);
  ASSERT_EQ(result->outputs.size(), 1u);
  EXPECT_EQ(result->outputs[0].name, "y");
  EXPECT_NEAR(result->outputs[0].sqnrDb, decibels(sampleSignal, sampleNoise),
              1e-9);
  EXPECT_FALSE(result->outputs[0].floatSqnrDb);
  EXPECT_GT(result->floatNs, 0);
  EXPECT_GT(result->integerNs, 0);
}

TEST(Evaluate, MeasuresOwnAndAccumulatedErrors) {
  TempFolder folder;
  writeData(folder, {0, 1, 1, 0});
  Compiled model;
  auto data = llvm::cantFail(model.open(folder));
  auto result = llvm::cantFail(model.evaluate(*data));
  EXPECT_EQ(result.tensorSamples, 4);
  ASSERT_EQ(result.tensors.size(), 2u);
  EXPECT_EQ(result.tensors[0].id, "x");
  EXPECT_EQ(result.tensors[0].scale, 1.0f);
  EXPECT_NEAR(result.tensors[0].ownSqnrDb, decibels(sampleSignal, sampleNoise),
              1e-9);
  ASSERT_TRUE(result.tensors[0].accumulatedSqnrDb);
  EXPECT_EQ(*result.tensors[0].accumulatedSqnrDb, result.tensors[0].ownSqnrDb);
  EXPECT_EQ(result.tensors[1].id, "y");
  EXPECT_EQ(result.tensors[1].scale, 0.125f);
  EXPECT_EQ(result.tensors[1].ownSqnrDb, 300); // 1/8 holds every quarter.
  ASSERT_TRUE(result.tensors[1].accumulatedSqnrDb);
  EXPECT_NEAR(*result.tensors[1].accumulatedSqnrDb,
              decibels(sampleSignal, sampleNoise), 1e-9);

  EvaluationOptions two;
  two.tensorSamples = 2;
  result = llvm::cantFail(model.evaluate(*data, two));
  EXPECT_EQ(result.tensorSamples, 2);
  EXPECT_NEAR(result.tensors[0].ownSqnrDb,
              decibels(21 + 1.5625 + 9 + 4, 0.0625), 1e-9);
  two.tensorSamples = 0;
  result = llvm::cantFail(model.evaluate(*data, two));
  EXPECT_EQ(result.tensorSamples, 0);
  EXPECT_TRUE(result.tensors.empty());
}

TEST(Evaluate, ComparesWithReferences) {
  TempFolder folder;
  writeData(folder, {});
  std::vector<float> reference = samples;
  reference[0] = 3; // The float model has 4 there.
  writeBytes(folder / "ref_y.npy", npy("<f4", "(4, 3)", raw(reference)));
  Compiled model;
  auto data = llvm::cantFail(model.open(folder));
  auto result = llvm::cantFail(model.evaluate(*data));
  EXPECT_FALSE(result.floatAccuracy);
  EXPECT_FALSE(result.integerLoss);
  EXPECT_EQ(result.agreement, 0.75);
  EXPECT_NEAR(result.outputs[0].sqnrDb, decibels(sampleSignal, sampleNoise),
              1e-9);
  EXPECT_NEAR(*result.outputs[0].floatSqnrDb, decibels(sampleSignal - 7, 1),
              1e-9);
  EXPECT_NEAR(*result.outputs[0].integerSqnrDb,
              decibels(sampleSignal - 7, 1 + sampleNoise), 1e-9);
}

TEST(Evaluate, SimulationsGiveTheSameFigures) {
  TempFolder folder;
  writeData(folder, {0, 1, 1, 0});
  Compiled model;
  auto data = llvm::cantFail(model.open(folder));
  auto emitted = llvm::cantFail(model.evaluate(*data));
  auto integers = llvm::cantFail(simulateInteger(model.getInteger()));
  // In this model float arithmetic is exact as well.
  auto reals = llvm::cantFail(simulateFloat(model.getQuantized()));
  for (QuantizedModel *simulation : {integers.get(), reals.get()}) {
    auto result = llvm::cantFail(model.evaluate(*simulation, *data));
    EXPECT_EQ(result.integerAccuracy, emitted.integerAccuracy);
    EXPECT_EQ(result.integerLoss, emitted.integerLoss);
    EXPECT_EQ(result.outputs[0].sqnrDb, emitted.outputs[0].sqnrDb);
  }
  OpDifferences differences = llvm::cantFail(
      compareOps(model.getQuantized(), model.getInteger(), *data));
  EXPECT_EQ(differences.opsChecked, 1);
  EXPECT_EQ(differences.elements, 12u);
  EXPECT_EQ(differences.differing, 0u);
}

TEST(Evaluate, SimulationNeedsScalesAtTheBoundary) {
  Compiled model;
  model.getInteger().removeResultAttr(
      0, StringAttr::get(model.getInteger().getContext(), "qint.scale"));
  auto simulation = simulateInteger(model.getInteger());
  EXPECT_NE(text(simulation.takeError()).find("output 0"), std::string::npos);
}

TEST(Evaluate, ReportsProgress) {
  TempFolder folder;
  writeData(folder, {0, 1, 1, 0});
  Compiled model;
  auto data = llvm::cantFail(model.open(folder));
  std::vector<int64_t> done;
  auto tick = [&](int64_t i, int64_t total) {
    EXPECT_EQ(total, 4);
    done.push_back(i);
  };
  EvaluationOptions options;
  options.progress = tick;
  llvm::cantFail(model.evaluate(*data, options));
  EXPECT_EQ(done, (std::vector<int64_t>{1, 2, 3, 4}));
}

TEST(Evaluate, RefusesALabelWithoutAClass) {
  for (int64_t label : {3, -1}) {
    TempFolder folder;
    writeData(folder, {0, 1, label, 0});
    Compiled model;
    auto data = llvm::cantFail(model.open(folder));
    std::string message = text(model.evaluate(*data));
    EXPECT_TRUE(refuses(
        message, "Q0449",
        {"sample 2", "label " + std::to_string(label), "classes 0 to 2"}))
        << message;
  }
}

TEST(Evaluate, RefusesLabelsThatDoNotDivideTheOutput) {
  TempFolder folder;
  writeBytes(folder / "x.npy", npy("<f4", "(4, 3)", raw(samples)));
  writeBytes(folder / "label.npy",
             npy("<i8", "(4, 2)", raw(std::vector<int64_t>(8, 0))));
  Compiled model;
  auto data = llvm::cantFail(model.open(folder));
  std::string message = text(model.evaluate(*data));
  EXPECT_TRUE(refuses(message, "Q0449", {"2 labels a sample", "1x3"}))
      << message;
}

TEST(Evaluate, ReadsOutputNamesAndShapes) {
  MLIRContext context;
  context.loadDialect<func::FuncDialect, QoptDialect>();
  auto module = parseSourceString<ModuleOp>(
      "func.func @net(%x: tensor<2x3xf32>) -> (tensor<2x3xf32> {qopt.name = "
      "\"out\"}, tensor<2x3xf32>) {\n  return %x, %x : tensor<2x3xf32>, "
      "tensor<2x3xf32>\n}\n",
      &context);
  auto specs = getOutputSpecs(*module->getOps<func::FuncOp>().begin());
  ASSERT_EQ(specs.size(), 2u);
  EXPECT_EQ(specs[0].name, "out");
  EXPECT_EQ(specs[0].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(specs[1].name, "output1");
}
