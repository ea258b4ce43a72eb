// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @observe_c1_id(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects an id, but got an empty one}}
  %0 = qopt.observe %x "" : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_c2_bits(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects 8 to 16 bits, but got 7}}
  %0 = qopt.observe %x "x" {bits = 7 : i64} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_c2_asymmetric_16(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects 16 bits to be symmetric, but got asymmetric}}
  %0 = qopt.observe %x "x" {bits = 16 : i64} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_c3_both(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects scale and zero point together, but got one}}
  %0 = qopt.observe %x "x" {scale = 0.5 : f32} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_c3_scale(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects a finite scale above zero, but got}}
  %0 = qopt.observe %x "x" {scale = 0.0 : f32, zero_point = 0 : i64} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_c5_power_of_two(%x: tensor<2xf32>) {
  // expected-error @+1 {{expects a scale that is a power of two, but got 3.000000e-01}}
  %0 = qopt.observe %x "x" {power_of_two, scale = 0.3 : f32, zero_point = 0 : i64} : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @observe_c4_type(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects input and result of one type}}
  %0 = qopt.observe %x "x" : tensor<2xf32> -> tensor<3xf32>
  return
}

// -----

func.func @quantize_c1_shape(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2 and 3}}
  %0 = qopt.quantize %x : tensor<2xf32> -> tensor<3x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @dequantize_c1_shape(%x: tensor<2x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2 and 1x2}}
  %0 = qopt.dequantize %x : tensor<2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x2xf32>
  return
}

// -----

func.func @requantize_c1_shape(%x: tensor<2x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2 and 1x2}}
  %0 = qopt.requantize %x : tensor<2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x2x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @tensor_d1_elements(%x: tensor<65536x65536xf32>) {
  // expected-error@+1 {{expects at most 2147483647 elements a tensor, but got 'tensor<65536x65536xf32>'}}
  %0 = qopt.unary %x [#qopt.fn<relu>] : (tensor<65536x65536xf32>) -> tensor<65536x65536xf32>
  return
}

// -----

func.func @tensor_d2_zero_point(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects a zero point in [-128, 127], but got 300}}
  %0 = qopt.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<i8:f32, 0.5:300>>
  return
}

// -----

func.func @tensor_d2_unsigned_storage(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects signed i8, i16 or i32 storage, but got '!quant.uniform<u8:f32, 5.000000e-01>'}}
  %0 = qopt.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<u8:f32, 0.5>>
  return
}

// -----

func.func @tensor_d2_expressed_type(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects f32 as expressed type, but got}}
  %0 = qopt.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<i8:f64, 0.5>>
  return
}

// -----

func.func @tensor_d2_scale_count() {
  // expected-error@+1 {{expects 3 scales and zero points along axis 0, but got 2 and 2}}
  %0 = qopt.constant dense<1> : tensor<3xi8> as tensor<3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
  return
}

// -----

func.func @tensor_d2_axis() {
  // expected-error@+1 {{expects the quantized axis inside the rank, but got axis 3}}
  %0 = qopt.constant dense<1> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32:3, {0.5, 0.25}>>
  return
}

// -----

func.func @tensor_d3_per_axis_activation(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects one scale for an activation, but got}}
  %0 = qopt.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
  return
}

// -----

func.func @tensor_d3_i32_activation(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects i8 or i16 storage for an activation, but got}}
  %0 = qopt.quantize %x : tensor<2xf32> -> tensor<2x!quant.uniform<i32:f32, 0.5>>
  return
}

// -----

func.func @tensor_d4_mixed_levels(%x: tensor<2x!quant.uniform<i8:f32, 0.5>>, %y: tensor<2xf32>) {
  // expected-error@+1 {{expects tensors all f32 or all quantized, but got 'tensor<2xf32>' and 'tensor<2x!quant.uniform<i8:f32, 5.000000e-01>>'}}
  %0 = qopt.add %x, %y : (tensor<2x!quant.uniform<i8:f32, 0.5>>, tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @fn_c1_parameters(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects 2 parameters of 'clip', but got 1}}
  %0 = qopt.unary %x [#qopt.fn<clip, 0.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @fn_c2_finite(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects finite parameters of 'leaky_relu', but got}}
  %0 = qopt.unary %x [#qopt.fn<leaky_relu, 0x7FF0000000000000>] : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @fn_c3_ordered(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects ordered bounds, but got 6.000000e+00 and 0.000000e+00}}
  %0 = qopt.unary %x [#qopt.fn<clip, 6.0, 0.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @fn_c4_divisor(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects a divisor other than 0}}
  %0 = qopt.unary %x [#qopt.fn<elu, 1.0, 0.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @fn_unknown(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects the name of a scalar function, but got 'sine'}}
  %0 = qopt.unary %x [#qopt.fn<sine>] : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

// expected-error@+1 {{expects a string in attribute 'qopt.name', but got 1 : i64}}
func.func @argument_name_type(%x: tensor<2xf32> {qopt.name = 1 : i64}) {
  return
}

// -----

// expected-error@+1 {{unknown attribute 'qopt.nome'}}
func.func @argument_unknown_attribute(%x: tensor<2xf32> {qopt.nome = "x"}) {
  return
}

// -----

func.func @operation_unknown_attribute(%x: tensor<2xf32>) {
  // expected-error@+1 {{unknown attribute 'qopt.valeu'}}
  %0 = qopt.unary %x [#qopt.fn<relu>] {qopt.valeu = "y"} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @bits_of_weights(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{unknown attribute 'qopt.weight_bits'}}
  %y = qopt.unary %x [#qopt.fn<tanh>] {qopt.weight_bits = 3 : i64} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
