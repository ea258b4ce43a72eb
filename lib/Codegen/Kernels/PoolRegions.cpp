// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Division of a pool's results by their taps.

#include "PoolRegions.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {
namespace {

/// Results `[begin, end)` along one axis use taps `[first, last)`.
struct Span {
  int64_t begin, end, first, last;
};

SmallVector<Span> spans(const View &in, const View &out,
                        const PoolWindow &window, int axis) {
  int64_t size = in.shape[axis + 2], dilation = window.dilations[axis];
  SmallVector<Span> result;
  for (int64_t i = 0; i < out.shape[axis + 2]; ++i) {
    int64_t start = i * window.strides[axis] - window.pads[axis];
    int64_t first = 0, last = window.kernel[axis];
    while (first < last && start + first * dilation < 0)
      ++first;
    while (last > first && start + (last - 1) * dilation >= size)
      --last;
    if (!result.empty() && result.back().first == first &&
        result.back().last == last)
      result.back().end = i + 1;
    else
      result.push_back({i, i + 1, first, last});
  }
  return result;
}

PoolRegion makeRegion(const View &in, const View &out, const PoolWindow &window,
                      const Span &rows, const Span &columns,
                      int64_t chunkSize) {
  SmallVector<int64_t> shape = {out.shape[0], out.shape[1],
                                rows.end - rows.begin,
                                columns.end - columns.begin};
  NestOperand to = NestOperand::of(out, out.shape, /*isWritten=*/true);
  to.strides.assign(out.strides.begin(), out.strides.end());
  to.origin += rows.begin * out.strides[2] + columns.begin * out.strides[3];
  NestOperand from = to;
  from.arg = KernelArg::read(in);
  from.kind = in.kind;
  from.storageBias = in.storageBias;
  from.strides = {in.strides[0], in.strides[1],
                  in.strides[2] * window.strides[0],
                  in.strides[3] * window.strides[1]};
  auto firstTap = [&](const Span &span, int axis) {
    return span.begin * window.strides[axis] - window.pads[axis] +
           span.first * window.dilations[axis];
  };
  from.origin = in.origin() + firstTap(rows, 0) * in.strides[2] +
                firstTap(columns, 1) * in.strides[3];
  LoopSpace taps;
  taps.sizes = {rows.last - rows.first, columns.last - columns.first};
  taps.strides = {{in.strides[2] * window.dilations[0],
                   in.strides[3] * window.dilations[1]}};
  return {ElementwiseNest(shape, {to, from}, chunkSize), taps,
          shape[2] * shape[3]};
}

} // namespace

std::string PoolWindow::key() const {
  std::string text;
  llvm::raw_string_ostream out(text);
  for (ArrayRef<int64_t> part : {kernel, strides, pads, dilations}) {
    llvm::interleave(part, out, ",");
    out << ';';
  }
  return text;
}

std::vector<PoolRegion> poolRegions(const View &in, const View &out,
                                    const PoolWindow &window,
                                    int64_t chunkSize) {
  std::vector<PoolRegion> regions;
  for (const Span &rows : spans(in, out, window, 0))
    for (const Span &columns : spans(in, out, window, 1))
      regions.push_back(makeRegion(in, out, window, rows, columns, chunkSize));
  auto fewer = [](const PoolRegion &a, const PoolRegion &b) {
    return a.numResults < b.numResults;
  };
  std::max_element(regions.begin(), regions.end(), fewer)->maxUnrolled =
      maxUnrolledFold;
  return regions;
}

} // namespace mlir::qopt::codegen
