// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that move values, for any element kind.

#include "Loops.h"
#include "Ops.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::reference;

static llvm::Error reshape(const Tensor &input, Tensor &out) {
  llvm::copy(input.bytes(), out.bytes().begin());
  return llvm::Error::success();
}

/// Copies element `from` of `input` to element `to` of `out`.
static void moveElement(const Tensor &input, int64_t from, Tensor &out,
                        int64_t to) {
  unsigned size = elementSize(out.getKind());
  std::memcpy(out.bytes().data() + to * size,
              input.bytes().data() + from * size, size);
}

static llvm::Error transpose(const Tensor &input, ArrayRef<int64_t> permutation,
                             Tensor &out) {
  SmallVector<int64_t> strides =
      permuteShape(rowMajorStrides(input.getShape()), permutation);
  ArrayRef<int64_t> shape = out.getShape();
  for (int64_t i = 0; i < out.getNumElements(); ++i) {
    int64_t rest = i, from = 0;
    for (size_t axis = shape.size(); axis-- > 0;) {
      from += rest % shape[axis] * strides[axis];
      rest /= shape[axis];
    }
    moveElement(input, from, out, i);
  }
  return llvm::Error::success();
}

static llvm::Error concat(Operands in, int64_t axis, Tensor &out) {
  AxisView whole(out.getShape(), axis);
  int64_t start = 0;
  for (const Tensor *input : in) {
    AxisView part(input->getShape(), axis);
    for (int64_t o = 0; o < part.outer; ++o)
      for (int64_t k = 0; k < part.length; ++k)
        for (int64_t i = 0; i < part.step; ++i)
          moveElement(*input, part.index(o, k, i), out,
                      whole.index(o, start + k, i));
    start += part.length;
  }
  return llvm::Error::success();
}

static llvm::Error slice(const Tensor &input, ArrayRef<int64_t> starts,
                         ArrayRef<int64_t> steps, Tensor &out) {
  SmallVector<int64_t> strides = rowMajorStrides(input.getShape());
  ArrayRef<int64_t> shape = out.getShape();
  for (int64_t i = 0; i < out.getNumElements(); ++i) {
    int64_t rest = i, from = 0;
    for (size_t axis = shape.size(); axis-- > 0;) {
      int64_t index = starts[axis] + rest % shape[axis] * steps[axis];
      from += index * strides[axis];
      rest /= shape[axis];
    }
    moveElement(input, from, out, i);
  }
  return llvm::Error::success();
}

static llvm::Error gather(const Tensor &input, int64_t axis,
                          ArrayRef<int64_t> indices, Tensor &out) {
  AxisView from(input.getShape(), axis), to(out.getShape(), axis);
  for (int64_t o = 0; o < to.outer; ++o)
    for (int64_t k = 0; k < to.length; ++k)
      for (int64_t i = 0; i < to.step; ++i)
        moveElement(input, from.index(o, indices[k], i), out,
                    to.index(o, k, i));
  return llvm::Error::success();
}

/// Moves `input` into `out`, which holds the padding value, behind the begins.
static llvm::Error pad(const Tensor &input, ArrayRef<int64_t> pads,
                       Tensor &out) {
  SmallVector<int64_t> strides = rowMajorStrides(out.getShape());
  ArrayRef<int64_t> shape = input.getShape();
  for (int64_t i = 0; i < input.getNumElements(); ++i) {
    int64_t rest = i, to = 0;
    for (size_t axis = shape.size(); axis-- > 0;) {
      to += (rest % shape[axis] + pads[axis]) * strides[axis];
      rest /= shape[axis];
    }
    moveElement(input, i, out, to);
  }
  return llvm::Error::success();
}

llvm::Error reference::evaluateOp(ReshapeOp, Operands in, Tensor &out) {
  return reshape(*in[0], out);
}

llvm::Error reference::evaluateOp(qint::ReshapeOp, Operands in, Tensor &out) {
  return reshape(*in[0], out);
}

llvm::Error reference::evaluateOp(TransposeOp op, Operands in, Tensor &out) {
  return transpose(*in[0], op.getPermutation(), out);
}

llvm::Error reference::evaluateOp(qint::TransposeOp op, Operands in,
                                  Tensor &out) {
  return transpose(*in[0], op.getPermutation(), out);
}

llvm::Error reference::evaluateOp(ConcatOp op, Operands in, Tensor &out) {
  return concat(in, op.getAxis(), out);
}

llvm::Error reference::evaluateOp(qint::ConcatOp op, Operands in, Tensor &out) {
  return concat(in, op.getAxis(), out);
}

llvm::Error reference::evaluateOp(PadOp op, Operands in, Tensor &out) {
  for (float &value : out.values<float>())
    value = op.getValue().convertToFloat();
  return pad(*in[0], op.getPads(), out);
}

llvm::Error reference::evaluateOp(qint::PadOp op, Operands in, Tensor &out) {
  for (int64_t i = 0; i < out.getNumElements(); ++i)
    out.setInteger(i, op.getValue());
  return pad(*in[0], op.getPads(), out);
}

llvm::Error reference::evaluateOp(SliceOp op, Operands in, Tensor &out) {
  return slice(*in[0], op.getStarts(), op.getSteps(), out);
}

llvm::Error reference::evaluateOp(qint::SliceOp op, Operands in, Tensor &out) {
  return slice(*in[0], op.getStarts(), op.getSteps(), out);
}

llvm::Error reference::evaluateOp(GatherOp op, Operands in, Tensor &out) {
  return gather(*in[0], op.getAxis(), op.getIndices(), out);
}

llvm::Error reference::evaluateOp(qint::GatherOp op, Operands in, Tensor &out) {
  return gather(*in[0], op.getAxis(), op.getIndices(), out);
}
