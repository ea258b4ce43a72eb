// RUN: mlir-opt --load-dialect-plugin=%plugin --load-pass-plugin=%plugin %s \
// RUN:   --pass-pipeline='builtin.module(qopt-observe-pipeline{method=minmax},func.func(qopt-convert-to-quant))' | FileCheck %s

// The stock mlir-opt parses, rewrites and prints qopt.
// CHECK-LABEL: func.func @main
// CHECK:         qopt.observe %arg0 "arg0" {method = "minmax"}
// CHECK:         qopt.gemm {{.*}} {activation = #qopt.fn<relu>}
// CHECK:         quant.qcast
func.func @main(%x: tensor<1x4xf32>) -> (tensor<1x3xf32>, tensor<2x!quant.uniform<i8:f32, 0.5>>) {
  %w = qopt.constant dense<0.5> : tensor<3x4xf32>
  %c = qopt.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %a = qopt.gemm %x, %w : (tensor<1x4xf32>, tensor<3x4xf32>) -> tensor<1x3xf32>
  %r = qopt.unary %a [#qopt.fn<relu>] : (tensor<1x3xf32>) -> tensor<1x3xf32>
  %q = qopt.quantize %c : tensor<2xf32> -> tensor<2x!quant.uniform<i8:f32, 0.5>>
  return %r, %q : tensor<1x3xf32>, tensor<2x!quant.uniform<i8:f32, 0.5>>
}
