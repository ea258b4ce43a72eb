// RUN: qopt-opt %s --qopt-insert-observers | FileCheck %s
// RUN: qopt-opt %s --qopt-insert-observers="symmetric output-bits=8" | FileCheck %s --check-prefix=SYMMETRIC

// Names of observers where the model's collide or are empty, and which outputs
// are widened.

// Empty names are none; a name taken once more counts on; integers have no
// observer.
// CHECK-LABEL: func.func @ids
// CHECK:         "arg0" :
// CHECK:         "n" :
// CHECK:         "arg3" :
// CHECK:         "n_2" :
// CHECK:         "mul_0" :
// CHECK:         "n_3" :
// CHECK:         "mul_1" {bits = 16 : i64, symmetric = true}
// SYMMETRIC-LABEL: func.func @ids
// SYMMETRIC:         "arg0" {symmetric = true}
// SYMMETRIC:         "mul_1" {symmetric = true}
func.func @ids(%x: tensor<2xf32> {qopt.name = ""}, %y: tensor<2xf32> {qopt.name = "n"}, %i: tensor<2xi8>, %z: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.add %x, %y {qopt.value = "n"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.mul %a, %z {qopt.value = ""} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.mul %b, %z {qopt.value = "n"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = qopt.mul %c, %a : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %d : tensor<2xf32>
}

// A constant has no bits of its own.
// CHECK-LABEL: func.func @widened_constant_branch
// CHECK:         "arg0" :
// CHECK:         "a" {bits = 16 : i64, symmetric = true}
// CHECK:         "c" {bits = 16 : i64, symmetric = true}
func.func @widened_constant_branch(%x: tensor<2xf32>) -> tensor<4xf32> {
  %k = qopt.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %a = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "a"} : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.concat %a, %k axis 0 {qopt.value = "c"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %c : tensor<4xf32>
}

// A branch that is read elsewhere stays at 8 bits, and the concat with it.
// CHECK-LABEL: func.func @negative_branch_with_reader
// CHECK:         "arg0" :
// CHECK:         "a" :
// CHECK:         "b" {bits = 16 : i64, symmetric = true}
// CHECK:         "c" :
func.func @negative_branch_with_reader(%x: tensor<2xf32>) -> (tensor<4xf32>, tensor<2xf32>) {
  %a = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "a"} : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<tanh>] {qopt.value = "b"} : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.concat %a, %a axis 0 {qopt.value = "c"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %c, %b : tensor<4xf32>, tensor<2xf32>
}

// Nothing requantizes an argument.
// CHECK-LABEL: func.func @negative_argument
// CHECK:         "arg0" :
func.func @negative_argument(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// A pad that brings a value is widened with what it pads.
// CHECK-LABEL: func.func @padded_output
// CHECK:         "arg0" :
// CHECK:         "a" {bits = 16 : i64, symmetric = true}
// CHECK:         "p" {bits = 16 : i64, symmetric = true}
func.func @padded_output(%x: tensor<2xf32>) -> tensor<3xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "a"} : (tensor<2xf32>) -> tensor<2xf32>
  %p = qopt.pad %a [1, 0] {value = -1.0 : f32, qopt.value = "p"} : (tensor<2xf32>) -> tensor<3xf32>
  return %p : tensor<3xf32>
}
