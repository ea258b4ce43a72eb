// RUN: qopt-opt %s -split-input-file --qopt-lower-to-loops="isa=avx512vnni name=net" --mlir-elide-resource-strings-if-larger=64 | FileCheck %s

// A product of many rows asks memory for the weights of the product of one row
// behind it: 1 MB of weights with biases and multipliers, a byte for eight of
// its own.
// CHECK-LABEL: func.func @many_weights_compute(
// CHECK: %[[AHEAD:.*]] = memref.view %{{.*}} : memref<{{[0-9]+}}xi8> to memref<1056768xi8>
// CHECK: call @net_k[[MANY:[0-9]+]]_tile(%{{.*}}, %{{.*}}, %{{.*}}, %[[AHEAD]])
// CHECK: call @net_k[[ONE:[0-9]+]]_tile(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) :
// CHECK: func.func private @net_k[[MANY]]_tile(
// CHECK-SAME: %[[MEMORY:[a-z0-9]*]]: memref<1056768xi8>
// CHECK: %[[SHARE:.*]] = arith.divui %{{.*}}, %c8
// CHECK: memref.prefetch %[[MEMORY]]
func.func @many_weights(%x: tensor<96x512xi8>, %v: tensor<1x1024xi8>) -> (tensor<96x1024xi8>, tensor<1x1024xi8>) {
  %w = qint.constant dense<127> : tensor<1024x512xi8>
  %y = qint.gemm %x, %w {input_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [34], zp -128, clamp -128 to 127>}
    : (tensor<96x512xi8>, tensor<1024x512xi8>) -> tensor<96x1024xi8>
  %u = qint.constant dense<126> : tensor<1024x1024xi8>
  %z = qint.gemm %v, %u {input_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [34], zp -128, clamp -128 to 127>}
    : (tensor<1x1024xi8>, tensor<1024x1024xi8>) -> tensor<1x1024xi8>
  return %y, %z : tensor<96x1024xi8>, tensor<1x1024xi8>
}

// -----

// What all fits the second level's cache stays there from run to run.
// CHECK-LABEL: func.func @few_weights_compute(
// CHECK: call @net_k{{.*}}_tile(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) :
// CHECK: call @net_k{{.*}}_tile(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) :
func.func @few_weights(%x: tensor<24x512xi8>, %v: tensor<1x512xi8>) -> (tensor<24x1024xi8>, tensor<1x512xi8>) {
  %w = qint.constant dense<127> : tensor<1024x512xi8>
  %y = qint.gemm %x, %w {input_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [34], zp -128, clamp -128 to 127>}
    : (tensor<24x512xi8>, tensor<1024x512xi8>) -> tensor<24x1024xi8>
  %u = qint.constant dense<126> : tensor<512x512xi8>
  %z = qint.gemm %v, %u {input_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [34], zp -128, clamp -128 to 127>}
    : (tensor<1x512xi8>, tensor<512x512xi8>) -> tensor<1x512xi8>
  return %y, %z : tensor<24x1024xi8>, tensor<1x512xi8>
}

// -----

// Against so many dots the weights are nothing.
// CHECK-LABEL: func.func @many_dots_compute(
// CHECK: call @net_k{{.*}}_tile(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) :
// CHECK: call @net_k{{.*}}_tile(%{{[^,]*}}, %{{[^,]*}}, %{{[^,]*}}) :
func.func @many_dots(%x: tensor<960x1024xi8>, %v: tensor<1x256xi8>) -> (tensor<960x1024xi8>, tensor<1x512xi8>) {
  %w = qint.constant dense<127> : tensor<1024x1024xi8>
  %y = qint.gemm %x, %w {input_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [34], zp -128, clamp -128 to 127>}
    : (tensor<960x1024xi8>, tensor<1024x1024xi8>) -> tensor<960x1024xi8>
  %u = qint.constant dense<126> : tensor<512x256xi8>
  %z = qint.gemm %v, %u {input_zero_point = 3 : i32,
      requant = #qint.requant<[1048576], [34], zp -128, clamp -128 to 127>}
    : (tensor<1x256xi8>, tensor<512x256xi8>) -> tensor<1x512xi8>
  return %y, %z : tensor<960x1024xi8>, tensor<1x512xi8>
}
