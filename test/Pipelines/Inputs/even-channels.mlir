module {
  func.func @main(%x: tensor<1x4xf32> {qopt.name = "x"}) -> (tensor<1x4xf32> {qopt.name = "y"}) {
    %a = qopt.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]> : tensor<4x4xf32>
    %b = qopt.constant dense<[[16.0, -13.5, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, -1.0]]> : tensor<4x4xf32>
    %c = qopt.constant dense<[[1.0, 0.0, 0.0, 0.5], [0.0, 1.0, 0.5, 0.0], [1.0, 0.0, 1.0, 0.0], [0.5, 1.0, 0.0, 1.0]]> : tensor<4x4xf32>
    %0 = qopt.gemm %x, %a {activation = #qopt.fn<clip, -1.0, 1.0>, qopt.value = "h"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
    %1 = qopt.gemm %0, %b {qopt.value = "g"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
    %2 = qopt.gemm %1, %c {qopt.value = "y"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
    return %2 : tensor<1x4xf32>
  }
}
