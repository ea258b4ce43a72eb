// RUN: qopt-opt %s --qopt-fuse-normalization | FileCheck %s

// ONNX's function: what is taken off all logits of a row goes.
// CHECK-LABEL: func.func @softmax
// CHECK-NEXT:    qopt.softmax %arg0 axis 1 {qopt.value = "y"} :
// CHECK-NEXT:    return
func.func @softmax(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %m = qopt.reduce_max %x axes [1] : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %d = qopt.sub %x, %m : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %e = qopt.unary %d [#qopt.fn<exp>] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = qopt.reduce_sum %e axes [1] : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %y = qopt.div %e, %s {qopt.value = "y"} : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// A product with the inverse, without a maximum, over two axes; the sum's axes
// were dropped and put back.
// CHECK-LABEL: func.func @softmax_of_two_axes
// CHECK-NEXT:    %[[R:.*]] = qopt.reshape %arg0 : (tensor<3x2x4xf32>) -> tensor<3x8xf32>
// CHECK-NEXT:    %[[S:.*]] = qopt.softmax %[[R]] axis 1 {qopt.value = "y"} :
// CHECK-NEXT:    qopt.reshape %[[S]] : (tensor<3x8xf32>) -> tensor<3x2x4xf32>
// CHECK-NEXT:    return
func.func @softmax_of_two_axes(%x: tensor<3x2x4xf32>) -> tensor<3x2x4xf32> {
  %e = qopt.unary %x [#qopt.fn<exp>] : (tensor<3x2x4xf32>) -> tensor<3x2x4xf32>
  %s = qopt.reduce_sum %e axes [1, 2] {keep_dims = false} : (tensor<3x2x4xf32>) -> tensor<3xf32>
  %k = qopt.reshape %s : (tensor<3xf32>) -> tensor<3x1x1xf32>
  %i = qopt.unary %k [#qopt.fn<reciprocal>] : (tensor<3x1x1xf32>) -> tensor<3x1x1xf32>
  %y = qopt.mul %i, %e {qopt.value = "y"} : (tensor<3x1x1xf32>, tensor<3x2x4xf32>) -> tensor<3x2x4xf32>
  return %y : tensor<3x2x4xf32>
}

// An offset that varies along the axis stays; axes that are no neighbours, but
// for one of length one.
// CHECK-LABEL: func.func @offset_and_axes
// CHECK:         %[[D:.*]] = qopt.sub %arg0, %arg1
// CHECK:         qopt.softmax %[[D]] axis 0
// CHECK:         qopt.div
// CHECK-NEXT:    return
func.func @offset_and_axes(%x: tensor<2x3x1xf32>, %b: tensor<2x1x1xf32>, %z: tensor<2x3x2xf32>) -> (tensor<2x3x1xf32>, tensor<2x3x2xf32>) {
  %d = qopt.sub %x, %b : (tensor<2x3x1xf32>, tensor<2x1x1xf32>) -> tensor<2x3x1xf32>
  %e = qopt.unary %d [#qopt.fn<exp>] : (tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
  %s = qopt.reduce_sum %e axes [0, 2] : (tensor<2x3x1xf32>) -> tensor<1x3x1xf32>
  %y = qopt.div %e, %s : (tensor<2x3x1xf32>, tensor<1x3x1xf32>) -> tensor<2x3x1xf32>
  %f = qopt.unary %z [#qopt.fn<exp>] : (tensor<2x3x2xf32>) -> tensor<2x3x2xf32>
  %t = qopt.reduce_sum %f axes [0, 2] : (tensor<2x3x2xf32>) -> tensor<1x3x1xf32>
  %w = qopt.div %f, %t : (tensor<2x3x2xf32>, tensor<1x3x1xf32>) -> tensor<2x3x2xf32>
  return %y, %w : tensor<2x3x1xf32>, tensor<2x3x2xf32>
}

// Sums of other exponentials, sums of columns over rows, an activation, an
// inverse that is squared.
// CHECK-LABEL: func.func @no_softmax
// CHECK-NOT:     softmax
// CHECK:         return
func.func @no_softmax(%x: tensor<2x2xf32>, %z: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %e = qopt.unary %x [#qopt.fn<exp>] : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %f = qopt.unary %z [#qopt.fn<exp>] : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %s = qopt.reduce_sum %e axes [1] : (tensor<2x2xf32>) -> tensor<2x1xf32>
  %t = qopt.reduce_sum %e axes [1] {keep_dims = false} : (tensor<2x2xf32>) -> tensor<2xf32>
  %a = qopt.div %f, %s : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %b = qopt.div %e, %t : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %c = qopt.div %e, %s {activation = #qopt.fn<clip, 0.25, 1.0>} : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  %i = qopt.unary %s [#qopt.fn<pow, -2.0>] : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %d = qopt.mul %e, %i : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x2xf32>
  return %a, %b, %c, %d : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

// CHECK-LABEL: func.func @log_softmax
// CHECK-NEXT:    qopt.log_softmax %arg0 axis 0 {qopt.value = "y"} :
// CHECK-NEXT:    return
func.func @log_softmax(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %m = qopt.reduce_max %x axes [0] : (tensor<4x2xf32>) -> tensor<1x2xf32>
  %d = qopt.sub %x, %m : (tensor<4x2xf32>, tensor<1x2xf32>) -> tensor<4x2xf32>
  %e = qopt.unary %d [#qopt.fn<exp>] : (tensor<4x2xf32>) -> tensor<4x2xf32>
  %s = qopt.reduce_sum %e axes [0] : (tensor<4x2xf32>) -> tensor<1x2xf32>
  %l = qopt.unary %s [#qopt.fn<log>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = qopt.sub %d, %l {qopt.value = "y"} : (tensor<4x2xf32>, tensor<1x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// Logits less the logarithm of the sum of all exponentials.
// CHECK-LABEL: func.func @log_sum_exp
// CHECK-NEXT:    qopt.log_softmax %arg0 axis 1 :
// CHECK-NEXT:    return
func.func @log_sum_exp(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %m = qopt.reduce_max %x axes [1] : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %d = qopt.sub %x, %m : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %e = qopt.unary %d [#qopt.fn<exp>] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = qopt.reduce_sum %e axes [1] : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %l = qopt.unary %s [#qopt.fn<log>] : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %n = qopt.add %l, %m : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = qopt.sub %x, %n : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// The maximum has not come back.
// CHECK-LABEL: func.func @shifted
// CHECK-NOT:     softmax
// CHECK:         return
func.func @shifted(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %m = qopt.reduce_max %x axes [1] : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %d = qopt.sub %x, %m : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  %e = qopt.unary %d [#qopt.fn<exp>] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = qopt.reduce_sum %e axes [1] : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %l = qopt.unary %s [#qopt.fn<log>] : (tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = qopt.sub %x, %l : (tensor<2x4xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @log_of_softmax
// CHECK-NEXT:    %[[L:.*]] = qopt.log_softmax %arg0 axis 1 :
// CHECK-NEXT:    qopt.unary %[[L]] [#qopt.fn<relu>] {qopt.value = "y"}
// CHECK-NEXT:    return
func.func @log_of_softmax(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %p = qopt.softmax %x axis 1 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %y = qopt.unary %p [#qopt.fn<log>, #qopt.fn<relu>] {qopt.value = "y"} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// Something is added before the logarithm.
// CHECK-LABEL: func.func @log_of_more
// CHECK-NEXT:    qopt.softmax
// CHECK-NEXT:    qopt.unary
func.func @log_of_more(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %p = qopt.softmax %x axis 1 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %y = qopt.unary %p [#qopt.fn<affine, 1.0, 1.0e-7>, #qopt.fn<log>] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
