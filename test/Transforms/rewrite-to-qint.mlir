// RUN: qopt-opt %s --qopt-rewrite-to-qint | FileCheck %s

!x = !quant.uniform<i8:f32, 5.000000e-01:3>
!x16 = !quant.uniform<i16:f32, 5.000000e-01>
!fine = !quant.uniform<i16:f32, 2.441406e-04>
!coarse = !quant.uniform<i16:f32, 2.621440e+05>
!y = !quant.uniform<i8:f32, 2.500000e-01:-5>
!y16 = !quant.uniform<i16:f32, 2.500000e-01>
!w = !quant.uniform<i8<-127:127>:f32:0, {1.0, 0.5}>
!b = !quant.uniform<i32:f32:0, {0.5, 0.25}>
!soft = !quant.uniform<i8:f32, 3.906250e-03:-128>
!half = !quant.uniform<i16:f32, 5.000000e-01>

// The signature becomes integers and says what they mean; the factor of channel
// 0 is 0.5 * 1 / 0.25 = 2.
// CHECK-LABEL: func.func @conv
// CHECK-SAME:    (%[[X:.*]]: tensor<1x1x2x2xi8> {qint.scale = 5.000000e-01 : f64, qint.zero_point = 3 : i64, qopt.name = "x"})
// CHECK-SAME:    -> (tensor<1x2x2x2xi8> {qint.scale = 2.500000e-01 : f64, qint.zero_point = -5 : i64})
// CHECK-DAG:     %[[W:.*]] = qint.constant dense<{{.*}}> : tensor<2x1x3x3xi8>
// CHECK-DAG:     %[[B:.*]] = qint.constant dense<[5, -7]> : tensor<2xi32>
// CHECK:         %[[Y:.*]] = qint.conv %[[X]], %[[W]], %[[B]] {input_zero_point = 3 : i32, pads = array<i64: 1, 1, 1, 1>, qopt.value = "c", requant = #qint.requant<[1073741824, 536870912], [29], zp -5, clamp -5 to 19>}
// CHECK-NEXT:    return %[[Y]]
func.func @conv(%x: tensor<1x1x2x2xf32> {qopt.name = "x"}) -> tensor<1x2x2x2xf32> {
  %q = qopt.quantize %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2x!x>
  %w = qopt.constant dense<1> : tensor<2x1x3x3xi8> as tensor<2x1x3x3x!w>
  %b = qopt.constant dense<[5, -7]> : tensor<2xi32> as tensor<2x!b>
  %c = qopt.conv %q, %w, %b {pads = array<i64: 1, 1, 1, 1>, activation = #qopt.fn<clip, 0.0, 6.0>, qopt.value = "c"}
    : (tensor<1x1x2x2x!x>, tensor<2x1x3x3x!w>, tensor<2x!b>) -> tensor<1x2x2x2x!y>
  %f = qopt.dequantize %c : tensor<1x2x2x2x!y> -> tensor<1x2x2x2xf32>
  return %f : tensor<1x2x2x2xf32>
}

// Quantized arguments and results are as good; weights may have zero points.
// CHECK-LABEL: func.func @gemm
// CHECK-SAME:    (%[[X:.*]]: tensor<1x2xi8> {qint.scale = 5.000000e-01 : f64, qint.zero_point = 3 : i64}) -> (tensor<1x2xi16>
// CHECK:         qint.gemm %[[X]], %{{.*}} {input_zero_point = 3 : i32, requant = #qint.requant<[1073741824], [30], zp 0, clamp -32768 to 32767>, weight_zero_points = array<i32: 4>}
func.func @gemm(%x: tensor<1x2x!x>) -> tensor<1x2x!y16> {
  %w = qopt.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32, 5.0e-01:4>>
  %c = qopt.gemm %x, %w : (tensor<1x2x!x>, tensor<2x2x!quant.uniform<i8:f32, 5.0e-01:4>>) -> tensor<1x2x!y16>
  return %c : tensor<1x2x!y16>
}

// Zero points of the channels, and a factor for each.
// CHECK-LABEL: func.func @weight_zero_points
// CHECK:         qint.gemm %arg0, %{{.*}} {input_zero_point = 3 : i32, requant = #qint.requant<[536870912, 1073741824], [30], zp 0, clamp -32768 to 32767>, weight_zero_points = array<i32: 0, -7>}
func.func @weight_zero_points(%x: tensor<1x2x!x>) -> tensor<1x2x!y16> {
  %w = qopt.constant dense<1> : tensor<2x2xi8> as tensor<2x2x!quant.uniform<i8:f32:0, {2.5e-01, 5.0e-01:-7}>>
  %c = qopt.gemm %x, %w : (tensor<1x2x!x>, tensor<2x2x!quant.uniform<i8:f32:0, {2.5e-01, 5.0e-01:-7}>>) -> tensor<1x2x!y16>
  return %c : tensor<1x2x!y16>
}

// Two multipliers and one shift; a difference has a negative one; relu clamps at
// the zero point.
// CHECK-LABEL: func.func @sums
// CHECK:         qint.add %arg0, %arg0 {lhs_zero_point = 3 : i32, requant = #qint.requant<[2097152, 2097152], [20], zp -5, clamp -5 to 127>, rhs_zero_point = 3 : i32}
// CHECK:         qint.add %arg0, %{{.*}} {lhs_zero_point = 3 : i32, requant = #qint.requant<[{{[0-9]+}}, -{{[0-9]+}}], [{{[0-9]+}}], zp -5, clamp -128 to 127>, rhs_zero_point = -5 : i32}
func.func @sums(%x: tensor<2x!x>) -> tensor<2x!y> {
  %a = qopt.add %x, %x {activation = #qopt.fn<relu>} : (tensor<2x!x>, tensor<2x!x>) -> tensor<2x!y>
  %s = qopt.sub %x, %a : (tensor<2x!x>, tensor<2x!y>) -> tensor<2x!y>
  return %s : tensor<2x!y>
}

// More than 8 bits in the result, or in an operand of a model's own scales: 62
// bits of sum; in another operand: 31. The last factor is 2^-20, so that the
// zero point's bits bound the shift: 46 + 15 < 62.
// CHECK-LABEL: func.func @wide_sums
// CHECK:         qint.add %arg0, %arg0 {lhs_zero_point = 3 : i32, requant = #qint.requant<[1073741824, 1073741824], [29], zp 0,
// CHECK:         qint.add %arg0, %arg1 {lhs_zero_point = 3 : i32, requant = #qint.requant<[1073741824, 536870912], [29], zp -5,
// CHECK:         qint.add %arg0, %arg1 {lhs_zero_point = 3 : i32, requant = #qint.requant<[32768, 16384], [14], zp -5,
// CHECK:         qint.add %arg1, %arg1 {lhs_zero_point = 0 : i32, requant = #qint.requant<[1073741824, 1073741824], [30], zp 0,
// CHECK:         qint.add %arg1, %arg1 {lhs_zero_point = 0 : i32, requant = #qint.requant<[67108864, 67108864], [46], zp 0,
func.func @wide_sums(%x: tensor<2x!x>, %y: tensor<2x!y16>) -> (tensor<2x!y16>, tensor<2x!y>, tensor<2x!y16>, tensor<2x!coarse>) {
  %a = qopt.add %x, %x : (tensor<2x!x>, tensor<2x!x>) -> tensor<2x!y16>
  %b = qopt.add %x, %y {qopt.rounding = "half_even"} : (tensor<2x!x>, tensor<2x!y16>) -> tensor<2x!y>
  %e = qopt.add %x, %y : (tensor<2x!x>, tensor<2x!y16>) -> tensor<2x!y>
  %c = qopt.add %y, %y : (tensor<2x!y16>, tensor<2x!y16>) -> tensor<2x!y16>
  %d = qopt.add %y, %y : (tensor<2x!y16>, tensor<2x!y16>) -> tensor<2x!coarse>
  return %a, %b, %c, %d : tensor<2x!y16>, tensor<2x!y>, tensor<2x!y16>, tensor<2x!coarse>
}

// The sum of 2^22 values below 2^15 leaves 25 bits for the multiplier of 2^-21.
// CHECK-LABEL: func.func @wide_mean
// CHECK:         requant = #qint.requant<[16777216], [45], zp 0,
func.func @wide_mean(%x: tensor<1x4194304x!x16>) -> tensor<1x1x!y16> {
  %a = qopt.reduce_mean %x axes [1] : (tensor<1x4194304x!x16>) -> tensor<1x1x!y16>
  return %a : tensor<1x1x!y16>
}

// 0.5 * 0.5 / 0.25 = 1 and 0.5 / 0.25 = 2.
// CHECK-LABEL: func.func @mul_and_requantize
// CHECK:         qint.mul %arg0, %arg0 {lhs_zero_point = 3 : i32, requant = #qint.requant<[1073741824], [30], zp -5, clamp -128 to 127>, rhs_zero_point = 3 : i32}
// CHECK:         qint.requantize %arg0 {input_zero_point = 3 : i32, requant = #qint.requant<[1073741824], [29], zp -5, clamp -128 to 127>}
func.func @mul_and_requantize(%x: tensor<2x!x>) -> (tensor<2x!y>, tensor<2x!y>) {
  %a = qopt.mul %x, %x : (tensor<2x!x>, tensor<2x!x>) -> tensor<2x!y>
  %s = qopt.requantize %x : tensor<2x!x> -> tensor<2x!y>
  return %a, %s : tensor<2x!y>, tensor<2x!y>
}

// The first entry is relu(0.5 (-128 - 3)) = 0, the zero point; the last is
// min(62, ...) / 0.25 - 5, which saturates.
// CHECK-LABEL: func.func @table
// CHECK:         qint.table %arg0 {qopt.value = "t", table = array<i16: -5, -5, {{.*}}, 127, 127>}
func.func @table(%x: tensor<2x!x>) -> tensor<2x!y> {
  %a = qopt.unary %x [#qopt.fn<affine, 1.0, 0.0>, #qopt.fn<relu>] {qopt.value = "t"} : (tensor<2x!x>) -> tensor<2x!y>
  return %a : tensor<2x!y>
}

// Both parameters of a function count: q = -128, -127, ..., 127 at scale 1/2 and
// zero point 3 through clip(-1, 2), and through 0.25 x + 20.
// CHECK-LABEL: func.func @table_parameters
// CHECK:         table = array<i16: -9, -9, {{.*}}, -9, -7, -5, -3, -1, 1, 3, 3, {{.*}}, 3, 3>
// CHECK:         table = array<i16: 9, 10, 11, 11, {{.*}}, 127, 127>
// CHECK:         table = array<i16: -128, {{.*}}, -15, -10, -5, -3, -1, 1, {{.*}}, 127, 127>
func.func @table_parameters(%x: tensor<2x!x>) -> (tensor<2x!y>, tensor<2x!y>, tensor<2x!y>) {
  %a = qopt.unary %x [#qopt.fn<clip, -1.0, 2.0>] : (tensor<2x!x>) -> tensor<2x!y>
  %b = qopt.unary %x [#qopt.fn<affine, 0.25, 20.0>] : (tensor<2x!x>) -> tensor<2x!y>
  %c = qopt.unary %x [#qopt.fn<leaky_relu, 2.5>] : (tensor<2x!x>) -> tensor<2x!y>
  return %a, %b, %c : tensor<2x!y>, tensor<2x!y>, tensor<2x!y>
}

// CHECK-LABEL: func.func @softmax
// CHECK:         qint.softmax %arg0 axis 0 {exp_table = array<i32: 8388608, {{.*}}>, levels = 256 : i32, zero_point = -128 : i32}
func.func @softmax(%x: tensor<2x!x>) -> tensor<2x!soft> {
  %a = qopt.softmax %x axis 0 : (tensor<2x!x>) -> tensor<2x!soft>
  return %a : tensor<2x!soft>
}

// 16 bits of input take two tables; exp(-0.5 * 256) is nothing.
// CHECK-LABEL: func.func @wide_softmax
// CHECK:         qint.softmax %arg0 axis 0 {exp_table = array<i32: 1073741824, 0, {{.*}}, 1073741824, 651257337, {{.*}}>, levels = 256 : i32
func.func @wide_softmax(%x: tensor<2x!half>) -> tensor<2x!soft> {
  %a = qopt.softmax %x axis 0 : (tensor<2x!half>) -> tensor<2x!soft>
  return %a : tensor<2x!soft>
}

// The inverse of 1/255 in float32 is near enough to an integer; another one has
// a fraction.
// CHECK-LABEL: func.func @softmax_scales
// CHECK:         qint.softmax %arg0 {{.*}}levels = 255 : i32, zero_point = -128 : i32} : {{.*}} -> tensor<2xi8>
// CHECK:         qint.softmax %arg0 {{.*}}level_shift = 15 : i32, levels = 109227 : i32, zero_point = 5 : i32} : {{.*}} -> tensor<2xi8>
func.func @softmax_scales(%x: tensor<2x!x>) -> (tensor<2x!quant.uniform<i8:f32, 0.003921568859368563:-128>>, tensor<2x!quant.uniform<i8:f32, 0.3:5>>) {
  %a = qopt.softmax %x axis 0 : (tensor<2x!x>) -> tensor<2x!quant.uniform<i8:f32, 0.003921568859368563:-128>>
  %b = qopt.softmax %x axis 0 : (tensor<2x!x>) -> tensor<2x!quant.uniform<i8:f32, 0.3:5>>
  return %a, %b : tensor<2x!quant.uniform<i8:f32, 0.003921568859368563:-128>>, tensor<2x!quant.uniform<i8:f32, 0.3:5>>
}

// A factor of 2: 2^37 behind the 6 bits of the row's division is too much.
// CHECK-LABEL: func.func @attend
// CHECK:         qint.attend %arg0, %arg1 {exp_table = array<i32: 255, 155, 94, {{.*}}>, requant = #qint.requant<[1073741824], [35], zp -5, clamp -128 to 127>, values_zero_point = 3 : i32}
func.func @attend(%x: tensor<2x3x!x>, %v: tensor<3x4x!x>) -> tensor<2x4x!y> {
  %a = qopt.attend %x, %v : (tensor<2x3x!x>, tensor<3x4x!x>) -> tensor<2x4x!y>
  return %a : tensor<2x4x!y>
}

// Corner, edge and inner windows have 4, 6 and 9 taps: one multiplier each.
// CHECK-LABEL: func.func @avg_pool
// CHECK:         qint.avg_pool %arg0 {input_zero_point = 3 : i32, kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>
// CHECK-SAME:      requant = #qint.requant<[{{[0-9]+}}, {{[0-9]+}}, {{[0-9]+}}], [{{[0-9]+}}], zp -5, clamp -128 to 127>
// CHECK-SAME:      tap_counts = array<i64: 4, 6, 9>
func.func @avg_pool(%x: tensor<1x1x4x4x!x>) -> tensor<1x1x4x4x!y> {
  %a = qopt.avg_pool %x {kernel = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x1x4x4x!x>) -> tensor<1x1x4x4x!y>
  return %a : tensor<1x1x4x4x!y>
}

// 0.5 / (16 * 0.25) = 1/8.
// CHECK-LABEL: func.func @reduce_mean
// CHECK:         qint.reduce_mean %arg0 axes [2, 3] {input_zero_point = 3 : i32, keep_dims = false, requant = #qint.requant<[536870912], [32], zp -5, clamp -128 to 127>}
func.func @reduce_mean(%x: tensor<1x1x4x4x!x>) -> tensor<1x1x!y> {
  %a = qopt.reduce_mean %x axes [2, 3] {keep_dims = false} : (tensor<1x1x4x4x!x>) -> tensor<1x1x!y>
  return %a : tensor<1x1x!y>
}

// A padded real value is quantized: 1 / 0.5 + 3.
// CHECK-LABEL: func.func @moves
// CHECK:         qint.max_pool %arg0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
// CHECK:         qint.reshape %{{.*}} : (tensor<1x1x2x2xi8>) -> tensor<2x2xi8>
// CHECK:         qint.transpose %{{.*}} [1, 0]
// CHECK:         qint.pad %{{.*}} [0, 0, 1, 0] {value = 5 : i32}
// CHECK:         qint.concat %{{.*}}, %{{.*}} axis 0
func.func @moves(%x: tensor<1x1x4x4x!x>) -> tensor<6x2x!x> {
  %m = qopt.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x1x4x4x!x>) -> tensor<1x1x2x2x!x>
  %r = qopt.reshape %m : (tensor<1x1x2x2x!x>) -> tensor<2x2x!x>
  %t = qopt.transpose %r [1, 0] : (tensor<2x2x!x>) -> tensor<2x2x!x>
  %p = qopt.pad %t [0, 0, 1, 0] {value = 1.0 : f32} : (tensor<2x2x!x>) -> tensor<3x2x!x>
  %c = qopt.concat %p, %p axis 0 : (tensor<3x2x!x>, tensor<3x2x!x>) -> tensor<6x2x!x>
  return %c : tensor<6x2x!x>
}

// A declaration has no body to rewrite.
// CHECK: func.func private @negative_declaration(tensor<2xf32>) -> tensor<2xf32>
func.func private @negative_declaration(tensor<2xf32>) -> tensor<2xf32>

// A quotient's factor is 0.5 / (0.25 * 0.25) = 8; relu clamps at the zero point.
// CHECK-LABEL: func.func @quotient
// CHECK:         qint.div %arg0, %arg1 {lhs_zero_point = 3 : i32, requant = #qint.requant<[1073741824], [27], zp -5, clamp -5 to 127>, rhs_zero_point = -5 : i32}
func.func @quotient(%x: tensor<2x!x>, %y: tensor<2x!y>) -> tensor<2x!y> {
  %q = qopt.div %x, %y {activation = #qopt.fn<relu>} : (tensor<2x!x>, tensor<2x!y>) -> tensor<2x!y>
  return %q : tensor<2x!y>
}

// A clamp of 16 bits needs no table.
// CHECK-LABEL: func.func @clamp16
// CHECK:         qint.requantize %arg0 {input_zero_point = 0 : i32, requant = #qint.requant<{{.*}}, zp 0, clamp 0 to 32767>} : (tensor<2xi16>) -> tensor<2xi16>
func.func @clamp16(%x: tensor<2x!x16>) -> tensor<2x!y16> {
  %r = qopt.unary %x [#qopt.fn<relu>] : (tensor<2x!x16>) -> tensor<2x!y16>
  return %r : tensor<2x!y16>
}

// A function of 16 bits has pieces; those of a model's own scales, or with a
// jump, have an entry for each value.
// CHECK-LABEL: func.func @function16
// CHECK:         qint.piecewise %arg0 {{{.*}}clamp_max = 127 : i32, clamp_min = -128 : i32, {{.*}}fraction_bits = 7 : i32
// CHECK:         qint.table %arg0
// CHECK:         qint.table %arg0
func.func @function16(%x: tensor<2x!fine>) -> (tensor<2x!soft>, tensor<2x!soft>, tensor<2x!soft>) {
  %p = qopt.unary %x [#qopt.fn<sigmoid>] : (tensor<2x!fine>) -> tensor<2x!soft>
  %q = qopt.unary %x [#qopt.fn<sigmoid>] {qopt.rounding = "half_even"} : (tensor<2x!fine>) -> tensor<2x!soft>
  %r = qopt.unary %x [#qopt.fn<sign>] : (tensor<2x!fine>) -> tensor<2x!soft>
  return %p, %q, %r : tensor<2x!soft>, tensor<2x!soft>, tensor<2x!soft>
}

// Averages of an imported model have ties whatever their count.
// CHECK-LABEL: func.func @imported_average
// CHECK:         qint.avg_pool %arg0
// CHECK-SAME:    half_even
func.func @imported_average(%x: tensor<1x1x3x3x!x>) -> tensor<1x1x1x1x!x> {
  %a = qopt.avg_pool %x {kernel = array<i64: 3, 3>, qopt.rounding = "half_even"} : (tensor<1x1x3x3x!x>) -> tensor<1x1x1x1x!x>
  return %a : tensor<1x1x1x1x!x>
}

// A quotient of an imported model still rounds half up: it has no other form.
// CHECK-LABEL: func.func @imported_quotient
// CHECK:         qint.div %arg0, %arg1
// CHECK-SAME:    clamp -128 to 127>
// CHECK-NOT:     qopt.rounding
func.func @imported_quotient(%x: tensor<2x!x>, %y: tensor<2x!y>) -> tensor<2x!y> {
  %q = qopt.div %x, %y {qopt.rounding = "half_even"} : (tensor<2x!x>, tensor<2x!y>) -> tensor<2x!y>
  return %q : tensor<2x!y>
}

// The factor of a product is 0.5 * 0.25 / 0.25 = 0.5.
// CHECK-LABEL: func.func @product
// CHECK:         qint.matmul %arg0, %arg1 {lhs_zero_point = 3 : i32, requant = #qint.requant<[1073741824], [31], zp 0, clamp -32768 to 32767>, rhs_zero_point = -5 : i32}
func.func @product(%x: tensor<2x3x!x>, %y: tensor<3x4x!y>) -> tensor<2x4x!y16> {
  %p = qopt.matmul %x, %y : (tensor<2x3x!x>, tensor<3x4x!y>) -> tensor<2x4x!y16>
  return %p : tensor<2x4x!y16>
}

// Nothing is rescaled between equal scales.
// CHECK-LABEL: func.func @extremes
// CHECK-NEXT:    qint.max %arg0, %arg1 : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
// CHECK-NEXT:    qint.min
// CHECK-NEXT:    qint.reduce_max %{{.*}} axes [1] : (tensor<2x3xi8>) -> tensor<2x1xi8>
// CHECK-NEXT:    qint.reduce_min %{{.*}} axes [0] {keep_dims = false} : (tensor<2x1xi8>) -> tensor<1xi8>
func.func @extremes(%x: tensor<2x3x!x>, %y: tensor<3x!x>) -> tensor<1x!x> {
  %a = qopt.max %x, %y : (tensor<2x3x!x>, tensor<3x!x>) -> tensor<2x3x!x>
  %b = qopt.min %a, %y : (tensor<2x3x!x>, tensor<3x!x>) -> tensor<2x3x!x>
  %c = qopt.reduce_max %b axes [1] : (tensor<2x3x!x>) -> tensor<2x1x!x>
  %d = qopt.reduce_min %c axes [0] {keep_dims = false} : (tensor<2x1x!x>) -> tensor<1x!x>
  return %d : tensor<1x!x>
}

// A sum is a mean without the division: 0.5 / 0.25.
// CHECK-LABEL: func.func @sum_over_axes
// CHECK:         qint.reduce_mean %arg0 axes [0, 1] {input_zero_point = 3 : i32, requant = #qint.requant<[1073741824], [29], zp 0, clamp -32768 to 32767>} : (tensor<2x3xi8>) -> tensor<1x1xi16>
func.func @sum_over_axes(%x: tensor<2x3x!x>) -> tensor<1x1x!y16> {
  %s = qopt.reduce_sum %x axes [0, 1] : (tensor<2x3x!x>) -> tensor<1x1x!y16>
  return %s : tensor<1x1x!y16>
}

// CHECK-LABEL: func.func @slice_and_gather
// CHECK:         %[[S:.*]] = qint.slice %arg0 [1] steps [2] {qopt.value = "s"} : (tensor<6xi8>) -> tensor<2xi8>
// CHECK:         qint.gather %[[S]] axis 0 [1, 1, 0] {qopt.value = "g"} : (tensor<2xi8>) -> tensor<3xi8>
func.func @slice_and_gather(%x: tensor<6x!x>) -> tensor<3x!x> {
  %s = qopt.slice %x [1] steps [2] {qopt.value = "s"} : (tensor<6x!x>) -> tensor<2x!x>
  %g = qopt.gather %s axis 0 [1, 1, 0] {qopt.value = "g"} : (tensor<2x!x>) -> tensor<3x!x>
  return %g : tensor<3x!x>
}

// Thirds of 2^15 that sum to 2^15; cubic weights beyond one have 14 bits. The
// factor is 0.5 / 0.25 / 2^29.
// CHECK-LABEL: func.func @interpolate
// CHECK:         qint.interpolate %arg0 rows [0, 1, 1] [10922, 10923, 10923] columns [0, 1] [17203, -819] {input_zero_point = 3 : i32, qopt.value = "i", requant = #qint.requant<[33554432], [53], zp -5, clamp -128 to 127>}
func.func @interpolate(%x: tensor<1x1x2x2x!x>) -> tensor<1x1x1x1x!y> {
  %i = qopt.interpolate %x rows [0, 1, 1] [0.3333333333333333, 0.3333333333333333, 0.3333333333333333]
    columns [0, 1] [1.05, -0.05] {qopt.value = "i"} : (tensor<1x1x2x2x!x>) -> tensor<1x1x1x1x!y>
  return %i : tensor<1x1x1x1x!y>
}

// 1024 * 100 * 32768 leaves int32: 100 = 2^7 * 1 - 28, so does the bias.
// CHECK-LABEL: func.func @long_words
// CHECK-SAME:    (%[[X:.*]]: tensor<1x1024xi16>
// CHECK-DAG:     %[[H:.*]] = qint.constant {{.*}} : tensor<1x1024xi8>
// CHECK-DAG:     %[[BH:.*]] = qint.constant dense<8> : tensor<1xi32>
// CHECK:         %[[A:.*]] = qint.gemm %[[X]], %{{.*}}, %[[BH]] {input_zero_point = 0 : i32, requant = #qint.requant<[2], [1], zp 0, clamp -2147483648 to 2147483647>} : {{.*}} -> tensor<1x1xi32>
// CHECK:         %[[BL:.*]] = qint.constant dense<-24> : tensor<1xi32>
// CHECK:         %[[L:.*]] = qint.gemm %[[X]], %{{.*}}, %[[BL]] {{.*}} -> tensor<1x1xi32>
// CHECK:         qint.sum_parts %[[A]], %[[L]] {axis = 1 : i64, low_bits = 7 : i32, qopt.value = "g", requant = #qint.requant<[536870912], [29], zp 0, clamp 0 to 32767>} {{.*}} -> tensor<1x1xi16>
func.func @long_words(%x: tensor<1x1024x!x16>) -> tensor<1x1x!x16> {
  %w = qopt.constant dense<100> : tensor<1x1024xi8> as tensor<1x1024x!quant.uniform<i8:f32, 1.0>>
  %b = qopt.constant dense<1000> : tensor<1xi32> as tensor<1x!quant.uniform<i32:f32, 0.5>>
  %g = qopt.gemm %x, %w, %b {activation = #qopt.fn<relu>, qopt.value = "g"} : (tensor<1x1024x!x16>, tensor<1x1024x!quant.uniform<i8:f32, 1.0>>, tensor<1x!quant.uniform<i32:f32, 0.5>>) -> tensor<1x1x!x16>
  return %g : tensor<1x1x!x16>
}

// Weights of 24 bits: 70000 = 2^8 * 273 + 112; the bias is in steps of 2^8. A
// convolution's channels are its axis 1.
// CHECK-LABEL: func.func @wide_weights
// CHECK-DAG:     qint.constant dense<273> : tensor<2x1x1x1xi16>
// CHECK-DAG:     qint.constant dense<5> : tensor<2xi32>
// CHECK:         %[[H:.*]] = qint.conv {{.*}} -> tensor<1x2x2x2xi32>
// CHECK-DAG:     qint.constant dense<112> : tensor<2x1x1x1xi8>
// CHECK-DAG:     qint.constant dense<0> : tensor<2xi32>
// CHECK:         %[[L:.*]] = qint.conv {{.*}} -> tensor<1x2x2x2xi32>
// CHECK:         qint.sum_parts %[[H]], %[[L]] {axis = 1 : i64, low_bits = 8 : i32,
func.func @wide_weights(%x: tensor<1x1x2x2x!x>) -> tensor<1x2x2x2x!y> {
  %w = qopt.constant dense<70000> : tensor<2x1x1x1xi32> as tensor<2x1x1x1x!quant.uniform<i32:f32:0, {1.0e-5, 2.0e-5}>>
  %b = qopt.constant dense<5> : tensor<2xi32> as tensor<2x!quant.uniform<i32:f32:0, {1.28e-3, 2.56e-3}>>
  %c = qopt.conv %x, %w, %b : (tensor<1x1x2x2x!x>, tensor<2x1x1x1x!quant.uniform<i32:f32:0, {1.0e-5, 2.0e-5}>>, tensor<2x!quant.uniform<i32:f32:0, {1.28e-3, 2.56e-3}>>) -> tensor<1x2x2x2x!y>
  return %c : tensor<1x2x2x2x!y>
}
