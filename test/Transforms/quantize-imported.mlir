// RUN: qopt-opt %s --qopt-quantize | FileCheck %s
// RUN: qopt-opt %s --qopt-quantize --qopt-rewrite-to-qint | FileCheck %s --check-prefix=QINT

!w = !quant.uniform<i8:f32:0, {5.000000e-01:1,2.500000e-01:-2}>
!c = !quant.uniform<i8:f32, 2.500000e-01:3>
!p = !quant.uniform<i8:f32:0, {5.000000e-01:1,2.500000e-01}>
!dead = !quant.uniform<i8:f32:0, {8.6736173798840355e-19,2.500000e-01}>

// Weights that arrive as integers keep them, with their zero points; the bias
// goes to the product of the scales. Results round ties to even.
// CHECK-LABEL: func.func @layer
// CHECK:         %[[X:.*]] = qopt.quantize %arg0
// CHECK-NEXT:    %[[W:.*]] = qopt.constant dense<{{\[\[}}-128, 127], [3, 4]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32:0, {5.000000e-01:1,2.500000e-01:-2}>>
// CHECK-NEXT:    %[[B:.*]] = qopt.constant dense<[4, -6]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32:0, {2.500000e-01,1.250000e-01}>>
// CHECK-NEXT:    qopt.gemm %[[X]], %[[W]], %[[B]] {qopt.rounding = "half_even", qopt.value = "y"}
// CHECK-NOT:     qopt.dequantize %[[W]]
// QINT-LABEL: func.func @layer
// QINT:         qint.gemm {{.*}} {input_zero_point = 3 : i32, qopt.value = "y", requant = {{.*}}, half_even>, weight_zero_points = array<i32: 1, -2>}
func.func @layer(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {method = "imported", scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %wq = qopt.constant dense<[[-128, 127], [3, 4]]> : tensor<2x2xi8> as tensor<2x2x!w>
  %w = qopt.dequantize %wq : tensor<2x2x!w> -> tensor<2x2xf32>
  %b = qopt.constant dense<[1.0, -0.75]> : tensor<2xf32>
  %g = qopt.gemm %x0, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %g "y" {method = "imported", scale = 1.0 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// A multiplier that ties never meet keeps the cheaper rounding; a sum always
// has them.
// QINT-LABEL: func.func @ties
// QINT:         qint.mul {{.*}} clamp -128 to 127>,
// QINT:         qint.add {{.*}}, half_even>
func.func @ties(%x: tensor<2xf32>) -> tensor<2xf32> {
  %x0 = qopt.observe %x "x" {method = "imported", scale = 0.1 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %m = qopt.mul %x0, %x0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %m0 = qopt.observe %m "m" {method = "imported", scale = 0.37 : f32, zero_point = 0 : i64} : tensor<2xf32> -> tensor<2xf32>
  %a = qopt.add %m0, %x0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %a0 = qopt.observe %a "a" {method = "imported", scale = 0.41 : f32, zero_point = 0 : i64} : tensor<2xf32> -> tensor<2xf32>
  return %a0 : tensor<2xf32>
}

// An observer behind another one of another scale requantizes; one of the same
// scale does not.
// CHECK-LABEL: func.func @chain
// CHECK-NEXT:    %[[X:.*]] = qopt.quantize %arg0
// CHECK-NEXT:    %[[R:.*]] = qopt.requantize %[[X]] {qopt.rounding = "half_even"} : {{.*}} -> tensor<2x!quant.uniform<i8:f32, 2.500000e-01>>
// CHECK-NEXT:    %[[D:.*]] = qopt.dequantize %[[R]]
// CHECK-NEXT:    %[[E:.*]] = qopt.dequantize %[[X]]
// CHECK-NEXT:    return %[[D]], %[[E]]
func.func @chain(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %x1 = qopt.observe %x0 "x1" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %x2 = qopt.observe %x1 "x2" {method = "imported", scale = 0.25 : f32, zero_point = 0 : i64} : tensor<2xf32> -> tensor<2xf32>
  return %x2, %x1 : tensor<2xf32>, tensor<2xf32>
}

// Constants that are no weights: integers of the model where they have one
// scale, and the result's where the op shares it.
// CHECK-LABEL: func.func @constants
// CHECK-DAG:     %[[C:.*]] = qopt.constant dense<[13, -9]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 2.500000e-01:3>>
// CHECK:         qopt.add %{{.*}}, %[[C]]
// CHECK:         %[[P:.*]] = qopt.constant dense<[-128, 127]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, {{.*}}>>
// CHECK-NEXT:    qopt.mul %{{.*}}, %[[P]]
// CHECK:         %[[S:.*]] = qopt.constant dense<[2, -3]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 1.000000e+00>>
// CHECK-NEXT:    qopt.concat %{{.*}}, %[[S]]
func.func @constants(%x: tensor<2xf32>) -> tensor<4xf32> {
  %x0 = qopt.observe %x "x" {scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %cq = qopt.constant dense<[13, -9]> : tensor<2xi8> as tensor<2x!c>
  %c = qopt.dequantize %cq : tensor<2x!c> -> tensor<2xf32>
  %pq = qopt.constant dense<[0, 4]> : tensor<2xi8> as tensor<2x!p>
  %p = qopt.dequantize %pq : tensor<2x!p> -> tensor<2xf32>
  %a = qopt.add %x0, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %a0 = qopt.observe %a "a" {scale = 1.0 : f32, zero_point = 0 : i64} : tensor<2xf32> -> tensor<2xf32>
  %m = qopt.mul %a0, %p : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %m0 = qopt.observe %m "m" {scale = 1.0 : f32, zero_point = 0 : i64} : tensor<2xf32> -> tensor<2xf32>
  %k = qopt.concat %m0, %c axis 0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  %k0 = qopt.observe %k "k" {scale = 1.0 : f32, zero_point = 0 : i64} : tensor<4xf32> -> tensor<4xf32>
  return %k0 : tensor<4xf32>
}

// A channel whose bias takes the whole int32 gets coarser steps: 2^31 of 0.25
// are 2^30 of 0.5. The weights less their zero point are halved, ties to even.
// CHECK-LABEL: func.func @room
// CHECK:         %[[W:.*]] = qopt.constant dense<{{\[\[}}-64, 63], [3, 4]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32:0, {1.000000e+00,2.500000e-01:-2}>>
// CHECK-NEXT:    qopt.constant dense<[-1073741824, -6]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32:0, {5.000000e-01,1.250000e-01}>>
// QINT-LABEL: func.func @room
// QINT:         qint.gemm
func.func @room(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {method = "imported", scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %wq = qopt.constant dense<[[-128, 127], [3, 4]]> : tensor<2x2xi8> as tensor<2x2x!w>
  %w = qopt.dequantize %wq : tensor<2x2x!w> -> tensor<2x2xf32>
  %b = qopt.constant dense<[-536870912.0, -0.75]> : tensor<2xf32>
  %g = qopt.gemm %x0, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %g "y" {method = "imported", scale = 4194304.0 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// So does one whose products are far below any step of the result: 2^-60 becomes
// 2^-39, so that the factor is 2^-40, and the weights nothing.
// CHECK-LABEL: func.func @dead
// CHECK:         qopt.constant dense<{{\[\[}}0, 0], [3, 4]]> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32:0, {1.8189894035458565E-12,2.500000e-01}>>
// QINT-LABEL: func.func @dead
// QINT:         qint.gemm
func.func @dead(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {method = "imported", scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %wq = qopt.constant dense<[[-128, 127], [3, 4]]> : tensor<2x2xi8> as tensor<2x2x!dead>
  %w = qopt.dequantize %wq : tensor<2x2x!dead> -> tensor<2x2xf32>
  %g = qopt.gemm %x0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %g "y" {method = "imported", scale = 1.0 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Float weights behind which the model has a scale of its own (they had one a
// block) get as many bits as the sum allows; the second channel's bias leaves
// less room.
// CHECK-LABEL: func.func @wide_weights
// CHECK:         dense<{{\[\[}}8355576, -4177788], [1049152, -262288]]> : tensor<2x2xi32> as tensor<2x2x!quant.uniform<i32<-8355584:8355584>:f32:0, {1.1968{{.*}}E-7,9.531{{.*}}E-7}>>
// CHECK:         dense<[65278, 1073741824]> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32:0, {1.5319{{.*}}E-5,1.2200{{.*}}E-4}>>
// QINT-LABEL: func.func @wide_weights
// QINT:         qint.gemm {{.*}} tensor<2x2xi16>
// QINT:         qint.gemm {{.*}} tensor<2x2xi8>
// QINT:         qint.sum_parts
func.func @wide_weights(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %x0 = qopt.observe %x "x" {method = "imported", scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %w = qopt.constant dense<[[1.0, -0.5], [1.0, -0.25]]> : tensor<2x2xf32>
  %b = qopt.constant dense<[1.0, 1.31e5]> : tensor<2xf32>
  %g = qopt.gemm %x0, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %g "y" {method = "imported", scale = 1.0 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Eight bits where qopt decided the scale, and where each channel has a kernel
// of its own.
// CHECK-LABEL: func.func @narrow_weights
// CHECK:         qopt.constant {{.*}}!quant.uniform<i8<-127:127>
// CHECK:         qopt.constant {{.*}}!quant.uniform<i8<-127:127>
// CHECK-NOT:     i16
// CHECK:         return
func.func @narrow_weights(%x: tensor<1x2xf32>, %i: tensor<1x2x4x4xf32>) -> (tensor<1x2xf32>, tensor<1x2x4x4xf32>) {
  %x0 = qopt.observe %x "x" {method = "imported", scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %i0 = qopt.observe %i "i" {method = "imported", scale = 0.5 : f32, zero_point = 3 : i64} : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
  %w = qopt.constant dense<[[1.0, -0.5], [1.0, -0.25]]> : tensor<2x2xf32>
  %g = qopt.gemm %x0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = qopt.observe %g "y" {scale = 1.0 : f32, zero_point = 0 : i64} : tensor<1x2xf32> -> tensor<1x2xf32>
  %k = qopt.constant dense<[[[[1.0]]], [[[0.5]]]]> : tensor<2x1x1x1xf32>
  %c = qopt.conv %i0, %k {groups = 2 : i64} : (tensor<1x2x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %z = qopt.observe %c "z" {method = "imported", scale = 1.0 : f32, zero_point = 0 : i64} : tensor<1x2x4x4xf32> -> tensor<1x2x4x4xf32>
  return %y, %z : tensor<1x2xf32>, tensor<1x2x4x4xf32>
}
