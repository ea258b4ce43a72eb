// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of ONNX operators: opsets, importer, supported forms. A new
// operator is one line here and one function in its family's file.
#include "Registry.h"

#include "qopt/Import/ONNX/Import.h"

namespace mlir::qopt::importer {

static constexpr int64_t oldest = kMinOpset, latest = kMaxOpset;

static const char *const foldedOnly = "where all inputs are constants";

// Sorted by operator, then opset. clang-format would break the columns.
// clang-format off
static const OpEntry table[] = {
    {"Abs", oldest, latest, importFunction,
     "float tensors; constants of any type"},
    {"Add", oldest, latest, importBinary, "float tensors, broadcast"},
    {"And", oldest, latest, importAndOr, "bool tensors, broadcast"},
    {"AveragePool", oldest, 9, importAveragePool,
     "1-D to 3-D; auto_pad, count_include_pad"},
    {"AveragePool", 10, 18, importAveragePool,
     "1-D to 3-D; auto_pad, count_include_pad, ceil_mode"},
    {"AveragePool", 19, latest, importAveragePool,
     "1-D to 3-D; auto_pad, count_include_pad, ceil_mode, dilations"},
    {"BatchNormalization", oldest, 8, importBatchNormalization,
     "inference, rank 2 and more, constant parameters, spatial=1"},
    {"BatchNormalization", 9, latest, importBatchNormalization,
     "inference, rank 2 and more, constant parameters"},
    {"Cast", oldest, latest, importCast,
     "constants; float tensors to a float type (computed as float32)"},
    {"Ceil", oldest, latest, importFunction, "float tensors"},
    {"Celu", 12, latest, importElu, "any alpha but 0"},
    {"Clip", oldest, 10, importClip, "bounds as attributes"},
    {"Clip", 11, latest, importClip, "constant bounds as inputs"},
    {"Concat", oldest, latest, importConcat, "any axis"},
    {"Constant", oldest, latest, importConstant,
     "value, value_float(s), value_int(s) of numeric types"},
    {"ConstantOfShape", 9, latest, importConstantOfShape, foldedOnly},
    {"Conv", oldest, latest, importConv,
     "1-D to 3-D with constant weight and bias; groups, dilations, strides, "
     "auto_pad, asymmetric pads"},
    {"ConvInteger", 10, latest, importIntegerProduct,
     "after DynamicQuantizeLinear, with a constant weight"},
    {"ConvTranspose", oldest, latest, importConvTranspose,
     "1-D and 2-D with constant weight and bias; groups, dilations, strides, "
     "auto_pad, output_padding, output_shape"},
    {"DepthToSpace", oldest, 10, importDepthToSpace, "float tensors"},
    {"DepthToSpace", 11, latest, importDepthToSpace, "modes DCR and CRD"},
    {"DequantizeLinear", 10, latest, importDequantizeLinear,
     "int8, uint8, int16, uint16 by one scale; constants of these, int4, uint4 "
     "and int32 by one, along an axis or by blocks"},
    {"Div", oldest, latest, importBinary, "float tensors, broadcast"},
    {"Dropout", oldest, 11, importDropout, "as identity", true},
    {"Dropout", 12, latest, importDropout,
     "as identity; training_mode false or ratio 0", true},
    {"DynamicQuantizeLinear", 11, latest, importDynamicQuantizeLinear,
     "before MatMulInteger or ConvInteger, Cast and Mul by both scales",
     true},
    {"Elu", oldest, latest, importElu, "any alpha"},
    {"Equal", oldest, latest, importComparison,
     "float tensors, broadcast; constants"},
    {"Erf", 9, latest, importFunction, "float tensors"},
    {"Exp", oldest, latest, importFunction, "float tensors"},
    {"Expand", 8, latest, importExpand, "to a constant shape"},
    {"Flatten", oldest, latest, importFlatten, "any axis"},
    {"Floor", oldest, latest, importFunction, "float tensors"},
    {"Gather", oldest, latest, importGather,
     "constant indices of any rank, any axis"},
    {"Gelu", 20, latest, importGelu, "approximate none and tanh"},
    {"Gemm", oldest, latest, importGemm,
     "a constant right side; alpha, beta, transA, transB, any C"},
    {"GlobalAveragePool", oldest, latest, importGlobalPool, "rank 3 and more"},
    {"GlobalMaxPool", oldest, latest, importGlobalPool, "rank 3 and more"},
    {"Greater", oldest, latest, importComparison,
     "float tensors, broadcast; constants"},
    {"GreaterOrEqual", 12, latest, importComparison,
     "float tensors, broadcast; constants"},
    {"HardSigmoid", oldest, latest, importScalarFunction, "any alpha, beta"},
    {"HardSwish", 14, latest, importScalarFunction, "float tensors"},
    {"Identity", oldest, latest, importIdentity, "tensors"},
    {"If", oldest, latest, importIf, "a constant condition"},
    {"LeakyRelu", oldest, latest, importScalarFunction, "any alpha"},
    {"Less", oldest, latest, importComparison,
     "float tensors, broadcast; constants"},
    {"LessOrEqual", 12, latest, importComparison,
     "float tensors, broadcast; constants"},
    {"Log", oldest, latest, importFunction, "float tensors"},
    {"Loop", oldest, latest, importLoop,
     "a constant trip count and condition, at most 1024 iterations; unrolled"},
    {"MatMul", oldest, latest, importMatMul, "float tensors, broadcast"},
    {"MatMulInteger", 10, latest, importIntegerProduct,
     "after DynamicQuantizeLinear, with a constant right side"},
    {"Max", oldest, latest, importMinMax, "float tensors, broadcast"},
    {"MaxPool", oldest, 9, importMaxPool, "1-D to 3-D; auto_pad, pads"},
    {"MaxPool", 10, latest, importMaxPool,
     "1-D to 3-D; auto_pad, pads, ceil_mode, dilations; indices unused"},
    {"Mean", oldest, latest, importSum, "float tensors, broadcast"},
    {"Min", oldest, latest, importMinMax, "float tensors, broadcast"},
    {"Mish", 18, latest, importFunction, "float tensors"},
    {"Mul", oldest, latest, importBinary, "float tensors, broadcast"},
    {"Neg", oldest, latest, importFunction,
     "float tensors; constants of any type"},
    {"Not", oldest, latest, importNot, "bool tensors"},
    {"Or", oldest, latest, importAndOr, "bool tensors, broadcast"},
    {"PRelu", oldest, latest, importPRelu,
     "a constant slope that broadcasts to the input"},
    {"Pad", oldest, 10, importPad,
     "modes constant, reflect and edge; negative pads"},
    {"Pad", 11, 17, importPad,
     "modes constant, reflect and edge; constant pads, also negative, and "
     "value"},
    {"Pad", 18, 18, importPad,
     "modes constant, reflect and edge; constant pads, also negative, value "
     "and axes"},
    {"Pad", 19, latest, importPad,
     "modes constant, reflect, edge and wrap; constant pads, also negative, "
     "value and axes"},
    {"Pow", oldest, latest, importPow,
     "a constant exponent, the same for all elements, or such a base above 0"},
    {"QLinearConv", 10, latest, importQLinearConv,
     "as Conv; constant scales and zero points, weight scales along channels"},
    {"QLinearMatMul", 10, latest, importQLinearMatMul,
     "a constant right side, its scales along columns"},
    {"QuantizeLinear", 10, latest, importQuantizeLinear,
     "to int8, uint8, int16, uint16 by one constant scale; constants along an "
     "axis too"},
    {"Range", 11, latest, importRange, foldedOnly},
    {"Reciprocal", oldest, latest, importFunction, "float tensors"},
    {"ReduceMax", oldest, 17, importReduce, "axes as attribute"},
    {"ReduceMax", 18, latest, importReduce, "constant axes as input"},
    {"ReduceMean", oldest, 17, importReduce, "axes as attribute"},
    {"ReduceMean", 18, latest, importReduce, "constant axes as input"},
    {"ReduceMin", oldest, 17, importReduce, "axes as attribute"},
    {"ReduceMin", 18, latest, importReduce, "constant axes as input"},
    {"ReduceSum", oldest, 12, importReduce, "axes as attribute"},
    {"ReduceSum", 13, latest, importReduce, "constant axes as input"},
    {"Relu", oldest, latest, importRelu, "float tensors"},
    {"Reshape", oldest, 13, importReshape, "a constant shape; 0 and -1"},
    {"Reshape", 14, latest, importReshape,
     "a constant shape; 0, -1 and allowzero"},
    {"Resize", 10, 10, importResize, "nearest and linear, constant scales"},
    {"Resize", 11, 12, importResize,
     "nearest, linear and cubic, all coordinates; constant scales, sizes and "
     "region"},
    {"Resize", 13, 17, importResize,
     "nearest, linear and cubic, all coordinates; constant scales, sizes and "
     "region"},
    {"Resize", 18, latest, importResize,
     "nearest, linear and cubic, all coordinates, antialias; constant scales, "
     "sizes and region, axes, keep_aspect_ratio_policy"},
    {"Round", 11, latest, importFunction, "float tensors"},
    {"Selu", oldest, latest, importElu, "any alpha, gamma"},
    {"Shape", oldest, latest, importShape, "any tensor"},
    {"Sigmoid", oldest, latest, importScalarFunction, "float tensors"},
    {"Sign", 9, latest, importFunction, "float tensors"},
    {"Size", oldest, latest, importSize, "any tensor"},
    {"Slice", oldest, 9, importSlice, "any axes"},
    {"Slice", 10, latest, importSlice,
     "constant starts, ends, axes and steps, also negative"},
    {"Softmax", oldest, 12, importSoftmax, "any axis; flattens from it"},
    {"Softmax", 13, latest, importSoftmax, "any axis"},
    {"Softplus", oldest, latest, importFunction, "float tensors"},
    {"Softsign", oldest, latest, importFunction, "float tensors"},
    {"SpaceToDepth", oldest, latest, importSpaceToDepth, "float tensors"},
    {"Split", oldest, 12, importSplit, "sizes as attribute, or equal parts",
     true},
    {"Split", 13, 17, importSplit, "constant sizes, or equal parts", true},
    {"Split", 18, latest, importSplit,
     "constant sizes, or num_outputs parts", true},
    {"Sqrt", oldest, latest, importFunction, "float tensors"},
    {"Squeeze", oldest, 12, importSqueeze, "axes as attribute"},
    {"Squeeze", 13, latest, importSqueeze, "constant axes as input"},
    {"Sub", oldest, latest, importBinary, "float tensors, broadcast"},
    {"Sum", oldest, latest, importSum, "float tensors, broadcast"},
    {"Tanh", oldest, latest, importScalarFunction, "float tensors"},
    {"ThresholdedRelu", 10, latest, importThresholdedRelu, "any alpha"},
    {"Tile", oldest, latest, importTile, "constant repeats"},
    {"Transpose", oldest, latest, importTranspose, "any permutation"},
    {"Unsqueeze", oldest, 12, importUnsqueeze, "axes as attribute"},
    {"Unsqueeze", 13, latest, importUnsqueeze, "constant axes as input"},
    {"Upsample", oldest, 8, importUpsample,
     "nearest and linear; scales as attribute"},
    {"Upsample", 9, 9, importUpsample, "nearest and linear, constant scales"},
    {"Where", 9, latest, importWhere,
     "bool conditions, float branches, broadcast; constants"},
    {"Xor", oldest, latest, importXor, "bool tensors, broadcast"},
    {"com.microsoft.DequantizeLinear", oldest, latest, importDequantizeLinear,
     "as ONNX's"},
    {"com.microsoft.QGemm", oldest, latest, importQGemm,
     "as Gemm; constant scales; quantized or float result"},
    {"com.microsoft.QLinearAdd", oldest, latest, importQLinearBinary,
     "as Add; constant scales"},
    {"com.microsoft.QLinearAveragePool", oldest, latest, importQLinearUnary,
     "as AveragePool; channels first"},
    {"com.microsoft.QLinearConcat", oldest, latest, importQLinearConcat,
     "as Concat; constant scales"},
    {"com.microsoft.QLinearGlobalAveragePool", oldest, latest,
     importQLinearUnary, "channels first"},
    {"com.microsoft.QLinearLeakyRelu", oldest, latest, importQLinearUnary,
     "any alpha"},
    {"com.microsoft.QLinearMul", oldest, latest, importQLinearBinary,
     "as Mul; constant scales"},
    {"com.microsoft.QLinearSigmoid", oldest, latest, importQLinearUnary,
     "constant scales"},
    {"com.microsoft.QLinearSoftmax", oldest, latest, importQLinearUnary,
     "as Softmax of the model's opset"},
    {"com.microsoft.QuantizeLinear", oldest, latest, importQuantizeLinear,
     "as ONNX's"},
};
// clang-format on

ArrayRef<OpEntry> getOpTable() { return table; }

const OpEntry *lookupOp(StringRef opType, int64_t opset) {
  for (const OpEntry &entry : table)
    if (opType == entry.opType && opset >= entry.since && opset <= entry.until)
      return &entry;
  return nullptr;
}

void printSupportedOps(llvm::raw_ostream &os) {
  os << "| operator | opsets | supported |\n|---|---|---|\n";
  for (const OpEntry &entry : table)
    os << "| " << entry.opType << " | " << entry.since << " - " << entry.until
       << " | " << entry.supported << " |\n";
}

} // namespace mlir::qopt::importer
