// RUN: qopt-opt %s --qopt-fold-qdq | FileCheck %s

!q = !quant.uniform<i8:f32, 5.000000e-01:-128>
!r = !quant.uniform<i8:f32, 2.500000e-01:3>
!s = !quant.uniform<i16:f32, 1.000000e+00:7>

// A pair becomes an observer with the decision; what it saturates is part of
// the clamp before it, and narrows one that is there. The names are the
// argument's, the op's, and the pair's where the op's was made up.
// CHECK-LABEL: func.func @pairs
// CHECK-NEXT:    %[[X:.*]] = qopt.observe %arg0 "in" {method = "imported", scale = 2.500000e-01 : f32, zero_point = 3 : i64}
// CHECK-NEXT:    %[[A:.*]] = qopt.add %[[X]], %[[X]] {activation = #qopt.fn<clip, 0.000000e+00, 1.275000e+02>, qopt.value = "a"}
// CHECK-NEXT:    %[[AO:.*]] = qopt.observe %[[A]] "a" {method = "imported", scale = 5.000000e-01 : f32, zero_point = -128 : i64}
// CHECK-NEXT:    %[[M:.*]] = qopt.mul %[[AO]], %[[X]] {activation = #qopt.fn<clip, 0.000000e+00, 3.100000e+01>, qopt.value = "m@real"}
// CHECK-NEXT:    %[[MO:.*]] = qopt.observe %[[M]] "m" {method = "imported", scale = 2.500000e-01
// CHECK-NEXT:    %[[T:.*]] = qopt.unary %[[MO]] [#qopt.fn<tanh>, #qopt.fn<clip, 0.000000e+00, 1.275000e+02>]
// CHECK-NEXT:    %[[TO:.*]] = qopt.observe %[[T]] "unary_0"
// CHECK-NEXT:    %[[S:.*]] = qopt.unary %[[TO]] [#qopt.fn<sigmoid>]
// CHECK-NEXT:    qopt.observe %[[S]] "unary_1" {bits = 16 : i64, method = "imported", scale = 1.000000e+00 : f32, zero_point = 7 : i64}
// CHECK-NOT:     quantize
func.func @pairs(%x: tensor<4xf32> {qopt.name = "in"}) -> tensor<4xf32> {
  %xq = qopt.quantize %x : tensor<4xf32> -> tensor<4x!r>
  %xd = qopt.dequantize %xq : tensor<4x!r> -> tensor<4xf32>
  %a = qopt.add %xd, %xd {qopt.value = "a"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %aq = qopt.quantize %a : tensor<4xf32> -> tensor<4x!q>
  %ad = qopt.dequantize %aq {qopt.value = "aq"} : tensor<4x!q> -> tensor<4xf32>
  %m = qopt.mul %ad, %xd {activation = #qopt.fn<relu>, qopt.value = "m@real"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %mq = qopt.quantize %m : tensor<4xf32> -> tensor<4x!r>
  %md = qopt.dequantize %mq {qopt.value = "m"} : tensor<4x!r> -> tensor<4xf32>
  %t = qopt.unary %md [#qopt.fn<tanh>, #qopt.fn<clip, -5.0, 500.0>] : (tensor<4xf32>) -> tensor<4xf32>
  %tq = qopt.quantize %t : tensor<4xf32> -> tensor<4x!q>
  %td = qopt.dequantize %tq : tensor<4x!q> -> tensor<4xf32>
  %s = qopt.unary %td [#qopt.fn<sigmoid>] : (tensor<4xf32>) -> tensor<4xf32>
  %sq = qopt.quantize %s : tensor<4xf32> -> tensor<4x!s>
  %sd = qopt.dequantize %sq : tensor<4x!s> -> tensor<4xf32>
  return %sd : tensor<4xf32>
}

// A second pair of the same decision is the first; another one follows it. A
// clamp that another reader does not want stays out.
// CHECK-LABEL: func.func @twice
// CHECK:         %[[A:.*]] = qopt.add %arg0, %arg0 {qopt.value = "a"}
// CHECK-NEXT:    %[[B:.*]] = qopt.observe %[[A]] "a" {method = "imported", scale = 5.000000e-01
// CHECK-NEXT:    %[[C:.*]] = qopt.observe %[[B]] "r" {method = "imported", scale = 2.500000e-01
// CHECK-NEXT:    return %[[B]], %[[B]], %[[C]], %[[A]]
func.func @twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = qopt.add %x, %x {qopt.value = "a"} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %q0 = qopt.quantize %a : tensor<4xf32> -> tensor<4x!q>
  %d0 = qopt.dequantize %q0 : tensor<4x!q> -> tensor<4xf32>
  %q1 = qopt.quantize %a : tensor<4xf32> -> tensor<4x!q>
  %d1 = qopt.dequantize %q1 : tensor<4x!q> -> tensor<4xf32>
  %q2 = qopt.quantize %a : tensor<4xf32> -> tensor<4x!r>
  %d2 = qopt.dequantize %q2 {qopt.value = "r"} : tensor<4x!r> -> tensor<4xf32>
  return %d0, %d1, %d2, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// A scale behind ops that pass scales on is that of what they move, down to
// the op that computes it; one that repeats it goes.
// CHECK-LABEL: func.func @passed
// CHECK-NEXT:    %[[X:.*]] = qopt.observe %arg0 "arg0" {{.*}}scale = 2.500000e-01
// CHECK-NEXT:    %[[I:.*]] = qopt.reshape %[[X]]
// CHECK-NEXT:    %[[J:.*]] = qopt.reshape %[[I]]
// CHECK-NEXT:    %[[A:.*]] = qopt.unary %[[J]] [#qopt.fn<tanh>]
// CHECK-NEXT:    %[[AO:.*]] = qopt.observe %[[A]] "unary_0" {{.*}}scale = 5.000000e-01
// CHECK-NEXT:    %[[R:.*]] = qopt.reshape %[[AO]]
// CHECK-NEXT:    %[[C:.*]] = qopt.concat %[[R]], %[[X]] axis 0
// CHECK-NEXT:    %[[CO:.*]] = qopt.observe %[[C]] "concat_0" {{.*}}scale = 5.000000e-01
// CHECK-NEXT:    %[[P:.*]] = qopt.reshape %[[CO]]
// CHECK-NEXT:    return %[[P]]
func.func @passed(%x: tensor<4xf32>) -> tensor<2x4xf32> {
  %xq = qopt.quantize %x : tensor<4xf32> -> tensor<4x!r>
  %xd = qopt.dequantize %xq : tensor<4x!r> -> tensor<4xf32>
  %i = qopt.reshape %xd : (tensor<4xf32>) -> tensor<2x2xf32>
  %iq = qopt.quantize %i : tensor<2x2xf32> -> tensor<2x2x!r>
  %id = qopt.dequantize %iq : tensor<2x2x!r> -> tensor<2x2xf32>
  %j = qopt.reshape %id : (tensor<2x2xf32>) -> tensor<4xf32>
  %a = qopt.unary %j [#qopt.fn<tanh>] : (tensor<4xf32>) -> tensor<4xf32>
  %r = qopt.reshape %a : (tensor<4xf32>) -> tensor<4xf32>
  %c = qopt.concat %r, %xd axis 0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %cq = qopt.quantize %c : tensor<8xf32> -> tensor<8x!q>
  %cd = qopt.dequantize %cq : tensor<8x!q> -> tensor<8xf32>
  %p = qopt.reshape %cd : (tensor<8xf32>) -> tensor<2x4xf32>
  %pq = qopt.quantize %p : tensor<2x4xf32> -> tensor<2x4x!q>
  %pd = qopt.dequantize %pq : tensor<2x4x!q> -> tensor<2x4xf32>
  return %pd : tensor<2x4xf32>
}

// What an argument passes through on its way to its scale moves behind it; a
// value that something else reads keeps none.
// CHECK-LABEL: func.func @argument
// CHECK-NEXT:    %[[X:.*]] = qopt.observe %arg0 "image"
// CHECK-NEXT:    %[[T:.*]] = qopt.transpose %[[X]]
// CHECK-NEXT:    %[[A:.*]] = qopt.unary %[[T]] [#qopt.fn<tanh>]
// CHECK-NEXT:    %[[R:.*]] = qopt.reshape %[[A]]
// CHECK-NEXT:    qopt.observe %[[R]]
func.func @argument(%x: tensor<2x4xf32> {qopt.name = "image"}) -> (tensor<8xf32>, tensor<4x2xf32>) {
  %t = qopt.transpose %x [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %tq = qopt.quantize %t : tensor<4x2xf32> -> tensor<4x2x!r>
  %td = qopt.dequantize %tq : tensor<4x2x!r> -> tensor<4x2xf32>
  %a = qopt.unary %td [#qopt.fn<tanh>] : (tensor<4x2xf32>) -> tensor<4x2xf32>
  %r = qopt.reshape %a : (tensor<4x2xf32>) -> tensor<8xf32>
  %rq = qopt.quantize %r : tensor<8xf32> -> tensor<8x!q>
  %rd = qopt.dequantize %rq : tensor<8x!q> -> tensor<8xf32>
  return %rd, %a : tensor<8xf32>, tensor<4x2xf32>
}

// A weight of the model stays what it is, as does a pair whose integers
// something else reads.
// CHECK-LABEL: func.func @alone
// CHECK:         qopt.constant
// CHECK-NEXT:    qopt.dequantize
// CHECK:         %[[Q:.*]] = qopt.quantize
// CHECK-NEXT:    qopt.dequantize %[[Q]]
// CHECK-NOT:     observe
func.func @alone(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2x!q>) {
  %wq = qopt.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!r>
  %w = qopt.dequantize %wq : tensor<2x2x!r> -> tensor<2x2xf32>
  %y = qopt.gemm %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %q = qopt.quantize %y : tensor<1x2xf32> -> tensor<1x2x!q>
  %d = qopt.dequantize %q : tensor<1x2x!q> -> tensor<1x2xf32>
  return %d, %q : tensor<1x2xf32>, tensor<1x2x!q>
}
