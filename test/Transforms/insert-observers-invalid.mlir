// RUN: qopt-opt %s --qopt-insert-observers=bits=7 -verify-diagnostics
// RUN: not qopt-opt %s --qopt-insert-observers=output-bits=32 2>&1 | FileCheck %s

// CHECK: error: expects 8 or 16 bits, but got 32
// expected-error@+1 {{expects 8 or 16 bits, but got 7}}
func.func @option_bits(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
