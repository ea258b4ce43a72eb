// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-lower-to-loops{isa=avx512vnni name=net})' | FileCheck %s
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-lower-to-loops{isa=avxvnni name=net})' | FileCheck %s --check-prefix=HALF
// RUN: not qopt-opt %s --pass-pipeline='builtin.module(qopt-lower-to-loops{isa=mmx})' 2>&1 | FileCheck %s --check-prefix=ISA

// ISA: error: expects isa to be scalar, avx2, avxvnni or avx512vnni, but got 'mmx'

// One function over bytes of memory, its kernels and the packed constants:
// 16 lanes of bias, multiplier and 4 x 4 weights.
// CHECK: memref.global "private" constant @net_constants : memref<384xi8> = dense_resource<net_constants> {alignment = 64 : i64}
// CHECK-LABEL: func.func @f_compute(
// CHECK-SAME:    %[[X:.*]]: memref<112xi8>, %[[Y:.*]]: memref<112xi8>, %[[ARENA:.*]]: memref<{{[0-9]+}}xi8>)
// CHECK:         %[[BLOB:.*]] = memref.get_global @net_constants
// CHECK:         %[[IN:.*]] = memref.view %[[ARENA]]
// CHECK:         call @net_k0_copy(%[[IN]], %[[X]])
// CHECK:         call @net_k1_tile(%{{.*}}, %{{.*}}, %[[Y]])
// CHECK-LABEL: func.func private @net_k1_tile(
// CHECK-SAME:    {llvm.noalias, llvm.nocapture, llvm.readonly}
// Seven rows of one vector each, four 4-byte steps of the sum.
// CHECK-COUNT-28: qint.dot4 %{{.*}} : vector<16xi32>, vector<64xi8>
// CHECK-NOT:      qint.dot4
// CHECK:          qint.mul_high %{{.*}} : vector<16xi32>
// CHECK:          qint.pack %{{.*}} : vector<16xi32> -> vector<32xi16>
// CHECK:          return

// Two vectors hold the 16 channels where registers have 8 lanes.
// HALF: qint.dot4 %{{.*}} : vector<8xi32>, vector<32xi8>
func.func @f(%x: tensor<7x16xi8>) -> tensor<7x16xi8> {
  %w = qint.constant dense<127> : tensor<16x16xi8>
  %y = qint.gemm %x, %w {input_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [34], zp -128, clamp -128 to 127>}
    : (tensor<7x16xi8>, tensor<16x16xi8>) -> tensor<7x16xi8>
  return %y : tensor<7x16xi8>
}
