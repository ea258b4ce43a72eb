// RUN: echo "image: -1.27 1.28" > %t.txt
// RUN: echo "relu: 0 5.1" >> %t.txt
// RUN: echo "logits: -3 3" >> %t.txt
// RUN: qopt-qcal-from-text %t.qcal < %t.txt
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-quantize-pipeline{statistics=%t.qcal method=minmax})' | FileCheck %s
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-observe-pipeline{method=minmax})' | FileCheck %s --check-prefix=OBSERVED
// RUN: not qopt-opt %s --pass-pipeline='builtin.module(qopt-quantize-pipeline)' 2>&1 | FileCheck %s --check-prefix=NONE

// From float to integers; ids stay on the ops that compute their values.
// CHECK-LABEL: func.func @main
// CHECK-SAME:    (%[[X:.*]]: tensor<1x4xi8> {qint.scale = {{.*}} : f64, qint.zero_point = -1 : i64, qopt.name = "image"})
// CHECK-SAME:    -> (tensor<1x2xi16> {qint.scale = {{.*}} : f64, qint.zero_point = 0 : i64, qopt.name = "y"})
// CHECK:         %[[H:.*]] = qint.gemm %[[X]], {{.*}}qopt.value = "relu"
// CHECK:         qint.gemm %[[H]], {{.*}}qopt.value = "logits"
// OBSERVED:      qopt.observe {{.*}} "image" {method = "minmax"}
// OBSERVED:      qopt.observe {{.*}} "relu" {method = "minmax"}
// OBSERVED:      qopt.observe {{.*}} "logits" {bits = 16 : i64, method = "minmax", symmetric = true}
// NONE: error: cannot be quantized
// NONE: note: observer 'image' has no scale
func.func @main(%x: tensor<1x4xf32> {qopt.name = "image"}) -> (tensor<1x2xf32> {qopt.name = "y"}) {
  %w = qopt.constant dense<0.5> : tensor<3x4xf32>
  %v = qopt.constant dense<0.25> : tensor<2x3xf32>
  %b = qopt.constant dense<[0.5, -0.5]> : tensor<2xf32>
  %a = qopt.gemm %x, %w {qopt.value = "hidden"} : (tensor<1x4xf32>, tensor<3x4xf32>) -> tensor<1x3xf32>
  %r = qopt.unary %a [#qopt.fn<relu>] {qopt.value = "relu"} : (tensor<1x3xf32>) -> tensor<1x3xf32>
  %y = qopt.gemm %r, %v {qopt.value = "y"} : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<1x2xf32>
  %z = qopt.add %y, %b {qopt.value = "logits"} : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %z : tensor<1x2xf32>
}
