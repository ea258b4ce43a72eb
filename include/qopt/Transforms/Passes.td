// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Graph passes from the float level to the integer level, in pipeline order.
#ifndef QOPT_TRANSFORMS_PASSES_TD
#define QOPT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def TakeBytes : Pass<"qopt-take-bytes", "::mlir::func::FuncOp"> {
  let summary = "Make a float input one of bytes";
  let description = [{
    Where a program makes the float input of a model from bytes, by
    `scale[c] * byte + shift[c]`, the model can take the bytes: the input is
    observed with scale 1 and the method `bytes`, its boundary type is `uint8`,
    and the map becomes part of the model, where `qopt-simplify` folds it into
    the first layer. Lists hold one value, or one for each index of `axis`.

    ```mlir
    func.func @main(%x: tensor<1x1x4x4xf32> {qopt.name = "x"}) ... {
      %y = qopt.conv %x, %w : ...
    // becomes, with input=x scale=0.0078125 shift=-1
    func.func @main(%x: tensor<1x1x4x4xf32> {qopt.name = "x", qopt.type = "uint8"}) ... {
      %b = qopt.observe %x "x:u8" {method = "bytes", scale = 1.0 : f32, zero_point = -128 : i64} : ...
      %n = qopt.unary %b [#qopt.fn<affine, 0.0078125, -1.0>] : ...
      %y = qopt.conv %n, %w : ...
    ```

    A map in front of a `transpose`, or one value's in front of a `reshape`, goes
    behind it.

    Refuses: an input that is not there or holds integers, lists of another
    length.
  }];
  let options = [
    Option<"input", "input", "std::string", "\"\"", "the input's name">,
    Option<"axis", "axis", "int64_t", "1", "the axis of channels">,
    ListOption<"scale", "scale", "double", "values of a step">,
    ListOption<"shift", "shift", "double", "values of byte 0">,
  ];
  let dependentDialects = ["::mlir::qopt::QoptDialect"];
}

def FoldQdq : Pass<"qopt-fold-qdq", "::mlir::func::FuncOp"> {
  let summary = "Turn the scales of an imported model into decisions";
  let description = [{
    A model that arrives quantized rounds its values with a `quantize` and a
    `dequantize` behind it. Each such pair becomes a `qopt.observe` that carries
    its scale and zero point and has the method `imported`; a second pair on
    the same value follows the first. What the pair saturates becomes part of
    the clamp of the op before it, so that the float model leaves out what the
    model leaves out (a ReLU that its zero point stands for, for one).

    ```mlir
    %c = qopt.conv %x, %w : ...
    %q = qopt.quantize %c : tensor<1x8xf32> -> tensor<1x8x!quant.uniform<i8:f32, 0.5:-128>>
    %y = qopt.dequantize %q : ...
    // becomes
    %c = qopt.conv %x, %w {activation = #qopt.fn<clip, 0.0, 127.5>} : ...
    %y = qopt.observe %c "c" {method = "imported", scale = 5.0e-1 : f32, zero_point = -128 : i64} : ...
    ```

    Ops that pass a scale on (`reshape`, `max_pool`, ...) pass it to their
    operands too where nothing else reads those, and an observer that repeats
    the scale in front of such an op goes.

    Leaves alone: a `dequantize` of a constant, which is an imported weight; a
    `quantize` with a per-axis or narrowed type or another reader.
  }];
}

def Simplify : Pass<"qopt-simplify", "::mlir::func::FuncOp"> {
  let summary = "Fold batch norms, constants and moves of values";
  let description = [{
    Brings a float graph into its smallest equivalent form:

    - `batch_norm`, scalar `affine` functions and multiplications or additions
      of per-channel constants fold into a neighbouring `conv` or `gemm`; what
      is left of `batch_norm` becomes a depthwise 1x1 `conv`;
    - ops on constants are evaluated;
    - chains of `reshape` and of `transpose` merge, a `transpose` that moves
      only axes of length one becomes a `reshape`;
    - a `pad` with zeros moves into the `pads` of the `conv` or `max_pool` that
      reads it;
    - padding of an affine function of bytes becomes a border of those bytes
      that the function takes to 0;
    - identities and unused values go.

    ```mlir
    %c = qopt.conv %x, %w : ...
    %y = qopt.batch_norm %c, %scale, %shift : ...
    // becomes, with weights w scale and a bias shift
    %y = qopt.conv %x, %w_scaled, %shift : ...
    ```

    Leaves alone: a `conv` with a second user, one that already has an
    activation (nothing folds behind it), a `batch_norm` in front of a padded
    `conv` (padding is zero after the shift, not before), a `pad` whose value
    the reader's padding does not mean.
  }];
}

def FuseNormalization : Pass<"qopt-fuse-normalization", "::mlir::func::FuncOp"> {
  let summary = "Recognize normalizations and softmax that are written out";
  let description = [{
    A quotient by the deviation of its own dividend becomes a `layer_norm`, as
    does a product with its inverse, also of both terms of a difference; so do
    quotients by a norm. Products and sums with constants behind a
    normalization, or behind its reshape, become its factors.

    ```mlir
    %m = qopt.reduce_mean %x axes [2] : ...
    %d = qopt.sub %x, %m : ...
    %s = qopt.unary %d [#qopt.fn<pow, 2.0>] : ...
    %v = qopt.reduce_mean %s axes [2] : ...
    %r = qopt.unary %v [#qopt.fn<affine, 1.0, 1.0e-05>, #qopt.fn<sqrt>] : ...
    %q = qopt.div %d, %r : ...
    %y = qopt.mul %q, %gamma : ...
    // becomes
    %y = qopt.layer_norm %x axes [2] {epsilon = 1.0e-05 : f64, gamma = dense<...>} : ...
    ```

    A variance that is left, `mean(x^2) - mean(x)^2`, becomes the mean of
    `(x - mean(x))^2`. Exponentials over their sum become a `softmax`, logits
    less the logarithm of that sum a `log_softmax`; what is taken off all logits
    of a row goes.

    Leaves alone: means over other axes than the variance's, a divisor to which
    something is added behind the root, factors behind a normalization with
    another reader, exponentials of other logits or over axes that are not
    neighbours.
  }];
}

def FuseAttention : Pass<"qopt-fuse-attention", "::mlir::func::FuncOp"> {
  let summary = "Divide behind products with softmax";
  let description = [{
    A `softmax` along the last axis that only the left side of a `matmul` reads
    becomes an `attend` with it: its weights need no range of their own, and
    integers are divided once, behind the sum.

    ```mlir
    %p = qopt.softmax %x axis 2 : ...
    %y = qopt.matmul %p, %v : ...
    // becomes
    %y = qopt.attend %x, %v : ...
    ```

    Leaves alone: a `softmax` with another reader or axis, one that has a scale
    of its own because the model arrived quantized.
  }];
}

def BoundMasks : Pass<"qopt-bound-masks", "::mlir::func::FuncOp"> {
  let summary = "Raise what masks logits to -1024";
  let description = [{
    What is added to the logits of a `softmax` to mask them, -1e9 or the least
    float, needs a range in which the logits themselves would all be 0. Masked,
    they have no weight at -1024 either: constants are raised to it, functions
    with factors or offsets beyond it get a clamp.

    ```mlir
    %m = qopt.constant dense<[0.0, -1.0e9]> : ...
    %s = qopt.add %x, %m : ...
    %y = qopt.softmax %s axis 1 : ...
    // becomes
    %m = qopt.constant dense<[0.0, -1.024e3]> : ...
    %s = qopt.add %x, %m : ...
    %y = qopt.softmax %s axis 1 : ...
    ```

    Leaves alone: values that anything but sums and moves before a `softmax`
    reads; sums that end with a clamp.
  }];
}

def FuseFunctions : Pass<"qopt-fuse-functions", "::mlir::func::FuncOp"> {
  let summary = "Make expressions of one value one chain of functions";
  let description = [{
    Sums, differences, products, quotients, minima and maxima whose operands are
    all functions of one value (and of scalar constants) become a `unary` of the
    nearest such value: one table with one rounding. So do the activations that
    exporters write out, whatever their form:

    ```mlir
    %s = qopt.unary %x [#qopt.fn<sigmoid>] : ...
    %y = qopt.mul %x, %s : ...
    // becomes
    %y = qopt.unary %x [#qopt.fn<push>, #qopt.fn<sigmoid>, #qopt.fn<mul>] : ...
    ```

    A part of the expression that has another reader stays beside the table. A
    function that several functions read, and nothing else, becomes part of each
    of them.

    Leaves alone: a clamp that several read, operands of other shapes than the result, constants whose
    elements differ, expressions of more than 64 functions.
  }];
}

def FuseActivation : Pass<"qopt-fuse-activation", "::mlir::func::FuncOp"> {
  let summary = "Move clamps into their producer, join chains of functions";
  let description = [{
    Moves a `relu` or `clip` into the op that computes its input, also where a
    `reshape` or `transpose` lies between, so that later passes observe and
    quantize one value instead of two, and joins `unary` ops in a row, which
    become one table.

    ```mlir
    %c = qopt.conv %x, %w : ...
    %r = qopt.unary %c [#qopt.fn<relu>] : ...
    %y = qopt.unary %r [#qopt.fn<tanh>] : ...
    // becomes
    %c = qopt.conv %x, %w {activation = #qopt.fn<relu>} : ...
    %y = qopt.unary %c [#qopt.fn<tanh>] : ...
    ```

    Leaves alone: a producer with a second user, because that user still needs
    the value before the clamp; a producer that has an activation; a `unary`
    whose first function is not a clamp.
  }];
}

def EqualizeChannels : Pass<"qopt-equalize-channels", "::mlir::func::FuncOp"> {
  let summary = "Bring the channels between layers to one size";
  let description = [{
    Between layers (`conv`, `gemm`) a channel's weights and bias in the layers
    that make it can be divided by what its weights in the layers that read it
    are multiplied by. The factor is the square root of the ratio of the largest
    weights on both sides, against the middle channel's, as the nearest power of
    two: the float model computes the same bits, and one scale serves all
    channels of the value between. Channels less than an octave off stay.

    A `layer_norm` with one `gamma` a channel makes values for layers too
    (SmoothQuant): a channel reaches three times its `gamma`, and its `beta`.

    Sums of equal shapes, pools, means over rows and columns, and flattened
    images hand channels on; all layers around them then share a channel's
    factor. What makes such a value says so in `qopt.channel_scale`: the axis of
    the channels, `by` what they were scaled (`weights`, or `norms` for what a
    normalization makes), and the exponents.

    ```mlir
    %a = qopt.conv %x, %w {activation = #qopt.fn<relu>} : ...
    %y = qopt.conv %a, %v : ...
    // becomes, with w[c] divided and v[:, c] multiplied by 2^k[c]
    %a = qopt.conv %x, %w {activation = #qopt.fn<relu>,
        qopt.channel_scale = {axis = 1 : i64, by = "weights",
                              exponents = array<i32: 3, 0, -1>}} : ...
    %y = qopt.conv %a, %v : ...
    ```

    Leaves alone: values with another maker or reader, other activations than
    `relu` (a clip has its bounds in real values), channels whose weights are
    all 0 on a side, imported weights.
  }];
  let options = [
    Option<"weights", "weights", "bool", "true",
           "scale what layers alone make">,
    Option<"norms", "norms", "bool", "true",
           "scale what normalizations make">
  ];
}

def InsertObservers : Pass<"qopt-insert-observers", "::mlir::func::FuncOp"> {
  let summary = "Mark every value whose range matters";
  let description = [{
    Puts one `qopt.observe` behind each argument and behind each op that owns a
    scale. Ops that only move values share their operand's scale and get none,
    except where they bring several values together (`concat`, a `pad` with
    another value than zero). The `id` is the argument's `qopt.name` or the
    op's `qopt.value` (the op's name and a number where there is none); a
    second use of an id gets a number.

    ```mlir
    %y = qopt.conv %x, %w {qopt.value = "conv1"} : ...
    // becomes
    %c = qopt.conv %x, %w {qopt.value = "conv1"} : ...
    %y = qopt.observe %c "conv1" {method = "mse"} : ...
    ```

    A value that leaves the model and has no other reader gets `output-bits`.
    Where it passes ops that share a scale on its way, the value that owns the
    scale does.

    What `layer_norm` reads has 16 bits, as have the operands of the `add` or
    `sub` that makes it, where nothing else than these ops reads them.

    With `power-of-two` every scale will be one.

    With `wide-sums`, an operand of `add` or `sub` that nothing else reads has
    16 bits too: the sum then rounds once. With `wide-tables`, a value that only
    functions without jumps and poles read has 16 bits too: a table behind a
    rounding to 8 bits loses more by it than by its own.

    Leaves alone: constants, values that are observed. Refuses: bits other than
    8 and 16, arguments without a static shape.
  }];
  let options = [
    Option<"bits", "bits", "int64_t", "8", "bits of activations, 8 or 16">,
    Option<"symmetric", "symmetric", "bool", "false",
           "activations with zero point 0">,
    Option<"method", "method", "std::string", "\"mse\"",
           "range method: minmax, mean-minmax, percentile:P, entropy, mse">,
    Option<"powerOfTwo", "power-of-two", "bool", "false",
           "scales are powers of two">,
    Option<"outputBits", "output-bits", "int64_t", "16",
           "bits of graph outputs, 8 or 16">,
    Option<"wideSums", "wide-sums", "bool", "false",
           "16 bits for values that only an addition reads">,
    Option<"wideTables", "wide-tables", "bool", "false",
           "16 bits for values that only smooth functions read">,
  ];
  let dependentDialects = ["::mlir::qopt::QoptDialect"];
}

def FoldStatistics : Pass<"qopt-fold-statistics", "::mlir::func::FuncOp"> {
  let summary = "Choose scales and zero points from calibration statistics";
  let description = [{
    Gives each `qopt.observe` a `scale` and a `zero_point` by its `bits`,
    `symmetric` and `method`, from the statistics of its `id` in the `.qcal`
    file `statistics`. A range ends where the producer's clamp does. Operands of
    a `concat` share the range of all of them where their ranges lie within a
    factor of four. A value of more than 8 bits gets twice its calibrated range,
    so that inputs which calibration did not see do not saturate it, and where
    `hard_swish` or `hard_sigmoid` alone reads it, a little more: so that the
    function's kinks lie between two segments of its piecewise table. The result of a
    `softmax` has its scale by definition; what it reads has a range that leaves
    out masked values (docs/arithmetic.md, "Range choice").

    ```mlir
    %y = qopt.observe %c "conv1" : ...
    // becomes
    %y = qopt.observe %c "conv1" {scale = 2.5e-2 : f32, zero_point = -128 : i64} : ...
    ```

    Leaves alone: an observer that has a scale.
  }];
  let options = [
    Option<"statistics", "statistics", "std::string", "\"\"",
           "the .qcal file">,
  ];
}

def Quantize : Pass<"qopt-quantize", "::mlir::func::FuncOp"> {
  let summary = "Rewrite observed values to quantized types";
  let description = [{
    Turns what the observers decided into `!quant.uniform` types: activations
    per tensor, weights `i8<-127:127>` per output channel, biases `i32` at the
    product of the scales. With `weight-bits` of 4 or 2 weights are in `[-7, 7]`
    or `[-1, 1]`, with `weight-group` also these times a multiple of their group
    (docs/arithmetic.md, "Weight quantization"). `qopt.quantize` and `qopt.dequantize` stand at the
    arguments and results, `qopt.requantize` where an operand of an op that
    moves values has another scale than its result. An observer's `id` stays as
    `qopt.value` of the op.

    ```mlir
    %c = qopt.gemm %x, %w : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<1x2xf32>
    %y = qopt.observe %c "y" {scale = 0.5 : f32, zero_point = 0 : i64} : ...
    // becomes
    %y = qopt.gemm %q, %wq {qopt.value = "y"} : ... -> tensor<1x2x!quant.uniform<i8:f32, 5.0e-1>>
    ```

    Refuses, naming all of them: values without a decided scale, weights that
    are not constants, ops that no integer form exists for.
  }];
  let options = [
    Option<"perChannel", "per-channel", "bool", "true",
           "one weight scale an output channel">,
    Option<"symmetricWeights", "symmetric-weights", "bool", "true",
           "weights with zero point 0, the only form so far">,
    Option<"clipWeights", "clip-weights", "bool", "true",
           "search the weight scale of least squared error">,
    Option<"powerOfTwo", "power-of-two", "bool", "false",
           "scales of weights and constants are powers of two">,
    Option<"weightBits", "weight-bits", "int64_t", "8",
           "bits of weights: 8, 4 or 2">,
    Option<"weightGroup", "weight-group", "int64_t", "0",
           "input channels that share a multiple of their channel's scale">,
  ];
  let dependentDialects = ["::mlir::qopt::QoptDialect"];
}

def WeightsOnly : Pass<"qopt-weights-only", "::mlir::func::FuncOp"> {
  let summary = "Quantize weights and leave activations float";
  let description = [{
    Gives each layer of a float model the integers that its constant weight is
    quantized to, behind a `qopt.dequantize`, for a simulation and for ONNX files. Bits and groups stay
    with the layer as `qopt.weight_bits` and `qopt.weight_group`. Biases stay
    float, so that no scale depends on them; observers are erased. A weight that is the
    `qopt.dequantize` of a constant already keeps its integers.

    ```mlir
    %y = qopt.gemm %x, %w : ...
    // becomes
    %d = qopt.dequantize %q : tensor<2x4x!quant.uniform<i8<-127:127>:f32:0, {...}>> -> tensor<2x4xf32>
    %y = qopt.gemm %x, %d : ...
    ```

    Leaves alone: weights that are no float constants or whose output channels are not first.
  }];
  let options = [
    Option<"perChannel", "per-channel", "bool", "true",
           "one weight scale an output channel">,
    Option<"powerOfTwo", "power-of-two", "bool", "false",
           "scales of weights are powers of two">,
    Option<"weightBits", "weight-bits", "int64_t", "8",
           "bits of weights: 8, 4 or 2">,
    Option<"weightGroup", "weight-group", "int64_t", "0",
           "input channels that share a multiple of their channel's scale">,
  ];
}

def RewriteToDynamic : Pass<"qopt-rewrite-to-dynamic", "::mlir::func::FuncOp"> {
  let summary = "Rewrite float ops to integers with scales found at run time";
  let description = [{
    Takes a float function whose weights `qopt-weights-only` made integers to
    integer arithmetic alone (docs/arithmetic.md, "Dynamic scales"): layers give
    their accumulators, whose largest magnitude decides the next scale. Inputs and
    outputs hold the bits of float32 values. Indices of axis 0 are samples with
    scales of their own where every op keeps them apart.

    ```mlir
    %y = qopt.gemm %x, %w, %b : ...
    // becomes
    %g = qint.real_grid %x : ...
    %v = qint.real_to_grid %x, %g : ...
    %s = qint.grid_scale %v, %g {steps = 127 : i32} : ...
    %q = qint.grid_quantize %v, %s {zero_point = 0 : i32} : ...
    %h = qint.layer_grid %s {...} : ...
    %acc = qint.gemm %q, %wq {...} : (tensor<1x4xi8>, tensor<8x4xi8>) -> tensor<1x8xi32>
    %u = qint.layer_to_grid %acc, %h {...} : ...
    %y = qint.grid_to_real %u, %h : ...
    ```

    Leaves nothing alone: an op that has no such form is an error that names
    each.
  }];
  let dependentDialects = ["::mlir::qint::QintDialect"];
}

def RewriteToQint : Pass<"qopt-rewrite-to-qint", "::mlir::func::FuncOp"> {
  let summary = "Rewrite quantized ops to integer arithmetic";
  let description = [{
    Replaces each quantized op by its `qint` op with the multipliers, shifts,
    clamps and tables of `docs/arithmetic.md`. Arguments and results become
    integers; `qint.scale` and `qint.zero_point` on them say what they mean.

    ```mlir
    %y = qopt.max_pool %x {kernel = array<i64: 2, 2>} : (tensor<1x1x4x4x!quant.uniform<i8:f32, 0.5>>) -> ...
    // becomes
    %y = qint.max_pool %x {kernel = array<i64: 2, 2>} : (tensor<1x1x4x4xi8>) -> ...
    ```

    Refuses, naming all of them: ops without an integer form, layers whose
    accumulator may leave 32 bits, scales whose ratio no multiplier holds.
  }];
  let dependentDialects = ["::mlir::qint::QintDialect"];
}

#endif // QOPT_TRANSFORMS_PASSES_TD
