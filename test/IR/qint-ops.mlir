// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

#one = #qint.requant<[1048576], [20], zp -3, clamp -128 to 127>

// CHECK-LABEL: func.func @constants
// CHECK-SAME: qint.scale = 5.000000e-01 : f64, qint.zero_point = -3 : i64
func.func @constants(%x: tensor<4xi8> {qint.scale = 0.5 : f64, qint.zero_point = -3 : i64, qopt.name = "x"}) {
  // CHECK: qint.constant dense<[1, -2]> : tensor<2xi8>
  %0 = qint.constant dense<[1, -2]> : tensor<2xi8>
  // CHECK: qint.constant {qopt.value = "w"} dense_resource<w> : tensor<2x2xi32>
  %1 = qint.constant {qopt.value = "w"} dense_resource<w> : tensor<2x2xi32>
  return
}

// CHECK-LABEL: func.func @layers
func.func @layers(%x: tensor<1x4x8x8xi8>, %w: tensor<6x2x3x3xi8>, %b: tensor<6xi32>,
                  %g: tensor<3x8xi8>, %h: tensor<3xi32>) {
  // CHECK: qint.conv %{{.*}}, %{{.*}} {groups = 2 : i64, input_zero_point = -3 : i32,
  // CHECK-SAME: requant = #qint.requant<[1048576], [20], zp -3, clamp -128 to 127>}
  %0 = qint.conv %x, %w {groups = 2 : i64, input_zero_point = -3 : i32, requant = #one}
    : (tensor<1x4x8x8xi8>, tensor<6x2x3x3xi8>) -> tensor<1x6x6x6xi8>
  // CHECK: qint.conv
  // CHECK-SAME: requant = #qint.requant<[1, 2, 3, 4, 5, 6], [30], zp 0, clamp 0 to 127, half_even>
  // CHECK-SAME: weight_zero_points = array<i32: 1, 2, 3, 4, 5, 6>
  %1 = qint.conv %x, %w, %b {groups = 2 : i64, input_zero_point = 0 : i32, pads = array<i64: 1, 1, 1, 1>,
      weight_zero_points = array<i32: 1, 2, 3, 4, 5, 6>,
      requant = #qint.requant<[1, 2, 3, 4, 5, 6], [30], zp 0, clamp 0 to 127, half_even>}
    : (tensor<1x4x8x8xi8>, tensor<6x2x3x3xi8>, tensor<6xi32>) -> tensor<1x6x8x8xi16>
  // CHECK: qint.gemm %{{.*}}, %{{.*}}, %{{.*}} {input_zero_point = 4 : i32
  %2 = qint.gemm %x, %g, %h {input_zero_point = 4 : i32,
      requant = #qint.requant<[1, 2, 3], [30, 31, 32], zp 0, clamp 0 to 127>}
    : (tensor<1x4x8x8xi8>, tensor<3x8xi8>, tensor<3xi32>) -> tensor<1x4x8x3xi8>
  return
}

// CHECK-LABEL: func.func @sum_parts
func.func @sum_parts(%a: tensor<2x3xi32>, %b: tensor<2x3xi32>) {
  // CHECK: qint.sum_parts %{{.*}}, %{{.*}} {axis = 1 : i64, low_bits = 8 : i32, requant = #qint.requant<[1, 2, 3], [30, 31, 32], zp 4, clamp 0 to 127>}
  %0 = qint.sum_parts %a, %b {axis = 1 : i64, low_bits = 8 : i32,
      requant = #qint.requant<[1, 2, 3], [30, 31, 32], zp 4, clamp 0 to 127>}
    : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi16>
  return
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%a: tensor<2x3xi8>, %b: tensor<3xi16>) {
  // CHECK: qint.add
  // CHECK-SAME: requant = #qint.requant<[1048576, -2097152], [20], zp 0, clamp -128 to 127>
  %0 = qint.add %a, %b {lhs_zero_point = 1 : i32, rhs_zero_point = -7 : i32,
      requant = #qint.requant<[1048576, -2097152], [20], zp 0, clamp -128 to 127>}
    : (tensor<2x3xi8>, tensor<3xi16>) -> tensor<2x3xi8>
  // CHECK: qint.mul
  %1 = qint.mul %a, %b {lhs_zero_point = 1 : i32, rhs_zero_point = -7 : i32, requant = #one}
    : (tensor<2x3xi8>, tensor<3xi16>) -> tensor<2x3xi8>
  // CHECK: qint.requantize
  %2 = qint.requantize %a {input_zero_point = 0 : i32, requant = #one} : (tensor<2x3xi8>) -> tensor<2x3xi16>
  return
}

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<1x3x8x8xi8>) {
  // CHECK: qint.max_pool %{{.*}} {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
  %0 = qint.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
    : (tensor<1x3x8x8xi8>) -> tensor<1x3x4x4xi8>
  // CHECK: qint.avg_pool
  // CHECK-SAME: tap_counts = array<i64: 4, 6, 9>
  %1 = qint.avg_pool %x {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, tap_counts = array<i64: 4, 6, 9>,
      input_zero_point = 3 : i32, requant = #qint.requant<[9, 6, 4], [5], zp 3, clamp -128 to 127>}
    : (tensor<1x3x8x8xi8>) -> tensor<1x3x8x8xi8>
  // CHECK: qint.reduce_mean %{{.*}} axes [2, 3]
  %2 = qint.reduce_mean %x axes [2, 3] {input_zero_point = 3 : i32, keep_dims = false, requant = #one}
    : (tensor<1x3x8x8xi8>) -> tensor<1x3xi8>
  return
}

// CHECK-LABEL: func.func @moves
func.func @moves(%x: tensor<2x3xi8>) {
  // CHECK: qint.reshape
  %0 = qint.reshape %x : (tensor<2x3xi8>) -> tensor<6xi8>
  // CHECK: qint.transpose %{{.*}} [1, 0]
  %1 = qint.transpose %x [1, 0] : (tensor<2x3xi8>) -> tensor<3x2xi8>
  // CHECK: qint.concat %{{.*}}, %{{.*}} axis 1
  %2 = qint.concat %x, %x axis 1 : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x6xi8>
  // CHECK: qint.pad %{{.*}} [1, 0, 0, 2] {value = -3 : i32}
  %3 = qint.pad %x [1, 0, 0, 2] {value = -3 : i32} : (tensor<2x3xi8>) -> tensor<3x5xi8>
  return
}

// CHECK-LABEL: func.func @piecewise
func.func @piecewise(%x: tensor<2x3xi16>) -> tensor<2x3xi8> {
  // CHECK: qint.piecewise %{{.*}} {base = array<i32: 4194303, 4194303, 4194303, {{.*}}clamp_max = 127 : i32, clamp_min = -128 : i32, curve = array<i16: -16000, -16000, -16000, {{.*}}fraction_bits = 7 : i32, slope = array<i16: 16000, 16000, 16000,
  %0 = qint.piecewise %x {base = array<i32: 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303, 4194303>, slope = array<i16: 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000, 16000>, curve = array<i16: -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000, -16000>, fraction_bits = 7 : i32, clamp_min = -128 : i32, clamp_max = 127 : i32} : (tensor<2x3xi16>) -> tensor<2x3xi8>
  return %0 : tensor<2x3xi8>
}

// CHECK-LABEL: func.func @tables
func.func @tables(%x: tensor<2x3xi8>) {
  // CHECK: qint.table %{{.*}} {table = array<i16: -128, -127,
  %0 = qint.table %x {table = array<i16: -128, -127, -126, -125, -124, -123, -122, -121, -120, -119, -118, -117, -116, -115, -114, -113, -112, -111, -110, -109, -108, -107, -106, -105, -104, -103, -102, -101, -100, -99, -98, -97, -96, -95, -94, -93, -92, -91, -90, -89, -88, -87, -86, -85, -84, -83, -82, -81, -80, -79, -78, -77, -76, -75, -74, -73, -72, -71, -70, -69, -68, -67, -66, -65, -64, -63, -62, -61, -60, -59, -58, -57, -56, -55, -54, -53, -52, -51, -50, -49, -48, -47, -46, -45, -44, -43, -42, -41, -40, -39, -38, -37, -36, -35, -34, -33, -32, -31, -30, -29, -28, -27, -26, -25, -24, -23, -22, -21, -20, -19, -18, -17, -16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127>} : (tensor<2x3xi8>) -> tensor<2x3xi16>
  // CHECK: qint.softmax %{{.*}} axis 1 {exp_table = array<i32: 8388608,
  // CHECK-SAME: levels = 256 : i32, zero_point = -128 : i32
  %1 = qint.softmax %x axis 1 {exp_table = array<i32: 8388608, 7549747, 6794772, 6115295, 5503765, 4953389, 4458050, 4012245, 3611020, 3249918, 2924926, 2632434, 2369190, 2132271, 1919044, 1727139, 1554425, 1398983, 1259085, 1133176, 1019858, 917873, 826085, 743477, 669129, 602216, 541994, 487795, 439015, 395114, 355602, 320042, 288038, 259234, 233311, 209979, 188981, 170083, 153075, 137767, 123991, 111591, 100432, 90389, 81350, 73215, 65893, 59304, 53374, 48036, 43232, 38909, 35018, 31516, 28365, 25528, 22975, 20678, 18610, 16749, 15074, 13566, 12210, 10989, 9890, 8901, 8011, 7210, 6489, 5840, 5256, 4730, 4257, 3831, 3448, 3103, 2793, 2513, 2262, 2036, 1832, 1649, 1484, 1336, 1202, 1082, 973, 876, 788, 710, 639, 575, 517, 465, 419, 377, 339, 305, 275, 247, 222, 200, 180, 162, 146, 131, 118, 106, 95, 86, 77, 69, 62, 56, 50, 45, 41, 37, 33, 30, 27, 24, 21, 19, 17, 15, 14, 12, 11, 10, 9, 8, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, levels = 256 : i32, zero_point = -128 : i32}
    : (tensor<2x3xi8>) -> tensor<2x3xi8>
  return
}
