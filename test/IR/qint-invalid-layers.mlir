// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @requant_c1_multiplier(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects a multiplier, but got none}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[], [], zp 0, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @requant_c1_shift(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects 1 or 3 shifts, but got 2}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1, 2, 3], [4, 5], zp 0, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @requant_c2_zero(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects multipliers other than 0 and -2^31, but got 0}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[0], [20], zp 0, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @requant_c3_shift(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects shifts in [1, 62], but got 63}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [63], zp 0, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @requant_c3_zero_shift(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects shifts in [1, 62], but got 0}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [0], zp 0, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @requant_c4_range(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects zero point and clamp in 16 bits, but got 40000}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 40000, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @requant_c4_order(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects an ordered clamp, but got 5 to 4}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp 5 to 4>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @requant_rounding(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects half_up or half_even, but got 'up'}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp 4 to 5, up>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @conv_c1_result(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects result shape 1x6x6x6, but got 1x6x8x8}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x8x8xi8>
  return
}

// -----

func.func @conv_c2_multipliers(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects 1 or 6 multipliers, but got 2}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @conv_c3_bias(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<5xi32>) {
  // expected-error@+1 {{expects a bias of shape 6, but got 5}}
  %0 = qint.conv %x, %w, %b {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>, tensor<5xi32>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @conv_c4_input_zero_point(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects the input's zero point in [-128, 127], but got 128}}
  %0 = qint.conv %x, %w {input_zero_point = 128 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @conv_c4_weight_zero_points(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects weight zero points in [-128, 127], but got -129}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, weight_zero_points = array<i32: -129>, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @conv_c4_weight_zero_point_count(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects 0, 1 or 6 weight zero points, but got 2}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, weight_zero_points = array<i32: 1, 2>, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @conv_c5_zero_point(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects the result's zero point in [-128, 127], but got 200}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 200, clamp 0 to 1>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @conv_c5_clamp(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects the clamp's upper end in [-128, 127], but got 128}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp 0 to 128>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @conv_c5_clamp_low(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects the clamp's lower end in [-128, 127], but got -129}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -129 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @conv_c5_negative_multiplier(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>) {
  // expected-error@+1 {{expects positive multipliers, but got -5}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, requant = #qint.requant<[-5], [20], zp 0, clamp -128 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi8>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @gemm_c1_inner_dimension(%x: tensor<1x4xi8>, %w: tensor<8x5xi8>) {
  // expected-error@+1 {{expects inner dimensions to match, but got 4 and 5}}
  %0 = qint.gemm %x, %w {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x4xi8>, tensor<8x5xi8>) -> tensor<1x8xi8>
  return
}

// -----

func.func @gemm_c2_multipliers(%x: tensor<1x4xi8>, %w: tensor<8x4xi8>) {
  // expected-error@+1 {{expects 1 or 8 multipliers, but got 3}}
  %0 = qint.gemm %x, %w {input_zero_point = 0 : i32, requant = #qint.requant<[1, 2, 3], [20], zp 0, clamp -128 to 127>} : (tensor<1x4xi8>, tensor<8x4xi8>) -> tensor<1x8xi8>
  return
}

// -----

// expected-error@+1 {{expects an f64 above zero that is a float32 in attribute 'qint.scale', but got 1.000000e-01}}
func.func @argument_scale(%x: tensor<4xi8> {qint.scale = 0.1 : f64}) {
  return
}

// -----

// expected-error@+1 {{expects an i64 in attribute 'qint.zero_point', but got 3 : i32}}
func.func @result_zero_point(%x: tensor<4xi8>) -> (tensor<4xi8> {qint.zero_point = 3 : i32}) {
  return %x : tensor<4xi8>
}

// -----

// expected-error@+1 {{unknown attribute 'qint.bits'}}
func.func @argument_unknown_attribute(%x: tensor<4xi8> {qint.bits = 8 : i64}) {
  return
}

// -----

func.func @conv_c4_wide_weight_zero_points(%x: tensor<1x4x8x8xi8>, %w: tensor<6x4x3x3xi16>) {
  // expected-error@+1 {{expects no weight zero points with weights of 'i16'}}
  %0 = qint.conv %x, %w {input_zero_point = 0 : i32, weight_zero_points = array<i32: 0>, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x4x8x8xi8>, tensor<6x4x3x3xi16>) -> tensor<1x6x6x6xi8>
  return
}

// -----

func.func @sum_parts_c1_high(%a: tensor<3x2xi32>, %b: tensor<2x3xi32>) {
  // expected-error@+1 {{expects input and result of one shape, but got 3x2 and 2x3}}
  %0 = qint.sum_parts %a, %b {axis = 1 : i64, low_bits = 8 : i32, requant = #qint.requant<[1], [30], zp 0, clamp -128 to 127>} : (tensor<3x2xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

func.func @sum_parts_c1_low(%a: tensor<2x3xi32>, %b: tensor<3x2xi32>) {
  // expected-error@+1 {{expects input and result of one shape, but got 3x2 and 2x3}}
  %0 = qint.sum_parts %a, %b {axis = 1 : i64, low_bits = 8 : i32, requant = #qint.requant<[1], [30], zp 0, clamp -128 to 127>} : (tensor<2x3xi32>, tensor<3x2xi32>) -> tensor<2x3xi8>
  return
}

// -----

func.func @sum_parts_c2(%a: tensor<2x3xi32>, %b: tensor<2x3xi32>) {
  // expected-error@+1 {{expects axis in [0, 2), but got 2}}
  %0 = qint.sum_parts %a, %b {axis = 2 : i64, low_bits = 8 : i32, requant = #qint.requant<[1], [30], zp 0, clamp -128 to 127>} : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

func.func @sum_parts_c3_none(%a: tensor<2x3xi32>, %b: tensor<2x3xi32>) {
  // expected-error@+1 {{expects 1 to 16 low bits, but got 0}}
  %0 = qint.sum_parts %a, %b {axis = 1 : i64, low_bits = 0 : i32, requant = #qint.requant<[1], [30], zp 0, clamp -128 to 127>} : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

func.func @sum_parts_c3_many(%a: tensor<2x3xi32>, %b: tensor<2x3xi32>) {
  // expected-error@+1 {{expects 1 to 16 low bits, but got 17}}
  %0 = qint.sum_parts %a, %b {axis = 1 : i64, low_bits = 17 : i32, requant = #qint.requant<[1], [30], zp 0, clamp -128 to 127>} : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

func.func @sum_parts_c4_count(%a: tensor<2x3xi32>, %b: tensor<2x3xi32>) {
  // expected-error@+1 {{expects 1 or 3 multipliers, but got 2}}
  %0 = qint.sum_parts %a, %b {axis = 1 : i64, low_bits = 8 : i32, requant = #qint.requant<[1, 2], [30], zp 0, clamp -128 to 127>} : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

func.func @sum_parts_c4_sign(%a: tensor<2x3xi32>, %b: tensor<2x3xi32>) {
  // expected-error@+1 {{expects positive multipliers, but got -1}}
  %0 = qint.sum_parts %a, %b {axis = 1 : i64, low_bits = 8 : i32, requant = #qint.requant<[-1], [30], zp 0, clamp -128 to 127>} : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

func.func @sum_parts_c5(%a: tensor<2x3xi32>, %b: tensor<2x3xi32>) {
  // expected-error@+1 {{expects the result's zero point in [-128, 127], but got 200}}
  %0 = qint.sum_parts %a, %b {axis = 1 : i64, low_bits = 8 : i32, requant = #qint.requant<[1], [30], zp 200, clamp -128 to 127>} : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}
