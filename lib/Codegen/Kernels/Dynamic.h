// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that find scales when a model runs; any layouts. See Kernels.h.
#pragma once

#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/QintDynamic.h"

namespace mlir::qopt::codegen {

// Dynamic.cpp: values of all samples.
LogicalResult emit(KernelContext &, qint::RealToGridOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::LayerToGridOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::SumToGridOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::ProductToGridOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::GridToFixedOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::GridQuantizeOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::GridToRealOp, ArrayRef<View> in,
                   ArrayRef<View> out);

// DynamicRecords.cpp: one record a sample.
LogicalResult emit(KernelContext &, qint::RealGridOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::GridScaleOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::LayerGridOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::SumGridOp, ArrayRef<View> in,
                   ArrayRef<View> out);
LogicalResult emit(KernelContext &, qint::ProductGridOp, ArrayRef<View> in,
                   ArrayRef<View> out);

} // namespace mlir::qopt::codegen
