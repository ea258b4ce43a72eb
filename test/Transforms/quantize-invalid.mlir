// RUN: qopt-opt %s --qopt-quantize -split-input-file -verify-diagnostics
// RUN: not qopt-opt %s -split-input-file --qopt-quantize=symmetric-weights=false 2>&1 | FileCheck %s

// CHECK: error: asymmetric weights are not supported; use symmetric-weights=true

// RUN: not qopt-opt %s -split-input-file --qopt-quantize=weight-bits=3 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: expects weight-bits of 8, 4 or 2 and a weight-group of 0 or more, but got 3 and 0

// Everything that stands in the way is said at once.
// expected-error@+2 {{cannot be quantized}}
// expected-note@+1 {{argument #0 has no observer}}
func.func @everything(%x: tensor<1x2xf32>, %w: tensor<2x2xf32> ) -> tensor<1x2xf32> {
  // expected-note@+1 {{observer 'w' has no scale}}
  %w0 = qopt.observe %w "w" : tensor<2x2xf32> -> tensor<2x2xf32>
  // expected-note@+2 {{result of 'qopt.gemm' has no observer}}
  // expected-note@+1 {{weight or bias of 'qopt.gemm' is not a float constant}}
  %c = qopt.gemm %x, %w0 : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %s = qopt.constant dense<1.0> : tensor<2xf32>
  // expected-note@+1 {{'qopt.batch_norm' has no quantized form}}
  %n = qopt.batch_norm %c, %s, %s : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %n : tensor<1x2xf32>
}
