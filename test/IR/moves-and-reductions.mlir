// RUN: qopt-opt %s | qopt-opt | FileCheck %s
// RUN: qopt-opt %s --mlir-print-op-generic | qopt-opt | FileCheck %s

#one = #qint.requant<[1048576], [20], zp -3, clamp -128 to 127>

// CHECK-LABEL: func.func @float
func.func @float(%x: tensor<1x3x4x4xf32>, %a: tensor<4x2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<1x3x1x1xf32>) {
  // CHECK: qopt.slice %{{.*}} [0, 1, 0, 3] steps [1, 1, 2, 1] :
  %0 = qopt.slice %x [0, 1, 0, 3] steps [1, 1, 2, 1] : (tensor<1x3x4x4xf32>) -> tensor<1x2x2x1xf32>
  // CHECK: qopt.gather %{{.*}} axis 2 [3, 3, 0] :
  %1 = qopt.gather %x axis 2 [3, 3, 0] : (tensor<1x3x4x4xf32>) -> tensor<1x3x3x4xf32>
  // CHECK: qopt.interpolate %{{.*}} rows [0, 3] [5.000000e-01, 5.000000e-01] columns [0, 1] [1.000000e+00, 1.000000e+00] :
  %2 = qopt.interpolate %x rows [0, 3] [0.5, 0.5] columns [0, 1] [1.0, 1.0] : (tensor<1x3x4x4xf32>) -> tensor<1x3x1x2xf32>
  // CHECK: qopt.matmul %{{.*}}, %{{.*}} : (tensor<4x2x3xf32>, tensor<3x5xf32>) -> tensor<4x2x5xf32>
  %3 = qopt.matmul %a, %b : (tensor<4x2x3xf32>, tensor<3x5xf32>) -> tensor<4x2x5xf32>
  // CHECK: qopt.div %{{.*}}, %{{.*}} {activation = #qopt.fn<relu>}
  %4 = qopt.div %x, %c {activation = #qopt.fn<relu>} : (tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x4x4xf32>
  // CHECK: qopt.max %{{.*}}, %{{.*}} :
  %5 = qopt.max %x, %c : (tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x4x4xf32>
  // CHECK: qopt.min %{{.*}}, %{{.*}} :
  %6 = qopt.min %x, %c : (tensor<1x3x4x4xf32>, tensor<1x3x1x1xf32>) -> tensor<1x3x4x4xf32>
  // CHECK: qopt.reduce_sum %{{.*}} axes [1] :
  %7 = qopt.reduce_sum %x axes [1] : (tensor<1x3x4x4xf32>) -> tensor<1x1x4x4xf32>
  // CHECK: qopt.reduce_max %{{.*}} axes [1, 2] {keep_dims = false} :
  %8 = qopt.reduce_max %x axes [1, 2] {keep_dims = false} : (tensor<1x3x4x4xf32>) -> tensor<1x4xf32>
  // CHECK: qopt.reduce_min %{{.*}} axes [3] :
  %9 = qopt.reduce_min %x axes [3] : (tensor<1x3x4x4xf32>) -> tensor<1x3x4x1xf32>
  return
}

// CHECK-LABEL: func.func @integer
func.func @integer(%x: tensor<1x3x4x4xi8>, %a: tensor<4x2x3xi8>, %b: tensor<3x5xi16>, %c: tensor<1x3x1x1xi8>) {
  // CHECK: qint.slice %{{.*}} [0, 1, 0, 3] steps [1, 1, 2, 1] :
  %0 = qint.slice %x [0, 1, 0, 3] steps [1, 1, 2, 1] : (tensor<1x3x4x4xi8>) -> tensor<1x2x2x1xi8>
  // CHECK: qint.gather %{{.*}} axis 2 [3, 3, 0] :
  %1 = qint.gather %x axis 2 [3, 3, 0] : (tensor<1x3x4x4xi8>) -> tensor<1x3x3x4xi8>
  // CHECK: qint.interpolate %{{.*}} rows [0, 3] [8192, 8192] columns [0, 1] [16384, 16384] {input_zero_point = 3 : i32,
  %2 = qint.interpolate %x rows [0, 3] [8192, 8192] columns [0, 1] [16384, 16384]
    {input_zero_point = 3 : i32, requant = #one} : (tensor<1x3x4x4xi8>) -> tensor<1x3x1x2xi8>
  // CHECK: qint.matmul %{{.*}}, %{{.*}} {lhs_zero_point = 1 : i32,
  %3 = qint.matmul %a, %b {lhs_zero_point = 1 : i32, rhs_zero_point = 0 : i32, requant = #one}
    : (tensor<4x2x3xi8>, tensor<3x5xi16>) -> tensor<4x2x5xi8>
  // CHECK: qint.div
  %4 = qint.div %x, %c {lhs_zero_point = 1 : i32, rhs_zero_point = -7 : i32, requant = #one}
    : (tensor<1x3x4x4xi8>, tensor<1x3x1x1xi8>) -> tensor<1x3x4x4xi8>
  // CHECK: qint.max
  %5 = qint.max %x, %c : (tensor<1x3x4x4xi8>, tensor<1x3x1x1xi8>) -> tensor<1x3x4x4xi8>
  // CHECK: qint.min
  %6 = qint.min %x, %c : (tensor<1x3x4x4xi8>, tensor<1x3x1x1xi8>) -> tensor<1x3x4x4xi8>
  // CHECK: qint.reduce_max %{{.*}} axes [1, 2] {keep_dims = false} :
  %7 = qint.reduce_max %x axes [1, 2] {keep_dims = false} : (tensor<1x3x4x4xi8>) -> tensor<1x4xi8>
  // CHECK: qint.reduce_min %{{.*}} axes [3] :
  %8 = qint.reduce_min %x axes [3] : (tensor<1x3x4x4xi8>) -> tensor<1x3x4x1xi8>
  return
}
