// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of normalizations.

#include "NormRows.h"

namespace mlir::qopt::codegen {

/// The values of factors as a constant of the model.
static ConstantData readFactors(DenseElementsAttr factors) {
  ConstantData data;
  data.shape.assign(factors.getType().getShape().begin(),
                    factors.getType().getShape().end());
  auto append = [&](auto value) {
    auto *bytes = reinterpret_cast<const uint8_t *>(&value);
    data.storage.insert(data.storage.end(), bytes, bytes + sizeof(value));
  };
  if (factors.getElementType().isF32()) {
    data.kind = ElementKind::F32;
    for (float value : factors.getValues<float>())
      append(value);
  } else {
    data.kind = ElementKind::I32;
    for (int32_t value : factors.getValues<int32_t>())
      append(value);
  }
  data.bytes = data.storage;
  return data;
}

NormRows::NormRows(KernelContext &context, const View &in, const View &out,
                   ArrayRef<int64_t> axes, ArrayRef<DenseElementsAttr> factors,
                   int64_t rowLanes, int64_t termLanes)
    : termLanes(termLanes) {
  operands = {NestOperand::of(out, out.shape, /*isWritten=*/true),
              NestOperand::of(in, out.shape)};
  for (DenseElementsAttr factor : factors)
    if (factor)
      operands.push_back(
          NestOperand::ofConstant(context, readFactors(factor), out));

  terms.strides.resize(operands.size());
  SmallVector<int64_t> rows;
  std::vector<NestOperand> rowOperands(operands);
  for (NestOperand &operand : rowOperands)
    operand.strides.clear();
  for (int64_t axis = 0; axis < out.rank(); ++axis) {
    bool isTerm = llvm::is_contained(axes, axis);
    (isTerm ? terms.sizes : rows).push_back(out.shape[axis]);
    for (unsigned i = 0; i < operands.size(); ++i)
      (isTerm ? terms.strides[i] : rowOperands[i].strides)
          .push_back(operands[i].strides[axis]);
  }
  terms.normalize();
  alongTerms = terms.innerSize() > 1;
  for (unsigned i = 0; i < operands.size(); ++i) {
    int64_t stride = terms.innerStride(i);
    alongTerms &= stride == 1 || (i > 1 && stride == 0);
  }
  nest.emplace(rows, rowOperands, alongTerms ? 1 : rowLanes);
}

std::string NormRows::key() const {
  return nest->key() + " t" + terms.key() + (alongTerms ? " along" : "");
}

SmallVector<Value> NormRows::level(
    KernelBuilder &k, unsigned dim, const Chunk &at, ValueRange init,
    llvm::function_ref<SmallVector<Value>(const Chunk &, ValueRange)> body)
    const {
  if (dim == terms.rank())
    return body(at, init);
  auto visit = [&](Value iv, int64_t count, ValueRange carried) {
    Chunk next = at;
    for (unsigned i = 0; i < operands.size(); ++i)
      if (int64_t step = terms.strides[i][dim] * byteWidth(operands[i].kind))
        next.positions[i] = k.add(at.positions[i], k.mul(iv, step));
    if (count)
      next.count = count;
    return level(k, dim + 1, next, carried, body);
  };
  int64_t size = terms.sizes[dim];
  bool hasLanes = alongTerms && dim + 1 == terms.rank();
  int64_t step = hasLanes ? termLanes : 1, whole = size - size % step;
  SmallVector<Value> values =
      k.loop(0, whole, step, init, [&](Value iv, ValueRange carried) {
        return visit(iv, hasLanes ? step : 0, carried);
      });
  if (whole < size)
    values = visit(k.index(whole), size - whole, values);
  return values;
}

SmallVector<Value> NormRows::forTerms(
    KernelBuilder &k, const Chunk &rows, ValueRange init,
    llvm::function_ref<SmallVector<Value>(const Chunk &, ValueRange)> body)
    const {
  return level(k, 0, rows, init, body);
}

Value NormRows::load(KernelBuilder &k, const Chunk &chunk, unsigned operand,
                     int64_t lanes, int64_t first) const {
  const NestOperand &info = operands[operand];
  Type element = k.elementType(info.kind);
  Value memory = chunk.memories[operand];
  Value position = chunk.positions[operand];
  if (isRepeated(operand))
    return k.loadSplat(memory, position, element, lanes);
  auto type = k.vec(lanes, element);
  int64_t count = std::min(chunk.count - first, lanes);
  if (count <= 0)
    return info.kind == ElementKind::F32 ? k.constantF(type, 0)
                                         : k.constant(type, 0);
  int64_t used =
      info.arg.isConstant ? info.arg.constantSize : info.arg.view.spanBytes();
  return loadPart(k, memory, k.add(position, first * byteWidth(info.kind)),
                  type, count, used);
}

} // namespace mlir::qopt::codegen
