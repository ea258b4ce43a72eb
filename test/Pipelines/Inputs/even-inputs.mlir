// Channels of like sizes: what a few samples say about their weights is chance.
func.func @net(%x: tensor<1x6xf32> {qopt.name = "x"})
    -> (tensor<1x3xf32> {qopt.name = "y"}) {
  %w1 = qopt.constant dense<[[-0.73, 0.69, 0.53, -0.49, -0.01, -0.1], [0.3, 0.58, -0.81, -0.94, 0.67, -0.13], [0.52, -1.0, -0.11, 0.44, -0.54, 0.89], [0.8, -0.94, -0.95, 0.08, 0.88, -0.24], [-0.57, -0.16, -0.94, -0.56, -0.12, -0.01], [-0.53, -0.54, -0.56, -0.08, -0.42, -0.96]]> : tensor<6x6xf32>
  %h = qopt.gemm %x, %w1 {qopt.value = "h"} : (tensor<1x6xf32>, tensor<6x6xf32>) -> tensor<1x6xf32>
  %w2 = qopt.constant dense<[[0.68, 0.11, 0.28, -0.63, 0.99, 0.72], [-0.76, -0.33, 0.44, 0.42, 0.87, -0.16], [0.66, 0.34, -0.39, 0.18, 0.76, 0.69]]> : tensor<3x6xf32>
  %y = qopt.gemm %h, %w2 {qopt.value = "y"} : (tensor<1x6xf32>, tensor<3x6xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
