// RUN: qopt-opt %s --qopt-simplify | FileCheck %s

// Maps of channels at the limits of their conditions, values worked out by
// hand.

// A gemm of rank 3 has its channels on the last axis; a batch norm is along the
// first but one, which here are rows.
// CHECK-LABEL: func.func @negative_batch_norm_of_rows
// CHECK:         qopt.gemm %arg0
// CHECK:         qopt.conv
func.func @negative_batch_norm_of_rows(%x: tensor<1x2x3xf32>) -> tensor<1x2x2xf32> {
  %w = qopt.constant dense<1.0> : tensor<2x3xf32>
  %k = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %c = qopt.gemm %x, %w : (tensor<1x2x3xf32>, tensor<2x3xf32>) -> tensor<1x2x2xf32>
  %y = qopt.batch_norm %c, %k, %k : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  return %y : tensor<1x2x2xf32>
}

// A gemm takes a map of its input's last axis: w scale, b + sum w shift.
// CHECK-LABEL: func.func @map_into_gemm
// CHECK-DAG:     qopt.constant dense<{{\[\[}}2.000000e+00, 6.000000e+00], [6.000000e+00, 1.200000e+01]]> : tensor<2x2xf32>
// CHECK-DAG:     qopt.constant dense<[1.000000e+01, 2.000000e+01]> : tensor<2xf32>
// CHECK:         qopt.gemm %arg0
// CHECK-NOT:     qopt.mul
func.func @map_into_gemm(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = qopt.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %k = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %m = qopt.mul %x, %k : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.gemm %m, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// CHECK-LABEL: func.func @shift_into_gemm
// CHECK-DAG:     qopt.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG:     qopt.constant dense<[1.800000e+01, 3.800000e+01]> : tensor<2xf32>
// CHECK:         qopt.gemm %arg0
// CHECK-NOT:     qopt.add
func.func @shift_into_gemm(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = qopt.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %k = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %m = qopt.add %x, %k : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.gemm %m, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// A clamp between the map and its reader, a product that broadcasts, weights
// and biases from outside, folded weights that overflow.
// CHECK-LABEL: func.func @negative_into_gemm
// CHECK:         qopt.add %arg0, %{{.*}} {activation
// CHECK-NEXT:    qopt.gemm
// CHECK-NEXT:    qopt.add
// CHECK-NEXT:    qopt.gemm
// CHECK-NEXT:    qopt.add
// CHECK-NEXT:    qopt.gemm
// CHECK-NEXT:    qopt.mul
// CHECK-NEXT:    qopt.gemm
func.func @negative_into_gemm(%x: tensor<1x2xf32>, %v: tensor<2x2xf32>, %b: tensor<2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = qopt.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %h = qopt.constant dense<1.0e+30> : tensor<2x2xf32>
  %k = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %l = qopt.constant dense<[1.0e+30, 1.0]> : tensor<2xf32>
  %m0 = qopt.add %x, %k {activation = #qopt.fn<relu>} : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y0 = qopt.gemm %m0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %m1 = qopt.add %x, %k : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y1 = qopt.gemm %m1, %v : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %m2 = qopt.add %x, %k : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y2 = qopt.gemm %m2, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %m3 = qopt.mul %x, %l : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y3 = qopt.gemm %m3, %h : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y0, %y1, %y2, %y3 : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}

// Scale or shift from outside: no conv can take the place of the batch norm.
// CHECK-LABEL: func.func @negative_variable_batch_norm
// CHECK-COUNT-2: qopt.batch_norm
func.func @negative_variable_batch_norm(%x: tensor<1x2x4x4xf32>, %v: tensor<2xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  %k = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %a = qopt.batch_norm %x, %v, %k : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %b = qopt.batch_norm %x, %k, %v : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %a, %b : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// One channel that a product broadcasts to two: the conv has one channel only.
// CHECK-LABEL: func.func @negative_broadcast_channel
// CHECK:         qopt.conv
// CHECK-NEXT:    qopt.mul
func.func @negative_broadcast_channel(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = qopt.constant dense<2.0> : tensor<1x1x1x1xf32>
  %k = qopt.constant dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32>
  %c = qopt.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %y = qopt.mul %c, %k : (tensor<1x1x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %y : tensor<1x2x4x4xf32>
}

// A value of each channel, but no constant.
// CHECK-LABEL: func.func @negative_variable_map
// CHECK:         qopt.conv
// CHECK-NEXT:    qopt.mul
func.func @negative_variable_map(%x: tensor<1x1x4x4xf32>, %k: tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32> {
  %w = qopt.constant dense<2.0> : tensor<2x1x1x1xf32>
  %c = qopt.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.mul %c, %k : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %y : tensor<1x2x4x4xf32>
}

// Two groups of two channels with two taps each: channels 0 and 1 meet the
// first filter, 2 and 3 the second.
// CHECK-LABEL: func.func @map_into_groups
// CHECK-DAG:     qopt.constant dense<{{\[\[\[\[}}1.000000e+00, 1.000000e+00]], {{\[\[}}2.000000e+00, 2.000000e+00]]], {{\[\[\[}}3.000000e+00, 3.000000e+00]], {{\[\[}}4.000000e+00, 4.000000e+00]]]]> : tensor<2x2x1x2xf32>
// CHECK:         qopt.conv %arg0
func.func @map_into_groups(%x: tensor<1x4x4x4xf32>) -> tensor<1x2x4x3xf32> {
  %w = qopt.constant dense<1.0> : tensor<2x2x1x2xf32>
  %k = qopt.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %m = qopt.mul %x, %k : (tensor<1x4x4x4xf32>, tensor<4x1x1xf32>) -> tensor<1x4x4x4xf32>
  %y = qopt.conv %m, %w {groups = 2 : i64} : (tensor<1x4x4x4xf32>, tensor<2x2x1x2xf32>) -> tensor<1x2x4x3xf32>
  return %y : tensor<1x2x4x3xf32>
}

// The batch norm is folded into its conv before it can become one.
// CHECK-LABEL: func.func @batch_norm_prefers_its_conv
// CHECK-COUNT-1: qopt.conv
// CHECK-NOT:     qopt.conv
// CHECK:         return
func.func @batch_norm_prefers_its_conv(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = qopt.constant dense<2.0> : tensor<2x1x1x1xf32>
  %k = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %c = qopt.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.batch_norm %c, %k, %k : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %y : tensor<1x2x4x4xf32>
}
