// RUN: qopt-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(qopt-lower-to-loops)'

// Weights are packed at compile time.
// expected-error@+1 {{operator 'qint.gemm' has no kernel of this form}}
func.func @negative_weights_at_run_time(%x: tensor<1x4xi8>, %w: tensor<2x4xi8>) -> tensor<1x2xi8> {
  // expected-error@+1 {{expects constant weights}}
  %y = qint.gemm %x, %w {input_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [34], zp 0, clamp -128 to 127>}
    : (tensor<1x4xi8>, tensor<2x4xi8>) -> tensor<1x2xi8>
  return %y : tensor<1x2xi8>
}

// -----

// Quantized types are a level too high.
// expected-error@+3 {{function 'negative_quantized_type' has values that kernels cannot hold}}
// expected-note@+2 {{kernels work on static i8, i16, i32 and f32 tensors}}
// expected-note@+1 {{lower to the qint level first}}
func.func @negative_quantized_type(%x: tensor<4x!quant.uniform<i8:f32, 0.5>>) -> tensor<4x!quant.uniform<i8:f32, 0.5>> {
  return %x : tensor<4x!quant.uniform<i8:f32, 0.5>>
}

// -----

// The resource that the constant names is not in the file.
// expected-error@+1 {{function 'missing_resource' has a constant without data}}
func.func @missing_resource() -> tensor<3xi8> {
  %c = qint.constant dense_resource<absent> : tensor<3xi8>
  return %c : tensor<3xi8>
}
