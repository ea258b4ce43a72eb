// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @real_c1_fields(%x: tensor<1x8xi32>) {
  // expected-error@+1 {{expects a record tensor<Rx7xi32>, but got 'tensor<1x4xi32>'}}
  %0 = qint.real_grid %x : (tensor<1x8xi32>) -> tensor<1x4xi32>
  return
}

// -----

func.func @real_c1_samples(%x: tensor<2x8xi32>) {
  // expected-error@+1 {{expects 1 sample or as many as axis 0 of 'tensor<2x8xi32>' has indices, but got 3}}
  %0 = qint.real_grid %x : (tensor<2x8xi32>) -> tensor<3x7xi32>
  return
}

// -----

func.func @real_to_grid_c2(%x: tensor<2x8xi32>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects a result of 'tensor<2x8xi32>', but got 'tensor<16xi32>'}}
  %0 = qint.real_to_grid %x, %g : (tensor<2x8xi32>, tensor<1x7xi32>) -> tensor<16xi32>
  return
}

// -----

func.func @layer_grid_c1(%s: tensor<2x4xi32>) {
  // expected-error@+1 {{expects records of as many samples}}
  %0 = qint.layer_grid %s {multiplier_exponent = 0 : i32, accumulator_bits = 20 : i32} : (tensor<2x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @layer_grid_c2(%s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects accumulator bits in [1, 31], but got 32}}
  %0 = qint.layer_grid %s {multiplier_exponent = 0 : i32, accumulator_bits = 32 : i32} : (tensor<1x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @layer_grid_c3(%s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects exponents in [-4096, 4096], but got 4097}}
  %0 = qint.layer_grid %s {multiplier_exponent = 4097 : i32, accumulator_bits = 20 : i32} : (tensor<1x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @layer_grid_c3_bias(%s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects exponents in [-4096, 4096], but got -4097}}
  %0 = qint.layer_grid %s {multiplier_exponent = 0 : i32, bias_exponent = -4097 : i32, accumulator_bits = 20 : i32} : (tensor<1x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @layer_grid_c4(%s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects a mantissa and an exponent as an end of the clamp, but got 1 values}}
  %0 = qint.layer_grid %s {multiplier_exponent = 0 : i32, accumulator_bits = 20 : i32, clamp_min = array<i32: 0>} : (tensor<1x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @layer_grid_c4_mantissa(%s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects mantissas in [-1073741824, 1073741824], but got 1073741825}}
  %0 = qint.layer_grid %s {multiplier_exponent = 0 : i32, accumulator_bits = 20 : i32, clamp_max = array<i32: 1073741825, 0>} : (tensor<1x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @layer_c1(%a: tensor<2x3xi32>, %g: tensor<3x7xi32>) {
  // expected-error@+1 {{expects 1 sample or as many as axis 0}}
  %0 = qint.layer_to_grid %a, %g {axis = 1 : i64, multipliers = array<i32: 1>, zero_point = 0 : i32} : (tensor<2x3xi32>, tensor<3x7xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @layer_c2(%a: tensor<2x3xi32>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects}}
  %0 = qint.layer_to_grid %a, %g {axis = 1 : i64, multipliers = array<i32: 1>, zero_point = 0 : i32} : (tensor<2x3xi32>, tensor<1x7xi32>) -> tensor<3x2xi32>
  return
}

// -----

func.func @layer_c3_count(%a: tensor<2x3xi32>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects 1 or 3 multipliers, but got 2}}
  %0 = qint.layer_to_grid %a, %g {axis = 1 : i64, multipliers = array<i32: 1, 2>, zero_point = 0 : i32} : (tensor<2x3xi32>, tensor<1x7xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @layer_c3_low(%a: tensor<2x3xi32>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects multipliers in [1, 1073741824], but got 0}}
  %0 = qint.layer_to_grid %a, %g {axis = 1 : i64, multipliers = array<i32: 0>, zero_point = 0 : i32} : (tensor<2x3xi32>, tensor<1x7xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @layer_c3_bias(%a: tensor<2x3xi32>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects biases in [-1073741824, 1073741824], but got -1073741825}}
  %0 = qint.layer_to_grid %a, %g {axis = 1 : i64, multipliers = array<i32: 1>, biases = array<i32: -1073741825>, zero_point = 0 : i32} : (tensor<2x3xi32>, tensor<1x7xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @layer_c4(%a: tensor<2x3xi8>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects the zero point in [-128, 127], but got 128}}
  %0 = qint.layer_to_grid %a, %g {axis = 1 : i64, multipliers = array<i32: 1>, zero_point = 128 : i32} : (tensor<2x3xi8>, tensor<1x7xi32>) -> tensor<2x3xi32>
  return
}

// -----

func.func @sum_grid_c1(%s: tensor<1x4xi32>, %t: tensor<2x4xi32>) {
  // expected-error@+1 {{expects a result of 'tensor<1x4xi32>', but got 'tensor<2x4xi32>'}}
  %0 = qint.sum_grid %s, %t : (tensor<1x4xi32>, tensor<2x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @sum_grid_c2(%s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects a mantissa and an exponent}}
  %0 = qint.sum_grid %s, %s {clamp_min = array<i32: 1, 2, 3>} : (tensor<1x4xi32>, tensor<1x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @sum_c2(%a: tensor<8xi8>, %b: tensor<8xi16>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects i8 elements, but got 'tensor<8xi16>'}}
  %0 = qint.sum_to_grid %a, %b, %g {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32} : (tensor<8xi8>, tensor<8xi16>, tensor<1x7xi32>) -> tensor<8xi32>
  return
}

// -----

func.func @sum_c3(%a: tensor<8xi8>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects the right zero point in [-128, 127], but got -129}}
  %0 = qint.sum_to_grid %a, %a, %g {lhs_zero_point = 0 : i32, rhs_zero_point = -129 : i32} : (tensor<8xi8>, tensor<8xi8>, tensor<1x7xi32>) -> tensor<8xi32>
  return
}

// -----

func.func @scale_c1(%v: tensor<8xi32>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects a record tensor<Rx4xi32>}}
  %0 = qint.grid_scale %v, %g {steps = 127 : i32} : (tensor<8xi32>, tensor<1x7xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @product_grid_c1(%s: tensor<1x4xi32>, %t: tensor<2x4xi32>) {
  // expected-error@+1 {{expects a result of}}
  %0 = qint.product_grid %s, %t {product_bits = 16 : i32} : (tensor<1x4xi32>, tensor<2x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @product_grid_c2(%s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects product bits in [1, 31], but got 32}}
  %0 = qint.product_grid %s, %s {product_bits = 32 : i32} : (tensor<1x4xi32>, tensor<1x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @product_grid_c3(%s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects a mantissa and an exponent}}
  %0 = qint.product_grid %s, %s {product_bits = 16 : i32, clamp_min = array<i32: 1>} : (tensor<1x4xi32>, tensor<1x4xi32>) -> tensor<1x7xi32>
  return
}

// -----

func.func @product_c1(%a: tensor<2x8xi8>, %g: tensor<3x7xi32>) {
  // expected-error@+1 {{expects 1 sample or as many as axis 0}}
  %0 = qint.product_to_grid %a, %a, %g {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32} : (tensor<2x8xi8>, tensor<2x8xi8>, tensor<3x7xi32>) -> tensor<2x8xi32>
  return
}

// -----

func.func @product_c2(%a: tensor<2x8xi8>, %b: tensor<2x4xi8>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{broadcast}}
  %0 = qint.product_to_grid %a, %b, %g {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32} : (tensor<2x8xi8>, tensor<2x4xi8>, tensor<1x7xi32>) -> tensor<2x8xi32>
  return
}

// -----

func.func @product_c3(%a: tensor<2x8xi8>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{the right zero point}}
  %0 = qint.product_to_grid %a, %a, %g {lhs_zero_point = 0 : i32, rhs_zero_point = 128 : i32} : (tensor<2x8xi8>, tensor<2x8xi8>, tensor<1x7xi32>) -> tensor<2x8xi32>
  return
}

// -----

func.func @fixed_c1(%v: tensor<2x8xi32>, %g: tensor<2x4xi32>) {
  // expected-error@+1 {{expects a record tensor<Rx7xi32>}}
  %0 = qint.grid_to_fixed %v, %g {exponent = -12 : i32} : (tensor<2x8xi32>, tensor<2x4xi32>) -> tensor<2x8xi16>
  return
}

// -----

func.func @fixed_c2(%v: tensor<2x8xi32>, %g: tensor<2x7xi32>) {
  // expected-error@+1 {{expects i16 elements, but got 'tensor<2x8xi8>'}}
  %0 = qint.grid_to_fixed %v, %g {exponent = -12 : i32} : (tensor<2x8xi32>, tensor<2x7xi32>) -> tensor<2x8xi8>
  return
}

// -----

func.func @fixed_c3(%v: tensor<2x8xi32>, %g: tensor<2x7xi32>) {
  // expected-error@+1 {{expects exponents in [-4096, 4096], but got 5000}}
  %0 = qint.grid_to_fixed %v, %g {exponent = 5000 : i32} : (tensor<2x8xi32>, tensor<2x7xi32>) -> tensor<2x8xi16>
  return
}

// -----

func.func @scale_c2(%v: tensor<8xi32>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects 127 or 255 steps, but got 128}}
  %0 = qint.grid_scale %v, %g {steps = 128 : i32} : (tensor<8xi32>, tensor<1x7xi32>) -> tensor<1x4xi32>
  return
}

// -----

func.func @quantize_c1(%v: tensor<8xi32>, %s: tensor<1x7xi32>) {
  // expected-error@+1 {{expects a record tensor<Rx4xi32>}}
  %0 = qint.grid_quantize %v, %s {zero_point = 0 : i32} : (tensor<8xi32>, tensor<1x7xi32>) -> tensor<8xi8>
  return
}

// -----

func.func @quantize_c2(%v: tensor<8xi32>, %s: tensor<1x4xi32>) {
  // expected-error@+1 {{expects i8 elements, but got 'tensor<8xi16>'}}
  %0 = qint.grid_quantize %v, %s {zero_point = 0 : i32} : (tensor<8xi32>, tensor<1x4xi32>) -> tensor<8xi16>
  return
}

// -----

func.func @to_real_c1(%v: tensor<2x8xi32>, %g: tensor<1x4xi32>) {
  // expected-error@+1 {{expects a record tensor<Rx7xi32>}}
  %0 = qint.grid_to_real %v, %g : (tensor<2x8xi32>, tensor<1x4xi32>) -> tensor<2x8xi32>
  return
}

// -----

func.func @to_real_c2(%v: tensor<2x8xi32>, %g: tensor<1x7xi32>) {
  // expected-error@+1 {{expects a result of}}
  %0 = qint.grid_to_real %v, %g : (tensor<2x8xi32>, tensor<1x7xi32>) -> tensor<16xi32>
  return
}

// -----

func.func @gemm_c6(%q: tensor<2x8xi8>, %w: tensor<3x8xi8>) {
  // expected-error@+1 {{expects #qint.requant<[2], [1], zp 0, clamp -2147483648 to 2147483647> with an i32 result, but got}}
  %0 = qint.gemm %q, %w {input_zero_point = 0 : i32, requant = #qint.requant<[2], [2], zp 0, clamp -2147483648 to 2147483647>} : (tensor<2x8xi8>, tensor<3x8xi8>) -> tensor<2x3xi32>
  return
}

// -----

func.func @gemm_c5_clamp(%q: tensor<2x8xi8>, %w: tensor<3x8xi8>) {
  // expected-error@+1 {{expects the clamp's lower end in [-128, 127]}}
  %0 = qint.gemm %q, %w {input_zero_point = 0 : i32, requant = #qint.requant<[2], [1], zp 0, clamp -2147483648 to 2147483647>} : (tensor<2x8xi8>, tensor<3x8xi8>) -> tensor<2x3xi8>
  return
}

// -----

// expected-error@+1 {{expects a unit in attribute 'qint.real', but got}}
func.func @real_attribute(%x: tensor<1x8xi32> {qint.real = 1 : i64}) {
  return
}
