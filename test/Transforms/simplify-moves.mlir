// RUN: qopt-opt %s --qopt-simplify | FileCheck %s

// CHECK-LABEL: func.func @reshapes
// CHECK-NEXT:    %[[Y:.*]] = qopt.reshape %arg0 : (tensor<2x6xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @reshapes(%x: tensor<2x6xf32>) -> tensor<3x4xf32> {
  %a = qopt.reshape %x : (tensor<2x6xf32>) -> tensor<12xf32>
  %y = qopt.reshape %a : (tensor<12xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @reshapes_that_cancel
// CHECK-NEXT:    return %arg0
func.func @reshapes_that_cancel(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  %a = qopt.reshape %x : (tensor<2x6xf32>) -> tensor<12xf32>
  %y = qopt.reshape %a : (tensor<12xf32>) -> tensor<2x6xf32>
  return %y : tensor<2x6xf32>
}

// CHECK-LABEL: func.func @transposes
// CHECK-NEXT:    %[[Y:.*]] = qopt.transpose %arg0 [2, 1, 0] : (tensor<2x3x4xf32>) -> tensor<4x3x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @transposes(%x: tensor<2x3x4xf32>) -> tensor<4x3x2xf32> {
  %a = qopt.transpose %x [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %y = qopt.transpose %a [1, 0, 2] : (tensor<3x4x2xf32>) -> tensor<4x3x2xf32>
  return %y : tensor<4x3x2xf32>
}

// CHECK-LABEL: func.func @transposes_that_cancel
// CHECK-NEXT:    return %arg0
func.func @transposes_that_cancel(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %a = qopt.transpose %x [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %y = qopt.transpose %a [2, 0, 1] : (tensor<3x4x2xf32>) -> tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}

// Only axes of length one move, so the elements stay in their order.
// CHECK-LABEL: func.func @transpose_of_unit_axes
// CHECK-NEXT:    qopt.reshape %arg0 {qopt.value = "t"} : (tensor<1x3x1x4xf32>) -> tensor<3x1x4x1xf32>
func.func @transpose_of_unit_axes(%x: tensor<1x3x1x4xf32>) -> tensor<3x1x4x1xf32> {
  %y = qopt.transpose %x [1, 0, 3, 2] {qopt.value = "t"} : (tensor<1x3x1x4xf32>) -> tensor<3x1x4x1xf32>
  return %y : tensor<3x1x4x1xf32>
}

// CHECK-LABEL: func.func @negative_transpose_that_reorders
// CHECK-NEXT:    qopt.transpose
func.func @negative_transpose_that_reorders(%x: tensor<1x3x4xf32>) -> tensor<1x4x3xf32> {
  %y = qopt.transpose %x [0, 2, 1] : (tensor<1x3x4xf32>) -> tensor<1x4x3xf32>
  return %y : tensor<1x4x3xf32>
}

// CHECK-LABEL: func.func @pad_into_conv
// CHECK:         qopt.conv %arg0, %{{.*}} {pads = array<i64: 1, 3, 2, 4>}
// CHECK-NOT:     qopt.pad
func.func @pad_into_conv(%x: tensor<1x1x4x4xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<1x1x5x9xf32> {
  %p = qopt.pad %x [0, 0, 1, 2, 0, 0, 1, 3] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x9xf32>
  %y = qopt.conv %p, %w {pads = array<i64: 0, 1, 1, 1>} : (tensor<1x1x6x9xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x5x9xf32>
  return %y : tensor<1x1x5x9xf32>
}

// A conv pads with zeros only.
// CHECK-LABEL: func.func @negative_pad_value
// CHECK:         qopt.pad
func.func @negative_pad_value(%x: tensor<1x1x4x4xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32> {
  %p = qopt.pad %x [0, 0, 1, 1, 0, 0, 1, 1] {value = 1.0 : f32} : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %y = qopt.conv %p, %w : (tensor<1x1x6x6xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// A conv pads rows and columns only.
// CHECK-LABEL: func.func @negative_pad_channels
// CHECK:         qopt.pad
func.func @negative_pad_channels(%x: tensor<1x1x4x4xf32>, %w: tensor<1x2x3x3xf32>) -> tensor<1x1x2x2xf32> {
  %p = qopt.pad %x [0, 1, 0, 0, 0, 0, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32>
  %y = qopt.conv %p, %w : (tensor<1x2x4x4xf32>, tensor<1x2x3x3xf32>) -> tensor<1x1x2x2xf32>
  return %y : tensor<1x1x2x2xf32>
}

// Behind a relu nothing is below the padded zero.
// CHECK-LABEL: func.func @pad_into_max_pool
// CHECK:         %[[R:.*]] = qopt.unary
// CHECK-NEXT:    qopt.max_pool %[[R]] {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>}
func.func @pad_into_max_pool(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %r = qopt.unary %x [#qopt.fn<relu>] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %p = qopt.pad %r [0, 0, 1, 1, 0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %y = qopt.max_pool %p {kernel = array<i64: 3, 3>} : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// The zero may be the largest value of a window.
// CHECK-LABEL: func.func @negative_pad_of_signed_values
// CHECK:         qopt.pad
func.func @negative_pad_of_signed_values(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32> {
  %p = qopt.pad %x [0, 0, 1, 1, 0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %y = qopt.max_pool %p {kernel = array<i64: 3, 3>} : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x4xf32>
  return %y : tensor<1x1x4x4xf32>
}

// The corner windows would hold no element at all.
// CHECK-LABEL: func.func @negative_window_in_padding
// CHECK:         qopt.pad
func.func @negative_window_in_padding(%x: tensor<1x1x4x4xf32>) -> tensor<1x1x8x8xf32> {
  %r = qopt.unary %x [#qopt.fn<relu>] : (tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %p = qopt.pad %r [0, 0, 2, 2, 0, 0, 2, 2] : (tensor<1x1x4x4xf32>) -> tensor<1x1x8x8xf32>
  %y = qopt.max_pool %p {kernel = array<i64: 1, 1>} : (tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32>
  return %y : tensor<1x1x8x8xf32>
}

// CHECK-LABEL: func.func @unused
// CHECK-NEXT:    return %arg0
func.func @unused(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2x6xf32>) -> tensor<2x6xf32>
  return %x : tensor<2x6xf32>
}

// CHECK-LABEL: func.func @slices
// CHECK-NEXT:    %[[Y:.*]] = qopt.slice %arg0 [5, 1] steps [6, 1] {qopt.value = "y"} : (tensor<20x4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @slices(%x: tensor<20x4xf32>) -> tensor<2x2xf32> {
  %a = qopt.slice %x [1, 0] steps [2, 1] : (tensor<20x4xf32>) -> tensor<9x4xf32>
  %y = qopt.slice %a [2, 1] steps [3, 1] {qopt.value = "y"} : (tensor<9x4xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// CHECK-LABEL: func.func @slice_of_one_operand
// CHECK-NEXT:    %[[Y:.*]] = qopt.slice %arg1 [0, 1] steps [1, 2] : (tensor<2x5xf32>) -> tensor<1x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @slice_of_one_operand(%a: tensor<2x3xf32>, %b: tensor<2x5xf32>) -> tensor<1x2xf32> {
  %c = qopt.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<2x5xf32>) -> tensor<2x8xf32>
  %y = qopt.slice %c [0, 4] steps [1, 2] : (tensor<2x8xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// A whole operand comes out as it went in.
// CHECK-LABEL: func.func @split_of_concat
// CHECK-NEXT:    return %arg0, %arg1
func.func @split_of_concat(%a: tensor<2x3xf32>, %b: tensor<2x5xf32>) -> (tensor<2x3xf32>, tensor<2x5xf32>) {
  %c = qopt.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<2x5xf32>) -> tensor<2x8xf32>
  %y = qopt.slice %c [0, 0] steps [1, 1] : (tensor<2x8xf32>) -> tensor<2x3xf32>
  %z = qopt.slice %c [0, 3] steps [1, 1] : (tensor<2x8xf32>) -> tensor<2x5xf32>
  return %y, %z : tensor<2x3xf32>, tensor<2x5xf32>
}

// CHECK-LABEL: func.func @negative_slice_of_two_operands
// CHECK:         qopt.concat
// CHECK-NEXT:    qopt.slice
func.func @negative_slice_of_two_operands(%a: tensor<2x3xf32>, %b: tensor<2x5xf32>) -> tensor<2x2xf32> {
  %c = qopt.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<2x5xf32>) -> tensor<2x8xf32>
  %y = qopt.slice %c [0, 2] steps [1, 1] : (tensor<2x8xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// CHECK-LABEL: func.func @gathers
// CHECK-NEXT:    %[[Y:.*]] = qopt.gather %arg0 axis 0 [0, 2, 2] : (tensor<3xf32>) -> tensor<3xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @gathers(%x: tensor<3xf32>) -> tensor<3xf32> {
  %a = qopt.gather %x axis 0 [2, 1, 0] : (tensor<3xf32>) -> tensor<3xf32>
  %y = qopt.gather %a axis 0 [2, 0, 0] : (tensor<3xf32>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// CHECK-LABEL: func.func @negative_gathers_along_two_axes
// CHECK-COUNT-2: qopt.gather
func.func @negative_gathers_along_two_axes(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %a = qopt.gather %x axis 0 [1, 0] : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = qopt.gather %a axis 1 [1, 0] : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// CHECK-LABEL: func.func @moved_constants
// CHECK-DAG:     qopt.constant dense<[3.000000e+00, 5.000000e+00]> : tensor<2xf32>
// CHECK-DAG:     qopt.constant dense<{{\[}}[2.000000e+00, 1.000000e+00, 2.000000e+00], [4.000000e+00, 3.000000e+00, 4.000000e+00]]> : tensor<2x3xf32>
// CHECK-NOT:     qopt.slice
// CHECK-NOT:     qopt.gather
func.func @moved_constants() -> (tensor<2xf32>, tensor<2x3xf32>) {
  %a = qopt.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0]> : tensor<5xf32>
  %b = qopt.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %s = qopt.slice %a [2] steps [2] : (tensor<5xf32>) -> tensor<2xf32>
  %g = qopt.gather %b axis 1 [1, 0, 1] : (tensor<2x2xf32>) -> tensor<2x3xf32>
  return %s, %g : tensor<2xf32>, tensor<2x3xf32>
}

// Convolutions over one axis end with a reshape; a sum of two stays an image.
// CHECK-LABEL: func.func @sum_of_squeezed_images
// CHECK-SAME:    %[[A:.*]]: tensor<1x8x1x16xf32>, %[[B:.*]]: tensor<1x8x1x16xf32>
// CHECK:         %[[SUM:.*]] = qopt.add %[[A]], %[[B]] : {{.*}} -> tensor<1x8x1x16xf32>
// CHECK:         %[[TANH:.*]] = qopt.unary %[[SUM]]
// CHECK:         %[[Y:.*]] = qopt.reshape %[[TANH]] : (tensor<1x8x1x16xf32>) -> tensor<1x8x16xf32>
// CHECK:         return %[[Y]]
func.func @sum_of_squeezed_images(%a: tensor<1x8x1x16xf32>, %b: tensor<1x8x1x16xf32>) -> tensor<1x8x16xf32> {
  %x = qopt.reshape %a : (tensor<1x8x1x16xf32>) -> tensor<1x8x16xf32>
  %y = qopt.reshape %b : (tensor<1x8x1x16xf32>) -> tensor<1x8x16xf32>
  %s = qopt.add %x, %y : (tensor<1x8x16xf32>, tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  %t = qopt.unary %s [#qopt.fn<tanh>] : (tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  return %t : tensor<1x8x16xf32>
}

// The axes of the images differ.
// CHECK-LABEL: func.func @negative_images_of_two_shapes
// CHECK:         qopt.add {{.*}} -> tensor<1x8x16xf32>
func.func @negative_images_of_two_shapes(%a: tensor<1x8x1x16xf32>, %b: tensor<1x8x16x1xf32>) -> tensor<1x8x16xf32> {
  %x = qopt.reshape %a : (tensor<1x8x1x16xf32>) -> tensor<1x8x16xf32>
  %y = qopt.reshape %b : (tensor<1x8x16x1xf32>) -> tensor<1x8x16xf32>
  %s = qopt.add %x, %y : (tensor<1x8x16xf32>, tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  return %s : tensor<1x8x16xf32>
}

// This reshape does more than to drop an axis, and one operand is broadcast.
// CHECK-LABEL: func.func @negative_other_reshapes
// CHECK:         qopt.add {{.*}} -> tensor<1x16x8xf32>
// CHECK:         qopt.mul {{.*}} -> tensor<1x8x16xf32>
func.func @negative_other_reshapes(%a: tensor<1x8x1x16xf32>, %b: tensor<1x8x1x1xf32>) -> (tensor<1x16x8xf32>, tensor<1x8x16xf32>) {
  %x = qopt.reshape %a : (tensor<1x8x1x16xf32>) -> tensor<1x16x8xf32>
  %s = qopt.add %x, %x : (tensor<1x16x8xf32>, tensor<1x16x8xf32>) -> tensor<1x16x8xf32>
  %y = qopt.reshape %a : (tensor<1x8x1x16xf32>) -> tensor<1x8x16xf32>
  %z = qopt.reshape %b : (tensor<1x8x1x1xf32>) -> tensor<1x8x1xf32>
  %m = qopt.mul %y, %z : (tensor<1x8x16xf32>, tensor<1x8x1xf32>) -> tensor<1x8x16xf32>
  return %s, %m : tensor<1x16x8xf32>, tensor<1x8x16xf32>
}
