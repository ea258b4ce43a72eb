// RUN: qopt-opt %s --qopt-insert-observers --verify-diagnostics

// What is observed has a size.
// expected-error@+1 {{expects arguments with static shapes, but got 'tensor<?x3xf32>'}}
func.func @dynamic(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  return %x : tensor<?x3xf32>
}
