// RUN: echo "x: -1 1" > %t.txt
// RUN: qopt-qcal-from-text %t.qcal < %t.txt
// RUN: qopt-opt %s --qopt-fold-statistics=statistics=%t.qcal -split-input-file -verify-diagnostics
// RUN: not qopt-opt %s -split-input-file --qopt-fold-statistics=statistics=%t.absent 2>&1 | FileCheck %s --check-prefix=FILE
// RUN: not qopt-opt %s -split-input-file --qopt-fold-statistics=statistics=%t.txt 2>&1 | FileCheck %s --check-prefix=FORMAT

// FILE: error: {{.*}}cannot read '{{.*}}.absent'
// FORMAT: error: {{.*}}not a .qcal file
func.func @missing_id(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{expects statistics of 'y', but the calibration has none}}
  %a = qopt.observe %x "y" : tensor<2xf32> -> tensor<2xf32>
  // expected-error@+1 {{expects statistics of 'z', but the calibration has none}}
  %b = qopt.observe %a "z" : tensor<2xf32> -> tensor<2xf32>
  return %b : tensor<2xf32>
}

// -----

func.func @unknown_method(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error@+3 {{magic}}
  // expected-note@+2 {{range methods are minmax,}}
  // expected-note@+1 {{use --range=mse}}
  %a = qopt.observe %x "x" {method = "magic"} : tensor<2xf32> -> tensor<2xf32>
  return %a : tensor<2xf32>
}
