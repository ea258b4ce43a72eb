// RUN: qopt-opt %s --qopt-rewrite-to-qint | FileCheck %s

!x = !quant.uniform<i8:f32, 0.0625:3>
!w = !quant.uniform<i16:f32, 0.001953125>

// Results have 19 bits behind the point: gamma of -2 takes the rest of 31.
// CHECK-LABEL: func.func @layer_norm
// CHECK:         qint.layer_norm %arg0 axes [1] {beta = dense<4194304> : tensor<1x1xi32>, epsilon = 720575940379 : i64, gamma = dense<{{.*}}536870912, 268435456, 268435456, 268435456, -1073741824{{.*}}> : tensor<1x8xi32>, input_zero_point = 3 : i32, qopt.value = "y", requant = #qint.requant<[1], [19], zp 0, clamp 0 to 127>, variance_shift = 42 : i32}
func.func @layer_norm(%x: tensor<2x8x!x>) -> tensor<2x8x!quant.uniform<i8:f32, 0.03125>> {
  %y = qopt.layer_norm %x axes [1] {epsilon = 1.0e-5 : f64, gamma = dense<[[1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, -2.0]]> : tensor<1x8xf32>, beta = dense<0.25> : tensor<1x1xf32>, activation = #qopt.fn<relu>, qopt.value = "y"} : (tensor<2x8x!x>) -> tensor<2x8x!quant.uniform<i8:f32, 0.03125>>
  return %y : tensor<2x8x!quant.uniform<i8:f32, 0.03125>>
}

// CHECK-LABEL: func.func @magnitudes
// CHECK:         qint.layer_norm %arg0 axes [0, 1] {center = false, gamma = dense<1073741824> : tensor<1x1xi32>, input_zero_point = 0 : i32, power = 1 : i64, requant = #qint.requant<[1], [18], zp 0, clamp -128 to 127>} : (tensor<2x8xi16>)
func.func @magnitudes(%x: tensor<2x8x!w>) -> tensor<2x8x!quant.uniform<i8:f32, 0.03125>> {
  %y = qopt.layer_norm %x axes [0, 1] {epsilon = 0.0 : f64, center = false, power = 1 : i64} : (tensor<2x8x!w>) -> tensor<2x8x!quant.uniform<i8:f32, 0.03125>>
  return %y : tensor<2x8x!quant.uniform<i8:f32, 0.03125>>
}

// CHECK-LABEL: func.func @log_softmax
// CHECK:         qint.log_softmax %arg0 axis 1 {exp_table = array<i32: 8388608, 7880368,{{.*}}>, requant = #qint.requant<[4194304, 33554432], [22, 29], zp 127, clamp -128 to 127>}
func.func @log_softmax(%x: tensor<2x8x!x>) -> tensor<2x8x!quant.uniform<i8:f32, 0.0625:127>> {
  %y = qopt.log_softmax %x axis 1 : (tensor<2x8x!x>) -> tensor<2x8x!quant.uniform<i8:f32, 0.0625:127>>
  return %y : tensor<2x8x!quant.uniform<i8:f32, 0.0625:127>>
}

// CHECK-LABEL: func.func @wide_log_softmax
// CHECK:         qint.log_softmax %arg0 axis 1 {exp_table = array<i32: 1073741824, 651257337,{{.*}}, 1073741824, 1071646719,{{.*}}>, requant = #qint.requant<[536870912, 33554432], [28, 17], zp 32767, clamp -32768 to 32767>}
func.func @wide_log_softmax(%x: tensor<2x8x!w>) -> tensor<2x8x!quant.uniform<i16:f32, 0.0009765625:32767>> {
  %y = qopt.log_softmax %x axis 1 {qopt.rounding = "half_even"} : (tensor<2x8x!w>) -> tensor<2x8x!quant.uniform<i16:f32, 0.0009765625:32767>>
  return %y : tensor<2x8x!quant.uniform<i16:f32, 0.0009765625:32767>>
}

// CHECK-LABEL: func.func @norms
// CHECK:         qint.reduce_power %arg0 axes [1] {input_zero_point = 3 : i32, power = 1 : i64, requant = #qint.requant<[1073741824], [30],
// CHECK:         qint.reduce_power %arg0 axes [1] {input_zero_point = 3 : i32, power = 2 : i64, requant = #qint.requant<[1073741824], [52], {{.*}}>, root_shift = 22 : i32}
// CHECK:         qint.reduce_power %arg0 axes [1] {input_zero_point = 3 : i32, power = 2 : i64, requant = #qint.requant<[536870912], [33], zp 3, clamp -128 to 127>}
func.func @norms(%x: tensor<2x8x!x>) -> (tensor<2x1x!x>, tensor<2x1x!x>, tensor<2x1x!x>) {
  %a = qopt.reduce_l1 %x axes [1] : (tensor<2x8x!x>) -> tensor<2x1x!x>
  %b = qopt.reduce_l2 %x axes [1] : (tensor<2x8x!x>) -> tensor<2x1x!x>
  %c = qopt.reduce_sum_square %x axes [1] : (tensor<2x8x!x>) -> tensor<2x1x!x>
  return %a, %b, %c : tensor<2x1x!x>, tensor<2x1x!x>, tensor<2x1x!x>
}

// CHECK-LABEL: func.func @positions
// CHECK:         qint.arg_max %arg0 axis 1 {keep_dims = false, select_last = true, zero_point = -128 : i32} : (tensor<2x200xi8>) -> tensor<2xi8>
// CHECK:         qint.arg_min %arg0 axis 0 {zero_point = 0 : i32} : (tensor<2x200xi8>) -> tensor<1x200xi16>
func.func @positions(%x: tensor<2x200x!x>) -> (tensor<2x!quant.uniform<i8:f32, 1.0:-128>>, tensor<1x200x!quant.uniform<i16:f32, 1.0>>) {
  %a = qopt.arg_max %x axis 1 {keep_dims = false, select_last = true} : (tensor<2x200x!x>) -> tensor<2x!quant.uniform<i8:f32, 1.0:-128>>
  %b = qopt.arg_min %x axis 0 : (tensor<2x200x!x>) -> tensor<1x200x!quant.uniform<i16:f32, 1.0>>
  return %a, %b : tensor<2x!quant.uniform<i8:f32, 1.0:-128>>, tensor<1x200x!quant.uniform<i16:f32, 1.0>>
}

// A value of 8 bits becomes one of 16, 256 times as fine.
// CHECK-LABEL: func.func @steep_average
// CHECK:         qint.avg_pool %arg0 {{.*}}requant = #qint.requant<[1073741824, 536870912, 268435456], [22], zp 0, clamp -32768 to 32767>{{.*}}tap_counts = array<i64: 1, 2, 4>
func.func @steep_average(%x: tensor<1x1x3x3x!quant.uniform<i8:f32, 0.5>>) -> tensor<1x1x2x2x!w> {
  %y = qopt.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 1, 1>} : (tensor<1x1x3x3x!quant.uniform<i8:f32, 0.5>>) -> tensor<1x1x2x2x!w>
  return %y : tensor<1x1x2x2x!w>
}
