// One channel of the normalization is 64 times the others, the weights behind it are small.
func.func @main(%x: tensor<1x8xf32> {qopt.name = "x"}) -> (tensor<1x4xf32> {qopt.name = "y"}) {
  %w = qopt.constant dense<[[0.01, 1.0, 0.5, -1.0, 0.3, 0.2, 0.1, 0.7], [-0.01, 0.2, 1.0, 0.6, -0.5, 0.9, 0.1, 0.3], [0.005, -0.4, 0.3, 1.0, 0.8, 0.1, -0.6, 0.2], [0.01, 0.6, -0.7, 0.1, 1.0, 0.4, 0.2, -0.9]]> : tensor<4x8xf32>
  %a = qopt.layer_norm %x axes [1] {epsilon = 1.0e-05 : f64, gamma = dense<[[64.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]> : tensor<1x8xf32>, qopt.value = "n"} : (tensor<1x8xf32>) -> tensor<1x8xf32>
  %y = qopt.gemm %a, %w {qopt.value = "y"} : (tensor<1x8xf32>, tensor<4x8xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
