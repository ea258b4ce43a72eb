// RUN: qopt-opt %s --qopt-quantize | FileCheck %s
// RUN: qopt-opt %s --qopt-quantize=per-channel=false | FileCheck %s --check-prefix=TENSOR

// Values of quantized constants and the boundary, worked out by hand.

// Biases count in steps of input times weight scale: 0.5 and 1, or 1 for both.
// CHECK-LABEL: func.func @biases
// CHECK:         qopt.constant dense<[4, -4]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32:0, {5.000000e-01,1.000000e+00}>>
// TENSOR-LABEL: func.func @biases
// TENSOR:         qopt.constant dense<[2, -4]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32, 1.000000e+00>>
func.func @biases(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = qopt.constant dense<[[127.0, 64.0], [-254.0, 0.0]]> : tensor<2x2xf32>
  %b = qopt.constant dense<[2.0, -4.0]> : tensor<2xf32>
  %c = qopt.gemm %x0, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %c "y" {scale = 0.25 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Ranges of constants contain zero and both ends: [-2.55, 0] and [-0.55, 2].
// CHECK-LABEL: func.func @constant_operands
// CHECK:         qopt.constant dense<[-128, 27]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 0.0{{.*}}:127>>
// CHECK:         qopt.constant dense<[-128, 127]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 0.0{{.*}}:-73>>
func.func @constant_operands(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %k = qopt.constant dense<[-2.55, -1.0]> : tensor<2xf32>
  %l = qopt.constant dense<[-0.55, 2.0]> : tensor<2xf32>
  %c = qopt.add %a, %k : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.observe %c "c" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %e = qopt.mul %l, %d : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %f = qopt.observe %e "e" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  return %f : tensor<2xf32>
}

// Integers pass as they are; each result is dequantized.
// CHECK-LABEL: func.func @boundary
// CHECK-NEXT:    %[[Q:.*]] = qopt.quantize %arg0
// CHECK-NEXT:    %[[A:.*]] = qopt.dequantize %[[Q]]
// CHECK-NEXT:    %[[B:.*]] = qopt.dequantize %[[Q]]
// CHECK-NEXT:    return %[[A]], %arg1, %[[B]]
func.func @boundary(%x: tensor<2xf32>, %i: tensor<2xi8>) -> (tensor<2xf32>, tensor<2xi8>, tensor<2xf32>) {
  %a = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  return %a, %i, %a : tensor<2xf32>, tensor<2xi8>, tensor<2xf32>
}

// One channel has one scale.
// CHECK-LABEL: func.func @one_channel
// CHECK:         qopt.constant dense<{{\[\[}}127, 64]]> : tensor<1x2xi8> as tensor<1x2x!quant.uniform<i8<-127:127>:f32, 1.000000e+00>>
func.func @one_channel(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = qopt.constant dense<[[127.0, 64.0]]> : tensor<1x2xf32>
  %c = qopt.gemm %x0, %w : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  %y = qopt.observe %c "y" {scale = 0.25 : f32, zero_point = 0 : i64} : tensor<1x1xf32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

!q = !quant.uniform<i8:f32, 5.000000e-01:3>

// What is quantized stays as it is, without observers.
// CHECK-LABEL: func.func @negative_quantized
// CHECK-NEXT:    %[[A:.*]] = qopt.unary %arg0 [#qopt.fn<tanh>] :
// CHECK-NEXT:    %[[D:.*]] = qopt.dequantize %[[A]]
// CHECK-NEXT:    return %[[D]]
func.func @negative_quantized(%x: tensor<2x!q>) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2x!q>) -> tensor<2x!q>
  %d = qopt.dequantize %a : tensor<2x!q> -> tensor<2xf32>
  return %d : tensor<2xf32>
}

// A constant that only moves keeps its own range, [0, 2.55]; it is written once.
// CHECK-LABEL: func.func @moved_constant
// CHECK:         %[[K:.*]] = qopt.constant dense<[-28, 127]> : tensor<2xi8>
// CHECK-NEXT:    %[[R:.*]] = qopt.reshape %[[K]] : (tensor<2x!quant.uniform<i8:f32, 0.0{{.*}}:-128>>) -> tensor<1x2x!quant.uniform<i8:f32, 0.0{{.*}}:-128>>
// CHECK-NEXT:    qopt.add %{{.*}}, %[[R]]
func.func @moved_constant(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %a = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %k = qopt.constant dense<[1.0, 2.55]> : tensor<2xf32>
  %r = qopt.reshape %k : (tensor<2xf32>) -> tensor<1x2xf32>
  %c = qopt.add %a, %r : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %d = qopt.observe %c "c" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %d : tensor<1x2xf32>
}
