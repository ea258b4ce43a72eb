// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Target names are looked up in LLVM's own tables first: LLVM answers an
// unknown name with a warning on standard error and a wrong one with an abort.

#include "qopt/Target/Target.h"
#include "InitializeX86.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include <mutex>
#include <optional>
#include <set>
#include <tuple>

// Only the x86 backend: LLVM's InitializeAll* would pull in every target.
extern "C" {
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
void LLVMInitializeX86AsmParser();
void LLVMInitializeX86Disassembler();
}

using namespace mlir::qopt;
using namespace mlir::qopt::target;
using llvm::StringRef;

void mlir::qopt::target::initializeX86() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeX86Disassembler();
  });
}

namespace {

constexpr StringRef knownTriples[] = {"x86_64-unknown-linux-gnu",
                                      "x86_64-linux-gnu", "x86_64-linux-musl",
                                      "x86_64-unknown-none-elf"};

/// Up to three of `known`, nearest to `name` first, ties by name.
std::string nearestNames(StringRef name, llvm::ArrayRef<StringRef> known) {
  std::vector<std::pair<unsigned, StringRef>> ranked;
  for (StringRef candidate : known)
    ranked.push_back({name.edit_distance_insensitive(candidate), candidate});
  llvm::sort(ranked);
  std::string text;
  for (size_t i = 0; i < ranked.size() && i < 3; ++i)
    text += (i ? ", '" : "'") + ranked[i].second.str() + "'";
  return text;
}

llvm::Expected<llvm::Triple> resolveTriple(StringRef text) {
  llvm::Triple triple(llvm::Triple::normalize(
      text.empty() ? llvm::sys::getDefaultTargetTriple() : text.str()));
  if (triple.getArch() == llvm::Triple::x86_64 && !triple.isX32() &&
      (triple.isOSLinux() || triple.isOSUnknown()) &&
      (triple.isOSBinFormatELF()))
    return triple;
  return makeError(
      331, "target '" + triple.str() + "' is not supported",
      {"objects are made for 64-bit x86 with ELF"},
      "the nearest targets are " +
          nearestNames(text.empty() ? triple.str() : text.str(), knownTriples));
}

std::unique_ptr<llvm::MCSubtargetInfo>
createSubtarget(const llvm::Triple &triple, StringRef cpu, StringRef features) {
  std::string unused;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, unused);
  if (!target)
    return nullptr;
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      target->createMCSubtargetInfo(triple, cpu, features));
}

bool has(const llvm::MCSubtargetInfo &subtarget, StringRef feature) {
  return subtarget.checkFeatures(("+" + feature).str());
}

/// The names of all features that `subtarget` has on.
std::set<std::string> enabledFeatures(const llvm::MCSubtargetInfo &subtarget) {
  std::set<std::string> names;
  for (const llvm::SubtargetFeatureKV &feature :
       subtarget.getEnabledProcessorFeatures())
    names.insert(std::string(feature.Key));
  return names;
}

/// What the machine's CPU name promises and the machine (often a virtual one)
/// does not have, and the other way round.
std::string hostFeatureDifferences(const llvm::MCSubtargetInfo &named) {
  std::set<std::string> base = enabledFeatures(named);
  std::set<std::string> known;
  for (const llvm::SubtargetFeatureKV &feature :
       named.getAllProcessorFeatures())
    known.insert(std::string(feature.Key));
  std::set<std::string> differences;
  for (const auto &entry : llvm::sys::getHostCPUFeatures()) {
    std::string name = entry.getKey().str();
    if (known.count(name) && entry.getValue() != (base.count(name) != 0))
      differences.insert((entry.getValue() ? "+" : "-") + name);
  }
  return llvm::join(differences, ",");
}

llvm::Error checkCpu(const llvm::MCSubtargetInfo &generic, StringRef cpu,
                     const llvm::Triple &triple) {
  std::vector<StringRef> names{"host", "native"};
  for (const llvm::SubtargetSubTypeKV &entry :
       generic.getAllProcessorDescriptions())
    names.push_back(entry.Key);
  if (!llvm::is_contained(names, cpu))
    return makeError(332, "CPU '" + cpu.str() + "' is not known", {},
                     "the nearest names are " + nearestNames(cpu, names));
  auto subtarget = createSubtarget(triple, cpu, "");
  if (!has(*subtarget, "64bit"))
    return makeError(332, "CPU '" + cpu.str() + "' has no 64-bit mode", {},
                     "use 'x86-64' for the oldest 64-bit CPUs");
  return llvm::Error::success();
}

/// Every feature is `+name` or `-name` with a name that LLVM knows.
llvm::Error checkFeatures(const llvm::MCSubtargetInfo &generic,
                          StringRef features) {
  std::vector<StringRef> names;
  for (const llvm::SubtargetFeatureKV &feature :
       generic.getAllProcessorFeatures())
    names.push_back(feature.Key);
  for (StringRef entry : llvm::split(features, ',')) {
    if (entry.empty())
      continue;
    StringRef name = entry.drop_front();
    if (entry[0] != '+' && entry[0] != '-')
      return makeError(333, "CPU feature '" + entry.str() + "' has no sign", {},
                       "write '+" + entry.str() + "' or '-" + entry.str() +
                           "'");
    if (!llvm::is_contained(names, name))
      return makeError(333, "CPU feature '" + name.str() + "' is not known", {},
                       "the nearest names are " + nearestNames(name, names));
  }
  return llvm::Error::success();
}

CpuFeatures describe(const llvm::MCSubtargetInfo &subtarget) {
  CpuFeatures features;
  features.hasFMA = has(subtarget, "fma");
  features.hasSSE41 = has(subtarget, "sse4.1");
  features.hasAVX512F = has(subtarget, "avx512f");
  features.hasAVX512BW = has(subtarget, "avx512bw");
  features.hasAVX512VL = has(subtarget, "avx512vl");
  features.hasVBMI = has(subtarget, "avx512vbmi");
  if (features.vectorBits() == 512 && has(subtarget, "avx512vnni"))
    features.isa = KernelIsa::AVX512VNNI;
  else if (has(subtarget, "avxvnni"))
    features.isa = KernelIsa::AVXVNNI;
  else if (has(subtarget, "avx2"))
    features.isa = KernelIsa::AVX2;
  return features;
}

} // namespace

llvm::Expected<ResolvedTarget>
mlir::qopt::target::resolveTarget(const TargetOptions &options) {
  initializeX86();
  auto triple = resolveTriple(options.triple);
  if (!triple)
    return triple.takeError();
  if (options.optLevel < 0 || options.optLevel > 3)
    return makeError(333, "optimization level " +
                              std::to_string(options.optLevel) +
                              " is not between 0 and 3");
  auto generic = createSubtarget(*triple, "", "");
  if (!generic)
    return makeError(700, "this LLVM has no x86 code generator");

  ResolvedTarget target;
  target.triple = triple->str();
  // Other compilers' word for it.
  target.cpu = options.cpu == "native"  ? "host"
               : !options.cpu.empty()   ? options.cpu
               : options.triple.empty() ? "host"
                                        : "x86-64";
  target.optLevel = options.optLevel;
  if (llvm::Error error = checkCpu(
          *generic, target.cpu == "host" ? "x86-64" : target.cpu, *triple))
    return error;
  if (llvm::Error error = checkFeatures(*generic, options.features))
    return error;
  if (target.cpu == "host") {
    target.cpu = llvm::sys::getHostCPUName().str();
    // LLVM may not know a new or a foreign CPU by name.
    if (!generic->isCPUStringValid(target.cpu) ||
        !has(*createSubtarget(*triple, target.cpu, ""), "64bit"))
      target.cpu = "x86-64";
    target.features =
        hostFeatureDifferences(*createSubtarget(*triple, target.cpu, ""));
  }
  if (!options.features.empty())
    target.features += (target.features.empty() ? "" : ",") + options.features;
  auto subtarget = createSubtarget(*triple, target.cpu, target.features);
  for (StringRef needed : {"64bit", "sse2"})
    if (!has(*subtarget, needed))
      return makeError(333, "CPU feature '" + needed.str() +
                                "' cannot be switched off: every 64-bit x86 "
                                "CPU has it");
  target.cpuFeatures = describe(*subtarget);
  return target;
}

/// What kernels are chosen by.
static auto codeKey(const ResolvedTarget &target) {
  return std::make_tuple(target.cpuFeatures.isa, target.cpuFeatures.hasVBMI);
}

/// A feature of `base` that `other` lacks, or nothing. Tuning flags are
/// features too; only those that cpuid reports matter.
static std::optional<std::string> missingFeature(const ResolvedTarget &base,
                                                 const ResolvedTarget &other) {
  llvm::Triple triple(base.triple);
  auto has0 = createSubtarget(triple, base.cpu, base.features);
  auto has1 = createSubtarget(triple, other.cpu, other.features);
  std::set<std::string> reported;
  for (const auto &entry : llvm::sys::getHostCPUFeatures())
    reported.insert(entry.getKey().str());
  for (const std::string &name : reported)
    if (has(*has0, name) && !has(*has1, name))
      return name;
  return std::nullopt;
}

llvm::Expected<std::vector<ResolvedTarget>>
mlir::qopt::target::resolveVariants(const TargetOptions &options) {
  llvm::SmallVector<StringRef> cpus;
  StringRef(options.cpu).split(cpus, ',');
  std::vector<ResolvedTarget> targets;
  for (StringRef cpu : cpus) {
    if (cpu.trim().empty() && cpus.size() > 1)
      return makeError(332, "a name is missing between the commas of '" +
                                options.cpu + "'");
    TargetOptions one = options;
    one.cpu = cpu.trim().str();
    auto target = resolveTarget(one);
    if (!target)
      return target.takeError();
    targets.push_back(std::move(*target));
  }
  llvm::sort(targets, [](const ResolvedTarget &a, const ResolvedTarget &b) {
    return std::make_tuple(codeKey(a), a.cpu) <
           std::make_tuple(codeKey(b), b.cpu);
  });
  for (size_t i = 1; i < targets.size(); ++i) {
    const ResolvedTarget &base = targets.front(), &target = targets[i];
    if (codeKey(target) == codeKey(targets[i - 1]))
      return makeError(332,
                       "CPUs '" + targets[i - 1].cpu + "' and '" + target.cpu +
                           "' take the same code",
                       {}, "name one of them");
    if (auto missing = missingFeature(base, target))
      return makeError(332,
                       "CPU '" + target.cpu + "' lacks '" + *missing +
                           "', which the variant for '" + base.cpu +
                           "' may use",
                       {}, "name a CPU whose features all have, x86-64-v3");
  }
  return targets;
}

bool mlir::qopt::target::runsOnThisMachine(const ResolvedTarget &target) {
  initializeX86();
  llvm::Triple triple(target.triple);
  if (llvm::Triple(llvm::sys::getDefaultTargetTriple()).getArch() !=
      triple.getArch())
    return false;
  auto subtarget = createSubtarget(triple, target.cpu, target.features);
  // Tuning flags are features too; only those that cpuid reports matter.
  for (const auto &entry : llvm::sys::getHostCPUFeatures())
    if (!entry.getValue() && has(*subtarget, entry.getKey()))
      return false;
  return true;
}

std::unique_ptr<llvm::TargetMachine>
mlir::qopt::target::createTargetMachine(const ResolvedTarget &target) {
  initializeX86();
  llvm::Triple triple(target.triple);
  std::string unused;
  const llvm::Target *backend =
      llvm::TargetRegistry::lookupTarget(triple, unused);
  if (!backend)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  options.FunctionSections = true;
  options.DataSections = true;
  options.EmitStackSizeSection = true;
  auto level = target.optLevel == 0   ? llvm::CodeGenOptLevel::None
               : target.optLevel == 1 ? llvm::CodeGenOptLevel::Less
               : target.optLevel == 2 ? llvm::CodeGenOptLevel::Default
                                      : llvm::CodeGenOptLevel::Aggressive;
  // By its model of latency LLVM takes dot products of words apart again: two
  // instructions for one where throughput is what counts.
  std::string features = "+fast-dpwssd";
  if (!target.features.empty())
    features += "," + target.features;
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(
      triple, target.cpu, features, options, llvm::Reloc::PIC_,
      llvm::CodeModel::Small, level));
}
