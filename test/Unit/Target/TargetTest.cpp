// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Target names: what is accepted, what it means for kernels, and how a wrong
// name is refused.

#include "TestModule.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir::qopt::target;

namespace {

KernelIsa isaOf(llvm::StringRef cpu, llvm::StringRef features = "") {
  TargetOptions options{"x86_64-linux-gnu", cpu.str(), features.str(), 2};
  return unwrap(resolveTarget(options)).cpuFeatures.isa;
}

TEST(ResolveTarget, KernelIsaFollowsTheCpu) {
  EXPECT_EQ(isaOf("x86-64"), KernelIsa::Scalar);
  EXPECT_EQ(isaOf("haswell"), KernelIsa::AVX2);
  EXPECT_EQ(isaOf("skylake-avx512"), KernelIsa::AVX2);
  EXPECT_EQ(isaOf("alderlake"), KernelIsa::AVXVNNI);
  EXPECT_EQ(isaOf("cascadelake"), KernelIsa::AVX512VNNI);
  EXPECT_EQ(isaOf("znver4"), KernelIsa::AVX512VNNI);
}

TEST(ResolveTarget, FeaturesChangeTheKernelIsa) {
  EXPECT_EQ(isaOf("cascadelake", "-avx512vnni"), KernelIsa::AVX2);
  EXPECT_EQ(isaOf("sapphirerapids", "-avx512bw"), KernelIsa::AVXVNNI);
  EXPECT_EQ(isaOf("haswell", "+avxvnni"), KernelIsa::AVXVNNI);
}

TEST(ResolveTarget, SingleFlags) {
  auto icelake = unwrap(resolveTarget("x86_64-linux-gnu", "icelake-server"));
  EXPECT_TRUE(icelake.cpuFeatures.hasVBMI);
  EXPECT_TRUE(icelake.cpuFeatures.hasFMA);
  EXPECT_EQ(icelake.cpuFeatures.vectorBits(), 512u);
  auto oldest = unwrap(resolveTarget("x86_64-linux-gnu", ""));
  EXPECT_EQ(oldest.cpu, "x86-64");
  EXPECT_FALSE(oldest.cpuFeatures.hasFMA);
  EXPECT_FALSE(oldest.cpuFeatures.hasVBMI);
  EXPECT_EQ(oldest.cpuFeatures.vectorBits(), 128u);
}

TEST(ResolveTarget, HostIsNamedAndRunsHere) {
  auto host = unwrap(resolveTarget("", "host"));
  EXPECT_NE(host.cpu, "host");
  EXPECT_TRUE(runsOnThisMachine(host));
  auto byDefault = unwrap(resolveTarget("", ""));
  EXPECT_EQ(host.cpu, byDefault.cpu);
  EXPECT_EQ(host.features, byDefault.features);
}

TEST(ResolveTarget, CodeWithAForeignFeatureDoesNotRunHere) {
  auto target = unwrap(
      resolveTarget(TargetOptions{"x86_64-linux-gnu", "x86-64", "+fma4", 2}));
  bool hostHasIt = llvm::sys::getHostCPUFeatures().lookup("fma4");
  EXPECT_EQ(runsOnThisMachine(target), hostHasIt);
}

TEST(ResolveTarget, RefusesUnknownNamesWithTheNearest) {
  EXPECT_NE(errorOf(resolveTarget("", "sapphirerapid"))
                .find("error[Q0332]: CPU 'sapphirerapid' is not known"),
            std::string::npos);
  EXPECT_NE(
      errorOf(resolveTarget("", "sapphirerapid")).find("'sapphirerapids'"),
      std::string::npos);
  std::string arm = errorOf(resolveTarget("aarch64-linux-gnu", ""));
  EXPECT_NE(arm.find("error[Q0331]"), std::string::npos);
  EXPECT_NE(arm.find("'x86_64-linux-gnu'"), std::string::npos);
  EXPECT_NE(errorOf(resolveTarget("x86_64-pc-windows-msvc", "")).find("Q0331"),
            std::string::npos);
  EXPECT_NE(errorOf(resolveTarget("nonsense", "")).find("Q0331"),
            std::string::npos);
}

TEST(ResolveTarget, RefusesCpusWithout64Bits) {
  EXPECT_NE(errorOf(resolveTarget("", "i486")).find("has no 64-bit mode"),
            std::string::npos);
}

TEST(ResolveTarget, RefusesBadFeatures) {
  auto with = [](const char *features, int level = 2) {
    return errorOf(resolveTarget(
        TargetOptions{"x86_64-linux-gnu", "x86-64", features, level}));
  };
  EXPECT_NE(with("+avx3").find("Q0333"), std::string::npos);
  EXPECT_NE(with("+avx3").find("'avx2'"), std::string::npos);
  EXPECT_NE(with("avx2").find("has no sign"), std::string::npos);
  EXPECT_NE(with("-sse2").find("cannot be switched off"), std::string::npos);
  EXPECT_NE(with("-64bit").find("cannot be switched off"), std::string::npos);
  EXPECT_NE(with("", 9).find("optimization level"), std::string::npos);
}

} // namespace
