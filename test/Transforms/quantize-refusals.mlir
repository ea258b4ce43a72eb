// RUN: qopt-opt %s --qopt-quantize -split-input-file -verify-diagnostics

// What stands in the way of quantization, one thing at a time.

// expected-error@+2 {{cannot be quantized}}
// expected-note@+1 {{argument #1 has no observer}}
func.func @second_argument(%x: tensor<2xf32>, %y: tensor<2xf32>, %i: tensor<2xi8>) -> tensor<2xf32> {
  %a = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  return %a : tensor<2xf32>
}

// -----

// expected-error@+1 {{cannot be quantized}}
func.func @undecided(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-note@+1 {{observer 'x' has no scale}}
  %a = qopt.observe %x "x" : tensor<2xf32> -> tensor<2xf32>
  return %a : tensor<2xf32>
}

// -----

// expected-error@+1 {{cannot be quantized}}
func.func @unobserved(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  // expected-note@+1 {{result of 'qopt.unary' has no observer}}
  %b = qopt.unary %a [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  return %b : tensor<2xf32>
}

// -----

// expected-error@+1 {{cannot be quantized}}
func.func @concat_unobserved(%x: tensor<2xf32>) -> tensor<4xf32> {
  %a = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  // expected-note@+1 {{result of 'qopt.concat' has no observer}}
  %b = qopt.concat %a, %a axis 0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %b : tensor<4xf32>
}

// -----

// expected-error@+1 {{cannot be quantized}}
func.func @variable_weight(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w0 = qopt.observe %w "w" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2x2xf32> -> tensor<2x2xf32>
  // expected-note@+1 {{weight or bias of 'qopt.gemm' is not a float constant}}
  %c = qopt.gemm %x0, %w0 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %d = qopt.observe %c "c" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %d : tensor<1x2xf32>
}

// -----

// expected-error@+1 {{cannot be quantized}}
func.func @variable_bias(%x: tensor<1x2xf32>, %b: tensor<2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %b0 = qopt.observe %b "b" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %w = qopt.constant dense<1.0> : tensor<2x2xf32>
  // expected-note@+1 {{weight or bias of 'qopt.gemm' is not a float constant}}
  %c = qopt.gemm %x0, %w, %b0 : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %d = qopt.observe %c "c" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %d : tensor<1x2xf32>
}

// -----

func.func @infinite_bias(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = qopt.constant dense<1.0> : tensor<1x2xf32>
  %b = qopt.constant dense<0x7F800000> : tensor<1xf32>
  // expected-error@+2 {{does not fit 32 bits}}
  // expected-note@+1 {{raise the channel's weight scale}}
  %c = qopt.gemm %x0, %w, %b : (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  %y = qopt.observe %c "y" {scale = 0.25 : f32, zero_point = 0 : i64} : tensor<1x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// The resource that a constant names need not be in the file.
// expected-error@+1 {{cannot be quantized}}
func.func @missing_resource() -> tensor<3xf32> {
  // expected-note@+1 {{constant has no data}}
  %c = qopt.constant dense_resource<absent> : tensor<3xf32>
  return %c : tensor<3xf32>
}
