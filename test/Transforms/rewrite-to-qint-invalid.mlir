// RUN: qopt-opt %s --qopt-rewrite-to-qint -split-input-file -verify-diagnostics

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!z = !quant.uniform<i8:f32, 2.500000e-01:3>
!tiny = !quant.uniform<i8:f32, 1.0e-10>
!w = !quant.uniform<i8:f32, 1.0>

// Every op without an integer form is named, whatever the reason.
// expected-error@+1 {{cannot be rewritten to integer arithmetic}}
func.func @everything(%x: tensor<1x2x!x>) -> tensor<1x2x!tiny> {
  // expected-note@+1 {{'qopt.log_softmax': the output's scale is too small for a log-softmax}}
  %s = qopt.log_softmax %x axis 1 : (tensor<1x2x!x>) -> tensor<1x2x!tiny>
  // expected-note@+1 {{'qopt.dequantize' has no integer form}}
  %d = qopt.dequantize %s : tensor<1x2x!tiny> -> tensor<1x2xf32>
  // expected-note@+1 {{'qopt.quantize' has no integer form}}
  %q = qopt.quantize %d : tensor<1x2xf32> -> tensor<1x2x!tiny>
  return %q : tensor<1x2x!tiny>
}

// -----

!x16 = !quant.uniform<i16:f32, 5.000000e-01>
!w = !quant.uniform<i8:f32, 1.0>

// 85 = 5 * 16 + 5: no cut of its bits leaves two sums that an int32 holds.
// expected-error@+1 {{cannot be rewritten}}
func.func @accumulator(%x: tensor<1x14000x!x16>) -> tensor<1x1x!x16> {
  %w = qopt.constant dense<85> : tensor<1x14000xi8> as tensor<1x14000x!w>
  // expected-note@+1 {{'qopt.gemm': the accumulator of channel 0 reaches [-38993920000, 38992730000], which is outside int32, and so does each cut of its weights in two}}
  %g = qopt.gemm %x, %w : (tensor<1x14000x!x16>, tensor<1x14000x!w>) -> tensor<1x1x!x16>
  return %g : tensor<1x1x!x16>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!w = !quant.uniform<i8:f32, 1.0>
!b = !quant.uniform<i32:f32, 4.000000e-01>

// expected-error@+1 {{cannot be rewritten}}
func.func @bias_scale(%x: tensor<1x2x!x>) -> tensor<1x1x!x> {
  %w = qopt.constant dense<127> : tensor<1x2xi8> as tensor<1x2x!w>
  %b = qopt.constant dense<1> : tensor<1xi32> as tensor<1x!b>
  // expected-note@+1 {{bias scale 0.4 of channel 0 is not the product 0.5 of the input's and the weight's}}
  %g = qopt.gemm %x, %w, %b : (tensor<1x2x!x>, tensor<1x2x!w>, tensor<1x!b>) -> tensor<1x1x!x>
  return %g : tensor<1x1x!x>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>

// expected-error@+1 {{cannot be rewritten}}
func.func @variable_weight(%x: tensor<1x2x!x>, %w: tensor<1x2x!x>) -> tensor<1x1x!x> {
  // expected-note@+1 {{'qopt.gemm': weight is not a quantized constant}}
  %g = qopt.gemm %x, %w : (tensor<1x2x!x>, tensor<1x2x!x>) -> tensor<1x1x!x>
  return %g : tensor<1x1x!x>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!tiny = !quant.uniform<i8:f32, 1.000000e-06:3>

// expected-error@+1 {{cannot be rewritten}}
func.func @factor(%x: tensor<2x!x>) -> tensor<2x!tiny> {
  // expected-note@+1 {{'qopt.requantize': }}
  %r = qopt.requantize %x : tensor<2x!x> -> tensor<2x!tiny>
  return %r : tensor<2x!tiny>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!tiny = !quant.uniform<i16:f32, 1.0e-10>

// expected-error@+1 {{cannot be rewritten}}
func.func @softmax_scale(%x: tensor<2x!x>) -> tensor<2x!tiny> {
  // expected-note@+1 {{'qopt.softmax':}}
  %r = qopt.softmax %x axis 0 : (tensor<2x!x>) -> tensor<2x!tiny>
  return %r : tensor<2x!tiny>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>

// One element more than a 32-bit sum of 8-bit values is bounded for.
// expected-error@+1 {{cannot be rewritten}}
func.func @long_mean(%x: tensor<1x4194305x!x>, %y: tensor<1x4194304x!x>) -> (tensor<1x1x!x>, tensor<1x1x!x>) {
  // expected-note@+1 {{sums 4194305 elements, which is more than 4194304}}
  %m = qopt.reduce_mean %x axes [1] : (tensor<1x4194305x!x>) -> tensor<1x1x!x>
  %n = qopt.reduce_mean %y axes [1] : (tensor<1x4194304x!x>) -> tensor<1x1x!x>
  return %m, %n : tensor<1x1x!x>, tensor<1x1x!x>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>

// expected-error@+1 {{cannot be rewritten}}
func.func @long_pool(%x: tensor<1x1x2049x2048x!x>) -> tensor<1x1x1x1x!x> {
  // expected-note@+1 {{sums 4196352 elements, which is more than 4194304}}
  %m = qopt.avg_pool %x {kernel = array<i64: 2049, 2048>} : (tensor<1x1x2049x2048x!x>) -> tensor<1x1x1x1x!x>
  return %m : tensor<1x1x1x1x!x>
}

// -----

// expected-error@+1 {{argument #0 is not quantized}}
func.func @float_argument(%x: tensor<2xf32>) {
  return
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!z = !quant.uniform<i8:f32, 2.500000e-01:3>

func.func @two_types(%x: tensor<2xf32>) -> (tensor<2x!x>, tensor<2x!z>) {
  // expected-error@+1 {{expects one quantized type of an argument, but got}}
  %a = qopt.quantize %x : tensor<2xf32> -> tensor<2x!x>
  %b = qopt.quantize %x : tensor<2xf32> -> tensor<2x!z>
  return %a, %b : tensor<2x!x>, tensor<2x!z>
}

// -----

!x = !quant.uniform<i8:f32, 5.000000e-01:3>

// expected-error@+1 {{result #0 is not quantized per tensor}}
func.func @float_result(%x: tensor<2x!x>) -> tensor<2xf32> {
  %c = qopt.constant dense<1.0> : tensor<2xf32>
  return %c : tensor<2xf32>
}
