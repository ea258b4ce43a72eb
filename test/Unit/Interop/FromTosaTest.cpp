// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float level that is read from TOSA computes what TOSA does.

#include "TosaHarness.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "qopt/Interop/Pipelines.h"
#include "qopt/Transforms/Pipelines.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::test;

namespace {

/// Both layouts, unequal windows, every kind of padding.
const char *const network = R"(
func.func @main(%x: tensor<2x9x8x3xf32>) -> tensor<2x24xf32> attributes {llvm.emit_c_interface} {
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %pc = "tosa.const"() {values = dense<0.25> : tensor<1xf32>} : () -> tensor<1xf32>
  %s = "tosa.const"() {values = dense<0> : tensor<1xi8>} : () -> tensor<1xi8>
  %w = @6x3x2x3@
  %b = @6@
  %c = tosa.conv2d %x, %w, %b, %z, %z {acc_type = f32, pad = array<i64: 1, 0, 0, 2>, stride = array<i64: 1, 2>, dilation = array<i64: 2, 1>}
    : (tensor<2x9x8x3xf32>, tensor<6x3x2x3xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x6x5x6xf32>
  %r = tosa.clamp %c {min_val = 0.0 : f32, max_val = 3.40282347E+38 : f32} : (tensor<2x6x5x6xf32>) -> tensor<2x6x5x6xf32>
  %wd = @3x2x6x2@
  %bd = @12@
  %d = tosa.depthwise_conv2d %r, %wd, %bd, %z, %z {acc_type = f32, pad = array<i64: 2, 0, 1, 0>, stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>}
    : (tensor<2x6x5x6xf32>, tensor<3x2x6x2xf32>, tensor<12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x6x5x12xf32>
  %v = tosa.avg_pool2d %d, %z, %z {acc_type = f32, kernel = array<i64: 3, 2>, stride = array<i64: 1, 1>, pad = array<i64: 1, 1, 0, 1>}
    : (tensor<2x6x5x12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x6x5x12xf32>
  %k = @1x1x1x12@
  %a = tosa.add %v, %k : (tensor<2x6x5x12xf32>, tensor<1x1x1x12xf32>) -> tensor<2x6x5x12xf32>
  %t = tosa.tanh %a : (tensor<2x6x5x12xf32>) -> tensor<2x6x5x12xf32>
  %u = tosa.sub %t, %d : (tensor<2x6x5x12xf32>, tensor<2x6x5x12xf32>) -> tensor<2x6x5x12xf32>
  %n = tosa.negate %u, %z, %z : (tensor<2x6x5x12xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x6x5x12xf32>
  %q = tosa.maximum %n, %k : (tensor<2x6x5x12xf32>, tensor<1x1x1x12xf32>) -> tensor<2x6x5x12xf32>
  %m = tosa.max_pool2d %q {kernel = array<i64: 2, 3>, stride = array<i64: 2, 1>, pad = array<i64: 0, 0, 1, 1>}
    : (tensor<2x6x5x12xf32>) -> tensor<2x3x5x12xf32>
  %ps = tosa.const_shape {values = dense<[0, 0, 0, 1, 2, 0, 1, 1]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %p = tosa.pad %m, %ps, %pc : (tensor<2x3x5x12xf32>, !tosa.shape<8>, tensor<1xf32>) -> tensor<2x4x7x14xf32>
  %st = tosa.const_shape {values = dense<[0, 1, 2, 3]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %sz = tosa.const_shape {values = dense<[2, 3, 4, 6]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %l = tosa.slice %p, %st, %sz : (tensor<2x4x7x14xf32>, !tosa.shape<4>, !tosa.shape<4>) -> tensor<2x3x4x6xf32>
  %j = tosa.concat %l, %l {axis = 2 : i32} : (tensor<2x3x4x6xf32>, tensor<2x3x4x6xf32>) -> tensor<2x3x8x6xf32>
  %s1 = tosa.reduce_sum %j {axis = 2 : i32} : (tensor<2x3x8x6xf32>) -> tensor<2x3x1x6xf32>
  %s2 = tosa.reduce_sum %s1 {axis = 1 : i32} : (tensor<2x3x1x6xf32>) -> tensor<2x1x1x6xf32>
  %f = "tosa.const"() {values = dense<0.0416666679> : tensor<1x1x1x1xf32>} : () -> tensor<1x1x1x1xf32>
  %mean = tosa.mul %s2, %f, %s : (tensor<2x1x1x6xf32>, tensor<1x1x1x1xf32>, tensor<1xi8>) -> tensor<2x1x1x6xf32>
  %mul = tosa.mul %l, %mean, %s : (tensor<2x3x4x6xf32>, tensor<2x1x1x6xf32>, tensor<1xi8>) -> tensor<2x3x4x6xf32>
  %mx = tosa.reduce_max %mul {axis = 1 : i32} : (tensor<2x3x4x6xf32>) -> tensor<2x1x4x6xf32>
  %sh = tosa.const_shape {values = dense<[1, 8, 6]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %g = tosa.reshape %mx, %sh : (tensor<2x1x4x6xf32>, !tosa.shape<3>) -> tensor<1x8x6xf32>
  %wm = @1x6x6@
  %y = tosa.matmul %g, %wm, %z, %z : (tensor<1x8x6xf32>, tensor<1x6x6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x6xf32>
  %tr = tosa.transpose %y {perms = array<i32: 0, 2, 1>} : (tensor<1x8x6xf32>) -> tensor<1x6x8xf32>
  %yy = tosa.matmul %y, %tr, %z, %z : (tensor<1x8x6xf32>, tensor<1x6x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x8xf32>
  %cc = tosa.concat %y, %yy {axis = 2 : i32} : (tensor<1x8x6xf32>, tensor<1x8x8xf32>) -> tensor<1x8x14xf32>
  %s0 = tosa.const_shape {values = dense<[0, 0, 0]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %s3 = tosa.const_shape {values = dense<[1, 8, 6]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %e = tosa.slice %cc, %s0, %s3 : (tensor<1x8x14xf32>, !tosa.shape<3>, !tosa.shape<3>) -> tensor<1x8x6xf32>
  %so = tosa.const_shape {values = dense<[2, 24]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %o = tosa.reshape %e, %so : (tensor<1x8x6xf32>, !tosa.shape<2>) -> tensor<2x24xf32>
  %i = tosa.rsqrt %o : (tensor<2x24xf32>) -> tensor<2x24xf32>
  %ab = tosa.abs %o : (tensor<2x24xf32>) -> tensor<2x24xf32>
  %ex = tosa.exp %ab : (tensor<2x24xf32>) -> tensor<2x24xf32>
  %out = tosa.sigmoid %ex : (tensor<2x24xf32>) -> tensor<2x24xf32>
  return %out : tensor<2x24xf32>
}
)";

/// `text` with each `@shape@` a constant of random values.
std::string fillWeights(StringRef text, Random &random) {
  std::string result;
  while (true) {
    auto [before, rest] = text.split("= @");
    result += before;
    if (rest.empty())
      return result;
    auto [shape, after] = rest.split('@');
    int64_t count = 1;
    SmallVector<StringRef> sizes;
    shape.split(sizes, 'x');
    for (StringRef size : sizes)
      count *= std::stoll(size.str());
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(random.next(-1000, 1000) / 2000.0f);
    StringRef bytes(reinterpret_cast<const char *>(values.data()), 4 * count);
    std::string type = "tensor<" + shape.str() + "xf32>";
    result += "= \"tosa.const\"() {values = dense<\"0x" + llvm::toHex(bytes) +
              "\"> : " + type + "} : () -> " + type;
    text = after;
  }
}

TEST_F(TosaTest, ReadsWhatTosaComputes) {
  context.loadDialect<tosa::TosaDialect>();
  Random random{11};
  auto module =
      parseSourceString<ModuleOp>(fillWeights(network, random), &context);
  ASSERT_TRUE(module);
  compile(*module);
  ASSERT_TRUE(engine);
  PassManager manager(&context);
  buildReadTosaPipeline(manager);
  ASSERT_TRUE(succeeded(manager.run(*module)));
  func::FuncOp function = *module->getOps<func::FuncOp>().begin();

  SmallVector<Tensor> inputs = {
      Tensor({2, 9, 8, 3}, reference::ElementKind::F32)};
  for (float &value : inputs.front().values<float>())
    value = random.next(-1000, 1000) / 500.0f;
  Tensor result({2, 24}, reference::ElementKind::F32);
  run("main", inputs, result);
  auto expected = reference::evaluate(function, inputs);
  ASSERT_TRUE(static_cast<bool>(expected))
      << llvm::toString(expected.takeError());
  float low = 1, high = 0;
  for (auto [ours, theirs] : llvm::zip_equal(expected->front().values<float>(),
                                             result.values<float>())) {
    EXPECT_NEAR(ours, theirs, 2e-5);
    low = std::min(low, theirs);
    high = std::max(high, theirs);
  }
  // Saturated results would show nothing.
  EXPECT_GT(high - low, 0.02f);
}

} // namespace
