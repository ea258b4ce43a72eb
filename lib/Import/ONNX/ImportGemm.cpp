// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gemm and MatMul: with a constant right side a qopt.gemm, its weight stored
// output channel first; else a qopt.matmul.
#include "Registry.h"

#include <cmath>

namespace mlir::qopt::importer {

static ConstantRef scaled(NodeContext &n, const ConstantRef &c, double factor,
                          StringRef name) {
  if (factor == 1.0)
    return c;
  Constant result = *c;
  for (float &value : result.floats)
    value = float(value * factor);
  return n.derive(std::move(result), name);
}

static bool isOnes(ArrayRef<int64_t> shape) {
  return llvm::all_of(shape, [](int64_t size) { return size == 1; });
}

/// `beta C` as a bias of N values, or null if C has another form.
static ConstantRef gemmBias(NodeContext &n, const ConstantRef &c, double beta,
                            int64_t size) {
  ArrayRef<int64_t> shape(c->shape);
  bool row =
      !shape.empty() && shape.back() == size && isOnes(shape.drop_back());
  if (!row && !isOnes(shape))
    return nullptr;
  ConstantRef bias = scaled(n, c, beta, c->name + "@beta");
  if (shape.size() == 1 && row)
    return bias;
  if (row)
    return n.derive(foldReshape(*bias, {size}), c->name + "@row");
  Constant flat = foldReshape(*bias, {1});
  return n.derive(foldExpand(flat, {size}), c->name + "@row");
}

/// Adds a C that is no bias.
static Value addMatrix(NodeContext &n, Value y, double beta) {
  Shape shape = n.shapeOf(y);
  Value c;
  if (n.isConstant(2)) {
    ConstantRef value = n.floatConstant(2, "C");
    c = n.emitConstant(scaled(n, value, beta, value->name + "@beta"));
  } else {
    c = n.activation(2);
    if (beta != 1.0)
      c = n.unary(c, Function::Affine, {beta, 0.0});
  }
  if (!n.ok())
    return Value();
  Shape sum = n.check(broadcastShapes(shape, n.shapeOf(c)));
  if (n.ok() && sum != shape)
    n.invalid("C of shape " + formatShape(n.shapeOf(c)) +
              " does not broadcast to " + formatShape(shape));
  return n.create<AddOp>(shape, y, c, FnAttr());
}

namespace {
struct GemmForm {
  double alpha = 1, beta = 1;
  bool transA = false, transB = false;

  bool hasC(NodeContext &n) const { return n.hasInput(2) && beta != 0; }
};
} // namespace

/// Input `index`, a matrix, transposed if `isTransposed`.
static Value gemmSide(NodeContext &n, size_t index, StringRef what,
                      bool isTransposed) {
  Value x = n.activation(index);
  if (!n.ok())
    return x;
  Shape shape = n.shapeOf(x);
  if (shape.size() != 2) {
    n.invalid("expects a " + what.str() + " side of rank 2, but got " +
              formatShape(shape));
    return x;
  }
  if (!isTransposed)
    return x;
  std::swap(shape[0], shape[1]);
  return n.create<TransposeOp>(shape, x, ArrayRef<int64_t>{1, 0});
}

static bool haveInner(NodeContext &n, int64_t left, int64_t right) {
  if (left != right)
    n.invalid("inner dimensions " + std::to_string(left) + " and " +
              std::to_string(right) + " differ");
  return left == right;
}

/// A right side that is computed at run time.
static void importComputedGemm(NodeContext &n, const GemmForm &form) {
  Value a = gemmSide(n, 0, "left", form.transA);
  Value b = gemmSide(n, 1, "right", form.transB);
  if (!n.ok() || !haveInner(n, n.shapeOf(a)[1], n.shapeOf(b)[0]))
    return;
  Value y = n.create<MatMulOp>(Shape{n.shapeOf(a)[0], n.shapeOf(b)[1]}, a, b);
  if (form.alpha != 1.0)
    y = n.unary(y, Function::Affine, {form.alpha, 0.0});
  if (form.hasC(n) && n.ok())
    y = addMatrix(n, y, form.beta);
  n.setResult(y);
}

void importGemm(NodeContext &n) {
  n.expectInputs(n.opset() < 11 ? 3 : 2, 3);
  GemmForm form;
  form.alpha = n.floatAttribute("alpha", 1);
  form.beta = n.floatAttribute("beta", 1);
  form.transA = n.intAttribute("transA", 0) != 0;
  form.transB = n.intAttribute("transB", 0) != 0;
  if (!std::isfinite(form.alpha) || !std::isfinite(form.beta))
    n.invalid("alpha and beta expect finite values");
  if (n.ok() && !n.isConstant(1))
    return importComputedGemm(n, form);
  ConstantRef b = n.floatConstant(1, "the right side");
  if (n.ok() && b->shape.size() != 2)
    n.invalid("expects a right side of rank 2, but got " +
              formatShape(b->shape));
  Value a = gemmSide(n, 0, "left", form.transA);
  if (!n.ok())
    return;
  if (!form.transB)
    b = n.derive(foldTranspose(*b, {1, 0}), b->name);
  b = scaled(n, b, form.alpha, b->name);
  if (!n.ok() || !haveInner(n, n.shapeOf(a)[1], b->shape[1]))
    return;
  int64_t size = b->shape[0];
  Value weight = n.emitConstant(b);
  ConstantRef bias;
  if (form.hasC(n) && n.isConstant(2))
    bias = gemmBias(n, n.floatConstant(2, "C"), form.beta, size);
  Value biasValue = bias && n.ok() ? n.emitConstant(bias) : Value();
  Value y =
      n.create<GemmOp>({n.shapeOf(a)[0], size}, a, weight, biasValue, FnAttr());
  if (form.hasC(n) && !bias && n.ok())
    y = addMatrix(n, y, form.beta);
  n.setResult(y);
}

/// Both sides computed, or a right side that is many matrices.
static void importComputedMatMul(NodeContext &n) {
  Value a = n.activation(0), b = n.activation(1);
  if (!n.ok())
    return;
  Shape left = n.shapeOf(a), right = n.shapeOf(b);
  if (left.empty() || right.empty())
    return n.invalid("expects tensors, but got a scalar");
  // A vector is a row on the left and a column on the right.
  bool leftVector = left.size() == 1, rightVector = right.size() == 1;
  if (leftVector)
    left.insert(left.begin(), 1);
  if (rightVector)
    right.push_back(1);
  if (left.back() != right[right.size() - 2])
    return n.invalid("inner dimensions " + std::to_string(left.back()) +
                     " and " + std::to_string(right[right.size() - 2]) +
                     " differ");
  Shape shape = n.check(broadcastShapes(ArrayRef(left).drop_back(2),
                                        ArrayRef(right).drop_back(2)));
  if (!n.ok())
    return;
  shape.push_back(left[left.size() - 2]);
  shape.push_back(right.back());
  Value y = n.create<MatMulOp>(shape, n.reshape(a, left), n.reshape(b, right));
  if (leftVector)
    shape.erase(shape.end() - 2);
  if (rightVector)
    shape.pop_back();
  n.setResult(n.reshape(y, shape));
}

/// Whether known matrices are multiplied while the model is read.
static bool isSmallProduct(NodeContext &n) {
  Shape left = n.shapeOf(0), right = n.shapeOf(1);
  if (left.empty() || right.empty())
    return false;
  double rows = left.size() == 1 ? 1 : double(left[left.size() - 2]);
  double columns = right.size() == 1 ? 1 : double(right.back());
  return double(*countElements(left)) * columns < 0x1p28 &&
         double(*countElements(right)) * rows < 0x1p28;
}

void importMatMul(NodeContext &n) {
  n.expectInputs(2, 2);
  if (!n.ok())
    return;
  if (n.allInputsConstant() && isSmallProduct(n))
    return n.setResult(foldMatMul(*n.floatConstant(0, "the left side"),
                                  *n.floatConstant(1, "the right side")));
  Shape rightShape = n.shapeOf(1);
  if (!n.isConstant(1) ||
      (rightShape.size() > 2 && !isOnes(ArrayRef(rightShape).drop_back(2))))
    return importComputedMatMul(n);
  ConstantRef b = n.floatConstant(1, "the right side");
  Value a = n.activation(0);
  if (!n.ok())
    return;
  Shape shape = n.shapeOf(a), right = b->shape;
  if (shape.empty() || right.empty())
    return n.invalid("expects tensors, but got a scalar");
  bool vector = right.size() == 1;
  if (vector)
    right.push_back(1);
  int64_t inner = right[right.size() - 2], size = right.back();
  if (inner != shape.back())
    return n.invalid("inner dimensions " + std::to_string(shape.back()) +
                     " and " + std::to_string(inner) + " differ");
  ConstantRef weight =
      n.derive(foldTranspose(foldReshape(*b, {inner, size}), {1, 0}), b->name);
  if (!n.ok())
    return;
  Value weightValue = n.emitConstant(weight);
  Shape result = shape;
  result.back() = size;
  Value y = n.create<GemmOp>(result, a, weightValue, Value(), FnAttr());
  // ONNX pads the left side's rank to the right's, and drops a vector's axis.
  Shape final = result;
  size_t rank = std::max(shape.size() == 1 ? 2 : shape.size(), right.size());
  bool leftVector = shape.size() == 1;
  if (leftVector)
    final.insert(final.begin(), 1);
  while (final.size() < rank)
    final.insert(final.begin(), 1);
  if (leftVector)
    final.erase(final.end() - 2);
  if (vector)
    final.pop_back();
  n.setResult(n.reshape(y, final));
}

} // namespace mlir::qopt::importer
