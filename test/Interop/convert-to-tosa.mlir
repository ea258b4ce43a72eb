// RUN: qopt-opt %s --qopt-convert-to-tosa --split-input-file --verify-diagnostics | FileCheck %s

// The boundary is told in upstream's words.
// CHECK-LABEL: func.func @gemm
// CHECK-SAME:    (%arg0: tensor<2x4xi8> {quant.scale = 5.000000e-01 : f64, quant.zero_point = 3 : i64}) -> (tensor<2x3xi8> {quant.scale = 2.500000e-01 : f64, quant.zero_point = 0 : i64})
// CHECK:         %[[C:.*]] = tosa.conv2d {{.*}} {acc_type = i32
// CHECK:         %[[M:.*]] = "tosa.const"() <{values = dense<[1000000, 2000000, 3000000]>
// CHECK:         %[[S:.*]] = "tosa.const"() <{values = dense<38>
// CHECK:         %[[R:.*]] = tosa.rescale %[[C]], %[[M]], %[[S]], {{.*}}per_channel = true, rounding_mode = SINGLE_ROUND
// CHECK-NEXT:    tosa.clamp %[[R]] {max_val = 127 : i8, min_val = 0 : i8}
// CHECK-NOT:     qint.
func.func @gemm(%x: tensor<2x4xi8> {qint.scale = 0.5 : f64, qint.zero_point = 3 : i64, qopt.name = "x"})
    -> (tensor<2x3xi8> {qint.scale = 0.25 : f64, qint.zero_point = 0 : i64}) {
  %w = qint.constant dense<1> : tensor<3x4xi8>
  %y = qint.gemm %x, %w {input_zero_point = 3 : i32, qopt.value = "y",
      requant = #qint.requant<[1000000, 2000000, 3000000], [38], zp 0, clamp 0 to 127>}
    : (tensor<2x4xi8>, tensor<3x4xi8>) -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// TOSA's rescale takes |value| < 2^(shift - 1): multiplier and shift grow.
// CHECK-LABEL: func.func @small_shift
// CHECK:         dense<384> : tensor<1xi32>
// CHECK:         dense<9> : tensor<1xi8>
func.func @small_shift(%x: tensor<4xi8>) -> tensor<4xi8> {
  %y = qint.requantize %x {input_zero_point = 0 : i32, requant = #qint.requant<[3], [2], zp 0, clamp -128 to 127>}
    : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

func.func @refusals(%x: tensor<1x4x4x4xi8>, %h: tensor<1x4x4x4xi16>) -> tensor<1x4x4x4xi8> {
  %v = qint.constant dense<1> : tensor<4x4x1x1xi8>
  // expected-error @+1 {{'qint.conv' has no exact form in TOSA: it has 16-bit operands}}
  %d = qint.conv %h, %v {input_zero_point = 0 : i32, requant = #qint.requant<[1000000], [38], zp 0, clamp -128 to 127>}
    : (tensor<1x4x4x4xi16>, tensor<4x4x1x1xi8>) -> tensor<1x4x4x4xi8>
  // expected-error @+1 {{'qint.conv' has no exact form in TOSA: its channels have zero points of their own}}
  %z = qint.conv %x, %v {input_zero_point = 0 : i32, weight_zero_points = array<i32: 1, 2, 3, 4>, requant = #qint.requant<[1000000], [38], zp 0, clamp -128 to 127>}
    : (tensor<1x4x4x4xi8>, tensor<4x4x1x1xi8>) -> tensor<1x4x4x4xi8>
  // expected-error @+1 {{'qint.add' has no exact form in TOSA: it rounds halves to even}}
  %e = qint.add %x, %x {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1000, 1000], [12], zp 0, clamp -128 to 127, half_even>}
    : (tensor<1x4x4x4xi8>, tensor<1x4x4x4xi8>) -> tensor<1x4x4x4xi8>
  // expected-error @+1 {{'qint.add' has no exact form in TOSA: its sum leaves 32 bits}}
  %a = qint.add %x, %x {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[100000000, 1000], [32], zp 0, clamp -32768 to 32767>}
    : (tensor<1x4x4x4xi8>, tensor<1x4x4x4xi8>) -> tensor<1x4x4x4xi16>
  // expected-error @+1 {{'qint.div' has no exact form in TOSA: TOSA has other arithmetic for it, or none}}
  %s = qint.div %x, %x {lhs_zero_point = 1 : i32, rhs_zero_point = -7 : i32, requant = #qint.requant<[1048576], [18], zp 0, clamp -128 to 127>}
    : (tensor<1x4x4x4xi8>, tensor<1x4x4x4xi8>) -> tensor<1x4x4x4xi8>
  // expected-error @+1 {{'qint.requantize' has no exact form in TOSA: its factor is too large}}
  %r = qint.requantize %h {input_zero_point = 0 : i32, requant = #qint.requant<[2000000000], [10], zp 0, clamp -128 to 127>}
    : (tensor<1x4x4x4xi16>) -> tensor<1x4x4x4xi8>
  return %x : tensor<1x4x4x4xi8>
}
