// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The float level that is read from TOSA computes what TOSA does.

#include "TosaHarness.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "qopt/Interop/Pipelines.h"
#include "qopt/Interop/TosaOps.h"
#include "qopt/Transforms/Pipelines.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>
#include <set>
#include <thread>

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

/// Other grids, rows by index, comparisons and what they choose between. Bools
/// leave as the numbers that they select or are cast to.
const char *const selections = R"(
func.func @main(%x: tensor<2x4x5x3xf32>) -> tensor<1x12x65xf32> attributes {llvm.emit_c_interface} {
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %w = @4x5x3x3@
  %b = @4@
  %c = tosa.transpose_conv2d %x, %w, %b, %z, %z {acc_type = f32, out_pad = array<i64: 1, -2, -1, 2>, stride = array<i64: 2, 3>}
    : (tensor<2x4x5x3xf32>, tensor<4x5x3x3xf32>, tensor<4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x10x16x4xf32>
  %w1 = @3x2x3x4@
  %b1 = @1@
  %d = tosa.transpose_conv2d %c, %w1, %b1, %z, %z {acc_type = f32, out_pad = array<i64: 0, 1, 0, -1>, stride = array<i64: 1, 1>}
    : (tensor<2x10x16x4xf32>, tensor<3x2x3x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x12x17x3xf32>
  %ns = tosa.const_shape {values = dense<[3, 2, 2, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %no = tosa.const_shape {values = dense<[-1, 0]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %nb = tosa.const_shape {values = dense<[0, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %n = tosa.resize %x, %ns, %no, %nb {mode = NEAREST_NEIGHBOR}
    : (tensor<2x4x5x3xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<2x6x10x3xf32>
  %ls = tosa.const_shape {values = dense<[4, 2, 5, 7]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %lo = tosa.const_shape {values = dense<[-1, 2]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %lb = tosa.const_shape {values = dense<[1, -1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %l = tosa.resize %n, %ls, %lo, %lb {mode = BILINEAR}
    : (tensor<2x6x10x3xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<2x12x7x3xf32>
  %u = tosa.concat %d, %l {axis = 2 : i32} : (tensor<2x12x17x3xf32>, tensor<2x12x7x3xf32>) -> tensor<2x12x24x3xf32>
  %r = tosa.reverse %u {axis = 2 : i32} : (tensor<2x12x24x3xf32>) -> tensor<2x12x24x3xf32>
  %half = "tosa.const"() {values = dense<0.5> : tensor<1x1x1x1xf32>} : () -> tensor<1x1x1x1xf32>
  %g = tosa.greater %u, %r : (tensor<2x12x24x3xf32>, tensor<2x12x24x3xf32>) -> tensor<2x12x24x3xi1>
  %g1 = tosa.greater %half, %u : (tensor<1x1x1x1xf32>, tensor<2x12x24x3xf32>) -> tensor<2x12x24x3xi1>
  %g2 = tosa.greater_equal %u, %half : (tensor<2x12x24x3xf32>, tensor<1x1x1x1xf32>) -> tensor<2x12x24x3xi1>
  %k = @1x1x24x1@
  %g3 = tosa.greater_equal %k, %r : (tensor<1x1x24x1xf32>, tensor<2x12x24x3xf32>) -> tensor<2x12x24x3xi1>
  %e = tosa.equal %u, %r : (tensor<2x12x24x3xf32>, tensor<2x12x24x3xf32>) -> tensor<2x12x24x3xi1>
  %a1 = tosa.logical_and %g, %g1 : (tensor<2x12x24x3xi1>, tensor<2x12x24x3xi1>) -> tensor<2x12x24x3xi1>
  %a2 = tosa.logical_xor %a1, %g2 : (tensor<2x12x24x3xi1>, tensor<2x12x24x3xi1>) -> tensor<2x12x24x3xi1>
  %a3 = tosa.logical_not %g3 : (tensor<2x12x24x3xi1>) -> tensor<2x12x24x3xi1>
  %a4 = tosa.logical_or %e, %a3 : (tensor<2x12x24x3xi1>, tensor<2x12x24x3xi1>) -> tensor<2x12x24x3xi1>
  %a5 = tosa.logical_xor %a2, %a4 : (tensor<2x12x24x3xi1>, tensor<2x12x24x3xi1>) -> tensor<2x12x24x3xi1>
  %s = tosa.select %a5, %u, %half : (tensor<2x12x24x3xi1>, tensor<2x12x24x3xf32>, tensor<1x1x1x1xf32>) -> tensor<2x12x24x3xf32>
  %any = tosa.reduce_any %a2 {axis = 3 : i32} : (tensor<2x12x24x3xi1>) -> tensor<2x12x24x1xi1>
  %all = tosa.reduce_all %g3 {axis = 3 : i32} : (tensor<2x12x24x3xi1>) -> tensor<2x12x24x1xi1>
  %s1 = tosa.select %any, %s, %k : (tensor<2x12x24x1xi1>, tensor<2x12x24x3xf32>, tensor<1x1x24x1xf32>) -> tensor<2x12x24x3xf32>
  %f = tosa.cast %all : (tensor<2x12x24x1xi1>) -> tensor<2x12x24x1xf32>
  %y = tosa.sub %s1, %f : (tensor<2x12x24x3xf32>, tensor<2x12x24x1xf32>) -> tensor<2x12x24x3xf32>
  %ys = tosa.const_shape {values = dense<[2, 24, 36]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %v = tosa.reshape %y, %ys : (tensor<2x12x24x3xf32>, !tosa.shape<3>) -> tensor<2x24x36xf32>
  %i = "tosa.const"() {values = dense<[[3, 23, 3, 0], [7, 1, 2, 11]]> : tensor<2x4xi32>} : () -> tensor<2x4xi32>
  %t = tosa.gather %v, %i : (tensor<2x24x36xf32>, tensor<2x4xi32>) -> tensor<2x4x36xf32>
  %j = "tosa.const"() {values = dense<[[3, 0], [1, 2]]> : tensor<2x2xi32>} : () -> tensor<2x2xi32>
  %in = @2x2x36@
  %q = tosa.scatter %t, %j, %in : (tensor<2x4x36xf32>, tensor<2x2xi32>, tensor<2x2x36xf32>) -> tensor<2x4x36xf32>
  %m = tosa.argmax %v {axis = 2 : i32} : (tensor<2x24x36xf32>) -> tensor<2x24xi32>
  %mf = tosa.cast %m : (tensor<2x24xi32>) -> tensor<2x24xf32>
  %ms = tosa.const_shape {values = dense<[1, 4, 12]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %mr = tosa.reshape %mf, %ms : (tensor<2x24xf32>, !tosa.shape<3>) -> tensor<1x4x12xf32>
  %tm = tosa.const_shape {values = dense<[1, 3, 2]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %mt = tosa.tile %mr, %tm : (tensor<1x4x12xf32>, !tosa.shape<3>) -> tensor<1x12x24xf32>
  %qs = tosa.const_shape {values = dense<[1, 12, 24]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %qr = tosa.reshape %q, %qs : (tensor<2x4x36xf32>, !tosa.shape<3>) -> tensor<1x12x24xf32>
  %lg = tosa.log %mt : (tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %fl = tosa.floor %qr : (tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %ce = tosa.ceil %lg : (tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %id = tosa.identity %ce : (tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %two = "tosa.const"() {values = dense<2.0> : tensor<1x1x1xf32>} : () -> tensor<1x1x1xf32>
  %full = "tosa.const"() {values = dense<2.0> : tensor<1x12x24xf32>} : () -> tensor<1x12x24xf32>
  %pw = tosa.pow %fl, %full : (tensor<1x12x24xf32>, tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %er = tosa.erf %qr : (tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %mi = tosa.minimum %er, %pw : (tensor<1x12x24xf32>, tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %ad = tosa.add %pw, %two : (tensor<1x12x24xf32>, tensor<1x1x1xf32>) -> tensor<1x12x24xf32>
  %re = tosa.reciprocal %ad : (tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %rm = tosa.reduce_min %re {axis = 2 : i32} : (tensor<1x12x24xf32>) -> tensor<1x12x1xf32>
  %cut = tosa.clamp %id {min_val = 0.0 : f32, max_val = 9.0 : f32} : (tensor<1x12x24xf32>) -> tensor<1x12x24xf32>
  %mm = tosa.concat %cut, %mi {axis = 2 : i32} : (tensor<1x12x24xf32>, tensor<1x12x24xf32>) -> tensor<1x12x48xf32>
  %bs = tosa.const_shape {values = dense<[0, 0, 0]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %be = tosa.const_shape {values = dense<[1, 12, 16]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %bp = tosa.slice %qr, %bs, %be : (tensor<1x12x24xf32>, !tosa.shape<3>, !tosa.shape<3>) -> tensor<1x12x16xf32>
  %out = tosa.concat %mm, %bp, %rm {axis = 2 : i32} : (tensor<1x12x48xf32>, tensor<1x12x16xf32>, tensor<1x12x1xf32>) -> tensor<1x12x65xf32>
  return %out : tensor<1x12x65xf32>
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

class FromTosaTest : public TosaTest {
protected:
  FromTosaTest() { context.loadDialect<tosa::TosaDialect>(); }

  /// Compares what is read of `text` with what the stock lowering computes.
  void compare(StringRef text, ArrayRef<int64_t> in, ArrayRef<int64_t> out,
               float spread) {
    Random random{11};
    auto module =
        parseSourceString<ModuleOp>(fillWeights(text, random), &context);
    ASSERT_TRUE(module);
    compile(*module);
    ASSERT_TRUE(engine);
    PassManager manager(&context);
    buildReadTosaPipeline(manager);
    ASSERT_TRUE(succeeded(manager.run(*module)));
    func::FuncOp function = *module->getOps<func::FuncOp>().begin();

    SmallVector<Tensor> inputs = {Tensor(in, reference::ElementKind::F32)};
    for (float &value : inputs.front().values<float>())
      value = random.next(-1000, 1000) / 500.0f;
    Tensor result(out, reference::ElementKind::F32);
    run("main", inputs, result);
    auto expected = reference::evaluate(function, inputs);
    ASSERT_TRUE(static_cast<bool>(expected))
        << llvm::toString(expected.takeError());
    float low = 1, high = 0;
    for (auto [ours, theirs] : llvm::zip_equal(
             expected->front().values<float>(), result.values<float>())) {
      EXPECT_NEAR(ours, theirs, 2e-5);
      low = std::min(low, theirs);
      high = std::max(high, theirs);
    }
    // Saturated results would show nothing.
    EXPECT_GT(high - low, spread);
  }
};

TEST_F(FromTosaTest, ReadsWhatTosaComputes) {
  compare(network, {2, 9, 8, 3}, {2, 24}, 0.02f);
}

TEST_F(FromTosaTest, ReadsSelectionsAndOtherGrids) {
  compare(selections, {2, 4, 5, 3}, {1, 12, 65}, 0.5f);
}

/// The text that `selections` becomes in a context of its own.
std::string readInOwnContext() {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<QoptDialect, func::FuncDialect, tosa::TosaDialect>();
  Random random{11};
  auto module =
      parseSourceString<ModuleOp>(fillWeights(selections, random), &context);
  PassManager manager(&context);
  buildReadTosaPipeline(manager);
  std::string text;
  llvm::raw_string_ostream os(text);
  if (module && succeeded(manager.run(*module)))
    module->print(os);
  return text;
}

TEST(Contexts, RunAtOnce) {
  std::string expected = readInOwnContext();
  EXPECT_TRUE(StringRef(expected).contains("qopt.interpolate"));
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (std::string &text : texts)
    threads.emplace_back([&] {
      for (int run = 0; run < 3; ++run)
        text = readInOwnContext();
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &text : texts)
    EXPECT_EQ(text, expected);
}

TEST_F(FromTosaTest, EachOpThatIsReadIsCompared) {
  for (const TosaOp &op : getReadTosaOps())
    EXPECT_TRUE(StringRef(network).contains(op.name.str() + " ") ||
                StringRef(selections).contains(op.name.str() + " "))
        << op.name.str();
}

TEST_F(FromTosaTest, PageListsEachOpOfTosa) {
  std::string table = "| TOSA | read |\n|---|---|\n";
  llvm::StringSet<> read;
  for (const TosaOp &op : getReadTosaOps()) {
    read.insert(op.name);
    table += "| `" + op.name.drop_front(5).str() + "` | " +
             (op.condition.empty() ? "yes" : op.condition.str()) + " |\n";
  }
  std::set<std::string> refused;
  for (RegisteredOperationName op : context.getRegisteredOperations())
    if (op.getDialectNamespace() == "tosa" &&
        !read.contains(op.getStringRef()) &&
        !op.getStringRef().starts_with("tosa.const"))
      refused.insert(("`" + op.stripDialect() + "`").str());
  table += "\nRefused, each by its name: " + llvm::join(refused, ", ") + ".\n";
  auto page = llvm::MemoryBuffer::getFile(TOSA_PAGE);
  ASSERT_TRUE(static_cast<bool>(page));
  EXPECT_TRUE((*page)->getBuffer().contains(table)) << table;
}

} // namespace
