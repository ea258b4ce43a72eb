// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel family is given: a place to put kernels and constants
// (KernelContext), and short spellings for what their bodies consist of
// (KernelBuilder).
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "qopt/Codegen/ISA/Isa.h"
#include "qopt/Codegen/Plan/View.h"
#include "qopt/Codegen/TileChoice.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <map>
#include <new>
#include <vector>

namespace mlir::qopt::codegen {

/// Bytes that kernels may read (never write) past the end of any operand in
/// the arena or among the constants; not past model inputs and outputs.
inline constexpr int64_t overReadSlack = 64;

/// Of memory at multiples of 64 bytes, as kernels take their constants to be.
template <typename T> struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  AlignedAllocator() = default;
  template <typename U> AlignedAllocator(const AlignedAllocator<U> &) {}
  T *allocate(size_t count) {
    return static_cast<T *>(::operator new(count * sizeof(T), alignment));
  }
  void deallocate(T *memory, size_t) { ::operator delete(memory, alignment); }
  bool operator==(const AlignedAllocator &) const { return true; }
  bool operator!=(const AlignedAllocator &) const { return false; }
};

/// The model's constants: one blob, written once.
class ConstantBlob {
public:
  using Bytes = std::vector<uint8_t, AlignedAllocator<uint8_t>>;

  /// Room for so many more bytes, so that growing copies nothing. Memory that
  /// is not written costs none.
  void reserve(size_t bytes) { data.reserve(data.size() + bytes); }
  /// Appends at a multiple of `alignment` and returns the offset; that of equal
  /// bytes where they are there already.
  int64_t append(llvm::ArrayRef<uint8_t> bytes, int64_t alignment = 64);
  /// The same for `size` bytes that `write` writes in place of zeros.
  int64_t
  append(size_t size, int64_t alignment,
         llvm::function_ref<void(llvm::MutableArrayRef<uint8_t>)> write);
  /// The same for a table of integers or floats.
  template <typename T>
  int64_t appendValues(llvm::ArrayRef<T> values, int64_t alignment = 64) {
    return append(llvm::ArrayRef<uint8_t>(
                      reinterpret_cast<const uint8_t *>(values.data()),
                      values.size() * sizeof(T)),
                  alignment);
  }
  llvm::ArrayRef<uint8_t> bytes() const { return data; }
  /// All bytes; nothing is left.
  Bytes take() { return std::move(data); }

private:
  Bytes data;
  /// Offset and size of what was appended, by its hash.
  std::multimap<uint64_t, std::pair<int64_t, size_t>> known;
};

/// Bytes among the constants.
struct ConstantRange {
  int64_t offset = 0;
  int64_t bytes = 0;
};

/// An argument of a kernel call: a view of a buffer or bytes of the constants.
struct KernelArg {
  /// An operand; `begin()` of the view is the memref's first byte.
  static KernelArg read(const View &view);
  /// A result.
  static KernelArg write(const View &view);
  /// `size` bytes of the constants at `offset`; a kernel that reads nothing
  /// beyond them says so.
  static KernelArg constant(int64_t offset, int64_t size,
                            bool mayOverRead = true);

  bool isConstant = false;
  bool isWritten = false;
  /// Loads stay where the body has them: more values than registers would
  /// otherwise be moved out of loops, to the stack. (LLVM is told that stores
  /// may change them.)
  bool isReloaded = false;
  View view;
  int64_t constantOffset = 0;
  int64_t constantSize = 0;
  bool mayOverRead = true;
};

/// Spellings for the body of one kernel. Memory is always `memref<N x i8>` and
/// positions are bytes (index type), whatever the element kind.
class KernelBuilder {
public:
  KernelBuilder(OpBuilder &builder, Location loc, const Isa &isa)
      : b(builder), loc(loc), isa(isa) {}

  OpBuilder &b;
  Location loc;
  const Isa &isa;

  // Types.
  VectorType vec(int64_t lanes, Type element);
  Type i1() { return b.getI1Type(); }
  Type i8() { return b.getIntegerType(8); }
  Type i16() { return b.getIntegerType(16); }
  Type i32() { return b.getIntegerType(32); }
  Type i64() { return b.getIntegerType(64); }
  Type f32() { return b.getF32Type(); }
  Type elementType(ElementKind kind);

  // Index arithmetic; constants fold at once.
  Value index(int64_t value);
  Value add(Value a, Value b);
  Value add(Value a, int64_t b);
  Value mul(Value a, int64_t b);
  Value div(Value a, int64_t b);
  Value rem(Value a, int64_t b);

  // Constants of an integer or float type, or a vector of one (splat).
  Value constant(Type type, int64_t value);
  Value constantF(Type type, float value);
  /// A vector of i8, i16 or i32 lanes.
  Value constantVector(Type element, llvm::ArrayRef<int64_t> lanes);

  // Loops. A loop of one round has no loop op.
  void loop(int64_t lower, int64_t upper, int64_t step,
            llvm::function_ref<void(Value)> body);
  /// With loop-carried values; `body` returns their next values.
  SmallVector<Value>
  loop(int64_t lower, int64_t upper, int64_t step, ValueRange init,
       llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body);

  // Memory: any alignment, `position` in bytes.
  /// A scalar or a 1-D vector.
  Value load(Value memory, Value position, Type type);
  /// The first `count` lanes, the others zero; reads nothing beyond them.
  Value loadTail(Value memory, Value position, VectorType type, int64_t count);
  /// A scalar, in every lane.
  Value loadSplat(Value memory, Value position, Type element, int64_t lanes);
  void store(Value memory, Value position, Value value);
  /// Only the first `count` lanes.
  void storeTail(Value memory, Value position, Value vector, int64_t count);

  // Vector odds and ends.
  Value splat(Value scalar, int64_t lanes);
  Value bitcast(Value vector, Type element);
  /// Lanes `[from, from + count)`.
  Value slice(Value vector, int64_t from, int64_t count);
  Value shuffle(Value a, Value b, llvm::ArrayRef<int64_t> lanes);
  Value concat(Value a, Value b);
  /// A cast of integer vectors or scalars to another width.
  Value extendS(Value value, Type element);
  Value extendU(Value value, Type element);
  Value truncate(Value value, Type element);
  Value clampS(Value value, int64_t lower, int64_t upper);
};

using KernelBody = llvm::function_ref<void(KernelBuilder &, ValueRange args)>;

/// Where an op's lowering puts its kernels, constants and calls.
class KernelContext {
public:
  KernelContext(OpBuilder &builder, ModuleOp module, std::string name,
                const Isa &isa)
      : isa(isa), builder(builder), module(module), name(std::move(name)) {}

  /// From here on kernels are for `variant`, and marked so.
  void startVariant(const CodeVariant &variant);
  /// Marks `function` with the variant it belongs to, if there are several.
  void markVariant(func::FuncOp function);

  Isa isa;
  ConstantBlob constants;
  /// Some kernel may read beyond the last constant.
  bool constantsNeedSlack = false;
  /// As in CodegenOptions.
  TileChoices tiles;
  size_t tileCandidate = 0;
  /// Constants that are read as fast as they come, as soon as what is emitted
  /// next is done; kernels that compute for long ask for them.
  ConstantRange ahead;
  /// Products only append their constants, and say in `packed` where.
  bool packsOnly = false;
  ConstantRange packed;
  /// How products were cut, by shape.
  std::map<std::string, TileUse> tileUses;

  /// Calls the kernel of `family` with `params` (everything, beside the
  /// arguments' views and sizes, that `body` bakes in), making it from `body`
  /// at its first use. The body gets one `memref<N x i8>` an argument. Returns
  /// the kernel.
  func::FuncOp emitKernel(Location loc, llvm::StringRef family,
                          const llvm::Twine &params,
                          llvm::ArrayRef<KernelArg> args, KernelBody body);

  /// Adds `kernel` to the uses of its shape.
  void recordTile(const TileUse &use, llvm::StringRef kernel);

  /// Memory of each buffer in the function being built; set by the driver.
  struct BufferBinding {
    /// `memref<N x i8>`.
    Value memory;
    /// Byte offset of the buffer in it.
    int64_t offset = 0;
    /// Kernels may over-read by `overReadSlack`.
    bool hasSlack = true;
  };
  std::vector<BufferBinding> buffers;
  /// The constants' memory, `memref<?xi8>`-like; its size is fixed at the end.
  Value constantMemory;

private:
  func::FuncOp createKernel(Location loc, llvm::StringRef symbol,
                            llvm::ArrayRef<KernelArg> args, KernelBody body);
  Value argumentValue(Location loc, const KernelArg &arg);
  int64_t argumentBytes(const KernelArg &arg);

  OpBuilder &builder;
  ModuleOp module;
  std::string name;
  /// Empty: the code has one form.
  std::string variant;
  std::map<std::string, func::FuncOp> kernels;
};

/// The integers or floats of a constant op (`qint.constant`,
/// `qopt.constant`; dense or dense_resource).
struct ConstantData {
  ElementKind kind = ElementKind::I8;
  llvm::SmallVector<int64_t, 4> shape;
  llvm::ArrayRef<uint8_t> bytes;
  /// Owns `bytes` where the attribute's own are not laid out that way.
  std::vector<uint8_t> storage;

  int64_t numElements() const;
  int64_t intAt(int64_t index) const;
  float floatAt(int64_t index) const;
};
/// Fails if `value` is not a constant.
FailureOr<ConstantData> readConstant(Value value);

} // namespace mlir::qopt::codegen
