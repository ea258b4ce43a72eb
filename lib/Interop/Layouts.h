// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of a conversion between dialects of different layouts: TOSA's
// convolutions are N x H x W x C, qopt's N x C x H x W.
#pragma once

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include <functional>

namespace mlir::qopt {

/// `shape[permutation[i]]`, for any list with an entry an axis.
inline SmallVector<int64_t> permuteAxes(ArrayRef<int64_t> list,
                                        ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result;
  for (int64_t axis : permutation)
    result.push_back(list[axis]);
  return result;
}

/// Row-major `values` of `shape` with their axes permuted.
template <typename T>
SmallVector<T> permuteValues(ArrayRef<T> values, ArrayRef<int64_t> shape,
                             ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  SmallVector<int64_t> sizes = permuteAxes(shape, permutation);
  strides = permuteAxes(strides, permutation);
  SmallVector<T> result;
  result.reserve(values.size());
  SmallVector<int64_t> index(shape.size(), 0);
  for (size_t count = 0; count < values.size(); ++count) {
    int64_t from = 0;
    for (auto [i, stride] : llvm::zip_equal(index, strides))
      from += i * stride;
    result.push_back(values[from]);
    for (size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < sizes[axis])
        break;
      index[axis] = 0;
    }
  }
  return result;
}

/// The new values of old ones, of rank 4 in two layouts: the old one, `plain`,
/// and `other`, whose axis `i` is axis `toOther[i]` of plain. A layout is made
/// by a transpose where it is first asked for, so that a chain of ops that work
/// in one layout has none.
class Layouts {
public:
  using Transpose = std::function<Value(OpBuilder &, Value, ArrayRef<int64_t>)>;

  Layouts(ArrayRef<int64_t> toOther, Transpose transpose)
      : toOther(toOther), toPlain(toOther.size()),
        transpose(std::move(transpose)) {
    for (auto [index, axis] : llvm::enumerate(toOther))
      toPlain[axis] = index;
  }

  void set(Value old, Value plain) { forms[old].plain = plain; }
  void setOther(Value old, Value other) { forms[old].other = other; }
  bool has(Value old) const { return forms.contains(old); }
  bool hasOther(Value old) const {
    auto found = forms.find(old);
    return found != forms.end() && found->second.other;
  }

  /// Null where `old` has no new value.
  Value getPlain(OpBuilder &builder, Value old) {
    auto found = forms.find(old);
    if (found == forms.end())
      return nullptr;
    Forms &form = found->second;
    if (!form.plain)
      form.plain = transpose(builder, form.other, toPlain);
    return form.plain;
  }
  Value getOther(OpBuilder &builder, Value old) {
    auto found = forms.find(old);
    if (found == forms.end())
      return nullptr;
    Forms &form = found->second;
    if (!form.other)
      form.other = transpose(builder, form.plain, toOther);
    return form.other;
  }

  ArrayRef<int64_t> getToOther() const { return toOther; }
  ArrayRef<int64_t> getToPlain() const { return toPlain; }

  /// `shape` in the other layout.
  SmallVector<int64_t> other(ArrayRef<int64_t> shape) const {
    return permuteAxes(shape, toOther);
  }

private:
  struct Forms {
    Value plain, other;
  };
  SmallVector<int64_t, 4> toOther, toPlain;
  Transpose transpose;
  llvm::DenseMap<Value, Forms> forms;
};

} // namespace mlir::qopt
