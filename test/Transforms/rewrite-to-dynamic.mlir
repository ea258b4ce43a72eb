// RUN: qopt-opt %s --qopt-weights-only --qopt-rewrite-to-dynamic -split-input-file | FileCheck %s

// Two layers: the second one's input has its scale from the first one's largest
// result, in 255 steps behind a ReLU. The zero bias is none.
// CHECK-LABEL: func.func @layers
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xi32> {qint.real}) -> (tensor<2x2xi32> {qint.real})
// CHECK: %[[G0:.*]] = qint.real_grid %[[X]] : (tensor<2x4xi32>) -> tensor<2x7xi32>
// CHECK: %[[V0:.*]] = qint.real_to_grid %[[X]], %[[G0]]
// CHECK: %[[S0:.*]] = qint.grid_scale %[[V0]], %[[G0]] {steps = 127 : i32} {{.*}} -> tensor<2x4xi32>
// CHECK: %[[Q0:.*]] = qint.grid_quantize %[[V0]], %[[S0]] {zero_point = 0 : i32}
// The largest sum is 127 (127 + 127 + 127 + 127), below 2^16 with the type's -128.
// CHECK: %[[G1:.*]] = qint.layer_grid %[[S0]] {accumulator_bits = 16 : i32, bias_exponent = -30 : i32, clamp_min = array<i32: 0, 0>, multiplier_exponent = -36 : i32}
// CHECK: %[[A1:.*]] = qint.gemm %[[Q0]], %{{.*}} {input_zero_point = 0 : i32
// CHECK-SAME: -> tensor<2x2xi32>
// CHECK: %[[V1:.*]] = qint.layer_to_grid %[[A1]], %[[G1]] {axis = 1 : i64, biases = array<i32: 536870912, -268435456>, multipliers = array<i32: 541098240, 541098240>, zero_point = 0 : i32}
// CHECK: %[[S1:.*]] = qint.grid_scale %[[V1]], %[[G1]] {steps = 255 : i32}
// CHECK: %[[Q1:.*]] = qint.grid_quantize %[[V1]], %[[S1]] {zero_point = -128 : i32}
// CHECK: %[[G2:.*]] = qint.layer_grid %[[S1]]
// CHECK-NOT: bias_exponent
// CHECK: %[[A2:.*]] = qint.gemm %[[Q1]], %{{.*}} {input_zero_point = -128 : i32
// CHECK: %[[V2:.*]] = qint.layer_to_grid %[[A2]], %[[G2]]
// CHECK: %[[Y:.*]] = qint.grid_to_real %[[V2]], %[[G2]]
// CHECK: return %[[Y]]
func.func @layers(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %w = qopt.constant dense<[[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]> : tensor<2x4xf32>
  %b = qopt.constant dense<[0.5, -0.25]> : tensor<2xf32>
  %z = qopt.constant dense<0.0> : tensor<2xf32>
  %v = qopt.constant dense<[[1.0, 0.5], [2.0, 1.0]]> : tensor<2x2xf32>
  %h = qopt.gemm %x, %w, %b {activation = #qopt.fn<relu>} : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %y = qopt.gemm %h, %v, %z : (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Moves and pools keep the scale; padding is the zero point; a convolution's
// channels are on axis 1.
// CHECK-LABEL: func.func @convolutions
// CHECK: %[[S:.*]] = qint.grid_scale
// CHECK: %[[Q:.*]] = qint.grid_quantize
// CHECK: %[[P:.*]] = qint.pad %[[Q]] [0, 0, 1, 1, 0, 0, 1, 1] {value = 0 : i32}
// CHECK: qint.layer_grid %[[S]] {{.*}}clamp_max = array<i32: 805306368, -27>, clamp_min = array<i32: 0, 0>
// CHECK: qint.conv %[[P]]
// CHECK: qint.layer_to_grid %{{.*}} {axis = 1 : i64
// CHECK: %[[S1:.*]] = qint.grid_scale
// CHECK: qint.max_pool
// CHECK: qint.transpose
// CHECK: qint.reshape
// CHECK: qint.layer_grid %[[S1]]
func.func @convolutions(%x: tensor<1x1x4x4xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<1.0> : tensor<2x1x3x3xf32>
  %v = qopt.constant dense<1.0> : tensor<2x8xf32>
  %p = qopt.pad %x [0, 0, 1, 1, 0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %c = qopt.conv %p, %w {activation = #qopt.fn<clip, 0.0, 6.0>} : (tensor<1x1x6x6xf32>, tensor<2x1x3x3xf32>) -> tensor<1x2x4x4xf32>
  %m = qopt.max_pool %c {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  %t = qopt.transpose %m [0, 2, 3, 1] : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %r = qopt.reshape %t : (tensor<1x2x2x2xf32>) -> tensor<1x8xf32>
  %y = qopt.gemm %r, %v : (tensor<1x8xf32>, tensor<2x8xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// Sums, averages and clamps of their own.
// CHECK-LABEL: func.func @sums
// CHECK: %[[S:.*]] = qint.grid_scale
// CHECK: %[[Q:.*]] = qint.grid_quantize
// CHECK: qint.layer_grid %[[S]] {accumulator_bits = 8 : i32, clamp_min = array<i32: 0, 0>, multiplier_exponent = -29 : i32}
// CHECK: qint.layer_to_grid %[[Q]]
// CHECK: %[[T:.*]] = qint.grid_scale %{{.*}} {steps = 255 : i32}
// CHECK: %[[R:.*]] = qint.grid_quantize
// CHECK: %[[G:.*]] = qint.sum_grid %[[S]], %[[T]]
// CHECK: qint.sum_to_grid %[[Q]], %[[R]], %[[G]] {lhs_zero_point = 0 : i32, rhs_zero_point = -128 : i32}
// CHECK: qint.avg_pool {{.*}} -> tensor<1x2x3x3xi16>
// CHECK: qint.layer_grid {{.*}} {accumulator_bits = 15 : i32, multiplier_exponent = -36 : i32}
// CHECK: qint.reduce_mean {{.*}} -> tensor<1x2x1x1xi16>
// CHECK: qint.layer_grid {{.*}} {accumulator_bits = 15 : i32
func.func @sums(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32> {
  %r = qopt.unary %x [#qopt.fn<relu>] : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %s = qopt.add %x, %r : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %p = qopt.avg_pool %s {kernel = array<i64: 2, 2>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x3x3xf32>
  %m = qopt.reduce_mean %p axes [2, 3] : (tensor<1x2x3x3xf32>) -> tensor<1x2x1x1xf32>
  return %m : tensor<1x2x1x1xf32>
}

// -----

// Where axis 0 does not stay what it is, all elements share a scale.
// CHECK-LABEL: func.func @merged
// CHECK: qint.real_grid %{{.*}} : (tensor<2x4xi32>) -> tensor<1x7xi32>
func.func @merged(%x: tensor<2x4xf32>) -> tensor<4x2xf32> {
  %t = qopt.transpose %x [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
  return %t : tensor<4x2xf32>
}

// -----

// Nor has a vector samples.
// CHECK-LABEL: func.func @vector
// CHECK: qint.real_grid %{{.*}} : (tensor<4xi32>) -> tensor<1x7xi32>
func.func @vector(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = qopt.unary %x [#qopt.fn<relu>] : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// What goes through is not touched.
// CHECK-LABEL: func.func @through
// CHECK: return %{{.*}} : tensor<1x4xi32>
func.func @through(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  return %x : tensor<1x4xf32>
}

// -----

// A sigmoid levels off before 16: a table of 16 bits in steps of 2^-11, and no
// value is negative. The product has the scales of both sides.
// CHECK-LABEL: func.func @gate
// CHECK: qint.real_to_grid
// CHECK: %[[G:.*]] = qint.real_grid
// CHECK: %[[V:.*]] = qint.real_to_grid
// CHECK: %[[F:.*]] = qint.grid_to_fixed %[[V]], %[[G]] {exponent = -11 : i32} : {{.*}} -> tensor<1x4x1xi16>
// CHECK: %[[T:.*]] = qint.piecewise %[[F]]
// CHECK: %[[C:.*]] = qint.constant dense<{{\[\[}}{{[0-9]+, -[0-9]+}}, 0, 1]]> : tensor<1x4xi32>
// CHECK: %[[GS:.*]] = qint.layer_grid %[[C]]
// CHECK: %[[S:.*]] = qint.layer_to_grid %[[T]], %[[GS]]
// CHECK: %[[LEFT:.*]] = qint.grid_scale
// CHECK: %[[RIGHT:.*]] = qint.grid_scale %[[S]], %[[GS]] {steps = 255 : i32}
// CHECK: %[[P:.*]] = qint.product_grid %[[LEFT]], %[[RIGHT]] {product_bits = 16 : i32}
// CHECK: qint.product_to_grid %{{.*}}, %{{.*}}, %[[P]] {lhs_zero_point = 0 : i32, rhs_zero_point = -128 : i32}
func.func @gate(%x: tensor<1x4x3xf32>, %y: tensor<1x4x1xf32>) -> tensor<1x4x3xf32> {
  %s = qopt.unary %y [#qopt.fn<sigmoid>] : (tensor<1x4x1xf32>) -> tensor<1x4x1xf32>
  %p = qopt.mul %x, %s : (tensor<1x4x3xf32>, tensor<1x4x1xf32>) -> tensor<1x4x3xf32>
  return %p : tensor<1x4x3xf32>
}

// -----

// A hard swish grows; its share of the argument levels off at 3.
// CHECK-LABEL: func.func @swish
// CHECK: %[[G:.*]] = qint.real_grid
// CHECK: %[[F:.*]] = qint.grid_to_fixed %{{.*}}, %[[G]] {exponent = -13 : i32}
// CHECK: %[[T:.*]] = qint.piecewise %[[F]]
// CHECK: %[[P:.*]] = qint.product_grid %{{.*}}, %{{.*}} {product_bits = 24 : i32}
// CHECK: qint.product_to_grid %{{.*}}, %[[T]], %[[P]] {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32} : (tensor<1x4xi8>, tensor<1x4xi16>
func.func @swish(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %y = qopt.unary %x [#qopt.fn<hard_swish>] : (tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
