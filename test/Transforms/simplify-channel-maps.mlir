// RUN: qopt-opt %s --qopt-simplify | FileCheck %s

// The scale multiplies each output channel's weights, the shift becomes the
// bias; the name is the batch norm's.
// CHECK-LABEL: func.func @batch_norm_into_conv
// CHECK-DAG:     %[[W:.*]] = qopt.constant dense<{{\[\[\[\[}}1.000000e+00]]], {{\[\[\[}}6.000000e+00]]]]> : tensor<2x1x1x1xf32>
// CHECK-DAG:     %[[B:.*]] = qopt.constant dense<[2.500000e+00, -2.000000e+00]> : tensor<2xf32>
// CHECK:         %[[Y:.*]] = qopt.conv %{{.*}}, %[[W]], %[[B]] {qopt.value = "bn"}
// CHECK-NOT:     batch_norm
// CHECK:         return %[[Y]]
func.func @batch_norm_into_conv(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = qopt.constant dense<[[[[2.0]]], [[[3.0]]]]> : tensor<2x1x1x1xf32>
  %b = qopt.constant dense<[4.0, -1.0]> : tensor<2xf32>
  %scale = qopt.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %shift = qopt.constant dense<[0.5, 0.0]> : tensor<2xf32>
  %c = qopt.conv %x, %w, %b {qopt.value = "conv"} : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.batch_norm %c, %scale, %shift {qopt.value = "bn"} : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  return %y : tensor<1x2x4x4xf32>
}

// A gemm of rank 2 has its channels on axis 1 too; without a bias the shift is
// the bias.
// CHECK-LABEL: func.func @batch_norm_into_gemm
// CHECK-DAG:     %[[W:.*]] = qopt.constant dense<{{\[\[}}5.000000e-01, 1.000000e+00], [6.000000e+00, 8.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG:     %[[B:.*]] = qopt.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK:         qopt.gemm %{{.*}}, %[[W]], %[[B]]
// CHECK-NOT:     batch_norm
func.func @batch_norm_into_gemm(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %scale = qopt.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %shift = qopt.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %c = qopt.gemm %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = qopt.batch_norm %c, %scale, %shift : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Products and sums with per-channel constants are the same map, from either
// side; a scalar affine function too.
// CHECK-LABEL: func.func @constants_into_conv
// CHECK-DAG:     %[[W:.*]] = qopt.constant dense<{{\[\[\[\[}}1.200000e+01]]], {{\[\[\[}}2.400000e+01]]]]> : tensor<2x1x1x1xf32>
// CHECK-DAG:     %[[B:.*]] = qopt.constant dense<[1.300000e+01, 2.500000e+01]> : tensor<2xf32>
// CHECK:         %[[Y:.*]] = qopt.conv %{{.*}}, %[[W]], %[[B]]
// CHECK-NEXT:    return %[[Y]]
func.func @constants_into_conv(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = qopt.constant dense<2.0> : tensor<2x1x1x1xf32>
  %m = qopt.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %a = qopt.constant dense<2.0> : tensor<1x2x1x1xf32>
  %c = qopt.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %p = qopt.mul %m, %c : (tensor<2x1x1xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %q = qopt.mul %p, %a : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.unary %q [#qopt.fn<affine, 3.0, 0.0>] : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %d = qopt.constant dense<[[[13.0]], [[25.0]]]> : tensor<2x1x1xf32>
  %z = qopt.add %y, %d : (tensor<1x2x4x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %z : tensor<1x2x4x4xf32>
}

// Only the first function of a chain is a map.
// CHECK-LABEL: func.func @chain_into_gemm
// CHECK:         qopt.gemm
// CHECK-NEXT:    qopt.unary %{{.*}} [#qopt.fn<relu>] {qopt.value = "chain"}
func.func @chain_into_gemm(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<1.0> : tensor<2x2xf32>
  %c = qopt.gemm %x, %w {qopt.value = "gemm"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = qopt.unary %c [#qopt.fn<affine, 3.0, 1.0>, #qopt.fn<relu>] {qopt.value = "chain"} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// In front of a conv without padding, scale goes into the weights of the input
// channel and shift into the bias: 2*5 + 3*7 = 31.
// CHECK-LABEL: func.func @batch_norm_into_consumer
// CHECK-DAG:     %[[W:.*]] = qopt.constant dense<{{\[\[\[\[}}1.000000e+00]], {{\[\[}}6.000000e+00]]]]> : tensor<1x2x1x1xf32>
// CHECK-DAG:     %[[B:.*]] = qopt.constant dense<3.100000e+01> : tensor<1xf32>
// CHECK:         qopt.conv %arg0, %[[W]], %[[B]]
// CHECK-NOT:     batch_norm
func.func @batch_norm_into_consumer(%x: tensor<1x2x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = qopt.constant dense<[[[[2.0]], [[3.0]]]]> : tensor<1x2x1x1xf32>
  %scale = qopt.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %shift = qopt.constant dense<[5.0, 7.0]> : tensor<2xf32>
  %n = qopt.batch_norm %x, %scale, %shift : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.conv %n, %w : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// The second group reads the second half of the channels.
// CHECK-LABEL: func.func @batch_norm_into_grouped_consumer
// CHECK-DAG:     qopt.constant dense<{{\[\[\[\[}}1.000000e+00]]], {{\[\[\[}}4.000000e+00]]]]> : tensor<2x1x1x1xf32>
// CHECK-DAG:     qopt.constant dense<[1.000000e+01, 1.400000e+01]> : tensor<2xf32>
func.func @batch_norm_into_grouped_consumer(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = qopt.constant dense<2.0> : tensor<2x1x1x1xf32>
  %scale = qopt.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %shift = qopt.constant dense<[5.0, 7.0]> : tensor<2xf32>
  %n = qopt.batch_norm %x, %scale, %shift : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.conv %n, %w {groups = 2 : i64} : (tensor<1x2x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %y : tensor<1x2x4x4xf32>
}

// Two taps of each input channel.
// CHECK-LABEL: func.func @batch_norm_into_wide_kernel
// CHECK-DAG:     qopt.constant dense<{{\[\[\[\[}}1.000000e+00, 1.000000e+00]], {{\[\[}}4.000000e+00, 4.000000e+00]]]]> : tensor<1x2x1x2xf32>
// CHECK-DAG:     qopt.constant dense<4.800000e+01> : tensor<1xf32>
func.func @batch_norm_into_wide_kernel(%x: tensor<1x2x4x4xf32>) -> tensor<1x1x4x3xf32> {
  %w = qopt.constant dense<2.0> : tensor<1x2x1x2xf32>
  %scale = qopt.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %shift = qopt.constant dense<[5.0, 7.0]> : tensor<2xf32>
  %n = qopt.batch_norm %x, %scale, %shift : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.conv %n, %w : (tensor<1x2x4x4xf32>, tensor<1x2x1x2xf32>) -> tensor<1x1x4x3xf32>
  return %y : tensor<1x1x4x3xf32>
}

// Padding is zero behind the shift, so the batch norm stays in front of the
// conv, as a depthwise one.
// CHECK-LABEL: func.func @negative_padded_consumer
// CHECK:         %[[N:.*]] = qopt.conv %arg0, %{{.*}}, %{{.*}} {groups = 2 : i64}
// CHECK:         qopt.conv %[[N]]
func.func @negative_padded_consumer(%x: tensor<1x2x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = qopt.constant dense<2.0> : tensor<1x2x3x3xf32>
  %scale = qopt.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %shift = qopt.constant dense<[5.0, 7.0]> : tensor<2xf32>
  %n = qopt.batch_norm %x, %scale, %shift : (tensor<1x2x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.conv %n, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x2x4x4xf32>, tensor<1x2x3x3xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// The relu stands between the map and the conv.
// CHECK-LABEL: func.func @negative_chain_before_consumer
// CHECK:         qopt.unary %arg0 [#qopt.fn<affine, 5.000000e-01, 1.000000e+00>, #qopt.fn<relu>]
// CHECK-NEXT:    qopt.conv
func.func @negative_chain_before_consumer(%x: tensor<1x2x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = qopt.constant dense<2.0> : tensor<1x2x1x1xf32>
  %n = qopt.unary %x [#qopt.fn<affine, 0.5, 1.0>, #qopt.fn<relu>] : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.conv %n, %w : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// The value before the map has another reader, which keeps it alive.
// CHECK-LABEL: func.func @negative_map_with_second_user
// CHECK:         %[[N:.*]] = qopt.unary %arg0
// CHECK:         qopt.conv %[[N]]
func.func @negative_map_with_second_user(%x: tensor<1x2x4x4xf32>) -> (tensor<1x1x4x4xf32>, tensor<1x2x4x4xf32>) {
  %w = qopt.constant dense<2.0> : tensor<1x2x1x1xf32>
  %n = qopt.unary %x [#qopt.fn<affine, 0.5, 1.0>] : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.conv %n, %w : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %y, %n : tensor<1x1x4x4xf32>, tensor<1x2x4x4xf32>
}

// Without a shift padding stays zero.
// CHECK-LABEL: func.func @scale_into_padded_consumer
// CHECK:         %[[Y:.*]] = qopt.conv %arg0
// CHECK-NEXT:    return %[[Y]]
func.func @scale_into_padded_consumer(%x: tensor<1x2x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %w = qopt.constant dense<2.0> : tensor<1x2x3x3xf32>
  %n = qopt.unary %x [#qopt.fn<affine, 0.5, 0.0>] : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.conv %n, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x2x4x4xf32>, tensor<1x2x3x3xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// A batch norm of another rank becomes a depthwise conv between reshapes.
// CHECK-LABEL: func.func @batch_norm_rank_3
// CHECK:         %[[I:.*]] = qopt.reshape %arg0 : (tensor<2x3x5xf32>) -> tensor<2x3x5x1xf32>
// CHECK:         %[[C:.*]] = qopt.conv %[[I]], %{{.*}}, %{{.*}} {groups = 3 : i64, qopt.value = "bn"}
// CHECK:         qopt.reshape %[[C]] : (tensor<2x3x5x1xf32>) -> tensor<2x3x5xf32>
func.func @batch_norm_rank_3(%x: tensor<2x3x5xf32>) -> tensor<2x3x5xf32> {
  %scale = qopt.constant dense<0.5> : tensor<3xf32>
  %shift = qopt.constant dense<5.0> : tensor<3xf32>
  %y = qopt.batch_norm %x, %scale, %shift {qopt.value = "bn"} : (tensor<2x3x5xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3x5xf32>
  return %y : tensor<2x3x5xf32>
}

// The value before the map is returned too.
// CHECK-LABEL: func.func @negative_second_user
// CHECK:         %[[C:.*]] = qopt.conv %arg0
// CHECK:         %[[Y:.*]] = qopt.unary %[[C]]
// CHECK:         return %[[C]], %[[Y]]
func.func @negative_second_user(%x: tensor<1x1x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  %w = qopt.constant dense<2.0> : tensor<2x1x1x1xf32>
  %c = qopt.conv %x, %w : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.unary %c [#qopt.fn<affine, 0.5, 0.0>] : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %c, %y : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// The map comes behind the clamp and cannot pass it.
// CHECK-LABEL: func.func @negative_activation
// CHECK:         qopt.gemm
// CHECK-NEXT:    qopt.unary
func.func @negative_activation(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<1.0> : tensor<2x2xf32>
  %c = qopt.gemm %x, %w {activation = #qopt.fn<relu>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = qopt.unary %c [#qopt.fn<affine, 3.0, 1.0>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// The constant varies along the columns, not the channels.
// CHECK-LABEL: func.func @negative_other_axis
// CHECK:         qopt.conv
// CHECK-NEXT:    qopt.mul
func.func @negative_other_axis(%x: tensor<1x1x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %w = qopt.constant dense<2.0> : tensor<2x1x1x1xf32>
  %m = qopt.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %c = qopt.conv %x, %w : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %y = qopt.mul %c, %m : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  return %y : tensor<1x2x2x2xf32>
}

// The weights come from outside.
// CHECK-LABEL: func.func @negative_variable_weight
// CHECK:         qopt.gemm
// CHECK-NEXT:    qopt.unary
func.func @negative_variable_weight(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %c = qopt.gemm %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = qopt.unary %c [#qopt.fn<affine, 3.0, 1.0>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// The bias comes from outside.
// CHECK-LABEL: func.func @negative_variable_bias
// CHECK:         qopt.gemm
// CHECK-NEXT:    qopt.unary
func.func @negative_variable_bias(%x: tensor<1x2xf32>, %b: tensor<2xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<1.0> : tensor<2x2xf32>
  %c = qopt.gemm %x, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.unary %c [#qopt.fn<affine, 3.0, 1.0>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// The product leaves float32.
// CHECK-LABEL: func.func @negative_overflow
// CHECK:         qopt.gemm
// CHECK-NEXT:    qopt.unary
func.func @negative_overflow(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = qopt.constant dense<1.0e30> : tensor<2x2xf32>
  %c = qopt.gemm %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = qopt.unary %c [#qopt.fn<affine, 1.0e30, 1.0>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
