// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors that a model holds as integers: their types, their constants as ops.
#pragma once

#include "NodeContext.h"

namespace mlir::qopt::importer {

/// What the integers of a graph input of this type name (`uint8`, ...) are,
/// without scales; null for types that are no quantized activations.
QuantizationRef getInputQuantization(StringRef typeName);

/// Integers that mean themselves, less `zeroPoint`: scale 1.
Quantization asNumbers(const Quantization &integers, int64_t zeroPoint = 0);

/// The name of the integers' own type, as above.
StringRef getIntegerName(const Quantization &quantization);

/// Whether `opType` gives the same result on integers as on the reals that they
/// stand for, whatever the scale: it moves or selects values.
bool movesIntegers(StringRef opType);

/// The quantized element type; null where its parameters are not valid.
Type getElementType(MLIRContext *context, const Quantization &quantization);

/// A `qopt.constant` of the integers behind `constant` and the
/// `qopt.dequantize` of it; null where it has none.
Value materializeQuantized(ImportState &state, const Constant &constant,
                           Location loc);

} // namespace mlir::qopt::importer
