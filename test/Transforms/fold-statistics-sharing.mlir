// RUN: echo "four: -1 3" > %t.txt
// RUN: echo "one: -0.5 0.5" >> %t.txt
// RUN: echo "less: -0.5 0.499" >> %t.txt
// RUN: echo "small: -0.01 0.01" >> %t.txt
// RUN: echo "smaller: 0 0.01" >> %t.txt
// RUN: echo "zeros: 0 0" >> %t.txt
// RUN: echo "above: 2 3" >> %t.txt
// RUN: echo "below: -3 -2" >> %t.txt
// RUN: echo "joined: -1 3" >> %t.txt
// RUN: qopt-qcal-from-text %t.qcal < %t.txt
// RUN: qopt-opt %s --qopt-fold-statistics=statistics=%t.qcal | FileCheck %s

// Which ranges become one scale, at the limits of the rule.

// A factor of exactly four is alike: 255 steps over [-1, 3].
// CHECK-LABEL: func.func @factor_of_four
// CHECK:         "four" {method = "minmax", scale = 0.0156862754 : f32, zero_point = -64 : i64}
// CHECK:         "one" {method = "minmax", scale = 0.0156862754 : f32, zero_point = -64 : i64}
// CHECK:         "joined" {method = "minmax", scale = 0.0156862754 : f32, zero_point = -64 : i64}
func.func @factor_of_four(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "one" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// A sum rescales its operands: each keeps its own range.
// CHECK-LABEL: func.func @negative_sum
// CHECK:         "four" {method = "minmax", scale = 0.0156862754 : f32
// CHECK:         "one" {method = "minmax", scale = 0.00392156886 : f32
// CHECK:         "joined" {method = "minmax", scale = 0.0156862754 : f32
func.func @negative_sum(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %a = qopt.observe %x "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "one" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  return %d : tensor<4xf32>
}

// A little more is not.
// CHECK-LABEL: func.func @negative_more_than_four
// CHECK:         "four" {method = "minmax", scale = 0.0156862754 : f32
// CHECK:         "less" {method = "minmax", scale = 0.003{{[0-9]+}} : f32
func.func @negative_more_than_four(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "less" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// Behind an op with a scale of its own the observer in front of it decides
// nothing.
// CHECK-LABEL: func.func @negative_behind_function
// CHECK:         "four" {method = "minmax", scale = 0.0156862754 : f32
// CHECK:         "above" {method = "minmax", scale = 0.0117647061 : f32
// CHECK:         "below" {method = "minmax", scale = 0.0117647061 : f32
func.func @negative_behind_function(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %t = qopt.unary %a [#qopt.fn<tanh>] : (tensor<4xf32>) -> tensor<4xf32>
  %b = qopt.observe %y "above" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %t, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "below" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// Ranges below one are compared with each other, not with one.
// CHECK-LABEL: func.func @small_ranges
// CHECK:         "small" {method = "minmax", scale = 7.84313743E-5 : f32
// CHECK:         "smaller" {method = "minmax", scale = 7.84313743E-5 : f32
// CHECK:         "joined" {method = "minmax", scale = 7.84313743E-5 : f32
func.func @small_ranges(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "small" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "smaller" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// Zeros fit the scale of the other branch.
// CHECK-LABEL: func.func @zeros
// CHECK:         "four" {method = "minmax", scale = 0.0156862754 : f32, zero_point = -64 : i64}
// CHECK:         "zeros" {method = "minmax", scale = 0.0156862754 : f32, zero_point = -64 : i64}
// CHECK:         "joined" {method = "minmax", scale = 0.0156862754 : f32, zero_point = -64 : i64}
func.func @zeros(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "zeros" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// Zero belongs to every range: [0, 3] and [-3, 0] are [-3, 3].
// CHECK-LABEL: func.func @ranges_beside_zero
// CHECK:         "above" {method = "minmax", scale = 0.0235294122 : f32
// CHECK:         "below" {method = "minmax", scale = 0.0235294122 : f32
func.func @ranges_beside_zero(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "above" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "below" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// The values of a constant branch belong to the range: [-1, 7].
// CHECK-LABEL: func.func @constant_branch
// CHECK:         "four" {method = "minmax", scale = 0.0313725509 : f32
// CHECK:         "joined" {method = "minmax", scale = 0.0313725509 : f32
func.func @constant_branch(%x: tensor<4xf32>) -> tensor<6xf32> {
  %a = qopt.observe %x "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %k = qopt.constant dense<[7.0, 5.0]> : tensor<2xf32>
  %c = qopt.concat %a, %k axis 0 : (tensor<4xf32>, tensor<2xf32>) -> tensor<6xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<6xf32> -> tensor<6xf32>
  return %d : tensor<6xf32>
}

// A constant far away shares nothing.
// CHECK-LABEL: func.func @negative_constant_branch
// CHECK:         "four" {method = "minmax", scale = 0.0156862754 : f32
// CHECK:         "joined" {method = "minmax", scale = 0.0156862754 : f32
func.func @negative_constant_branch(%x: tensor<4xf32>) -> tensor<6xf32> {
  %a = qopt.observe %x "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %k = qopt.constant dense<[17.0, 5.0]> : tensor<2xf32>
  %c = qopt.concat %a, %k axis 0 : (tensor<4xf32>, tensor<2xf32>) -> tensor<6xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<6xf32> -> tensor<6xf32>
  return %d : tensor<6xf32>
}

// Nor does a constant so narrow that the shared scale would be too coarse:
// [-0.125, 0] beside [-0.5, 0.5].
// CHECK-LABEL: func.func @negative_narrow_constant_branch
// CHECK:         "one" {method = "minmax", scale = 0.00392156886 : f32
// CHECK:         "joined" {method = "minmax", scale = 0.0156862754 : f32
func.func @negative_narrow_constant_branch(%x: tensor<4xf32>) -> tensor<6xf32> {
  %a = qopt.observe %x "one" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %k = qopt.constant dense<[-0.125, -0.0625]> : tensor<2xf32>
  %c = qopt.concat %a, %k axis 0 : (tensor<4xf32>, tensor<2xf32>) -> tensor<6xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<6xf32> -> tensor<6xf32>
  return %d : tensor<6xf32>
}

// Groups grow through concats of concats: all of [-3, 3].
// CHECK-LABEL: func.func @chain_of_concats
// CHECK:         "above" {method = "minmax", scale = 0.0235294122 : f32
// CHECK:         "four" {method = "minmax", scale = 0.0235294122 : f32
// CHECK:         "joined" {method = "minmax", scale = 0.0235294122 : f32
// CHECK:         "below" {method = "minmax", scale = 0.0235294122 : f32
// CHECK:         "joined" {method = "minmax", scale = 0.0235294122 : f32
func.func @chain_of_concats(%x: tensor<4xf32>, %y: tensor<4xf32>, %z: tensor<4xf32>) -> tensor<12xf32> {
  %a = qopt.observe %x "above" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  %e = qopt.observe %z "below" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %f = qopt.concat %d, %e axis 0 : (tensor<8xf32>, tensor<4xf32>) -> tensor<12xf32>
  %g = qopt.observe %f "joined" {method = "minmax"} : tensor<12xf32> -> tensor<12xf32>
  return %g : tensor<12xf32>
}

// A scale that stands is no choice: neither a branch nor a result with one
// shares it.
// CHECK-LABEL: func.func @negative_standing_scales
// CHECK:         "four" {method = "minmax", scale = 0.0156862754 : f32
// CHECK:         "one" {method = "minmax", scale = 5.000000e-01 : f32, zero_point = 0 : i64}
// CHECK:         "joined" {method = "minmax", scale = 0.0156862754 : f32
// CHECK:         "above" {method = "minmax", scale = 0.0117647061 : f32
// CHECK:         "below" {method = "minmax", scale = 0.0117647061 : f32
// CHECK:         "joined" {method = "minmax", scale = 2.500000e-01 : f32
func.func @negative_standing_scales(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %a = qopt.observe %x "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "one" {method = "minmax", scale = 0.5 : f32, zero_point = 0 : i64} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  %e = qopt.observe %x "above" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %f = qopt.observe %y "below" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %g = qopt.concat %e, %f axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %h = qopt.observe %g "joined" {method = "minmax", scale = 0.25 : f32, zero_point = 0 : i64} : tensor<8xf32> -> tensor<8xf32>
  return %d, %h : tensor<8xf32>, tensor<8xf32>
}

// A symmetric branch of an asymmetric result keeps its own scale.
// CHECK-LABEL: func.func @negative_symmetry
// CHECK:         "four" {method = "minmax", scale = 0.0236220472 : f32, symmetric = true, zero_point = 0 : i64}
// CHECK:         "joined" {method = "minmax", scale = 0.0156862754 : f32, zero_point = -64 : i64}
func.func @negative_symmetry(%x: tensor<4xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "four" {method = "minmax", symmetric = true} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %a axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// A lower end of the clamp counts as well: [-0.5, 3]. The last function of a
// chain clamps, an earlier one does not.
// CHECK-LABEL: func.func @clamps
// CHECK:         "four" {method = "minmax", scale = 0.0137254903 : f32, zero_point = -92 : i64}
// CHECK:         "four" {method = "minmax", scale = 0.0156862754 : f32, zero_point = -64 : i64}
// Twice the range of 16 bits ends at the clamp: 32767 steps of [-0.5, 4].
// CHECK:         "four" {bits = 16 : i64, method = "minmax", scale = 1.22074038E-4 : f32, symmetric = true
func.func @clamps(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = qopt.add %x, %x {activation = #qopt.fn<clip, -0.5, 4.0>} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %b = qopt.observe %a "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.unary %x [#qopt.fn<clip, -0.5, 4.0>, #qopt.fn<tanh>] : (tensor<4xf32>) -> tensor<4xf32>
  %d = qopt.observe %c "four" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %e = qopt.add %x, %x {activation = #qopt.fn<clip, -0.5, 4.0>} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %f = qopt.observe %e "four" {method = "minmax", bits = 16 : i64, symmetric = true} : tensor<4xf32> -> tensor<4xf32>
  return %b, %d, %f : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// A symmetric softmax of 8 bits: 128 steps to one.
// CHECK-LABEL: func.func @symmetric_softmax
// CHECK:         "soft" {scale = 7.812500e-03 : f32, symmetric = true, zero_point = 0 : i64}
func.func @symmetric_softmax(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qopt.softmax %x axis 0 : (tensor<4xf32>) -> tensor<4xf32>
  %b = qopt.observe %a "soft" {symmetric = true} : tensor<4xf32> -> tensor<4xf32>
  return %b : tensor<4xf32>
}
