// RUN: qopt-opt %s --qopt-rewrite-to-qint -split-input-file -verify-diagnostics

!x = !quant.uniform<i8:f32, 0.5>
!y = !quant.uniform<i8:f32, 1.0e-10>

// expected-error@+1 {{cannot be rewritten}}
func.func @log_softmax_scale(%x: tensor<2x!x>) -> tensor<2x!y> {
  // expected-note@+1 {{'qopt.log_softmax': the output's scale is too small for a log-softmax}}
  %y = qopt.log_softmax %x axis 0 : (tensor<2x!x>) -> tensor<2x!y>
  return %y : tensor<2x!y>
}

// -----

!x = !quant.uniform<i8:f32, 1.0e-15>

// expected-error@+1 {{cannot be rewritten}}
func.func @norm_epsilon(%x: tensor<2x512x!x>) -> tensor<2x512x!x> {
  // expected-note@+1 {{'qopt.layer_norm': the input's scale is too small beside epsilon}}
  %y = qopt.layer_norm %x axes [1] {epsilon = 1.0e-5 : f64} : (tensor<2x512x!x>) -> tensor<2x512x!x>
  return %y : tensor<2x512x!x>
}

// -----

!x = !quant.uniform<i16:f32, 1.0>

// expected-error@+1 {{cannot be rewritten}}
func.func @norm_length(%x: tensor<32769x!x>) -> tensor<32769x!x> {
  // expected-note@+1 {{'qopt.layer_norm': a normalized row has 32769 elements, which is more than 32768}}
  %y = qopt.layer_norm %x axes [0] {epsilon = 1.0e-5 : f64} : (tensor<32769x!x>) -> tensor<32769x!x>
  return %y : tensor<32769x!x>
}

// -----

!x = !quant.uniform<i8:f32, 1.0>

// expected-error@+1 {{cannot be rewritten}}
func.func @norm_count(%x: tensor<4194305x!x>) -> tensor<1x!x> {
  // expected-note@+1 {{'qopt.reduce_l1': a norm of 4194305 elements, which is more than 4194304}}
  %y = qopt.reduce_l1 %x axes [0] : (tensor<4194305x!x>) -> tensor<1x!x>
  return %y : tensor<1x!x>
}

// -----

!x = !quant.uniform<i8:f32, 1.0e+20>
!y = !quant.uniform<i8:f32, 1.0>

// expected-error@+1 {{cannot be rewritten}}
func.func @norm_factor(%x: tensor<4x!x>) -> tensor<1x!y> {
  // expected-note@+1 {{'qopt.reduce_l2': rescale factor}}
  %y = qopt.reduce_l2 %x axes [0] : (tensor<4x!x>) -> tensor<1x!y>
  return %y : tensor<1x!y>
}

// -----

!x = !quant.uniform<i8:f32, 0.5>

// expected-error@+1 {{cannot be rewritten}}
func.func @position_scale(%x: tensor<4x!x>) -> tensor<1x!x> {
  // expected-note@+1 {{'qopt.arg_max': positions have a scale of 1, but got 0.5}}
  %y = qopt.arg_max %x axis 0 : (tensor<4x!x>) -> tensor<1x!x>
  return %y : tensor<1x!x>
}

// -----

!x = !quant.uniform<i8:f32, 0.5>
!y = !quant.uniform<i8:f32, 1.0:-128>

// expected-error@+1 {{cannot be rewritten}}
func.func @position_range(%x: tensor<257x!x>) -> tensor<1x!y> {
  // expected-note@+1 {{'qopt.arg_min': positions up to 256 do not fit 8 bits}}
  %y = qopt.arg_min %x axis 0 : (tensor<257x!x>) -> tensor<1x!y>
  return %y : tensor<1x!y>
}
