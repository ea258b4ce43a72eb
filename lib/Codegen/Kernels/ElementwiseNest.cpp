// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops of kernels that map elements to elements.

#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {

NestOperand NestOperand::of(const View &view, llvm::ArrayRef<int64_t> shape,
                            bool isWritten) {
  NestOperand operand;
  operand.arg = isWritten ? KernelArg::write(view) : KernelArg::read(view);
  operand.kind = view.kind;
  operand.storageBias = view.storageBias;
  operand.origin = view.origin();
  int64_t missing = static_cast<int64_t>(shape.size()) - view.rank();
  operand.strides.assign(missing, 0);
  for (int64_t dim = 0; dim < view.rank(); ++dim)
    operand.strides.push_back(view.shape[dim] == 1 ? 0 : view.strides[dim]);
  return operand;
}

/// The axes of a constant, outermost first, in the order in which `like` walks
/// the axes they are aligned with.
static llvm::SmallVector<int64_t> walkOrder(llvm::ArrayRef<int64_t> shape,
                                            const View &like) {
  int64_t missing = like.rank() - static_cast<int64_t>(shape.size());
  llvm::SmallVector<int64_t> order;
  for (int64_t axis = 0; axis < static_cast<int64_t>(shape.size()); ++axis)
    order.push_back(axis);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    return std::make_pair(-like.strides[a + missing], a) <
           std::make_pair(-like.strides[b + missing], b);
  });
  return order;
}

NestOperand NestOperand::ofConstant(KernelContext &context,
                                    const ConstantData &data,
                                    const View &like) {
  NestOperand operand;
  operand.kind = data.kind;
  operand.storageBias = data.kind == ElementKind::I8 ? 128 : 0;
  int64_t rank = data.shape.size(), missing = like.rank() - rank;
  llvm::SmallVector<int64_t> packed(rank), rowMajor(rank);
  int64_t stride = 1;
  for (int64_t axis = rank; axis-- > 0; stride *= data.shape[axis])
    rowMajor[axis] = stride;
  llvm::SmallVector<int64_t> order = walkOrder(data.shape, like);
  stride = 1;
  for (int64_t axis : llvm::reverse(order)) {
    packed[axis] = stride;
    stride *= data.shape[axis];
  }

  int64_t width = byteWidth(data.kind), count = data.numElements();
  std::vector<uint8_t> bytes(count * width);
  for (int64_t i = 0; i < count; ++i) {
    int64_t target = 0;
    for (int64_t axis = 0; axis < rank; ++axis)
      target += i / rowMajor[axis] % data.shape[axis] * packed[axis];
    for (int64_t byte = 0; byte < width; ++byte)
      bytes[target * width + byte] =
          data.bytes[i * width + byte] ^ (operand.storageBias & 0xff);
  }
  operand.arg =
      KernelArg::constant(context.constants.append(bytes), bytes.size());
  operand.strides.assign(missing, 0);
  for (int64_t axis = 0; axis < rank; ++axis)
    operand.strides.push_back(data.shape[axis] == 1 ? 0 : packed[axis]);
  return operand;
}

ElementwiseNest::ElementwiseNest(llvm::ArrayRef<int64_t> shape,
                                 llvm::ArrayRef<NestOperand> operands,
                                 int64_t chunkSize)
    : operands(operands), chunkSize(chunkSize) {
  space.sizes.assign(shape.begin(), shape.end());
  for (const NestOperand &operand : operands)
    space.strides.push_back(operand.strides);
  space.normalize();
  for (unsigned i = 0; i < space.numOperands(); ++i) {
    int64_t stride = space.innerStride(i);
    if (stride != 1 && (stride != 0 || i == 0))
      this->chunkSize = 1;
  }
}

int64_t ElementwiseNest::stepBytes(unsigned operand, unsigned dim) const {
  return space.strides[operand][dim] * byteWidth(operands[operand].kind);
}

void ElementwiseNest::run(KernelBuilder &k, ValueRange args,
                          llvm::function_ref<void(const Chunk &)> body) const {
  llvm::SmallVector<Value> memories(args.take_front(operands.size()));
  Chunk chunk;
  chunk.memories = memories;
  for (const NestOperand &operand : operands)
    chunk.positions.push_back(
        k.index(operand.origin * byteWidth(operand.kind)));
  runLevel(k, 0, chunk, body);
}

void ElementwiseNest::runLevel(
    KernelBuilder &k, unsigned dim, Chunk &chunk,
    llvm::function_ref<void(const Chunk &)> body) const {
  bool isInner = dim + 1 == space.rank();
  auto at = [&](Value iv, int64_t count) {
    Chunk next = chunk;
    next.count = count;
    for (unsigned i = 0; i < operands.size(); ++i)
      if (int64_t step = stepBytes(i, dim))
        next.positions[i] = k.add(chunk.positions[i], k.mul(iv, step));
    if (isInner)
      body(next);
    else
      runLevel(k, dim + 1, next, body);
  };
  if (!isInner) {
    k.loop(0, space.sizes[dim], 1, [&](Value iv) { at(iv, 0); });
    return;
  }
  int64_t size = space.sizes[dim], whole = size - size % chunkSize;
  k.loop(0, whole, chunkSize, [&](Value iv) { at(iv, chunkSize); });
  if (whole < size)
    at(k.index(whole), size - whole);
}

Value ElementwiseNest::load(KernelBuilder &k, const Chunk &chunk,
                            unsigned operand, int64_t lanes) const {
  const NestOperand &info = operands[operand];
  Type element = k.elementType(info.kind);
  Value memory = chunk.memories[operand];
  Value position = chunk.positions[operand];
  if (isRepeated(operand))
    return k.loadSplat(memory, position, element, lanes);
  int64_t used =
      info.arg.isConstant ? info.arg.constantSize : info.arg.view.spanBytes();
  return loadPart(k, memory, position, k.vec(lanes, element), chunk.count,
                  used);
}

void ElementwiseNest::store(KernelBuilder &k, const Chunk &chunk,
                            Value vector) const {
  k.storeTail(chunk.memories[0], chunk.positions[0], vector, chunk.count);
}

llvm::SmallVector<KernelArg> ElementwiseNest::args() const {
  llvm::SmallVector<KernelArg> result;
  for (const NestOperand &operand : operands)
    result.push_back(operand.arg);
  return result;
}

std::string ElementwiseNest::key() const {
  std::string text = space.key();
  llvm::raw_string_ostream out(text);
  for (const NestOperand &operand : operands)
    out << ' ' << stringifyElementKind(operand.kind) << '+'
        << operand.storageBias << '@' << operand.origin;
  return text;
}

Value loadPart(KernelBuilder &k, Value memory, Value position, VectorType type,
               int64_t count, int64_t usedBytes) {
  int64_t width = type.getElementTypeBitWidth() / 8;
  int64_t extra = (type.getNumElements() - count) * width;
  int64_t available =
      cast<MemRefType>(memory.getType()).getDimSize(0) - usedBytes;
  if (extra <= available)
    return k.load(memory, position, type);
  return k.loadTail(memory, position, type, count);
}

} // namespace mlir::qopt::codegen
