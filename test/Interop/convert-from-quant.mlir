// RUN: qopt-opt %s --qopt-convert-from-quant | FileCheck %s
// RUN: qopt-opt %s --qopt-convert-from-quant --qopt-convert-to-quant | FileCheck %s --check-prefix=BACK

!q = !quant.uniform<i8:f32, 5.000000e-01:3>

// CHECK-LABEL: func.func @boundary
// CHECK-NEXT:    %[[Q:.*]] = qopt.quantize %arg0 : tensor<2x3xf32> -> tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK-NEXT:    %[[F:.*]] = qopt.dequantize %[[Q]] : tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:3>> -> tensor<2x3xf32>
// CHECK-NEXT:    return %[[F]]
// BACK-LABEL: func.func @boundary
// BACK-NEXT:    quant.qcast
// BACK-NEXT:    quant.dcast
func.func @boundary(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %q = quant.qcast %x : tensor<2x3xf32> to tensor<2x3x!q>
  %f = quant.dcast %q : tensor<2x3x!q> to tensor<2x3xf32>
  return %f : tensor<2x3xf32>
}

// qopt's shapes are static.
// CHECK-LABEL: func.func @negative_dynamic
// CHECK-NEXT:    quant.qcast
func.func @negative_dynamic(%x: tensor<?xf32>) -> tensor<?x!q> {
  %q = quant.qcast %x : tensor<?xf32> to tensor<?x!q>
  return %q : tensor<?x!q>
}

// CHECK-LABEL: func.func @negative_unsigned
// CHECK-NEXT:    quant.qcast
func.func @negative_unsigned(%x: tensor<2xf32>) -> tensor<2x!quant.uniform<u8:f32, 0.5>> {
  %q = quant.qcast %x : tensor<2xf32> to tensor<2x!quant.uniform<u8:f32, 0.5>>
  return %q : tensor<2x!quant.uniform<u8:f32, 0.5>>
}

// Upstream takes any zero point.
// CHECK-LABEL: func.func @negative_zero_point
// CHECK-NEXT:    quant.qcast
func.func @negative_zero_point(%x: tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32, 0.5:300>> {
  %q = quant.qcast %x : tensor<2xf32> to tensor<2x!quant.uniform<i8:f32, 0.5:300>>
  return %q : tensor<2x!quant.uniform<i8:f32, 0.5:300>>
}

// CHECK-LABEL: func.func @negative_per_axis
// CHECK-NEXT:    quant.qcast
func.func @negative_per_axis(%x: tensor<2xf32>) -> tensor<2x!quant.uniform<i8:f32:0, {0.5, 0.25}>> {
  %q = quant.qcast %x : tensor<2xf32> to tensor<2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
  return %q : tensor<2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
}

// CHECK-LABEL: func.func @negative_scalar
// CHECK-NEXT:    quant.qcast
func.func @negative_scalar(%x: f32) -> !q {
  %q = quant.qcast %x : f32 to !q
  return %q : !q
}
