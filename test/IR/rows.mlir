// RUN: qopt-opt %s | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @float
func.func @float(%x: tensor<2x3x4xf32>) {
  // CHECK: qopt.layer_norm %arg0 axes [1, 2] {beta = dense<1.000000e+00> : tensor<1x1x4xf32>, epsilon = 1.000000e-05 : f64, gamma = dense<2.000000e+00> : tensor<1x3x1xf32>} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  %0 = qopt.layer_norm %x axes [1, 2] {epsilon = 1.0e-5 : f64, gamma = dense<2.0> : tensor<1x3x1xf32>, beta = dense<1.0> : tensor<1x1x4xf32>} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  // CHECK: qopt.layer_norm %arg0 axes [2] {activation = #qopt.fn<relu>, center = false, epsilon = 0.000000e+00 : f64, power = 1 : i64}
  %1 = qopt.layer_norm %x axes [2] {epsilon = 0.0 : f64, center = false, power = 1 : i64, activation = #qopt.fn<relu>} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  // CHECK: qopt.log_softmax %arg0 axis 2 :
  %2 = qopt.log_softmax %x axis 2 : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  // CHECK: qopt.reduce_l1 %arg0 axes [0] : (tensor<2x3x4xf32>) -> tensor<1x3x4xf32>
  %3 = qopt.reduce_l1 %x axes [0] : (tensor<2x3x4xf32>) -> tensor<1x3x4xf32>
  // CHECK: qopt.reduce_l2 %arg0 axes [1] {keep_dims = false}
  %4 = qopt.reduce_l2 %x axes [1] {keep_dims = false} : (tensor<2x3x4xf32>) -> tensor<2x4xf32>
  // CHECK: qopt.reduce_sum_square %arg0 axes [0, 1]
  %5 = qopt.reduce_sum_square %x axes [0, 1] : (tensor<2x3x4xf32>) -> tensor<1x1x4xf32>
  // CHECK: qopt.arg_max %arg0 axis 1 {select_last = true} : (tensor<2x3x4xf32>) -> tensor<2x1x4xf32>
  %6 = qopt.arg_max %x axis 1 {select_last = true} : (tensor<2x3x4xf32>) -> tensor<2x1x4xf32>
  // CHECK: qopt.arg_min %arg0 axis 2 {keep_dims = false} : (tensor<2x3x4xf32>) -> tensor<2x3xf32>
  %7 = qopt.arg_min %x axis 2 {keep_dims = false} : (tensor<2x3x4xf32>) -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @integer
func.func @integer(%x: tensor<2x4xi8>) {
  // CHECK: qint.layer_norm %arg0 axes [1] {beta = dense<7> : tensor<1x4xi32>, epsilon = 1024 : i64, gamma = dense<1073741824> : tensor<1x1xi32>, input_zero_point = 3 : i32, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>, variance_shift = 38 : i32}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 38 : i32, epsilon = 1024 : i64, gamma = dense<1073741824> : tensor<1x1xi32>, beta = dense<7> : tensor<1x4xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  // CHECK: qint.log_softmax %arg0 axis 1 {exp_table = array<i32: 8388608, 0,{{.*}}>, requant = #qint.requant<[65536, 33554432], [14, 39], zp 127, clamp -128 to 127>}
  %1 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536, 33554432], [14, 39], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  // CHECK: qint.reduce_power %arg0 axes [1] {input_zero_point = 3 : i32, power = 2 : i64, requant = {{.*}}, root_shift = 16 : i32} : (tensor<2x4xi8>) -> tensor<2x1xi16>
  %2 = qint.reduce_power %x axes [1] {input_zero_point = 3 : i32, power = 2 : i64, root_shift = 16 : i32, requant = #qint.requant<[65536], [24], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x1xi16>
  // CHECK: qint.arg_max %arg0 axis 1 {keep_dims = false, zero_point = -128 : i32} : (tensor<2x4xi8>) -> tensor<2xi8>
  %3 = qint.arg_max %x axis 1 {keep_dims = false, zero_point = -128 : i32} : (tensor<2x4xi8>) -> tensor<2xi8>
  // CHECK: qint.arg_min %arg0 axis 0 {select_last = true, zero_point = 0 : i32}
  %4 = qint.arg_min %x axis 0 {select_last = true, zero_point = 0 : i32} : (tensor<2x4xi8>) -> tensor<1x4xi16>
  return
}
