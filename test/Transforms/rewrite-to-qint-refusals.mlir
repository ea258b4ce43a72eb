// RUN: qopt-opt %s --qopt-rewrite-to-qint -split-input-file -verify-diagnostics

// Every reason for which an op of its own has no integer form.

!q = !quant.uniform<i8:f32, 5.000000e-01:3>

// Ops that are still float.
// expected-error@+1 {{cannot be rewritten}}
func.func @floats(%q: tensor<2x!q>) -> tensor<2x!q> {
  // expected-note@+1 {{'qopt.constant': holds no integers}}
  %x = qopt.constant dense<1.0> : tensor<2x2xf32>
  // expected-note@+1 {{'qopt.constant': holds no integers}}
  %i = qopt.constant dense<1.0> : tensor<2x2x2x2xf32>
  // expected-note@+1 {{'qopt.gemm': operand or result is not quantized per tensor}}
  %0 = qopt.gemm %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-note@+1 {{'qopt.conv': operand or result is not quantized per tensor}}
  %1 = qopt.conv %i, %i : (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) -> tensor<2x2x1x1xf32>
  // expected-note@+1 {{'qopt.add': operand or result is not quantized per tensor}}
  %2 = qopt.add %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-note@+1 {{'qopt.sub': operand or result is not quantized per tensor}}
  %3 = qopt.sub %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-note@+1 {{'qopt.mul': operand or result is not quantized per tensor}}
  %4 = qopt.mul %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-note@+1 {{'qopt.unary': operand or result is not quantized per tensor}}
  %5 = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-note@+1 {{'qopt.softmax': operand or result is not quantized per tensor}}
  %6 = qopt.softmax %x axis 1 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-note@+1 {{'qopt.reduce_mean': operand or result is not quantized per tensor}}
  %7 = qopt.reduce_mean %x axes [1] : (tensor<2x2xf32>) -> tensor<2x1xf32>
  // expected-note@+1 {{'qopt.avg_pool': operand or result is not quantized per tensor}}
  %8 = qopt.avg_pool %i {kernel = array<i64: 1, 1>} : (tensor<2x2x2x2xf32>) -> tensor<2x2x2x2xf32>
  // expected-note@+1 {{'qopt.max_pool': operand or result is not quantized per tensor}}
  %9 = qopt.max_pool %i {kernel = array<i64: 1, 1>} : (tensor<2x2x2x2xf32>) -> tensor<2x2x2x2xf32>
  // expected-note@+1 {{'qopt.concat': operand or result is not quantized per tensor}}
  %10 = qopt.concat %x, %x axis 1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>
  // expected-note@+1 {{'qopt.reshape': operand or result is not quantized per tensor}}
  %11 = qopt.reshape %5 : (tensor<2x2xf32>) -> tensor<4xf32>
  // expected-note@+1 {{'qopt.transpose': operand or result is not quantized per tensor}}
  %12 = qopt.transpose %x [1, 0] : (tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-note@+1 {{'qopt.pad': operand or result is not quantized per tensor}}
  %13 = qopt.pad %x [0, 0, 0, 1] : (tensor<2x2xf32>) -> tensor<2x3xf32>
  return %q : tensor<2x!q>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!w32 = !quant.uniform<i32:f32, 1.0>
!w16 = !quant.uniform<i16:f32, 1.0:2>
!w1 = !quant.uniform<i8:f32:1, {1.0, 0.5}>

// expected-error@+1 {{cannot be rewritten}}
func.func @weights(%x: tensor<1x2x!x>) -> tensor<1x2x!x> {
  %w32 = qopt.constant dense<8388353> : tensor<2x2xi32> as tensor<2x2x!w32>
  // expected-note@+1 {{'qopt.gemm': weight has more than 24 bits}}
  %c = qopt.gemm %x, %w32 : (tensor<1x2x!x>, tensor<2x2x!w32>) -> tensor<1x2x!x>
  %w16 = qopt.constant dense<1> : tensor<2x2xi16> as tensor<2x2x!w16>
  // expected-note@+1 {{'qopt.gemm': weight of 16 bits has a zero point other than 0}}
  %a = qopt.gemm %x, %w16 : (tensor<1x2x!x>, tensor<2x2x!w16>) -> tensor<1x2x!x>
  %w1 = qopt.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!w1>
  // expected-note@+1 {{'qopt.gemm': weight scales are not along the output channels}}
  %b = qopt.gemm %x, %w1 : (tensor<1x2x!x>, tensor<2x2x!w1>) -> tensor<1x2x!x>
  return %x : tensor<1x2x!x>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!w = !quant.uniform<i8:f32:0, {1.0, 0.5}>
!b = !quant.uniform<i32:f32:0, {0.5, 0.25}>
!b1 = !quant.uniform<i32:f32:0, {0.5, 0.250002}>
!near = !quant.uniform<i32:f32:0, {0.5, 0.2500001}>

// A bias must be a constant of the products of the scales, to the digits that a
// scale's text has; only the second channel differs.
// expected-error@+1 {{cannot be rewritten}}
func.func @biases(%x: tensor<1x2x!x>, %v: tensor<2x!x>) -> tensor<1x2x!x> {
  %w = qopt.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!w>
  %b1 = qopt.constant dense<1> : tensor<2xi32> as tensor<2x!b1>
  // expected-note@+1 {{'qopt.gemm': bias scale 0.250002 of channel 1 is not the product 0.25 of the input's and the weight's}}
  %a = qopt.gemm %x, %w, %b1 : (tensor<1x2x!x>, tensor<2x2x!w>, tensor<2x!b1>) -> tensor<1x2x!x>
  %near = qopt.constant dense<1> : tensor<2xi32> as tensor<2x!near>
  %b = qopt.gemm %x, %w, %near : (tensor<1x2x!x>, tensor<2x2x!w>, tensor<2x!near>) -> tensor<1x2x!x>
  // expected-note@+1 {{'qopt.gemm': bias is not a quantized constant}}
  %c = qopt.gemm %x, %w, %v : (tensor<1x2x!x>, tensor<2x2x!w>, tensor<2x!x>) -> tensor<1x2x!x>
  return %x : tensor<1x2x!x>
}

// -----

!x16 = !quant.uniform<i16:f32, 5.000000e-01>
!w = !quant.uniform<i8:f32:0, {1.0, 0.5}>
!w4 = !quant.uniform<i8:f32, 1.0:-100>

// The second channel alone overflows; a zero point of the weight counts.
// expected-error@+1 {{cannot be rewritten}}
func.func @second_accumulator(%x: tensor<1x700x!x16>, %y: tensor<1x17000x!x16>) -> tensor<1x700x!x16> {
  %one = qopt.constant dense<1> : tensor<1x700xi8> as tensor<1x700x!quant.uniform<i8:f32, 1.0>>
  %g = qopt.gemm %x, %one : (tensor<1x700x!x16>, tensor<1x700x!quant.uniform<i8:f32, 1.0>>) -> tensor<1x1x!x16>
  %w4 = qopt.constant dense<0> : tensor<2x17000xi8> as tensor<2x17000x!w4>
  // expected-note@+1 {{'qopt.gemm': the accumulator of channel 0 reaches [-55705600000, 55703900000], which is outside int32}}
  %h = qopt.gemm %y, %w4 : (tensor<1x17000x!x16>, tensor<2x17000x!w4>) -> tensor<1x2x!x16>
  return %x : tensor<1x700x!x16>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!tiny = !quant.uniform<i8:f32, 1.000000e-12:3>

// Factors that no multiplier reaches.
// expected-error@+1 {{cannot be rewritten}}
func.func @factors(%x: tensor<2x2x!x>, %i: tensor<1x1x2x2x!x>) -> tensor<2x2x!x> {
  %w = qopt.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!x>
  // expected-note@+1 {{'qopt.gemm': }}
  %a = qopt.gemm %x, %w : (tensor<2x2x!x>, tensor<2x2x!x>) -> tensor<2x2x!tiny>
  // expected-note@+1 {{'qopt.add': }}
  %b = qopt.add %x, %x : (tensor<2x2x!x>, tensor<2x2x!x>) -> tensor<2x2x!tiny>
  // expected-note@+1 {{'qopt.mul': }}
  %c = qopt.mul %x, %x : (tensor<2x2x!x>, tensor<2x2x!x>) -> tensor<2x2x!tiny>
  // expected-note@+1 {{'qopt.reduce_mean': }}
  %d = qopt.reduce_mean %x axes [1] : (tensor<2x2x!x>) -> tensor<2x1x!tiny>
  // expected-note@+1 {{'qopt.avg_pool': }}
  %e = qopt.avg_pool %i {kernel = array<i64: 1, 1>} : (tensor<1x1x2x2x!x>) -> tensor<1x1x2x2x!tiny>
  return %x : tensor<2x2x!x>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!two = !quant.uniform<i8:f32, 2.0:0>
!all = !quant.uniform<i8:f32, 1.0:0>
!most = !quant.uniform<i16:f32, 1.525902189314365e-05:-32768>

// One level and 65535 are the ends; an inverse below one takes another step.
func.func @softmax_levels(%x: tensor<2x!x>) -> tensor<2x!x> {
  %a = qopt.softmax %x axis 0 : (tensor<2x!x>) -> tensor<2x!all>
  %b = qopt.softmax %x axis 0 : (tensor<2x!x>) -> tensor<2x!most>
  %c = qopt.softmax %x axis 0 : (tensor<2x!x>) -> tensor<2x!two>
  return %x : tensor<2x!x>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>

// As many elements as there may be.
func.func @long_pool(%x: tensor<1x1x2048x2048x!x>) -> tensor<1x1x1x1x!x> {
  %m = qopt.avg_pool %x {kernel = array<i64: 2048, 2048>} : (tensor<1x1x2048x2048x!x>) -> tensor<1x1x1x1x!x>
  return %m : tensor<1x1x1x1x!x>
}

// -----

!x16 = !quant.uniform<i16:f32, 5.000000e-01>
!wz = !quant.uniform<i8:f32:0, {1.0:0, 1.0:-100}>

// Each channel has its own zero point.
// expected-error@+1 {{cannot be rewritten}}
func.func @weight_zero_points(%x: tensor<1x17000x!x16>) -> tensor<1x17000x!x16> {
  %w = qopt.constant dense<0> : tensor<2x17000xi8> as tensor<2x17000x!wz>
  // expected-note@+1 {{'qopt.gemm': the accumulator of channel 1 reaches [-55705600000, 55703900000], which is outside int32}}
  %h = qopt.gemm %x, %w : (tensor<1x17000x!x16>, tensor<2x17000x!wz>) -> tensor<1x2x!x16>
  return %x : tensor<1x17000x!x16>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>

// expected-error@+1 {{cannot be rewritten}}
func.func @no_channels(%x: tensor<1x2x!x>) -> tensor<1x0x!x> {
  %w = qopt.constant dense<> : tensor<0x2xi8> as tensor<0x2x!x>
  // expected-note@+1 {{'qopt.gemm': weight has no output channels}}
  %a = qopt.gemm %x, %w : (tensor<1x2x!x>, tensor<0x2x!x>) -> tensor<1x0x!x>
  return %a : tensor<1x0x!x>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>

// expected-error@+1 {{expects one block that returns}}
func.func @no_return(%x: tensor<2x!x>) {
  llvm.unreachable
}

// -----

// An argument that nothing reads.
// expected-error@+1 {{argument #1 is not quantized per tensor}}
func.func @unread_argument(%x: tensor<2x!quant.uniform<i8:f32, 0.5>>, %y: tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32, 0.5>> {
  return %x : tensor<2x!quant.uniform<i8:f32, 0.5>>
}

// -----

!tiny = !quant.uniform<i8:f32, 1.0e-12>
!large = !quant.uniform<i8:f32, 1.0e+06>

// expected-error@+1 {{cannot be rewritten}}
func.func @quotient_scale(%x: tensor<2x!tiny>, %y: tensor<2x!large>) -> tensor<2x!large> {
  // expected-note@+1 {{'qopt.div': the factor 1.000000e-24 of a quotient lies outside [2^-40, 2^30)}}
  %0 = qopt.div %x, %y : (tensor<2x!tiny>, tensor<2x!large>) -> tensor<2x!large>
  return %0 : tensor<2x!large>
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01:-128>

// expected-error@+1 {{cannot be rewritten}}
func.func @product_terms(%x: tensor<1x33026x!q>, %y: tensor<33026x1x!q>) -> tensor<1x1x!q> {
  // expected-note@+1 {{'qopt.matmul': a sum of 33026 products may leave 32 bits}}
  %0 = qopt.matmul %x, %y : (tensor<1x33026x!q>, tensor<33026x1x!q>) -> tensor<1x1x!q>
  return %0 : tensor<1x1x!q>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>

// expected-error@+1 {{cannot be rewritten}}
func.func @wild_weights(%x: tensor<1x1x1x1x!x>) -> tensor<1x1x1x1x!x> {
  // expected-note@+1 {{'qopt.interpolate': has weights beyond 2^15}}
  %y = qopt.interpolate %x rows [0] [1.0] columns [0] [40000.0] : (tensor<1x1x1x1x!x>) -> tensor<1x1x1x1x!x>
  return %y : tensor<1x1x1x1x!x>
}
