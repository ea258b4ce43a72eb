// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What addAbi builds in LLVM IR, read through the C declarations.

#include "TestAbi.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Runtime/qopt_abi.h"
#include "qopt/Target/Jit.h"
#include "qopt/Target/ObjectCheck.h"
#include "qopt/Target/ObjectFigures.h"
#include "llvm/TargetParser/Host.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir::qopt;
using namespace mlir::qopt::target;

namespace {

TEST(Abi, TheModelReadsAsTheHeaderSays) {
  auto jit = unwrap(Jit::createFromObject(doublerObject(doublerSpec())));
  ASSERT_TRUE(jit);
  const auto &model =
      *static_cast<const qopt_model *>(unwrap(jit->lookup("doubler_model")));
  EXPECT_EQ(model.abi_version, QOPT_ABI_VERSION);
  EXPECT_EQ(model.struct_size, sizeof(qopt_model));
  EXPECT_EQ(model.tensor_size, sizeof(qopt_tensor));
  EXPECT_STREQ(model.name, "doubler");
  EXPECT_STREQ(model.info, "{\"name\": \"doubler\"}");
  EXPECT_EQ(model.arena_size, 16u);
  EXPECT_EQ(model.arena_align, 64u);
  EXPECT_EQ(model.num_inputs, 1u);
  EXPECT_EQ(model.num_outputs, 1u);
  EXPECT_EQ(model.num_variants, 1u);
  EXPECT_EQ(model.max_workers, 2u);
  EXPECT_EQ(model.resolve_variant(), 0u);
  const qopt_tensor &x = model.inputs[0];
  EXPECT_STREQ(x.name, "x.1");
  EXPECT_EQ(x.type, QOPT_TYPE_I8);
  ASSERT_EQ(x.rank, 2u);
  EXPECT_EQ(x.dims[0], 1);
  EXPECT_EQ(x.dims[1], 4);
  EXPECT_EQ(x.elements, 4u);
  EXPECT_EQ(x.bytes, 4u);
  EXPECT_EQ(x.scale, 0.5f);
  EXPECT_EQ(x.zero_point, 1);
  EXPECT_TRUE(x.quantize);
  EXPECT_FALSE(x.dequantize);
  const qopt_tensor &y = model.outputs[0];
  EXPECT_EQ(y.type, QOPT_TYPE_I16);
  EXPECT_EQ(y.bytes, 8u);
  EXPECT_FALSE(y.quantize);
  EXPECT_TRUE(y.dequantize);
}

TEST(Abi, RunsFromFloatToFloat) {
  auto jit = unwrap(Jit::createFromObject(doublerObject(doublerSpec())));
  ASSERT_TRUE(jit);
  const auto &model =
      *static_cast<const qopt_model *>(unwrap(jit->lookup("doubler_model")));
  const float x[4] = {1.5f, -2.0f, 0.0f, 0.25f};
  int8_t q[4];
  model.inputs[0].quantize(x, q);
  // 0.25 / 0.5 is a tie: half to even.
  EXPECT_EQ(q[0], 4);
  EXPECT_EQ(q[1], -3);
  EXPECT_EQ(q[2], 1);
  EXPECT_EQ(q[3], 1);
  const void *inputs[] = {q};
  int16_t r[4];
  void *outputs[] = {r};
  alignas(64) char arena[16];
  model.run(inputs, outputs, arena, nullptr);
  float y[4];
  model.outputs[0].dequantize(r, y);
  EXPECT_EQ(y[0], 3.0f);
  EXPECT_EQ(y[1], -4.0f);
  EXPECT_EQ(y[2], 0.0f);
  EXPECT_EQ(y[3], 0.0f);
}

TEST(Abi, QuantizeSaturatesAndHasAnAnswerForNaN) {
  auto jit = unwrap(Jit::createFromObject(doublerObject(doublerSpec())));
  auto quantize = reinterpret_cast<void (*)(const float *, int8_t *)>(
      unwrap(jit->lookup("doubler_quantize_x_1")));
  const float infinity = std::numeric_limits<float>::infinity();
  const float x[4] = {infinity, -infinity, std::nanf(""), 1e30f};
  int8_t q[4];
  quantize(x, q);
  EXPECT_EQ(q[0], 127);
  EXPECT_EQ(q[1], -128);
  EXPECT_EQ(q[2], 1);
  EXPECT_EQ(q[3], 127);
}

/// Numbers around ties and ends, and what is none.
std::vector<float> difficultValues(size_t count) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> values = {0.0f,    -0.0f,    infinity, -infinity,
                               NAN,     3e38f,    -3e38f,   1e-40f,
                               0x1p21f, -0x1p21f, 0x1p31f,  -0x1p31f};
  uint32_t state = 1;
  while (values.size() < count) {
    state = state * 1664525u + 1013904223u;
    // Multiples of a quarter: every second one is a tie of scale 0.5.
    values.push_back(static_cast<int32_t>(state >> 18) * 0.25f - 1000.0f);
  }
  return values;
}

/// Blocks and what is left behind them, for every type and vector width.
TEST(Abi, HelpersFollowNumericsInEveryElement) {
  const int64_t count = 64 + 45;
  const std::vector<float> values = difficultValues(count);
  for (const char *cpu : {"x86-64", "x86-64-v3", "host"})
    for (auto [type, zeroPoint, qmin, qmax] :
         {std::tuple(BoundaryType::I8, 1, -128, 127),
          std::tuple(BoundaryType::I8, 0, -127, 99),
          std::tuple(BoundaryType::U8, 128, 0, 255),
          std::tuple(BoundaryType::U8, 3, 2, 250),
          std::tuple(BoundaryType::I16, 0, -32768, 32767),
          std::tuple(BoundaryType::U16, 9, 0, 65535)}) {
      AbiSpec spec = doublerSpec();
      spec.cpuFeatures =
          unwrap(resolveTarget("x86_64-linux-gnu", cpu)).cpuFeatures;
      spec.inputs[0] = {"x", "x", {count}, type, 0.5f, zeroPoint, qmin, qmax};
      spec.outputs[0] = spec.inputs[0];
      const unsigned size = boundaryTypeSize(type);
      auto jit = unwrap(Jit::createFromObject(abiObject(spec, R"(
llvm.func @compute(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
  llvm.return
}
)",
                                                        cpu)));
      const auto &model = *static_cast<const qopt_model *>(
          unwrap(jit->lookup("doubler_model")));
      std::vector<uint8_t> bytes(count * size + 1, 0xa5);
      model.inputs[0].quantize(values.data(), bytes.data());
      EXPECT_EQ(bytes.back(), 0xa5) << "written behind the end";
      std::vector<float> reals(count);
      model.outputs[0].dequantize(bytes.data(), reals.data());
      numerics::QuantParams params;
      params.scale = 0.5f;
      params.zeroPoint = zeroPoint;
      params.qmin = qmin;
      params.qmax = qmax;
      for (int64_t i = 0; i < count; ++i) {
        int32_t expected = numerics::quantize(values[i], params);
        uint16_t stored = 0;
        std::memcpy(&stored, bytes.data() + i * size, size);
        EXPECT_EQ(stored, expected & (size == 1 ? 0xff : 0xffff))
            << cpu << " element " << i << " of " << boundaryTypeName(type);
        EXPECT_EQ(reals[i], numerics::dequantize(expected, params))
            << cpu << " element " << i << " of " << boundaryTypeName(type);
      }
    }
}

/// Numbers whose quotients by `scale` are ties, or next to ties, and some more.
std::vector<float> valuesNearTies(float scale, size_t count) {
  std::vector<float> values = difficultValues(40);
  uint32_t state = 7;
  while (values.size() < count) {
    state = state * 1664525u + 1013904223u;
    float tie = (static_cast<int32_t>(state >> 23) - 256 + 0.5f) * scale;
    int32_t bits;
    std::memcpy(&bits, &tie, sizeof(bits));
    bits += static_cast<int32_t>(state >> 8 & 7) - 3;
    std::memcpy(&tie, &bits, sizeof(bits));
    values.push_back(tie);
  }
  return values;
}

/// Where a multiplication by the reciprocal takes the place of the division.
TEST(Abi, QuantizesByTrueQuotients) {
  const int64_t count = 2000;
  for (const char *cpu : {"x86-64", "x86-64-v3", "host"})
    for (float scale : {0.1f, 0.0078431377f, 0.99999994f, 1.0000001f, 37.3f,
                        3e-39f, 1e-20f, 1e-30f, 1e30f}) {
      AbiSpec spec = doublerSpec();
      spec.cpuFeatures =
          unwrap(resolveTarget("x86_64-linux-gnu", cpu)).cpuFeatures;
      spec.inputs[0] = {"x",   "x", {count}, BoundaryType::I8,
                        scale, 1,   -128,    127};
      auto jit = unwrap(Jit::createFromObject(abiObject(spec, R"(
llvm.func @compute(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
  llvm.return
}
)",
                                                        cpu)));
      const auto &model = *static_cast<const qopt_model *>(
          unwrap(jit->lookup("doubler_model")));
      const std::vector<float> values = valuesNearTies(scale, count);
      std::vector<int8_t> bytes(count);
      model.inputs[0].quantize(values.data(), bytes.data());
      numerics::QuantParams params;
      params.scale = scale;
      params.zeroPoint = 1;
      params.qmin = -128;
      params.qmax = 127;
      for (int64_t i = 0; i < count; ++i)
        ASSERT_EQ(bytes[i], numerics::quantize(values[i], params))
            << cpu << " " << values[i] << " by " << scale;
    }
}

/// What the object for `features` says to this machine.
uint32_t answerHere(const CpuFeatures &features) {
  AbiSpec spec = doublerSpec();
  spec.cpuFeatures = features;
  // The helpers would be made of what this test says that the CPU has.
  spec.helpers = false;
  auto jit = unwrap(Jit::createFromObject(doublerObject(spec)));
  auto resolve = reinterpret_cast<uint32_t (*)()>(
      unwrap(jit->lookup("doubler_resolve_variant")));
  return resolve();
}

TEST(Abi, TheCpuCheckAgreesWithThisMachine) {
  auto host = unwrap(resolveTarget("", "host"));
  EXPECT_EQ(answerHere(host.cpuFeatures), 0u);
  // Each CPU's answer must be what LLVM's own detection says.
  for (const char *cpu : {"x86-64", "haswell", "skylake-avx512", "alderlake",
                          "cascadelake", "icelake-server"}) {
    auto target = unwrap(resolveTarget("x86_64-linux-gnu", cpu));
    const CpuFeatures &needs = target.cpuFeatures;
    const auto here = llvm::sys::getHostCPUFeatures();
    bool runs =
        (!needs.hasFMA || here.lookup("fma")) &&
        (needs.isa < KernelIsa::AVX2 || here.lookup("avx2")) &&
        (needs.isa != KernelIsa::AVXVNNI || here.lookup("avxvnni")) &&
        (needs.isa != KernelIsa::AVX512VNNI || here.lookup("avx512vnni")) &&
        (!needs.hasAVX512F || here.lookup("avx512f")) &&
        (!needs.hasVBMI || here.lookup("avx512vbmi"));
    EXPECT_EQ(answerHere(needs), runs ? 0u : QOPT_NO_VARIANT) << cpu;
  }
}

TEST(Abi, TheCpuCheckAsksForEveryBit) {
  auto check = [](const char *cpu) {
    AbiSpec spec = doublerSpec();
    spec.cpuFeatures =
        unwrap(resolveTarget("x86_64-linux-gnu", cpu)).cpuFeatures;
    TestModule source("llvm.func @compute(%x: !llvm.ptr, %y: !llvm.ptr, "
                      "%a: !llvm.ptr) { llvm.return }");
    llvm::LLVMContext context;
    auto module = unwrap(translate(source.get(), context));
    unwrap(addAbi(*module, spec));
    return emitLLVMIR(*module);
  };
  auto has = [](const std::string &text, uint32_t mask) {
    std::string value = ", " + std::to_string(static_cast<int32_t>(mask));
    return text.find(value + "\n") != std::string::npos;
  };
  EXPECT_EQ(check("x86-64").find("cpuid"), std::string::npos);
  const uint32_t avxOnly = 1u << 27 | 1u << 28 | 1u << 12;
  std::string haswell = check("haswell");
  EXPECT_TRUE(has(haswell, avxOnly) && has(haswell, 1u << 5) &&
              has(haswell, 0x6));
  std::string alderlake = check("alderlake");
  EXPECT_TRUE(has(alderlake, 1u << 5) && has(alderlake, 1u << 4));
  std::string icelake = check("icelake-server");
  EXPECT_TRUE(has(icelake, 1u << 5 | 1u << 16 | 1u << 30 | 1u << 31) &&
              has(icelake, 1u << 1 | 1u << 11) && has(icelake, 0xe6));
}

TEST(Abi, TheObjectKeepsItsPromises) {
  AbiSpec spec = doublerSpec();
  std::string object = doublerObject(spec);
  IntegerOnlyRules rules;
  EXPECT_NE(errorOf(checkIntegerOnly(object, rules)), "");
  rules.exempt = helperNames(spec);
  EXPECT_EQ(errorOf(checkIntegerOnly(object, rules)), "");
  EXPECT_EQ(errorOf(checkStateless(object)), "");
  uint64_t stack = unwrap(stackBytes(object, "doubler_run"));
  EXPECT_GE(stack, 16u);
  EXPECT_LE(stack, 128u);
}

TEST(Abi, WithoutHelpersThereIsNoFloat) {
  AbiSpec spec = doublerSpec();
  spec.helpers = false;
  std::string object = doublerObject(spec);
  EXPECT_TRUE(helperNames(spec).empty());
  EXPECT_EQ(errorOf(checkIntegerOnly(object)), "");
  EXPECT_EQ(object.find("quantize"), std::string::npos);
}

TEST(Abi, WithoutHelpersTheModelHasNone) {
  AbiSpec spec = doublerSpec();
  spec.helpers = false;
  auto jit = unwrap(Jit::createFromObject(doublerObject(spec)));
  const auto &model =
      *static_cast<const qopt_model *>(unwrap(jit->lookup("doubler_model")));
  EXPECT_FALSE(model.quantize);
  EXPECT_FALSE(model.dequantize);
}

/// Writes its part's number + 10 to y[part]; compute writes 1 everywhere.
const char *const regions = R"(
llvm.func @compute(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
  %ones = llvm.mlir.constant(dense<1> : vector<4xi16>) : vector<4xi16>
  llvm.store %ones, %y {alignment = 2 : i64} : vector<4xi16>, !llvm.ptr
  llvm.return
}
llvm.func @first(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr, %part: i64) {
  %fives = llvm.mlir.constant(dense<5> : vector<4xi16>) : vector<4xi16>
  llvm.store %fives, %y {alignment = 2 : i64} : vector<4xi16>, !llvm.ptr
  llvm.return
}
llvm.func @second(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr, %part: i64) {
  %ten = llvm.mlir.constant(10 : i16) : i16
  %narrow = llvm.trunc %part : i64 to i16
  %value = llvm.add %narrow, %ten : i16
  %slot = llvm.getelementptr %y[%part] : (!llvm.ptr, i64) -> !llvm.ptr, i16
  llvm.store %value, %slot : i16, !llvm.ptr
  llvm.return
}
)";

/// A parallel-for that runs tasks from the last to the first and counts them.
void runBackwards(void *pool, uint32_t count, qopt_task task, void *arg) {
  *static_cast<uint32_t *>(pool) += count;
  while (count-- > 0)
    task(arg, count);
}

TEST(Abi, RegionsRunByTheContext) {
  AbiSpec spec = doublerSpec();
  spec.regions = {{"first", 1}, {"second", 3}};
  auto jit = unwrap(Jit::createFromObject(abiObject(spec, regions)));
  const auto &model =
      *static_cast<const qopt_model *>(unwrap(jit->lookup("doubler_model")));
  int8_t x[4] = {};
  alignas(64) char arena[16];
  auto run = [&](const qopt_context *context) {
    std::vector<int16_t> y(4);
    const void *inputs[] = {x};
    void *outputs[] = {y.data()};
    model.run(inputs, outputs, arena, context);
    return y;
  };
  uint32_t tasks = 0;
  qopt_context context = {};
  context.struct_size = sizeof(context);
  context.parallel_for = runBackwards;
  context.pool = &tasks;
  const std::vector<int16_t> serial = {1, 1, 1, 1}, shared = {10, 11, 12, 5};
  EXPECT_EQ(run(nullptr), serial);
  context.workers = 1;
  EXPECT_EQ(run(&context), serial);
  EXPECT_EQ(tasks, 0u);
  context.workers = 2;
  EXPECT_EQ(run(&context), shared);
  EXPECT_EQ(tasks, 3u);
}

/// Two inputs and two outputs of `elements` each, one of them short.
AbiSpec boundarySpec(const std::vector<int64_t> &elements, uint32_t workers) {
  AbiSpec spec = doublerSpec();
  spec.maxWorkers = workers;
  spec.inputs.clear();
  spec.outputs.clear();
  for (int64_t count : elements) {
    const std::string id = "t" + std::to_string(spec.inputs.size());
    spec.inputs.push_back(
        {id, id, {count}, BoundaryType::I8, 0.5f, 1, -128, 127});
    spec.outputs.push_back({"y" + id,
                            "y" + id,
                            {count},
                            BoundaryType::I16,
                            0.25f,
                            3,
                            -32768,
                            32767});
  }
  return spec;
}

/// What lies behind each list's end is there to be kept.
template <typename T>
std::vector<std::vector<T>> listsOf(const std::vector<int64_t> &elements,
                                    T value) {
  std::vector<std::vector<T>> lists;
  for (int64_t count : elements)
    lists.emplace_back(count + 1, value);
  return lists;
}

template <typename P, typename T>
std::vector<P> pointersTo(std::vector<std::vector<T>> &lists) {
  std::vector<P> pointers;
  for (std::vector<T> &list : lists)
    pointers.push_back(list.data());
  return pointers;
}

/// Large boundaries are shared, small ones are not; nobody can tell by bytes.
TEST(Abi, ConvertsAllTensorsByTheContext) {
  for (auto [elements, workers, parts] :
       {std::tuple(std::vector<int64_t>{20003, 33}, 3u, 3u),
        {{33, 16384}, 2u, 2u},
        {{64, 20000}, 1u, 0u},
        {{100, 4}, 2u, 0u}}) {
    AbiSpec spec = boundarySpec(elements, workers);
    std::string object = abiObject(spec, R"(
llvm.func @compute(%a: !llvm.ptr, %b: !llvm.ptr, %c: !llvm.ptr, %d: !llvm.ptr,
                   %arena: !llvm.ptr) {
  llvm.return
}
)");
    IntegerOnlyRules rules;
    rules.exempt = helperNames(spec);
    EXPECT_EQ(errorOf(checkIntegerOnly(object, rules)), "");
    auto jit = unwrap(Jit::createFromObject(object));
    const auto &model =
        *static_cast<const qopt_model *>(unwrap(jit->lookup("doubler_model")));
    uint32_t tasks = 0;
    qopt_context context = {sizeof(qopt_context), 0,     workers, 0,
                            runBackwards,         &tasks};
    for (bool hasContext : {true, false}) {
      const qopt_context *ctx = hasContext ? &context : nullptr;
      auto reals = listsOf<float>(elements, 7.0f);
      auto bytes = listsOf<int8_t>(elements, 0x5a);
      auto words = listsOf<int16_t>(elements, 0x5a5a);
      auto results = listsOf<float>(elements, 7.0f);
      for (size_t i = 0; i < elements.size(); ++i)
        reals[i] = difficultValues(elements[i] + 1);
      for (auto &list : words)
        for (size_t e = 0; e < list.size(); ++e)
          list[e] = static_cast<int16_t>(e * 37);
      tasks = 0;
      model.quantize(pointersTo<const float *>(reals).data(),
                     pointersTo<void *>(bytes).data(), ctx);
      model.dequantize(pointersTo<const void *>(words).data(),
                       pointersTo<float *>(results).data(), ctx);
      EXPECT_EQ(tasks, ctx ? 2 * parts : 0u);
      for (size_t i = 0; i < elements.size(); ++i) {
        std::vector<int8_t> expected(elements[i] + 1, 0x5a);
        model.inputs[i].quantize(reals[i].data(), expected.data());
        EXPECT_EQ(bytes[i], expected);
        numerics::QuantParams params;
        params.scale = 0.5f;
        params.zeroPoint = 1;
        params.qmin = -128;
        params.qmax = 127;
        for (int64_t e = 0; e < elements[i]; ++e) {
          ASSERT_EQ(bytes[i][e], numerics::quantize(reals[i][e], params)) << e;
          ASSERT_EQ(results[i][e], 0.25f * (words[i][e] - 3)) << e;
        }
        EXPECT_EQ(results[i].back(), 7.0f) << "written behind the end";
      }
    }
  }
}

TEST(Abi, RefusesARegionThatIsNotThere) {
  AbiSpec spec = doublerSpec();
  spec.regions = {{"third", 2}};
  TestModule source(regions);
  llvm::LLVMContext context;
  auto module = unwrap(translate(source.get(), context));
  EXPECT_NE(errorOf(addAbi(*module, spec)).find("'third'"), std::string::npos);
}

/// Each variant writes its number.
const char numbers[] = R"(
llvm.func @compute(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
  %c = llvm.mlir.constant(10 : i8) : i8
  llvm.store %c, %y : i8, !llvm.ptr
  llvm.return
}
llvm.func @second(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
  %c = llvm.mlir.constant(11 : i8) : i8
  llvm.store %c, %y : i8, !llvm.ptr
  llvm.return
}
llvm.func @third(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
  %c = llvm.mlir.constant(12 : i8) : i8
  llvm.store %c, %y : i8, !llvm.ptr
  llvm.return
}
)";

TEST(Abi, TheContextChoosesAVariant) {
  AbiSpec spec = doublerSpec();
  // The last needs what few CPUs have.
  CpuFeatures none, all;
  all.isa = KernelIsa::AVXVNNI;
  all.hasFMA = all.hasAVX512F = all.hasAVX512BW = all.hasAVX512VL = true;
  all.hasVBMI = true;
  spec.richer = {{"second", {}, none}, {"third", {}, all}};
  auto jit = unwrap(Jit::createFromObject(abiObject(spec, numbers)));
  const auto &model =
      *static_cast<const qopt_model *>(unwrap(jit->lookup("doubler_model")));
  EXPECT_EQ(model.num_variants, 3u);
  auto runWith = [&](const qopt_context *context) {
    int8_t x[4] = {}, y[8] = {};
    const void *inputs[] = {x};
    void *outputs[] = {y};
    alignas(64) char arena[16];
    model.run(inputs, outputs, arena, context);
    return y[0];
  };
  EXPECT_EQ(runWith(nullptr), 10);
  qopt_context context = {sizeof context, 0, 1, 0, nullptr, nullptr};
  for (auto [variant, result] :
       {std::pair(0u, 10), {1u, 11}, {2u, 12}, {3u, 10}, {~0u, 10}}) {
    context.variant = variant;
    EXPECT_EQ(runWith(&context), result) << variant;
  }
  const auto here = llvm::sys::getHostCPUFeatures();
  const bool runsLast = here.lookup("avxvnni") && here.lookup("avx512vbmi") &&
                        here.lookup("avx512bw") && here.lookup("avx512vl");
  EXPECT_EQ(model.resolve_variant(), runsLast ? 2u : 1u);
}

TEST(Abi, RefusesAVariantThatIsNotThere) {
  AbiSpec spec = doublerSpec();
  spec.richer = {{"fourth", {}, {}}};
  TestModule source(numbers);
  llvm::LLVMContext context;
  auto module = unwrap(translate(source.get(), context));
  EXPECT_NE(errorOf(addAbi(*module, spec)).find("'fourth'"), std::string::npos);
}

TEST(Abi, RefusesAComputeFunctionOfAnotherForm) {
  AbiSpec spec = doublerSpec();
  spec.inputs.push_back(spec.inputs[0]);
  TestModule source("llvm.func @compute(%x: !llvm.ptr) { llvm.return }");
  llvm::LLVMContext context;
  auto module = unwrap(translate(source.get(), context));
  EXPECT_NE(errorOf(addAbi(*module, spec)).find("error[Q0702]"),
            std::string::npos);
}

} // namespace
