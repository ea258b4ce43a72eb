// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The integer product kernel on ten shapes, requantization included, as a share
// of the int8 peak: the rate of a loop of 24 independent dots, measured in the
// same process between the shapes. Prints one JSON line a shape.
//
//   gemm-peak [--isa=NAME] [--asm] [--rounds=N] [--weight-bits=N]
//             [--weight-group=N] [SHAPE ...]
//
// On AVX2, whose dot product is several instructions, the peak is that of bytes
// widened beforehand. A product of one row is also measured against reading as
// many bytes as its panels have. Weights of 4 and 2 bits lie packed, with
// --weight-group=N as multiples that N weights in a row share.
//
// A shape is MxNxK, or conv:SIZExCxNxKERNELxSTRIDE: a square convolution from C
// to N channels with SIZE output rows and columns.

#include "KernelLab.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/Codegen/Kernels/TileGemm.h"
#include "qopt/IR/Qint.h"
#include "qopt/Target/Emit.h"
#include "qopt/Target/Jit.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::codegen;
using namespace mlir::qopt::bench;

namespace {

struct Shape {
  int64_t m = 1, n = 1, k = 1;
  /// For convolutions; `m` and `k` follow.
  int64_t size = 0, channels = 0, kernel = 1, stride = 1;

  bool isConv() const { return size != 0; }
  int64_t inputSize() const { return (size - 1) * stride + kernel; }
  int64_t inputBytes() const {
    return isConv() ? inputSize() * inputSize() * channels : m * k;
  }
};

const Shape defaultShapes[] = {
    {196, 256, 1024}, {196, 1024, 256}, {784, 128, 512},  {784, 512, 128},
    {3136, 64, 256},  {3136, 64, 576},  {784, 128, 1152}, {196, 256, 2304},
    {49, 512, 4608},  {128, 768, 768}};

constexpr int64_t exactPeakRounds = 4000;

/// What the weights are.
struct WeightKind {
  int64_t bits = 8;
  int64_t group = 0;
};

/// A product of random weights with multipliers as calibration gives them.
TileGemm makeGemm(const Shape &shape, const WeightKind &kind,
                  std::mt19937 &random) {
  TileGemm gemm;
  gemm.outUnsigned = true;
  gemm.rows = {{shape.m, shape.k, shape.n}};
  gemm.runElements = shape.k;
  if (shape.isConv()) {
    int64_t row = shape.inputSize() * shape.channels;
    gemm.rows = {{shape.size, shape.stride * row, shape.size * shape.n},
                 {shape.size, shape.stride * shape.channels, shape.n}};
    gemm.segments = {{shape.kernel, row}};
    gemm.runElements = shape.kernel * shape.channels;
  }
  gemm.channels = shape.n;
  std::vector<int32_t> multiplier, shift = {38};
  for (int64_t c = 0; c < shape.n; ++c) {
    multiplier.push_back((1 << 25) + random() % (1 << 26));
    gemm.bias.push_back(int32_t(random() % 4096) - 2048);
  }
  gemm.requant.zeroPoint = 0;
  gemm.requant.clampMin = 0;
  gemm.requant.clampMax = 255;
  chooseTileForm(gemm.requant, multiplier, shift, shape.n, ElementKind::I8);
  auto weights = std::make_shared<std::vector<int8_t>>(shape.n * shape.k);
  int64_t k = shape.k, high = (1 << (kind.bits - 1)) - 1;
  int64_t multiple = 1;
  for (auto [i, weight] : llvm::enumerate(*weights)) {
    if (kind.group && i % k % kind.group == 0)
      multiple = 1 + random() % 15;
    weight = int8_t(multiple * (int64_t(random() % (2 * high + 1)) - high));
  }
  gemm.weight = [weights, k](int64_t channel, int64_t position) {
    return (*weights)[channel * k + position];
  };
  gemm.packing = findPacking(gemm);
  return gemm;
}

View bytesView(int64_t buffer, int64_t bytes) {
  View view;
  view.buffer = buffer;
  view.shape = {bytes};
  view.strides = {1};
  view.storageBias = 128;
  return view;
}

struct Program {
  OwningOpRef<ModuleOp> module;
  std::vector<uint8_t> constants;
  std::vector<std::string> exports;
  /// Of each product's panels.
  std::vector<int64_t> panelBytes;
};

Program buildProgram(MLIRContext &context, ArrayRef<Shape> shapes,
                     const WeightKind &kind, const Isa &isa) {
  Program program;
  OpBuilder b(&context);
  Location loc = b.getUnknownLoc();
  program.module = ModuleOp::create(loc);
  KernelContext kernels(b, *program.module, "gemm", isa);
  std::mt19937 random(7);
  auto bytes = [&](int64_t size) {
    return MemRefType::get({size}, b.getIntegerType(8));
  };
  for (auto [i, shape] : llvm::enumerate(shapes)) {
    std::string name = "gemm" + std::to_string(i);
    b.setInsertionPointToEnd(program.module->getBody());
    View in = bytesView(0, shape.inputBytes());
    View out = bytesView(1, shape.m * shape.n);
    Type types[] = {bytes(in.spanBytes()), bytes(out.spanBytes()),
                    bytes(int64_t(1) << 40)};
    auto func =
        func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
    Block *entry = func.addEntryBlock();
    b.setInsertionPointToStart(entry);
    kernels.buffers = {{entry->getArgument(0), 0, false},
                       {entry->getArgument(1), 0, false}};
    kernels.constantMemory = entry->getArgument(2);
    int64_t before = kernels.constants.bytes().size();
    emitTileGemm(kernels, loc, makeGemm(shape, kind, random), in, out);
    program.panelBytes.push_back(kernels.constants.bytes().size() - before);
    func::ReturnOp::create(b, loc);
    program.exports.push_back(name);
  }
  emitPeak(b, *program.module, isa);
  program.exports.push_back("peak");
  program.constants = kernels.constants.bytes();
  program.constants.resize(program.constants.size() + overReadSlack);
  return program;
}

/// `vpdpbusd` between the label of `peak` and its end.
int64_t countPeakDots(StringRef assembly) {
  StringRef body = assembly.split("\npeak:\n").second;
  body = body.split(".size\tpeak").first;
  return body.count("vpdpbusd\t");
}

uint8_t *aligned(std::vector<uint8_t> &bytes) {
  auto address = reinterpret_cast<uintptr_t>(bytes.data());
  return bytes.data() + (64 - address % 64) % 64;
}

/// Times of one shape and of the peak loop, taken in turn.
struct Times {
  std::vector<double> kernel, peak;
};

Times measure(llvm::function_ref<void()> kernel,
              llvm::function_ref<void()> peak, int64_t rounds,
              int64_t repeats) {
  Times times;
  for (int64_t round = 0; round < rounds; ++round) {
    times.peak.push_back(nanoseconds(peak));
    kernel();
    times.kernel.push_back(nanoseconds([&] {
                             for (int64_t i = 0; i < repeats; ++i)
                               kernel();
                           }) /
                           repeats);
  }
  return times;
}

int fail(llvm::Error error) {
  llvm::errs() << toString(std::move(error)) << '\n';
  return 1;
}

struct Options {
  Isa isa;
  WeightKind weights;
  bool printAssembly = false;
  int64_t rounds = 200;
  std::vector<Shape> shapes;
};

bool parseShape(StringRef text, Shape &shape) {
  bool isConv = text.consume_front("conv:");
  SmallVector<StringRef> parts;
  text.split(parts, 'x');
  SmallVector<int64_t> values(parts.size());
  for (auto [part, value] : llvm::zip_equal(parts, values))
    if (part.getAsInteger(10, value) || value < 1)
      return false;
  if (values.size() != (isConv ? 5u : 3u))
    return false;
  if (!isConv) {
    shape.m = values[0];
    shape.n = values[1];
    shape.k = values[2];
    return true;
  }
  shape.size = values[0];
  shape.channels = values[1];
  shape.n = values[2];
  shape.kernel = values[3];
  shape.stride = values[4];
  shape.m = shape.size * shape.size;
  shape.k = shape.kernel * shape.kernel * shape.channels;
  return true;
}

bool parseOptions(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    StringRef arg = argv[i];
    if (arg == "--asm") {
      options.printAssembly = true;
    } else if (arg.consume_front("--isa=")) {
      auto kind = parseIsa(arg);
      if (!kind)
        return false;
      options.isa.kind = *kind;
    } else if (arg.consume_front("--weight-bits=")) {
      int64_t &bits = options.weights.bits;
      if (arg.getAsInteger(10, bits) || (bits != 8 && bits != 4 && bits != 2))
        return false;
    } else if (arg.consume_front("--weight-group=")) {
      if (arg.getAsInteger(10, options.weights.group) ||
          options.weights.group < 0)
        return false;
    } else if (arg.consume_front("--rounds=")) {
      if (arg.getAsInteger(10, options.rounds))
        return false;
    } else {
      Shape shape;
      if (!parseShape(arg, shape))
        return false;
      options.shapes.push_back(shape);
    }
  }
  if (options.shapes.empty())
    options.shapes.assign(std::begin(defaultShapes), std::end(defaultShapes));
  return true;
}

/// The rate at which the weights are read, beside that of a loop that only
/// reads as many bytes.
void printBandwidth(int64_t panelBytes, double kernelTime) {
  int64_t bytes = panelBytes / 512 * 512;
  std::vector<uint8_t> storage(bytes + 64, 1);
  int64_t repeats = std::max<int64_t>(1, (10 << 20) / bytes);
  std::vector<double> times;
  for (int round = 0; round < 100; ++round)
    times.push_back(nanoseconds([&] {
                      for (int64_t i = 0; i < repeats; ++i)
                        readAll(aligned(storage), bytes);
                    }) /
                    repeats);
  double p10 = percentile(times, 0.1);
  llvm::outs() << llvm::format(
      ", \"read_gb_s\": %.1f, \"gb_s\": %.1f, \"share_of_read\": %.4f",
      bytes / p10, panelBytes / kernelTime,
      panelBytes / kernelTime / (bytes / p10));
}

int runShapes(const Options &options, const target::Jit &jit,
              ArrayRef<uint8_t> constants, ArrayRef<int64_t> panelBytes) {
  std::vector<uint8_t> blobStorage(constants.size() + 64);
  uint8_t *blob = aligned(blobStorage);
  std::copy(constants.begin(), constants.end(), blob);
  auto peakAddress = jit.lookup("peak");
  if (!peakAddress)
    return fail(peakAddress.takeError());
  auto peak = reinterpret_cast<void (*)(uint8_t *)>(*peakAddress);
  std::vector<uint8_t> sinkStorage(peakBytes + 64, 1);
  double macsOfPeak = peakMacs(options.isa);
  auto runPeak = [&] { peak(aligned(sinkStorage)); };
  auto runExactPeak = [&] { exactWordDots(exactPeakRounds); };
  bool isExact = options.isa.kind == IsaKind::AVX2;
  if (isExact)
    macsOfPeak = 12.0 * 16 * exactPeakRounds;
  auto calibrate = isExact ? llvm::function_ref<void()>(runExactPeak)
                           : llvm::function_ref<void()>(runPeak);

  for (auto [i, shape] : llvm::enumerate(options.shapes)) {
    auto address = jit.lookup("gemm" + std::to_string(i));
    if (!address)
      return fail(address.takeError());
    auto run =
        reinterpret_cast<void (*)(uint8_t *, uint8_t *, uint8_t *)>(*address);
    std::vector<uint8_t> inStorage(shape.inputBytes() + 128, 3);
    std::vector<uint8_t> outStorage(shape.m * shape.n + 128);
    double macs = double(shape.m) * shape.n * shape.k;
    Times times = measure(
        [&] { run(aligned(inStorage), aligned(outStorage), blob); }, calibrate,
        options.rounds, std::max<int64_t>(1, std::llround(2e7 / macs)));
    double p10 = percentile(times.kernel, 0.1);
    double peakP10 = percentile(times.peak, 0.1);
    double share = macs / p10 / (macsOfPeak / peakP10);
    double shareMin = macs / percentile(times.kernel, 0) /
                      (macsOfPeak / percentile(times.peak, 0));
    llvm::outs() << "{\"m\": " << shape.m << ", \"n\": " << shape.n
                 << ", \"k\": " << shape.k
                 << llvm::format(", \"p10_us\": %.2f, \"gmacs\": %.1f, "
                                 "\"peak_gmacs\": %.1f, \"share\": %.4f, "
                                 "\"share_min\": %.4f",
                                 p10 / 1000, macs / p10, macsOfPeak / peakP10,
                                 share, shareMin);
    if (shape.m == 1)
      printBandwidth(panelBytes[i], p10);
    llvm::outs() << "}\n";
    llvm::outs().flush();
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  options.isa.kind = IsaKind::AVX512VNNI;
  if (!parseOptions(argc, argv, options)) {
    llvm::errs() << "usage: gemm-peak [--isa=NAME] [--asm] [--rounds=N] "
                    "[--weight-bits=N] [--weight-group=N] [SHAPE ...]\n";
    return 1;
  }
  DialectRegistry registry;
  registerCodegenDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  Program program =
      buildProgram(context, options.shapes, options.weights, options.isa);
  if (failed(lowerToLLVM(*program.module, options.isa)))
    return 1;

  auto target = target::resolveTarget(targetOf(options.isa));
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
  if (options.printAssembly) {
    llvm::outs() << *assembly;
    return 0;
  }
  llvm::outs() << "{\"cpu\": \"" << target->cpu << "\", \"isa\": \""
               << stringifyIsa(options.isa.kind)
               << "\", \"vpdpbusd_in_peak_loop\": " << countPeakDots(*assembly)
               << "}\n";
  auto jit = target::Jit::create(*program.module, program.exports,
                                 {targetOf(options.isa)});
  if (!jit)
    return fail(jit.takeError());
  return runShapes(options, **jit, program.constants, program.panelBytes);
}
