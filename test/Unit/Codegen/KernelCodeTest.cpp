// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instructions of hot loops, counted: what a plan promises must be what
// LLVM left of it. No time is measured, and nothing runs.

#include "GraphHarness.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Target/Emit.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::codegen::testing;

namespace {

/// Assembly of one function for a CPU with AVX512-VNNI and VBMI.
std::string assemble(const std::string &text) {
  DialectRegistry registry;
  registerCodegenDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  auto source =
      parseSourceString<ModuleOp>("func.func @f" + text + "\n", &context);
  if (!source)
    return "";
  CodegenOptions options;
  options.isa.kind = IsaKind::AVX512VNNI;
  options.isa.hasVbmi = true;
  auto compiled = lower(source->lookupSymbol<func::FuncOp>("f"), options);
  target::TargetOptions targetOptions;
  targetOptions.cpu = "sapphirerapids";
  auto resolved = target::resolveTarget(targetOptions);
  if (!compiled || failed(lowerToLLVM(*compiled->module, options.isa)) ||
      !resolved)
    return "";
  auto machine = target::createTargetMachine(*resolved);
  llvm::LLVMContext llvmContext;
  auto ir = target::lowerToOptimizedIR(*compiled->module, llvmContext, *machine,
                                       {"model_compute"});
  return ir ? cantFail(target::emitAssembly(**ir, *machine)) : "";
}

using Block = std::vector<std::string>;

/// The loops of one block in the functions of `family`.
std::vector<Block> loopsOf(StringRef assembly, StringRef family) {
  std::vector<Block> loops;
  bool isInside = false;
  std::string label;
  Block block;
  for (StringRef line : llvm::split(assembly, '\n')) {
    if (line.ends_with(":") && !line.starts_with(".L")) {
      isInside = line.drop_back().ends_with(("_" + family).str());
    } else if (line.starts_with(".L")) {
      label = line.split(':').first.str();
      block.clear();
    } else if (isInside) {
      block.push_back(line.str());
      if (line.trim().starts_with("j") && line.ends_with("\t" + label))
        loops.push_back(block);
    }
  }
  return loops;
}

int64_t count(const Block &block, StringRef instruction) {
  return llvm::count_if(block, [&](StringRef line) {
    return line.trim().starts_with(instruction);
  });
}

/// The loop with most of an instruction.
Block hottest(const std::vector<Block> &loops, StringRef instruction) {
  Block best;
  for (const Block &loop : loops)
    if (count(loop, instruction) > count(best, instruction))
      best = loop;
  return best;
}

int64_t countStack(const Block &block) {
  return llvm::count_if(block,
                        [](StringRef line) { return line.contains("(%rsp"); });
}

/// Vectors stored to the stack; constants that are loaded from there are no
/// spills of what the loop computes.
int64_t countSpills(const Block &block) {
  return llvm::count_if(block, [](StringRef line) {
    return line.trim().starts_with("vmov") && line.ends_with("(%rsp)");
  });
}

std::string tensor(std::initializer_list<int64_t> shape,
                   const std::string &element) {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

/// A square convolution with a multiplier a channel.
std::string convolution(int64_t size, int64_t in, int64_t out, int64_t kernel,
                        int64_t groups, const std::string &element = "i8") {
  std::string x = tensor({1, in, size, size}, element);
  std::string y = tensor({1, out, size, size}, "i8");
  std::string w = tensor({out, in / groups, kernel, kernel}, "i8");
  std::string b = tensor({out}, "i32"), pad = std::to_string(kernel / 2);
  std::string multipliers;
  Random random(5);
  for (int64_t i = 0; i < out; ++i)
    multipliers +=
        (i ? ", " : "") + std::to_string(random.in(1 << 28, 1 << 29));
  return "(%x: " + x + ") -> " + y + " {\n%w = qint.constant " +
         randomIntegers(random, out * in / groups * kernel * kernel,
                        ElementKind::I8, -127, 127) +
         " : " + w + "\n%b = qint.constant dense<77> : " + b +
         "\n%r = qint.conv %x, %w, %b {groups = " + std::to_string(groups) +
         " : i64, pads = array<i64: " + pad + ", " + pad + ", " + pad + ", " +
         pad + ">, input_zero_point = 5 : i32, requant = #qint.requant<[" +
         multipliers + "], [37], zp -128, clamp -128 to 127>} : (" + x + ", " +
         w + ", " + b + ") -> " + y + "\nreturn %r : " + y + "\n}";
}

TEST(KernelCodeTest, ProductsHaveNothingButDotsAndTheirOperands) {
  // 6 rows of 4 vectors, two steps of K: a load a vector, a broadcast a row.
  Block loop = hottest(
      loopsOf(assemble(convolution(12, 256, 64, 1, 1)), "tile"), "vpdpbusd");
  EXPECT_EQ(count(loop, "vpdpbusd"), 48);
  EXPECT_EQ(count(loop, "vpbroadcastd"), 12);
  EXPECT_EQ(count(loop, "vmov"), 8);
  EXPECT_EQ(count(loop, "v"), 68);
  EXPECT_EQ(countStack(loop), 0);
}

TEST(KernelCodeTest, ConvolutionsAreProducts) {
  // 12 columns are two tiles of 6 rows.
  Block loop = hottest(loopsOf(assemble(convolution(12, 64, 64, 3, 1)), "tile"),
                       "vpdpbusd");
  EXPECT_EQ(count(loop, "vpdpbusd"), 48);
  EXPECT_EQ(count(loop, "v"), 68);
  EXPECT_EQ(countStack(loop), 0);
}

TEST(KernelCodeTest, BytesOfWeightsBecomeWordsOnceATile) {
  // 13 rows of 2 vectors, two steps of K: weights are bytes in memory.
  Block loop =
      hottest(loopsOf(assemble(convolution(12, 256, 128, 1, 1, "i16")), "tile"),
              "vpdpwssd");
  EXPECT_EQ(count(loop, "vpdpwssd"), 52);
  EXPECT_EQ(count(loop, "vpmovsxbw"), 4);
  EXPECT_EQ(count(loop, "vpbroadcastd"), 26);
  EXPECT_EQ(count(loop, "v"), 82);
  EXPECT_EQ(countStack(loop), 0);
}

TEST(KernelCodeTest, OneRowLoadsWholeVectorsOfWeights) {
  // 100 channels are a panel of 6 vectors and one whose lanes hold 4 dwords of
  // K for each of 4 channels; weights come from memory in the dots.
  std::string x = tensor({256}, "i8"), y = tensor({100}, "i8"),
              w = tensor({100, 256}, "i8"), b = tensor({100}, "i32");
  Random random(7);
  std::string assembly = assemble(
      "(%x: " + x + ") -> " + y + " {\n%w = qint.constant " +
      randomIntegers(random, 25600, ElementKind::I8, -127, 127) + " : " + w +
      "\n%b = qint.constant dense<77> : " + b +
      "\n%r = qint.gemm %x, %w, %b {input_zero_point = 5 : i32, requant = "
      "#qint.requant<[700000000], [37], zp -128, clamp -128 to 127>} : (" +
      x + ", " + w + ", " + b + ") -> " + y + "\nreturn %r : " + y + "\n}");
  std::vector<Block> loops = loopsOf(assembly, "tile");
  Block wide = hottest(loops, "vpbroadcastd");
  EXPECT_EQ(count(wide, "vpdpbusd"), 6 * count(wide, "vpbroadcastd"));
  EXPECT_EQ(count(wide, "v"), 7 * count(wide, "vpbroadcastd"));
  Block spread = hottest(loops, "vbroadcasti32x4");
  EXPECT_EQ(count(spread, "vpdpbusd"), 4);
  EXPECT_EQ(count(spread, "v"), 8);
  for (const Block &loop : {wide, spread})
    for (StringRef line : loop)
      if (line.contains("vpdpbusd"))
        EXPECT_TRUE(line.contains("(%") && line.contains("%zmm")) << line.str();
}

TEST(KernelCodeTest, DepthwiseRowsSlide) {
  for (int64_t channels : {128, 32}) {
    Block loop = hottest(
        loopsOf(assemble(convolution(14, channels, channels, 3, channels)),
                "depthwise"),
        "vpdpbusd");
    // Two rows of two columns: 3 dots a vector; each column interleaved once;
    // two products for 16 results, one merge, packed to bytes.
    EXPECT_EQ(count(loop, "vpdpbusd"), 48);
    EXPECT_EQ(count(loop, "vpunpck"), 16);
    EXPECT_EQ(count(loop, "vpmuldq"), 32);
    EXPECT_EQ(count(loop, "vpermt2d"), 16);
    EXPECT_EQ(count(loop, "vpack"), 12);
    EXPECT_EQ(count(loop, "vpmulhrsw"), 8);
    EXPECT_EQ(countSpills(loop), 0);
  }
}

TEST(KernelCodeTest, DepthwiseOfWordsTakesTwoTapsADot) {
  Block loop = hottest(
      loopsOf(assemble(convolution(14, 128, 128, 3, 128, "i16")), "depthwise"),
      "vpdpwssd");
  EXPECT_EQ(count(loop, "vpdpwssd"), 48);
  EXPECT_EQ(count(loop, "vpmaddwd"), 0);
  EXPECT_EQ(count(loop, "vpunpck"), 16);
}

TEST(KernelCodeTest, GatesAreWidenedOnce) {
  // Behind a convolution, so that channels are last.
  std::string text = convolution(14, 64, 64, 1, 1);
  std::string x = tensor({1, 64, 14, 14}, "i8");
  std::string g = tensor({1, 64, 1, 1}, "i8");
  text = "(%g: " + g + ", " + text.substr(1, text.find("return %r") - 1) +
         "%s = qint.mul %r, %g {lhs_zero_point = -128 : i32, rhs_zero_point = "
         "-128 : i32, requant = #qint.requant<[700000000], [36], zp -128, "
         "clamp -128 to 127>} : (" +
         x + ", " + g + ") -> " + x +
         "\n%t = qint.add %s, %r {lhs_zero_point = -128 : i32, "
         "rhs_zero_point = -128 : i32, requant = #qint.requant<[1500000, "
         "2100000], [21], zp 3, clamp -128 to 127>} : (" +
         x + ", " + x + ") -> " + x + "\nreturn %t : " + x + "\n}";
  std::string assembly = assemble(text);
  Block gate = hottest(loopsOf(assembly, "gate"), "vpmuldq");
  EXPECT_EQ(count(gate, "vpmuldq"), 8);
  EXPECT_EQ(count(gate, "vpdpwssd"), 4);
  EXPECT_EQ(count(gate, "vpunpck"), 6);
  EXPECT_EQ(countSpills(gate), 0);
  // Two dot products a sum, none taken apart.
  Block add = hottest(loopsOf(assembly, "add"), "vpdpwssd");
  EXPECT_EQ(count(add, "vpdpwssd"), 8);
  EXPECT_EQ(count(add, "vpmaddwd") + count(add, "vpmulld"), 0);
}

TEST(KernelCodeTest, TailsAreMasked) {
  // 20 of 32 channels in the last vectors, in products and depthwise rows.
  std::string assembly = assemble(convolution(7, 20, 20, 3, 20)) +
                         assemble(convolution(7, 64, 20, 1, 1));
  EXPECT_TRUE(StringRef(assembly).contains("{%k"));
  for (StringRef family : {"depthwise", "tile"})
    for (const Block &loop : loopsOf(assembly, family)) {
      EXPECT_EQ(count(loop, "movb"), 0);
      EXPECT_EQ(count(loop, "vpextrb"), 0);
    }
}

} // namespace
