// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which machine code is made for: triple, CPU and features by name, checked
// before LLVM sees them, and what the kernels may use there.
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace mlir::qopt::target {

/// What the user asked for. An empty `triple` is this machine's; an empty
/// `cpu` is `host` with an empty triple and `x86-64` otherwise. `features` is
/// LLVM's list (`+avx2,-avx512f`) on top of the CPU's own.
struct TargetOptions {
  std::string triple;
  std::string cpu;
  std::string features;
  /// 0 to 3, the effort of the instruction selector and scheduler.
  int optLevel = 2;
};

/// The instruction set that the integer kernels are written for, poorest
/// first.
enum class KernelIsa { Scalar, AVX2, AVXVNNI, AVX512VNNI };

/// What a CPU offers to kernels.
struct CpuFeatures {
  /// The richest set whose every instruction the CPU has. AVX512VNNI implies
  /// avx512 f, bw and vl.
  KernelIsa isa = KernelIsa::Scalar;
  bool hasFMA = false;
  bool hasSSE41 = false;
  bool hasAVX512F = false;
  bool hasAVX512BW = false;
  bool hasAVX512VL = false;
  bool hasVBMI = false;

  /// Bits of the widest vector register that code should use.
  unsigned vectorBits() const {
    return hasAVX512F && hasAVX512BW && hasAVX512VL ? 512
           : isa >= KernelIsa::AVX2                 ? 256
                                                    : 128;
  }
};

/// A target that LLVM is known to accept.
struct ResolvedTarget {
  /// Normalized.
  std::string triple;
  /// An LLVM CPU name; never `host`.
  std::string cpu;
  /// Sorted differences from the CPU's own features.
  std::string features;
  int optLevel = 2;
  CpuFeatures cpuFeatures;
};

/// Checks every name of `options`. Fails with Q0331 (triple), Q0332 (CPU),
/// Q0333 (feature or optimization level), naming the nearest known names.
llvm::Expected<ResolvedTarget> resolveTarget(const TargetOptions &options);

inline llvm::Expected<ResolvedTarget> resolveTarget(llvm::StringRef triple,
                                                    llvm::StringRef cpu) {
  return resolveTarget(TargetOptions{triple.str(), cpu.str(), "", 2});
}

/// Several CPUs, a comma list in `options.cpu`, as variants of one object: the
/// poorest instruction set first. One CPU is one. Fails as `resolveTarget`, and
/// with Q0332 where two CPUs take the same code, or where another lacks
/// something that the first has.
llvm::Expected<std::vector<ResolvedTarget>>
resolveVariants(const TargetOptions &options);

/// Whether this machine has every feature that code for `target` may use.
bool runsOnThisMachine(const ResolvedTarget &target);

/// The code generator for `target`: position-independent, one section a
/// function and a global, stack sizes recorded, floating point never fused.
std::unique_ptr<llvm::TargetMachine>
createTargetMachine(const ResolvedTarget &target);

} // namespace mlir::qopt::target
