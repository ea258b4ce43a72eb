// RUN: qopt-opt %s -canonicalize -split-input-file | FileCheck %s

// A reshape to the same type is its input.
// CHECK-LABEL: func.func @reshape_identity
// CHECK-SAME:    (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT:    return %[[X]]
func.func @reshape_identity(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.reshape %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Only the last of two reshapes is left.
// CHECK-LABEL: func.func @reshape_of_reshape
// CHECK-SAME:    (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT:    %[[Y:.*]] = qopt.reshape %[[X]] : (tensor<2x3xf32>) -> tensor<3x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @reshape_of_reshape(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %0 = qopt.reshape %x : (tensor<2x3xf32>) -> tensor<6xf32>
  %1 = qopt.reshape %0 : (tensor<6xf32>) -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// -----

// A reshaped constant is a constant, whether dense, splat or resource.
// CHECK-LABEL: func.func @reshape_of_constant
// CHECK-DAG:     qopt.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00]]> : tensor<1x2xf32>
// CHECK-DAG:     qopt.constant dense<3.000000e+00> : tensor<3x2xf32>
// CHECK-DAG:     qopt.constant dense_resource<w> : tensor<4xf32>
// CHECK-NOT:     qopt.reshape
func.func @reshape_of_constant() -> (tensor<1x2xf32>, tensor<3x2xf32>, tensor<4xf32>) {
  %0 = qopt.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %1 = qopt.reshape %0 : (tensor<2xf32>) -> tensor<1x2xf32>
  %2 = qopt.constant dense<3.0> : tensor<6xf32>
  %3 = qopt.reshape %2 : (tensor<6xf32>) -> tensor<3x2xf32>
  %4 = qopt.constant dense_resource<w> : tensor<2x2xf32>
  %5 = qopt.reshape %4 : (tensor<2x2xf32>) -> tensor<4xf32>
  return %1, %3, %5 : tensor<1x2xf32>, tensor<3x2xf32>, tensor<4xf32>
}

// -----

// A reshaped quantized constant keeps its quantized type.
// CHECK-LABEL: func.func @reshape_of_quantized_constant
// CHECK-NEXT:    %[[C:.*]] = qopt.constant dense<[{{\[}}1, 2]]> : tensor<1x2xi8> as tensor<1x2x!quant.uniform<i8:f32, 5.000000e-01>>
// CHECK-NEXT:    return %[[C]]
func.func @reshape_of_quantized_constant() -> tensor<1x2x!quant.uniform<i8:f32, 0.5>> {
  %0 = qopt.constant dense<[1, 2]> : tensor<2xi8> as tensor<2x!quant.uniform<i8:f32, 0.5>>
  %1 = qopt.reshape %0 : (tensor<2x!quant.uniform<i8:f32, 0.5>>) -> tensor<1x2x!quant.uniform<i8:f32, 0.5>>
  return %1 : tensor<1x2x!quant.uniform<i8:f32, 0.5>>
}

// -----

// CHECK-LABEL: func.func @transpose_identity
// CHECK-SAME:    (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT:    return %[[X]]
func.func @transpose_identity(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.transpose %x [0, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Result axis i of the second is axis p1[p2[i]] of the input.
// CHECK-LABEL: func.func @transpose_of_transpose
// CHECK-SAME:    (%[[X:.*]]: tensor<2x3x4x5xf32>)
// CHECK-NEXT:    %[[Y:.*]] = qopt.transpose %[[X]] [0, 3, 1, 2] : (tensor<2x3x4x5xf32>) -> tensor<2x5x3x4xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @transpose_of_transpose(%x: tensor<2x3x4x5xf32>) -> tensor<2x5x3x4xf32> {
  %0 = qopt.transpose %x [1, 3, 0, 2] : (tensor<2x3x4x5xf32>) -> tensor<3x5x2x4xf32>
  %1 = qopt.transpose %0 [2, 1, 0, 3] : (tensor<3x5x2x4xf32>) -> tensor<2x5x3x4xf32>
  return %1 : tensor<2x5x3x4xf32>
}

// -----

// CHECK-LABEL: func.func @transposes_cancel
// CHECK-SAME:    (%[[X:.*]]: tensor<2x3x4xf32>)
// CHECK-NEXT:    return %[[X]]
func.func @transposes_cancel(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = qopt.transpose %x [2, 0, 1] : (tensor<2x3x4xf32>) -> tensor<4x2x3xf32>
  %1 = qopt.transpose %0 [1, 2, 0] : (tensor<4x2x3xf32>) -> tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// -----

// CHECK-LABEL: func.func @concat_of_one
// CHECK-SAME:    (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT:    return %[[X]]
func.func @concat_of_one(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.concat %x axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// CHECK-LABEL: func.func @pad_by_nothing
// CHECK-SAME:    (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT:    return %[[X]]
func.func @pad_by_nothing(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.pad %x [0, 0, 0, 0] {value = 5.0 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// A concat of two, a real transpose, a real pad and a real reshape stay.
// CHECK-LABEL: func.func @negative_nothing_to_fold
// CHECK:         qopt.concat
// CHECK:         qopt.transpose
// CHECK:         qopt.pad
// CHECK:         qopt.reshape
func.func @negative_nothing_to_fold(%x: tensor<2x3xf32>) -> tensor<15xf32> {
  %0 = qopt.concat %x, %x axis 0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  %1 = qopt.transpose %0 [1, 0] : (tensor<4x3xf32>) -> tensor<3x4xf32>
  %2 = qopt.pad %1 [0, 0, 0, 1] : (tensor<3x4xf32>) -> tensor<3x5xf32>
  %3 = qopt.reshape %2 : (tensor<3x5xf32>) -> tensor<15xf32>
  return %3 : tensor<15xf32>
}

// -----

// Unused ops go, an unused observer stays.
// CHECK-LABEL: func.func @observe_stays
// CHECK-NEXT:    qopt.observe
// CHECK-NEXT:    return
func.func @observe_stays(%x: tensor<2xf32>) {
  %0 = qopt.observe %x "x" : tensor<2xf32> -> tensor<2xf32>
  %1 = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// The whole input, and all indices in order, are the input itself.
// CHECK-LABEL: func.func @whole_slice
// CHECK-NEXT: return %arg0
func.func @whole_slice(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.slice %x [0, 0] steps [1, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @gather_in_order
// CHECK-NEXT: return %arg0
func.func @gather_in_order(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.gather %x axis 1 [0, 1, 2] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @gather_permuted
// CHECK-NEXT: qopt.gather
func.func @gather_permuted(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = qopt.gather %x axis 1 [0, 2, 1] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
