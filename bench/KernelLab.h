// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kernel benchmarks measure kernels against: the rate of independent
// dot products and of reading memory, on this machine, in this process.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/Qint.h"
#include "qopt/Target/Target.h"
#include <algorithm>
#include <chrono>
#include <vector>
#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace mlir::qopt::bench {

constexpr int64_t peakDots = 24;
constexpr int64_t peakRounds = 2000;
/// Bytes that `@peak` reads and writes.
constexpr int64_t peakBytes = peakDots * 64;

/// Multiply-accumulates of one call of `@peak`.
inline double peakMacs(const codegen::Isa &isa) {
  return double(peakRounds) * peakDots * isa.bytes();
}

/// `@peak(%sink)`: `peakRounds` rounds of independent dots into registers.
inline void emitPeak(OpBuilder &b, ModuleOp module, const codegen::Isa &isa) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = b.getUnknownLoc();
  b.setInsertionPointToEnd(module.getBody());
  int64_t lanes = isa.lanes();
  // AVX2 and AVX-VNNI have 16 registers.
  int64_t dots = isa.registers() == 32 ? peakDots : 12;
  auto memory = MemRefType::get({peakBytes}, b.getIntegerType(8));
  auto func =
      func::FuncOp::create(b, loc, "peak", b.getFunctionType({memory}, {}));
  Block *entry = func.addEntryBlock();
  b.setInsertionPointToStart(entry);
  codegen::KernelBuilder kb(b, loc, isa);
  Value sink = entry->getArgument(0);
  Value u = kb.load(sink, kb.index(0), kb.vec(4 * lanes, kb.i8()));
  Value s = kb.load(sink, kb.index(64), kb.vec(4 * lanes, kb.i8()));
  SmallVector<Value> acc;
  for (int64_t i = 0; i < dots; ++i)
    acc.push_back(
        kb.load(sink, kb.index(i * 4 * lanes), kb.vec(lanes, kb.i32())));
  int64_t rounds = peakRounds * peakDots / dots;
  acc = kb.loop(0, rounds, 1, acc, [&](Value, ValueRange carried) {
    SmallVector<Value> next;
    for (Value value : carried)
      next.push_back(
          qint::Dot4Op::create(b, loc, value.getType(), value, u, s));
    return next;
  });
  for (int64_t i = 0; i < dots; ++i)
    kb.store(sink, kb.index(i * 4 * lanes), acc[i]);
  func::ReturnOp::create(b, loc);
}

/// A CPU that has an instruction set and no richer one; what LLVM tunes for is
/// its business.
inline target::TargetOptions targetOf(const codegen::Isa &isa) {
  target::TargetOptions options;
  options.cpu = isa.kind == codegen::IsaKind::AVX512VNNI ? "host"
                : isa.kind == codegen::IsaKind::AVXVNNI  ? "alderlake"
                : isa.kind == codegen::IsaKind::AVX2     ? "haswell"
                                                         : "x86-64";
  return options;
}

inline double nanoseconds(llvm::function_ref<void()> body) {
  auto start = std::chrono::steady_clock::now();
  body();
  auto stop = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::nano>(stop - start).count();
}

inline double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * (values.size() - 1))];
}

#ifdef __x86_64__
/// Reads `bytes` bytes (a multiple of 512) with 64-byte loads.
__attribute__((target("avx512f"), noinline)) inline void
readAll(const uint8_t *data, int64_t bytes) {
  __m512i sum[8] = {};
  for (int64_t at = 0; at < bytes; at += 512)
    for (int i = 0; i < 8; ++i)
      sum[i] = _mm512_or_si512(sum[i], _mm512_loadu_si512(data + at + 64 * i));
  for (__m512i &part : sum)
    asm volatile("" : : "v"(part));
}

/// Rounds of exact 8-bit dots on AVX2 as LLVM cannot simplify them: bytes
/// widened to words, `vpmaddwd`, `vpaddd`; 16 multiply-accumulates each.
__attribute__((target("avx2"), noinline)) inline void
exactWordDots(int64_t rounds) {
  __m256i acc[12] = {};
  __m256i a = _mm256_set1_epi16(3), w = _mm256_set1_epi16(5);
  for (int64_t round = 0; round < rounds; ++round)
    for (__m256i &sum : acc) {
      asm volatile("" : "+x"(a));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, w));
    }
  for (__m256i &part : acc)
    asm volatile("" : : "x"(part));
}
#endif

} // namespace mlir::qopt::bench
