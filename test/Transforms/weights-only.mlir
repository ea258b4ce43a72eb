// RUN: qopt-opt %s --qopt-weights-only | FileCheck %s
// RUN: qopt-opt %s --qopt-weights-only="per-channel=false" | FileCheck %s --check-prefix=TENSOR
// RUN: qopt-opt %s --qopt-weights-only="power-of-two=true" | FileCheck %s --check-prefix=POW2
// RUN: qopt-opt %s --qopt-weights-only="weight-bits=4 weight-group=2" | FileCheck %s --check-prefix=FOUR
// RUN: not qopt-opt %s --qopt-weights-only="weight-bits=3" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: expects weight-bits of 8, 4 or 2 and a weight-group of 0 or more, but got 3 and 0

// Integers behind a dequantize; activations and the bias stay float.
// CHECK-LABEL: func.func @gemm
// CHECK: %[[B:.*]] = qopt.constant dense<{{.*}}> : tensor<2xf32>
// CHECK: %[[Q:.*]] = qopt.constant
// CHECK-SAME: tensor<2x4x!quant.uniform<i8<-127:127>:f32:0, {
// CHECK: %[[W:.*]] = qopt.dequantize %[[Q]]
// CHECK: qopt.gemm %{{.*}}, %[[W]], %[[B]] {qopt.weight_bits = 8 : i64} : (tensor<1x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<1x2xf32>
// TENSOR-LABEL: func.func @gemm
// TENSOR: tensor<2x4x!quant.uniform<i8<-127:127>:f32, {{[0-9.e+-]+}}>>
// POW2-LABEL: func.func @gemm
// POW2: {1.562500e-02,3.125000e-02}
// FOUR-LABEL: func.func @gemm
// FOUR: tensor<2x4x!quant.uniform<i8<-105:105>:f32:0
// FOUR: qopt.weight_bits = 4 : i64, qopt.weight_group = 2 : i64
func.func @gemm(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %b = qopt.constant dense<[0.5, 1.0]> : tensor<2xf32>
  %w = qopt.constant dense<[[1.0, 0.5, 0.25, -0.125], [2.0, 1.0, 0.5, 0.25]]> : tensor<2x4xf32>
  %y = qopt.gemm %x, %w, %b : (tensor<1x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Two layers with one constant have one constant of integers.
// CHECK-LABEL: func.func @shared
// CHECK-COUNT-1: qopt.constant
// CHECK-COUNT-1: qopt.dequantize
// CHECK-NOT: qopt.constant
// CHECK: qopt.gemm
// CHECK: qopt.gemm
func.func @shared(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[1.0, 0.5], [2.0, 1.0]]> : tensor<2x2xf32>
  %y = qopt.gemm %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %z = qopt.gemm %y, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %z : tensor<1x2xf32>
}

// A depthwise convolution keeps 8 bits.
// FOUR-LABEL: func.func @depthwise
// FOUR: tensor<2x1x1x1x!quant.uniform<i8<-127:127>:f32:0
// FOUR: qopt.conv {{.*}}qopt.weight_bits = 8
// FOUR-NOT: qopt.weight_group
// FOUR: return
func.func @depthwise(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w = qopt.constant dense<[[[[1.0]]], [[[0.5]]]]> : tensor<2x1x1x1xf32>
  %y = qopt.conv %x, %w {groups = 2 : i64} : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  return %y : tensor<1x2x2x2xf32>
}

// A weight that is computed is no constant.
// CHECK-LABEL: func.func @computed
// CHECK-NOT: qopt.dequantize
// CHECK: qopt.matmul
func.func @computed(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %y = qopt.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Integers that are there stay, and observers go.
// CHECK-LABEL: func.func @decided
// CHECK: qopt.constant dense<[{{\[}}5, 7]]>
// CHECK-NOT: qopt.observe
// CHECK: qopt.gemm %arg0, {{.*}}qopt.weight_bits = 8
func.func @decided(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %0 = qopt.observe %x "x" : tensor<1x2xf32> -> tensor<1x2xf32>
  %q = qopt.constant dense<[[5, 7]]> : tensor<1x2xi8> as tensor<1x2x!quant.uniform<i8<-127:127>:f32, 0.5>>
  %w = qopt.dequantize %q : tensor<1x2x!quant.uniform<i8<-127:127>:f32, 0.5>> -> tensor<1x2xf32>
  %y = qopt.gemm %0, %w : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
