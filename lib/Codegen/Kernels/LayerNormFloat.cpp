// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Float normalization of rows, for calibration. Sums go in one order on every
// machine.

#include "Arith.h"
#include "NormRows.h"
#include "qopt/Codegen/Kernels/FloatMath.h"
#include "qopt/Codegen/Kernels/Kernels.h"

namespace mlir::qopt::codegen {
namespace {

/// Lanes along a row count as partial sums: equally many on every machine.
constexpr int64_t partialSums = 16;

class FloatLayerNormBody {
public:
  FloatLayerNormBody(KernelBuilder &k, qopt::LayerNormOp op,
                     const NormRows &rows)
      : k(k), op(op), rows(rows),
        type(k.vec(rows.isAlongTerms() ? partialSums : k.isa.lanes(),
                   k.f32())) {}

  void emit(const Chunk &chunk) {
    Value mean;
    if (op.getCenter())
      mean = average(chunk, [](Value x) { return x; });
    auto deviate = [&](Value x) { return mean ? subF(k, x, mean) : x; };
    Value divisor = average(chunk, [&](Value x) {
      Value d = deviate(x);
      return op.getPower() == 2 ? mulF(k, d, d) : floatAbs(k, d);
    });
    float epsilon = static_cast<float>(op.getEpsilon().convertToDouble());
    if (op.getPower() == 2)
      divisor = floatSqrt(k, addF(k, divisor, k.constantF(type, epsilon)));
    // A row of zeros stays one.
    Value isZero =
        compare(k, arith::CmpFPredicate::OEQ, divisor, k.constantF(type, 0.0f));
    divisor = select(k, isZero, k.constantF(type, 1.0f), divisor);
    rows.forTerms(k, chunk, {}, [&](const Chunk &terms, ValueRange) {
      Value y = divF(k, deviate(load(terms, 1)), divisor);
      unsigned operand = 2;
      if (op.getGammaAttr())
        y = mulF(k, y, load(terms, operand++));
      if (op.getBetaAttr())
        y = addF(k, y, load(terms, operand));
      if (FnAttr clamp = op.getActivationAttr())
        y = floatClamp(k, y, clamp.getClampMin(), clamp.getClampMax());
      k.storeTail(terms.memories[0], terms.positions[0], y, terms.count);
      return SmallVector<Value>();
    });
  }

private:
  Value load(const Chunk &terms, unsigned operand) {
    return rows.load(k, terms, operand, type.getNumElements());
  }

  /// The mean of `term(x)` of each row; along terms, in every lane.
  Value average(const Chunk &chunk, llvm::function_ref<Value(Value)> term) {
    Value zero = k.constantF(type, 0.0f);
    Value sum = rows.forTerms(
        k, chunk, {zero}, [&](const Chunk &terms, ValueRange sums) {
          Value value = term(load(terms, 1));
          return SmallVector<Value>{
              addF(k, sums[0], keepFirst(value, terms.count))};
        })[0];
    if (rows.isAlongTerms()) {
      for (int64_t half = partialSums / 2; half > 0; half /= 2)
        sum = addF(k, k.slice(sum, 0, half), k.slice(sum, half, half));
      sum = k.shuffle(sum, sum, SmallVector<int64_t>(partialSums, 0));
    }
    return divF(k, sum, k.constantF(type, static_cast<float>(rows.length())));
  }

  /// Along terms, zeros from lane `count` on.
  Value keepFirst(Value vector, int64_t count) {
    if (!rows.isAlongTerms() || count >= partialSums)
      return vector;
    SmallVector<int64_t> mask(partialSums, 0);
    for (int64_t lane = 0; lane < count; ++lane)
      mask[lane] = 1;
    return select(k, k.constantVector(k.i1(), mask), vector,
                  k.constantF(type, 0.0f));
  }

  KernelBuilder &k;
  qopt::LayerNormOp op;
  const NormRows &rows;
  VectorType type;
};

} // namespace

LogicalResult emit(KernelContext &context, qopt::LayerNormOp op,
                   ArrayRef<View> in, ArrayRef<View> out) {
  NormRows rows(context, in[0], out[0], op.getAxes(),
                {op.getGammaAttr(), op.getBetaAttr()}, context.isa.lanes(),
                partialSums);
  std::string params;
  llvm::raw_string_ostream os(params);
  os << (op.getCenter() ? "c" : "") << 'p' << op.getPower() << 'e'
     << op.getEpsilonAttr() << (op.getGammaAttr() ? "g" : "")
     << (op.getBetaAttr() ? "b" : "");
  if (FnAttr clamp = op.getActivationAttr())
    os << clamp;
  os << ' ' << rows.key();
  context.emitKernel(op.getLoc(), "layer_norm_f32", params, rows.args(),
                     [&](KernelBuilder &k, ValueRange args) {
                       rows.run(k, args, [&](const Chunk &chunk) {
                         FloatLayerNormBody(k, op, rows).emit(chunk);
                       });
                     });
  return success();
}

} // namespace mlir::qopt::codegen
