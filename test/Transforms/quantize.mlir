// RUN: qopt-opt %s --qopt-quantize | FileCheck %s
// RUN: qopt-opt %s --qopt-quantize=per-channel=false | FileCheck %s --check-prefix=TENSOR
// RUN: qopt-opt %s --qopt-quantize="weight-bits=4 weight-group=2" | FileCheck %s --check-prefix=FOUR

// Weights get a scale an output channel (max |w| / 127), the bias the product
// of the scales; the boundary stays float.
// CHECK-LABEL: func.func @gemm
// CHECK-NEXT:    %[[X:.*]] = qopt.quantize %arg0 : tensor<1x2xf32> -> tensor<1x2x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK-NEXT:    %[[W:.*]] = qopt.constant dense<{{\[\[}}127, 64], [-127, 0]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-127:127>:f32:0, {1.000000e+00,2.000000e+00}>>
// CHECK-NEXT:    %[[B:.*]] = qopt.constant dense<[3, -4]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32:0, {5.000000e-01,1.000000e+00}>>
// CHECK-NEXT:    %[[Y:.*]] = qopt.gemm %[[X]], %[[W]], %[[B]] {activation = #qopt.fn<relu>, qopt.value = "y"}
// CHECK-SAME:      -> tensor<1x2x!quant.uniform<i16:f32, 2.500000e-01>>
// CHECK-NEXT:    %[[F:.*]] = qopt.dequantize %[[Y]]
// CHECK-NEXT:    return %[[F]] : tensor<1x2xf32>
// TENSOR-LABEL: func.func @gemm
// TENSOR:         qopt.constant dense<{{\[\[}}64, 32], [-127, 0]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8<-127:127>:f32, 2.000000e+00>>
// TENSOR:         tensor<2x!quant.uniform<i32:f32, 1.000000e+00>>
func.func @gemm(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = qopt.constant dense<[[127.0, 64.0], [-254.0, 0.0]]> : tensor<2x2xf32>
  %b = qopt.constant dense<[1.5, -4.0]> : tensor<2xf32>
  %c = qopt.gemm %x0, %w, %b {activation = #qopt.fn<relu>, qopt.value = "relu"} : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %c "y" {bits = 16 : i64, symmetric = true, scale = 0.25 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Ops that move values take their operand's type.
// CHECK-LABEL: func.func @shared
// CHECK:         qopt.reshape %{{.*}} : (tensor<1x4x!quant.uniform<i8:f32, 5.000000e-01:3>>) -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK-NEXT:    qopt.pad %{{.*}} [1, 0] : {{.*}} -> tensor<5x!quant.uniform<i8:f32, 5.000000e-01:3>>
func.func @shared(%x: tensor<1x4xf32>) -> tensor<5xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x4xf32> -> tensor<1x4xf32>
  %r = qopt.reshape %x0 : (tensor<1x4xf32>) -> tensor<4xf32>
  %p = qopt.pad %r [1, 0] : (tensor<4xf32>) -> tensor<5xf32>
  return %p : tensor<5xf32>
}

// A branch of another scale is requantized, one of the same is not; a constant
// branch takes the result's scale.
// CHECK-LABEL: func.func @concat
// CHECK:         %[[A:.*]] = qopt.quantize %arg0
// CHECK:         %[[B:.*]] = qopt.quantize %arg1
// CHECK:         %[[R:.*]] = qopt.requantize %[[B]] : {{.*}} -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK:         %[[K:.*]] = qopt.constant dense<[5, 13]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK:         qopt.concat %[[A]], %[[R]], %[[K]]
func.func @concat(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<6xf32> {
  %a = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %b = qopt.observe %y "y" {scale = 0.25 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %k = qopt.constant dense<[1.0, 5.0]> : tensor<2xf32>
  %c = qopt.concat %a, %b, %k axis 0 : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<6xf32>
  %d = qopt.observe %c "c" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<6xf32> -> tensor<6xf32>
  return %d : tensor<6xf32>
}

// A constant operand that is no weight has the range of its values: [0, 2.55].
// CHECK-LABEL: func.func @constant_operand
// CHECK:         qopt.constant dense<[-28, 127]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 0.0{{.*}}:-128>>
func.func @constant_operand(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %k = qopt.constant dense<[1.0, 2.55]> : tensor<2xf32>
  %c = qopt.add %a, %k : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.observe %c "c" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  return %d : tensor<2xf32>
}

// One weight read by two layers is quantized for each: their biases may want
// other scales.
// CHECK-LABEL: func.func @shared_weight
// CHECK-COUNT-2: qopt.gemm
// CHECK-NOT:     tensor<2x2xf32>
func.func @shared_weight(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = qopt.constant dense<1.0> : tensor<2x2xf32>
  %c = qopt.gemm %x0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %c0 = qopt.observe %c "c" {scale = 0.25 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %y = qopt.gemm %c0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y0 = qopt.observe %y "y" {scale = 0.25 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y0 : tensor<1x2xf32>
}

// A constant result of the model.
// CHECK-LABEL: func.func @constant_result
// CHECK:         %[[K:.*]] = qopt.constant dense<{{.*}}> : tensor<2xi8>
// CHECK:         qopt.dequantize %[[K]]
func.func @constant_result() -> tensor<2xf32> {
  %k = qopt.constant dense<[1.0, 2.55]> : tensor<2xf32>
  return %k : tensor<2xf32>
}

// A declaration has no body to rewrite.
// CHECK: func.func private @negative_declaration(tensor<2xf32>) -> tensor<2xf32>
func.func private @negative_declaration(tensor<2xf32>) -> tensor<2xf32>

// With 4 bits in groups of two input channels, a channel's scale is 2 and the
// multiples are 15 and 1; the second channel's are 1 and 15.
// FOUR-LABEL: func.func @few_bits
// FOUR:         qopt.constant dense<{{\[\[}}105, -45, 7, -3], [1, -2, 0, 105]]> : tensor<2x4xi8> as tensor<2x4x!quant.uniform<i8<-105:105>:f32:0, {2.000000e+00,1.000000e+00}>>
func.func @few_bits(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x4xf32> -> tensor<1x4xf32>
  %w = qopt.constant dense<[[210.0, -90.0, 14.0, -6.0], [1.0, -2.0, 0.0, 105.0]]> : tensor<2x4xf32>
  %c = qopt.gemm %x0, %w : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %c "y" {scale = 0.25 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
