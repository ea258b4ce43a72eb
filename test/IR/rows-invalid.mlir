// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @layer_norm_c1_axes(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 2), but got [1, 0]}}
  %0 = qopt.layer_norm %x axes [1, 0] {epsilon = 0.0 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c1_none(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 2), but got []}}
  %0 = qopt.layer_norm %x axes [] {epsilon = 0.0 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c1_shape(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2x4 and 4x2}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 0.0 : f64} : (tensor<2x4xf32>) -> tensor<4x2xf32>
  return
}

// -----

func.func @layer_norm_c2(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects a finite epsilon of at least 0, but got -1.0}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = -1.0 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c2_infinite(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects a finite epsilon of at least 0}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 0x7FF0000000000000 : f64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c3_power(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects power 1 or 2, but got 3}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 0.0 : f64, power = 3 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c3_center(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects no center and no epsilon with power 1}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 0.0 : f64, power = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c3_epsilon(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects no center and no epsilon with power 1}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 1.0 : f64, center = false, power = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c4_shape(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects factors that broadcast to 2x4, but got 1x3}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 0.0 : f64, gamma = dense<1.0> : tensor<1x3xf32>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c4_rank(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects factors that broadcast to 2x4, but got 4}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 0.0 : f64, beta = dense<1.0> : tensor<4xf32>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c4_finite(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects finite values of gamma and beta}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 0.0 : f64, beta = dense<0x7F800000> : tensor<1x1xf32>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @layer_norm_c5(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects}}
  %0 = qopt.layer_norm %x axes [1] {epsilon = 0.0 : f64, activation = #qopt.fn<tanh>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @log_softmax_axis(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects axis in [0, 2), but got 2}}
  %0 = qopt.log_softmax %x axis 2 : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @log_softmax_shape(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2x4 and 4x2}}
  %0 = qopt.log_softmax %x axis 1 : (tensor<2x4xf32>) -> tensor<4x2xf32>
  return
}

// -----

func.func @reduce_l1_axes(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 2), but got [2]}}
  %0 = qopt.reduce_l1 %x axes [2] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @reduce_l2_shape(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects result shape 2x1, but got 2}}
  %0 = qopt.reduce_l2 %x axes [1] : (tensor<2x4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @reduce_sum_square_shape(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects result shape 2, but got 2x1}}
  %0 = qopt.reduce_sum_square %x axes [1] {keep_dims = false} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @arg_max_c1_axis(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects axis in [0, 2), but got -1}}
  %0 = qopt.arg_max %x axis -1 : (tensor<2x4xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @arg_min_c1_empty(%x: tensor<2x0xf32>) {
  // expected-error@+1 {{expects at least one element along the axis}}
  %0 = qopt.arg_min %x axis 1 : (tensor<2x0xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @arg_min_c2(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{expects result shape 2x1, but got 1x4}}
  %0 = qopt.arg_min %x axis 1 : (tensor<2x4xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @q_layer_norm_c1(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects distinct, ascending axes in [0, 2), but got [2]}}
  %0 = qint.layer_norm %x axes [2] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c1_shape(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects input and result of one shape, but got 2x4 and 2x3}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @q_layer_norm_c2_i8(%x: tensor<4194305xi8>) {
  // expected-error@+1 {{expects rows of at most 4194304 elements, but got 4194305}}
  %0 = qint.layer_norm %x axes [0] {input_zero_point = 3 : i32, variance_shift = 0 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<4194305xi8>) -> tensor<4194305xi8>
  return
}

// -----

func.func @q_layer_norm_c2_i16(%x: tensor<32769xi16>) {
  // expected-error@+1 {{expects rows of at most 32768 elements, but got 32769}}
  %0 = qint.layer_norm %x axes [0] {input_zero_point = 3 : i32, variance_shift = 0 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<32769xi16>) -> tensor<32769xi8>
  return
}

// -----

func.func @q_layer_norm_c3_power(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects power 1 or 2, but got 0}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>, power = 0 : i64} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c3_center(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects no center and no epsilon with power 1}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 0 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>, power = 1 : i64} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c3_shift(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects no center and no epsilon with power 1}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>, power = 1 : i64, center = false} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c4_shape(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects factors that broadcast to 2x4, but got 1x2}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x2xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c4_beta_shape(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects factors that broadcast to 2x4, but got 2}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>, beta = dense<7> : tensor<2xi32>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c4_gamma(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects gamma other than -2^31}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<-2147483648> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c4_beta(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects beta in [-2^30, 2^30], but got 1073741825}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>, beta = dense<1073741825> : tensor<1x1xi32>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c5_odd(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects an even variance shift in [0, 60] and an epsilon of at least 0, but got 3 and 0}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 3 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c5_epsilon(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{but got 20 and -1}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = -1 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c5_reach(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects variances below 2^62}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 46 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c5_sum(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects variances below 2^62}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 4611686018427387904 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c5_uncentered(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects variances below 2^62}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 44 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>, center = false} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c6_multiplier(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects a multiplier of 1 and a shift in [1, 24]}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[2], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c6_shift(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects a multiplier of 1 and a shift in [1, 24]}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [25], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c7_zero(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects the input's zero point in [-128, 127], but got 128}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 128 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_layer_norm_c7_clamp(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects the clamp's upper end in [-128, 127], but got 300}}
  %0 = qint.layer_norm %x axes [1] {input_zero_point = 3 : i32, variance_shift = 20 : i32, epsilon = 0 : i64, gamma = dense<7> : tensor<1x1xi32>, requant = #qint.requant<[1], [20], zp 0, clamp -128 to 300>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c1(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects axis in [0, 2), but got 2}}
  %0 = qint.log_softmax %x axis 2 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536, 33554432], [14, 39], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c2(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects 256 table entries}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608>, requant = #qint.requant<[65536, 33554432], [14, 39], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c3(%x: tensor<2x4xi16>) {
  // expected-error@+1 {{expects 512 table entries in [0, 2^30], 2^30 at each multiple of 256, but got 256}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536, 33554432], [14, 39], zp 127, clamp -128 to 127>} : (tensor<2x4xi16>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c4_count(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects 2 multipliers, but got 1}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536], [14], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c4_sign(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects positive multipliers, but got -1}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536, -1], [14, 39], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c4_shifts(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects two shifts and halves rounded up}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536, 5], [14], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c4_even(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects two shifts and halves rounded up}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536, 5], [14, 39], zp 127, clamp -128 to 127, half_even>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c4_limit(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects a second multiplier below 2^26, but got 67108864}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536, 67108864], [14, 45], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c4_zero(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects the result's zero point in [-128, 127], but got 128}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[65536, 5], [14, 39], zp 128, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c5_first(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects sums inside 32 bits}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[8421505, 5], [14, 39], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_log_softmax_c5_second(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects sums inside 32 bits}}
  %0 = qint.log_softmax %x axis 1 {exp_table = array<i32: 8388608, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, requant = #qint.requant<[1, 67108863], [14, 25], zp 127, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_reduce_power_c1(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects result shape 1x4, but got 2x1}}
  %0 = qint.reduce_power %x axes [0] {input_zero_point = 3 : i32, power = 2 : i64, root_shift = 16 : i32, requant = #qint.requant<[65536], [24], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}

// -----

func.func @q_reduce_power_c2(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects 1 multipliers, but got 2}}
  %0 = qint.reduce_power %x axes [1] {input_zero_point = 3 : i32, power = 2 : i64, root_shift = 16 : i32, requant = #qint.requant<[65536, 5], [24], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}

// -----

func.func @q_reduce_power_c3(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects the input's zero point in [-128, 127], but got -129}}
  %0 = qint.reduce_power %x axes [1] {input_zero_point = -129 : i32, power = 2 : i64, root_shift = 16 : i32, requant = #qint.requant<[65536], [24], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}

// -----

func.func @q_reduce_power_c4(%x: tensor<4194305xi8>) {
  // expected-error@+1 {{expects 1 to 4194304 elements in a sum, but got 4194305}}
  %0 = qint.reduce_power %x axes [0] {input_zero_point = 3 : i32, power = 1 : i64, requant = #qint.requant<[65536], [24], zp 0, clamp -128 to 127>} : (tensor<4194305xi8>) -> tensor<1xi8>
  return
}

// -----

func.func @q_reduce_power_c5_power(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects power 1 or 2, but got 3}}
  %0 = qint.reduce_power %x axes [1] {input_zero_point = 3 : i32, power = 3 : i64, requant = #qint.requant<[65536], [24], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}

// -----

func.func @q_reduce_power_c5_root(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects a root shift in [0, 30] with power 2, but got 4 with 1}}
  %0 = qint.reduce_power %x axes [1] {input_zero_point = 3 : i32, power = 1 : i64, root_shift = 4 : i32, requant = #qint.requant<[65536], [24], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}

// -----

func.func @q_reduce_power_c5_negative(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects a root shift in [0, 30] with power 2, but got -1 with 2}}
  %0 = qint.reduce_power %x axes [1] {input_zero_point = 3 : i32, power = 2 : i64, root_shift = -1 : i32, requant = #qint.requant<[65536], [24], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}

// -----

func.func @q_reduce_power_c5_reach(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects sums below 2^62 under the root}}
  %0 = qint.reduce_power %x axes [1] {input_zero_point = 3 : i32, power = 2 : i64, root_shift = 23 : i32, requant = #qint.requant<[65536], [24], zp 0, clamp -128 to 127>} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}

// -----

func.func @q_arg_max_c1(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects axis in [0, 2), but got 2}}
  %0 = qint.arg_max %x axis 2 {zero_point = 0 : i32} : (tensor<2x4xi8>) -> tensor<2x4xi8>
  return
}

// -----

func.func @q_arg_min_c2_zero(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects indices in [-128, 127], but got -129}}
  %0 = qint.arg_min %x axis 1 {zero_point = -129 : i32} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}

// -----

func.func @q_arg_min_c2_last(%x: tensor<2x4xi8>) {
  // expected-error@+1 {{expects indices in [-128, 127], but got 128}}
  %0 = qint.arg_min %x axis 1 {zero_point = 125 : i32} : (tensor<2x4xi8>) -> tensor<2x1xi8>
  return
}
