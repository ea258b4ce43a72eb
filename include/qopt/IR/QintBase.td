// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The qint dialect, its types, attributes and base op class.
#ifndef QOPT_IR_QINTBASE_TD
#define QOPT_IR_QINTBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Qint_Dialect : Dialect {
  let name = "qint";
  let cppNamespace = "::mlir::qint";
  let summary = "What a machine computes: integers only";
  let description = [{
    The arithmetic contract as IR: every op here is defined to the bit in
    `docs/arithmetic.md`. Tensors are signless `i8`, `i16`, `i32` in the ONNX
    layout, zero points are signed, multipliers and shifts stand in the op.
    There is no float type in this dialect; verifiers see to it.

    Every op keeps this, besides its own constraints:
    - (D1) a tensor has at most 2^31 - 1 elements.

    Function arguments and results carry what the boundary needs as attributes:
    `qint.scale` (f64, above zero, exactly a float32), `qint.zero_point` (i64); or `qint.real` (unit): i32 elements are the bits of float32 values.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

def Qint_Rounding : I32EnumAttr<"Rounding", "how a requantization breaks ties", [
    I32EnumAttrCase<"HalfUp", 0, "half_up">,
    I32EnumAttrCase<"HalfEven", 1, "half_even">]> {
  let cppNamespace = "::mlir::qint";
  let genSpecializedAttr = 0;
}

def Qint_RequantAttr : AttrDef<Qint_Dialect, "Requant"> {
  let mnemonic = "requant";
  let summary = "multiplier, shift, zero point and clamp of a result";
  let description = [{
    `out = clamp(round(acc * multiplier / 2^shift) + zero_point, min, max)`,
    one rounding, product exact in 64 bits.

    `multiplier` has one entry, or one an output channel; `shift` has one entry
    (a common shift) or as many as `multiplier`.

    Constraints:
    - (C1) there is a multiplier; `shift` has one entry or as many.
    - (C2) multipliers are not zero and not -2^31; only a two-term sum
      (`qint.add`) may have negative ones.
    - (C3) shifts lie in `[1, 62]`.
    - (C4) `min <= max`, both, and the zero point, in 16 bits; or the clamp is all of i32.

    `#qint.requant<[1234567], [38], zp -3, clamp -128 to 127>`, then
    `, half_even` where ties go to even.
  }];
  let parameters = (ins ArrayRefParameter<"int32_t">:$multiplier,
                        ArrayRefParameter<"int32_t">:$shift,
                        "int32_t":$zeroPoint, "int32_t":$clampMin,
                        "int32_t":$clampMax,
                        EnumParameter<Qint_Rounding>:$rounding);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int32_t getMultiplierFor(int64_t channel) const {
      return getMultiplier()[getMultiplier().size() == 1 ? 0 : channel];
    }
    int32_t getShiftFor(int64_t channel) const {
      return getShift()[getShift().size() == 1 ? 0 : channel];
    }
  }];
}

// Activations and weights.
def Qint_Tensor : StaticShapeTensorOf<[I8, I16]>;
// Or the accumulators themselves.
def Qint_LayerTensor : StaticShapeTensorOf<[I8, I16, I32]>;
def Qint_WeightTensor : StaticShapeTensorOf<[I8, I16]>;
def Qint_BiasTensor : StaticShapeTensorOf<[I32]>;
def Qint_ConstantTensor : StaticShapeTensorOf<[I8, I16, I32]>;

// Integer attributes whose accessors are signed.
def Qint_I32Attr : TypedSignlessIntegerAttrBase<
    I32, "int32_t", "32-bit signless integer attribute">;
def Qint_I64Attr : TypedSignlessIntegerAttrBase<
    I64, "int64_t", "64-bit signless integer attribute">;

class Qint_Op<string mnemonic, list<Trait> traits = []>
    : Op<Qint_Dialect, mnemonic, traits>;

#endif // QOPT_IR_QINTBASE_TD
