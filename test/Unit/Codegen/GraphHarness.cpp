// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole functions against the reference evaluator.

#include "GraphHarness.h"
#include "GuardedBuffer.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Reference/Evaluate.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>

namespace mlir::qopt::codegen::testing {
namespace {

std::string hexDense(ArrayRef<uint8_t> bytes) {
  return "dense<\"0x" + llvm::toHex(bytes) + "\">";
}

template <typename T> std::string hexOf(const std::vector<T> &values) {
  return hexDense({reinterpret_cast<const uint8_t *>(values.data()),
                   values.size() * sizeof(T)});
}

std::vector<reference::Tensor>
randomInputs(func::FuncOp func, const GraphCase &graph, Random &random) {
  std::vector<reference::Tensor> inputs;
  for (Type type : func.getArgumentTypes()) {
    auto tensorType = cast<RankedTensorType>(type);
    reference::Tensor tensor(tensorType.getShape(),
                             *reference::kindOfElements(tensorType));
    if (tensor.getKind() == reference::ElementKind::F32)
      for (float &value : tensor.values<float>())
        value = random.real(graph.low, graph.high);
    else
      for (char &byte : tensor.bytes())
        byte = static_cast<char>(random.in(-128, 127));
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

/// The compiled forms of one function.
struct Compiled {
  FunctionInfo info;
  void *compute = nullptr;
  /// One a region.
  std::vector<void *> regions;
};

/// Calls `address` with pointers and, behind them, a number.
void call(void *address, ArrayRef<uint8_t *> p, int64_t part) {
  auto at = [&](size_t i) -> void * {
    return i < p.size() ? p[i] : reinterpret_cast<void *>(part);
  };
  ASSERT_TRUE(p.size() == 3 || p.size() == 4)
      << "a test function has up to 3 inputs and outputs";
  // Arguments that a function does not have do not matter to it.
  reinterpret_cast<void (*)(void *, void *, void *, void *, void *)>(address)(
      at(0), at(1), at(2), at(3), at(4));
}

/// All at once, or in regions: parts from the first to the last or the other
/// way round, since they may run in any order.
void run(const Compiled &compiled, ArrayRef<uint8_t *> pointers,
         bool isForward) {
  if (compiled.regions.empty())
    return call(compiled.compute, pointers, 0);
  for (auto [region, address] :
       llvm::zip_equal(compiled.info.regions, compiled.regions))
    for (int64_t i = 0; i < region.parts; ++i)
      call(address, pointers, isForward ? i : region.parts - 1 - i);
}

/// Runs compiled code on copies of `inputs` that end where memory does.
std::vector<std::vector<uint8_t>>
runCompiled(const Compiled &compiled, ArrayRef<reference::Tensor> inputs,
            Random &random) {
  const FunctionInfo &info = compiled.info;
  std::vector<std::unique_ptr<GuardedBuffer>> buffers;
  std::vector<uint8_t *> pointers;
  auto allocate = [&](size_t bytes) {
    buffers.push_back(std::make_unique<GuardedBuffer>(bytes));
    pointers.push_back(buffers.back()->data());
    return pointers.back();
  };
  for (const reference::Tensor &tensor : inputs)
    std::memcpy(allocate(tensor.bytes().size()), tensor.bytes().data(),
                tensor.bytes().size());
  for (const Boundary &output : info.outputs)
    std::memset(allocate(output.bytes), 0x5a, output.bytes);
  // What the arena holds before a run must not matter.
  uint8_t *arena = allocate(llvm::alignTo(info.arenaBytes, arenaAlignment));
  for (uint64_t i = 0; i < info.arenaBytes; ++i)
    arena[i] = static_cast<uint8_t>(random.in(0, 255));

  run(compiled, pointers, random.in(0, 1) == 0);
  std::vector<std::vector<uint8_t>> outputs;
  for (auto [i, output] : llvm::enumerate(info.outputs)) {
    uint8_t *data = pointers[inputs.size() + i];
    outputs.emplace_back(data, data + output.bytes);
  }
  return outputs;
}

/// Empty if the outputs agree.
std::string compare(ArrayRef<uint8_t> actual, const reference::Tensor &expected,
                    double tolerance) {
  if (expected.getKind() != reference::ElementKind::F32) {
    ArrayRef<char> bytes = expected.bytes();
    for (size_t i = 0; i < bytes.size(); ++i)
      if (static_cast<char>(actual[i]) != bytes[i])
        return llvm::formatv("byte {0} of {1} is {2}, expected {3}", i,
                             bytes.size(), int(int8_t(actual[i])),
                             int(int8_t(bytes[i])));
    return "";
  }
  double largest = 1;
  for (float value : expected.values<float>())
    largest = std::max(largest, double(std::fabs(value)));
  for (auto [i, value] : llvm::enumerate(expected.values<float>())) {
    float got;
    std::memcpy(&got, actual.data() + 4 * i, 4);
    if (!(std::fabs(double(got) - value) <= tolerance * largest))
      return llvm::formatv("element {0} is {1}, expected {2}", i, got, value);
  }
  return "";
}

} // namespace

template <typename T>
static std::string randomHex(Random &random, int64_t count, int64_t low,
                             int64_t high) {
  std::vector<T> values(count);
  for (T &value : values)
    value = static_cast<T>(random.in(low, high));
  return hexOf(values);
}

std::string randomIntegers(Random &random, int64_t count, ElementKind kind,
                           int64_t low, int64_t high) {
  if (kind == ElementKind::I8)
    return randomHex<int8_t>(random, count, low, high);
  if (kind == ElementKind::I16)
    return randomHex<int16_t>(random, count, low, high);
  return randomHex<int32_t>(random, count, low, high);
}

std::string randomFewBits(Random &random, int64_t channels, int64_t inputs,
                          int64_t taps, int64_t most) {
  const int64_t bits = random.pick<int64_t>({2, 4});
  const int64_t high = std::min<int64_t>((1 << (bits - 1)) - 1, most);
  const int64_t low = random.chance(50) && high < most ? -high - 1 : -high;
  // Groups that end within a vector of weights are stored as bytes.
  const int64_t group = random.pick<int64_t>({0, 8, 16, 24, 32, 64, 1000});
  const int64_t topMultiple =
      std::min<int64_t>(bits == 4 ? 15 : 63, std::max<int64_t>(most / -low, 1));
  const int64_t groups = group ? (inputs + group - 1) / group : 1;
  std::vector<int8_t> values;
  for (int64_t channel = 0; channel < channels; ++channel) {
    std::vector<int64_t> multiples(groups * taps, 1);
    for (int64_t &multiple : multiples)
      if (group)
        multiple = random.in(1, topMultiple);
    for (int64_t input = 0; input < inputs; ++input)
      for (int64_t tap = 0; tap < taps; ++tap)
        values.push_back(static_cast<int8_t>(
            random.in(low, high) *
            multiples[(group ? input / group : 0) * taps + tap]));
  }
  return hexOf(values);
}

std::string randomFloats(Random &random, int64_t count, float low, float high) {
  std::vector<float> values(count);
  for (float &value : values)
    value = random.real(low, high);
  return hexOf(values);
}

void runGraphs(ArrayRef<GraphCase> cases, const TestIsa &isa, uint64_t seed,
               std::vector<std::vector<uint8_t>> *results,
               size_t tileCandidate) {
  DialectRegistry registry;
  registerCodegenDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string text;
  for (auto [i, graph] : llvm::enumerate(cases))
    text += "func.func @f" + std::to_string(i) + graph.text + "\n";
  auto source = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(source) << text.substr(0, 2000);

  CodegenOptions options;
  options.name = "test";
  options.isa = isa.isa;
  // Of every four modules one is shared, by 2 to 4 threads.
  options.threads = seed / 50 % 4 ? 1 : 2 + seed % 3;
  // And one is cut into strips.
  options.cutsSmallSteps = seed / 50 % 2 == 0;
  options.tileCandidate = tileCandidate;
  ModuleLowering lowering(&context, options);
  std::vector<Compiled> compiled;
  std::vector<std::string> exports;
  for (auto func : source->getOps<func::FuncOp>()) {
    auto info = lowering.add(func, func.getName());
    ASSERT_TRUE(bool(info)) << toString(info.takeError());
    exports.push_back(func.getName().str() + "_compute");
    for (const Region &region : info->regions)
      exports.push_back(region.function);
    compiled.emplace_back().info = std::move(*info);
  }
  auto module = lowering.finish().first;
  ASSERT_TRUE(succeeded(lowerToLLVM(*module, isa.isa)));
  target::JitOptions jitOptions;
  jitOptions.target = isa.target;
  jitOptions.target.optLevel = optLevelOf(seed / 50);
  auto jit = target::Jit::create(*module, exports, jitOptions);
  ASSERT_TRUE(bool(jit)) << toString(jit.takeError());

  size_t index = 0;
  for (auto func : source->getOps<func::FuncOp>()) {
    Random random(seed + index);
    const GraphCase &graph = cases[index];
    auto inputs = randomInputs(func, graph, random);
    auto expected = reference::evaluate(func, inputs);
    ASSERT_TRUE(bool(expected))
        << toString(expected.takeError()) << graph.text.substr(0, 2000);
    auto find = [&](llvm::StringRef name) -> void * {
      auto address = (*jit)->lookup(name);
      if (address)
        return *address;
      ADD_FAILURE() << toString(address.takeError());
      return nullptr;
    };
    Compiled &forms = compiled[index];
    forms.compute = find((func.getName() + "_compute").str());
    for (const Region &region : forms.info.regions)
      forms.regions.push_back(find(region.function));
    auto actual = runCompiled(forms, inputs, random);
    for (auto [i, tensor] : llvm::enumerate(*expected)) {
      std::string difference = compare(actual[i], tensor, graph.tolerance);
      EXPECT_EQ(difference, "") << isa.isa.key() << ", seed " << seed + index
                                << ", output " << i << "\n"
                                << graph.text.substr(0, 3000);
    }
    if (results)
      for (auto &bytes : actual)
        results->push_back(std::move(bytes));
    ++index;
  }
}

void runGraphFamily(llvm::StringRef family, int count, bool isFloat,
                    llvm::function_ref<GraphCase(Random &)> make) {
  constexpr int perModule = 50;
  uint64_t seed = 1;
  for (char letter : family)
    seed = seed * 31 + static_cast<uint64_t>(letter);
  int total = casesToRun(count);
  for (int done = 0; done < total; done += perModule) {
    std::vector<GraphCase> cases;
    for (int i = done; i < std::min(done + perModule, total); ++i) {
      Random random(seed + i);
      cases.push_back(make(random));
    }
    std::vector<std::vector<uint8_t>> first;
    // Byte permutes matter to tables alone, which have tests of their own.
    std::vector<TestIsa> isas =
        isFloat ? floatIsasOf(done / perModule)
                : isasOf(done / perModule, /*withByteShuffles=*/false);
    for (const TestIsa &isa : isas) {
      std::vector<std::vector<uint8_t>> results;
      runGraphs(cases, isa, seed + done, &results);
      if (isFloat && !first.empty())
        EXPECT_TRUE(first == results)
            << isa.isa.key() << " differs from " << isas[0].isa.key();
      if (first.empty())
        first = std::move(results);
      if (::testing::Test::HasFailure())
        return;
    }
  }
}

} // namespace mlir::qopt::codegen::testing
