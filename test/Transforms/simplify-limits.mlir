// RUN: qopt-opt %s --qopt-simplify | FileCheck %s

// Folds of elementwise ops and moves, at the limits of their conditions.

// Only all parameters together make a function the identity.
// CHECK-LABEL: func.func @negative_identities
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<affine, 2.{{0+}}e+00, 0.{{0+}}e+00>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<leaky_relu, 2.{{0+}}e+00>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<clip, -1.{{0+}}e+00, {{.*}}>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<clip, {{.*}}, 1.{{0+}}e+00>]
func.func @negative_identities(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %a = qopt.unary %x [#qopt.fn<affine, 2.0, 0.0>] : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %x [#qopt.fn<leaky_relu, 2.0>] : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.unary %x [#qopt.fn<clip, -1.0, 0x7FF0000000000000>] : (tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.unary %x [#qopt.fn<clip, 0xFFF0000000000000, 1.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return %a, %b, %c, %d : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// A clip without ends is the identity.
// CHECK-LABEL: func.func @endless_clip
// CHECK-NEXT:    return %arg0
func.func @endless_clip(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<clip, 0xFFF0000000000000, 0x7FF0000000000000>] : (tensor<2xf32>) -> tensor<2xf32>
  return %a : tensor<2xf32>
}

// A scalar on either side of each op: x + 3, 3 + x, x - 3, 3 - x, 3 x.
// CHECK-LABEL: func.func @scalars_on_both_sides
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<affine, 1.{{0+}}e+00, 3.{{0+}}e+00>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<affine, 1.{{0+}}e+00, 3.{{0+}}e+00>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<affine, 1.{{0+}}e+00, -3.{{0+}}e+00>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<affine, -1.{{0+}}e+00, 3.{{0+}}e+00>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<affine, 3.{{0+}}e+00, 0.{{0+}}e+00>]
func.func @scalars_on_both_sides(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %k = qopt.constant dense<3.0> : tensor<1xf32>
  %a = qopt.add %x, %k : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %b = qopt.add %k, %x : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.sub %x, %k : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %d = qopt.sub %k, %x : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  %e = qopt.mul %k, %x : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %a, %b, %c, %d, %e : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// One element, but no constant.
// CHECK-LABEL: func.func @negative_scalar_variable
// CHECK-NEXT:    qopt.add %arg0, %arg1
func.func @negative_scalar_variable(%x: tensor<2xf32>, %y: tensor<1xf32>) -> tensor<2xf32> {
  %a = qopt.add %x, %y : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  return %a : tensor<2xf32>
}

// Neutral is one for a product and zero for a sum, in every element.
// CHECK-LABEL: func.func @negative_neutral
// CHECK:         qopt.add %arg0
// CHECK:         qopt.mul %arg0
// CHECK:         qopt.add %arg0
func.func @negative_neutral(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %one = qopt.constant dense<1.0> : tensor<2xf32>
  %zero = qopt.constant dense<0.0> : tensor<2xf32>
  %some = qopt.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %a = qopt.add %x, %one : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.mul %x, %zero : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.add %x, %some : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %a, %b, %c : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// A neutral constant that broadcasts the other operand does something.
// CHECK-LABEL: func.func @negative_neutral_that_broadcasts
// CHECK:         qopt.add
func.func @negative_neutral_that_broadcasts(%x: tensor<2xf32>) -> tensor<3x2xf32> {
  %zero = qopt.constant dense<0.0> : tensor<3x2xf32>
  %a = qopt.add %x, %zero : (tensor<2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %a : tensor<3x2xf32>
}

// The first two axes swap, and the last two.
// CHECK-LABEL: func.func @negative_transposes
// CHECK-NEXT:    qopt.transpose %arg0 [1, 0, 2]
// CHECK-NEXT:    qopt.transpose %arg0 [0, 2, 1]
func.func @negative_transposes(%x: tensor<2x3x4xf32>) -> (tensor<3x2x4xf32>, tensor<2x4x3xf32>) {
  %a = qopt.transpose %x [1, 0, 2] : (tensor<2x3x4xf32>) -> tensor<3x2x4xf32>
  %b = qopt.transpose %x [0, 2, 1] : (tensor<2x3x4xf32>) -> tensor<2x4x3xf32>
  return %a, %b : tensor<3x2x4xf32>, tensor<2x4x3xf32>
}

// Padding before or behind batch or channels: a conv has none of them.
// CHECK-LABEL: func.func @negative_pads
// CHECK-NEXT:    qopt.pad %arg0 [1, 0, 0, 0, 0, 0, 0, 0]
// CHECK-NEXT:    qopt.conv
// CHECK-NEXT:    qopt.pad %arg0 [0, 1, 0, 0, 0, 0, 0, 0]
// CHECK-NEXT:    qopt.conv
// CHECK-NEXT:    qopt.pad %arg0 [0, 0, 0, 0, 1, 0, 0, 0]
// CHECK-NEXT:    qopt.conv
// CHECK-NEXT:    qopt.pad %arg0 [0, 0, 0, 0, 0, 1, 0, 0]
// CHECK-NEXT:    qopt.conv
func.func @negative_pads(%x: tensor<1x1x4x4xf32>, %w1: tensor<1x1x3x3xf32>, %w2: tensor<1x2x3x3xf32>)
    -> (tensor<2x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<2x1x2x2xf32>, tensor<1x1x2x2xf32>) {
  %a = qopt.pad %x [1, 0, 0, 0, 0, 0, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<2x1x4x4xf32>
  %ya = qopt.conv %a, %w1 : (tensor<2x1x4x4xf32>, tensor<1x1x3x3xf32>) -> tensor<2x1x2x2xf32>
  %b = qopt.pad %x [0, 1, 0, 0, 0, 0, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32>
  %yb = qopt.conv %b, %w2 : (tensor<1x2x4x4xf32>, tensor<1x2x3x3xf32>) -> tensor<1x1x2x2xf32>
  %c = qopt.pad %x [0, 0, 0, 0, 1, 0, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<2x1x4x4xf32>
  %yc = qopt.conv %c, %w1 : (tensor<2x1x4x4xf32>, tensor<1x1x3x3xf32>) -> tensor<2x1x2x2xf32>
  %d = qopt.pad %x [0, 0, 0, 0, 0, 1, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32>
  %yd = qopt.conv %d, %w2 : (tensor<1x2x4x4xf32>, tensor<1x2x3x3xf32>) -> tensor<1x1x2x2xf32>
  return %ya, %yb, %yc, %yd : tensor<2x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<2x1x2x2xf32>, tensor<1x1x2x2xf32>
}

// A max pool has none of them either, and pads with no other value than zero.
// CHECK-LABEL: func.func @negative_pads_of_pool
// CHECK:         qopt.pad %{{.*}} [0, 1, 0, 0, 0, 0, 0, 0]
// CHECK-NEXT:    qopt.max_pool
// CHECK-NEXT:    qopt.pad %{{.*}} [0, 0, 1, 1, 0, 0, 1, 1] {value = 1.{{.*}} : f32}
// CHECK-NEXT:    qopt.max_pool
func.func @negative_pads_of_pool(%x: tensor<1x1x4x4xf32>) -> (tensor<1x2x3x3xf32>, tensor<1x1x4x4xf32>) {
  %r = qopt.unary %x [#qopt.fn<relu>] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %a = qopt.pad %r [0, 1, 0, 0, 0, 0, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32>
  %ya = qopt.max_pool %a {kernel = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x3x3xf32>
  %b = qopt.pad %r [0, 0, 1, 1, 0, 0, 1, 1] {value = 1.0 : f32} : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %yb = qopt.max_pool %b {kernel = array<i64: 3, 3>} : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x4xf32>
  return %ya, %yb : tensor<1x2x3x3xf32>, tensor<1x1x4x4xf32>
}

// Values that are not below zero: clipped there, or by what an op ends with.
// The pool's own padding adds up; a corner window just touches the input.
// CHECK-LABEL: func.func @pads_into_pool
// CHECK-NOT:     qopt.pad
// CHECK:         qopt.max_pool %{{.*}} {kernel = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>}
// CHECK-NOT:     qopt.pad
// CHECK:         qopt.max_pool %{{.*}} {kernel = array<i64: 3, 3>, pads = array<i64: 1, 2, 1, 2>}
func.func @pads_into_pool(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x5x5xf32>, tensor<1x1x4x6xf32>) {
  %r = qopt.unary %x [#qopt.fn<tanh>, #qopt.fn<clip, 0.0, 0.5>] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %a = qopt.pad %r [0, 0, 1, 1, 0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %ya = qopt.max_pool %a {kernel = array<i64: 2, 2>} : (tensor<1x1x6x6xf32>) -> tensor<1x1x5x5xf32>
  %s = qopt.add %x, %x {activation = #qopt.fn<relu>} : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %b = qopt.pad %s [0, 0, 1, 1, 0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %yb = qopt.max_pool %b {kernel = array<i64: 3, 3>, pads = array<i64: 0, 1, 0, 1>} : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x6xf32>
  return %ya, %yb : tensor<1x1x5x5xf32>, tensor<1x1x4x6xf32>
}

// A clip below zero, a function behind the clamp, an op without a clamp.
// CHECK-LABEL: func.func @negative_signed_pads
// CHECK-COUNT-3: qopt.pad
func.func @negative_signed_pads(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
  %a0 = qopt.unary %x [#qopt.fn<clip, -0.5, 0.5>] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %a1 = qopt.pad %a0 [0, 0, 1, 1, 0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %a = qopt.max_pool %a1 {kernel = array<i64: 3, 3>} : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x4xf32>
  %b0 = qopt.unary %x [#qopt.fn<relu>, #qopt.fn<affine, 1.0, -1.0>] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %b1 = qopt.pad %b0 [0, 0, 1, 1, 0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %b = qopt.max_pool %b1 {kernel = array<i64: 3, 3>} : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x4xf32>
  %c0 = qopt.add %x, %x : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %c1 = qopt.pad %c0 [0, 0, 1, 1, 0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %c = qopt.max_pool %c1 {kernel = array<i64: 3, 3>} : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x4xf32>
  return %a, %b, %c : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
}

// Windows in the padding of one side of one axis only: above, left, below,
// right.
// CHECK-LABEL: func.func @negative_windows_in_padding
// CHECK:         qopt.pad %{{.*}} [0, 0, 2, 0, 0, 0, 0, 0]
// CHECK:         qopt.pad %{{.*}} [0, 0, 0, 2, 0, 0, 0, 0]
// CHECK:         qopt.pad %{{.*}} [0, 0, 0, 0, 0, 0, 2, 0]
// CHECK:         qopt.pad %{{.*}} [0, 0, 0, 0, 0, 0, 0, 2]
func.func @negative_windows_in_padding(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x5x3xf32>, tensor<1x1x3x5xf32>, tensor<1x1x5x3xf32>, tensor<1x1x3x5xf32>) {
  %r = qopt.unary %x [#qopt.fn<relu>] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %a = qopt.pad %r [0, 0, 2, 0, 0, 0, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x4xf32>
  %ya = qopt.max_pool %a {kernel = array<i64: 2, 2>} : (tensor<1x1x6x4xf32>) -> tensor<1x1x5x3xf32>
  %b = qopt.pad %r [0, 0, 0, 2, 0, 0, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x6xf32>
  %yb = qopt.max_pool %b {kernel = array<i64: 2, 2>} : (tensor<1x1x4x6xf32>) -> tensor<1x1x3x5xf32>
  %c = qopt.pad %r [0, 0, 0, 0, 0, 0, 2, 0] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x4xf32>
  %yc = qopt.max_pool %c {kernel = array<i64: 2, 2>} : (tensor<1x1x6x4xf32>) -> tensor<1x1x5x3xf32>
  %d = qopt.pad %r [0, 0, 0, 0, 0, 0, 0, 2] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x6xf32>
  %yd = qopt.max_pool %d {kernel = array<i64: 2, 2>} : (tensor<1x1x4x6xf32>) -> tensor<1x1x3x5xf32>
  return %ya, %yb, %yc, %yd : tensor<1x1x5x3xf32>, tensor<1x1x3x5xf32>, tensor<1x1x5x3xf32>, tensor<1x1x3x5xf32>
}
