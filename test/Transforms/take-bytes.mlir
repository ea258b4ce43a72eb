// RUN: qopt-opt %s --qopt-take-bytes='input=x axis=1 scale=0.5,0.25 shift=-4,-8' --split-input-file --verify-diagnostics | FileCheck %s
// RUN: qopt-opt %s --qopt-take-bytes='input=x axis=1 scale=0.5,0.25 shift=-4,-8' --qopt-simplify --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=FOLDED

// CHECK-LABEL: func.func @first_layer
// CHECK-SAME:    qopt.name = "x", qopt.type = "uint8"
// CHECK:         %[[B:.*]] = qopt.observe %arg0 "x:u8" {method = "bytes", scale = 1.000000e+00 : f32, zero_point = -128 : i64}
// CHECK:         %[[N:.*]] = qopt.batch_norm %[[B]]
// CHECK:         qopt.conv %[[N]]

// Rows and columns of the bytes that stand for zero, 8 and 32.
// FOLDED-LABEL: func.func @first_layer
// FOLDED-DAG:     qopt.constant dense<{{\[\[\[\[}}4.000000e+00]], {{\[\[}}2.000000e+00]]]]>
// FOLDED-DAG:     %[[ROW:.*]] = qopt.constant dense<{{\[\[\[\[}}8.000000e+00, 8.000000e+00]], {{\[\[}}3.200000e+01, 3.200000e+01]]]]> : tensor<1x2x1x2xf32>
// FOLDED-DAG:     %[[COLUMN:.*]] = qopt.constant dense<{{.*}}> : tensor<1x2x3x1xf32>
// FOLDED:         %[[B:.*]] = qopt.observe %arg0 "x:u8"
// FOLDED:         %[[HIGH:.*]] = qopt.concat %[[ROW]], %[[B]] axis 2
// FOLDED:         %[[WIDE:.*]] = qopt.concat %[[HIGH]], %[[COLUMN]] axis 3
// FOLDED:         %[[BORDER:.*]] = qopt.observe %[[WIDE]] "x:u8:border" {method = "bytes", scale = 1.000000e+00 : f32, zero_point = -128 : i64}
// FOLDED-NEXT:    qopt.conv %[[BORDER]]
// FOLDED-NOT:     pads
func.func @first_layer(%x: tensor<1x2x2x2xf32> {qopt.name = "x"}) -> tensor<1x1x3x3xf32> {
  %w = qopt.constant dense<8.0> : tensor<1x2x1x1xf32>
  %y = qopt.conv %x, %w {pads = array<i64: 1, 0, 0, 1>} : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x3x3xf32>
  return %y : tensor<1x1x3x3xf32>
}

// -----

// expected-error@+1 {{has no input 'x'}}
func.func @other_name(%x: tensor<1x2xf32> {qopt.name = "y"}) -> tensor<1x2xf32> {
  return %x : tensor<1x2xf32>
}

// -----

// expected-error@+1 {{a list of 2 values does not fit axis 1 of input 'x'}}
func.func @other_length(%x: tensor<1x3xf32> {qopt.name = "x"}) -> tensor<1x3xf32> {
  return %x : tensor<1x3xf32>
}

// -----

// expected-error@+1 {{expects a float input, but 'x' holds integers}}
func.func @integers(%x: tensor<1x2xf32> {qopt.name = "x", qopt.type = "int8"}) -> tensor<1x2xf32> {
  return %x : tensor<1x2xf32>
}
