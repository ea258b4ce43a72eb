// RUN: qopt-opt %s --qopt-simplify | FileCheck %s

!w = !quant.uniform<i8:f32:0, {5.000000e-01:1,2.500000e-01,1.000000e+00}>
!t = !quant.uniform<i8:f32, 5.000000e-01:2>

// A batch norm behind weights that are integers goes into their scales: twice,
// minus four times (mirrored about -1/2: -1 - q) and zero times.
// CHECK-LABEL: func.func @fold
// CHECK-DAG:     %[[W:.*]] = qopt.constant dense<{{\[\[}}-128, 127], [127, -128], [0, 0]]> : tensor<3x2xi8> as tensor<3x2x!quant.uniform<i8:f32:0, {1.000000e+00:1,1.000000e+00:-1,1.000000e+00}>>
// CHECK-DAG:     %[[B:.*]] = qopt.constant dense<[3.000000e+00, -6.000000e+00, 5.000000e+00]> : tensor<3xf32>
// CHECK:         %[[D:.*]] = qopt.dequantize %[[W]]
// CHECK:         qopt.gemm %arg0, %[[D]], %[[B]]
// CHECK-NEXT:    return
func.func @fold(%x: tensor<1x2xf32>) -> tensor<1x3xf32> {
  %wq = qopt.constant dense<[[-128, 127], [-128, 127], [3, 4]]> : tensor<3x2xi8> as tensor<3x2x!w>
  %w = qopt.dequantize %wq : tensor<3x2x!w> -> tensor<3x2xf32>
  %b = qopt.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %s = qopt.constant dense<[2.0, -4.0, 0.0]> : tensor<3xf32>
  %t = qopt.constant dense<[1.0, 2.0, 5.0]> : tensor<3xf32>
  %g = qopt.gemm %x, %w, %b : (tensor<1x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  %n = qopt.batch_norm %g, %s, %t : (tensor<1x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  return %n : tensor<1x3xf32>
}

// One scale in all becomes one a channel.
// CHECK-LABEL: func.func @one_scale
// CHECK:         qopt.constant dense<{{.*}}> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!quant.uniform<i8:f32:0, {1.000000e+00:2,1.500000e+00:2}>>
// CHECK-NOT:     qopt.mul
func.func @one_scale(%x: tensor<1x1x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %wq = qopt.constant dense<[[[[5]]], [[[7]]]]> : tensor<2x1x1x1xi8> as tensor<2x1x1x1x!t>
  %w = qopt.dequantize %wq : tensor<2x1x1x1x!t> -> tensor<2x1x1x1xf32>
  %k = qopt.constant dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32>
  %c = qopt.conv %x, %w : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %m = qopt.mul %c, %k : (tensor<1x2x2x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2x2xf32>
  return %m : tensor<1x2x2x2xf32>
}

// A scale below the smallest that a type may have: the map stays.
// CHECK-LABEL: func.func @negative_tiny
// CHECK:         qopt.gemm
// CHECK-NEXT:    qopt.unary
func.func @negative_tiny(%x: tensor<1x2xf32>) -> tensor<1x3xf32> {
  %wq = qopt.constant dense<[[-128, 127], [-128, 127], [3, 4]]> : tensor<3x2xi8> as tensor<3x2x!w>
  %w = qopt.dequantize %wq : tensor<3x2x!w> -> tensor<3x2xf32>
  %g = qopt.gemm %x, %w : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<1x3xf32>
  %n = qopt.unary %g [#qopt.fn<affine, 1.0e-38, 0.0>] : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return %n : tensor<1x3xf32>
}
