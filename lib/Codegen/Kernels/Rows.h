// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that work on whole rows: the elements along one axis.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

/// The rows of an input and an output of one shape along `axis`.
class Rows {
public:
  Rows(const View &in, const View &out, int64_t axis)
      : in(in), out(out), axis(axis) {}

  int64_t length() const { return in.shape[axis]; }
  /// Both rows are contiguous.
  bool isContiguous() const {
    return length() == 1 || (in.strides[axis] == 1 && out.strides[axis] == 1);
  }
  int64_t inStep() const { return in.strides[axis] * in.elementBytes(); }
  int64_t outStep() const { return out.strides[axis] * out.elementBytes(); }

  /// `body` for the byte positions of each row's first elements.
  void run(KernelBuilder &k,
           llvm::function_ref<void(Value in, Value out)> body) const {
    level(k, 0, k.index(in.origin() * in.elementBytes()),
          k.index(out.origin() * out.elementBytes()), body);
  }

private:
  void level(KernelBuilder &k, int64_t dim, Value from, Value to,
             llvm::function_ref<void(Value, Value)> body) const {
    if (dim == in.rank())
      return body(from, to);
    if (dim == axis)
      return level(k, dim + 1, from, to, body);
    k.loop(0, in.shape[dim], 1, [&](Value iv) {
      level(k, dim + 1,
            k.add(from, k.mul(iv, in.strides[dim] * in.elementBytes())),
            k.add(to, k.mul(iv, out.strides[dim] * out.elementBytes())), body);
    });
  }

  const View &in;
  const View &out;
  int64_t axis;
};

} // namespace mlir::qopt::codegen
