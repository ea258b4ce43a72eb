// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @conv_c1_rank(%x: tensor<4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{expects input of rank 4, but got 3}}
  %0 = qopt.conv %x, %w : (tensor<4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_c2_input_channels(%x: tensor<1x4x8x8xf32>, %w: tensor<6x3x3x3xf32>) {
  // expected-error@+1 {{expects 3 input channels, but got 4}}
  %0 = qopt.conv %x, %w : (tensor<1x4x8x8xf32>, tensor<6x3x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_c2_output_channels(%x: tensor<1x4x8x8xf32>, %w: tensor<5x2x3x3xf32>) {
  // expected-error@+1 {{expects output channels divisible by groups, but got 5 and 2}}
  %0 = qopt.conv %x, %w {groups = 2 : i64} : (tensor<1x4x8x8xf32>, tensor<5x2x3x3xf32>) -> tensor<1x5x6x6xf32>
  return
}

// -----

func.func @conv_c2_groups(%x: tensor<1x4x8x8xf32>, %w: tensor<5x2x3x3xf32>) {
  // expected-error@+1 {{expects groups >= 1, but got 0}}
  %0 = qopt.conv %x, %w {groups = 0 : i64} : (tensor<1x4x8x8xf32>, tensor<5x2x3x3xf32>) -> tensor<1x5x6x6xf32>
  return
}

// -----

func.func @conv_c3_strides(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{expects 2 entries >= 1 in 'strides', but got [0, 1]}}
  %0 = qopt.conv %x, %w {strides = array<i64: 0, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_c3_dilations(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{expects 2 entries >= 1 in 'dilations', but got [1]}}
  %0 = qopt.conv %x, %w {dilations = array<i64: 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_c3_pads(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{expects 4 entries >= 0 in 'pads', but got [0, 0, -1, 0]}}
  %0 = qopt.conv %x, %w {pads = array<i64: 0, 0, -1, 0>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_c3_huge_dilation(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{expects 2 entries >= 1 in 'dilations', but got [9223372036854775807, 1]}}
  %0 = qopt.conv %x, %w {dilations = array<i64: 9223372036854775807, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_c4_result_shape(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{expects result shape 1x6x6x6, but got 1x6x8x8}}
  %0 = qopt.conv %x, %w : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32>
  return
}

// -----

func.func @conv_c4_window_fits(%x: tensor<1x4x2x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{expects a window that fits the padded input, but got kernel 3x3 on input 1x4x2x8}}
  %0 = qopt.conv %x, %w : (tensor<1x4x2x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x1x6xf32>
  return
}

// -----

func.func @conv_c5_bias(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{expects a bias of shape 6, but got 5}}
  %0 = qopt.conv %x, %w, %b : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<5xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @conv_c6_activation(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error@+1 {{expects a clamp as activation, but got #qopt.fn<tanh>}}
  %0 = qopt.conv %x, %w {activation = #qopt.fn<tanh>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

func.func @gemm_c1_inner_dimension(%x: tensor<1x4xf32>, %w: tensor<2x5xf32>) {
  // expected-error@+1 {{expects inner dimensions to match, but got 4 and 5}}
  %0 = qopt.gemm %x, %w : (tensor<1x4xf32>, tensor<2x5xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @gemm_c2_weight_rank(%x: tensor<1x4xf32>, %w: tensor<4xf32>) {
  // expected-error@+1 {{expects weight of rank 2, but got 1}}
  %0 = qopt.gemm %x, %w : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x1xf32>
  return
}

// -----

func.func @gemm_c2_input_rank(%x: tensor<f32>, %w: tensor<2x4xf32>) {
  // expected-error@+1 {{expects input of rank 1 or more, but got 0}}
  %0 = qopt.gemm %x, %w : (tensor<f32>, tensor<2x4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @gemm_c3_result(%x: tensor<3x4xf32>, %w: tensor<2x4xf32>) {
  // expected-error@+1 {{expects result shape 3x2, but got 2x3}}
  %0 = qopt.gemm %x, %w : (tensor<3x4xf32>, tensor<2x4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @gemm_c4_bias(%x: tensor<3x4xf32>, %w: tensor<2x4xf32>, %b: tensor<1x2xf32>) {
  // expected-error@+1 {{expects a bias of shape 2, but got 1x2}}
  %0 = qopt.gemm %x, %w, %b : (tensor<3x4xf32>, tensor<2x4xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @gemm_c5_activation(%x: tensor<3x4xf32>, %w: tensor<2x4xf32>) {
  // expected-error@+1 {{expects a clamp as activation, but got #qopt.fn<sigmoid>}}
  %0 = qopt.gemm %x, %w {activation = #qopt.fn<sigmoid>} : (tensor<3x4xf32>, tensor<2x4xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @add_c1_broadcast(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{expects shapes that broadcast, but got 2x3 and 2}}
  %0 = qopt.add %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @sub_c1_result(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{expects result shape 2x3, but got 3}}
  %0 = qopt.sub %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @mul_c2_activation(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{expects a clamp as activation, but got #qopt.fn<hard_swish>}}
  %0 = qopt.mul %a, %a {activation = #qopt.fn<hard_swish>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @unary_c1_empty(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{expects at least one function, but got 0}}
  %0 = qopt.unary %a [] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @unary_c3_takes_too_much(%a: tensor<2xf32>) {
  // expected-error@+1 {{expects functions that take from the stack what they put there, but got [#qopt.fn<mul>, #qopt.fn<push>]}}
  %0 = qopt.unary %a [#qopt.fn<mul>, #qopt.fn<push>] : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @unary_c3_leaves_some(%a: tensor<2xf32>) {
  // expected-error@+1 {{expects functions that take from the stack what they put there, but got}}
  %0 = qopt.unary %a [#qopt.fn<push>, #qopt.fn<relu>] : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @unary_c2_shape(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2x3 and 3x2}}
  %0 = qopt.unary %a [#qopt.fn<relu>] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @batch_norm_c1_rank(%a: tensor<3xf32>) {
  // expected-error@+1 {{expects input of rank 2 or more, but got 1}}
  %0 = qopt.batch_norm %a, %a, %a : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @batch_norm_c1_scale(%a: tensor<2x3xf32>, %s: tensor<2xf32>, %t: tensor<3xf32>) {
  // expected-error@+1 {{expects scale and shift of shape 3, but got 2}}
  %0 = qopt.batch_norm %a, %s, %t : (tensor<2x3xf32>, tensor<2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @batch_norm_c2_shape(%a: tensor<2x3xf32>, %s: tensor<3xf32>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2x3 and 6}}
  %0 = qopt.batch_norm %a, %s, %s : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<6xf32>
  return
}

// -----

func.func @softmax_c1_axis(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{expects axis in [0, 2), but got 2}}
  %0 = qopt.softmax %a axis 2 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @softmax_c1_negative_axis(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{expects axis in [0, 2), but got -1}}
  %0 = qopt.softmax %a axis -1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @softmax_c2_shape(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2x3 and 3}}
  %0 = qopt.softmax %a axis 1 : (tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @max_pool_c1_channels(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{expects equal batch and channels, but got 1x3x8x8 and 1x4x4x4}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
    : (tensor<1x3x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @max_pool_c2_kernel(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{expects 2 entries >= 1 in 'kernel', but got [2, 2, 2]}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2, 2, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x7x7xf32>
  return
}

// -----

func.func @max_pool_c3_result(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{expects result shape 1x3x7x7, but got 1x3x8x8}}
  %0 = qopt.max_pool %x {kernel = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  return
}

// -----

func.func @avg_pool_c4_empty_window(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{expects every window to cover an input element, but got one that lies in the padding}}
  %0 = qopt.avg_pool %x {kernel = array<i64: 2, 2>, pads = array<i64: 2, 0, 0, 0>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x9x7xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

func.func @max_pool_c5_element_type(%x: tensor<1x3x8x8x!q>) {
  // expected-error@+1 {{expects one element type, but got '!quant.uniform<i8:f32, 5.000000e-01>' and '!quant.uniform<i8:f32, 2.500000e-01>'}}
  %0 = qopt.max_pool %x {kernel = array<i64: 1, 1>} : (tensor<1x3x8x8x!q>) -> tensor<1x3x8x8x!r>
  return
}

// -----

func.func @reduce_mean_c1_order(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 4), but got [3, 2]}}
  %0 = qopt.reduce_mean %x axes [3, 2] : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
  return
}

// -----

func.func @reduce_mean_c1_range(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 4), but got [2, 4]}}
  %0 = qopt.reduce_mean %x axes [2, 4] : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
  return
}

// -----

func.func @reduce_mean_c2_result(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{expects result shape 1x3, but got 1x3x1x1}}
  %0 = qopt.reduce_mean %x axes [2, 3] {keep_dims = false} : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
  return
}
