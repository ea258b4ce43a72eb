// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @constants
func.func @constants() {
  // CHECK: qopt.constant dense<[1.000000e+00, -2.000000e+00]> : tensor<2xf32>
  %0 = qopt.constant dense<[1.0, -2.0]> : tensor<2xf32>
  // CHECK: qopt.constant {qopt.value = "w"} dense_resource<w> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-127:127>:f32:0, {5.000000e-01,2.500000e-01}>>
  %1 = qopt.constant {qopt.value = "w"} dense_resource<w> : tensor<2x2xi8>
    as tensor<2x2x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>>
  // CHECK: qopt.constant dense<[7, 8]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32, 1.250000e-01>>
  %2 = qopt.constant dense<[7, 8]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32, 0.125>>
  return
}

// CHECK-LABEL: func.func @layers
func.func @layers(%x: tensor<1x4x8x8xf32>, %w: tensor<6x2x3x3xf32>, %b: tensor<6xf32>,
                  %g: tensor<3x8xf32>, %h: tensor<3xf32>) {
  // CHECK: qopt.conv %{{.*}}, %{{.*}} {groups = 2 : i64}
  // CHECK-SAME: (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  %0 = qopt.conv %x, %w {groups = 2 : i64}
    : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  // CHECK: qopt.conv %{{.*}}, %{{.*}}, %{{.*}} {activation = #qopt.fn<relu>
  // CHECK-SAME: dilations = array<i64: 2, 1>
  // CHECK-SAME: pads = array<i64: 2, 1, 2, 0>, strides = array<i64: 1, 2>
  %1 = qopt.conv %x, %w, %b {groups = 2 : i64, activation = #qopt.fn<relu>, strides = array<i64: 1, 2>,
      pads = array<i64: 2, 1, 2, 0>, dilations = array<i64: 2, 1>}
    : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<1x6x8x4xf32>
  // CHECK: qopt.gemm %{{.*}}, %{{.*}} {activation = #qopt.fn<clip, 0.000000e+00, 6.000000e+00>}
  %2 = qopt.gemm %x, %g {activation = #qopt.fn<clip, 0.0, 6.0>}
    : (tensor<1x4x8x8xf32>, tensor<3x8xf32>) -> tensor<1x4x8x3xf32>
  // CHECK: qopt.gemm %{{.*}}, %{{.*}}, %{{.*}} : (tensor<1x4x8x8xf32>, tensor<3x8xf32>, tensor<3xf32>)
  %3 = qopt.gemm %x, %g, %h
    : (tensor<1x4x8x8xf32>, tensor<3x8xf32>, tensor<3xf32>) -> tensor<1x4x8x3xf32>
  return
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // CHECK: qopt.add %{{.*}}, %{{.*}} {activation = #qopt.fn<relu>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %0 = qopt.add %a, %b {activation = #qopt.fn<relu>} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: qopt.sub
  %1 = qopt.sub %b, %a : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: qopt.mul
  %2 = qopt.mul %a, %a : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: qopt.batch_norm
  %3 = qopt.batch_norm %a, %b, %b : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: qopt.softmax %{{.*}} axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = qopt.softmax %a axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @functions
func.func @functions(%x: tensor<4xf32>) {
  // CHECK: [#qopt.fn<relu>, #qopt.fn<clip, 0xFFF0000000000000, 6.000000e+00>, #qopt.fn<leaky_relu, 1.000000e-01>]
  %0 = qopt.unary %x [#qopt.fn<relu>, #qopt.fn<clip, 0xFFF0000000000000, 6.0>, #qopt.fn<leaky_relu, 0.1>]
    : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: [#qopt.fn<sigmoid>, #qopt.fn<tanh>, #qopt.fn<hard_swish>]
  %1 = qopt.unary %x [#qopt.fn<sigmoid>, #qopt.fn<tanh>, #qopt.fn<hard_swish>] : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: [#qopt.fn<hard_sigmoid, 2.000000e-01, 5.000000e-01>, #qopt.fn<affine, 2.000000e+00, -0.000000e+00>]
  %2 = qopt.unary %x [#qopt.fn<hard_sigmoid, 0.2, 0.5>, #qopt.fn<affine, 2.0, -0.0>] : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: [#qopt.fn<elu, 1.000000e+00, 5.000000e-01>, #qopt.fn<pow, 3.000000e+00>, #qopt.fn<greater_or_equal, 5.000000e-01>]
  %3 = qopt.unary %x [#qopt.fn<elu, 1.0, 0.5>, #qopt.fn<pow, 3.0>, #qopt.fn<greater_or_equal, 0.5>] : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: [#qopt.fn<push>, #qopt.fn<softplus>, #qopt.fn<swap>, #qopt.fn<erf>, #qopt.fn<mul>]
  %4 = qopt.unary %x [#qopt.fn<push>, #qopt.fn<softplus>, #qopt.fn<swap>, #qopt.fn<erf>, #qopt.fn<mul>] : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<1x3x8x8xf32>) {
  // CHECK: qopt.max_pool %{{.*}} {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
  %0 = qopt.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
    : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  // CHECK: qopt.avg_pool %{{.*}} {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>}
  %1 = qopt.avg_pool %x {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>}
    : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  // CHECK: qopt.reduce_mean %{{.*}} axes [2, 3] {keep_dims = false}
  %2 = qopt.reduce_mean %x axes [2, 3] {keep_dims = false} : (tensor<1x3x8x8xf32>) -> tensor<1x3xf32>
  // CHECK: qopt.reduce_mean %{{.*}} axes [2, 3] :
  %3 = qopt.reduce_mean %x axes [2, 3] : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
  return
}

// CHECK-LABEL: func.func @moves
func.func @moves(%x: tensor<2x3xf32>) {
  // CHECK: qopt.reshape %{{.*}} : (tensor<2x3xf32>) -> tensor<6xf32>
  %0 = qopt.reshape %x : (tensor<2x3xf32>) -> tensor<6xf32>
  // CHECK: qopt.transpose %{{.*}} [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %1 = qopt.transpose %x [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  // CHECK: qopt.concat %{{.*}}, %{{.*}} axis 1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  %2 = qopt.concat %x, %x axis 1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  // CHECK: qopt.pad %{{.*}} [1, 0, 0, 2] {value = 1.500000e+00 : f32}
  %3 = qopt.pad %x [1, 0, 0, 2] {value = 1.5 : f32} : (tensor<2x3xf32>) -> tensor<3x5xf32>
  return
}

!q = !quant.uniform<i8:f32, 0.5:-3>
!r = !quant.uniform<i16:f32, 0.25>

// CHECK-LABEL: func.func @levels
// CHECK-SAME: qopt.name = "x"
func.func @levels(%x: tensor<2x3xf32> {qopt.name = "x"}) -> (tensor<2x3xf32> {qopt.name = "y"}) {
  // CHECK: qopt.observe %{{.*}} "x" : tensor<2x3xf32> -> tensor<2x3xf32>
  %0 = qopt.observe %x "x" : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: qopt.observe %{{.*}} "p" {power_of_two, scale = 2.500000e-01 : f32, zero_point = 3 : i64}
  %p = qopt.observe %x "p" {power_of_two, scale = 0.25 : f32, zero_point = 3 : i64} : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: qopt.observe %{{.*}} "y" {bits = 16 : i64, method = "minmax", scale = 5.000000e-01 : f32, symmetric = true, zero_point = 0 : i64}
  %1 = qopt.observe %0 "y" {bits = 16 : i64, method = "minmax", scale = 0.5 : f32, symmetric = true, zero_point = 0 : i64}
    : tensor<2x3xf32> -> tensor<2x3xf32>
  // CHECK: qopt.quantize %{{.*}} : tensor<2x3xf32> -> tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  %2 = qopt.quantize %1 : tensor<2x3xf32> -> tensor<2x3x!q>
  // CHECK: qopt.add %{{.*}}, %{{.*}} :
  %3 = qopt.add %2, %2 : (tensor<2x3x!q>, tensor<2x3x!q>) -> tensor<2x3x!r>
  // CHECK: qopt.requantize
  %4 = qopt.requantize %3 : tensor<2x3x!r> -> tensor<2x3x!q>
  // CHECK: qopt.dequantize
  %5 = qopt.dequantize %4 : tensor<2x3x!q> -> tensor<2x3xf32>
  return %5 : tensor<2x3xf32>
}
