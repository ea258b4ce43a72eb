// RUN: qopt-opt %s --qopt-simplify | FileCheck %s

// CHECK-LABEL: func.func @identities
// CHECK-NEXT:    return %arg0
func.func @identities(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<affine, 1.0, 0.0>, #qopt.fn<leaky_relu, 1.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return %a : tensor<2xf32>
}

// CHECK-LABEL: func.func @identity_in_a_chain
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<tanh>, #qopt.fn<relu>]
func.func @identity_in_a_chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>, #qopt.fn<affine, 1.0, 0.0>, #qopt.fn<relu>] : (tensor<2xf32>) -> tensor<2xf32>
  return %a : tensor<2xf32>
}

// CHECK-LABEL: func.func @negative_affine
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<affine, 1.{{.*}}, 1.{{.*}}>]
func.func @negative_affine(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<affine, 1.0, 1.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return %a : tensor<2xf32>
}

// CHECK-LABEL: func.func @sub_of_constant
// CHECK:         %[[C:.*]] = qopt.constant dense<[-1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK:         qopt.add %arg0, %[[C]] {activation = #qopt.fn<relu>, qopt.value = "s"}
func.func @sub_of_constant(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %y = qopt.sub %x, %c {activation = #qopt.fn<relu>, qopt.value = "s"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: func.func @negative_sub_from_constant
// CHECK:         qopt.sub
func.func @negative_sub_from_constant(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %y = qopt.sub %c, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: func.func @scalars
// CHECK-NEXT:    %[[A:.*]] = qopt.unary %arg0 [#qopt.fn<affine, 3.{{.*}}, 0.{{.*}}>, #qopt.fn<relu>] {qopt.value = "m"}
// CHECK-NEXT:    qopt.unary %[[A]] [#qopt.fn<affine, -1.{{.*}}, 3.{{.*}}>]
func.func @scalars(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.constant dense<3.0> : tensor<1xf32>
  %a = qopt.mul %x, %c {activation = #qopt.fn<relu>, qopt.value = "m"} : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %y = qopt.sub %c, %a : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// The result is larger than the operand: not a function of each element.
// CHECK-LABEL: func.func @negative_scalar_that_broadcasts
// CHECK:         qopt.mul
func.func @negative_scalar_that_broadcasts(%x: tensor<2xf32>) -> tensor<1x2xf32> {
  %c = qopt.constant dense<3.0> : tensor<1x1xf32>
  %a = qopt.mul %x, %c : (tensor<2xf32>, tensor<1x1xf32>) -> tensor<1x2xf32>
  return %a : tensor<1x2xf32>
}

// CHECK-LABEL: func.func @neutral
// CHECK-NEXT:    return %arg0
func.func @neutral(%x: tensor<2xf32>) -> tensor<2xf32> {
  %zero = qopt.constant dense<0.0> : tensor<2xf32>
  %one = qopt.constant dense<1.0> : tensor<2xf32>
  %a = qopt.add %zero, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.mul %a, %one : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// The clamp is not neutral.
// CHECK-LABEL: func.func @negative_neutral_with_activation
// CHECK:         qopt.add
func.func @negative_neutral_with_activation(%x: tensor<2xf32>) -> tensor<2xf32> {
  %zero = qopt.constant dense<0.0> : tensor<2xf32>
  %y = qopt.add %zero, %x {activation = #qopt.fn<relu>} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
