// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An object through its public ABI: y = 2 x with scales 0.5 (zero point 1) and
// 0.25.

#include "qopt/Evaluation/ObjectModel.h"
#include "../Target/TestAbi.h"

using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;
using target::doublerObject;
using target::doublerSpec;
using target::errorOf;
using target::unwrap;

/// Outputs of one run on `inputs`.
static std::vector<float> runOn(ObjectModel &model, std::vector<float> inputs) {
  std::vector<float> outputs(4, -1);
  model.setInputs({inputs.data()});
  model.run();
  model.getOutputs({outputs.data()});
  return outputs;
}

static void checkDoubler(const target::AbiSpec &spec) {
  auto model = unwrap(ObjectModel::create(doublerObject(spec), "doubler"));
  ASSERT_TRUE(model);
  EXPECT_EQ(model->inputSizes(), std::vector<int64_t>{4});
  EXPECT_EQ(model->outputSizes(), std::vector<int64_t>{4});
  // 0.25 is half a step: to the even integer 0 (and not to 0.5). 100 saturates
  // at 127, which means 63; -100 at -128, which means -64.5.
  EXPECT_EQ(runOn(*model, {3, 0.25f, 100, -100}),
            (std::vector<float>{6, 0, 126, -129}));
  EXPECT_EQ(runOn(*model, {0.75f, -1, 1, 0}),
            (std::vector<float>{2, -2, 2, 0}));
  llvm::ArrayRef<char> bytes = model->outputBytes(0);
  ASSERT_EQ(bytes.size(), 8u);
  EXPECT_EQ(static_cast<int>(bytes[0]), 8);
}

TEST(ObjectModel, UsesTheObjectsHelpers) { checkDoubler(doublerSpec()); }

TEST(ObjectModel, QuantizesItselfWithoutHelpers) {
  target::AbiSpec spec = doublerSpec();
  spec.helpers = false;
  checkDoubler(spec);
}

TEST(ObjectModel, KeepsUnsignedTypes) {
  target::AbiSpec spec = doublerSpec();
  spec.helpers = false;
  // The code reads the bytes as signed: 200 is -56, (-56 - 1) * 4 = -228.
  spec.inputs[0].type = target::BoundaryType::U8;
  auto model = unwrap(ObjectModel::create(doublerObject(spec), "doubler"));
  ASSERT_TRUE(model);
  EXPECT_EQ(runOn(*model, {99.5f, 0, -5, 1000}),
            (std::vector<float>{-57, 0, -1, -2}));
}

TEST(ObjectModel, RefusesBytesThatAreNoObject) {
  EXPECT_NE(errorOf(ObjectModel::create("garbage", "doubler")), "");
}

TEST(ObjectModel, RefusesAnotherName) {
  std::string message =
      errorOf(ObjectModel::create(doublerObject(doublerSpec()), "tripler"));
  EXPECT_NE(message.find("Q0706"), std::string::npos) << message;
}
