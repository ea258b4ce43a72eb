// RUN: qopt-opt %s --qopt-rewrite-to-dynamic -split-input-file -verify-diagnostics

// Every op that has no such form is named, what depends on it is not.
// expected-error@+1 {{has no form with scales found at run time; --mode=static decides them from samples}}
func.func @ops(%x: tensor<1x4xf32>, %w: tensor<2x4xf32>) -> (tensor<1x4xf32>, tensor<1x2xf32>) {
  %c = qopt.constant dense<1.0> : tensor<1x4xf32>
  %d = qopt.constant dense<1.0> : tensor<1x1xf32>
  // expected-note@+1 {{'qopt.softmax' has no such form}}
  %s = qopt.softmax %x axis 1 : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %r = qopt.reshape %s : (tensor<1x4xf32>) -> tensor<1x4xf32>
  // expected-note@+1 {{'qopt.unary' neither levels off on both sides nor grows evenly}}
  %t = qopt.unary %x [#qopt.fn<softplus>] : (tensor<1x4xf32>) -> tensor<1x4xf32>
  // expected-note@+1 {{'qopt.add' has a constant operand}}
  %a = qopt.add %x, %c : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  // expected-note@+1 {{'qopt.add' broadcasts an operand}}
  %b = qopt.add %x, %d : (tensor<1x4xf32>, tensor<1x1xf32>) -> tensor<1x4xf32>
  // expected-note@+1 {{'qopt.pad' pads with another value than 0}}
  %p = qopt.pad %x [0, 1, 0, 1] {value = 1.0 : f32} : (tensor<1x4xf32>) -> tensor<1x6xf32>
  // The same reason is said once.
  %u = qopt.unary %x [#qopt.fn<exp>] : (tensor<1x4xf32>) -> tensor<1x4xf32>
  // expected-note@+1 {{'qopt.gemm' has a weight that is not constant}}
  %g = qopt.gemm %x, %w : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  return %r, %g : tensor<1x4xf32>, tensor<1x2xf32>
}

// -----

// expected-error@+1 {{expects one block on f32 tensors}}
func.func @integers(%x: tensor<1x4xi32>) -> tensor<1x4xi32> {
  return %x : tensor<1x4xi32>
}

// -----

// Every sum must fit int32, whatever the scales will be.
// expected-error@+1 {{has no form with scales found at run time}}
func.func @long(%x: tensor<1x140000xf32>) -> tensor<1x1xf32> {
  %q = qopt.constant dense<127> : tensor<1x140000xi8> as tensor<1x140000x!quant.uniform<i8<-127:127>:f32, 0.5>>
  %w = qopt.dequantize %q : tensor<1x140000x!quant.uniform<i8<-127:127>:f32, 0.5>> -> tensor<1x140000xf32>
  // expected-note@+1 {{'qopt.gemm' has an accumulator that may leave int32, in channel 0}}
  %y = qopt.gemm %x, %w : (tensor<1x140000xf32>, tensor<1x140000xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// A constant has a scale of its own, which nothing finds at run time.
// expected-error@+1 {{the model has no form with scales found at run time}}
func.func @constant_result(%x: tensor<1x3xf32>) -> (tensor<1x3xf32>, tensor<2xf32>) {
  // expected-note@+1 {{'qopt.constant' is a result that no input reaches}}
  %c = qopt.constant dense<1.0> : tensor<2xf32>
  return %x, %c : tensor<1x3xf32>, tensor<2xf32>
}

// -----

// Values near 0 have a grid on which 0.5 has no place.
// expected-error@+1 {{the model has no form with scales found at run time}}
func.func @away_from_zero(%x: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // expected-note@+1 {{'qopt.add' clamps to a range without 0}}
  %s = qopt.add %x, %x {activation = #qopt.fn<clip, 0.5, 2.0>} : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
  return %s : tensor<1x3xf32>
}

// -----

// expected-error@+1 {{the model has no form with scales found at run time}}
func.func @clamped_away(%x: tensor<1x3xf32>) -> tensor<1x3xf32> {
  // expected-note@+1 {{'qopt.unary' clamps to a range without 0}}
  %y = qopt.unary %x [#qopt.fn<clip, -2.0, -0.5>] : (tensor<1x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
