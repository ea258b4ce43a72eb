// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small observed networks from text, and what Reference says of their values.
#pragma once

#include "mlir/Parser/Parser.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Reference/Evaluate.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ThreadPool.h"
#include <gtest/gtest.h>
#include <map>
#include <random>

namespace qopt_test {

/// A parsed module with one function.
class TestNet {
public:
  /// With `jobs` above 1, work on the context runs on as many threads.
  explicit TestNet(const std::string &source, unsigned jobs = 1)
      : threads(llvm::hardware_concurrency(jobs)) {
    if (jobs > 1)
      context.setThreadPool(threads);
    context.loadDialect<mlir::qopt::QoptDialect, mlir::qint::QintDialect,
                        mlir::func::FuncDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
    EXPECT_TRUE(module) << source;
  }
  mlir::func::FuncOp function() {
    return *module->getOps<mlir::func::FuncOp>().begin();
  }
  mlir::ModuleOp get() { return *module; }

private:
  llvm::DefaultThreadPool threads;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// Floats for weights and samples; `exact` gives integers in [-4, 4], with
/// which sums of products are exact in f32.
inline std::vector<float> randomFloats(size_t count, unsigned seed,
                                       bool exact = false) {
  std::mt19937 engine(seed);
  std::vector<float> values(count);
  for (float &value : values)
    value = exact ? static_cast<float>(static_cast<int>(engine() % 9) - 4)
                  : static_cast<float>(engine() % 20001) / 10000.0f - 1.0f;
  return values;
}

/// `%name = qopt.constant dense<"0x..."> : tensor<TYPE>`.
inline std::string constantText(const std::string &name,
                                const std::string &shape,
                                const std::vector<float> &values) {
  return "  %" + name + " = qopt.constant dense<\"0x" +
         llvm::toHex(llvm::ArrayRef<uint8_t>(
             reinterpret_cast<const uint8_t *>(values.data()),
             values.size() * sizeof(float))) +
         "\"> : tensor<" + shape + "xf32>\n";
}

/// A residual network on 1x3x9x7: padded convolution, max pool beside it, a
/// depthwise one, add, concat, mean, fully connected; every value observed.
inline std::string residualNet(unsigned seed, bool exact) {
  auto weights = [&](const std::string &name, const std::string &shape,
                     size_t count) {
    return constantText(name, shape, randomFloats(count, seed++, exact));
  };
  return "func.func @net(%x: tensor<1x3x9x7xf32> {qopt.name = \"x\"}) -> "
         "(tensor<1x5xf32> {qopt.name = \"y\"}) {\n" +
         weights("w0", "8x3x3x3", 216) + weights("b0", "8", 8) +
         weights("w1", "8x1x3x3", 72) + weights("w2", "5x16", 80) +
         weights("b2", "5", 5) + R"(
  %x0 = qopt.observe %x "x" : tensor<1x3x9x7xf32> -> tensor<1x3x9x7xf32>
  %c0 = qopt.conv %x0, %w0, %b0 {pads = array<i64: 1, 1, 1, 1>,
      activation = #qopt.fn<relu>}
    : (tensor<1x3x9x7xf32>, tensor<8x3x3x3xf32>, tensor<8xf32>)
    -> tensor<1x8x9x7xf32>
  %c1 = qopt.observe %c0 "conv0" : tensor<1x8x9x7xf32> -> tensor<1x8x9x7xf32>
  %d0 = qopt.conv %c1, %w1 {groups = 8 : i64, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x8x9x7xf32>, tensor<8x1x3x3xf32>) -> tensor<1x8x9x7xf32>
  %d1 = qopt.observe %d0 "depthwise" : tensor<1x8x9x7xf32> -> tensor<1x8x9x7xf32>
  %a0 = qopt.add %c1, %d1 : (tensor<1x8x9x7xf32>, tensor<1x8x9x7xf32>)
    -> tensor<1x8x9x7xf32>
  %a1 = qopt.observe %a0 "add" : tensor<1x8x9x7xf32> -> tensor<1x8x9x7xf32>
  %m0 = qopt.concat %a1, %c1 axis 1 : (tensor<1x8x9x7xf32>, tensor<1x8x9x7xf32>)
    -> tensor<1x16x9x7xf32>
  %m1 = qopt.observe %m0 "concat" : tensor<1x16x9x7xf32> -> tensor<1x16x9x7xf32>
  %p0 = qopt.max_pool %m1 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
    : (tensor<1x16x9x7xf32>) -> tensor<1x16x4x3xf32>
  %g0 = qopt.max_pool %p0 {kernel = array<i64: 4, 3>}
    : (tensor<1x16x4x3xf32>) -> tensor<1x16x1x1xf32>
  %f0 = qopt.reshape %g0 : (tensor<1x16x1x1xf32>) -> tensor<1x16xf32>
  %f1 = qopt.observe %f0 "pooled" : tensor<1x16xf32> -> tensor<1x16xf32>
  %y0 = qopt.gemm %f1, %w2, %b2
    : (tensor<1x16xf32>, tensor<5x16xf32>, tensor<5xf32>) -> tensor<1x5xf32>
  %y = qopt.observe %y0 "y" : tensor<1x5xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}
)";
}

/// Reference's observed values by id, results under "output<i>".
inline std::map<std::string, mlir::qopt::reference::Tensor>
referenceValues(mlir::func::FuncOp function, const std::vector<float> &input) {
  using mlir::qopt::reference::Tensor;
  std::map<std::string, Tensor> values;
  auto type =
      mlir::cast<mlir::RankedTensorType>(function.getArgumentTypes()[0]);
  auto results = mlir::qopt::reference::evaluate(
      function, {Tensor::from<float>(type.getShape(), input)},
      [&](mlir::Value value, const Tensor &tensor) {
        if (auto observe = value.getDefiningOp<mlir::qopt::ObserveOp>())
          values.emplace(observe.getId().str(), tensor);
      });
  if (!results) {
    ADD_FAILURE() << llvm::toString(results.takeError());
    return values;
  }
  for (size_t i = 0; i < results->size(); ++i)
    values.emplace("output" + std::to_string(i), (*results)[i]);
  return values;
}

} // namespace qopt_test
