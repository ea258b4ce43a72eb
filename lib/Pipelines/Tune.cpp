// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles the model once for each candidate of the cost model and times the
// kernels of every shape, candidates in turns. A kernel's weights are read from
// as many copies as make up all weights of the model, since by its next run the
// others will have passed through the caches.

#include "Tune.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "qopt/Support/Error.h"
#include "qopt/Target/Jit.h"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <random>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

/// Rounds of all candidates; the fastest counts.
static constexpr int rounds = 15;
/// A round of one kernel takes at least so long.
static constexpr double leastNanoseconds = 20000;
/// What a choice must gain to replace the cost model's.
static constexpr double worthwhile = 0.97;
/// Of a kernel's weights: beyond a second level's cache, all sizes are alike.
static constexpr size_t maxCopiedBytes = size_t(8) << 20;
/// Input, panels, output, a table and what is read next.
static constexpr size_t maxArguments = 5;
static constexpr size_t panelsArgument = 1;

namespace {

using Kernel = void (*)(void *, void *, void *, void *, void *);

struct FreeMemory {
  void operator()(uint8_t *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<uint8_t, FreeMemory>;

/// The model's kernels, cut by one candidate.
struct Build {
  std::vector<codegen::TileUse> tiles;
  std::unique_ptr<target::Jit> jit;
  /// Bytes of each kernel's arguments.
  std::map<std::string, SmallVector<size_t>> sizes;
  uint64_t constBytes = 0;
};

/// A kernel with memory to run on.
struct Bench {
  Kernel kernel = nullptr;
  std::vector<Memory> memory;
  std::array<uint8_t *, maxArguments> arguments{};
  size_t panelBytes = 0, copies = 1, next = 0;

  void run() {
    uint8_t *panels = arguments[panelsArgument] + next * panelBytes;
    next = next + 1 == copies ? 0 : next + 1;
    kernel(arguments[0], panels, arguments[2], arguments[3], arguments[4]);
  }

  double nanoseconds(int64_t repeats) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    for (int64_t i = 0; i < repeats; ++i)
      run();
    return std::chrono::duration<double, std::nano>(Clock::now() - begin)
               .count() /
           static_cast<double>(repeats);
  }
};

} // namespace

static llvm::Expected<Build> build(func::FuncOp function,
                                   const codegen::CodegenOptions &options,
                                   const target::TargetOptions &target) {
  auto compiled = codegen::lower(function, options);
  if (!compiled)
    return compiled.takeError();
  Build result;
  result.tiles = std::move(compiled->tiles);
  result.constBytes = compiled->constBytes;
  std::vector<std::string> exports;
  for (const codegen::TileUse &tile : result.tiles)
    for (const std::string &name : tile.kernels) {
      auto kernel = compiled->module->lookupSymbol<func::FuncOp>(name);
      kernel.setPublic();
      for (Type type : kernel.getArgumentTypes())
        result.sizes[name].push_back(cast<MemRefType>(type).getDimSize(0));
      exports.push_back(name);
    }
  if (failed(codegen::lowerToLLVM(*compiled->module, options.isa)))
    return makeError(721, "lowering to the LLVM dialect failed");
  auto jit = target::Jit::create(*compiled->module, exports, {target});
  if (!jit)
    return jit.takeError();
  result.jit = std::move(*jit);
  return std::move(result);
}

static Memory allocate(size_t bytes) {
  bytes = llvm::alignTo(bytes + 1, codegen::arenaAlignment);
  Memory memory(static_cast<uint8_t *>(
      std::aligned_alloc(codegen::arenaAlignment, bytes)));
  std::mt19937 random(1);
  for (size_t i = 0; memory && i < bytes; i += sizeof(uint32_t)) {
    const auto word = static_cast<uint32_t>(random());
    std::memcpy(memory.get() + i, &word, sizeof(word));
  }
  return memory;
}

static llvm::Expected<Bench> makeBench(const Build &build,
                                       const std::string &name) {
  auto address = build.jit->lookup(name);
  if (!address)
    return address.takeError();
  Bench bench;
  bench.kernel = reinterpret_cast<Kernel>(*address);
  ArrayRef<size_t> sizes = build.sizes.at(name);
  for (auto [i, bytes] : llvm::enumerate(sizes)) {
    size_t all = bytes;
    if (i == panelsArgument) {
      bench.panelBytes = llvm::alignTo(bytes, codegen::arenaAlignment);
      const size_t bytesOfAll =
          std::min<size_t>(build.constBytes, maxCopiedBytes);
      bench.copies = std::max<size_t>(bytesOfAll / bench.panelBytes, 1);
      all = bench.panelBytes * bench.copies;
    }
    bench.memory.push_back(allocate(all));
    if (!bench.memory.back())
      return makeError(731, "no memory for a kernel's operands");
    bench.arguments[i] = bench.memory.back().get();
  }
  return std::move(bench);
}

/// Adds the times of kernel `index` of shape `shape` to `times`, one a build.
static llvm::Error timeKernel(ArrayRef<Build> builds, size_t shape,
                              size_t index, MutableArrayRef<double> times) {
  std::vector<Bench> benches;
  for (const Build &build : builds) {
    auto bench = makeBench(build, build.tiles[shape].kernels[index]);
    if (!bench)
      return bench.takeError();
    benches.push_back(std::move(*bench));
  }
  std::vector<double> best(builds.size(), std::numeric_limits<double>::max());
  const double once = benches.front().nanoseconds(3);
  const auto repeats =
      std::max<int64_t>(1, static_cast<int64_t>(leastNanoseconds / once));
  for (int round = 0; round < rounds; ++round)
    for (auto [bench, least] : llvm::zip_equal(benches, best))
      least = std::min(least, bench.nanoseconds(repeats));
  for (auto [time, least] : llvm::zip_equal(times, best))
    time += least;
  return llvm::Error::success();
}

/// The builds of all candidates, the cost model's first.
static llvm::Expected<std::vector<Build>>
buildCandidates(func::FuncOp function, codegen::CodegenOptions options,
                const target::TargetOptions &target) {
  std::vector<Build> builds;
  for (;; ++options.tileCandidate) {
    auto made = build(function, options, target);
    if (!made)
      return made.takeError();
    const bool isNew =
        llvm::any_of(made->tiles, [&](const codegen::TileUse &tile) {
          return !options.tiles.count(tile.shape) && tile.used != tile.modelled;
        });
    if (!builds.empty() && !isNew)
      return std::move(builds);
    builds.push_back(std::move(*made));
  }
}

llvm::Expected<codegen::TileChoices>
mlir::qopt::pipelines::tuneTiles(func::FuncOp function,
                                 codegen::CodegenOptions options,
                                 const target::TargetOptions &target) {
  auto builds = buildCandidates(function, options, target);
  if (!builds)
    return builds.takeError();
  codegen::TileChoices choices = options.tiles;
  for (auto [shape, tile] : llvm::enumerate(builds->front().tiles)) {
    if (choices.count(tile.shape))
      continue;
    std::vector<double> times(builds->size(), 0);
    for (size_t index = 0; index < tile.kernels.size(); ++index)
      if (llvm::Error error = timeKernel(*builds, shape, index, times))
        return std::move(error);
    const size_t best =
        std::min_element(times.begin(), times.end()) - times.begin();
    choices[tile.shape] = times[best] < worthwhile * times.front()
                              ? (*builds)[best].tiles[shape].used
                              : tile.modelled;
  }
  return choices;
}
