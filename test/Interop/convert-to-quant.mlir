// RUN: qopt-opt %s --qopt-convert-to-quant | FileCheck %s

!q = !quant.uniform<i8:f32, 5.000000e-01:3>

// CHECK-LABEL: func.func @boundary
// CHECK-NEXT:    %[[Q:.*]] = quant.qcast %arg0 : tensor<2x3xf32> to tensor<2x3x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK-NEXT:    %[[R:.*]] = qopt.reshape %[[Q]]
// CHECK-NEXT:    %[[F:.*]] = quant.dcast %[[R]] : tensor<6x!quant.uniform<i8:f32, 5.000000e-01:3>> to tensor<6xf32>
// CHECK-NEXT:    return %[[F]]
func.func @boundary(%x: tensor<2x3xf32>) -> tensor<6xf32> {
  %q = qopt.quantize %x : tensor<2x3xf32> -> tensor<2x3x!q>
  %r = qopt.reshape %q : (tensor<2x3x!q>) -> tensor<6x!q>
  %f = qopt.dequantize %r : tensor<6x!q> -> tensor<6xf32>
  return %f : tensor<6xf32>
}

// Rounding is not the identity: a pair of casts stays.
// CHECK-LABEL: func.func @rounding
// CHECK-NEXT:    quant.qcast
// CHECK-NEXT:    quant.dcast
func.func @rounding(%x: tensor<6xf32>) -> tensor<6xf32> {
  %q = qopt.quantize %x : tensor<6xf32> -> tensor<6x!q>
  %f = qopt.dequantize %q : tensor<6x!q> -> tensor<6xf32>
  return %f : tensor<6xf32>
}
