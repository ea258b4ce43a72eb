// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float calibration's share of the f32 FMA peak, with observers and without.
//
//   calibration-peak model.onnx [--runs N]
//
// The peak is a loop of independent 512-bit FMAs in the same process,
// interleaved with the runs. Prints one JSON line; times are minima.

#include "qopt/Calibration/Calibrate.h"
#include "qopt/Calibration/Engine.h"
#include "qopt/Pipelines/Levels.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <cstdlib>
#include <immintrin.h>

using namespace mlir;
using namespace mlir::qopt;

static double seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// FMAs a second, each of 16 multiply-accumulates: 24 chains hide the latency.
__attribute__((target("avx512f"), noinline)) static double measurePeak() {
  const int rounds = 200000;
  __m512 chains[24];
  __m512 factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.001f);
  // Equal chains would be computed once.
  for (int j = 0; j < 24; ++j)
    chains[j] = _mm512_set1_ps(1.0f + j);
  double begin = seconds();
  for (int i = 0; i < rounds; ++i) {
#pragma clang loop unroll(full)
    for (int j = 0; j < 24; ++j)
      chains[j] = _mm512_fmadd_ps(chains[j], factor, term);
    __asm__ volatile("" : : : "memory");
  }
  double elapsed = seconds() - begin;
  float sink = 0;
  for (__m512 &chain : chains)
    sink += _mm512_reduce_add_ps(chain);
  if (sink == 12345.0f)
    llvm::outs() << "";
  return 16.0 * 24 * rounds / elapsed;
}

static int check(llvm::Error error) {
  return error ? static_cast<int>(reportError(std::move(error), llvm::errs()))
               : 0;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    llvm::errs() << "usage: calibration-peak model.onnx [--runs N]\n";
    return 1;
  }
  int runs = argc > 3 ? std::atoi(argv[3]) : 300;
  pipelines::CompileOptions options;
  options.model = argv[1];
  pipelines::Levels levels(options);
  if (int code = check(levels.import()))
    return code;
  if (int code = check(levels.observe()))
    return code;
  func::FuncOp observed = levels.getFunction("observed");
  auto bare = calibration::Engine::create(levels.getFunction("float"));
  if (!bare)
    return check(bare.takeError());
  auto specs = calibration::getInputSpecs(observed);
  auto data = calibration::DataSet::open(
      "random:normal:0:1,n=" + std::to_string(runs), specs);
  if (!data)
    return check(data.takeError());

  std::vector<std::vector<float>> inputs, outputs;
  std::vector<const void *> in;
  std::vector<void *> out;
  for (const calibration::InputSpec &spec : specs)
    inputs.emplace_back(*calibration::countElements(spec.shape), 0.5f);
  for (Type type : observed.getResultTypes())
    outputs.emplace_back(cast<RankedTensorType>(type).getNumElements());
  for (auto &values : inputs)
    in.push_back(values.data());
  for (auto &values : outputs)
    out.push_back(values.data());

  double peak = 0, bareBest = 1e9;
  for (int i = 0; i < runs; ++i) {
    double begin = seconds();
    (*bare)->run(in, out);
    bareBest = std::min(bareBest, seconds() - begin);
    if (i % 50 == 0)
      peak = std::max(peak, measurePeak());
  }
  // Whole calibration: reading, running, observing; the best of the intervals
  // between two samples, which workers side by side would end in bursts.
  observed.getContext()->disableMultithreading();
  double observedBest = 1e9, last = seconds();
  auto state = calibration::calibrate(
      observed, levels.getModelHash(), **data, [&](int64_t, int64_t) {
        double now = seconds();
        observedBest = std::min(observedBest, now - last);
        last = now;
        return true;
      });
  if (!state)
    return check(state.takeError());
  peak = std::max(peak, measurePeak());
  double macs = static_cast<double>((*bare)->macs());
  llvm::outs() << llvm::format(
      "{\"macs\": %.0f, \"peak_gmacs\": %.1f, \"bare_us\": %.1f, "
      "\"observed_us\": %.1f, \"bare_share\": %.3f, \"observed_share\": "
      "%.3f}\n",
      macs, peak / 1e9, bareBest * 1e6, observedBest * 1e6,
      macs / bareBest / peak, macs / observedBest / peak);
  return 0;
}
