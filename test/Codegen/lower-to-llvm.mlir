// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-lower-to-llvm{isa=avx512vnni})' | FileCheck %s --check-prefixes=CHECK,VNNI,WIDE
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-lower-to-llvm{isa=avxvnni})' | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-lower-to-llvm{isa=avx2})' | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: qopt-opt %s --pass-pipeline='builtin.module(qopt-lower-to-llvm{isa=scalar})' | FileCheck %s --check-prefixes=CHECK,SCALAR

// Constants have a section of their own.
// CHECK: llvm.mlir.global internal constant @c({{.*}}alignment = 64 : i64, section = ".rodata.qopt"
memref.global "private" constant @c : memref<4xi8> = dense<[1, 2, 3, 4]> {alignment = 64 : i64}

// Bare pointers instead of descriptors.
// CHECK-LABEL: llvm.func @bare(%{{.*}}: !llvm.ptr) -> i8
func.func @bare(%m: memref<8xi8>) -> i8 {
  %zero = arith.constant 0 : index
  %v = memref.load %m[%zero] : memref<8xi8>
  return %v : i8
}

// AVX2 widens bytes: its byte dot product would saturate.
// CHECK-LABEL: llvm.func @dot4(
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// AVX2: llvm.shl
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// AVX2-NOT: pmadd
// SCALAR-COUNT-4: llvm.mul
// SCALAR-NOT: call_intrinsic
func.func @dot4(%acc: vector<8xi32>, %u: vector<32xi8>, %s: vector<32xi8>) -> vector<8xi32> {
  %r = qint.dot4 %acc, %u, %s : vector<8xi32>, vector<32xi8>
  return %r : vector<8xi32>
}

// CHECK-LABEL: llvm.func @dot2(
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.256"
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// SCALAR-COUNT-2: llvm.mul
func.func @dot2(%acc: vector<8xi32>, %a: vector<16xi16>, %b: vector<16xi16>) -> vector<8xi32> {
  %r = qint.dot2 %acc, %a, %b : vector<8xi32>, vector<16xi16>
  return %r : vector<8xi32>
}

// A vector wider than the registers falls back to plain vector ops.
// CHECK-LABEL: llvm.func @wide_dot4(
// WIDE: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// AVX2-NOT: call_intrinsic
// AVX2: llvm.return
func.func @wide_dot4(%acc: vector<16xi32>, %u: vector<64xi8>, %s: vector<64xi8>) -> vector<16xi32> {
  %r = qint.dot4 %acc, %u, %s : vector<16xi32>, vector<64xi8>
  return %r : vector<16xi32>
}

// CHECK-LABEL: llvm.func @requantize(
// VNNI: llvm.shufflevector
// VNNI: llvm.call_intrinsic "llvm.x86.avx2.packssdw"
// VNNI: llvm.call_intrinsic "llvm.x86.avx2.pmul.hr.sw"
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.packssdw"
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pmul.hr.sw"
// SCALAR: llvm.shufflevector
// SCALAR: llvm.intr.smax
// SCALAR: llvm.intr.smin
// SCALAR: llvm.trunc
func.func @requantize(%a: vector<8xi32>, %m: vector<8xi32>, %f: vector<16xi16>) -> vector<16xi16> {
  %h = qint.mul_high %a, %m : vector<8xi32>
  %p = qint.pack %h, %h : vector<8xi32> -> vector<16xi16>
  %r = qint.mul_round %p, %f : vector<16xi16>
  return %r : vector<16xi16>
}
