// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @real
// CHECK-SAME: (%{{.*}}: tensor<2x8xi32> {qint.real}) -> (tensor<2x8xi32> {qint.real})
func.func @real(%x: tensor<2x8xi32> {qint.real}) -> (tensor<2x8xi32> {qint.real}) {
  // CHECK: qint.real_grid %{{.*}} : (tensor<2x8xi32>) -> tensor<2x7xi32>
  %g = qint.real_grid %x : (tensor<2x8xi32>) -> tensor<2x7xi32>
  // CHECK: qint.real_to_grid %{{.*}}, %{{.*}} : (tensor<2x8xi32>, tensor<2x7xi32>) -> tensor<2x8xi32>
  %v = qint.real_to_grid %x, %g : (tensor<2x8xi32>, tensor<2x7xi32>) -> tensor<2x8xi32>
  // CHECK: qint.grid_to_real %{{.*}}, %{{.*}} : (tensor<2x8xi32>, tensor<2x7xi32>) -> tensor<2x8xi32>
  %y = qint.grid_to_real %v, %g : (tensor<2x8xi32>, tensor<2x7xi32>) -> tensor<2x8xi32>
  return %y : tensor<2x8xi32>
}

// CHECK-LABEL: func.func @layer
func.func @layer(%q: tensor<2x8xi8>, %s: tensor<2x4xi32>, %w: tensor<3x8xi8>) -> tensor<2x3xi8> {
  // CHECK: qint.layer_grid %{{.*}} {accumulator_bits = 20 : i32, bias_exponent = -31 : i32, clamp_min = array<i32: 0, 0>, multiplier_exponent = -38 : i32}
  %g = qint.layer_grid %s {multiplier_exponent = -38 : i32, bias_exponent = -31 : i32,
      accumulator_bits = 20 : i32, clamp_min = array<i32: 0, 0>} : (tensor<2x4xi32>) -> tensor<2x7xi32>
  // CHECK: qint.gemm {{.*}} requant = #qint.requant<[2], [1], zp 0, clamp -2147483648 to 2147483647>
  %a = qint.gemm %q, %w {input_zero_point = 0 : i32,
      requant = #qint.requant<[2], [1], zp 0, clamp -2147483648 to 2147483647>}
    : (tensor<2x8xi8>, tensor<3x8xi8>) -> tensor<2x3xi32>
  // CHECK: qint.layer_to_grid %{{.*}}, %{{.*}} {axis = 1 : i64, biases = array<i32: 1073741824>, multipliers = array<i32: 1, 2, 3>, zero_point = 0 : i32}
  %v = qint.layer_to_grid %a, %g {axis = 1 : i64, multipliers = array<i32: 1, 2, 3>,
      biases = array<i32: 1073741824>, zero_point = 0 : i32} : (tensor<2x3xi32>, tensor<2x7xi32>) -> tensor<2x3xi32>
  // CHECK: qint.grid_scale %{{.*}}, %{{.*}} {steps = 255 : i32}
  %t = qint.grid_scale %v, %g {steps = 255 : i32} : (tensor<2x3xi32>, tensor<2x7xi32>) -> tensor<2x4xi32>
  // CHECK: qint.grid_quantize %{{.*}}, %{{.*}} {zero_point = -128 : i32}
  %r = qint.grid_quantize %v, %t {zero_point = -128 : i32} : (tensor<2x3xi32>, tensor<2x4xi32>) -> tensor<2x3xi8>
  return %r : tensor<2x3xi8>
}

// One sample of all that axis 0 has.
// CHECK-LABEL: func.func @sum
func.func @sum(%a: tensor<2x8xi8>, %s: tensor<1x4xi32>) -> tensor<2x8xi32> {
  // CHECK: qint.sum_grid %{{.*}}, %{{.*}} {clamp_max = array<i32: 6, 0>}
  %g = qint.sum_grid %s, %s {clamp_max = array<i32: 6, 0>} : (tensor<1x4xi32>, tensor<1x4xi32>) -> tensor<1x7xi32>
  // CHECK: qint.sum_to_grid %{{.*}}, %{{.*}}, %{{.*}} {lhs_zero_point = -128 : i32, rhs_zero_point = 0 : i32}
  %v = qint.sum_to_grid %a, %a, %g {lhs_zero_point = -128 : i32, rhs_zero_point = 0 : i32}
    : (tensor<2x8xi8>, tensor<2x8xi8>, tensor<1x7xi32>) -> tensor<2x8xi32>
  return %v : tensor<2x8xi32>
}

// CHECK-LABEL: func.func @product
func.func @product(%a: tensor<2x8x3xi8>, %v: tensor<2x8x1xi32>, %s: tensor<2x4xi32>, %h: tensor<2x7xi32>) -> tensor<2x8x3xi32> {
  // CHECK: qint.grid_to_fixed %{{.*}}, %{{.*}} {exponent = -12 : i32} : (tensor<2x8x1xi32>, tensor<2x7xi32>) -> tensor<2x8x1xi16>
  %b = qint.grid_to_fixed %v, %h {exponent = -12 : i32} : (tensor<2x8x1xi32>, tensor<2x7xi32>) -> tensor<2x8x1xi16>
  // CHECK: qint.product_grid %{{.*}}, %{{.*}} {clamp_max = array<i32: 6, 0>, product_bits = 24 : i32}
  %g = qint.product_grid %s, %s {product_bits = 24 : i32, clamp_max = array<i32: 6, 0>} : (tensor<2x4xi32>, tensor<2x4xi32>) -> tensor<2x7xi32>
  // CHECK: qint.product_to_grid %{{.*}}, %{{.*}}, %{{.*}} {lhs_zero_point = -128 : i32, rhs_zero_point = 0 : i32} : (tensor<2x8x3xi8>, tensor<2x8x1xi16>, tensor<2x7xi32>) -> tensor<2x8x3xi32>
  %p = qint.product_to_grid %a, %b, %g {lhs_zero_point = -128 : i32, rhs_zero_point = 0 : i32} : (tensor<2x8x3xi8>, tensor<2x8x1xi16>, tensor<2x7xi32>) -> tensor<2x8x3xi32>
  return %p : tensor<2x8x3xi32>
}
