// RUN: qopt-opt %s | qopt-opt | FileCheck %s

// CHECK-LABEL: func.func @attend
func.func @attend(%x: tensor<2x4x3xf32>, %v: tensor<3x5xf32>, %q: tensor<4x3xi8>, %w: tensor<3x5xi8>) {
  // CHECK: qopt.attend %{{.*}}, %{{.*}} : (tensor<2x4x3xf32>, tensor<3x5xf32>) -> tensor<2x4x5xf32>
  %0 = qopt.attend %x, %v : (tensor<2x4x3xf32>, tensor<3x5xf32>) -> tensor<2x4x5xf32>
  // CHECK: qint.attend %{{.*}}, %{{.*}} {exp_table = array<i32: 255, 231, {{.*}}>, requant = #qint.requant<[1048576], [36], zp 0, clamp -128 to 127>, values_zero_point = 3 : i32} : (tensor<4x3xi8>, tensor<3x5xi8>) -> tensor<4x5xi8>
  %1 = qint.attend %q, %w {exp_table = array<i32: 255, 231, 209, 189, 171, 155, 140, 127, 115, 104, 94, 85, 77, 69, 63, 57, 51, 47, 42, 38, 35, 31, 28, 26, 23, 21, 19, 17, 16, 14, 13, 11, 10, 9, 9, 8, 7, 6, 6, 5, 5, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, values_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [36], zp 0, clamp -128 to 127>} : (tensor<4x3xi8>, tensor<3x5xi8>) -> tensor<4x5xi8>
  return
}
