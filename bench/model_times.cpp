// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a model's time goes: each kernel call of a compiled model, timed inside
// one run by the cycle counter.
//
//   model-times net.qint.mlir [--sort] [--runs N] [--threads N]
//
// With threads: each region of the plan for so many, on one thread and shared.
//
// The file is that of `qopt --emit=mlir:qint`. Prints the fastest of N runs for
// each call in the order of execution (or by time), its operator, the shape of
// its result, its multiply-accumulates and their rate; then sums by kernel
// family. Inputs are random bytes.

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Codegen/Codegen.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Runtime/qopt_pool.h"
#include "qopt/Support/Error.h"
#include "qopt/Target/Jit.h"
#include "qopt/Target/Target.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <chrono>
#include <map>
#include <random>

using namespace mlir;
using namespace mlir::qopt;

namespace {

struct Call {
  std::string kernel;
  Operation *op = nullptr;
  double nanoseconds = 0;
};

/// Adds an argument of counters to `function` and stores the cycle counter
/// before the first call and behind each.
std::vector<Call> instrument(func::FuncOp function,
                             const std::map<std::string, Operation *> &ops) {
  SmallVector<func::CallOp> calls(function.getOps<func::CallOp>());
  OpBuilder builder(function.getContext());
  auto type =
      MemRefType::get({int64_t(calls.size()) + 1}, builder.getI64Type());
  unsigned last = function.getNumArguments();
  (void)function.insertArgument(last, type, {}, function.getLoc());
  Value ticks = function.getArgument(last);
  auto store = [&](int64_t index) {
    Location loc = function.getLoc();
    Value now =
        LLVM::CallIntrinsicOp::create(
            builder, loc, builder.getI64Type(),
            builder.getStringAttr("llvm.readcyclecounter"), ValueRange())
            .getResult(0);
    Value at = arith::ConstantIndexOp::create(builder, loc, index);
    memref::StoreOp::create(builder, loc, now, ticks, at);
  };
  std::vector<Call> result;
  for (auto [index, call] : llvm::enumerate(calls)) {
    if (index == 0) {
      builder.setInsertionPoint(call);
      store(0);
    }
    builder.setInsertionPointAfter(call);
    store(index + 1);
    std::string key;
    llvm::raw_string_ostream(key) << call.getLoc();
    auto op = ops.find(key);
    result.push_back(
        {call.getCallee().str(), op == ops.end() ? nullptr : op->second});
  }
  return result;
}

/// Memory for one boundary tensor or the arena.
uint8_t *allocate(uint64_t bytes, std::mt19937 &random) {
  auto *data = static_cast<uint8_t *>(
      std::aligned_alloc(64, (bytes + 64) / 64 * 64 + 64));
  for (uint64_t i = 0; i < bytes; ++i)
    data[i] = static_cast<uint8_t>(random());
  return data;
}

/// Calls a function of any number of pointers, up to sixteen.
void callWith(void *function, const std::vector<void *> &p) {
  using Fn =
      void (*)(void *, void *, void *, void *, void *, void *, void *, void *,
               void *, void *, void *, void *, void *, void *, void *, void *);
  std::vector<void *> q(p);
  q.resize(16);
  reinterpret_cast<Fn>(function)(q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7],
                                 q[8], q[9], q[10], q[11], q[12], q[13], q[14],
                                 q[15]);
}

/// Nanoseconds a tick of the cycle counter.
double tickLength() {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  uint64_t ticks = __builtin_readcyclecounter();
  while (Clock::now() - begin < std::chrono::milliseconds(50))
    ;
  ticks = __builtin_readcyclecounter() - ticks;
  return std::chrono::duration<double, std::nano>(Clock::now() - begin)
             .count() /
         static_cast<double>(ticks);
}

std::string shapeOf(Operation *op) {
  std::string text;
  if (!op)
    return "-";
  for (int64_t size : cast<ShapedType>(op->getResult(0).getType()).getShape())
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

uint64_t macsOf(Operation *op) { return op ? codegen::macsOf(op) : 0; }

/// `tile` of `net_k12_tile`.
std::string familyOf(StringRef kernel) {
  return kernel.substr(kernel.find('_', kernel.find("_k") + 1) + 1).str();
}

void print(std::vector<Call> calls, bool sorted) {
  double total = 0;
  std::map<std::string, std::pair<double, uint64_t>> families;
  for (const Call &call : calls) {
    total += call.nanoseconds;
    auto &[time, macs] = families[familyOf(call.kernel)];
    time += call.nanoseconds;
    macs += macsOf(call.op);
  }
  if (sorted)
    std::sort(calls.begin(), calls.end(), [](const Call &a, const Call &b) {
      return a.nanoseconds > b.nanoseconds;
    });
  for (const Call &call : calls) {
    double macs = macsOf(call.op);
    llvm::outs() << llvm::format("%9.2f us %5.1f %% %8.1f GMAC/s  ",
                                 call.nanoseconds / 1e3,
                                 100 * call.nanoseconds / total,
                                 macs / call.nanoseconds)
                 << call.kernel << "  "
                 << (call.op ? call.op->getName().getStringRef() : "-") << " "
                 << shapeOf(call.op) << "\n";
  }
  for (const auto &[family, sums] : families)
    llvm::outs() << llvm::format("%9.2f us %5.1f %% %8.1f GMAC/s  ",
                                 sums.first / 1e3, 100 * sums.first / total,
                                 sums.second / sums.first)
                 << "all " << family << "\n";
  llvm::outs() << llvm::format("%9.2f us in all\n", total / 1e3);
}

/// A region of the plan, what it calls, and its fastest times.
struct SharedRegion {
  std::string text;
  void *function = nullptr;
  uint32_t parts = 1;
  double alone = 1e18, shared = 1e18;
};

/// What tasks of a region need.
struct RegionCall {
  void *function;
  const std::vector<void *> &pointers;

  static void run(void *argument, uint32_t part) {
    const auto &call = *static_cast<RegionCall *>(argument);
    std::vector<void *> all(call.pointers);
    all.push_back(reinterpret_cast<void *>(uintptr_t(part)));
    callWith(call.function, all);
  }
};

/// Kernels and results of the calls in `function`, each once.
std::string textOf(func::FuncOp function,
                   const std::map<std::string, Operation *> &ops) {
  std::string text, previous;
  function.walk([&](func::CallOp call) {
    std::string key;
    llvm::raw_string_ostream(key) << call.getLoc();
    auto op = ops.find(key);
    std::string item = "  " + familyOf(call.getCallee()) + " " +
                       shapeOf(op == ops.end() ? nullptr : op->second);
    if (item != previous)
      text += item;
    previous = item;
  });
  return text;
}

/// Runs all regions on the caller's thread, then as often with `pool`: in turns
/// its threads would fall asleep.
void timeRegions(std::vector<SharedRegion> &regions, qopt_pool *pool,
                 const std::vector<void *> &pointers, double tick) {
  for (int run = 0; run < 40; ++run)
    for (SharedRegion &region : regions) {
      const bool isShared = run >= 20;
      RegionCall call{region.function, pointers};
      uint64_t begin = __builtin_readcyclecounter();
      if (isShared)
        qopt_pool_parallel_for(pool, region.parts, RegionCall::run, &call);
      else
        for (uint32_t part = 0; part < region.parts; ++part)
          RegionCall::run(&call, part);
      double time =
          tick * static_cast<double>(__builtin_readcyclecounter() - begin);
      double &best = isShared ? region.shared : region.alone;
      best = std::min(best, time);
    }
}

void printRegions(std::vector<SharedRegion> regions, bool sorted) {
  if (sorted)
    std::sort(regions.begin(), regions.end(),
              [](const SharedRegion &a, const SharedRegion &b) {
                return a.shared > b.shared;
              });
  double alone = 0, shared = 0, serial = 0;
  for (const SharedRegion &region : regions) {
    alone += region.alone;
    shared += region.shared;
    serial += region.parts == 1 ? region.shared : 0;
    llvm::outs() << llvm::format("%9.2f us %9.2f us %5.2f  %2u parts",
                                 region.alone / 1e3, region.shared / 1e3,
                                 region.alone / region.shared, region.parts)
                 << region.text << "\n";
  }
  llvm::outs() << llvm::format(
      "%9.2f us %9.2f us %5.2f  in all, %.2f us of it on one thread\n",
      alone / 1e3, shared / 1e3, alone / shared, serial / 1e3);
}

int fail(llvm::Error error) {
  return static_cast<int>(reportError(std::move(error), llvm::errs()));
}

} // namespace

/// The boundary's buffers and the arena, filled with random bytes.
std::vector<void *> makeBuffers(const codegen::Compiled &compiled) {
  std::mt19937 random(1);
  std::vector<void *> pointers;
  for (const auto *list : {&compiled.inputs, &compiled.outputs})
    for (const codegen::Boundary &boundary : *list)
      pointers.push_back(allocate(boundary.bytes, random));
  pointers.push_back(allocate(compiled.arenaBytes, random));
  return pointers;
}

int timeCalls(codegen::Compiled &compiled, const codegen::Isa &isa,
              const std::map<std::string, Operation *> &ops, int runs,
              bool sorted) {
  auto compute = compiled.module->lookupSymbol<func::FuncOp>("net_compute");
  std::vector<Call> calls = instrument(compute, ops);
  if (failed(codegen::lowerToLLVM(*compiled.module, isa)))
    return 1;
  auto jit = target::Jit::create(*compiled.module, {"net_compute"});
  if (!jit)
    return fail(jit.takeError());
  auto function = (*jit)->lookup("net_compute");
  if (!function)
    return fail(function.takeError());
  std::vector<void *> pointers = makeBuffers(compiled);
  std::vector<uint64_t> ticks(calls.size() + 1);
  pointers.push_back(ticks.data());
  const double tick = tickLength();
  for (int run = 0; run < runs + 3; ++run) {
    callWith(*function, pointers);
    for (auto [i, call] : llvm::enumerate(calls)) {
      double time = tick * static_cast<double>(ticks[i + 1] - ticks[i]);
      if (run < 3)
        call.nanoseconds = 1e18;
      call.nanoseconds = std::min(call.nanoseconds, time);
    }
  }
  print(std::move(calls), sorted);
  return 0;
}

int timeShared(codegen::Compiled &compiled, const codegen::Isa &isa,
               const std::map<std::string, Operation *> &ops, uint32_t threads,
               int runs, bool sorted) {
  std::vector<SharedRegion> regions;
  std::vector<std::string> names;
  for (const codegen::Region &region : compiled.regions) {
    auto function =
        compiled.module->lookupSymbol<func::FuncOp>(region.function);
    regions.push_back(
        {textOf(function, ops), nullptr, static_cast<uint32_t>(region.parts)});
    names.push_back(region.function);
  }
  if (failed(codegen::lowerToLLVM(*compiled.module, isa)))
    return 1;
  auto jit = target::Jit::create(*compiled.module, names);
  if (!jit)
    return fail(jit.takeError());
  for (auto [region, name] : llvm::zip_equal(regions, names)) {
    auto function = (*jit)->lookup(name);
    if (!function)
      return fail(function.takeError());
    region.function = *function;
  }
  std::vector<void *> pointers = makeBuffers(compiled);
  const double tick = tickLength();
  qopt_pool *pool = qopt_pool_create(threads);
  for (int run = 0; run < runs; run += 20)
    timeRegions(regions, pool, pointers, tick);
  qopt_pool_destroy(pool);
  printRegions(std::move(regions), sorted);
  return 0;
}

int main(int argc, char **argv) {
  bool sorted = false;
  int runs = 50, threads = 1;
  std::string path;
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (argument == "--sort")
      sorted = true;
    else if (argument == "--runs" && i + 1 < argc)
      runs = std::max(1, std::atoi(argv[++i]));
    else if (argument == "--threads" && i + 1 < argc)
      threads = std::max(1, std::atoi(argv[++i]));
    else
      path = argument.str();
  }
  MLIRContext context;
  context.loadDialect<QoptDialect, qint::QintDialect, func::FuncDialect,
                      quant::QuantDialect>();
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(path, &context);
  if (!module)
    return 2;
  func::FuncOp source = *module->getOps<func::FuncOp>().begin();
  std::map<std::string, Operation *> ops;
  for (Operation &op : source.getBody().front()) {
    std::string key;
    llvm::raw_string_ostream(key) << op.getLoc();
    ops[key] = &op;
  }

  auto target = target::resolveTarget({});
  if (!target)
    return fail(target.takeError());
  codegen::CodegenOptions options;
  options.name = "net";
  options.threads = threads;
  options.isa.kind = static_cast<codegen::IsaKind>(target->cpuFeatures.isa);
  options.isa.hasVbmi = target->cpuFeatures.hasVBMI;
  auto compiled = codegen::lower(source, options);
  if (!compiled)
    return fail(compiled.takeError());
  if (compiled->inputs.size() + compiled->outputs.size() > 14) {
    llvm::errs() << "more than 14 inputs and outputs\n";
    return 1;
  }
  return threads > 1
             ? timeShared(*compiled, options.isa, ops, threads, runs, sorted)
             : timeCalls(*compiled, options.isa, ops, runs, sorted);
}
