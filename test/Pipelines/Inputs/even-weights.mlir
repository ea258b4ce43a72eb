// Weights that all become 127 or -127, one row of each sign and one of both.
func.func @net(%x: tensor<1x4xf32> {qopt.name = "x"})
    -> (tensor<1x3xf32> {qopt.name = "y"}) {
  %w = qopt.constant dense<[[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, -0.5, -0.5], [-0.5, 0.5, 0.5, -0.5]]> : tensor<3x4xf32>
  %h = qopt.gemm %x, %w {qopt.value = "h"} : (tensor<1x4xf32>, tensor<3x4xf32>) -> tensor<1x3xf32>
  %v = qopt.constant dense<[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, -0.5]]> : tensor<3x3xf32>
  %y = qopt.gemm %h, %v {qopt.value = "y"} : (tensor<1x3xf32>, tensor<3x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
