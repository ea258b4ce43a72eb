// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The qopt dialect, its types, attributes and base op class.
#ifndef QOPT_IR_QOPTBASE_TD
#define QOPT_IR_QOPTBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Qopt_Dialect : Dialect {
  let name = "qopt";
  let cppNamespace = "::mlir::qopt";
  let summary = "What a model means: float, observed and quantized";
  let description = [{
    A small set of operators on statically shaped tensors in the ONNX layout
    (`N x C x spatial`), that an importer normalizes every exporter's spelling
    to. The same operators live at three levels:

    1. **float**: all tensors are `f32`.
    2. **observed**: `qopt.observe` marks each value whose range matters and
       carries a stable `id` and what was decided for it.
    3. **quantized**: element types are `!quant.uniform<...>`; weights are
       `i8` constants with a quantized result type.

    What the machine computes is another dialect, `qint`.

    Every op keeps these, besides its own constraints:
    - (D1) a tensor has at most 2^31 - 1 elements.
    - (D2) quantized element types have signed i8, i16 or i32 storage, f32 as
      expressed type, finite scales above zero, zero points inside the storage
      range and, per axis, one scale for each index of an axis of the tensor.
    - (D3) per-axis types and i32 storage stand only on constants, weights,
      biases and the operand of `qopt.dequantize`.
    - (D4) operands and results are all f32 or all quantized, except where the
      op converts.

    Attributes on other dialects' ops: `qopt.name` (string) is the model's name
    of a function argument or result, `qopt.type` (`int8`, `uint8`, `int16`) the
    model's element type of one that it holds as integers, `qopt.value` (string) the model's name of
    an op's result, `qopt.rounding` (`half_even`) how the integer form of an
    op rounds where that is not the default, `qopt.model_hash` (string) on a
    module the hash of the model's bytes.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let dependentDialects = ["::mlir::quant::QuantDialect"];
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def Qopt_QuantElement : Type<
    CPred<"::llvm::isa<::mlir::quant::UniformQuantizedType, "
          "::mlir::quant::UniformQuantizedPerAxisType>($_self)">,
    "uniform quantized element type">;

// An activation: f32 before quantization, !quant.uniform after it.
def Qopt_Tensor : StaticShapeTensorOf<[F32, Qopt_QuantElement]>;
def Qopt_FloatTensor : StaticShapeTensorOf<[F32]>;
def Qopt_QuantTensor : StaticShapeTensorOf<[Qopt_QuantElement]>;
// What a constant may hold: an i32 bias is quantized on i32 storage.
def Qopt_ConstantTensor
    : StaticShapeTensorOf<[F32, I8, I16, I32, Qopt_QuantElement]>;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

def Qopt_Function : I32EnumAttr<"Function", "a scalar function of one value", [
    I32EnumAttrCase<"Relu", 0, "relu">,
    I32EnumAttrCase<"Clip", 1, "clip">,
    I32EnumAttrCase<"LeakyRelu", 2, "leaky_relu">,
    I32EnumAttrCase<"Sigmoid", 3, "sigmoid">,
    I32EnumAttrCase<"Tanh", 4, "tanh">,
    I32EnumAttrCase<"HardSigmoid", 5, "hard_sigmoid">,
    I32EnumAttrCase<"HardSwish", 6, "hard_swish">,
    I32EnumAttrCase<"Affine", 7, "affine">,
    I32EnumAttrCase<"Elu", 8, "elu">,
    I32EnumAttrCase<"Softplus", 9, "softplus">,
    I32EnumAttrCase<"Erf", 10, "erf">,
    I32EnumAttrCase<"Exp", 11, "exp">,
    I32EnumAttrCase<"Log", 12, "log">,
    I32EnumAttrCase<"Sqrt", 13, "sqrt">,
    I32EnumAttrCase<"Reciprocal", 14, "reciprocal">,
    I32EnumAttrCase<"Pow", 15, "pow">,
    I32EnumAttrCase<"Abs", 16, "abs">,
    I32EnumAttrCase<"Sign", 17, "sign">,
    I32EnumAttrCase<"Floor", 18, "floor">,
    I32EnumAttrCase<"Ceil", 19, "ceil">,
    I32EnumAttrCase<"Round", 20, "round">,
    I32EnumAttrCase<"Greater", 21, "greater">,
    I32EnumAttrCase<"GreaterOrEqual", 22, "greater_or_equal">,
    I32EnumAttrCase<"Equal", 23, "equal">,
    I32EnumAttrCase<"Push", 24, "push">,
    I32EnumAttrCase<"Swap", 25, "swap">,
    I32EnumAttrCase<"Add", 26, "add">,
    I32EnumAttrCase<"Sub", 27, "sub">,
    I32EnumAttrCase<"Mul", 28, "mul">,
    I32EnumAttrCase<"Div", 29, "div">,
    I32EnumAttrCase<"Min", 30, "min">,
    I32EnumAttrCase<"Max", 31, "max">,
    I32EnumAttrCase<"Sin", 32, "sin">,
    I32EnumAttrCase<"Cos", 33, "cos">,
    I32EnumAttrCase<"Atan", 34, "atan">]> {
  let cppNamespace = "::mlir::qopt";
  let genSpecializedAttr = 0;
}

def Qopt_FnAttr : AttrDef<Qopt_Dialect, "Fn"> {
  let mnemonic = "fn";
  let summary = "a scalar function with its parameters";
  let description = [{
    `#qopt.fn<relu>`, `#qopt.fn<clip, 0.0, 6.0>` (min, max),
    `#qopt.fn<leaky_relu, 0.1>` (alpha), `#qopt.fn<hard_sigmoid, 0.2, 0.5>`
    (alpha, beta), `#qopt.fn<affine, 2.0, 1.0>` (a, b: `a x + b`),
    `#qopt.fn<elu, 1.0, 1.0>` (a, b: `a (e^(x / b) - 1)` below 0),
    `#qopt.fn<pow, 3.0>` (the exponent), `#qopt.fn<greater, 0.5>`,
    `#qopt.fn<greater_or_equal, 0.5>`, `#qopt.fn<equal, 0.5>` (what `x` is
    compared with; the value is 1 or 0). `sigmoid`, `tanh`, `hard_swish`,
    `softplus`, `erf`, `exp`, `log`, `sqrt`, `reciprocal`, `abs`, `sign`,
    `floor`, `ceil`, `round` (ties to even), `sin`, `cos` and `atan` take no
    parameter.

    In a chain, `push` puts a copy of the value `x` on a stack, `swap` exchanges
    `x` and the top `t`; `add`, `sub`, `mul`, `div`, `min` and `max` take `t`
    from the stack and give `t + x`, `t - x`, `t x`, `t / x`, the smaller, the
    larger. So `push, sigmoid, mul` is `x sigmoid(x)`.

    Constraints:
    - (C1) the function has as many parameters as stated.
    - (C2) no parameter is NaN; only the bounds of `clip` may be infinite.
    - (C3) the bounds of `clip` are ordered.
    - (C4) the divisor of `elu` is not zero.
  }];
  let parameters = (ins EnumParameter<Qopt_Function>:$function,
                        ArrayRefParameter<"double">:$params);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  // Doubles have no hash of their own; the storage compares bit patterns.
  let genStorageClass = 0;
  let extraClassDeclaration = [{
    /// The function's value in double; see docs/arithmetic.md, "Table". `x`
    /// itself for those that need a stack.
    double evaluate(double x) const;
    /// True for relu and clip: the functions an integer op's clamp absorbs.
    bool isClamp() const;
    /// The clamp's bounds; -inf or +inf where there is none.
    double getClampMin() const;
    double getClampMax() const;
    static unsigned getNumParams(Function function);
    /// The same function for tables.
    ::mlir::qopt::numerics::ScalarFunction getScalarFunction() const;
  }];
}

def Qopt_FnArrayAttr : TypedArrayAttrBase<Qopt_FnAttr, "scalar functions">;

//===----------------------------------------------------------------------===//
// Op base
//===----------------------------------------------------------------------===//

// An I64Attr whose accessor is signed.
def Qopt_I64Attr : TypedSignlessIntegerAttrBase<
    I64, "int64_t", "64-bit signless integer attribute">;

class Qopt_Op<string mnemonic, list<Trait> traits = []>
    : Op<Qopt_Dialect, mnemonic, traits>;

#endif // QOPT_IR_QOPTBASE_TD
