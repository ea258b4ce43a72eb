// RUN: qopt-opt %s --qopt-fuse-attention | FileCheck %s

// CHECK-LABEL: func.func @attention
// CHECK-NEXT:    %[[Y:.*]] = qopt.attend %arg0, %arg1 {qopt.value = "y"} : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @attention(%x: tensor<2x3x4xf32>, %v: tensor<2x4x5xf32>) -> tensor<2x3x5xf32> {
  %p = qopt.softmax %x axis 2 {qopt.value = "p"} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  %y = qopt.matmul %p, %v {qopt.value = "y"} : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  return %y : tensor<2x3x5xf32>
}

// CHECK-LABEL: func.func @negative_two_readers
// CHECK:         qopt.softmax
// CHECK:         qopt.matmul
func.func @negative_two_readers(%x: tensor<3x4xf32>, %v: tensor<4x5xf32>) -> (tensor<3x5xf32>, tensor<3x4xf32>) {
  %p = qopt.softmax %x axis 1 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = qopt.matmul %p, %v : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return %y, %p : tensor<3x5xf32>, tensor<3x4xf32>
}

// CHECK-LABEL: func.func @negative_other_axis
// CHECK:         qopt.softmax
// CHECK:         qopt.matmul
func.func @negative_other_axis(%x: tensor<3x4xf32>, %v: tensor<4x5xf32>) -> tensor<3x5xf32> {
  %p = qopt.softmax %x axis 0 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = qopt.matmul %p, %v : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}

// CHECK-LABEL: func.func @negative_right_side
// CHECK:         qopt.softmax
// CHECK:         qopt.matmul
func.func @negative_right_side(%x: tensor<3x4xf32>, %v: tensor<5x3xf32>) -> tensor<5x4xf32> {
  %p = qopt.softmax %x axis 1 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %y = qopt.matmul %v, %p : (tensor<5x3xf32>, tensor<3x4xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// A model that arrives quantized has rounded the softmax: that scale stays.
// CHECK-LABEL: func.func @negative_imported
// CHECK:         qopt.softmax
// CHECK:         qopt.matmul
func.func @negative_imported(%x: tensor<3x4xf32>, %v: tensor<4x5xf32>) -> tensor<3x5xf32> {
  %p = qopt.softmax %x axis 1 : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %o = qopt.observe %p "p" {method = "imported", scale = 3.906250e-03 : f32, zero_point = -128 : i64} : tensor<3x4xf32> -> tensor<3x4xf32>
  %y = qopt.matmul %o, %v : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return %y : tensor<3x5xf32>
}
