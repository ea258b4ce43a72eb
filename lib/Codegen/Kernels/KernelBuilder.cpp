// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Short spellings for the bodies of kernels.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

//===----------------------------------------------------------------------===//
// Types and constants
//===----------------------------------------------------------------------===//

VectorType KernelBuilder::vec(int64_t lanes, Type element) {
  return VectorType::get({lanes}, element);
}

Type KernelBuilder::elementType(ElementKind kind) {
  switch (kind) {
  case ElementKind::I8:
    return i8();
  case ElementKind::I16:
    return i16();
  case ElementKind::I32:
    return i32();
  case ElementKind::F32:
    return f32();
  }
  return Type();
}

Value KernelBuilder::constant(Type type, int64_t value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr;
  if (element.isIndex()) {
    attr = b.getIndexAttr(value);
  } else {
    unsigned width = element.getIntOrFloatBitWidth();
    attr = IntegerAttr::get(element, llvm::APInt(64, value).trunc(width));
  }
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(b, loc, attr);
}

Value KernelBuilder::constantF(Type type, float value) {
  TypedAttr attr = b.getF32FloatAttr(value);
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(b, loc, attr);
}

Value KernelBuilder::constantVector(Type element,
                                    llvm::ArrayRef<int64_t> lanes) {
  unsigned width = element.getIntOrFloatBitWidth();
  SmallVector<llvm::APInt> values;
  for (int64_t lane : lanes)
    values.push_back(llvm::APInt(64, lane).trunc(width));
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(vec(lanes.size(), element), values));
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

static std::optional<int64_t> constantIndex(Value value) {
  llvm::APInt result;
  if (matchPattern(value, m_ConstantInt(&result)))
    return result.getSExtValue();
  return std::nullopt;
}

Value KernelBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value KernelBuilder::add(Value a, Value c) {
  if (auto value = constantIndex(c))
    return add(a, *value);
  if (auto value = constantIndex(a))
    return add(c, *value);
  return arith::AddIOp::create(b, loc, a, c,
                               arith::IntegerOverflowFlags::nsw |
                                   arith::IntegerOverflowFlags::nuw);
}

Value KernelBuilder::add(Value a, int64_t c) {
  if (c == 0)
    return a;
  if (auto value = constantIndex(a))
    return index(*value + c);
  // One addition an address: (x + c1) + c2 is x + (c1 + c2).
  if (auto sum = a.getDefiningOp<arith::AddIOp>())
    if (auto value = constantIndex(sum.getRhs()))
      return add(sum.getLhs(), *value + c);
  auto flags = arith::IntegerOverflowFlags::nsw;
  if (c > 0)
    flags = flags | arith::IntegerOverflowFlags::nuw;
  return arith::AddIOp::create(b, loc, a, index(c), flags);
}

Value KernelBuilder::mul(Value a, int64_t c) {
  if (c == 1)
    return a;
  if (auto value = constantIndex(a))
    return index(*value * c);
  return arith::MulIOp::create(b, loc, a, index(c),
                               arith::IntegerOverflowFlags::nsw |
                                   arith::IntegerOverflowFlags::nuw);
}

Value KernelBuilder::div(Value a, int64_t c) {
  if (c == 1)
    return a;
  if (auto value = constantIndex(a))
    return index(*value / c);
  return arith::DivUIOp::create(b, loc, a, index(c));
}

Value KernelBuilder::rem(Value a, int64_t c) {
  if (c == 1)
    return index(0);
  if (auto value = constantIndex(a))
    return index(*value % c);
  return arith::RemUIOp::create(b, loc, a, index(c));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void KernelBuilder::loop(int64_t lower, int64_t upper, int64_t step,
                         llvm::function_ref<void(Value)> body) {
  loop(lower, upper, step, ValueRange{}, [&](Value iv, ValueRange) {
    body(iv);
    return SmallVector<Value>();
  });
}

SmallVector<Value> KernelBuilder::loop(
    int64_t lower, int64_t upper, int64_t step, ValueRange init,
    llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  if (lower >= upper)
    return SmallVector<Value>(init);
  if (lower + step >= upper)
    return body(index(lower), init);
  auto op =
      scf::ForOp::create(b, loc, index(lower), index(upper), index(step), init);
  OpBuilder::InsertionGuard guard(b);
  Block *block = op.getBody();
  // Without results the builder has made a terminator already.
  if (!block->empty())
    block->back().erase();
  b.setInsertionPointToEnd(block);
  SmallVector<Value> next = body(op.getInductionVar(), op.getRegionIterArgs());
  scf::YieldOp::create(b, loc, next);
  return SmallVector<Value>(op.getResults());
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value KernelBuilder::load(Value memory, Value position, Type type) {
  if (type.isInteger(8))
    return memref::LoadOp::create(b, loc, memory, position);
  auto vector = dyn_cast<VectorType>(type);
  Type element = vector ? vector.getElementType() : type;
  int64_t lanes = vector ? vector.getNumElements() : 1;
  int64_t bytes = lanes * element.getIntOrFloatBitWidth() / 8;
  Value raw =
      vector::LoadOp::create(b, loc, vec(bytes, i8()), memory, position);
  Value cast = bitcast(raw, element);
  if (vector)
    return cast;
  return vector::ExtractOp::create(b, loc, cast, ArrayRef<int64_t>{0});
}

/// The sizes, in lanes and largest first, of the power-of-two pieces of
/// `count`.
static SmallVector<int64_t> pieces(int64_t count) {
  SmallVector<int64_t> result;
  for (int64_t size = int64_t(1) << 20; size > 0; size /= 2)
    while (count >= size) {
      result.push_back(size);
      count -= size;
    }
  return result;
}

Value KernelBuilder::loadTail(Value memory, Value position, VectorType type,
                              int64_t count) {
  if (count >= type.getNumElements())
    return load(memory, position, type);
  Type element = type.getElementType();
  int64_t width = element.getIntOrFloatBitWidth() / 8;
  Value result = element.isF32() ? constantF(type, 0) : constant(type, 0);
  int64_t done = 0;
  for (int64_t size : pieces(count)) {
    Value part = load(memory, add(position, done * width), vec(size, element));
    result = vector::InsertStridedSliceOp::create(
        b, loc, part, result, ArrayRef<int64_t>{done}, ArrayRef<int64_t>{1});
    done += size;
  }
  return result;
}

Value KernelBuilder::loadSplat(Value memory, Value position, Type element,
                               int64_t lanes) {
  return splat(load(memory, position, element), lanes);
}

void KernelBuilder::store(Value memory, Value position, Value value) {
  if (value.getType().isInteger(8)) {
    memref::StoreOp::create(b, loc, value, memory, position);
    return;
  }
  if (!isa_and_present<VectorType>(value.getType()))
    value = splat(value, 1);
  vector::StoreOp::create(b, loc, bitcast(value, i8()), memory, position);
}

void KernelBuilder::storeTail(Value memory, Value position, Value vector,
                              int64_t count) {
  auto type = cast<VectorType>(vector.getType());
  if (count >= type.getNumElements())
    return store(memory, position, vector);
  int64_t width = type.getElementTypeBitWidth() / 8;
  int64_t bytes = type.getNumElements() * width;
  bool isPowerOfTwo = llvm::isPowerOf2_64(count);
  if (isa.hasMaskedStores() && !isPowerOfTwo && bytes <= isa.bytes() &&
      bytes >= 16) {
    Value mask = vector::CreateMaskOp::create(b, loc, vec(bytes, i1()),
                                              ValueRange{index(count * width)});
    vector::MaskedStoreOp::create(b, loc, memory, position, mask,
                                  bitcast(vector, i8()));
    return;
  }
  int64_t done = 0;
  for (int64_t size : pieces(count)) {
    store(memory, add(position, done * width), slice(vector, done, size));
    done += size;
  }
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

Value KernelBuilder::splat(Value scalar, int64_t lanes) {
  return vector::BroadcastOp::create(b, loc, vec(lanes, scalar.getType()),
                                     scalar);
}

Value KernelBuilder::bitcast(Value vector, Type element) {
  auto type = cast<VectorType>(vector.getType());
  if (type.getElementType() == element)
    return vector;
  int64_t bits = type.getNumElements() * type.getElementTypeBitWidth();
  return vector::BitCastOp::create(
      b, loc, vec(bits / element.getIntOrFloatBitWidth(), element), vector);
}

Value KernelBuilder::slice(Value vector, int64_t from, int64_t count) {
  if (cast<VectorType>(vector.getType()).getNumElements() == count)
    return vector;
  return vector::ExtractStridedSliceOp::create(
      b, loc, vector, ArrayRef<int64_t>{from}, ArrayRef<int64_t>{count},
      ArrayRef<int64_t>{1});
}

Value KernelBuilder::shuffle(Value a, Value c, llvm::ArrayRef<int64_t> lanes) {
  return vector::ShuffleOp::create(b, loc, a, c, lanes);
}

Value KernelBuilder::concat(Value a, Value c) {
  int64_t total = cast<VectorType>(a.getType()).getNumElements() +
                  cast<VectorType>(c.getType()).getNumElements();
  SmallVector<int64_t> lanes(total);
  for (int64_t lane = 0; lane < total; ++lane)
    lanes[lane] = lane;
  return shuffle(a, c, lanes);
}

/// `type` with `element` for its element type.
static Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return VectorType::get(vector.getShape(), element);
  return element;
}

Value KernelBuilder::extendS(Value value, Type element) {
  if (getElementTypeOrSelf(value.getType()) == element)
    return value;
  return arith::ExtSIOp::create(b, loc, withElement(value.getType(), element),
                                value);
}

Value KernelBuilder::extendU(Value value, Type element) {
  if (getElementTypeOrSelf(value.getType()) == element)
    return value;
  return arith::ExtUIOp::create(b, loc, withElement(value.getType(), element),
                                value);
}

Value KernelBuilder::truncate(Value value, Type element) {
  if (getElementTypeOrSelf(value.getType()) == element)
    return value;
  return arith::TruncIOp::create(b, loc, withElement(value.getType(), element),
                                 value);
}

Value KernelBuilder::clampS(Value value, int64_t lower, int64_t upper) {
  Value low =
      arith::MaxSIOp::create(b, loc, value, constant(value.getType(), lower));
  return arith::MinSIOp::create(b, loc, low, constant(value.getType(), upper));
}

} // namespace mlir::qopt::codegen
