// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of a byte by table: in registers where the ISA looks bytes up
// there, else one load an element, as for functions of 16 bits.

#include "Table.h"
#include "Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"
#include "qopt/Codegen/Kernels/Kernels.h"
#include <numeric>

namespace mlir::qopt::codegen {
namespace {

/// The table as `byte` of each entry, in the order of the bytes in memory.
SmallVector<uint8_t> tableBytes(ArrayRef<int16_t> table, const View &from,
                                const View &to, int byte) {
  int entries = table.size();
  SmallVector<uint8_t> bytes(entries);
  for (int raw = 0; raw < entries; ++raw) {
    // The memory's bits, unsigned; entries stand in signed order.
    int position = (raw - from.storageBias + entries / 2) & (entries - 1);
    int value = table[position] + (byte == 0 ? to.storageBias : 0);
    bytes[raw] = static_cast<uint8_t>(value >> (8 * byte));
  }
  return bytes;
}

/// A 256-byte table as one vector value.
Value loadTable(KernelBuilder &k, Value memory, int64_t offset) {
  return k.load(memory, k.index(offset), k.vec(256, k.i8()));
}

Value lookup(KernelBuilder &k, Value table, Value index) {
  return qint::LookupOp::create(k.b, k.loc, index.getType(), table, index);
}

/// Low and high bytes to i16 lanes in order.
Value joinBytes(KernelBuilder &k, Value low, Value high) {
  int64_t lanes = cast<VectorType>(low.getType()).getNumElements();
  SmallVector<int64_t> order;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    order.push_back(lane);
    order.push_back(lanes + lane);
  }
  return k.bitcast(k.shuffle(low, high, order), k.i16());
}

/// The body with the table in registers.
void lookupVectors(KernelBuilder &k, const ElementwiseNest &nest,
                   ValueRange args, bool isWide) {
  Value low = loadTable(k, args[2], 0), high;
  if (isWide)
    high = loadTable(k, args[2], 256);
  nest.run(k, args, [&](const Chunk &chunk) {
    Value index = nest.load(k, chunk, 1, k.isa.bytes());
    Value result = lookup(k, low, index);
    if (!isWide)
      return nest.store(k, chunk, result);
    Value wide = joinBytes(k, result, lookup(k, high, index));
    int64_t lanes = k.isa.bytes() / 2, first = std::min(chunk.count, lanes);
    k.storeTail(chunk.memories[0], chunk.positions[0], k.slice(wide, 0, lanes),
                first);
    if (chunk.count > first)
      k.storeTail(chunk.memories[0], k.add(chunk.positions[0], 2 * lanes),
                  k.slice(wide, lanes, lanes), chunk.count - first);
  });
}

/// The body with one table load an element.
void lookupScalars(KernelBuilder &k, const ElementwiseNest &nest,
                   ValueRange args, ElementKind from, ElementKind to) {
  Type type = k.elementType(to);
  int64_t width = byteWidth(to), step = byteWidth(from);
  nest.run(k, args, [&](const Chunk &chunk) {
    for (int64_t i = 0; i < chunk.count; ++i) {
      Value q = k.load(chunk.memories[1], k.add(chunk.positions[1], i * step),
                       k.elementType(from));
      Value position =
          arith::IndexCastUIOp::create(k.b, k.loc, k.b.getIndexType(), q);
      Value entry = k.load(args[2], k.mul(position, width), type);
      k.store(chunk.memories[0], k.add(chunk.positions[0], i * width), entry);
    }
  });
}

} // namespace

void emitTable(KernelContext &context, Location loc, const View &from,
               const View &to, ArrayRef<int16_t> table) {
  bool isWide = to.kind == ElementKind::I16;
  bool inRegisters = context.isa.hasVbmi && from.kind == ElementKind::I8;
  SmallVector<uint8_t> bytes = tableBytes(table, from, to, 0);
  if (isWide)
    bytes.append(tableBytes(table, from, to, 1));
  if (isWide && !inRegisters) {
    // One i16 an entry instead of two planes.
    SmallVector<uint8_t> joined;
    for (size_t i = 0; i < table.size(); ++i)
      joined.append({bytes[i], bytes[table.size() + i]});
    bytes = joined;
  }
  std::vector<NestOperand> operands = {NestOperand::of(to, to.shape, true),
                                       NestOperand::of(from, to.shape)};
  ElementwiseNest nest(to.shape, operands,
                       inRegisters ? context.isa.bytes() : 8);
  SmallVector<KernelArg> args = nest.args();
  args.push_back(KernelArg::constant(context.constants.append(bytes),
                                     bytes.size(),
                                     /*mayOverRead=*/false));
  context.emitKernel(loc, "table", nest.key(), args,
                     [&](KernelBuilder &k, ValueRange values) {
                       if (inRegisters)
                         lookupVectors(k, nest, values, isWide);
                       else
                         lookupScalars(k, nest, values, from.kind, to.kind);
                     });
}

View indexView(View to) {
  to.storageBias = 128;
  return to;
}

SmallVector<uint8_t> byteTable(ArrayRef<int16_t> table, const View &to) {
  return tableBytes(table, indexView(to), to, 0);
}

KernelArg tableArg(KernelContext &context, ArrayRef<uint8_t> table) {
  KernelArg arg = KernelArg::constant(context.constants.append(table),
                                      table.size(), /*mayOverRead=*/false);
  arg.isReloaded = true;
  return arg;
}

Value lookUpBytes(KernelBuilder &k, Value memory, Value bytes) {
  constexpr int64_t registerLanes = 64;
  Value table = loadTable(k, memory, 0);
  int64_t lanes = cast<VectorType>(bytes.getType()).getNumElements();
  if (lanes == registerLanes)
    return lookup(k, table, bytes);
  // What the other lanes hold does not matter.
  SmallVector<int64_t> order(registerLanes, vector::ShuffleOp::kPoisonIndex);
  std::iota(order.begin(), order.begin() + lanes, 0);
  return k.slice(lookup(k, table, k.shuffle(bytes, bytes, order)), 0, lanes);
}

LogicalResult emit(KernelContext &context, qint::TableOp op, ArrayRef<View> in,
                   ArrayRef<View> out) {
  emitTable(context, op.getLoc(), in[0], out[0], op.getTable());
  return success();
}

} // namespace mlir::qopt::codegen
