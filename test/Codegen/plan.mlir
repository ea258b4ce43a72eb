// RUN: qopt-opt %s --qopt-plan -o /dev/null 2>&1 | FileCheck %s

#one = #qint.requant<[1048576], [20], zp 0, clamp -128 to 127>

// Padding becomes a halo around the input, filled with the zero point before
// the input is copied into it; the result goes to the output directly.
// CHECK-LABEL: plan of @padded_conv
// CHECK: step 0 halo-fill -> b[[IN:[0-9]+]]+
// CHECK-NEXT: step 1 copy b{{[0-9]+}}+0:i8[1x1x2x3|6,6,3,1|0,0,0,0|0] -> b[[IN]]+6:i8[1x1x2x3|20,1,5,1|1,1,1,1|128]
// CHECK-NEXT: step 2 op qint.conv b[[IN]]+{{.*}} -> b0+0:i8[1x1x2x3|6,1,3,1|0,0,0,0|0]
// CHECK-NEXT: arena
func.func @padded_conv(%x: tensor<1x1x2x3xi8>) -> tensor<1x1x2x3xi8> {
  %w = qint.constant dense<1> : tensor<1x1x3x3xi8>
  %y = qint.conv %x, %w {input_zero_point = 3 : i32, pads = array<i64: 1, 1, 1, 1>,
      requant = #one}
    : (tensor<1x1x2x3xi8>, tensor<1x1x3x3xi8>) -> tensor<1x1x2x3xi8>
  return %y : tensor<1x1x2x3xi8>
}

// Both operands are written into their channels of the concat: no copy.
// CHECK-LABEL: plan of @concat_in_place
// CHECK: step 0 copy
// CHECK-NEXT: step 1 op qint.requantize {{.*}} -> b[[CAT:[0-9]+]]+0:i8[1x2x2x2|16,1,8,4|
// CHECK-NEXT: step 2 op qint.requantize {{.*}} -> b[[CAT]]+2:i8[1x2x2x2|16,1,8,4|
// CHECK-NEXT: step 3 op qint.max_pool b[[CAT]]+0:i8[1x4x2x2|16,1,8,4|
// CHECK-NEXT: arena
func.func @concat_in_place(%x: tensor<1x2x2x2xi8>) -> tensor<1x4x1x1xi8> {
  %a = qint.requantize %x {input_zero_point = 0 : i32, requant = #one} : (tensor<1x2x2x2xi8>) -> tensor<1x2x2x2xi8>
  %b = qint.requantize %a {input_zero_point = 0 : i32, requant = #one} : (tensor<1x2x2x2xi8>) -> tensor<1x2x2x2xi8>
  %c = qint.concat %a, %b axis 1 : (tensor<1x2x2x2xi8>, tensor<1x2x2x2xi8>) -> tensor<1x4x2x2xi8>
  %y = qint.max_pool %c {kernel = array<i64: 2, 2>} : (tensor<1x4x2x2xi8>) -> tensor<1x4x1x1xi8>
  return %y : tensor<1x4x1x1xi8>
}

// The pool writes into the padded value, whose border is filled before.
// CHECK-LABEL: plan of @pad_in_place
// CHECK: step 0 copy
// CHECK-NEXT: step 1 pad-fill -> b[[PAD:[0-9]+]]+0:i8[1x1x4x4|16,1,4,1|
// CHECK-NEXT: step 2 op qint.max_pool {{.*}} -> b[[PAD]]+5:i8[1x1x2x2|16,1,4,1|
// CHECK-NEXT: step 3 op qint.max_pool b[[PAD]]+0
// CHECK-NEXT: arena
func.func @pad_in_place(%x: tensor<1x1x3x3xi8>) -> tensor<1x1x3x3xi8> {
  %a = qint.max_pool %x {kernel = array<i64: 2, 2>} : (tensor<1x1x3x3xi8>) -> tensor<1x1x2x2xi8>
  %b = qint.pad %a [0, 0, 1, 1, 0, 0, 1, 1] {value = 0 : i32} : (tensor<1x1x2x2xi8>) -> tensor<1x1x4x4xi8>
  %y = qint.max_pool %b {kernel = array<i64: 2, 2>} : (tensor<1x1x4x4xi8>) -> tensor<1x1x3x3xi8>
  return %y : tensor<1x1x3x3xi8>
}

// A fully connected layer reads the channels-last value as it lies.
// CHECK-LABEL: plan of @flatten_into_gemm
// CHECK: step 2 op qint.gemm b{{[0-9]+}}+0:i8[1x2x2x2|8,1,4,2|0,0,0,0|128] -> b0
// CHECK-NEXT: arena
func.func @flatten_into_gemm(%x: tensor<1x2x2x2xi8>) -> tensor<1x3xi8> {
  %w = qint.constant dense<1> : tensor<3x8xi8>
  %p = qint.max_pool %x {kernel = array<i64: 1, 1>} : (tensor<1x2x2x2xi8>) -> tensor<1x2x2x2xi8>
  %a = qint.reshape %p : (tensor<1x2x2x2xi8>) -> tensor<1x8xi8>
  %y = qint.gemm %a, %w {input_zero_point = 0 : i32,
      requant = #one}
    : (tensor<1x8xi8>, tensor<3x8xi8>) -> tensor<1x3xi8>
  return %y : tensor<1x3xi8>
}

// Two consumers that pad with different values: the second has a copy.
// CHECK-LABEL: plan of @negative_two_halo_values
// CHECK: step 2 op qint.conv b[[FIRST:[0-9]+]]+
// CHECK-NEXT: step 3 halo-fill -> b[[SECOND:[0-9]+]]+
// CHECK-NEXT: step 4 copy b[[FIRST]]{{.*}} -> b[[SECOND]]
// CHECK-NEXT: step 5 op qint.conv b[[SECOND]]
func.func @negative_two_halo_values(%x: tensor<1x1x2x2xi8>) -> (tensor<1x1x2x2xi8>, tensor<1x1x2x2xi8>) {
  %w = qint.constant dense<1> : tensor<1x1x3x3xi8>
  %a = qint.conv %x, %w {input_zero_point = 3 : i32, pads = array<i64: 1, 1, 1, 1>,
      requant = #one}
    : (tensor<1x1x2x2xi8>, tensor<1x1x3x3xi8>) -> tensor<1x1x2x2xi8>
  %b = qint.conv %x, %w {input_zero_point = 4 : i32, pads = array<i64: 1, 1, 1, 1>,
      requant = #one}
    : (tensor<1x1x2x2xi8>, tensor<1x1x3x3xi8>) -> tensor<1x1x2x2xi8>
  return %a, %b : tensor<1x1x2x2xi8>, tensor<1x1x2x2xi8>
}

// A slice is a window of its producer, here a step along columns; no copy but
// to the output.
// CHECK-LABEL: plan of @slice_in_place
// CHECK: step 1 op qint.requantize {{.*}} -> b[[A:[0-9]+]]+0:i8[1x4x2x4|32,1,16,4|
// CHECK-NEXT: step 2 op qint.max_pool b[[A]]+5:i8[1x2x2x2|32,1,16,8|
// CHECK-NEXT: arena
func.func @slice_in_place(%x: tensor<1x4x2x4xi8>) -> tensor<1x2x1x1xi8> {
  %a = qint.requantize %x {input_zero_point = 0 : i32, requant = #one} : (tensor<1x4x2x4xi8>) -> tensor<1x4x2x4xi8>
  %s = qint.slice %a [0, 1, 0, 1] steps [1, 1, 1, 2] : (tensor<1x4x2x4xi8>) -> tensor<1x2x2x2xi8>
  %y = qint.max_pool %s {kernel = array<i64: 2, 2>} : (tensor<1x2x2x2xi8>) -> tensor<1x2x1x1xi8>
  return %y : tensor<1x2x1x1xi8>
}

// Half the channels of a value with a halo have it too.
// CHECK-LABEL: plan of @slice_with_halo
// CHECK: step 0 halo-fill -> b[[IN:[0-9]+]]+
// CHECK-NEXT: step 1 copy {{.*}} -> b[[IN]]+{{.*}}1,1,1,1|128]
// CHECK-NEXT: step 2 op qint.conv b[[IN]]+{{[0-9]+}}:i8[1x2x2x2|64,1,16,4|1,1,1,1|128]
// CHECK-NEXT: arena
func.func @slice_with_halo(%x: tensor<1x4x2x2xi8>) -> tensor<1x1x2x2xi8> {
  %w = qint.constant dense<1> : tensor<1x2x3x3xi8>
  %s = qint.slice %x [0, 2, 0, 0] steps [1, 1, 1, 1] : (tensor<1x4x2x2xi8>) -> tensor<1x2x2x2xi8>
  %y = qint.conv %s, %w {input_zero_point = 3 : i32, pads = array<i64: 1, 1, 1, 1>, requant = #one}
    : (tensor<1x2x2x2xi8>, tensor<1x2x3x3xi8>) -> tensor<1x1x2x2xi8>
  return %y : tensor<1x1x2x2xi8>
}

// Channels to positions: one copy, the transpose is only a way to look.
// CHECK-LABEL: plan of @depth_to_space
// CHECK: step 1 op qint.requantize
// CHECK-NEXT: step 2 reshape-copy
// CHECK-NEXT: step 3 op qint.max_pool
func.func @depth_to_space(%x: tensor<1x8x2x2xi8>) -> tensor<1x2x1x1xi8> {
  %a = qint.requantize %x {input_zero_point = 0 : i32, requant = #one} : (tensor<1x8x2x2xi8>) -> tensor<1x8x2x2xi8>
  %s = qint.reshape %a : (tensor<1x8x2x2xi8>) -> tensor<1x2x2x2x2x2xi8>
  %t = qint.transpose %s [0, 3, 4, 1, 5, 2] : (tensor<1x2x2x2x2x2xi8>) -> tensor<1x2x2x2x2x2xi8>
  %d = qint.reshape %t : (tensor<1x2x2x2x2x2xi8>) -> tensor<1x2x4x4xi8>
  %y = qint.max_pool %d {kernel = array<i64: 4, 4>} : (tensor<1x2x4x4xi8>) -> tensor<1x2x1x1xi8>
  return %y : tensor<1x2x1x1xi8>
}

// Heads are taken apart and keys transposed without a copy: products pack their
// right side from where it lies. Logits are rows.
// CHECK-LABEL: plan of @heads
// CHECK: step 1 op qint.requantize {{.*}} -> b[[K:[0-9]+]]+0:i8[1x6x8|48,8,1|
// CHECK-NEXT: step 2 op qint.matmul b[[K]]+0:i8[1x2x6x4|{{[0-9]+}},4,8,1|{{.*}} b[[K]]+0:i8[1x2x4x6|{{[0-9]+}},4,1,8|{{.*}} -> b[[L:[0-9]+]]+0:i8[1x2x6x6|72,36,6,1|
// CHECK-NEXT: step 3 op qint.max b[[L]]+0:i8[1x2x6x6|72,36,6,1|
func.func @heads(%x: tensor<1x6x8xi8>) -> tensor<1x2x6x6xi8> {
  %a = qint.requantize %x {input_zero_point = 0 : i32, requant = #one} : (tensor<1x6x8xi8>) -> tensor<1x6x8xi8>
  %h = qint.reshape %a : (tensor<1x6x8xi8>) -> tensor<1x6x2x4xi8>
  %q = qint.transpose %h [0, 2, 1, 3] : (tensor<1x6x2x4xi8>) -> tensor<1x2x6x4xi8>
  %k = qint.transpose %h [0, 2, 3, 1] : (tensor<1x6x2x4xi8>) -> tensor<1x2x4x6xi8>
  %l = qint.matmul %q, %k {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #one}
    : (tensor<1x2x6x4xi8>, tensor<1x2x4x6xi8>) -> tensor<1x2x6x6xi8>
  %y = qint.max %l, %l : (tensor<1x2x6x6xi8>, tensor<1x2x6x6xi8>) -> tensor<1x2x6x6xi8>
  return %y : tensor<1x2x6x6xi8>
}

// What no convolution or pool touches is row-major, as it came.
// CHECK-LABEL: plan of @no_image
// CHECK: step 0 copy {{.*}} -> b[[X:[0-9]+]]+0:i8[1x2x3x4|24,12,4,1|
// CHECK-NEXT: step 1 op qint.requantize b[[X]]
func.func @no_image(%x: tensor<1x2x3x4xi8>) -> tensor<1x2x3x4xi8> {
  %a = qint.requantize %x {input_zero_point = 0 : i32, requant = #one} : (tensor<1x2x3x4xi8>) -> tensor<1x2x3x4xi8>
  return %a : tensor<1x2x3x4xi8>
}

// One row in steps of two has no halo: rows of one lie elsewhere.
// CHECK-LABEL: plan of @slice_of_one_row
// CHECK:       op qint.add {{.*}} -> b[[A:[0-9]+]]+0:i8[1x4x1x2|8,1,8,4|0,0,0,0|128]
// CHECK:       copy b[[A]]+0:i8[1x4x1x2|8,1,16,4|0,0,0,0|128] -> b{{[0-9]+}}+{{[0-9]+}}:i8[1x4x1x2|{{.*}}|1,1,1,1|128]
// CHECK-NEXT:  op qint.conv
func.func @slice_of_one_row(%x: tensor<1x4x1x2xi8>) -> tensor<1x1x1x2xi8> {
  %w = qint.constant dense<1> : tensor<1x4x3x3xi8>
  %a = qint.add %x, %x {lhs_zero_point = 0 : i32, rhs_zero_point = 0 : i32, requant = #qint.requant<[65536, 65536], [17], zp 0, clamp -128 to 127>} : (tensor<1x4x1x2xi8>, tensor<1x4x1x2xi8>) -> tensor<1x4x1x2xi8>
  %s = qint.slice %a [0, 0, 0, 0] steps [1, 1, 2, 1] : (tensor<1x4x1x2xi8>) -> tensor<1x4x1x2xi8>
  %y = qint.conv %s, %w {input_zero_point = 0 : i32, pads = array<i64: 1, 1, 1, 1>, requant = #one} : (tensor<1x4x1x2xi8>, tensor<1x4x3x3xi8>) -> tensor<1x1x1x2xi8>
  return %y : tensor<1x1x1x2xi8>
}
