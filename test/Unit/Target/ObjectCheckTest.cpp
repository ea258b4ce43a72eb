// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Planted faults in objects: each must be found, and integer code must pass.

#include "qopt/Target/ObjectCheck.h"
#include "TestModule.h"

using namespace mlir::qopt::target;

namespace {

/// The check's answer to a function `run` with `body`.
std::string checkBody(llvm::StringRef arguments, llvm::StringRef body,
                      llvm::StringRef cpu = "x86-64-v4",
                      const IntegerOnlyRules &rules = {}) {
  std::string text = "llvm.func @run(" + arguments.str() + ") {\n" +
                     body.str() + "\nllvm.return\n}\n";
  return errorOf(
      checkIntegerOnly(TestModule(text).object({"run"}, cpu), rules));
}

/// The check's answer to one line of assembly.
std::string checkAssembly(llvm::StringRef line) {
  return checkBody("", "llvm.inline_asm has_side_effects \"" + line.str() +
                           "\", \"\" : () -> ()");
}

bool isFloatFinding(const std::string &error, llvm::StringRef instruction) {
  return error.find("error[Q0701]") != std::string::npos &&
         error.find("in 'run' at offset 0x") != std::string::npos &&
         error.find(instruction.str()) != std::string::npos;
}

TEST(IntegerOnly, IntegerCodePasses) {
  EXPECT_EQ(checkBody("%p: !llvm.ptr", R"(
  %v = llvm.load %p : !llvm.ptr -> vector<16xi32>
  %w = llvm.mul %v, %v : vector<16xi32>
  %x = llvm.intr.smax(%w, %v) : (vector<16xi32>, vector<16xi32>) -> vector<16xi32>
  llvm.store %x, %p : vector<16xi32>, !llvm.ptr)"),
            "");
}

TEST(IntegerOnly, MovesAndBitOperationsPass) {
  EXPECT_EQ(checkBody("%p: !llvm.ptr, %q: !llvm.ptr", R"(
  %v = llvm.load %p : !llvm.ptr -> vector<8xf32>
  llvm.store %v, %q : vector<8xf32>, !llvm.ptr)"),
            "");
  for (const char *line :
       {"vandps %ymm0, %ymm1, %ymm2", "vxorpd %xmm0, %xmm0, %xmm0",
        "vpermps %zmm0, %zmm1, %zmm2", "vmovss %xmm0, %xmm1, %xmm2",
        "vblendps $$3, %xmm0, %xmm1, %xmm2", "vbroadcastss %xmm0, %zmm1",
        "vunpcklps %xmm0, %xmm1, %xmm2", "vpmaddubsw %ymm0, %ymm1, %ymm2",
        "vpdpbusd %zmm0, %zmm1, %zmm2", "vpmulhrsw %ymm0, %ymm1, %ymm2"})
    EXPECT_EQ(checkAssembly(line), "") << line;
}

TEST(IntegerOnly, FindsScalarAndVectorArithmetic) {
  EXPECT_TRUE(isFloatFinding(checkBody("%a: f32, %p: !llvm.ptr", R"(
  %s = llvm.fadd %a, %a : f32
  llvm.store %s, %p : f32, !llvm.ptr)"),
                             "vaddss"));
  EXPECT_TRUE(isFloatFinding(checkBody("%p: !llvm.ptr", R"(
  %v = llvm.load %p : !llvm.ptr -> vector<16xf32>
  %w = llvm.fmul %v, %v : vector<16xf32>
  llvm.store %w, %p : vector<16xf32>, !llvm.ptr)"),
                             "vmulps"));
  EXPECT_TRUE(isFloatFinding(checkBody("%a: f64, %b: f64, %p: !llvm.ptr", R"(
  %c = llvm.fcmp "olt" %a, %b : f64
  llvm.store %c, %p : i1, !llvm.ptr)",
                                       "x86-64"),
                             "comisd"));
}

TEST(IntegerOnly, FindsExactConversions) {
  EXPECT_TRUE(isFloatFinding(checkBody("%p: !llvm.ptr", R"(
  %v = llvm.load %p : !llvm.ptr -> vector<2xi32>
  %w = llvm.sitofp %v : vector<2xi32> to vector<2xf64>
  llvm.store %w, %p : vector<2xf64>, !llvm.ptr)",
                                       "x86-64"),
                             "cvtdq2pd"));
  EXPECT_TRUE(
      isFloatFinding(checkAssembly("cvtsi2sdl %eax, %xmm0"), "cvtsi2sd"));
  EXPECT_TRUE(
      isFloatFinding(checkAssembly("vcvtph2ps %xmm0, %xmm1"), "vcvtph2ps"));
}

TEST(IntegerOnly, FindsX87) {
  for (const char *line : {"fld1", "fadd %st(1), %st", "fildl (%rdi)", "fsqrt",
                           "fchs", "flds (%rdi)", "fstpl (%rdi)"})
    EXPECT_TRUE(isFloatFinding(checkAssembly(line), llvm::StringRef(line, 3)))
        << line;
}

TEST(IntegerOnly, FindsWhatRaisesNoException) {
  for (const char *line :
       {"rcpps %xmm0, %xmm1", "rsqrtss %xmm0, %xmm1",
        "vaddps {rn-sae}, %zmm0, %zmm1, %zmm2",
        "vfmadd231ps {rz-sae}, %zmm0, %zmm1, %zmm2",
        "vdpbf16ps %zmm0, %zmm1, %zmm2", "vrcp14ps %zmm0, %zmm1",
        "vfpclassps $$1, %zmm0, %k1", "vgetexpps {sae}, %zmm0, %zmm1",
        "pfadd %mm0, %mm1", "ldmxcsr (%rdi)", "tdpbf16ps %tmm0, %tmm1, %tmm2",
        "vdpps $$255, %xmm0, %xmm1, %xmm2"})
    EXPECT_TRUE(isFloatFinding(checkAssembly(line), ": ")) << line;
}

TEST(IntegerOnly, FindsBytesThatAreNoInstruction) {
  EXPECT_TRUE(isFloatFinding(checkAssembly(".byte 0x06"), "no instruction"));
}

TEST(IntegerOnly, FindsCodeWithoutASymbol) {
  std::string error = checkAssembly(
      ".section .text.hidden,\\22ax\\22,@progbits\\0A addss %xmm0, "
      "%xmm1\\0A .text");
  EXPECT_NE(error.find("in 'unnamed code'"), std::string::npos) << error;
}

TEST(IntegerOnly, FindsSymbolsFromOutside) {
  std::string text = R"(
llvm.func @expf(i32) -> i32
llvm.func @memcpy(!llvm.ptr, !llvm.ptr, i64) -> !llvm.ptr
llvm.func @run(%x: i32, %p: !llvm.ptr, %n: i64) -> i32 {
  %c = llvm.call @memcpy(%p, %p, %n)
      : (!llvm.ptr, !llvm.ptr, i64) -> !llvm.ptr
  %y = llvm.call @expf(%x) : (i32) -> i32
  llvm.return %y : i32
}
)";
  std::string object = TestModule(text).object({"run"});
  std::string error = errorOf(checkIntegerOnly(object));
  EXPECT_NE(error.find("error[Q0708]"), std::string::npos);
  EXPECT_NE(error.find("note: expf\n"), std::string::npos);
  EXPECT_EQ(error.find("memcpy"), std::string::npos);
  IntegerOnlyRules rules;
  rules.allowedUndefined.push_back("expf");
  EXPECT_EQ(errorOf(checkIntegerOnly(object, rules)), "");
}

TEST(IntegerOnly, DivisionOf128BitsNeedsAHelper) {
  EXPECT_NE(checkBody("%p: !llvm.ptr, %a: i128, %b: i128", R"(
  %q = llvm.sdiv %a, %b : i128
  llvm.store %q, %p : i128, !llvm.ptr)")
                .find("__divti3"),
            std::string::npos);
}

constexpr const char *helperModule = R"(
llvm.func @quantize(%a: f32, %p: !llvm.ptr) attributes {noinline} {
  %s = llvm.fadd %a, %a : f32
  llvm.store %s, %p : f32, !llvm.ptr
  llvm.return
}
)";

TEST(IntegerOnly, ExemptFunctionsMayCompute) {
  std::string object = TestModule(helperModule).object({"quantize"});
  IntegerOnlyRules rules;
  EXPECT_NE(errorOf(checkIntegerOnly(object, rules)), "");
  rules.exempt = {"other"};
  EXPECT_NE(errorOf(checkIntegerOnly(object, rules)), "");
  rules.exempt = {"quantize"};
  EXPECT_EQ(errorOf(checkIntegerOnly(object, rules)), "");
}

TEST(IntegerOnly, CodeBehindAnExemptFunctionIsNotExempt) {
  std::string text = std::string(helperModule) + R"(
llvm.func @run() {
  llvm.inline_asm has_side_effects ".section .text.quantize,\22ax\22,@progbits\0A addss %xmm0, %xmm1\0A .section .text.run,\22ax\22,@progbits", "" : () -> ()
  llvm.return
}
)";
  IntegerOnlyRules rules;
  rules.exempt = {"quantize"};
  std::string error = errorOf(
      checkIntegerOnly(TestModule(text).object({"quantize", "run"}), rules));
  EXPECT_NE(error.find("in 'unnamed code'"), std::string::npos) << error;
}

TEST(IntegerOnly, InferenceMayNotCallAnExemptFunction) {
  std::string text = std::string(helperModule) + R"(
llvm.func @run(%a: f32, %p: !llvm.ptr) {
  llvm.call @quantize(%a, %p) : (f32, !llvm.ptr) -> ()
  llvm.store %p, %p : !llvm.ptr, !llvm.ptr
  llvm.return
}
)";
  IntegerOnlyRules rules;
  rules.exempt = {"quantize"};
  for (std::vector<std::string> exports :
       {std::vector<std::string>{"run"},
        std::vector<std::string>{"run", "quantize"}}) {
    std::string object = TestModule(text).object(exports);
    EXPECT_TRUE(isFloatFinding(errorOf(checkIntegerOnly(object, rules)),
                               "refers to float helper 'quantize'"));
  }
}

TEST(IntegerOnly, RefusesBytesThatAreNoObject) {
  std::string object = TestModule(helperModule).object({"quantize"});
  EXPECT_NE(errorOf(checkIntegerOnly("")).find("Q0709"), std::string::npos);
  EXPECT_NE(errorOf(checkIntegerOnly("\177ELF")).find("Q0709"),
            std::string::npos);
  for (size_t size = 0; size < object.size(); size += 7)
    EXPECT_NE(
        errorOf(checkIntegerOnly(llvm::StringRef(object).take_front(size))), "")
        << size;
}

TEST(Stateless, ConstantsPass) {
  EXPECT_EQ(errorOf(checkStateless(TestModule(R"(
llvm.mlir.global internal constant @c(42 : i32) : i32
llvm.mlir.global external constant @table() : !llvm.ptr {
  %p = llvm.mlir.addressof @c : !llvm.ptr
  llvm.return %p : !llvm.ptr
}
)")
                                       .object({"table"}))),
            "");
}

TEST(Stateless, WritableDataIsRefused) {
  for (const char *text :
       {"llvm.mlir.global external @state(42 : i32) : i32",
        "llvm.mlir.global external @state(0 : i32) : i32",
        "llvm.mlir.global external thread_local @state(0 : i32) : i32"}) {
    std::string error =
        errorOf(checkStateless(TestModule(text).object({"state"})));
    EXPECT_NE(error.find("error[Q0710]"), std::string::npos) << text;
  }
}

} // namespace
