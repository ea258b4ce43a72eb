// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Short spellings of arithmetic for kernel bodies; operands are scalars or
// vectors of one type.
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "qopt/Codegen/Kernels/Kernel.h"

namespace mlir::qopt::codegen {

template <typename Op> Value binary(KernelBuilder &k, Value a, Value b) {
  return Op::create(k.b, k.loc, a, b);
}
/// The second operand is a constant (splat where `a` is a vector).
template <typename Op> Value binary(KernelBuilder &k, Value a, int64_t b) {
  return Op::create(k.b, k.loc, a, k.constant(a.getType(), b));
}

template <typename B> Value addI(KernelBuilder &k, Value a, B b) {
  return binary<arith::AddIOp>(k, a, b);
}
template <typename B> Value subI(KernelBuilder &k, Value a, B b) {
  return binary<arith::SubIOp>(k, a, b);
}
template <typename B> Value mulI(KernelBuilder &k, Value a, B b) {
  return binary<arith::MulIOp>(k, a, b);
}
template <typename B> Value andI(KernelBuilder &k, Value a, B b) {
  return binary<arith::AndIOp>(k, a, b);
}
template <typename B> Value orI(KernelBuilder &k, Value a, B b) {
  return binary<arith::OrIOp>(k, a, b);
}
template <typename B> Value xorI(KernelBuilder &k, Value a, B b) {
  return binary<arith::XOrIOp>(k, a, b);
}
template <typename B> Value shiftLeft(KernelBuilder &k, Value a, B b) {
  return binary<arith::ShLIOp>(k, a, b);
}
/// Arithmetic, toward minus infinity.
template <typename B> Value shiftRight(KernelBuilder &k, Value a, B b) {
  return binary<arith::ShRSIOp>(k, a, b);
}
template <typename B> Value shiftRightU(KernelBuilder &k, Value a, B b) {
  return binary<arith::ShRUIOp>(k, a, b);
}
template <typename B> Value maxS(KernelBuilder &k, Value a, B b) {
  return binary<arith::MaxSIOp>(k, a, b);
}
template <typename B> Value minS(KernelBuilder &k, Value a, B b) {
  return binary<arith::MinSIOp>(k, a, b);
}
template <typename B> Value maxU(KernelBuilder &k, Value a, B b) {
  return binary<arith::MaxUIOp>(k, a, b);
}
template <typename B> Value minU(KernelBuilder &k, Value a, B b) {
  return binary<arith::MinUIOp>(k, a, b);
}

inline Value addF(KernelBuilder &k, Value a, Value b) {
  return binary<arith::AddFOp>(k, a, b);
}
inline Value subF(KernelBuilder &k, Value a, Value b) {
  return binary<arith::SubFOp>(k, a, b);
}
inline Value mulF(KernelBuilder &k, Value a, Value b) {
  return binary<arith::MulFOp>(k, a, b);
}
inline Value divF(KernelBuilder &k, Value a, Value b) {
  return binary<arith::DivFOp>(k, a, b);
}

inline Value compare(KernelBuilder &k, arith::CmpIPredicate predicate, Value a,
                     Value b) {
  return arith::CmpIOp::create(k.b, k.loc, predicate, a, b);
}
inline Value compare(KernelBuilder &k, arith::CmpFPredicate predicate, Value a,
                     Value b) {
  return arith::CmpFOp::create(k.b, k.loc, predicate, a, b);
}
inline Value select(KernelBuilder &k, Value condition, Value a, Value b) {
  return arith::SelectOp::create(k.b, k.loc, condition, a, b);
}
/// Reinterprets the bits as another type of equal shape and width.
inline Value bitsAs(KernelBuilder &k, Value value, Type type) {
  return arith::BitcastOp::create(k.b, k.loc, type, value);
}

} // namespace mlir::qopt::codegen
