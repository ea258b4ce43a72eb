// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that compute element by element in i64, with operands that differ by
// channel or by sample.
#pragma once

#include "Arith.h"
#include "qopt/Codegen/Kernels/ElementwiseNest.h"

namespace mlir::qopt::codegen {

/// One i32 an index of `axis`, or one for all; 0 where there is none.
inline NestOperand channelsOf(KernelContext &context, ArrayRef<int32_t> values,
                              int64_t axis, const View &like) {
  ConstantData data;
  data.kind = ElementKind::I32;
  if (values.size() > 1)
    data.shape.assign(like.rank() - axis, 1);
  else
    data.shape = {1};
  data.shape.front() = std::max<int64_t>(values.size(), 1);
  data.storage.resize(4 * data.shape.front());
  llvm::copy(ArrayRef(reinterpret_cast<const uint8_t *>(values.data()),
                      4 * values.size()),
             data.storage.begin());
  data.bytes = data.storage;
  return NestOperand::ofConstant(context, data, like);
}

/// What a kernel writes.
inline NestOperand resultOf(const View &out) {
  return NestOperand::of(out, out.shape, /*isWritten=*/true);
}

/// Emits a kernel of vectors of `Isa::lanes()` elements.
class LaneKernel {
public:
  LaneKernel(KernelContext &context, const View &out,
             ArrayRef<NestOperand> operands)
      : context(context), operands(operands),
        nest(out.shape, operands, context.isa.lanes()) {}

  /// `compute` gets the elements of each operand but the first as i64.
  void
  emit(Location loc, StringRef family, const Twine &params,
       llvm::function_ref<Value(KernelBuilder &, ArrayRef<Value>)> compute) {
    context.emitKernel(
        loc, family, params + " " + nest.key(), nest.args(),
        [&](KernelBuilder &k, ValueRange args) {
          nest.run(k, args, [&](const Chunk &chunk) {
            SmallVector<Value> values;
            for (unsigned i = 1; i < operands.size(); ++i)
              values.push_back(load(k, chunk, i));
            Value result = compute(k, values);
            const NestOperand &to = operands.front();
            if (to.storageBias)
              result = addI(k, result, to.storageBias);
            nest.store(k, chunk, k.truncate(result, k.elementType(to.kind)));
          });
        });
  }

private:
  Value load(KernelBuilder &k, const Chunk &chunk, unsigned index) {
    const NestOperand &from = operands[index];
    Value value = nest.load(k, chunk, index, k.isa.lanes());
    if (!from.storageBias)
      return k.extendS(value, k.i64());
    return subI(k, k.extendU(value, k.i64()), from.storageBias);
  }

  KernelContext &context;
  std::vector<NestOperand> operands;
  ElementwiseNest nest;
};

} // namespace mlir::qopt::codegen
