// RUN: qopt-opt %s --qopt-fuse-normalization | FileCheck %s

// As Paddle and PyTorch write it; factors and a ReLU follow.
// CHECK-LABEL: func.func @written_out
// CHECK-NEXT:    %[[Y:.*]] = qopt.layer_norm %arg0 axes [1] {activation = #qopt.fn<relu>, beta = dense<{{.*}}5.000000e-01, 1.500000e+00{{.*}}> : tensor<1x2xf32>, epsilon = 1.000000e-05 : f64, gamma = dense<{{.*}}2.000000e+00, 3.000000e+00{{.*}}> : tensor<1x2xf32>, qopt.value = "y"}
// CHECK-NEXT:    return %[[Y]]
func.func @written_out(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %m = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %d = qopt.sub %x, %m : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %s = qopt.unary %d [#qopt.fn<pow, 2.0>] : (tensor<4x2xf32>) -> tensor<4x2xf32>
  %v = qopt.reduce_mean %s axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %e = qopt.unary %v [#qopt.fn<affine, 1.0, 1.0e-5>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %r = qopt.unary %e [#qopt.fn<sqrt>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %q = qopt.div %d, %r {qopt.value = "q"} : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %g = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %b = qopt.constant dense<[0.5, 1.5]> : tensor<2xf32>
  %p = qopt.mul %q, %g : (tensor<4x2xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  %y = qopt.add %b, %p {activation = #qopt.fn<relu>, qopt.value = "y"} : (tensor<2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// The product with an inverse; the difference is written twice.
// CHECK-LABEL: func.func @inverse
// CHECK-NEXT:    qopt.layer_norm %arg0 axes [1] {epsilon = 1.000000e-05 : f64} :
// CHECK-NEXT:    return
func.func @inverse(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %m = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %d = qopt.sub %x, %m : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %s = qopt.mul %d, %d : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %v = qopt.reduce_mean %s axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %i = qopt.unary %v [#qopt.fn<affine, 1.0, 1.0e-5>, #qopt.fn<sqrt>, #qopt.fn<reciprocal>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %n = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %c = qopt.sub %x, %n : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %y = qopt.mul %i, %d : (tensor<4x1xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// The mean of squares less the square of the mean, as ONNX's function.
// CHECK-LABEL: func.func @difference_of_squares
// CHECK-NEXT:    qopt.layer_norm %arg0 axes [1] {epsilon = 1.000000e-05 : f64} :
// CHECK-NEXT:    return
func.func @difference_of_squares(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %m = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %s = qopt.mul %x, %x : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %t = qopt.reduce_mean %s axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %n = qopt.mul %m, %m : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %v = qopt.sub %t, %n : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %r = qopt.unary %v [#qopt.fn<affine, 1.0, 1.0e-5>, #qopt.fn<sqrt>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %d = qopt.sub %x, %m : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %y = qopt.div %d, %r : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// Without a mean; sums instead of means, axes that were dropped and put back.
// CHECK-LABEL: func.func @root_mean_square
// CHECK-NEXT:    qopt.layer_norm %arg0 axes [1] {center = false, epsilon = 2.500000e-01 : f64, gamma = dense<0.707106769> : tensor<1x1xf32>} :
// CHECK-NEXT:    return
func.func @root_mean_square(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %s = qopt.unary %x [#qopt.fn<pow, 2.0>] : (tensor<4x2xf32>) -> tensor<4x2xf32>
  %t = qopt.reduce_sum %s axes [1] {keep_dims = false} : (tensor<4x2xf32>) -> tensor<4xf32>
  %v = qopt.reshape %t : (tensor<4xf32>) -> tensor<4x1xf32>
  %i = qopt.unary %v [#qopt.fn<affine, 1.0, 0.5>, #qopt.fn<pow, -0.5>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %y = qopt.mul %x, %i : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// CHECK-LABEL: func.func @by_norms
// CHECK-NEXT:    %[[A:.*]] = qopt.layer_norm %arg0 axes [1] {center = false, epsilon = 0.000000e+00 : f64, gamma = dense<5.000000e-01> : tensor<1x1xf32>} :
// CHECK-NEXT:    qopt.layer_norm %[[A]] axes [1] {center = false, epsilon = 0.000000e+00 : f64, gamma = dense<2.500000e-01> : tensor<1x1xf32>, power = 1 : i64} :
// CHECK-NEXT:    return
func.func @by_norms(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %l = qopt.reduce_l2 %x axes [1] : (tensor<3x4xf32>) -> tensor<3x1xf32>
  %c = qopt.unary %l [#qopt.fn<clip, 1.0e-12, 0x7FF0000000000000>] : (tensor<3x1xf32>) -> tensor<3x1xf32>
  %a = qopt.div %x, %c : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
  %m = qopt.reduce_l1 %a axes [1] : (tensor<3x4xf32>) -> tensor<3x1xf32>
  %y = qopt.div %a, %m : (tensor<3x4xf32>, tensor<3x1xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// Factors join those that are there; an affine function in front of another.
// CHECK-LABEL: func.func @factors
// CHECK-NEXT:    %[[N:.*]] = qopt.layer_norm %arg0 axes [1] {beta = dense<{{.*}}3.000000e+00, 5.000000e+00{{.*}}> : tensor<1x2xf32>, epsilon = {{.*}}, gamma = dense<{{.*}}4.000000e+00, 8.000000e+00{{.*}}> : tensor<1x2xf32>} :
// CHECK-NEXT:    qopt.unary %[[N]] [#qopt.fn<tanh>]
// CHECK-NEXT:    return
func.func @factors(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %n = qopt.layer_norm %x axes [1] {epsilon = 1.0e-5 : f64, gamma = dense<[[2.0, 4.0]]> : tensor<1x2xf32>, beta = dense<[[1.0, 2.0]]> : tensor<1x2xf32>} : (tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = qopt.unary %n [#qopt.fn<affine, 2.0, 1.0>, #qopt.fn<tanh>] : (tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// What is added behind the root, and a mean over another axis.
// CHECK-LABEL: func.func @something_else
// CHECK-NOT:     layer_norm
// CHECK:         return
func.func @something_else(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %m = qopt.reduce_mean %x axes [1] : (tensor<2x2xf32>) -> tensor<2x1xf32>
  %d = qopt.sub %x, %m : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %s = qopt.mul %d, %d : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %v = qopt.reduce_mean %s axes [1] : (tensor<2x2xf32>) -> tensor<2x1xf32>
  %r = qopt.unary %v [#qopt.fn<sqrt>, #qopt.fn<affine, 1.0, 0.5>] : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = qopt.div %d, %r : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %w = qopt.reduce_mean %s axes [0] : (tensor<2x2xf32>) -> tensor<1x2xf32>
  %q = qopt.unary %w [#qopt.fn<sqrt>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %z = qopt.div %d, %q : (tensor<2x2xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
}

// A second reader needs the value before the factor.
// CHECK-LABEL: func.func @second_reader
// CHECK:         qopt.layer_norm
// CHECK-NEXT:    qopt.mul
func.func @second_reader(%x: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %g = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %n = qopt.layer_norm %x axes [1] {epsilon = 1.0e-5 : f64} : (tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = qopt.mul %n, %g : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  return %n, %y : tensor<3x2xf32>, tensor<3x2xf32>
}
