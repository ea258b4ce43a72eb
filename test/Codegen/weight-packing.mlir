// RUN: qopt-opt %s -split-input-file --qopt-lower-to-loops="isa=avx512vnni" | FileCheck %s

// Biases and multipliers of 4 channels take 32 bytes. Weights of 4 bits take
// half a byte each.
// CHECK: memref.global "private" constant @{{.*}} : memref<64xi8>
func.func @four_bits(%x: tensor<1x16xi8>) -> tensor<1x4xi8> {
  %w = qint.constant dense<[[1, -8, 7, 3, 4, 5, 6, 7, 0, 0, 1, 2, 3, -1, -2, -3],
                            [7, 6, 5, 4, 3, 2, 1, 0, -1, -2, -3, -4, -5, -6, -7, -8],
                            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]]> : tensor<4x16xi8>
  %b = qint.constant dense<1> : tensor<4xi32>
  %y = qint.gemm %x, %w, %b {input_zero_point = 0 : i32,
      requant = #qint.requant<[1234567], [38], zp 0, clamp -128 to 127>}
    : (tensor<1x16xi8>, tensor<4x16xi8>, tensor<4xi32>) -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}

// -----

// 3 and -6, 10 and -20: multiples of 2 bits, with a byte for each channel's.
// CHECK: memref.global "private" constant @{{.*}} : memref<52xi8>
func.func @multiples_of_two_bits(%x: tensor<1x16xi8>) -> tensor<1x4xi8> {
  %w = qint.constant dense<[[3, -6, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3],
                            [10, -20, 0, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
                            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]]> : tensor<4x16xi8>
  %b = qint.constant dense<1> : tensor<4xi32>
  %y = qint.gemm %x, %w, %b {input_zero_point = 0 : i32,
      requant = #qint.requant<[1234567], [38], zp 0, clamp -128 to 127>}
    : (tensor<1x16xi8>, tensor<4x16xi8>, tensor<4xi32>) -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}

// -----

// 16 has no divisor that leaves 4 bits beside 1: these are bytes.
// CHECK: memref.global "private" constant @{{.*}} : memref<96xi8>
func.func @bytes(%x: tensor<1x16xi8>) -> tensor<1x4xi8> {
  %w = qint.constant dense<[[16, -6, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3],
                            [10, -20, 0, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
                            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]]> : tensor<4x16xi8>
  %b = qint.constant dense<1> : tensor<4xi32>
  %y = qint.gemm %x, %w, %b {input_zero_point = 0 : i32,
      requant = #qint.requant<[1234567], [38], zp 0, clamp -128 to 127>}
    : (tensor<1x16xi8>, tensor<4x16xi8>, tensor<4xi32>) -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}
