// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops of kernels that map elements to elements: any shapes that broadcast,
// any strides, long contiguous rows where the layouts allow them.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/Codegen/Kernels/LoopSpace.h"

namespace mlir::qopt::codegen {

/// One operand of a nest: how an argument of the kernel is walked.
struct NestOperand {
  KernelArg arg;
  ElementKind kind = ElementKind::I8;
  /// The byte in memory is `q + storageBias` modulo 256 (i8 only).
  int32_t storageBias = 0;
  /// Elements from the argument's first byte to logical element 0.
  int64_t origin = 0;
  /// Elements between neighbours along each dimension; 0 where broadcast.
  llvm::SmallVector<int64_t> strides;

  /// The elements of `view`, broadcast to `shape` as in NumPy.
  static NestOperand of(const View &view, llvm::ArrayRef<int64_t> shape,
                        bool isWritten = false);
  /// The values of a constant, laid out for a walk in the order of `like` and
  /// stored with bias 128 if i8.
  static NestOperand ofConstant(KernelContext &context,
                                const ConstantData &data, const View &like);
};

/// A row of elements that a nest's body handles at once.
struct Chunk {
  /// Byte position of each operand's first element.
  llvm::SmallVector<Value> positions;
  llvm::ArrayRef<Value> memories;
  /// Elements; at most the nest's chunk size.
  int64_t count = 0;
};

/// The loops over all elements. Operand 0 is written.
class ElementwiseNest {
public:
  /// `shape` is the result's. `chunkSize` elements go to the body at once,
  /// fewer at the end of a row, one where an operand has no unit stride.
  ElementwiseNest(llvm::ArrayRef<int64_t> shape,
                  llvm::ArrayRef<NestOperand> operands, int64_t chunkSize);

  /// Emits the loops into a kernel's body.
  void run(KernelBuilder &k, ValueRange args,
           llvm::function_ref<void(const Chunk &)> body) const;

  /// `lanes >= count` elements of an operand in its own type; those past the
  /// chunk's count are unspecified.
  Value load(KernelBuilder &k, const Chunk &chunk, unsigned operand,
             int64_t lanes) const;
  /// Stores the first `chunk.count` lanes of `vector` to operand 0.
  void store(KernelBuilder &k, const Chunk &chunk, Value vector) const;

  /// Whether every element of a chunk is the same element of the operand.
  bool isRepeated(unsigned operand) const {
    return space.innerStride(operand) == 0;
  }
  /// Elements that the body is given at most.
  int64_t maxChunk() const { return chunkSize; }
  llvm::SmallVector<KernelArg> args() const;
  /// What of the nest is not in the arguments' views.
  std::string key() const;

private:
  void runLevel(KernelBuilder &k, unsigned dim, Chunk &chunk,
                llvm::function_ref<void(const Chunk &)> body) const;
  int64_t stepBytes(unsigned operand, unsigned dim) const;

  LoopSpace space;
  std::vector<NestOperand> operands;
  int64_t chunkSize;
};

/// Loads `type`'s lanes, of which the first `count` matter. Reads beyond them
/// only where `memory` extends `overReadSlack` past `usedBytes`.
Value loadPart(KernelBuilder &k, Value memory, Value position, VectorType type,
               int64_t count, int64_t usedBytes);

} // namespace mlir::qopt::codegen
