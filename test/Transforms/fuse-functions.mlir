// RUN: qopt-opt %s --qopt-fuse-functions | FileCheck %s

// CHECK-LABEL: func.func @silu
// CHECK-NEXT:    %[[Y:.*]] = qopt.unary %arg0 [#qopt.fn<push>, #qopt.fn<sigmoid>, #qopt.fn<mul>] {qopt.value = "y"}
// CHECK-NEXT:    return %[[Y]]
func.func @silu(%x: tensor<2xf32>) -> tensor<2xf32> {
  %s = qopt.unary %x [#qopt.fn<sigmoid>] {qopt.value = "s"} : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.mul %x, %s {qopt.value = "y"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// The other order needs the value itself last.
// CHECK-LABEL: func.func @mish
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<push>, #qopt.fn<softplus>, #qopt.fn<tanh>, #qopt.fn<swap>, #qopt.fn<mul>] :
// CHECK-NEXT:    return
func.func @mish(%x: tensor<2xf32>) -> tensor<2xf32> {
  %s = qopt.unary %x [#qopt.fn<softplus>] : (tensor<2xf32>) -> tensor<2xf32>
  %t = qopt.unary %s [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.mul %t, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// x (1 + erf(x / sqrt 2)) / 2 as PyTorch exports it.
// CHECK-LABEL: func.func @gelu
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<push>, #qopt.fn<affine, {{.*}}, 0.000000e+00>, #qopt.fn<erf>, #qopt.fn<affine, 1.000000e+00, 1.000000e+00>, #qopt.fn<mul>] :
// CHECK-NEXT:    qopt.unary %{{.*}} [#qopt.fn<affine, 5.000000e-01, 0.000000e+00>]
// CHECK-NEXT:    return
func.func @gelu(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<affine, 0.7071067811865475, 0.0>] : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<erf>] : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.unary %b [#qopt.fn<affine, 1.0, 1.0>] : (tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.mul %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.unary %d [#qopt.fn<affine, 0.5, 0.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// x + 0.04 x^3: parts are chains before the whole is.
// CHECK-LABEL: func.func @nested
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<push>,
// CHECK-SAME:      #qopt.fn<push>, #qopt.fn<push>, #qopt.fn<mul>, #qopt.fn<swap>, #qopt.fn<mul>,
// CHECK-SAME:      #qopt.fn<affine, 4.000000e-02, 0.000000e+00>, #qopt.fn<add>]
// CHECK-NEXT:    return
func.func @nested(%x: tensor<2xf32>) -> tensor<2xf32> {
  %s = qopt.mul %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %t = qopt.mul %s, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %u = qopt.unary %t [#qopt.fn<affine, 0.04, 0.0>] : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.add %x, %u : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// The nearest value: the sum, not the arguments. Clamps keep their place.
// CHECK-LABEL: func.func @nearest
// CHECK-NEXT:    %[[S:.*]] = qopt.add %arg0, %arg1
// CHECK-NEXT:    qopt.unary %[[S]] [#qopt.fn<push>, #qopt.fn<tanh>, #qopt.fn<sub>, #qopt.fn<relu>]
// CHECK-NEXT:    return
func.func @nearest(%x: tensor<2xf32>, %z: tensor<2xf32>) -> tensor<2xf32> {
  %s = qopt.add %x, %z : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %t = qopt.unary %s [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.sub %s, %t {activation = #qopt.fn<relu>} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// Where(x > 0, tanh x, 5) as the importer writes it, two functions apart.
// CHECK-LABEL: func.func @both_sides
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<push>,
// CHECK-SAME:      #qopt.fn<push>, #qopt.fn<greater, 0.000000e+00>, #qopt.fn<swap>, #qopt.fn<tanh>, #qopt.fn<mul>,
// CHECK-SAME:      #qopt.fn<swap>, #qopt.fn<greater, 0.000000e+00>, #qopt.fn<affine, -5.000000e+00, 5.000000e+00>, #qopt.fn<add>]
// CHECK-NEXT:    return
func.func @both_sides(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.unary %x [#qopt.fn<greater, 0.0>] : (tensor<2xf32>) -> tensor<2xf32>
  %t = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %a = qopt.mul %c, %t : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %c [#qopt.fn<affine, -5.0, 5.0>] : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// Constants on both sides of each op.
// CHECK-LABEL: func.func @constants
// CHECK:         qopt.unary %arg0 [#qopt.fn<affine, -1.000000e+00, 2.000000e+00>]
// CHECK:         qopt.unary %arg0 [#qopt.fn<affine, 1.000000e+00, -2.000000e+00>]
// CHECK:         qopt.unary %arg0 [#qopt.fn<affine, 2.000000e+00, 0.000000e+00>]
// CHECK:         qopt.unary %arg0 [#qopt.fn<affine, 1.000000e+00, 2.000000e+00>]
// CHECK:         qopt.unary %arg0 [#qopt.fn<clip, 2.000000e+00, 0x7FF0000000000000>]
// CHECK:         qopt.unary %arg0 [#qopt.fn<clip, 0xFFF0000000000000, 2.000000e+00>]
// CHECK:         qopt.unary %arg0 [#qopt.fn<push>, #qopt.fn<affine, 0.000000e+00, 2.000000e+00>, #qopt.fn<div>]
// CHECK:         qopt.unary %arg0 [#qopt.fn<push>, #qopt.fn<affine, 0.000000e+00, 2.000000e+00>, #qopt.fn<swap>, #qopt.fn<div>]
func.func @constants(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>,
    tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %c = qopt.constant dense<2.0> : tensor<2xf32>
  %0 = qopt.sub %c, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = qopt.sub %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = qopt.mul %c, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = qopt.add %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %4 = qopt.max %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %5 = qopt.min %c, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %6 = qopt.div %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %7 = qopt.div %c, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>,
    tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// The gate has another reader and stays for it.
// CHECK-LABEL: func.func @part_with_a_reader
// CHECK-NEXT:    %[[S:.*]] = qopt.unary %arg0 [#qopt.fn<sigmoid>]
// CHECK-NEXT:    %[[Y:.*]] = qopt.unary %arg0 [#qopt.fn<push>, #qopt.fn<sigmoid>, #qopt.fn<mul>]
// CHECK-NEXT:    return %[[S]], %[[Y]]
func.func @part_with_a_reader(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %s = qopt.unary %x [#qopt.fn<sigmoid>] : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.mul %x, %s : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %s, %y : tensor<2xf32>, tensor<2xf32>
}

// Functions alone read the magnitude: each takes it along.
// CHECK-LABEL: func.func @shared_function
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<abs>, #qopt.fn<sqrt>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<abs>, #qopt.fn<affine, 1.000000e+00, 1.000000e+00>, #qopt.fn<log>]
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<abs>, #qopt.fn<affine, 1.000000e+00, 1.000000e+00>, #qopt.fn<exp>]
// CHECK-NEXT:    return
func.func @shared_function(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %a = qopt.unary %x [#qopt.fn<abs>] : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<affine, 1.0, 1.0>] : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.unary %a [#qopt.fn<sqrt>] : (tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.unary %b [#qopt.fn<log>] : (tensor<2xf32>) -> tensor<2xf32>
  %e = qopt.unary %b [#qopt.fn<exp>] : (tensor<2xf32>) -> tensor<2xf32>
  return %c, %d, %e : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func.func @negative_shared_clamp
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<relu>]
// CHECK-NEXT:    qopt.unary %{{.*}} [#qopt.fn<sqrt>]
// CHECK-NEXT:    qopt.unary %{{.*}} [#qopt.fn<exp>]
func.func @negative_shared_clamp(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %a = qopt.unary %x [#qopt.fn<relu>] : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<sqrt>] : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.unary %a [#qopt.fn<exp>] : (tensor<2xf32>) -> tensor<2xf32>
  return %b, %c : tensor<2xf32>, tensor<2xf32>
}

// The model returns it, too.
// CHECK-LABEL: func.func @negative_shared_result
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<abs>]
// CHECK-NEXT:    qopt.unary %{{.*}} [#qopt.fn<sqrt>]
func.func @negative_shared_result(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %a = qopt.unary %x [#qopt.fn<abs>] : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<sqrt>] : (tensor<2xf32>) -> tensor<2xf32>
  return %b, %a : tensor<2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func.func @negative_two_values
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<sigmoid>]
// CHECK-NEXT:    qopt.mul
func.func @negative_two_values(%x: tensor<2xf32>, %z: tensor<2xf32>) -> tensor<2xf32> {
  %s = qopt.unary %x [#qopt.fn<sigmoid>] : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.mul %z, %s : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// A layer lies between the value and the gate.
// CHECK-LABEL: func.func @negative_layer_between
// CHECK:         qopt.mul
func.func @negative_layer_between(%x: tensor<2x2xf32>, %w: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %c = qopt.gemm %x, %w : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  %s = qopt.unary %c [#qopt.fn<sigmoid>] : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = qopt.mul %x, %s : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// The gate of a channel is no function of the element that it scales.
// CHECK-LABEL: func.func @negative_broadcast
// CHECK-NEXT:    qopt.unary
// CHECK-NEXT:    qopt.mul
func.func @negative_broadcast(%x: tensor<1x1xf32>, %z: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %s = qopt.unary %x [#qopt.fn<sigmoid>] : (tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = qopt.mul %z, %s : (tensor<2x2xf32>, tensor<1x1xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// CHECK-LABEL: func.func @negative_constant_varies
// CHECK:         qopt.mul
func.func @negative_constant_varies(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = qopt.mul %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// Each sum would write x twice as often as the one before.
// CHECK-LABEL: func.func @negative_long
// CHECK:         qopt.unary %arg0
// CHECK:         qopt.mul %[[V:.*]], %[[W:.*]] :
func.func @negative_long(%x: tensor<2xf32>, %z: tensor<2xf32>) -> tensor<2xf32> {
  %0 = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %1 = qopt.add %0, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %2 = qopt.mul %1, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = qopt.add %1, %2 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %4 = qopt.add %3, %2 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %5 = qopt.add %3, %4 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %6 = qopt.add %5, %4 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %7 = qopt.mul %6, %5 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %7 : tensor<2xf32>
}
