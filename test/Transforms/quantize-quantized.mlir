// RUN: qopt-opt %s --qopt-quantize | FileCheck %s

// What is quantized already stays, where no op of qopt is either.
// CHECK-LABEL: func.func @quantized
// CHECK-NEXT: return %{{.*}} : tensor<8x!quant.uniform
func.func @quantized(%x: tensor<8x!quant.uniform<i8:f32, 0.5>>) -> tensor<8x!quant.uniform<i8:f32, 0.5>> {
  return %x : tensor<8x!quant.uniform<i8:f32, 0.5>>
}
