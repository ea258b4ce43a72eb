// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of ONNX operators: which function imports an operator of an opset.
#pragma once

#include "NodeContext.h"
#include "qopt/Import/ONNX/Opsets.h"

namespace mlir::qopt::importer {

using ImportFunction = void (*)(NodeContext &);

struct OpEntry {
  const char *opType;
  /// The opsets in which the operator has this form.
  int64_t since, until;
  ImportFunction import;
  /// What is supported, for messages and for docs/onnx-ops.md.
  const char *supported;
  /// All outputs may be used, not only the first.
  bool severalOutputs = false;
};

/// All entries, sorted by operator, then opset.
ArrayRef<OpEntry> getOpTable();

/// The entry for an operator in an opset; null if there is none.
const OpEntry *lookupOp(StringRef opType, int64_t opset);

// Importers by family, one function an operator; ImportX.cpp defines them.
void importConv(NodeContext &n);
void importConvTranspose(NodeContext &n);
void importMaxPool(NodeContext &n);
void importAveragePool(NodeContext &n);
void importGlobalPool(NodeContext &n);

void importGemm(NodeContext &n);
void importMatMul(NodeContext &n);
void importEinsum(NodeContext &n);

// What ONNX Runtime's optimizer writes.
void importFusedLayer(NodeContext &n);
void importFusedMatMul(NodeContext &n);
void importFusedGelu(NodeContext &n);
void importQuickGelu(NodeContext &n);
void importSkipLayerNormalization(NodeContext &n);

void importBinary(NodeContext &n);
void importMinMax(NodeContext &n);
void importSum(NodeContext &n);
void importRelu(NodeContext &n);
void importClip(NodeContext &n);
void importScalarFunction(NodeContext &n);

void importFunction(NodeContext &n);
void importElu(NodeContext &n);
void importThresholdedRelu(NodeContext &n);
void importShrink(NodeContext &n);
void importGelu(NodeContext &n);
void importPow(NodeContext &n);
void importPRelu(NodeContext &n);

void importComparison(NodeContext &n);
void importNot(NodeContext &n);
void importIsNotFinite(NodeContext &n);
void importSimplifiedLayerNormalization(NodeContext &n);
void importTrilu(NodeContext &n);
void importCumSum(NodeContext &n);
void importDynamicQuantizeMatMul(NodeContext &n);
void importMatMulIntegerToFloat(NodeContext &n);
void importMatMulNBits(NodeContext &n);
void importAndOr(NodeContext &n);
void importWhere(NodeContext &n);
void importXor(NodeContext &n);

void importBatchNormalization(NodeContext &n);
void importSoftmax(NodeContext &n);
void importReduce(NodeContext &n);
void importGlobalLpPool(NodeContext &n);

void importLayerNormalization(NodeContext &n);
void importInstanceNormalization(NodeContext &n);
void importGroupNormalization(NodeContext &n);
void importMeanVarianceNormalization(NodeContext &n);
void importLpNormalization(NodeContext &n);
void importLRN(NodeContext &n);
void importArgExtreme(NodeContext &n);

void importReshape(NodeContext &n);
void importFlatten(NodeContext &n);
void importSqueeze(NodeContext &n);
void importUnsqueeze(NodeContext &n);
void importTranspose(NodeContext &n);
void importConcat(NodeContext &n);
void importIdentity(NodeContext &n);
void importDropout(NodeContext &n);
void importCast(NodeContext &n);
void importCastLike(NodeContext &n);

// Operators with subgraphs, which the driver expands.
void importIf(NodeContext &n);
void importLoop(NodeContext &n);

void importGather(NodeContext &n);
void importGatherND(NodeContext &n);
void importGatherElements(NodeContext &n);
void importScatterND(NodeContext &n);
void importScatterElements(NodeContext &n);
void importSlice(NodeContext &n);
void importSplit(NodeContext &n);
void importExpand(NodeContext &n);
void importTile(NodeContext &n);
void importPad(NodeContext &n);
void importDepthToSpace(NodeContext &n);
void importSpaceToDepth(NodeContext &n);
void importResize(NodeContext &n);
void importUpsample(NodeContext &n);

// Quantized operators.
void importQuantizeLinear(NodeContext &n);
void importDequantizeLinear(NodeContext &n);
void importDynamicQuantizeLinear(NodeContext &n);
void importIntegerProduct(NodeContext &n);
/// Operators that read what those two made.
void importDynamicUse(NodeContext &n);
void importQLinearConv(NodeContext &n);
void importQLinearMatMul(NodeContext &n);
void importQLinearBinary(NodeContext &n);
void importQLinearUnary(NodeContext &n);
void importQLinearConcat(NodeContext &n);
void importQGemm(NodeContext &n);

/// True where input 0 is known: the result is `steps` of it, or an error.
bool foldFunction(NodeContext &n, ArrayRef<NodeContext::Step> steps);

// Operators that are only folded.
void importConstant(NodeContext &n);
void importShape(NodeContext &n);
void importSize(NodeContext &n);
void importConstantOfShape(NodeContext &n);
void importRange(NodeContext &n);
/// Max and Min of known values.
void foldMinMax(NodeContext &n);

} // namespace mlir::qopt::importer
