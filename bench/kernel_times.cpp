// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Times of the kernels beside products: depthwise convolutions, sums,
// tables, pools, softmax, layout copies. On Google Benchmark: its flags choose
// kernels (--benchmark_filter=REGEX) and format; the p10 of time counts.
//
//   kernel-times [--isa=NAME] [--novbmi] [--asm] [--benchmark_...]

#include "KernelLab.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include "qopt/Target/Emit.h"
#include "qopt/Target/Jit.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::bench;

namespace {

constexpr int64_t blobBytes = int64_t(1) << 40;

/// One op with operands in the planner's layouts.
struct Timed {
  std::string name;
  /// A function body as in `func.func @f<body>`.
  std::string body;
  std::vector<View> in;
  View out;
  /// Multiply-accumulates, or 0.
  double macs = 0;
  std::function<LogicalResult(KernelContext &, Operation *, ArrayRef<View>,
                              ArrayRef<View>)>
      emitter;
};

View channelsLast(ArrayRef<int64_t> shape, int64_t halo = 0) {
  View view;
  view.shape.assign(shape.begin(), shape.end());
  view.halo = {halo, halo, halo, halo};
  int64_t row = shape[1] * (shape[3] + 2 * halo);
  view.strides = {row * (shape[2] + 2 * halo), 1, row, shape[1]};
  view.offset = halo * (row + shape[1]);
  view.storageBias = 128;
  return view;
}

View boundary(ArrayRef<int64_t> shape) {
  View view;
  view.shape.assign(shape.begin(), shape.end());
  view.strides = rowMajorStrides(shape);
  return view;
}

std::string typeOf(const View &view) {
  std::string text = "tensor<";
  for (int64_t size : view.shape)
    text += std::to_string(size) + "x";
  return text + (view.kind == ElementKind::I16 ? "i16>" : "i8>");
}

template <typename Op> auto family() {
  return
      [](KernelContext &context, Operation *op, ArrayRef<View> in,
         ArrayRef<View> out) { return emit(context, cast<Op>(op), in, out); };
}

constexpr const char *requant =
    "#qint.requant<[700000000], [36], zp 3, clamp -128 to 127>";

Timed depthwise(int64_t channels, int64_t size, int64_t kernel, int64_t stride,
                ElementKind inKind = ElementKind::I8) {
  Timed t;
  int64_t pad = kernel / 2, outSize = (size + 2 * pad - kernel) / stride + 1;
  t.in = {channelsLast({1, channels, size, size}, pad)};
  t.in[0].kind = inKind;
  if (inKind == ElementKind::I16)
    t.in[0].storageBias = 0;
  t.out = channelsLast({1, channels, outSize, outSize});
  std::string k = std::to_string(kernel), c = std::to_string(channels);
  t.name = "depthwise " + k + "x" + k + "/" + std::to_string(stride) + " " +
           std::to_string(size) + "x" + std::to_string(size) + "x" + c +
           (inKind == ElementKind::I16 ? " i16" : "");
  std::string w = "tensor<" + c + "x1x" + k + "x" + k + "xi8>";
  std::string multipliers, p = std::to_string(pad), s = std::to_string(stride);
  for (int64_t i = 0; i < channels; ++i)
    multipliers += (i ? ", " : "") + std::to_string(500000000 + 12345 * i);
  t.body = "(%x: " + typeOf(t.in[0]) + ") -> " + typeOf(t.out) +
           " {\n%w = qint.constant dense<3> : " + w +
           "\n%b = qint.constant dense<77> : tensor<" + c +
           "xi32>\n%r = qint.conv %x, %w, %b {groups = " + c +
           " : i64, strides = array<i64: " + s + ", " + s +
           ">, pads = array<i64: " + p + ", " + p + ", " + p + ", " + p +
           ">, input_zero_point = 5 : i32, requant = #qint.requant<[" +
           multipliers + "], [37], zp -128, clamp -128 to 127>} : (" +
           typeOf(t.in[0]) + ", " + w + ", tensor<" + c + "xi32>) -> " +
           typeOf(t.out) + "\nreturn %r : " + typeOf(t.out) + "\n}";
  t.macs = double(t.out.numElements()) * kernel * kernel;
  t.emitter = [](KernelContext &context, Operation *op, ArrayRef<View> in,
                 ArrayRef<View> out) {
    return emitDepthwise(context, cast<qint::ConvOp>(op), in, out);
  };
  return t;
}

std::string unary(const std::string &op, const View &in, const View &out) {
  return "(%x: " + typeOf(in) + ") -> " + typeOf(out) + " {\n%r = " + op +
         " : (" + typeOf(in) + ") -> " + typeOf(out) +
         "\nreturn %r : " + typeOf(out) + "\n}";
}

Timed add(int64_t channels, int64_t size) {
  Timed t;
  View view = channelsLast({1, channels, size, size});
  t.in = {view, view};
  t.out = view;
  t.name = "add " + std::to_string(view.numElements());
  std::string type = typeOf(view);
  t.body = "(%x: " + type + ", %y: " + type + ") -> " + type +
           " {\n%r = qint.add %x, %y {lhs_zero_point = 4 : i32, "
           "rhs_zero_point = -9 : i32, requant = #qint.requant<[1500000, "
           "2100000], [21], zp 3, clamp -128 to 127>} : (" +
           type + ", " + type + ") -> " + type + "\nreturn %r : " + type +
           "\n}";
  t.emitter = family<qint::AddOp>();
  return t;
}

Timed mul(int64_t channels, int64_t size) {
  Timed t = add(channels, size);
  t.name = "mul " + std::to_string(t.out.numElements());
  std::string type = typeOf(t.out);
  t.body = "(%x: " + type + ", %y: " + type + ") -> " + type +
           " {\n%r = qint.mul %x, %y {lhs_zero_point = 4 : i32, "
           "rhs_zero_point = -9 : i32, requant = " +
           requant + "} : (" + type + ", " + type + ") -> " + type +
           "\nreturn %r : " + type + "\n}";
  t.emitter = family<qint::MulOp>();
  return t;
}

/// A product with one value a channel.
Timed gate(int64_t channels, int64_t size) {
  Timed t = mul(channels, size);
  t.in[1] = channelsLast({1, channels, 1, 1});
  t.name = "gate " + std::to_string(size) + "x" + std::to_string(size) + "x" +
           std::to_string(channels);
  std::string type = typeOf(t.out);
  t.body = "(%x: " + type + ", %y: " + typeOf(t.in[1]) + ") -> " + type +
           " {\n%r = qint.mul %x, %y {lhs_zero_point = 4 : i32, "
           "rhs_zero_point = -128 : i32, requant = " +
           requant + "} : (" + type + ", " + typeOf(t.in[1]) + ") -> " + type +
           "\nreturn %r : " + type + "\n}";
  return t;
}

Timed table(int64_t channels, int64_t size) {
  Timed t;
  t.in = {channelsLast({1, channels, size, size})};
  t.out = t.in[0];
  t.name = "table " + std::to_string(t.out.numElements());
  std::string entries;
  for (int i = 0; i < 256; ++i)
    entries += (i ? ", " : "") + std::to_string((i * 37) % 256 - 128);
  t.body = unary("qint.table %x {table = array<i16: " + entries + ">}", t.in[0],
                 t.out);
  t.emitter = family<qint::TableOp>();
  return t;
}

Timed pool(const std::string &kind, int64_t channels, int64_t size,
           int64_t kernel, int64_t stride, int64_t pad) {
  Timed t;
  int64_t outSize = (size + 2 * pad - kernel) / stride + 1;
  t.in = {channelsLast({1, channels, size, size})};
  t.out = channelsLast({1, channels, outSize, outSize});
  std::string k = std::to_string(kernel), s = std::to_string(stride),
              p = std::to_string(pad);
  t.name = kind + " " + k + "x" + k + "/" + s + " " + std::to_string(size) +
           "x" + std::to_string(size) + "x" + std::to_string(channels);
  std::string window = "kernel = array<i64: " + k + ", " + k +
                       ">, strides = array<i64: " + s + ", " + s +
                       ">, pads = array<i64: " + p + ", " + p + ", " + p +
                       ", " + p + ">";
  if (kind == "max_pool") {
    t.body = unary("qint.max_pool %x {" + window + "}", t.in[0], t.out);
    t.emitter = family<qint::MaxPoolOp>();
    return t;
  }
  t.body =
      unary("qint.avg_pool %x {" + window +
                ", tap_counts = array<i64: " + std::to_string(kernel * kernel) +
                ">, input_zero_point = 5 : i32, requant = " + requant + "}",
            t.in[0], t.out);
  t.emitter = family<qint::AvgPoolOp>();
  return t;
}

Timed mean(int64_t channels, int64_t size) {
  Timed t;
  t.in = {channelsLast({1, channels, size, size})};
  t.out = channelsLast({1, channels, 1, 1});
  t.name = "mean " + std::to_string(size) + "x" + std::to_string(size) + "x" +
           std::to_string(channels);
  t.body = unary(std::string("qint.reduce_mean %x axes [2, 3] "
                             "{input_zero_point = 5 : i32, requant = ") +
                     requant + "}",
                 t.in[0], t.out);
  t.emitter = family<qint::ReduceMeanOp>();
  return t;
}

Timed softmax(int64_t rows, int64_t length) {
  Timed t;
  t.in = {boundary({rows, length})};
  t.in[0].storageBias = 128;
  t.out = t.in[0];
  t.name = "softmax " + std::to_string(rows) + "x" + std::to_string(length);
  std::string entries;
  double value = 8388608;
  for (int i = 0; i < 256; ++i, value *= 0.97)
    entries += (i ? ", " : "") + std::to_string(std::lround(value));
  t.body = unary("qint.softmax %x axis 1 {exp_table = array<i32: " + entries +
                     ">, levels = 256 : i32, zero_point = -128 : i32}",
                 t.in[0], t.out);
  t.emitter = family<qint::SoftmaxOp>();
  return t;
}

Timed layout(int64_t channels, int64_t size, bool isEntry) {
  Timed t;
  View outer = boundary({1, channels, size, size});
  View inner = channelsLast({1, channels, size, size}, isEntry ? 1 : 0);
  t.in = {isEntry ? outer : inner};
  t.out = isEntry ? inner : outer;
  t.name = std::string(isEntry ? "entry " : "exit ") + std::to_string(size) +
           "x" + std::to_string(size) + "x" + std::to_string(channels);
  t.body = unary("qint.transpose %x [0, 1, 2, 3]", t.in[0], t.out);
  t.emitter = [](KernelContext &context, Operation *op, ArrayRef<View> in,
                 ArrayRef<View> out) {
    emitCopy(context, op->getLoc(), in[0], out[0]);
    return success();
  };
  return t;
}

std::vector<Timed> allKernels() {
  return {depthwise(576, 14, 3, 1),
          depthwise(192, 28, 3, 1),
          depthwise(144, 56, 3, 1),
          depthwise(32, 112, 3, 1),
          depthwise(960, 7, 3, 1),
          depthwise(144, 56, 3, 2),
          depthwise(576, 14, 3, 2),
          depthwise(240, 14, 5, 1),
          depthwise(120, 28, 5, 2),
          depthwise(192, 28, 3, 1, ElementKind::I16),
          depthwise(144, 56, 3, 2, ElementKind::I16),
          add(64, 16),
          add(24, 56),
          mul(64, 16),
          gate(64, 28),
          gate(144, 56),
          gate(32, 112),
          table(64, 16),
          pool("max_pool", 64, 112, 3, 2, 1),
          pool("max_pool", 64, 28, 2, 2, 0),
          pool("avg_pool", 64, 28, 2, 2, 0),
          mean(1280, 7),
          softmax(64, 128),
          softmax(1, 1000),
          layout(3, 224, true),
          layout(64, 28, true),
          layout(64, 28, false)};
}

struct Program {
  OwningOpRef<ModuleOp> source, module;
  std::vector<uint8_t> constants;
  std::vector<std::string> exports;
};

int64_t bufferBytes(const View &view) {
  return view.begin() + view.spanBytes() + overReadSlack;
}

bool buildProgram(MLIRContext &context, ArrayRef<Timed> kernels, const Isa &isa,
                  Program &program) {
  std::string text;
  for (auto [i, t] : llvm::enumerate(kernels))
    text += "func.func @f" + std::to_string(i) + t.body + "\n";
  program.source = parseSourceString<ModuleOp>(text, &context);
  if (!program.source)
    return false;
  OpBuilder b(&context);
  Location loc = b.getUnknownLoc();
  program.module = ModuleOp::create(loc);
  KernelContext emitter(b, *program.module, "bench", isa);
  auto bytes = [&](int64_t size) -> Type {
    return MemRefType::get({size}, b.getIntegerType(8));
  };
  for (auto [i, t] : llvm::enumerate(kernels)) {
    b.setInsertionPointToEnd(program.module->getBody());
    std::vector<View> views = t.in;
    views.push_back(t.out);
    SmallVector<Type> types;
    for (auto [index, view] : llvm::enumerate(views)) {
      view.buffer = index;
      types.push_back(bytes(bufferBytes(view)));
    }
    types.push_back(bytes(blobBytes));
    std::string name = "k" + std::to_string(i);
    auto func =
        func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
    Block *entry = func.addEntryBlock();
    b.setInsertionPointToStart(entry);
    emitter.buffers.clear();
    for (size_t index = 0; index < views.size(); ++index)
      emitter.buffers.push_back({entry->getArgument(index), 0, true});
    emitter.constantMemory = entry->getArguments().back();
    auto source =
        program.source->lookupSymbol<func::FuncOp>("f" + std::to_string(i));
    Operation *op =
        source.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
    SmallVector<View> in(op->getNumOperands());
    std::copy(views.begin(), views.end() - 1, in.begin());
    if (failed(t.emitter(emitter, op, in, {views.back()})))
      return false;
    func::ReturnOp::create(b, loc);
    program.exports.push_back(name);
  }
  emitPeak(b, *program.module, isa);
  program.exports.push_back("peak");
  program.constants = emitter.constants.bytes();
  return succeeded(lowerToLLVM(*program.module, isa));
}

/// A kernel of the compiled program and memory to run on.
struct Runner {
  using Function = void (*)(uint8_t *, uint8_t *, uint8_t *, uint8_t *);
  Function function = nullptr;
  void (*peak)(uint8_t *) = nullptr;
  double peakMacs = 0, macs = 0, outputs = 0;
  std::vector<std::vector<uint8_t>> storage;
  std::vector<uint8_t *> pointers;

  /// One repetition; the peak is measured in front of each, so that both see
  /// the same machine.
  void operator()(::benchmark::State &state) {
    std::vector<uint8_t> sink(peakBytes, 1);
    // The first calls wake the wide units.
    double peakTime = INFINITY;
    for (int call = 0; call < 8; ++call)
      peakTime = std::min(peakTime, nanoseconds([&] { peak(sink.data()); }));
    for ([[maybe_unused]] auto iteration : state)
      function(pointers[0], pointers[1], pointers[2], pointers[3]);
    state.counters["outputs"] = outputs;
    state.counters["macs"] = macs;
    state.counters["peak_ns_per_mac"] = peakTime / peakMacs;
  }
};

Runner makeRunner(const Timed &t, void *function, uint8_t *constants,
                  void *peak, const Isa &isa) {
  Runner runner;
  runner.function = reinterpret_cast<Runner::Function>(function);
  runner.peak = reinterpret_cast<void (*)(uint8_t *)>(peak);
  runner.peakMacs = peakMacs(isa);
  runner.macs = t.macs;
  runner.outputs = t.out.numElements();
  std::mt19937 random(1);
  std::vector<View> views = t.in;
  views.push_back(t.out);
  for (const View &view : views) {
    std::vector<uint8_t> &bytes =
        runner.storage.emplace_back(bufferBytes(view) + 64);
    for (uint8_t &byte : bytes)
      byte = random();
    runner.pointers.push_back(
        bytes.data() + (64 - reinterpret_cast<uintptr_t>(bytes.data()) % 64));
  }
  runner.pointers.resize(4, constants);
  return runner;
}

/// Short repetitions, of which the tenth percentile counts; flags of the
/// command line come behind these.
std::vector<char *> withDefaults(std::vector<std::string> &flags, int argc,
                                 char **argv) {
  flags = {"--benchmark_repetitions=60", "--benchmark_min_time=0.001",
           "--benchmark_enable_random_interleaving=true",
           "--benchmark_report_aggregates_only=true"};
  std::vector<char *> all = {argv[0]};
  for (std::string &flag : flags)
    all.push_back(flag.data());
  all.insert(all.end(), argv + 1, argv + argc);
  return all;
}

int fail(llvm::Error error) {
  llvm::errs() << toString(std::move(error)) << '\n';
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  Isa isa;
  isa.kind = IsaKind::AVX512VNNI;
  isa.hasVbmi = true;
  bool printAssembly = false;
  std::vector<std::string> defaults;
  std::vector<char *> flags = withDefaults(defaults, argc, argv);
  int count = flags.size();
  ::benchmark::Initialize(&count, flags.data());
  for (int i = 1; i < count; ++i) {
    StringRef arg = flags[i];
    if (arg.consume_front("--isa=")) {
      isa.kind = parseIsa(arg).value_or(IsaKind::Scalar);
      isa.hasVbmi &= isa.kind == IsaKind::AVX512VNNI;
    } else if (arg == "--novbmi") {
      isa.hasVbmi = false;
    } else if (arg == "--asm") {
      printAssembly = true;
    } else {
      llvm::errs() << "unknown flag " << arg << "\n";
      return 1;
    }
  }
  const std::vector<Timed> kernels = allKernels();

  DialectRegistry registry;
  registerCodegenDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  Program program;
  if (!buildProgram(context, kernels, isa, program))
    return 1;
  if (printAssembly) {
    auto target = target::resolveTarget(targetOf(isa));
    if (!target)
      return fail(target.takeError());
    auto machine = target::createTargetMachine(*target);
    llvm::LLVMContext llvmContext;
    auto ir = target::lowerToOptimizedIR(*program.module, llvmContext, *machine,
                                         program.exports);
    if (!ir)
      return fail(ir.takeError());
    auto assembly = target::emitAssembly(**ir, *machine);
    if (!assembly)
      return fail(assembly.takeError());
    llvm::outs() << *assembly;
    return 0;
  }
  auto jit =
      target::Jit::create(*program.module, program.exports, {targetOf(isa)});
  if (!jit)
    return fail(jit.takeError());
  std::vector<uint8_t> blob(program.constants.size() + 192);
  auto address = reinterpret_cast<uintptr_t>(blob.data());
  uint8_t *constants = blob.data() + (64 - address % 64);
  std::copy(program.constants.begin(), program.constants.end(), constants);
  auto peak = (*jit)->lookup("peak");
  if (!peak)
    return fail(peak.takeError());
  for (auto [i, t] : llvm::enumerate(kernels)) {
    auto kernel = (*jit)->lookup(program.exports[i]);
    if (!kernel)
      return fail(kernel.takeError());
    ::benchmark::RegisterBenchmark(
        t.name.c_str(), makeRunner(t, *kernel, constants, *peak, isa))
        ->ComputeStatistics("p10", [](const std::vector<double> &values) {
          return percentile(values, 0.1);
        });
  }
  ::benchmark::RunSpecifiedBenchmarks();
  return 0;
}
