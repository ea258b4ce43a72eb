// RUN: qopt-opt %s --qopt-fuse-normalization | FileCheck %s

// As Keras writes it, in the terms of a batch norm: x i + (b - m i).
// CHECK-LABEL: func.func @distributed
// CHECK-NEXT:    qopt.layer_norm %arg0 axes [1] {beta = dense<{{.*}}5.000000e-01, 1.500000e+00{{.*}}> : tensor<1x2xf32>, epsilon = 1.000000e-03 : f64, gamma = dense<{{.*}}2.000000e+00, 3.000000e+00{{.*}}> : tensor<1x2xf32>, qopt.value = "y"} :
// CHECK-NEXT:    return
func.func @distributed(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %g = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %b = qopt.constant dense<[0.5, 1.5]> : tensor<2xf32>
  %m = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %d = qopt.sub %x, %m : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %s = qopt.mul %d, %d : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %v = qopt.reduce_mean %s axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %e = qopt.unary %v [#qopt.fn<affine, 1.0, 1.0e-3>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %r = qopt.unary %e [#qopt.fn<sqrt>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %q = qopt.unary %r [#qopt.fn<reciprocal>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %i = qopt.mul %q, %g : (tensor<4x1xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  %xi = qopt.mul %x, %i : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %mi = qopt.mul %m, %i : (tensor<4x1xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %bm = qopt.sub %b, %mi : (tensor<2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %y = qopt.add %xi, %bm {qopt.value = "y"} : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// Without factors.
// CHECK-LABEL: func.func @distributed_difference
// CHECK-NEXT:    qopt.layer_norm %arg0 axes [1] {epsilon = 0.000000e+00 : f64} :
// CHECK-NEXT:    return
func.func @distributed_difference(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %m = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %d = qopt.sub %x, %m : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %s = qopt.mul %d, %d : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %v = qopt.reduce_mean %s axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %i = qopt.unary %v [#qopt.fn<pow, -0.5>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %xi = qopt.mul %i, %x : (tensor<4x1xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %mi = qopt.mul %m, %i : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %y = qopt.sub %xi, %mi : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// The second product has another factor; the mean is another tensor's.
// CHECK-LABEL: func.func @other_products
// CHECK-NOT:     layer_norm
// CHECK:         return
func.func @other_products(%x: tensor<4x2xf32>, %z: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %m = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %d = qopt.sub %x, %m : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %s = qopt.mul %d, %d : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %v = qopt.reduce_mean %s axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %i = qopt.unary %v [#qopt.fn<pow, -0.5>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %xi = qopt.mul %x, %i : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %mv = qopt.mul %m, %v : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %y = qopt.sub %xi, %mv : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %n = qopt.reduce_mean %z axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %ni = qopt.mul %n, %i : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %w = qopt.sub %xi, %ni : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  return %y, %w : tensor<4x2xf32>, tensor<4x2xf32>
}

// The difference times an inverse that has its factor.
// CHECK-LABEL: func.func @scaled_inverse
// CHECK-NEXT:    qopt.layer_norm %arg0 axes [1] {activation = #qopt.fn<relu>, epsilon = 0.000000e+00 : f64, gamma = dense<{{.*}}2.000000e+00, 3.000000e+00{{.*}}> : tensor<1x2xf32>} :
// CHECK-NEXT:    return
func.func @scaled_inverse(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %g = qopt.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %m = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %d = qopt.sub %x, %m : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %s = qopt.mul %d, %d : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %v = qopt.reduce_mean %s axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %q = qopt.unary %v [#qopt.fn<pow, -0.5>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %i = qopt.mul %g, %q : (tensor<2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %y = qopt.mul %d, %i {activation = #qopt.fn<relu>} : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// Reduced axes go and come back between the functions; a guard against
// rounding.
// CHECK-LABEL: func.func @reshaped_deviation
// CHECK-NEXT:    qopt.layer_norm %arg0 axes [1] {epsilon = 1.000000e-05 : f64} :
// CHECK-NEXT:    return
func.func @reshaped_deviation(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %m = qopt.reduce_mean %x axes [1] {keep_dims = false} : (tensor<4x2xf32>) -> tensor<4xf32>
  %k = qopt.reshape %m : (tensor<4xf32>) -> tensor<4x1xf32>
  %d = qopt.sub %x, %k : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  %s = qopt.unary %x [#qopt.fn<pow, 2.0>] : (tensor<4x2xf32>) -> tensor<4x2xf32>
  %t = qopt.reduce_mean %s axes [1] {keep_dims = false} : (tensor<4x2xf32>) -> tensor<4xf32>
  %n = qopt.unary %m [#qopt.fn<pow, 2.0>] : (tensor<4xf32>) -> tensor<4xf32>
  %v = qopt.sub %t, %n : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %c = qopt.unary %v [#qopt.fn<relu>, #qopt.fn<affine, 1.0, 1.0e-5>] : (tensor<4xf32>) -> tensor<4xf32>
  %e = qopt.reshape %c : (tensor<4xf32>) -> tensor<4x1xf32>
  %r = qopt.unary %e [#qopt.fn<sqrt>] : (tensor<4x1xf32>) -> tensor<4x1xf32>
  %y = qopt.div %d, %r : (tensor<4x2xf32>, tensor<4x1xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// The deviations of rows, which divide columns.
// CHECK-LABEL: func.func @transposed_deviation
// CHECK-NOT:     layer_norm
// CHECK:         return
func.func @transposed_deviation(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %s = qopt.mul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %v = qopt.reduce_mean %s axes [1] {keep_dims = false} : (tensor<2x2xf32>) -> tensor<2xf32>
  %r = qopt.unary %v [#qopt.fn<sqrt>] : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.div %x, %r : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// A variance that nothing is divided by: differences are squared.
// CHECK-LABEL: func.func @variance
// CHECK-NEXT:    %[[M:.*]] = qopt.reduce_mean %arg0 axes [1] : {{.*}} -> tensor<4x1xf32>
// CHECK-NEXT:    %[[D:.*]] = qopt.sub %arg0, %[[M]]
// CHECK-NEXT:    %[[S:.*]] = qopt.reduce_sum_square %[[D]] axes [1] {keep_dims = false}
// CHECK-NEXT:    qopt.unary %[[S]] [#qopt.fn<affine, 5.000000e-01, 0.000000e+00>] {qopt.value = "v"}
// CHECK-NEXT:    return
func.func @variance(%x: tensor<4x2xf32>) -> tensor<4xf32> {
  %m = qopt.reduce_mean %x axes [1] {keep_dims = false} : (tensor<4x2xf32>) -> tensor<4xf32>
  %s = qopt.mul %x, %x : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %t = qopt.reduce_mean %s axes [1] {keep_dims = false} : (tensor<4x2xf32>) -> tensor<4xf32>
  %n = qopt.mul %m, %m : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %v = qopt.sub %t, %n {qopt.value = "v"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %v : tensor<4xf32>
}

// The mean of another tensor's squares.
// CHECK-LABEL: func.func @no_variance
// CHECK-NOT:     reduce_sum_square
// CHECK:         return
func.func @no_variance(%x: tensor<4x2xf32>, %z: tensor<4x2xf32>) -> tensor<4x1xf32> {
  %m = qopt.reduce_mean %x axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %s = qopt.mul %z, %z : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  %t = qopt.reduce_mean %s axes [1] : (tensor<4x2xf32>) -> tensor<4x1xf32>
  %n = qopt.mul %m, %m : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  %v = qopt.sub %t, %n : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  return %v : tensor<4x1xf32>
}

// Groups of channels: factors of channels stand behind the reshape.
// CHECK-LABEL: func.func @grouped
// CHECK-NEXT:    %[[X:.*]] = qopt.reshape %arg0 : (tensor<1x2x6xf32>) -> tensor<2x2x3xf32>
// CHECK-NEXT:    %[[N:.*]] = qopt.layer_norm %[[X]] axes [1, 2] {beta = dense<{{.*}}> : tensor<2x2x1xf32>, epsilon = 1.000000e-05 : f64, gamma = dense<{{.*}}1.000000e+00], [2.000000e+00]], {{..}}9.000000e+00], [1.200000e+01]{{.*}}> : tensor<2x2x1xf32>, qopt.value = "y"} :
// CHECK-NEXT:    qopt.reshape %[[N]] : (tensor<2x2x3xf32>) -> tensor<1x4x3xf32>
// CHECK-NEXT:    return
func.func @grouped(%x: tensor<1x2x6xf32>) -> tensor<1x4x3xf32> {
  %g = qopt.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %b = qopt.constant dense<[[0.5], [1.5], [2.5], [3.5]]> : tensor<4x1xf32>
  %n = qopt.layer_norm %x axes [2] {epsilon = 1.0e-5 : f64, gamma = dense<[[[1.0], [3.0]]]> : tensor<1x2x1xf32>} : (tensor<1x2x6xf32>) -> tensor<1x2x6xf32>
  %r = qopt.reshape %n : (tensor<1x2x6xf32>) -> tensor<1x4x3xf32>
  %p = qopt.mul %r, %g : (tensor<1x4x3xf32>, tensor<4x1xf32>) -> tensor<1x4x3xf32>
  %y = qopt.add %p, %b {qopt.value = "y"} : (tensor<1x4x3xf32>, tensor<4x1xf32>) -> tensor<1x4x3xf32>
  return %y : tensor<1x4x3xf32>
}

// Rows of 3 and of 2 have no common axes.
// CHECK-LABEL: func.func @crossed
// CHECK-NEXT:    qopt.constant
// CHECK-NEXT:    qopt.layer_norm
// CHECK-NEXT:    qopt.reshape
// CHECK-NEXT:    qopt.mul
// CHECK-NEXT:    return
func.func @crossed(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %g = qopt.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %n = qopt.layer_norm %x axes [1] {epsilon = 1.0e-5 : f64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %r = qopt.reshape %n : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %y = qopt.mul %r, %g : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
