// RUN: echo "x: -1.27 0.5 1.28" > %t.txt
// RUN: echo "wide: -4 4" >> %t.txt
// RUN: echo "narrow: -1 1" >> %t.txt
// RUN: echo "tiny: -0.5 0.5" >> %t.txt
// RUN: echo "joined: -4 4" >> %t.txt
// RUN: echo "apart: -4 4" >> %t.txt
// RUN: echo "clamped: 0 5.1 8" >> %t.txt
// RUN: echo "padded: -8 4" >> %t.txt
// RUN: qopt-qcal-from-text %t.qcal < %t.txt
// RUN: qopt-opt %s --qopt-fold-statistics=statistics=%t.qcal | FileCheck %s

// 8 bits: 255 steps over [-1.27, 1.28]. 16 bits symmetric: 32767 over twice 1.28.
// CHECK-LABEL: func.func @bits
// CHECK:         qopt.observe %arg0 "x" {method = "minmax", scale = 0.00999999977 : f32, zero_point = -1 : i64}
// CHECK:         qopt.observe %arg0 "x" {bits = 16 : i64, method = "minmax", scale = 7.81273848E-5 : f32, symmetric = true, zero_point = 0 : i64}
func.func @bits(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qopt.observe %x "x" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %x "x" {method = "minmax", bits = 16 : i64, symmetric = true} : tensor<4xf32> -> tensor<4xf32>
  %y = qopt.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// The kinks of hard_swish, +-3, lie between two of 32 segments: 3 is 5 times 2048
// steps, where the range alone would ask for 8 / 32767.
// CHECK-LABEL: func.func @kink
// CHECK:         "wide" {bits = 16 : i64, method = "minmax", scale = 2.92968762E-4 : f32, symmetric = true, zero_point = 0 : i64}
func.func @kink(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qopt.observe %x "wide" {method = "minmax", bits = 16 : i64, symmetric = true} : tensor<4xf32> -> tensor<4xf32>
  %y = qopt.unary %a [#qopt.fn<hard_swish>] : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// The next power of two above 0.01, and -1.27 in its steps from -128 up.
// CHECK-LABEL: func.func @power_of_two
// CHECK:         "x" {method = "minmax", power_of_two, scale = 1.562500e-02 : f32, zero_point = -47 : i64}
func.func @power_of_two(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qopt.observe %x "x" {method = "minmax", power_of_two} : tensor<4xf32> -> tensor<4xf32>
  return %a : tensor<4xf32>
}

// The range ends where the clamp does: [0, 5.1], not [0, 8].
// CHECK-LABEL: func.func @activation
// CHECK:         "clamped" {method = "minmax", scale = 2.000000e-02 : f32, zero_point = -128 : i64}
// CHECK:         "clamped" {method = "minmax", scale = 2.000000e-02 : f32, zero_point = -128 : i64}
func.func @activation(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = qopt.add %x, %x {activation = #qopt.fn<clip, 0.0, 5.1>} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %b = qopt.observe %a "clamped" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.unary %x [#qopt.fn<tanh>, #qopt.fn<clip, 0.0, 5.1>] : (tensor<4xf32>) -> tensor<4xf32>
  %d = qopt.observe %c "clamped" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  return %b, %d : tensor<4xf32>, tensor<4xf32>
}

// Ranges within a factor of four become one: all of [-4, 4]. The reshape passes
// the scale on.
// CHECK-LABEL: func.func @concat_of_alike
// CHECK:         "wide" {method = "minmax", scale = 0.0313725509 : f32, zero_point = -1 : i64}
// CHECK:         "narrow" {method = "minmax", scale = 0.0313725509 : f32, zero_point = -1 : i64}
// CHECK:         "joined" {method = "minmax", scale = 0.0313725509 : f32, zero_point = -1 : i64}
func.func @concat_of_alike(%x: tensor<4xf32>, %y: tensor<2x2xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "wide" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "narrow" {method = "minmax"} : tensor<2x2xf32> -> tensor<2x2xf32>
  %r = qopt.reshape %b : (tensor<2x2xf32>) -> tensor<4xf32>
  %c = qopt.concat %a, %r axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// A factor of eight: each keeps its own range and is requantized.
// CHECK-LABEL: func.func @negative_concat_of_unlike
// CHECK:         "wide" {method = "minmax", scale = 0.0313725509 : f32
// CHECK:         "tiny" {method = "minmax", scale = 0.00392156886 : f32
// CHECK:         "apart" {method = "minmax", scale = 0.0313725509 : f32
func.func @negative_concat_of_unlike(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %a = qopt.observe %x "wide" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %b = qopt.observe %y "tiny" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %a, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "apart" {method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// Branches of other bits than the result share nothing.
// CHECK-LABEL: func.func @negative_concat_of_bits
// CHECK:         "narrow" {method = "minmax", scale = 0.00784313772 : f32
// CHECK:         "joined" {bits = 16
func.func @negative_concat_of_bits(%x: tensor<4xf32>) -> tensor<8xf32> {
  %b = qopt.observe %x "narrow" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.concat %b, %b axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qopt.observe %c "joined" {bits = 16 : i64, symmetric = true, method = "minmax"} : tensor<8xf32> -> tensor<8xf32>
  return %d : tensor<8xf32>
}

// The padded value belongs to the range: [-8, 4].
// CHECK-LABEL: func.func @pad
// CHECK:         "wide" {method = "minmax", scale = 0.0470588244 : f32
// CHECK:         "padded" {method = "minmax", scale = 0.0470588244 : f32
func.func @pad(%x: tensor<4xf32>) -> tensor<5xf32> {
  %a = qopt.observe %x "wide" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.pad %a [0, 1] {value = -8.0 : f32} : (tensor<4xf32>) -> tensor<5xf32>
  %d = qopt.observe %c "padded" {method = "minmax"} : tensor<5xf32> -> tensor<5xf32>
  return %d : tensor<5xf32>
}

// A softmax lies in [0, 1) by definition and needs no statistics.
// CHECK-LABEL: func.func @fixed
// CHECK:         "soft8" {scale = 3.906250e-03 : f32, zero_point = -128 : i64}
// CHECK:         "soft16" {bits = 16 : i64, scale = 3.05175781E-5 : f32, symmetric = true, zero_point = 0 : i64}
func.func @fixed(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = qopt.softmax %x axis 0 : (tensor<4xf32>) -> tensor<4xf32>
  %b = qopt.observe %a "soft8" : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.softmax %x axis 0 : (tensor<4xf32>) -> tensor<4xf32>
  %d = qopt.observe %c "soft16" {bits = 16 : i64, symmetric = true} : tensor<4xf32> -> tensor<4xf32>
  return %b, %d : tensor<4xf32>, tensor<4xf32>
}

// A scale that stands was chosen by someone else.
// CHECK-LABEL: func.func @negative_decided
// CHECK:         "unknown" {scale = 5.000000e-01 : f32, zero_point = 7 : i64}
func.func @negative_decided(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qopt.observe %x "unknown" {scale = 0.5 : f32, zero_point = 7 : i64} : tensor<4xf32> -> tensor<4xf32>
  return %a : tensor<4xf32>
}

// A difference whose sign alone is asked for saturates: steps 256 times as fine.
// One that something else reads has its range.
// CHECK-LABEL: func.func @comparison
// CHECK:         "wide" {method = "minmax", scale = 1.22549027E-4 : f32, zero_point = -1 : i64}
// CHECK:         "narrow" {method = "minmax", scale = 0.00784313772 : f32
func.func @comparison(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = qopt.sub %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %b = qopt.observe %a "wide" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %c = qopt.unary %b [#qopt.fn<greater, 0.0>, #qopt.fn<affine, -1.0, 1.0>] : (tensor<4xf32>) -> tensor<4xf32>
  %d = qopt.sub %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %e = qopt.observe %d "narrow" {method = "minmax"} : tensor<4xf32> -> tensor<4xf32>
  %f = qopt.unary %e [#qopt.fn<sign>] : (tensor<4xf32>) -> tensor<4xf32>
  return %c, %f, %e : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
