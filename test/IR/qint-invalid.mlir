// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @constant_c1_type() {
  // expected-error@+1 {{expects a value of type}}
  %0 = "qint.constant"() {value = dense<1> : tensor<2xi8>} : () -> tensor<3xi8>
  return
}

// -----

func.func @constant_float() {
  // expected-error@+1 {{op result #0 must be}}
  %0 = qint.constant dense<1.0> : tensor<2xf32>
  return
}

// -----

func.func @table_float(%x: tensor<4xf32>) {
  // expected-error@+1 {{op operand #0 must be}}
  %0 = qint.table %x {table = array<i16: 0>} : (tensor<4xf32>) -> tensor<4xi8>
  return
}

// -----

func.func @add_c1_shape(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects result shape 2x3, but got 3}}
  %0 = qint.add %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1, -2], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<3xi8>
  return
}

// -----

func.func @add_c2_multipliers(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects 2 multipliers and 1 shift, but got 1 and 1}}
  %0 = qint.add %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @add_c2_shifts(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects 2 multipliers and 1 shift, but got 2 and 2}}
  %0 = qint.add %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [3, 4], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @add_c3_left_zero_point(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects the left zero point in [-128, 127], but got 300}}
  %0 = qint.add %a, %b {lhs_zero_point = 300 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1, -2], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @add_c3_right_zero_point(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects the right zero point in [-128, 127], but got -300}}
  %0 = qint.add %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = -300 : i32, requant = #qint.requant<[1, -2], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @mul_c1_shape(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects result shape 2x3, but got 3x2}}
  %0 = qint.mul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<3x2xi8>
  return
}

// -----

func.func @mul_c2_multipliers(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects 1 multipliers, but got 2}}
  %0 = qint.mul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @mul_c2_negative(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects positive multipliers, but got -1}}
  %0 = qint.mul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[-1], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @mul_c3_clamp(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects the clamp's upper end in [-128, 127], but got 255}}
  %0 = qint.mul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp 0 to 255>} : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @table_c1_entries(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects 256 table entries, but got 2}}
  %0 = qint.table %x {table = array<i16: 0, 1>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @table_c1_range(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects table entries in [-128, 127], but got 128}}
  %0 = qint.table %x {table = array<i16: -127, -126, -125, -124, -123, -122, -121, -120, -119, -118, -117, -116, -115, -114, -113, -112, -111, -110, -109, -108, -107, -106, -105, -104, -103, -102, -101, -100, -99, -98, -97, -96, -95, -94, -93, -92, -91, -90, -89, -88, -87, -86, -85, -84, -83, -82, -81, -80, -79, -78, -77, -76, -75, -74, -73, -72, -71, -70, -69, -68, -67, -66, -65, -64, -63, -62, -61, -60, -59, -58, -57, -56, -55, -54, -53, -52, -51, -50, -49, -48, -47, -46, -45, -44, -43, -42, -41, -40, -39, -38, -37, -36, -35, -34, -33, -32, -31, -30, -29, -28, -27, -26, -25, -24, -23, -22, -21, -20, -19, -18, -17, -16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @table_c1_entries16(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects 65536 table entries, but got 2}}
  %0 = qint.table %x {table = array<i16: 0, 1>} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c1_count(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects 32, 64 or 128 entries of base, slope and curve, but got 3, 3 and 3}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0>, slope = array<i16: 0, 0, 0>, curve = array<i16: 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = -128 : i32, clamp_max = 127 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c1_equal(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects 32, 64 or 128 entries of base, slope and curve, but got 32, 3 and 32}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, 0, 0>, curve = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = -128 : i32, clamp_max = 127 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c2_fraction(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects 0 to 7 fraction bits, but got 8}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, curve = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 8 : i32, clamp_min = -128 : i32, clamp_max = 127 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c3_slope(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects |slope| + |curve| of at most 32000, but segment 1 has 32001}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, -32000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, curve = array<i16: 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = -128 : i32, clamp_max = 127 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c3_base(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects a base within 16 bits, but segment 0 has 4194304}}
  %0 = qint.piecewise %x {base = array<i32: 4194304, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, curve = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = -128 : i32, clamp_max = 127 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c4_low(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects the clamp's lower end in [-128, 127], but got -129}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, curve = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = -129 : i32, clamp_max = 127 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c4_high(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects the clamp's upper end in [-128, 127], but got 128}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, curve = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = -128 : i32, clamp_max = 128 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c4_empty(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects a clamp that is not empty, but got 5 to 4}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, curve = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = 5 : i32, clamp_max = 4 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c5_input(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects an i16 input, but got}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, curve = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = -128 : i32, clamp_max = 127 : i32} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @piecewise_c5_shape(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects input and result of one shape, but got 4 and 2x2}}
  %0 = qint.piecewise %x {base = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, slope = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, curve = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, fraction_bits = 7 : i32, clamp_min = -128 : i32, clamp_max = 127 : i32} : (tensor<4xi16>) -> tensor<2x2xi8>
  return
}

// -----

func.func @table_c2_shape(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects input and result of one shape, but got 4 and 2x2}}
  %0 = qint.table %x {table = array<i16: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xi8>) -> tensor<2x2xi8>
  return
}

// -----

func.func @requantize_c1_shape(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects input and result of one shape, but got 4 and 2x2}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<2x2xi8>
  return
}

// -----

func.func @requantize_c2_multipliers(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects 1 multipliers, but got 2}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @requantize_c3_zero_point(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects the input's zero point in [-128, 127], but got 1000}}
  %0 = qint.requantize %x {input_zero_point = 1000 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @softmax_c1_axis(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects axis in [0, 1), but got 1}}
  %0 = qint.softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 256 : i32, zero_point = -128 : i32} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @softmax_c2_table(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects 256 table entries in [0, 2^23], 2^23 at each multiple of 256, but got 1 that start with 8388608}}
  %0 = qint.softmax %x axis 0 {exp_table = array<i32: 8388608>, levels = 256 : i32, zero_point = -128 : i32} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @softmax_c3_input(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects 512 table entries in [0, 2^30], 2^30 at each multiple of 256, but got 256}}
  %0 = qint.softmax %x axis 0 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 256 : i32, zero_point = -128 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @softmax_c2_second_table(%x: tensor<4xi16>) {
  // expected-error@+1 {{expects 512 table entries}}
  %0 = qint.softmax %x axis 0 {exp_table = array<i32: 1073741824, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 256 : i32, zero_point = -128 : i32} : (tensor<4xi16>) -> tensor<4xi8>
  return
}

// -----

func.func @softmax_c3_shape(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects input and result of one shape, but got 4 and 2x2}}
  %0 = qint.softmax %x axis 0 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 256 : i32, zero_point = -128 : i32} : (tensor<4xi8>) -> tensor<2x2xi8>
  return
}

// -----

func.func @softmax_c4_levels(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects levels that are positive and at most 2^30, but got 0 / 2^0}}
  %0 = qint.softmax %x axis 0 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 0 : i32, zero_point = -128 : i32} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @softmax_c4_shift(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects a level_shift in [0, 15], but got 16}}
  %0 = qint.softmax %x axis 0 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 1 : i32, level_shift = 16 : i32, zero_point = -128 : i32} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @softmax_c4_most(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects levels that are positive and at most 2^30, but got 2147483647 / 2^0}}
  %0 = qint.softmax %x axis 0 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 2147483647 : i32, zero_point = -128 : i32} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @softmax_c4_zero_point(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects the zero point in [-128, 127], but got -129}}
  %0 = qint.softmax %x axis 0 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 256 : i32, zero_point = -129 : i32} : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @max_pool_c3_result(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects result shape 1x3x7x7, but got 1x3x8x8}}
  %0 = qint.max_pool %x {kernel = array<i64: 2, 2>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x8x8xi8>
  return
}

// -----

func.func @max_pool_c5_element_type(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects one element type, but got 'i8' and 'i16'}}
  %0 = qint.max_pool %x {kernel = array<i64: 2, 2>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x7x7xi16>
  return
}

// -----

func.func @avg_pool_c2_order(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects ascending tap counts, but got [4, 2]}}
  %0 = qint.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 1, 0, 1, 0>, tap_counts = array<i64: 4, 2>, input_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x5x4xi8>
  return
}

// -----

func.func @avg_pool_c2_missing(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects every tap count that occurs, but 2 is missing}}
  %0 = qint.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 1, 0, 1, 0>, tap_counts = array<i64: 4>, input_zero_point = 0 : i32, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x5x4xi8>
  return
}

// -----

func.func @avg_pool_c2_multipliers(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects 2 multipliers, but got 1}}
  %0 = qint.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 1, 0, 1, 0>, tap_counts = array<i64: 2, 4>, input_zero_point = 0 : i32, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x5x4xi8>
  return
}

// -----

func.func @avg_pool_c3_zero_point(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects the input's zero point in [-128, 127], but got 128}}
  %0 = qint.avg_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 1, 0, 1, 0>, tap_counts = array<i64: 2, 4>, input_zero_point = 128 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x5x4xi8>
  return
}

// -----

func.func @reduce_mean_c1_axes(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 4), but got [2, 2]}}
  %0 = qint.reduce_mean %x axes [2, 2] {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x1x8xi8>
  return
}

// -----

func.func @reduce_mean_c2_multipliers(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects 1 multipliers, but got 2}}
  %0 = qint.reduce_mean %x axes [2, 3] {input_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x1x1xi8>
  return
}

// -----

func.func @reduce_mean_c3_zero_point(%x: tensor<1x3x8x8xi8>) {
  // expected-error@+1 {{expects the input's zero point in [-128, 127], but got -200}}
  %0 = qint.reduce_mean %x axes [2, 3] {input_zero_point = -200 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x8x8xi8>) -> tensor<1x3x1x1xi8>
  return
}

// -----

func.func @reduce_mean_c4_count(%x: tensor<4194305xi8>) {
  // expected-error@+1 {{expects 1 to 4194304 elements in a mean, but got 4194305}}
  %0 = qint.reduce_mean %x axes [0] {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<4194305xi8>) -> tensor<1xi8>
  return
}

// -----

func.func @reshape_c1_elements(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects equally many elements, but got 4 and 5}}
  %0 = qint.reshape %x : (tensor<4xi8>) -> tensor<5xi8>
  return
}

// -----

func.func @reshape_c2_element_type(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qint.reshape %x : (tensor<4xi8>) -> tensor<2x2xi16>
  return
}

// -----

func.func @transpose_c1_permutation(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects a permutation of 1 axes, but got [1]}}
  %0 = qint.transpose %x [1] : (tensor<4xi8>) -> tensor<4xi8>
  return
}

// -----

func.func @concat_c3_sum(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects result shape 8, but got 7}}
  %0 = qint.concat %x, %x axis 0 : (tensor<4xi8>, tensor<4xi8>) -> tensor<7xi8>
  return
}

// -----

func.func @concat_c4_element_type(%x: tensor<4xi8>, %y: tensor<4xi16>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qint.concat %x, %y axis 0 : (tensor<4xi8>, tensor<4xi16>) -> tensor<8xi8>
  return
}

// -----

func.func @pad_c2_result(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects result shape 6, but got 5}}
  %0 = qint.pad %x [1, 1] {value = 0 : i32} : (tensor<4xi8>) -> tensor<5xi8>
  return
}

// -----

func.func @pad_c3_value(%x: tensor<4xi8>) {
  // expected-error@+1 {{expects a value in [-128, 127], but got 128}}
  %0 = qint.pad %x [1, 0] {value = 128 : i32} : (tensor<4xi8>) -> tensor<5xi8>
  return
}

// -----

func.func @tensor_d1_elements(%x: tensor<65536x65536xi8>) {
  // expected-error@+1 {{expects at most 2147483647 elements a tensor}}
  %0 = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<65536x65536xi8>) -> tensor<65536x65536xi8>
  return
}
