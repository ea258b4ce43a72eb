// RUN: qopt-opt %s --qopt-insert-observers | FileCheck %s
// RUN: not qopt-opt %s --qopt-quantize 2>&1 | FileCheck %s --check-prefix=QUANTIZE
// RUN: not qopt-opt %s --qopt-plan 2>&1 | FileCheck %s --check-prefix=PLAN

// No op of qopt stands here: passes that make some load the dialect themselves.
// CHECK-LABEL: func.func @floats
// CHECK: qopt.observe %{{.*}} "arg0"
// QUANTIZE: error: cannot be quantized
// QUANTIZE: note: argument #0 has no observer
func.func @floats(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  return %x : tensor<1x8xf32>
}

// A declaration has nothing to change.
// CHECK: func.func private @elsewhere(tensor<1x8xf32>)
// PLAN: error: function 'elsewhere' has no body
func.func private @elsewhere(%x: tensor<1x8xf32>) -> tensor<1x8xf32>

// CHECK-LABEL: func.func @nothing
// CHECK-NEXT: return
func.func @nothing() {
  return
}
