// RUN: qopt-opt %s --qopt-fuse-activation | FileCheck %s

// The clamp moves into the gemm, whose value is the relu's.
// CHECK-LABEL: func.func @relu_after_gemm
// CHECK-NEXT:    %[[Y:.*]] = qopt.gemm %arg0, %arg1 {activation = #qopt.fn<relu>, qopt.value = "r"}
// CHECK-NEXT:    return %[[Y]]
func.func @relu_after_gemm(%x: tensor<1x4xf32>, %w: tensor<2x4xf32>) -> tensor<1x2xf32> {
  %c = qopt.gemm %x, %w {qopt.value = "g"} : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  %y = qopt.unary %c [#qopt.fn<relu>] {qopt.value = "r"} : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Every op with an output clamp fuses it.
// CHECK-LABEL: func.func @clip_after_add
// CHECK:         qopt.add {{.*}} {activation = #qopt.fn<clip, 0.{{.*}}, 6.{{.*}}>}
// CHECK-NOT:     qopt.unary
func.func @clip_after_add(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.add %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.unary %c [#qopt.fn<clip, 0.0, 6.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// The rest of a chain stays behind; the value between has no name.
// CHECK-LABEL: func.func @first_of_a_chain
// CHECK-NEXT:    %[[C:.*]] = qopt.mul %arg0, %arg0 {activation = #qopt.fn<relu>} :
// CHECK-NEXT:    qopt.unary %[[C]] [#qopt.fn<tanh>] {qopt.value = "u"}
func.func @first_of_a_chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.mul %x, %x {qopt.value = "m"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.unary %c [#qopt.fn<relu>, #qopt.fn<tanh>] {qopt.value = "u"} : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// A clamp is fused before chains are joined, so that its value keeps its name.
// CHECK-LABEL: func.func @clamp_then_function
// CHECK-NEXT:    %[[C:.*]] = qopt.sub %arg0, %arg0 {activation = #qopt.fn<relu>, qopt.value = "r"}
// CHECK-NEXT:    qopt.unary %[[C]] [#qopt.fn<tanh>] {qopt.value = "t"}
func.func @clamp_then_function(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.sub %x, %x {qopt.value = "s"} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %r = qopt.unary %c [#qopt.fn<relu>] {qopt.value = "r"} : (tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.unary %r [#qopt.fn<tanh>] {qopt.value = "t"} : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: func.func @chain
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<tanh>, #qopt.fn<sigmoid>, #qopt.fn<relu>] {qopt.value = "c"}
func.func @chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qopt.unary %x [#qopt.fn<tanh>] {qopt.value = "a"} : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<sigmoid>] {qopt.value = "b"} : (tensor<2xf32>) -> tensor<2xf32>
  %c = qopt.unary %b [#qopt.fn<relu>] {qopt.value = "c"} : (tensor<2xf32>) -> tensor<2xf32>
  return %c : tensor<2xf32>
}

// The value before the clamp is returned too.
// CHECK-LABEL: func.func @negative_second_user
// CHECK-NEXT:    qopt.gemm %arg0, %arg1 :
// CHECK-NEXT:    qopt.unary
func.func @negative_second_user(%x: tensor<1x4xf32>, %w: tensor<2x4xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %c = qopt.gemm %x, %w : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
  %y = qopt.unary %c [#qopt.fn<relu>] : (tensor<1x2xf32>) -> tensor<1x2xf32>
  return %c, %y : tensor<1x2xf32>, tensor<1x2xf32>
}

// The first function of the chain has a second user.
// CHECK-LABEL: func.func @negative_second_user_of_function
// CHECK-NEXT:    qopt.unary %arg0 [#qopt.fn<tanh>]
// CHECK-NEXT:    qopt.unary %{{.*}} [#qopt.fn<sigmoid>]
func.func @negative_second_user_of_function(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %a = qopt.unary %x [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  %b = qopt.unary %a [#qopt.fn<sigmoid>] : (tensor<2xf32>) -> tensor<2xf32>
  return %a, %b : tensor<2xf32>, tensor<2xf32>
}

// One clamp is all an op has room for.
// CHECK-LABEL: func.func @negative_already_has_one
// CHECK-NEXT:    qopt.add {{.*}} {activation = #qopt.fn<relu>}
// CHECK-NEXT:    qopt.unary %{{.*}} [#qopt.fn<clip
func.func @negative_already_has_one(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.add %x, %x {activation = #qopt.fn<relu>} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.unary %c [#qopt.fn<clip, 0.0, 6.0>] : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// A tanh is a table of its own.
// CHECK-LABEL: func.func @negative_no_clamp
// CHECK-NEXT:    qopt.add %arg0, %arg0 :
// CHECK-NEXT:    qopt.unary
func.func @negative_no_clamp(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = qopt.add %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %y = qopt.unary %c [#qopt.fn<tanh>] : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// A mean has no output clamp.
// CHECK-LABEL: func.func @negative_producer_fuses_nothing
// CHECK-NEXT:    qopt.reduce_mean
// CHECK-NEXT:    qopt.unary
func.func @negative_producer_fuses_nothing(%x: tensor<2x3xf32>) -> tensor<2x1xf32> {
  %c = qopt.reduce_mean %x axes [1] : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %y = qopt.unary %c [#qopt.fn<relu>] : (tensor<2x1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// Moves between lie behind the clamp then, with its name.
// CHECK-LABEL: func.func @behind_moves
// CHECK-NEXT:    %[[A:.*]] = qopt.add {{.*}} {activation = #qopt.fn<relu>, qopt.value = "r"}
// CHECK-NEXT:    %[[R:.*]] = qopt.reshape %[[A]] {qopt.value = "r"}
// CHECK-NEXT:    qopt.transpose %[[R]] [1, 0] {qopt.value = "r"}
// CHECK-NEXT:    return
func.func @behind_moves(%x: tensor<6xf32>) -> tensor<3x2xf32> {
  %c = qopt.add %x, %x {qopt.value = "a"} : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  %s = qopt.reshape %c {qopt.value = "s"} : (tensor<6xf32>) -> tensor<2x3xf32>
  %t = qopt.transpose %s [1, 0] {qopt.value = "t"} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %y = qopt.unary %t [#qopt.fn<relu>] {qopt.value = "r"} : (tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// What is moved has a second user.
// CHECK-LABEL: func.func @negative_second_user_of_move
// CHECK-NEXT:    qopt.add %{{.*}}, %{{.*}} :
// CHECK-NEXT:    qopt.reshape
// CHECK-NEXT:    qopt.unary
func.func @negative_second_user_of_move(%x: tensor<6xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %c = qopt.add %x, %x : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  %s = qopt.reshape %c : (tensor<6xf32>) -> tensor<2x3xf32>
  %y = qopt.unary %s [#qopt.fn<relu>] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %s, %y : tensor<2x3xf32>, tensor<2x3xf32>
}
