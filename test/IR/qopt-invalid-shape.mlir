// RUN: qopt-opt %s -split-input-file -verify-diagnostics

func.func @constant_c1_shape() {
  // expected-error@+1 {{expects a value of type 'tensor<3xf32>', but got 'tensor<2xf32>'}}
  %0 = qopt.constant dense<1.0> : tensor<2xf32> as tensor<3xf32>
  return
}

// -----

func.func @constant_c2_element_type() {
  // expected-error@+1 {{expects a value of type 'tensor<2xi8>', but got 'tensor<2xi16>'}}
  %0 = qopt.constant dense<1> : tensor<2xi16> as tensor<2x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @constant_c3_blob_size() {
  // expected-error@+1 {{expects 8 bytes in resource 'blob', but got 4}}
  %0 = qopt.constant dense_resource<blob> : tensor<2xf32>
  return
}

{-#
  dialect_resources: {
    builtin: {
      blob: "0x0400000000000000"
    }
  }
#-}

// -----

func.func @reshape_c1_elements(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects equally many elements, but got 2x3 and 5}}
  %0 = qopt.reshape %x : (tensor<2x3xf32>) -> tensor<5xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

func.func @reshape_c2_element_type(%x: tensor<2x3x!q>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qopt.reshape %x : (tensor<2x3x!q>) -> tensor<6x!r>
  return
}

// -----

func.func @transpose_c1_permutation(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects a permutation of 2 axes, but got [0, 0]}}
  %0 = qopt.transpose %x [0, 0] : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @transpose_c1_length(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects a permutation of 2 axes, but got [0, 1, 2]}}
  %0 = qopt.transpose %x [0, 1, 2] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @transpose_c2_shape(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects result shape 3x2, but got 2x3}}
  %0 = qopt.transpose %x [1, 0] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

func.func @transpose_c3_element_type(%x: tensor<2x3x!q>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qopt.transpose %x [1, 0] : (tensor<2x3x!q>) -> tensor<3x2x!r>
  return
}

// -----

func.func @concat_c1_none() {
  // expected-error@+1 {{expects at least one input, but got 0}}
  %0 = "qopt.concat"() {axis = 0 : i64} : () -> tensor<2xf32>
  return
}

// -----

func.func @concat_c1_rank(%x: tensor<2x3xf32>, %y: tensor<6xf32>) {
  // expected-error@+1 {{expects inputs of rank 2, but got 1}}
  %0 = qopt.concat %x, %y axis 0 : (tensor<2x3xf32>, tensor<6xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @concat_c2_axis(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects axis in [0, 2), but got 2}}
  %0 = qopt.concat %x, %x axis 2 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @concat_c3_sizes(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) {
  // expected-error@+1 {{expects equal sizes outside axis 0, but got different ones}}
  %0 = qopt.concat %x, %y axis 0 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @concat_c3_sum(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects result shape 4x3, but got 5x3}}
  %0 = qopt.concat %x, %x axis 0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<5x3xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

func.func @concat_c4_element_type(%x: tensor<2x3x!q>, %y: tensor<2x3x!r>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qopt.concat %x, %y axis 0 : (tensor<2x3x!q>, tensor<2x3x!r>) -> tensor<4x3x!q>
  return
}

// -----

func.func @pad_c1_pads(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects 4 entries >= 0 in 'pads', but got [0, 0]}}
  %0 = qopt.pad %x [0, 0] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pad_c2_result(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{expects result shape 4x3, but got 2x3}}
  %0 = qopt.pad %x [1, 0, 1, 0] : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pad_c3_value(%x: tensor<2xf32>) {
  // expected-error@+1 {{expects a finite value, but got}}
  %0 = qopt.pad %x [1, 0] {value = 0x7F800000 : f32} : (tensor<2xf32>) -> tensor<3xf32>
  return
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>

func.func @pad_c3_element_type(%x: tensor<2x!q>) {
  // expected-error@+1 {{expects one element type}}
  %0 = qopt.pad %x [1, 0] : (tensor<2x!q>) -> tensor<3x!r>
  return
}
