// RUN: qopt-opt %s --qopt-convert-from-tosa --split-input-file --verify-diagnostics | FileCheck %s

// The layout changes at both ends and nowhere between.
// CHECK-LABEL: func.func @chain
// CHECK-SAME:    (%arg0: tensor<1x8x8x3xf32> {qopt.name = "in"}) -> (tensor<1x1x1x4xf32> {qopt.name = "mean"})
// CHECK:         %[[T:.*]] = qopt.transpose %arg0 [0, 3, 1, 2]
// CHECK-NEXT:    %[[C:.*]] = qopt.conv %[[T]], {{.*}} {pads = array<i64: 1, 0, 2, 3>, qopt.value = "c", strides = array<i64: 2, 1>}
// CHECK-NEXT:    %[[R:.*]] = qopt.unary %[[C]] [#qopt.fn<relu>] {qopt.value = "r"}
// CHECK-NEXT:    %[[A:.*]] = qopt.add %[[R]], %[[C]]
// CHECK-NEXT:    %[[M:.*]] = qopt.reduce_mean %[[A]] axes [2, 3] {qopt.value = "mean"}
// CHECK-NEXT:    %[[Y:.*]] = qopt.transpose %[[M]] [0, 2, 3, 1]
// CHECK-NEXT:    return %[[Y]]
func.func @chain(%x: tensor<1x8x8x3xf32> {qopt.id = "in"}) -> tensor<1x1x1x4xf32> {
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %s = "tosa.const"() {values = dense<0> : tensor<1xi8>} : () -> tensor<1xi8>
  %w = "tosa.const"() {values = dense<0.5> : tensor<4x3x2x3xf32>} : () -> tensor<4x3x2x3xf32>
  %b = "tosa.const"() {values = dense<1.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %c = tosa.conv2d %x, %w, %b, %z, %z {acc_type = f32, pad = array<i64: 1, 2, 0, 3>, stride = array<i64: 2, 1>, dilation = array<i64: 1, 1>, qopt.id = "c"}
    : (tensor<1x8x8x3xf32>, tensor<4x3x2x3xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x5x10x4xf32>
  %r = tosa.clamp %c {min_val = 0.0 : f32, max_val = 3.40282347E+38 : f32, qopt.id = "r"} : (tensor<1x5x10x4xf32>) -> tensor<1x5x10x4xf32>
  %a = tosa.add %r, %c : (tensor<1x5x10x4xf32>, tensor<1x5x10x4xf32>) -> tensor<1x5x10x4xf32>
  %s1 = tosa.reduce_sum %a {axis = 1 : i32} : (tensor<1x5x10x4xf32>) -> tensor<1x1x10x4xf32>
  %s2 = tosa.reduce_sum %s1 {axis = 2 : i32} : (tensor<1x1x10x4xf32>) -> tensor<1x1x1x4xf32>
  %n = "tosa.const"() {values = dense<0.02> : tensor<1x1x1x1xf32>} : () -> tensor<1x1x1x1xf32>
  %m = tosa.mul %s2, %n, %s {qopt.id = "mean"} : (tensor<1x1x1x4xf32>, tensor<1x1x1x1xf32>, tensor<1xi8>) -> tensor<1x1x1x4xf32>
  return %m : tensor<1x1x1x4xf32>
}

// A sum that something else reads, or is divided by another number, stays.
// CHECK-LABEL: func.func @sums
// CHECK:         qopt.reduce_sum %arg0 axes [0]
// CHECK:         qopt.mul
// CHECK-NOT:     qopt.reduce_mean
func.func @sums(%x: tensor<4x2xf32>) -> tensor<1x2xf32> {
  %s = "tosa.const"() {values = dense<0> : tensor<1xi8>} : () -> tensor<1xi8>
  %n = "tosa.const"() {values = dense<0.5> : tensor<1x1xf32>} : () -> tensor<1x1xf32>
  %a = tosa.reduce_sum %x {axis = 0 : i32} : (tensor<4x2xf32>) -> tensor<1x2xf32>
  %m = tosa.mul %a, %n, %s : (tensor<1x2xf32>, tensor<1x1xf32>, tensor<1xi8>) -> tensor<1x2xf32>
  return %m : tensor<1x2xf32>
}

// Ops of qopt, which a pass before this one may have made, stay.
// CHECK-LABEL: func.func @mixed
// CHECK:         %[[Q:.*]] = qopt.quantize %arg0
// CHECK-NEXT:    %[[F:.*]] = qopt.dequantize %[[Q]]
// CHECK-NEXT:    qopt.unary %[[F]] [#qopt.fn<tanh>]
func.func @mixed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %q = qopt.quantize %x : tensor<4xf32> -> tensor<4x!quant.uniform<i8:f32, 0.5>>
  %f = qopt.dequantize %q : tensor<4x!quant.uniform<i8:f32, 0.5>> -> tensor<4xf32>
  %y = tosa.tanh %f : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// Bools are numbers; what an op is made of has ids of its own.
// CHECK-LABEL: func.func @bools
// CHECK:         %[[G:.*]] = qopt.unary %arg0 [#qopt.fn<greater_or_equal, 5.000000e-01>] {qopt.value = "g.1"}
// CHECK-NEXT:    %[[N:.*]] = qopt.unary %[[G]] [#qopt.fn<affine, -1.000000e+00, 1.000000e+00>] {qopt.value = "g"}
// CHECK:         qopt.mul {{.*}} {qopt.value = "s.3"}
// CHECK-NEXT:    qopt.add {{.*}} {qopt.value = "s"}
func.func @bools(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %h = "tosa.const"() {values = dense<0.5> : tensor<1x1xf32>} : () -> tensor<1x1xf32>
  %g = tosa.greater %h, %x {qopt.id = "g"} : (tensor<1x1xf32>, tensor<1x4xf32>) -> tensor<1x4xi1>
  %s = tosa.select %g, %h, %x {qopt.id = "s"} : (tensor<1x4xi1>, tensor<1x1xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %s : tensor<1x4xf32>
}

// A transposed convolution is one convolution whose results are put side by side.
// CHECK-LABEL: func.func @transposed
// CHECK:         %[[C:.*]] = qopt.conv {{.*}} -> tensor<1x8x5x5xf32>
// CHECK-NEXT:    %[[R:.*]] = qopt.reshape %[[C]]
// CHECK-NEXT:    %[[T:.*]] = qopt.transpose %[[R]] [0, 1, 4, 2, 5, 3]
// CHECK-NEXT:    %[[J:.*]] = qopt.reshape %[[T]] {{.*}} -> tensor<1x2x10x10xf32>
// CHECK-NEXT:    qopt.slice %[[J]] [0, 0, 0, 0] {{.*}} -> tensor<1x2x9x9xf32>
func.func @transposed(%x: tensor<1x4x4x3xf32>) -> tensor<1x9x9x2xf32> {
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %w = "tosa.const"() {values = dense<0.5> : tensor<2x3x3x3xf32>} : () -> tensor<2x3x3x3xf32>
  %y = tosa.transpose_conv2d %x, %w, %z, %z, %z {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>}
    : (tensor<1x4x4x3xf32>, tensor<2x3x3x3xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x9x9x2xf32>
  return %y : tensor<1x9x9x2xf32>
}

// -----

// Every refusal is named, not the first alone.
func.func @refusals(%x: tensor<1x4x4x2xf32>, %v: tensor<2x1x1x2xf32>, %p: tensor<1xf32>) -> tensor<1x4x4x2xf32> {
  %z = "tosa.const"() {values = dense<0.0> : tensor<1xf32>} : () -> tensor<1xf32>
  %b = "tosa.const"() {values = dense<0.0> : tensor<2xf32>} : () -> tensor<2xf32>
  // expected-error @+1 {{'tosa.sin' has no form in qopt: there is no such operator}}
  %s = tosa.sin %x : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  // expected-error @+1 {{'tosa.conv2d' has no form in qopt: its weight is not constant}}
  %c = tosa.conv2d %x, %v, %b, %z, %z {acc_type = f32, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>}
    : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>, tensor<2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x4x2xf32>
  // expected-error @+1 {{'tosa.cast' has no form in qopt: its result is not f32 of a static shape}}
  %h = tosa.cast %x : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf16>
  %sh = tosa.const_shape {values = dense<[0, 0, 1, 1, 0, 0, 0, 0]> : tensor<8xindex>} : () -> !tosa.shape<8>
  // expected-error @+1 {{'tosa.pad' has no form in qopt: its padding is not constant}}
  %d = tosa.pad %x, %sh, %p : (tensor<1x4x4x2xf32>, !tosa.shape<8>, tensor<1xf32>) -> tensor<1x6x4x2xf32>
  // What needs a refused value is not reported again.
  %t = tosa.tanh %s : (tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  return %t : tensor<1x4x4x2xf32>
}

// -----

// expected-error @+1 {{expects arguments of f32 with static shapes, but got 'tensor<?xf32>'}}
func.func @dynamic(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

func.func @foreign(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'arith.addf' has no form in qopt: it is no op of TOSA}}
  %y = arith.addf %x, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @indices(%v: tensor<1x4x2xf32>, %i: tensor<1x4xf32>) -> tensor<1x3x2xf32> {
  %a = tosa.argmax %v {axis = 2 : i32} : (tensor<1x4x2xf32>) -> tensor<1x4xi32>
  // expected-error @+1 {{'tosa.gather' has no form in qopt: its indices are not constant and inside}}
  %g = tosa.gather %v, %a : (tensor<1x4x2xf32>, tensor<1x4xi32>) -> tensor<1x4x2xf32>
  %j = "tosa.const"() {values = dense<4> : tensor<1x3xi32>} : () -> tensor<1x3xi32>
  // expected-error @+1 {{'tosa.gather' has no form in qopt: its indices are not constant and inside}}
  %h = tosa.gather %v, %j : (tensor<1x4x2xf32>, tensor<1x3xi32>) -> tensor<1x3x2xf32>
  // expected-error @+1 {{'tosa.cast' has no form in qopt: it casts from f32}}
  %c = tosa.cast %v : (tensor<1x4x2xf32>) -> tensor<1x4x2xi1>
  return %h : tensor<1x3x2xf32>
}

// -----

func.func @leaves(%v: tensor<4xf32>) -> tensor<4xi1> {
  %e = tosa.equal %v, %v : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  // expected-error @+1 {{expects results of f32, but got 'tensor<4xi1>'}}
  return %e : tensor<4xi1>
}
