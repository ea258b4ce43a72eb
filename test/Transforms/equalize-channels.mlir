// RUN: qopt-opt %s --qopt-equalize-channels --split-input-file | FileCheck %s
// RUN: qopt-opt %s --qopt-equalize-channels=norms=false --split-input-file | FileCheck %s --check-prefix=NONORMS
// RUN: qopt-opt %s --qopt-equalize-channels=weights=false --split-input-file | FileCheck %s --check-prefix=NOWEIGHTS

// Ratios 64, 1, 1 of weights before to behind: the first channel is three
// octaves off.
// CHECK-LABEL: func.func @pair
// CHECK-DAG:     %[[W:.*]] = qopt.constant dense<1.000000e+00> : tensor<3x1x1x1xf32>
// CHECK-DAG:     %[[B:.*]] = qopt.constant dense<[5.000000e-01, 5.000000e+00, 6.000000e+00]> : tensor<3xf32>
// CHECK-DAG:     %[[V:.*]] = qopt.constant dense<{{\[\[\[\[}}1.000000e+00]], {{\[\[}}-1.000000e+00]], {{\[\[}}1.000000e+00]]]]> : tensor<1x3x1x1xf32>
// CHECK-DAG:     %[[A:.*]] = qopt.conv %arg0, %[[W]], %[[B]] {{.*}}qopt.channel_scale = {axis = 1 : i64, by = "weights", exponents = array<i32: 3, 0, 0>}
// CHECK-DAG:     qopt.conv %[[A]], %[[V]]
// NOWEIGHTS-NOT: by = "weights"
func.func @pair(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %w = qopt.constant dense<[[[[8.0]]], [[[1.0]]], [[[1.0]]]]> : tensor<3x1x1x1xf32>
  %b = qopt.constant dense<[4.0, 5.0, 6.0]> : tensor<3xf32>
  %v = qopt.constant dense<[[[[0.125]], [[-1.0]], [[1.0]]]]> : tensor<1x3x1x1xf32>
  %a = qopt.conv %x, %w, %b {activation = #qopt.fn<relu>} : (tensor<1x1x2x2xf32>, tensor<3x1x1x1xf32>, tensor<3xf32>) -> tensor<1x3x2x2xf32>
  %y = qopt.conv %a, %v : (tensor<1x3x2x2xf32>, tensor<1x3x1x1xf32>) -> tensor<1x1x2x2xf32>
  return %y : tensor<1x1x2x2xf32>
}

// -----

// Through a pool, a mean and a flattened image to a gemm.
// CHECK-LABEL: func.func @to_gemm
// CHECK-DAG:     qopt.constant dense<1.000000e+00> : tensor<3x1x1x1xf32>
// CHECK-DAG:     qopt.constant dense<{{\[\[}}1.000000e+00, 1.000000e+00, 2.000000e+00]]> : tensor<1x3xf32>
func.func @to_gemm(%x: tensor<1x1x4x4xf32>) -> tensor<1x1xf32> {
  %w = qopt.constant dense<[[[[16.0]]], [[[1.0]]], [[[1.0]]]]> : tensor<3x1x1x1xf32>
  %v = qopt.constant dense<[[0.0625, 1.0, 2.0]]> : tensor<1x3xf32>
  %a = qopt.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x4x4xf32>
  %p = qopt.max_pool %a {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x3x4x4xf32>) -> tensor<1x3x2x2xf32>
  %m = qopt.reduce_mean %p axes [2, 3] : (tensor<1x3x2x2xf32>) -> tensor<1x3x1x1xf32>
  %f = qopt.reshape %m : (tensor<1x3x1x1xf32>) -> tensor<1x3xf32>
  %y = qopt.gemm %f, %v : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// A sum ties both branches and both readers together.
// CHECK-LABEL: func.func @residual
// CHECK-COUNT-4: qopt.constant dense<1.000000e+00>
// CHECK-NOT:     qopt.constant
func.func @residual(%x: tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32> {
  %w = qopt.constant dense<[[[[4.0]]], [[[1.0]]], [[[1.0]]]]> : tensor<3x1x1x1xf32>
  %v = qopt.constant dense<[[[[0.25]]], [[[1.0]]], [[[1.0]]]]> : tensor<3x1x1x1xf32>
  %a = qopt.conv %x, %w {groups = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x2x2xf32>
  %b = qopt.conv %x, %w {groups = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x2x2xf32>
  %s = qopt.add %a, %b {activation = #qopt.fn<relu>} : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %c = qopt.conv %s, %v {groups = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x2x2xf32>
  %d = qopt.conv %s, %v {groups = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x2x2xf32>
  %y = qopt.mul %c, %d : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  return %y : tensor<1x3x2x2xf32>
}

// -----

// A clip between, another reader, a sum with what no layer makes.
// CHECK-LABEL: func.func @negative
// CHECK-COUNT-2: dense<{{\[\[\[\[}}4.000000e+00]]], {{\[\[\[}}1.000000e+00]]], {{\[\[\[}}1.000000e+00]]]]>
func.func @negative(%x: tensor<1x3x2x2xf32>) -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) {
  %w = qopt.constant dense<[[[[4.0]]], [[[1.0]]], [[[1.0]]]]> : tensor<3x1x1x1xf32>
  %u = qopt.constant dense<[[[[4.0]]], [[[1.0]]], [[[1.0]]]]> : tensor<3x1x1x1xf32>
  %v = qopt.constant dense<[[[[0.25]]], [[[1.0]]], [[[1.0]]]]> : tensor<3x1x1x1xf32>
  %a = qopt.conv %x, %w {activation = #qopt.fn<clip, 0.0, 6.0>, groups = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x2x2xf32>
  %b = qopt.conv %a, %v {groups = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x2x2xf32>
  %c = qopt.conv %b, %u {groups = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x2x2xf32>
  %s = qopt.add %c, %x : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %d = qopt.conv %s, %v {groups = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<1x3x2x2xf32>
  return %d, %b : tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>
}

// -----

// What a normalization makes, for both layers that read it. The first channel
// reaches 3 * 16 + 16, the others 3, behind them are weights of 1/16 and 3.
// CHECK-LABEL: func.func @norm
// CHECK-DAG:     %[[A:.*]] = qopt.layer_norm %arg0 axes [2] {beta = dense<{{\[\[\[}}5.000000e-01, 0.000000e+00, 0.000000e+00]]]> : tensor<1x1x3xf32>, epsilon = 1.000000e-05 : f64, gamma = dense<{{\[\[\[}}5.000000e-01, 1.000000e+00, 1.000000e+00]]]> : tensor<1x1x3xf32>, qopt.channel_scale = {axis = 2 : i64, by = "norms", exponents = array<i32: 5, 0, 0>}}
// CHECK-DAG:     %[[V:.*]] = qopt.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00, -3.000000e+00]]>
// CHECK-DAG:     %[[W:.*]] = qopt.constant dense<{{\[\[}}2.000000e+00, 1.000000e+00, 1.000000e+00]]>
// CHECK-DAG:     qopt.gemm %[[A]], %[[V]]
// CHECK-DAG:     qopt.gemm %[[A]], %[[W]]
// NONORMS-NOT: by = "norms"
func.func @norm(%x: tensor<1x2x3xf32>) -> (tensor<1x2x1xf32>, tensor<1x2x1xf32>) {
  %v = qopt.constant dense<[[0.03125, 3.0, -3.0]]> : tensor<1x3xf32>
  %w = qopt.constant dense<[[0.0625, 1.0, 1.0]]> : tensor<1x3xf32>
  %a = qopt.layer_norm %x axes [2] {epsilon = 1.0e-05 : f64, gamma = dense<[[[16.0, 1.0, 1.0]]]> : tensor<1x1x3xf32>, beta = dense<[[[16.0, 0.0, 0.0]]]> : tensor<1x1x3xf32>} : (tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  %b = qopt.gemm %a, %v : (tensor<1x2x3xf32>, tensor<1x3xf32>) -> tensor<1x2x1xf32>
  %c = qopt.gemm %a, %w : (tensor<1x2x3xf32>, tensor<1x3xf32>) -> tensor<1x2x1xf32>
  return %b, %c : tensor<1x2x1xf32>, tensor<1x2x1xf32>
}

// -----

// A sum reads what the normalization makes; one gamma an element of a row of
// two axes; a layer whose input is normalized along another axis than its own.
// CHECK-LABEL: func.func @no_norm
// CHECK-NOT:     qopt.channel_scale
func.func @no_norm(%x: tensor<1x3x3xf32>) -> (tensor<1x3x3xf32>, tensor<1x3x1xf32>, tensor<1x3x1xf32>) {
  %v = qopt.constant dense<[[0.03125, 3.0, -3.0]]> : tensor<1x3xf32>
  %a = qopt.layer_norm %x axes [2] {epsilon = 1.0e-05 : f64, gamma = dense<[[[16.0, 1.0, 1.0]]]> : tensor<1x1x3xf32>} : (tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  %b = qopt.gemm %a, %v : (tensor<1x3x3xf32>, tensor<1x3xf32>) -> tensor<1x3x1xf32>
  %s = qopt.add %a, %x : (tensor<1x3x3xf32>, tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  %c = qopt.layer_norm %x axes [1, 2] {epsilon = 1.0e-05 : f64, gamma = dense<[[[16.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]> : tensor<1x3x3xf32>} : (tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  %d = qopt.gemm %c, %v : (tensor<1x3x3xf32>, tensor<1x3xf32>) -> tensor<1x3x1xf32>
  %e = qopt.layer_norm %x axes [1, 2] {epsilon = 1.0e-05 : f64, gamma = dense<[[[16.0], [1.0], [1.0]]]> : tensor<1x3x1xf32>} : (tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  %f = qopt.gemm %e, %v : (tensor<1x3x3xf32>, tensor<1x3xf32>) -> tensor<1x3x1xf32>
  %g = qopt.add %d, %f : (tensor<1x3x1xf32>, tensor<1x3x1xf32>) -> tensor<1x3x1xf32>
  return %s, %b, %g : tensor<1x3x3xf32>, tensor<1x3x1xf32>, tensor<1x3x1xf32>
}

// -----

// A linear layer along the last axis of an image makes other channels than
// those that a convolution reads.
// CHECK-LABEL: func.func @axes
// CHECK-NOT:     qopt.channel_scale
func.func @axes(%x: tensor<1x3x2x3xf32>) -> tensor<1x1x2x3xf32> {
  %w = qopt.constant dense<[[8.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]> : tensor<3x3xf32>
  %v = qopt.constant dense<[[[[0.125]], [[-1.0]], [[1.0]]]]> : tensor<1x3x1x1xf32>
  %a = qopt.gemm %x, %w : (tensor<1x3x2x3xf32>, tensor<3x3xf32>) -> tensor<1x3x2x3xf32>
  %y = qopt.conv %a, %v : (tensor<1x3x2x3xf32>, tensor<1x3x1x1xf32>) -> tensor<1x1x2x3xf32>
  return %y : tensor<1x1x2x3xf32>
}
