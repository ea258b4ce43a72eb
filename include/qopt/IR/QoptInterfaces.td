// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What passes ask of an op instead of listing ops: how it shares scales, what
// it is a weight of, which scalar function it tabulates.
#ifndef QOPT_IR_QOPTINTERFACES_TD
#define QOPT_IR_QOPTINTERFACES_TD

include "mlir/IR/OpBase.td"

def Qopt_QuantizableOpInterface : OpInterface<"QuantizableOpInterface"> {
  let cppNamespace = "::mlir::qopt";
  let description = [{
    How an op takes part in quantization. Passes place observers, share scales
    and quantize weights by these answers alone.
  }];
  let methods = [
    InterfaceMethod<[{
      Who owns the result's scale:
      `Own`: the result has its own observed range;
      `Shared`: all activation operands and results have one scale, since the
      op only moves values (max pool, reshape, concat, ...);
      `Fixed`: the op prescribes it (softmax, arg_max), see `getFixedRange`.
    }], "::mlir::qopt::ScaleRule", "getScaleRule", (ins), "",
        "return ::mlir::qopt::ScaleRule::Own;">,
    InterfaceMethod<[{
      The operand that is a weight (quantized from its constant values), if any.
    }], "::mlir::OpOperand *", "getWeightOperand", (ins), "",
        "return nullptr;">,
    InterfaceMethod<[{
      The weight's output-channel axis, for per-channel scales.
    }], "int64_t", "getWeightChannelAxis", (ins), "", "return 0;">,
    InterfaceMethod<[{
      The operand that is a bias at `s_x s_w`, if any.
    }], "::mlir::OpOperand *", "getBiasOperand", (ins), "", "return nullptr;">,
    InterfaceMethod<[{
      The range a `Fixed` op's result has by its definition, where `bits` bits,
      symmetric or not, hold it: its steps divide it evenly.
    }], "::std::pair<double, double>", "getFixedRange",
        (ins "int":$bits, "bool":$symmetric), "",
        "return {0.0, 1.0};">,
  ];
}

def Qopt_FusesActivationInterface : OpInterface<"FusesActivationInterface"> {
  let cppNamespace = "::mlir::qopt";
  let description = [{
    An op with an optional `activation` that its integer form absorbs into the
    output clamp.
  }];
  let methods = [
    InterfaceMethod<"The fused clamp, or null.", "::mlir::qopt::FnAttr",
                    "getFusedActivation", (ins), "",
                    "return $_op.getActivationAttr();">,
    InterfaceMethod<"Sets the fused clamp.", "void", "setFusedActivation",
                    (ins "::mlir::qopt::FnAttr":$fn), "",
                    "$_op.setActivationAttr(fn);">,
  ];
}

#endif // QOPT_IR_QOPTINTERFACES_TD
