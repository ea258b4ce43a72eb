// RUN: qopt-opt %s --qopt-bound-masks | FileCheck %s

// CHECK-LABEL: func.func @added
// CHECK-NEXT:    %[[M:.*]] = qopt.constant dense<{{\[\[}}0.000000e+00, -1.024000e+03, -1.000000e+01]]>
// CHECK-NOT:     qopt.constant
// CHECK:         qopt.add %arg0, %[[M]]
// CHECK:         qopt.softmax
func.func @added(%x: tensor<1x3xf32>) -> tensor<1x3xf32> {
  %m = qopt.constant dense<[[0.0, -1.0e9, -10.0]]> : tensor<1x3xf32>
  %s = qopt.add %x, %m : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  %y = qopt.softmax %s axis 1 : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// CHECK-LABEL: func.func @subtracted
// CHECK:         %[[M:.*]] = qopt.constant dense<{{\[\[}}0.000000e+00, 1.024000e+03, -1.000000e+09]]>
// CHECK:         qopt.sub %arg0, %[[M]]
func.func @subtracted(%x: tensor<1x3xf32>) -> tensor<1x3xf32> {
  %m = qopt.constant dense<[[0.0, 1.0e9, -1.0e9]]> : tensor<1x3xf32>
  %s = qopt.sub %x, %m : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  %y = qopt.softmax %s axis 1 : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// A mask that several layers share, made of an input, behind a move.
// CHECK-LABEL: func.func @shared
// CHECK:         qopt.unary %arg1 [#qopt.fn<affine, -1.000000e+09, 0.000000e+00>, #qopt.fn<clip, -1.024000e+03, 0x7FF0000000000000>]
func.func @shared(%x: tensor<2x3xf32>, %mask: tensor<3xf32>, %v: tensor<3x4xf32>) -> (tensor<2x3xf32>, tensor<2x4xf32>) {
  %b = qopt.unary %mask [#qopt.fn<affine, -1.0e9, 0.0>] : (tensor<3xf32>) -> tensor<3xf32>
  %r = qopt.reshape %b : (tensor<3xf32>) -> tensor<1x3xf32>
  %s = qopt.add %x, %r : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %y = qopt.softmax %s axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %t = qopt.add %r, %x : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %z = qopt.attend %t, %v : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y, %z : tensor<2x3xf32>, tensor<2x4xf32>
}

// CHECK-LABEL: func.func @negative_small_factor
// CHECK:         qopt.unary %arg0 [#qopt.fn<affine, 2.000000e+00, 0.000000e+00>] :
func.func @negative_small_factor(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %s = qopt.unary %x [#qopt.fn<affine, 2.0, 0.0>] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %y = qopt.softmax %s axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @negative_other_reader
// CHECK:         qopt.constant dense<-1.000000e+09>
// CHECK:         qopt.unary %arg0 [#qopt.fn<affine, 1.000000e+05, 0.000000e+00>] :
func.func @negative_other_reader(%x: tensor<1x3xf32>) -> (tensor<1x3xf32>, tensor<1x3xf32>) {
  %m = qopt.constant dense<-1.0e9> : tensor<1x3xf32>
  %b = qopt.unary %x [#qopt.fn<affine, 1.0e5, 0.0>] : (tensor<1x3xf32>) -> tensor<1x3xf32>
  %s = qopt.add %b, %m : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  %y = qopt.softmax %s axis 1 : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return %y, %s : tensor<1x3xf32>, tensor<1x3xf32>
}

// CHECK-LABEL: func.func @negative_values_of_attention
// CHECK:         qopt.unary %arg1 [#qopt.fn<affine, 1.000000e+05, 0.000000e+00>] :
func.func @negative_values_of_attention(%x: tensor<2x3xf32>, %v: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %w = qopt.unary %v [#qopt.fn<affine, 1.0e5, 0.0>] : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %z = qopt.attend %x, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %z : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @negative_clamped_sum
// CHECK:         qopt.constant dense<-1.000000e+09>
func.func @negative_clamped_sum(%x: tensor<1x3xf32>) -> tensor<1x3xf32> {
  %m = qopt.constant dense<-1.0e9> : tensor<1x3xf32>
  %s = qopt.add %x, %m {activation = #qopt.fn<relu>} : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  %y = qopt.softmax %s axis 1 : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
