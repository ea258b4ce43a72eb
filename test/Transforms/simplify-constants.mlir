// RUN: qopt-opt %s --qopt-simplify | FileCheck %s

// CHECK-LABEL: func.func @transpose
// CHECK:         qopt.constant dense<{{\[\[}}1.000000e+00, 4.000000e+00], [2.000000e+00, 5.000000e+00], [3.000000e+00, 6.000000e+00]]> : tensor<3x2xf32>
func.func @transpose() -> tensor<3x2xf32> {
  %c = qopt.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = qopt.transpose %c [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// CHECK-LABEL: func.func @reshape_and_pad
// CHECK:         qopt.constant dense<{{\[\[}}9.000000e+00, 1.000000e+00, 2.000000e+00], [9.000000e+00, 3.000000e+00, 4.000000e+00], [9.000000e+00, 9.000000e+00, 9.000000e+00]]> : tensor<3x3xf32>
func.func @reshape_and_pad() -> tensor<3x3xf32> {
  %c = qopt.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %r = qopt.reshape %c : (tensor<4xf32>) -> tensor<2x2xf32>
  %y = qopt.pad %r [0, 1, 1, 0] {value = 9.0 : f32} : (tensor<2x2xf32>) -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// CHECK-LABEL: func.func @concat
// CHECK:         qopt.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00, 5.000000e+00], [3.000000e+00, 4.000000e+00, 6.000000e+00]]> : tensor<2x3xf32>
func.func @concat() -> tensor<2x3xf32> {
  %a = qopt.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = qopt.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32>
  %y = qopt.concat %a, %b axis 1 : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// Broadcast operands and the fused clamp are part of the value.
// CHECK-LABEL: func.func @arithmetic
// CHECK:         qopt.constant dense<{{\[\[}}0.000000e+00, 0.000000e+00], [9.000000e+00, 1.900000e+01]]> : tensor<2x2xf32>
func.func @arithmetic() -> tensor<2x2xf32> {
  %a = qopt.constant dense<[[1.0], [3.0]]> : tensor<2x1xf32>
  %b = qopt.constant dense<[5.0, 10.0]> : tensor<2xf32>
  %c = qopt.constant dense<[6.0, 9.0]> : tensor<2xf32>
  %m = qopt.mul %a, %b : (tensor<2x1xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %s = qopt.sub %m, %c : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %z = qopt.constant dense<[0.0, -2.0]> : tensor<2xf32>
  %y = qopt.add %s, %z {activation = #qopt.fn<relu>} : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %w = qopt.unary %y [#qopt.fn<clip, 0.0, 100.0>] : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %w : tensor<2x2xf32>
}

// The other operand varies.
// CHECK-LABEL: func.func @negative_variable
// CHECK:         qopt.concat
func.func @negative_variable(%a: tensor<2x2xf32>) -> tensor<2x3xf32> {
  %b = qopt.constant dense<[[5.0], [6.0]]> : tensor<2x1xf32>
  %y = qopt.concat %a, %b axis 1 : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// Evaluating it would put a large result into the module.
// CHECK-LABEL: func.func @negative_large_result
// CHECK:         qopt.mul
func.func @negative_large_result() -> tensor<1025x1024xf32> {
  %a = qopt.constant dense<2.0> : tensor<1025x1xf32>
  %b = qopt.constant dense<3.0> : tensor<1x1024xf32>
  %y = qopt.mul %a, %b : (tensor<1025x1xf32>, tensor<1x1024xf32>) -> tensor<1025x1024xf32>
  return %y : tensor<1025x1024xf32>
}

// The resource's bytes are not here.
// CHECK-LABEL: func.func @negative_missing_resource
// CHECK:         qopt.transpose
func.func @negative_missing_resource() -> tensor<3x2xf32> {
  %c = qopt.constant dense_resource<absent> : tensor<2x3xf32>
  %y = qopt.transpose %c [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// A resource is read as well as a dense constant; no op keeps its alignment.
// CHECK-LABEL: func.func @resource
// CHECK:         qopt.constant dense<{{\[}}[1.000000e+00], [2.000000e+00]]> : tensor<2x1xf32>
func.func @resource() -> tensor<2x1xf32> {
  %c = qopt.constant dense_resource<pair> : tensor<1x2xf32>
  %y = qopt.transpose %c [1, 0] : (tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// CHECK-LABEL: func.func @reshape_of_resource
// CHECK:         qopt.constant dense_resource<pair> : tensor<2x1xf32>
func.func @reshape_of_resource() -> tensor<2x1xf32> {
  %c = qopt.constant dense_resource<pair> : tensor<1x2xf32>
  %y = qopt.reshape %c : (tensor<1x2xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

{-#
  dialect_resources: {
    builtin: {
      pair: "0x040000000000803F00000040"
    }
  }
#-}
