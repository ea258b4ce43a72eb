// RUN: qopt-opt %s --qopt-insert-observers | FileCheck %s
// RUN: qopt-opt %s --qopt-insert-observers='bits=16 method=minmax output-bits=8' | FileCheck %s --check-prefix=OPTIONS
// RUN: qopt-opt %s --qopt-insert-observers=wide-sums | FileCheck %s --check-prefix=WIDE
// RUN: qopt-opt %s --qopt-insert-observers=wide-tables | FileCheck %s --check-prefix=TABLES

// Arguments and results have names of the model; the result leaves the model
// and is 16 bits wide.
// CHECK-LABEL: func.func @names
// CHECK-NEXT:    %[[X:.*]] = qopt.observe %arg0 "image" :
// CHECK-NEXT:    %[[W:.*]] = qopt.constant
// CHECK-NEXT:    %[[A:.*]] = qopt.gemm %[[X]], %[[W]] {qopt.value = "fc1"}
// CHECK-NEXT:    %[[B:.*]] = qopt.observe %[[A]] "fc1" :
// CHECK-NEXT:    %[[C:.*]] = qopt.gemm %[[B]], %[[W]] {qopt.value = "fc2"}
// CHECK-NEXT:    %[[D:.*]] = qopt.observe %[[C]] "fc2" {bits = 16 : i64, symmetric = true}
// CHECK-NEXT:    return %[[D]]
// OPTIONS-LABEL: func.func @names
// OPTIONS:         "image" {bits = 16 : i64, method = "minmax", symmetric = true}
// OPTIONS:         "fc1" {bits = 16 : i64, method = "minmax", symmetric = true}
// OPTIONS:         "fc2" {method = "minmax"}
func.func @names(%x: tensor<1x2xf32> {qopt.name = "image"}) -> tensor<1x2xf32> {
  %w = qopt.constant dense<1.0> : tensor<2x2xf32>
  %a = qopt.gemm %x, %w {qopt.value = "fc1"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %b = qopt.gemm %a, %w {qopt.value = "fc2"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %b : tensor<1x2xf32>
}

// Without names the op's kind and its number are the id; a name that is taken
// gets a number.
// CHECK-LABEL: func.func @no_names
// CHECK:         qopt.observe %arg0 "arg0"
// CHECK:         "unary_0"
// CHECK:         "add_0"
// CHECK:         "unary_1"
// CHECK:         "arg0_2"
func.func @no_names(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.add %a, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.unary %b [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.unary %c [#qopt.fn<tanh>] {qopt.value = "arg0"} : (tensor<2xf32>) -> tensor<2xf32>
  return %d : tensor<2xf32>
}

// Ops that only move values share their operand's scale; the widened one is the
// op that requantizes.
// CHECK-LABEL: func.func @shared
// CHECK:         qopt.unary
// CHECK-NEXT:    qopt.observe %{{.*}} "u" {bits = 16 : i64, symmetric = true}
// CHECK-NEXT:    qopt.max_pool
// CHECK-NEXT:    qopt.reshape
// CHECK-NEXT:    qopt.transpose
// CHECK-NEXT:    qopt.pad
// CHECK-NEXT:    return
func.func @shared(%x: tensor<1x1x4x4xf32>) -> tensor<5x4xf32> {
  %u = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "u"} : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %m = qopt.max_pool %u {kernel = array<i64: 1, 1>} : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %r = qopt.reshape %m : (tensor<1x1x4x4xf32>) -> tensor<4x4xf32>
  %t = qopt.transpose %r [1, 0] : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %p = qopt.pad %t [1, 0, 0, 0] : (tensor<4x4xf32>) -> tensor<5x4xf32>
  return %p : tensor<5x4xf32>
}

// What brings several values together has a range of its own.
// CHECK-LABEL: func.func @merging
// CHECK:         qopt.concat
// CHECK-NEXT:    qopt.observe %{{.*}} "c"
// CHECK-NEXT:    qopt.pad
// CHECK-NEXT:    qopt.observe %{{.*}} "p"
func.func @merging(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<5xf32> {
  %c = qopt.concat %x, %y axis 0 {qopt.value = "c"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  %p = qopt.pad %c [1, 0] {value = -1.0 : f32, qopt.value = "p"} : (tensor<4xf32>) -> tensor<5xf32>
  return %p : tensor<5xf32>
}

// All branches of a concat that leaves the model are widened with it.
// CHECK-LABEL: func.func @widened_concat
// CHECK:         "a" {bits = 16 : i64, symmetric = true}
// CHECK:         "b" {bits = 16 : i64, symmetric = true}
// CHECK:         "c" {bits = 16 : i64, symmetric = true}
func.func @widened_concat(%x: tensor<2xf32>) -> tensor<4xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "a"} : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %x [#qopt.fn<sigmoid>] {qopt.value = "b"} : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.concat %a, %b axis 0 {qopt.value = "c"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %c : tensor<4xf32>
}

// One branch is an argument, which nothing requantizes: 8 bits for all.
// CHECK-LABEL: func.func @negative_concat_of_argument
// CHECK-NOT:     bits = 16
// CHECK:         return
func.func @negative_concat_of_argument(%x: tensor<2xf32>) -> tensor<4xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "a"} : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.concat %a, %x axis 0 {qopt.value = "c"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %c : tensor<4xf32>
}

// The output has another reader, which wants 8 bits.
// CHECK-LABEL: func.func @negative_output_with_reader
// CHECK:         qopt.observe %{{.*}} "a" :
// CHECK:         qopt.observe %{{.*}} "b" {bits = 16
func.func @negative_output_with_reader(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %a = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "a"} : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<sigmoid>] {qopt.value = "b"} : (tensor<2xf32>) -> tensor<2xf32>
  return %a, %b : tensor<2xf32>, tensor<2xf32>
}

// What has an observer keeps it.
// CHECK-LABEL: func.func @negative_observed
// CHECK-COUNT-2: qopt.observe
// CHECK-NOT:     qopt.observe
// CHECK:         return
func.func @negative_observed(%x: tensor<2xf32>) -> tensor<2xf32> {
  %x0 = qopt.observe %x "mine" {method = "minmax"} : tensor<2xf32> -> tensor<2xf32>
  %a = qopt.unary %x0 [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %a0 = qopt.observe %a "arg0" : tensor<2xf32> -> tensor<2xf32>
  return %a0 : tensor<2xf32>
}

// Constants are quantized from their values.
// CHECK-LABEL: func.func @negative_constant
// CHECK:         %[[C:.*]] = qopt.constant
// CHECK-NOT:     qopt.observe %[[C]]
func.func @negative_constant(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %a = qopt.add %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %a : tensor<2xf32>
}

// "a" is read by the sum alone, "b" by the product too, "c" by no sum; the
// argument is as it comes.
// WIDE-LABEL: func.func @wide_sums
// WIDE:         "x" :
// WIDE:         "a" {bits = 16 : i64, symmetric = true}
// WIDE:         "b" :
// WIDE:         "s" :
// WIDE:         "c" :
// CHECK-LABEL: func.func @wide_sums
// CHECK:         "a" :
func.func @wide_sums(%x: tensor<2xf32> {qopt.name = "x"}) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "a"} : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %x [#qopt.fn<sigmoid>] {qopt.value = "b"} : (tensor<2xf32>) -> tensor<2xf32>
  %s = qopt.sub %a, %b {qopt.value = "s"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.mul %s, %b {qopt.value = "c"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.mul %c, %c {qopt.value = "d"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %d : tensor<2xf32>
}

// A scale that stands is not chosen again: the output keeps its 8 bits, the
// operand of a sum too. A weight of the model is no value to observe.
// WIDE-LABEL: func.func @decided
// WIDE:         "a" {method = "imported", scale = 5.000000e-01
// CHECK-LABEL: func.func @decided
// CHECK:         "a" {method = "imported", scale = 5.000000e-01 : f32, zero_point = 3 : i64}
// CHECK:         "s" {method = "imported", scale = 1.000000e+00 : f32, zero_point = 0 : i64}
// CHECK-NOT:     observe
func.func @decided(%x: tensor<2xf32> {qopt.name = "x"}) -> tensor<2xf32> {
  %wq = qopt.constant dense<1> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 1.0>>
  %w = qopt.dequantize %wq : tensor<2x!quant.uniform<i8:f32, 1.0>> -> tensor<2xf32>
  %t = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %a = qopt.observe %t "a" {method = "imported", scale = 0.5 : f32, zero_point = 3 : i64} : tensor<2xf32> -> tensor<2xf32>
  %b = qopt.sub %a, %w : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %s = qopt.observe %b "s" {method = "imported", scale = 1.0 : f32, zero_point = 0 : i64} : tensor<2xf32> -> tensor<2xf32>
  %r = qopt.reshape %s : (tensor<2xf32>) -> tensor<2xf32>
  %z = qopt.reshape %r : (tensor<2xf32>) -> tensor<2xf32>
  return %z : tensor<2xf32>
}

// A declaration has no body to rewrite.
// CHECK: func.func private @negative_declaration(tensor<2xf32>) -> tensor<2xf32>
func.func private @negative_declaration(tensor<2xf32>) -> tensor<2xf32>

// What a normalization reads, and what that is a sum of, has 16 bits; what
// another op reads has not.
// CHECK-LABEL: func.func @residual
// CHECK:         "x" :
// CHECK:         "a" {bits = 16 : i64, symmetric = true}
// CHECK:         "c" {bits = 16 : i64, symmetric = true}
// CHECK:         "s" {bits = 16 : i64, symmetric = true}
// CHECK:         "n" :
// CHECK:         "b" :
// CHECK:         "t" :
// CHECK:         "m" :
func.func @residual(%x: tensor<1x2xf32> {qopt.name = "x"}) -> tensor<1x2xf32> {
  %w = qopt.constant dense<1.0> : tensor<2x2xf32>
  %v = qopt.constant dense<1.0> : tensor<1x1xf32>
  %a = qopt.gemm %x, %w {qopt.value = "a"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %p = qopt.slice %a [0, 0] steps [1, 1] : (tensor<1x2xf32>) -> tensor<1x1xf32>
  %c = qopt.concat %v, %p axis 1 {qopt.value = "c"} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x2xf32>
  %s = qopt.add %x, %c {qopt.value = "s"} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %n = qopt.layer_norm %s axes [1] {epsilon = 1.0e-5 : f64, qopt.value = "n"} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = qopt.gemm %n, %w {qopt.value = "b"} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %t = qopt.add %s, %b {qopt.value = "t"} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = qopt.layer_norm %t axes [1] {epsilon = 1.0e-5 : f64, qopt.value = "m"} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  %g = qopt.gemm %t, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %h = qopt.gemm %m, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %y = qopt.mul %g, %h : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// What only smooth functions read; not an argument, not what a jump or a
// product reads too.
// TABLES-LABEL: func.func @wide_tables
// TABLES:         "x" :
// TABLES:         "a" {bits = 16 : i64, symmetric = true}
// TABLES:         "b" :
// TABLES:         "c" :
// TABLES:         "d" :
// CHECK-LABEL: func.func @wide_tables
// CHECK:         "a" :
func.func @wide_tables(%x: tensor<2xf32> {qopt.name = "x"}) -> (tensor<2xf32>, tensor<2xf32>) {
  %a = qopt.mul %x, %x {qopt.value = "a"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<sigmoid>] {qopt.value = "b"} : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.mul %x, %b {qopt.value = "c"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.unary %c [#qopt.fn<floor>] {qopt.value = "d"} : (tensor<2xf32>) -> tensor<2xf32>
  %e = qopt.unary %b [#qopt.fn<tanh>] {qopt.value = "e"} : (tensor<2xf32>) -> tensor<2xf32>
  %f = qopt.mul %d, %c {qopt.value = "f"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %e, %f : tensor<2xf32>, tensor<2xf32>
}
