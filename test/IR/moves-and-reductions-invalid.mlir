// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @qopt_slice_c1_starts(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects 4 entries >= 0 in 'starts', but got [0, -1, 0, 0]}}
  %0 = qopt.slice %x [0, -1, 0, 0] steps [1, 1, 1, 1] : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  return
}

// -----

func.func @qopt_slice_c1_steps(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects 4 entries >= 1 in 'steps', but got [1, 1, 0, 1]}}
  %0 = qopt.slice %x [0, 0, 0, 0] steps [1, 1, 0, 1] : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  return
}

// -----

func.func @qopt_slice_c2_rank(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects a result of rank 4, but got 3}}
  %0 = qopt.slice %x [0, 0, 0, 0] steps [1, 1, 1, 1] : (tensor<1x3x4x4xf32>) -> tensor<3x4x4xf32>
  return
}

// -----

func.func @qopt_slice_c2_end(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects indices below 4 along axis 3, but got 5}}
  %0 = qopt.slice %x [0, 0, 0, 1] steps [1, 1, 1, 2] : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x3xf32>
  return
}

// -----

func.func @qopt_gather_c1_axis(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects axis in [0, 4), but got 4}}
  %0 = qopt.gather %x axis 4 [0] : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x1xf32>
  return
}

// -----

func.func @qopt_gather_c2_shape(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects result shape 1x2x4x4, but got 1x3x4x4}}
  %0 = qopt.gather %x axis 1 [0, 1] : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x4xf32>
  return
}

// -----

func.func @qopt_gather_c3_index(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects indices in [0, 3), but got 3}}
  %0 = qopt.gather %x axis 1 [0, 3] : (tensor<1x3x4x4xf32>) -> tensor<1x2x4x4xf32>
  return
}

// -----

func.func @qopt_interpolate_c1_rank(%x: tensor<3x4x4xf32>) {
  // expected-error@+1 {{expects input of rank 4, but got 3}}
  %0 = qopt.interpolate %x rows [0, 1] [0.5, 0.5] columns [0] [1.0] : (tensor<3x4x4xf32>) -> tensor<1x3x1x1xf32>
  return
}

// -----

func.func @qopt_interpolate_c1_channels(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects result shape 1x3x1x1, but got 1x2x1x1}}
  %0 = qopt.interpolate %x rows [0, 1] [0.5, 0.5] columns [0] [1.0] : (tensor<1x3x4x4xf32>) -> tensor<1x2x1x1xf32>
  return
}

// -----

func.func @qopt_interpolate_c2_count(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects equally many column indices and weights, a multiple of 2, but got 1 and 1}}
  %0 = qopt.interpolate %x rows [0, 1] [0.5, 0.5] columns [0] [1.0] : (tensor<1x3x4x4xf32>) -> tensor<1x3x1x2xf32>
  return
}

// -----

func.func @qopt_interpolate_c2_weights(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects equally many row indices and weights, a multiple of 1, but got 1 and 2}}
  %0 = qopt.interpolate %x rows [0] [0.5, 0.5] columns [0] [1.0] : (tensor<1x3x4x4xf32>) -> tensor<1x3x1x1xf32>
  return
}

// -----

func.func @qopt_interpolate_c3_index(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects row indices in [0, 4), but got 4}}
  %0 = qopt.interpolate %x rows [0, 4] [0.5, 0.5] columns [0] [1.0] : (tensor<1x3x4x4xf32>) -> tensor<1x3x1x1xf32>
  return
}

// -----

func.func @qopt_matmul_c1_rank(%a: tensor<3xf32>, %b: tensor<3x2xf32>) {
  // expected-error@+1 {{expects operands of rank 2 or more, but got 1 and 2}}
  %0 = qopt.matmul %a, %b : (tensor<3xf32>, tensor<3x2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @qopt_matmul_c1_inner(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error@+1 {{expects 3 rows on the right side, but got 4}}
  %0 = qopt.matmul %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @qopt_matmul_c2_leading(%a: tensor<2x2x3xf32>, %b: tensor<3x3x5xf32>) {
  // expected-error@+1 {{expects leading axes that broadcast, but got 2x2x3 and 3x3x5}}
  %0 = qopt.matmul %a, %b : (tensor<2x2x3xf32>, tensor<3x3x5xf32>) -> tensor<2x2x5xf32>
  return
}

// -----

func.func @qopt_matmul_c2_result(%a: tensor<2x3xf32>, %b: tensor<3x5xf32>) {
  // expected-error@+1 {{expects result shape 2x5, but got 2x3}}
  %0 = qopt.matmul %a, %b : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @qopt_div_c1_shape(%a: tensor<2x3xf32>, %b: tensor<2x2xf32>) {
  // expected-error@+1 {{expects shapes that broadcast, but got 2x3 and 2x2}}
  %0 = qopt.div %a, %b : (tensor<2x3xf32>, tensor<2x2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @qopt_max_c1_shape(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{expects result shape 2x3, but got 3}}
  %0 = qopt.max %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @qopt_reduce_max_c1_axes(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 4), but got [2, 2]}}
  %0 = qopt.reduce_max %x axes [2, 2] : (tensor<1x3x4x4xf32>) -> tensor<1x3x1x4xf32>
  return
}

// -----

func.func @qopt_reduce_max_c2_result(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects result shape 1x3x1x4, but got 1x3x4}}
  %0 = qopt.reduce_max %x axes [2] : (tensor<1x3x4x4xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

func.func @qopt_min_c1_shape(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{expects result shape 2x3, but got 3}}
  %0 = qopt.min %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @qopt_reduce_min_c1_axes(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 4), but got [2, 2]}}
  %0 = qopt.reduce_min %x axes [2, 2] : (tensor<1x3x4x4xf32>) -> tensor<1x3x1x4xf32>
  return
}

// -----

func.func @qopt_reduce_min_c2_result(%x: tensor<1x3x4x4xf32>) {
  // expected-error@+1 {{expects result shape 1x3x1x4, but got 1x3x4}}
  %0 = qopt.reduce_min %x axes [2] : (tensor<1x3x4x4xf32>) -> tensor<1x3x4xf32>
  return
}

// -----

func.func @qopt_slice_c3_type(%x: tensor<1x3x4x4x!quant.uniform<i8:f32, 0.25>>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qopt.slice %x [0, 0, 0, 0] steps [1, 1, 1, 1] : (tensor<1x3x4x4x!quant.uniform<i8:f32, 0.25>>) -> tensor<1x3x4x4x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @qopt_reduce_max_c3_type(%x: tensor<1x3x4x4x!quant.uniform<i8:f32, 0.25>>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qopt.reduce_max %x axes [1] : (tensor<1x3x4x4x!quant.uniform<i8:f32, 0.25>>) -> tensor<1x1x4x4x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @qint_slice_c1_starts(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects 4 entries >= 0 in 'starts', but got [0, -1, 0, 0]}}
  %0 = qint.slice %x [0, -1, 0, 0] steps [1, 1, 1, 1] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4x4xi8>
  return
}

// -----

func.func @qint_slice_c1_steps(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects 4 entries >= 1 in 'steps', but got [1, 1, 0, 1]}}
  %0 = qint.slice %x [0, 0, 0, 0] steps [1, 1, 0, 1] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4x4xi8>
  return
}

// -----

func.func @qint_slice_c2_rank(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects a result of rank 4, but got 3}}
  %0 = qint.slice %x [0, 0, 0, 0] steps [1, 1, 1, 1] : (tensor<1x3x4x4xi8>) -> tensor<3x4x4xi8>
  return
}

// -----

func.func @qint_slice_c2_end(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects indices below 4 along axis 3, but got 5}}
  %0 = qint.slice %x [0, 0, 0, 1] steps [1, 1, 1, 2] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4x3xi8>
  return
}

// -----

func.func @qint_gather_c1_axis(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects axis in [0, 4), but got 4}}
  %0 = qint.gather %x axis 4 [0] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4x1xi8>
  return
}

// -----

func.func @qint_gather_c2_shape(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects result shape 1x2x4x4, but got 1x3x4x4}}
  %0 = qint.gather %x axis 1 [0, 1] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4x4xi8>
  return
}

// -----

func.func @qint_gather_c3_index(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects indices in [0, 3), but got 3}}
  %0 = qint.gather %x axis 1 [0, 3] : (tensor<1x3x4x4xi8>) -> tensor<1x2x4x4xi8>
  return
}

// -----

func.func @qint_interpolate_c1_rank(%x: tensor<3x4x4xi8>) {
  // expected-error@+1 {{expects input of rank 4, but got 3}}
  %0 = qint.interpolate %x rows [0, 1] [8, 8] columns [0] [16] {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<3x4x4xi8>) -> tensor<1x3x1x1xi8>
  return
}

// -----

func.func @qint_interpolate_c1_channels(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects result shape 1x3x1x1, but got 1x2x1x1}}
  %0 = qint.interpolate %x rows [0, 1] [8, 8] columns [0] [16] {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x4x4xi8>) -> tensor<1x2x1x1xi8>
  return
}

// -----

func.func @qint_interpolate_c2_count(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects equally many column indices and weights, a multiple of 2, but got 1 and 1}}
  %0 = qint.interpolate %x rows [0, 1] [8, 8] columns [0] [16] {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x4x4xi8>) -> tensor<1x3x1x2xi8>
  return
}

// -----

func.func @qint_interpolate_c2_weights(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects equally many row indices and weights, a multiple of 1, but got 1 and 2}}
  %0 = qint.interpolate %x rows [0] [8, 8] columns [0] [16] {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x4x4xi8>) -> tensor<1x3x1x1xi8>
  return
}

// -----

func.func @qint_interpolate_c3_index(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects row indices in [0, 4), but got 4}}
  %0 = qint.interpolate %x rows [0, 4] [8, 8] columns [0] [16] {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x3x4x4xi8>) -> tensor<1x3x1x1xi8>
  return
}

// -----

func.func @qint_matmul_c1_rank(%a: tensor<3xi8>, %b: tensor<3x2xi8>) {
  // expected-error@+1 {{expects operands of rank 2 or more, but got 1 and 2}}
  %0 = qint.matmul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<3xi8>, tensor<3x2xi8>) -> tensor<2xi8>
  return
}

// -----

func.func @qint_matmul_c1_inner(%a: tensor<2x3xi8>, %b: tensor<4x5xi8>) {
  // expected-error@+1 {{expects 3 rows on the right side, but got 4}}
  %0 = qint.matmul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<4x5xi8>) -> tensor<2x5xi8>
  return
}

// -----

func.func @qint_matmul_c2_leading(%a: tensor<2x2x3xi8>, %b: tensor<3x3x5xi8>) {
  // expected-error@+1 {{expects leading axes that broadcast, but got 2x2x3 and 3x3x5}}
  %0 = qint.matmul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2x2x3xi8>, tensor<3x3x5xi8>) -> tensor<2x2x5xi8>
  return
}

// -----

func.func @qint_matmul_c2_result(%a: tensor<2x3xi8>, %b: tensor<3x5xi8>) {
  // expected-error@+1 {{expects result shape 2x5, but got 2x3}}
  %0 = qint.matmul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<3x5xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @qint_div_c1_shape(%a: tensor<2x3xi8>, %b: tensor<2x2xi8>) {
  // expected-error@+1 {{expects shapes that broadcast, but got 2x3 and 2x2}}
  %0 = qint.div %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2x3xi8>, tensor<2x2xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @qint_max_c1_shape(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects result shape 2x3, but got 3}}
  %0 = qint.max %a, %b : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<3xi8>
  return
}

// -----

func.func @qint_reduce_max_c1_axes(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 4), but got [2, 2]}}
  %0 = qint.reduce_max %x axes [2, 2] : (tensor<1x3x4x4xi8>) -> tensor<1x3x1x4xi8>
  return
}

// -----

func.func @qint_reduce_max_c2_result(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects result shape 1x3x1x4, but got 1x3x4}}
  %0 = qint.reduce_max %x axes [2] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4xi8>
  return
}

// -----

func.func @qint_min_c1_shape(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error@+1 {{expects result shape 2x3, but got 3}}
  %0 = qint.min %a, %b : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<3xi8>
  return
}

// -----

func.func @qint_reduce_min_c1_axes(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 4), but got [2, 2]}}
  %0 = qint.reduce_min %x axes [2, 2] : (tensor<1x3x4x4xi8>) -> tensor<1x3x1x4xi8>
  return
}

// -----

func.func @qint_reduce_min_c2_result(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects result shape 1x3x1x4, but got 1x3x4}}
  %0 = qint.reduce_min %x axes [2] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4xi8>
  return
}

// -----

func.func @qint_slice_c3_type(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qint.slice %x [0, 0, 0, 0] steps [1, 1, 1, 1] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4x4xi16>
  return
}

// -----

func.func @qint_reduce_max_c3_type(%x: tensor<1x3x4x4xi8>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qint.reduce_max %x axes [1] : (tensor<1x3x4x4xi8>) -> tensor<1x1x4x4xi16>
  return
}

// -----

func.func @qopt_reduce_sum_c2_result(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects result shape 2x1, but got 2x3}}
  %0 = qopt.reduce_sum %x axes [1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @qopt_div_c2_activation(%a: tensor<2xf32>) {
  // expected-error@+1 {{expects a clamp as activation, but got #qopt.fn<tanh>}}
  %0 = qopt.div %a, %a {activation = #qopt.fn<tanh>} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @qint_interpolate_c2_weight(%x: tensor<1x1x1x1xi8>) {
  // expected-error@+1 {{expects weights in [-32768, 32768], but got 32769}}
  %0 = qint.interpolate %x rows [0] [32769] columns [0] [1] {input_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x1x1x1xi8>) -> tensor<1x1x1x1xi8>
  return
}

// -----

func.func @qint_interpolate_c3_multipliers(%x: tensor<1x1x1x1xi8>) {
  // expected-error@+1 {{expects 1 multipliers, but got 2}}
  %0 = qint.interpolate %x rows [0] [1] columns [0] [1] {input_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<1x1x1x1xi8>) -> tensor<1x1x1x1xi8>
  return
}

// -----

func.func @qint_interpolate_c4_zero_point(%x: tensor<1x1x1x1xi8>) {
  // expected-error@+1 {{expects the input's zero point in [-128, 127], but got 200}}
  %0 = qint.interpolate %x rows [0] [1] columns [0] [1] {input_zero_point = 200 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x1x1x1xi8>) -> tensor<1x1x1x1xi8>
  return
}

// -----

func.func @qint_matmul_c2_multipliers(%a: tensor<2x2xi8>) {
  // expected-error@+1 {{expects 1 multipliers, but got 2}}
  %0 = qint.matmul %a, %a {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi8>
  return
}

// -----

func.func @qint_matmul_c3_lhs(%a: tensor<2x2xi8>) {
  // expected-error@+1 {{expects the left zero point in [-128, 127], but got 200}}
  %0 = qint.matmul %a, %a {lhs_zero_point = 200 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi8>
  return
}

// -----

func.func @qint_div_c3_lhs(%a: tensor<2xi8>) {
  // expected-error@+1 {{expects the left zero point in [-128, 127], but got 200}}
  %0 = qint.div %a, %a {lhs_zero_point = 200 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return
}

// -----

func.func @qint_matmul_c3_rhs(%a: tensor<2x2xi8>) {
  // expected-error@+1 {{expects the right zero point in [-128, 127], but got 200}}
  %0 = qint.matmul %a, %a {rhs_zero_point = 200 : i32, lhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi8>
  return
}

// -----

func.func @qint_div_c3_rhs(%a: tensor<2xi8>) {
  // expected-error@+1 {{expects the right zero point in [-128, 127], but got 200}}
  %0 = qint.div %a, %a {rhs_zero_point = 200 : i32, lhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return
}

// -----

func.func @qint_matmul_c3_clamp(%a: tensor<2x2xi8>) {
  // expected-error@+1 {{expects the clamp's upper end in [-128, 127], but got 128}}
  %0 = qint.matmul %a, %a {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 128>} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi8>
  return
}

// -----

func.func @qint_matmul_c4_terms(%a: tensor<1x131073xi8>, %b: tensor<131073x1xi8>) {
  // expected-error@+1 {{expects at most 131071 terms a sum, but got 131073}}
  %0 = qint.matmul %a, %b {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>} : (tensor<1x131073xi8>, tensor<131073x1xi8>) -> tensor<1x1xi8>
  return
}

// -----

func.func @qint_div_c2_multipliers(%a: tensor<2xi8>) {
  // expected-error@+1 {{expects 1 multipliers, but got 2}}
  %0 = qint.div %a, %a {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[1, 2], [20], zp 0, clamp -128 to 127>} : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return
}
