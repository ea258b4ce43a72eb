// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random layouts, parameters and instruction sets for kernel tests.

#include "KernelHarness.h"
#include "qopt/Target/Target.h"
#include <cstdlib>
#include <gtest/gtest.h>

namespace mlir::qopt::codegen::testing {

int64_t Random::in(int64_t low, int64_t high) {
  uint64_t span = static_cast<uint64_t>(high - low) + 1;
  return low + static_cast<int64_t>(engine() % span);
}

float Random::real(float low, float high) {
  return low + (high - low) * static_cast<float>(engine() >> 40) * 0x1p-24f;
}

std::vector<TestIsa> runnableIsas() {
  struct Known {
    IsaKind kind;
    const char *cpu, *features;
    target::KernelIsa least;
  };
  const Known known[] = {
      {IsaKind::AVX512VNNI, "x86-64-v4", "+avx512vnni",
       target::KernelIsa::AVX512VNNI},
      {IsaKind::AVXVNNI, "x86-64-v3", "+avxvnni", target::KernelIsa::AVXVNNI},
      {IsaKind::AVX2, "x86-64-v3", "", target::KernelIsa::AVX2},
      {IsaKind::Scalar, "x86-64", "", target::KernelIsa::Scalar},
  };
  std::vector<TestIsa> result;
  auto host = target::resolveTarget("", "host");
  if (!host) {
    llvm::consumeError(host.takeError());
    return result;
  }
  for (const Known &entry : known) {
    if (entry.least > host->cpuFeatures.isa)
      continue;
    TestIsa isa;
    isa.isa.kind = entry.kind;
    isa.target.cpu = entry.cpu;
    isa.target.features = entry.features;
    if (entry.kind == IsaKind::AVX512VNNI && host->cpuFeatures.hasVBMI) {
      TestIsa vbmi = isa;
      vbmi.isa.hasVbmi = true;
      vbmi.target.features += ",+avx512vbmi";
      result.push_back(vbmi);
    }
    result.push_back(isa);
  }
  return result;
}

View randomView(Random &random, ArrayRef<int64_t> shape, ElementKind kind,
                const Halo &minHalo, bool allowBoundary) {
  View view;
  view.kind = kind;
  view.shape.assign(shape.begin(), shape.end());
  view.storageBias = kind == ElementKind::I8 ? 128 : 0;
  view.offset = random.chance(50) ? 0 : random.in(0, 70);
  bool isBoundary = allowBoundary && minHalo.empty() && random.chance(20);
  if (shape.size() != 4 || isBoundary) {
    view.strides = rowMajorStrides(shape);
    // A slice of a longer last axis.
    if (!isBoundary && !shape.empty() && random.chance(30)) {
      int64_t extra = random.in(1, 9);
      int64_t stride = shape.back() + extra;
      for (int64_t axis = int64_t(shape.size()) - 2; axis >= 0; --axis) {
        view.strides[axis] = stride;
        stride *= shape[axis];
      }
    }
    if (isBoundary)
      view.storageBias = 0;
    return view;
  }
  view.halo = minHalo;
  if (random.chance(40))
    for (int64_t *side :
         {&view.halo.top, &view.halo.left, &view.halo.bottom, &view.halo.right})
      *side += random.in(0, 2);
  int64_t column = shape[1] + (random.chance(25) ? random.in(1, 20) : 0);
  int64_t row = column * (view.halo.left + shape[3] + view.halo.right);
  int64_t image = row * (view.halo.top + shape[2] + view.halo.bottom);
  view.strides = {image, 1, row, column};
  view.offset += view.halo.top * row + view.halo.left * column;
  return view;
}

std::string tensorType(ArrayRef<int64_t> shape, ElementKind kind) {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + stringifyElementKind(kind).str() + ">";
}

ElementKind randomKind(Random &random, int percent16) {
  return random.chance(percent16) ? ElementKind::I16 : ElementKind::I8;
}

int64_t randomZeroPoint(Random &random, ElementKind kind) {
  if (random.chance(20))
    return 0;
  int64_t top = kind == ElementKind::I8 ? 127 : 32767;
  return random.pick<int64_t>(
      {-top - 1, top, random.in(-top - 1, top), random.in(-20, 20)});
}

static std::string fallingTable(Random &random, int64_t one) {
  std::string table = std::to_string(one);
  int64_t entry = one, decay = random.in(0, 40);
  for (int i = 1; i < 256; ++i) {
    entry -= entry * decay / 100 + (decay ? random.in(0, 3) : 0);
    entry = std::max<int64_t>(entry, 0);
    table += ", " + std::to_string(entry);
  }
  return table;
}

std::string exponentialTables(Random &random, ElementKind kind) {
  if (kind == ElementKind::I8)
    return fallingTable(random, 1 << 23);
  std::string coarse = fallingTable(random, 1 << 30);
  return coarse + ", " + fallingTable(random, 1 << 30);
}

int64_t randomChannels(Random &random) {
  if (random.chance(50))
    return random.pick<int64_t>({1, 3, 4, 8, 16, 24, 32, 64, 96, 128});
  return random.in(1, 140);
}

std::string arrayText(ArrayRef<int64_t> values) {
  std::string text = "array<i64";
  for (size_t i = 0; i < values.size(); ++i)
    text += (i == 0 ? ": " : ", ") + std::to_string(values[i]);
  return text + ">";
}

std::string randomRequant(Random &random, int64_t bound, int64_t count,
                          ElementKind out) {
  int64_t largest = std::min<int64_t>(
      INT32_MAX, (int64_t(1) << 62) / std::max<int64_t>(bound, 1));
  // Results from a fraction of a step to many times the range.
  int outBits = out == ElementKind::I8 ? 8 : 16;
  auto shiftFor = [&](int64_t multiplier) {
    int bits = 0;
    for (__int128 v = static_cast<__int128>(multiplier) * bound; v; v >>= 1)
      ++bits;
    return std::clamp<int64_t>(bits - random.in(outBits - 4, outBits + 3), 1,
                               62);
  };
  std::string multipliers, shifts;
  bool oneShift = random.chance(70);
  int64_t low = random.chance(70) ? largest / 4 : 1;
  int64_t common = shiftFor(random.in(std::max<int64_t>(1, low), largest));
  for (int64_t i = 0; i < count; ++i) {
    int64_t multiplier = random.in(std::max<int64_t>(1, low), largest);
    multipliers += (i ? ", " : "") + std::to_string(multiplier);
    if (!oneShift || i == 0)
      shifts += (i ? ", " : "") +
                std::to_string(oneShift ? common : shiftFor(multiplier));
  }
  int64_t top = out == ElementKind::I8 ? 127 : 32767;
  int64_t min = -top - 1, max = top;
  if (random.chance(30)) {
    min = random.in(-top - 1, top);
    max = random.in(min, top);
  }
  return "#qint.requant<[" + multipliers + "], [" + shifts + "], zp " +
         std::to_string(randomZeroPoint(random, out)) + ", clamp " +
         std::to_string(min) + " to " + std::to_string(max) +
         (random.chance(20) ? ", half_even>" : ">");
}

static bool isSoak() {
  const char *soak = std::getenv("QOPT_SOAK");
  return soak && *soak && *soak != '0';
}

int casesToRun(int count) {
  return isSoak() ? (count * 10000 + 299) / 300 : count;
}

int optLevelOf(uint64_t number) { return static_cast<int>(number % 3); }

std::vector<TestIsa> isasOf(int batch, bool withByteShuffles) {
  std::vector<TestIsa> all = runnableIsas();
  if (!withByteShuffles)
    llvm::erase_if(all, [](const TestIsa &isa) { return isa.isa.hasVbmi; });
  if (all.size() < 2)
    return all;
  if (isSoak())
    return {all[batch % all.size()]};
  return {all[0], all[1 + batch % (all.size() - 1)]};
}

std::vector<TestIsa> floatIsasOf(int batch) {
  std::vector<TestIsa> all = runnableIsas();
  // Without FMA there are no float kernels; they don't shuffle bytes.
  llvm::erase_if(all, [](const TestIsa &isa) {
    return isa.isa.hasVbmi || isa.isa.kind == IsaKind::Scalar;
  });
  if (all.size() < 2)
    return all;
  return {all[0], all[1 + batch % (all.size() - 1)]};
}

static uint64_t seedOf(llvm::StringRef family, int batch) {
  uint64_t hash = 14695981039346656037u;
  for (char c : family)
    hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return hash % 1000003 * 1000 + batch;
}

static constexpr int casesPerModule = 60;

static std::vector<KernelCase>
makeCases(int count, uint64_t seed,
          llvm::function_ref<KernelCase(Random &)> make) {
  std::vector<KernelCase> cases;
  for (int i = 0; i < count; ++i) {
    Random random(seed * 7919 + i);
    cases.push_back(make(random));
  }
  return cases;
}

void runFamily(llvm::StringRef family, int count,
               llvm::function_ref<KernelCase(Random &)> make) {
  int total = casesToRun(count);
  for (int first = 0, batch = 0; first < total;
       first += casesPerModule, ++batch) {
    uint64_t seed = seedOf(family, batch);
    auto cases = makeCases(std::min(casesPerModule, total - first), seed, make);
    for (const TestIsa &isa : isasOf(batch)) {
      runCases(cases, isa, seed);
      if (::testing::Test::HasFailure())
        return;
    }
  }
}

void runFloatFamily(llvm::StringRef family, int count,
                    llvm::function_ref<KernelCase(Random &)> make) {
  int total = casesToRun(count);
  for (int first = 0, batch = 0; first < total;
       first += casesPerModule, ++batch) {
    uint64_t seed = seedOf(family, batch);
    auto cases = makeCases(std::min(casesPerModule, total - first), seed, make);
    std::vector<std::vector<uint8_t>> expected, results;
    for (const TestIsa &isa : floatIsasOf(batch)) {
      runCases(cases, isa, seed, &results);
      if (::testing::Test::HasFailure())
        return;
      if (expected.empty())
        expected = results;
      for (size_t i = 0; i < cases.size(); ++i)
        ASSERT_EQ(expected[i], results[i]) << isa.isa.key() << " differs\n"
                                           << cases[i].text;
    }
  }
}

} // namespace mlir::qopt::codegen::testing
