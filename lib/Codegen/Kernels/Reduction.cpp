// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of reductions over axes.

#include "Reduction.h"

namespace mlir::qopt::codegen {

Reduction::Reduction(const View &in, const View &out, ArrayRef<int64_t> axes,
                     bool keepDims) {
  to.arg = KernelArg::write(out);
  to.kind = out.kind;
  to.storageBias = out.storageBias;
  to.origin = out.origin();
  from.arg = KernelArg::read(in);
  from.kind = in.kind;
  from.storageBias = in.storageBias;
  from.origin = in.origin();
  terms.strides.emplace_back();
  int64_t position = 0;
  for (int64_t axis = 0; axis < in.rank(); ++axis) {
    bool isReduced = llvm::is_contained(axes, axis);
    if (isReduced) {
      terms.sizes.push_back(in.shape[axis]);
      terms.strides[0].push_back(in.strides[axis]);
    } else {
      shape.push_back(in.shape[axis]);
      to.strides.push_back(out.strides[position]);
      from.strides.push_back(in.strides[axis]);
    }
    if (!isReduced || keepDims)
      ++position;
  }
  terms.normalize();
  LoopSpace results;
  results.sizes = shape;
  results.strides = {to.strides, from.strides};
  results.normalize();
  bool hasLanes = results.innerStride(1) == 1 && results.innerStride(0) == 1 &&
                  results.innerSize() > 1;
  alongTerms = !hasLanes && terms.innerStride(0) == 1;
}

std::string Reduction::key(ArrayRef<int64_t> axes) {
  std::string text;
  llvm::raw_string_ostream out(text);
  llvm::interleave(axes, out, ",");
  return text;
}

LoopSpace dropInner(LoopSpace rows) {
  rows.sizes.pop_back();
  rows.strides[0].pop_back();
  return rows;
}

SmallVector<Value>
sumAlong(KernelBuilder &k, const Reduction &r, Value memory, Value position,
         VectorType type, ValueRange init,
         llvm::function_ref<SmallVector<Value>(Value, ValueRange)> add) {
  int64_t width = byteWidth(r.from.kind), lanes = type.getNumElements();
  int64_t size = r.terms.innerSize(), whole = size - size % lanes;
  return fold(k, dropInner(r.terms), width, position, init,
              [&](Value row, ValueRange carried) {
                SmallVector<Value> sums = k.loop(
                    0, whole, lanes, carried, [&](Value iv, ValueRange values) {
                      Value at = k.add(row, k.mul(iv, width));
                      return add(k.load(memory, at, type), values);
                    });
                if (whole < size)
                  sums = add(k.loadTail(memory, k.add(row, whole * width), type,
                                        size - whole),
                             sums);
                return sums;
              });
}

} // namespace mlir::qopt::codegen
