// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer's interface: attributes, locations, hash, blobs, determinism.
#include "qopt/Import/ONNX/Import.h"
#include "TestModels.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::qopt;

namespace {

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  flags.enableDebugInfo();
  module.print(os, flags);
  return text;
}

TEST(Import, marksNamesLocationsAndHash) {
  std::string bytes = smallNetwork().SerializeAsString();
  MLIRContext context;
  importer::ImportOptions options;
  auto module = importer::importModelBytes(bytes, context, options);
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  auto hash = llvm::SHA256::hash(llvm::arrayRefFromStringRef(bytes));
  EXPECT_EQ(
      (*module)->getOperation()->getAttrOfType<StringAttr>("qopt.model_hash"),
      llvm::toHex(hash, /*LowerCase=*/true));
  auto function = (*module)->lookupSymbol<func::FuncOp>("main");
  ASSERT_TRUE(function);
  EXPECT_EQ(function.getArgAttrOfType<StringAttr>(0, "qopt.name"), "x");
  EXPECT_EQ(function.getResultAttrOfType<StringAttr>(0, "qopt.name"), "y");
  SmallVector<std::string> values;
  function.walk([&](Operation *op) {
    if (op->getNumResults() == 0)
      return;
    auto value = op->getAttrOfType<StringAttr>("qopt.value");
    ASSERT_TRUE(value);
    values.push_back(value.str());
    EXPECT_TRUE(isa<NameLoc>(op->getLoc()));
  });
  EXPECT_EQ(values, (SmallVector<std::string>{"w", "b", "c", "r", "p", "flat",
                                              "f", "g", "y"}));
  auto softmax = function.getBody().front().getTerminator()->getOperand(0);
  EXPECT_EQ(cast<NameLoc>(softmax.getLoc()).getName(), "Softmax_8");
}

TEST(Import, holdsTheWeightsBytes) {
  onnx::ModelProto model = smallNetwork();
  MLIRContext context;
  importer::ImportOptions options;
  auto module =
      importer::importModelBytes(model.SerializeAsString(), context, options);
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  bool found = false;
  (*module)->walk([&](ConstantOp op) {
    auto blob = dyn_cast<DenseResourceElementsAttr>(op.getValue());
    if (!blob || blob.getRawHandle().getKey() != "w")
      return;
    found = true;
    auto data = blob.getRawHandle().getBlob()->getDataAs<float>();
    const auto &expected = model.graph().initializer(0).float_data();
    EXPECT_TRUE(
        std::equal(data.begin(), data.end(), expected.begin(), expected.end()));
    EXPECT_GE(blob.getRawHandle().getBlob()->getDataAlignment(),
              alignof(float));
  });
  EXPECT_TRUE(found);
}

TEST(Import, isDeterministic) {
  std::string bytes = smallNetwork().SerializeAsString(), first;
  for (int run = 0; run != 2; ++run) {
    MLIRContext context;
    importer::ImportOptions options;
    auto module = importer::importModelBytes(bytes, context, options);
    ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
    std::string text = print(**module);
    EXPECT_TRUE(run == 0 || text == first);
    first = text;
  }
}

TEST(Import, reportsAFileThatIsNotThere) {
  MLIRContext context;
  importer::ImportOptions options;
  auto module = importer::importModel("/nonexistent/m.onnx", context, options);
  ASSERT_FALSE(bool(module));
  std::string text;
  llvm::raw_string_ostream os(text);
  EXPECT_EQ(reportError(module.takeError(), os), ExitCode::IO);
  EXPECT_NE(text.find("error[Q0502]"), std::string::npos);
}

} // namespace
