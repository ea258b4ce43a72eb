# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Forms in which exporters write operators, as small models for check_forms.py.

A form is a few nodes from the input x to the output y; shapes left open and names
left out are as exporters leave them."""

import dataclasses

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
IMAGE = [1, 4, 12, 12]
RNG = np.random.default_rng(0)
node = helper.make_node


def random(*shape):
    return (RNG.standard_normal(shape) * 0.3).astype(np.float32)


def positive(*shape):
    return np.abs(random(*shape)) + np.float32(0.5)


def ints(*values):
    return np.array(values, np.int64)


def floats(*values):
    return np.array(values, np.float32)


@dataclasses.dataclass
class Form:
    """One model. `shapes` are bound by --shape; a form that `may_be_refused` is
    outside of what qopt promises."""
    name: str
    nodes: list
    shape: list = dataclasses.field(default_factory=lambda: IMAGE)
    constants: dict = dataclasses.field(default_factory=dict)
    opset: int = 17
    type: int = FLOAT
    outputs: tuple = ("y",)
    output_type: int = 0
    shapes: dict = dataclasses.field(default_factory=dict)
    functions: tuple = ()
    domains: tuple = ()
    may_be_refused: bool = False

    def make(self):
        constants = [numpy_helper.from_array(np.asarray(value), name)
                     for name, value in self.constants.items()]
        value = helper.make_tensor_value_info
        inputs = [value("x", self.type, self.shape)]
        old = self.opset < 9
        if old:  # Initializers had to be inputs.
            inputs += [value(tensor.name, tensor.data_type, tensor.dims) for tensor in constants]
        graph = helper.make_graph(
            self.nodes, self.name, inputs,
            [value(name, self.output_type or self.type, None) for name in self.outputs], constants)
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, 1) for domain in self.domains]
        model = helper.make_model(graph, opset_imports=opsets, functions=list(self.functions))
        model.ir_version = 3 if old else 10 if self.opset > 18 else 8
        return model


def one(name, op, *more, opset=17, shape=None, constants=None, refused=False, **attributes):
    """A node of x and `more`."""
    return Form(name, [node(op, ["x", *more], ["y"], **attributes)], shape or IMAGE, constants or {},
                opset, may_be_refused=refused)


def windows():
    for auto_pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        for stride in (1, 2, 3):
            same = {"auto_pad": auto_pad, "strides": [stride, stride]}
            mark = f"{auto_pad.lower()}_{stride}"
            for kernel in ([3, 3], [4, 2]):
                yield one(f"conv{kernel[0]}_{mark}", "Conv", "w", constants={"w": random(6, 4, *kernel)}, **same)
            yield one(f"conv_transpose_{mark}", "ConvTranspose", "w", constants={"w": random(4, 6, 3, 3)}, **same)
            # ONNX Runtime moves windows that are smaller than their stride.
            kernel = [3, 3 if stride == 3 else 2]
            yield one(f"max_pool_{mark}", "MaxPool", kernel_shape=kernel, **same)
            for count in (0, 1):
                yield one(f"average_pool_{mark}_{count}", "AveragePool", kernel_shape=kernel,
                          count_include_pad=count, **same)
    for kernel, stride, pad in ((3, 2, 1), (2, 2, 0), (3, 2, 0), (5, 3, 2), (3, 3, 1)):
        for ceil in (0, 1):
            sizes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4, "ceil_mode": ceil}
            mark = f"{kernel}{stride}{pad}_ceil{ceil}"
            yield one(f"max_pool_{mark}", "MaxPool", shape=[1, 4, 11, 13], **sizes)
            for count in (0, 1):
                yield one(f"average_pool_{mark}_{count}", "AveragePool", opset=19, shape=[1, 4, 11, 13],
                          count_include_pad=count, **sizes)
    yield one("average_pool_dilated", "AveragePool", opset=19, kernel_shape=[3, 3], dilations=[2, 2], pads=[1] * 4)
    yield one("max_pool_dilated", "MaxPool", kernel_shape=[3, 3], dilations=[2, 2], pads=[1] * 4)
    yield one("max_pool_uneven", "MaxPool", kernel_shape=[3, 3], pads=[0, 1, 2, 1], strides=[2, 2])
    yield one("conv_uneven", "Conv", "w", constants={"w": random(6, 4, 3, 3)}, pads=[0, 1, 2, 1], strides=[2, 2])
    yield one("conv_1d", "Conv", "w", shape=[1, 4, 30], constants={"w": random(6, 4, 3)}, pads=[1, 1])
    yield one("conv_3d", "Conv", "w", shape=[1, 4, 6, 6, 6], constants={"w": random(6, 4, 3, 3, 3)})
    yield one("max_pool_3d", "MaxPool", shape=[1, 4, 6, 6, 6], kernel_shape=[2] * 3, strides=[2] * 3)
    yield one("conv_groups", "Conv", "w", constants={"w": random(8, 2, 3, 3)}, group=2)
    yield one("conv_transpose_groups", "ConvTranspose", "w", constants={"w": random(4, 3, 3, 3)}, group=2,
              strides=[2, 2], output_padding=[1, 1], pads=[1] * 4)
    yield one("conv_transpose_shape", "ConvTranspose", "w", constants={"w": random(4, 3, 3, 3)}, strides=[2, 2],
              output_shape=[24, 24])
    yield one("conv_transpose_dilated", "ConvTranspose", "w", constants={"w": random(4, 3, 3, 3)}, dilations=[2, 2])


def resizes():
    roundings = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
    for mode in ("nearest", "linear", "cubic"):
        for place in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"):
            for rounding in roundings if mode == "nearest" else roundings[2:3]:
                yield one(f"resize_{mode}_{place}_{rounding}", "Resize", "", "", "size",
                          opset=19 if place == "half_pixel_symmetric" else 13,
                          constants={"size": ints(1, 4, 17, 23)}, mode=mode,
                          coordinate_transformation_mode=place, nearest_mode=rounding)
    yield one("resize_scales", "Resize", "", "s", opset=13, constants={"s": floats(1, 1, 2, 1.5)}, mode="linear")
    yield one("resize_antialias", "Resize", "", "s", opset=18, constants={"s": floats(1, 1, .5, .5)}, refused=True,
              mode="linear", antialias=1)
    for policy in ("stretch", "not_larger", "not_smaller"):
        yield one(f"resize_axes_{policy}", "Resize", "", "", "s", opset=18, shape=[1, 4, 10, 14],
                  constants={"s": ints(24, 24)}, axes=[2, 3], keep_aspect_ratio_policy=policy)
    yield one("resize_crop", "Resize", "roi", "", "s", opset=13, refused=True, mode="linear",
              constants={"roi": floats(0, 0, .1, .2, 1, 1, .9, .8), "s": ints(1, 4, 8, 8)},
              coordinate_transformation_mode="tf_crop_and_resize")
    yield one("resize_10", "Resize", "s", opset=10, constants={"s": floats(1, 1, 2, 2)})
    yield one("upsample_7", "Upsample", opset=7, scales=[1., 1., 2., 2.])
    yield one("upsample_9", "Upsample", "s", opset=9, constants={"s": floats(1, 1, 2, 2)}, mode="linear")


def axes():
    for op in ("Softmax", "LogSoftmax"):
        yield one(f"{op}_last", op, axis=-1)
        yield one(f"{op}_inner", op, axis=2)
        yield one(f"{op}_flattens", op, opset=11, axis=1)
        yield one(f"{op}_default_11", op, opset=11)
    yield one("concat_negative", "Concat", "x", "x", axis=-2)
    yield one("flatten_negative", "Flatten", opset=13, axis=-2)
    for name, opset, more, constants, attributes in (
            ("13", 13, ["a"], {"a": ints(-2)}, {}), ("11", 11, [], {}, {"axes": [-2]}), ("all", 13, [], {}, {})):
        yield one(f"squeeze_{name}", "Squeeze", *more, opset=opset, shape=[1, 4, 1, 6], constants=constants, **attributes)
    yield one("unsqueeze_negative", "Unsqueeze", "a", opset=13, shape=[1, 4, 6], constants={"a": ints(-1, 1)})
    for op in ("Mean", "Sum", "Max", "Min", "L1", "L2", "LogSumExp", "SumSquare"):
        op = "Reduce" + op
        yield one(f"{op}_all", op)
        yield one(f"{op}_12", op, opset=12, axes=[-1, -3], keepdims=0)
        yield one(f"{op}_18", op, "a", opset=20, constants={"a": ints(-1, 1)}, keepdims=0)
        yield one(f"{op}_no_axes", op, "a", opset=18, constants={"a": ints()})
        yield Form(f"{op}_nothing", [node(op, ["x"], ["r"], noop_with_empty_axes=1), node("Relu", ["r"], ["y"])],
                   opset=18)


def moves():
    for mode in ("constant", "reflect", "edge", "wrap"):
        yield one(f"pad_{mode}", "Pad", "p", opset=19, constants={"p": ints(0, 0, 1, 2, 0, 0, 3, 1)}, mode=mode)
    yield one("pad_axes", "Pad", "p", "", "a", opset=18, constants={"p": ints(1, 2, 3, 0), "a": ints(-1, -2)})
    yield one("pad_value", "Pad", "p", "v", opset=13,
              constants={"p": ints(0, 0, 1, 2, 0, 0, 3, 1), "v": np.float32(.7)})
    yield one("pad_negative", "Pad", "p", opset=13, constants={"p": ints(0, 0, -1, 2, 0, 0, 3, -2)})
    yield one("pad_10", "Pad", opset=10, pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.3)
    yield Form("split_count", [node("Split", ["x"], ["a", "b", "c"], axis=3, num_outputs=3),
                               node("Sum", ["a", "b"], ["y"])], opset=18)
    yield Form("split_uneven", [node("Split", ["x"], ["a", "b"], axis=-1, num_outputs=2),
                                node("Relu", ["b"], ["y"])], [1, 4, 6, 7], opset=18)
    back = node("Concat", ["b", "a"], ["y"], axis=1)
    yield Form("split_13", [node("Split", ["x", "s"], ["a", "b"], axis=1), back], constants={"s": ints(1, 3)}, opset=13)
    yield Form("split_11", [node("Split", ["x"], ["a", "b"], axis=1, split=[1, 3]), back], opset=11)
    yield one("slice_backwards", "Slice", "s", "e", "a", "t", opset=13, constants={
        "s": ints(-1, 2), "e": ints(-100, 2**62), "a": ints(-1, -2), "t": ints(-2, 3)})
    yield one("slice_9", "Slice", opset=9, starts=[1, 0], ends=[3, -2], axes=[1, 3])
    yield one("gather_negative", "Gather", "i", constants={"i": ints(-1, 0, 3)}, axis=-1)
    yield one("gather_scalar", "Gather", "i", constants={"i": np.int64(-2)}, axis=2)
    yield one("expand", "Expand", "s", shape=[1, 4, 1, 6], constants={"s": ints(3, 1)})
    yield one("tile", "Tile", "s", shape=[1, 2, 3], constants={"s": ints(1, 2, 3)})
    yield one("depth_to_space", "DepthToSpace", blocksize=2, mode="CRD")
    yield one("depth_to_space_7", "DepthToSpace", opset=7, blocksize=2)
    yield one("space_to_depth", "SpaceToDepth", blocksize=2)
    yield one("scatter_nd", "ScatterND", "i", "u", shape=[1, 4, 6], constants={"i": ints(0).reshape(1, 1), "u": random(1, 4, 6)})
    yield Form("transpose_6", [node("Transpose", ["x"], ["t"], perm=[5, 3, 1, 0, 2, 4]), node("Relu", ["t"], ["y"])],
               [2, 3, 2, 3, 2, 3])


def products():
    for name, equation, shape, weight in (
            ("batch", "bij,jk->bik", [1, 5, 8], [8, 6]), ("channels", "nchw,co->nohw", IMAGE, [4, 6]),
            ("attention", "bhid,bhjd->bhij", [1, 2, 5, 8], None), ("transpose", "abc->cab", [1, 5, 8], []),
            ("sum", "abc->ac", [1, 5, 8], []), ("ellipsis", "...j,jk->...k", [1, 5, 8], [8, 6]),
            ("outer", "ab,c->abc", [1, 8], [6]), ("elements", "abc,abc->abc", [1, 5, 8], None),
            ("diagonal", "...ii->...i", [1, 5, 8, 8], []), ("trace", "abb->a", [1, 8, 8], []),
            ("ellipsis_sum", "...jk->...j", [1, 5, 8], []), ("ellipsis_left", "jk,...k->...j", [6, 8], [5, 8]),
            ("implicit", "ij,jk", [1, 8], [8, 6])):
        more = ["x"] if weight is None else ["w"] if weight else []
        yield one(f"einsum_{name}", "Einsum", *more, shape=shape, constants={"w": random(*weight)} if weight else {},
                  equation=equation)
    yield one("einsum_three", "Einsum", "w", "v", shape=[1, 9, 8], equation="nab,bc,cd->nad",
              constants={"w": random(8, 6), "v": random(6, 5)})
    yield one("gemm_transposed", "Gemm", "w", "c", shape=[8, 1], constants={"w": random(6, 8), "c": random(6)},
              transA=1, transB=1, alpha=.5, beta=2.)
    yield one("gemm_no_bias", "Gemm", "w", shape=[1, 8], constants={"w": random(8, 6)}, opset=11)
    yield one("gemm_scalar_bias", "Gemm", "w", "c", shape=[1, 8], constants={"w": random(8, 6), "c": np.float32(.3)}, opset=11)
    yield one("gemm_7", "Gemm", "w", "c", shape=[1, 8], constants={"w": random(8, 6), "c": random(1, 6)}, opset=7)
    yield one("matmul_vector", "MatMul", "w", shape=[1, 5, 8], constants={"w": random(8)})
    yield one("matmul_broadcast", "MatMul", "w", shape=[1, 1, 5, 8], constants={"w": random(3, 8, 4)})
    yield Form("matmul_left", [node("MatMul", ["w", "x"], ["y"])], [1, 5, 8], {"w": random(6, 5)})


def norms():
    statistics = {"s": positive(4), "b": random(4), "m": random(4), "v": positive(4)}
    for opset, attributes in ((7, {}), (9, {"momentum": .9}), (15, {"training_mode": 0})):
        yield one(f"batch_norm_{opset}", "BatchNormalization", "s", "b", "m", "v", opset=opset, constants=statistics,
                  **attributes)
    for opset, groups in ((18, 2), (21, 4)):
        yield one(f"group_norm_{opset}", "GroupNormalization", "s", "b", opset=opset, num_groups=2,
                  constants={"s": positive(groups), "b": random(groups)})
    yield one("instance_norm", "InstanceNormalization", "s", "b", constants={"s": positive(4), "b": random(4)})
    yield one("layer_norm", "LayerNormalization", "s", "b", constants={"s": positive(12), "b": random(12)})
    yield one("layer_norm_no_bias", "LayerNormalization", "s", constants={"s": positive(12)})
    yield one("rms_norm", "RMSNormalization", "s", opset=23, constants={"s": positive(12)}, refused=True)
    yield one("lrn", "LRN", size=3)
    for p in (1, 2):
        yield one(f"lp_norm_{p}", "LpNormalization", axis=-p, p=p)
        yield one(f"lp_pool_{p}", "LpPool", kernel_shape=[2, 2], refused=True, p=p)
        yield one(f"global_lp_pool_{p}", "GlobalLpPool", refused=True, p=p)


def functions():
    for op in ("Relu", "Sigmoid", "Tanh", "Elu", "Selu", "Softplus", "Softsign", "Erf", "Exp", "Abs", "Neg", "Sign",
               "Floor", "Ceil", "Round", "HardSigmoid", "HardSwish", "Identity", "Celu", "ThresholdedRelu", "LeakyRelu"):
        yield one(f"function_{op}", op)
    for op in ("Sin", "Cos", "Atan", "Sinh", "Cosh", "Asinh", "Shrink"):
        yield one(f"function_{op}", op)
    for op, low, high in (("Tan", -1.2, 1.2), ("Asin", -1., 1.), ("Acos", -1., 1.), ("Atanh", -.9, .9), ("Acosh", 1., 9.)):
        yield Form(f"function_{op}", [node("Clip", ["x", "l", "h"], ["c"]), node(op, ["c"], ["y"])],
                   constants={"l": np.float32(low), "h": np.float32(high)})
    yield Form("is_nan", [node("Softmax", ["x"], ["s"]), node("IsNaN", ["s"], ["n"]),
                          node("Where", ["n", "c", "s"], ["y"])], constants={"c": np.float32(0)})
    yield one("function_Mish", "Mish", opset=18)
    yield one("gelu", "Gelu", opset=20)
    yield one("gelu_tanh", "Gelu", opset=20, approximate="tanh")
    for op in ("Sqrt", "Log", "Reciprocal"):
        yield Form(f"function_{op}", [node("Abs", ["x"], ["a"]), node("Add", ["a", "c"], ["b"]), node(op, ["b"], ["y"])],
                   constants={"c": np.float32(.5)})
    yield one("clip_no_low", "Clip", "", "h", opset=13, constants={"h": np.float32(.5)})
    yield one("clip_no_high", "Clip", "l", opset=13, constants={"l": np.float32(-.5)})
    yield one("clip_7", "Clip", opset=7, min=-.5, max=1.)
    yield Form("clip_nothing", [node("Clip", ["x"], ["c"]), node("Relu", ["c"], ["y"])], opset=13)
    yield one("pow_2", "Pow", "p", constants={"p": np.float32(2)})
    yield one("pow_integer", "Pow", "p", opset=15, constants={"p": np.int64(3)})
    yield one("prelu_scalar", "PRelu", "p", constants={"p": floats(.2)})
    yield one("prelu_channels", "PRelu", "p", constants={"p": random(4, 1, 1)})
    yield Form("where", [node("Greater", ["x", "c"], ["m"]), node("Neg", ["x"], ["n"]),
                         node("Where", ["m", "x", "n"], ["y"])], constants={"c": np.float32(.1)})
    yield Form("min_max", [node("Min", ["x", "a", "b"], ["m"]), node("Max", ["m", "c"], ["y"])],
               constants={"a": np.float32(.5), "b": random(12), "c": np.float32(-.5)})
    for op in ("Max", "Sum", "Mean"):
        yield Form(f"{op}_of_one", [node(op, ["x"], ["a"]), node("Relu", ["a"], ["y"])])
    yield Form("mean_of_three", [node("Abs", ["x"], ["a"]), node("Mean", ["x", "a", "a"], ["y"])])
    yield Form("constant_minus", [node("Sub", ["c", "x"], ["y"])], constants={"c": np.float32(1)})
    yield Form("root_of_square", [node("Mul", ["x", "x"], ["s"]), node("Add", ["s", "e"], ["t"]),
                                  node("Sqrt", ["t"], ["r"]), node("Div", ["x", "r"], ["y"])],
               constants={"e": np.float32(.1)})
    yield Form("minus_mean", [node("ReduceMean", ["x"], ["m"], axes=[1]), node("Sub", ["x", "m"], ["y"])])


def exporters():
    relu = node("Relu", ["d"], ["y"])
    yield Form("dropout_12", [node("Dropout", ["x"], ["d", "mask"]), relu], opset=12)
    yield Form("dropout_7", [node("Dropout", ["x"], ["d"], ratio=.5), relu], opset=7)
    yield Form("dropout_13", [node("Dropout", ["x", "r", "t"], ["d"]), relu], opset=13,
               constants={"r": np.float32(.5), "t": np.array(False)})
    yield Form("constant_float", [node("Constant", [], ["c"], value_float=.5), node("Mul", ["x", "c"], ["y"])])
    yield Form("constant_floats", [node("Constant", [], ["c"], value_floats=[.5] * 12), node("Mul", ["x", "c"], ["y"])])
    yield Form("constant_ints", [node("Constant", [], ["c"], value_ints=[1, -1]), node("Reshape", ["x", "c"], ["y"])])
    yield Form("constant_of_shape", [
        node("Shape", ["x"], ["s"]),
        node("ConstantOfShape", ["s"], ["c"], value=numpy_helper.from_array(floats(.25))),
        node("Add", ["x", "c"], ["y"])])
    yield Form("torch_view", [
        node("Shape", ["x"], ["s"]), node("Gather", ["s", "first"], ["n"]), node("Unsqueeze", ["n", "zero"], ["u"]),
        node("Concat", ["u", "rest"], ["t"], axis=0), node("Reshape", ["x", "t"], ["y"])], ["N", 4, 6, 6],
        {"first": np.int64(0), "zero": ints(0), "rest": ints(-1)}, 13, shapes={"x": [2, 4, 6, 6]})
    yield Form("shape_of_part", [node("Shape", ["x"], ["s"], start=-2, end=4), node("Concat", ["two", "s"], ["t"], axis=0),
                                 node("Reshape", ["x", "t"], ["y"])], constants={"two": ints(2, 2)})
    yield Form("tf2onnx", [
        node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        node("Conv", ["t", "w", "b"], ["c"], auto_pad="SAME_UPPER", strides=[2, 2]), node("Relu", ["c"], ["r"]),
        node("Transpose", ["r"], ["u"], perm=[0, 2, 3, 1]), node("Cast", ["u"], ["v"], to=FLOAT),
        node("Reshape", ["v", "flat"], ["q"]), node("MatMul", ["q", "k"], ["p"]), node("Add", ["p", "d"], ["y"])],
        [1, 12, 12, 3], {"w": random(8, 3, 3, 3), "b": random(8), "flat": ints(-1, 288), "k": random(288, 10),
                         "d": random(10)}, 13)
    yield Form("keras_norm", [
        node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], ["c"], pads=[1] * 4),
        node("Transpose", ["c"], ["u"], perm=[0, 2, 3, 1]), node("Mul", ["u", "g"], ["m"]), node("Add", ["m", "b"], ["a"]),
        node("Clip", ["a", "low", "high"], ["y"])], [1, 8, 8, 3],
        {"w": random(8, 3, 3, 3), "g": random(8), "b": random(8), "low": np.float32(0), "high": np.float32(6)}, 13)
    yield Form("paddle_swish", [
        node("Conv", ["x", "w"], ["c"], pads=[1] * 4), node("Add", ["c", "three"], ["a"]),
        node("Clip", ["a", "zero", "six"], ["k"]), node("Mul", ["c", "k"], ["m"]), node("Div", ["m", "six"], ["y"])],
        [-1, 4, 12, 12], {"w": random(8, 4, 3, 3), "three": floats(3), "zero": np.float32(0), "six": np.float32(6)}, 11)
    yield Form("squeeze_excite", [
        node("Conv", ["x", "w"], ["c"]), node("GlobalAveragePool", ["c"], ["g"]), node("Conv", ["g", "v"], ["a"]),
        node("Relu", ["a"], ["r"]), node("Conv", ["r", "u"], ["d"]), node("HardSigmoid", ["d"], ["s"], alpha=1 / 6),
        node("Mul", ["c", "s"], ["y"])],
        constants={"w": random(8, 4, 1, 1), "v": random(4, 8, 1, 1), "u": random(8, 4, 1, 1)})
    for kind in (np.float16, np.float64):
        weight = {"h": random(6, 4, 3, 3).astype(kind)}
        yield Form(f"weight_{kind.__name__}", [node("Cast", ["h"], ["w"], to=FLOAT), node("Conv", ["x", "w"], ["y"])],
                   constants=weight)
        yield Form(f"all_{kind.__name__}", [node("Conv", ["x", "h"], ["y"])], constants=weight,
                   type=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))
    for opset in range(7, 24):
        yield Form(f"opset_{opset}", [
            node("Conv", ["x", "w"], ["c"], pads=[1] * 4), node("Relu", ["c"], ["r"]),
            node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]), node("Flatten", ["p"], ["f"]),
            node("Gemm", ["f", "g", "h"], ["y"], transB=1)],
            constants={"w": random(6, 4, 3, 3), "g": random(5, 216), "h": random(5)}, opset=opset)


def optimizer(op, *more, shape, constants=None, **attributes):
    """A node that ONNX Runtime's optimizer writes."""
    return Form(op, [node(op, ["x", *more], ["y"], domain="com.microsoft", **attributes)], shape, constants or {},
                domains=("com.microsoft",))


def optimized():
    rows = [1, 5, 8]
    yield optimizer("FusedMatMul", "w", shape=rows, constants={"w": random(6, 8)}, transB=1, alpha=.5)
    yield optimizer("FusedConv", "w", shape=IMAGE, constants={"w": random(6, 4, 3, 3)}, activation="LeakyRelu",
                    activation_params=[.1], pads=[1] * 4)
    summand = optimizer("FusedConv", "w", "b", "x", shape=IMAGE, activation="Relu",
                        constants={"w": random(4, 4, 1, 1), "b": random(4)})
    yield dataclasses.replace(summand, name="FusedConv_summand")
    yield optimizer("Gelu", shape=rows)
    yield optimizer("BiasGelu", "b", shape=rows, constants={"b": random(8)})
    yield optimizer("FastGelu", "b", shape=rows, constants={"b": random(8)})
    yield optimizer("QuickGelu", shape=rows)
    norm = {"s": random(1, 5, 8), "g": positive(8), "b": random(8)}
    yield optimizer("SkipLayerNormalization", "s", "g", "b", shape=rows, constants=norm)
    yield optimizer("SkipSimplifiedLayerNormalization", "s", "g", shape=rows, constants={"s": norm["s"], "g": norm["g"]})
    yield one("SimplifiedLayerNormalization", "SimplifiedLayerNormalization", "g", shape=rows,
              constants={"g": positive(8)}, axis=-1)
    weight = {"w": RNG.integers(-127, 128, (8, 6)).astype(np.int8), "s": np.float32(.01), "z": np.int8(0), "b": random(6)}
    yield optimizer("DynamicQuantizeMatMul", "w", "s", "z", "b", shape=rows, constants=weight)
    packed = {"w": RNG.integers(0, 256, (6, 3, 8)).astype(np.uint8), "s": positive(18) * np.float32(.1),
              "z": RNG.integers(0, 256, 12).astype(np.uint8)}
    yield optimizer("MatMulNBits", "w", "s", "z", shape=[1, 5, 40], constants=packed, K=40, N=6, bits=4, block_size=16)


def graphs():
    yield Form("equal_names", [node(op, [a], [b], name="n") for op, a, b in
                               (("Relu", "x", "a"), ("Neg", "a", "b"), ("Abs", "b", "y"))])
    yield Form("two_outputs", [node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["z"])], outputs=("y", "z"))
    yield Form("output_is_input", [node("Relu", ["x"], ["y"]), node("Identity", ["x"], ["z"])], outputs=("y", "z"))
    yield Form("scalar_output", [node("ReduceMean", ["x"], ["y"], keepdims=0)])
    yield one("rank_1", "Relu", shape=[7])
    value = helper.make_tensor_value_info
    branches = {f"{name}_branch": helper.make_graph([node(op, ["x"], [name])], name, [], [value(name, FLOAT, None)])
                for name, op in (("then", "Relu"), ("else", "Neg"))}
    yield Form("if_constant", [node("If", ["c"], ["y"], **branches)], constants={"c": np.array(True)})
    body = helper.make_graph(
        [node("Add", ["s", "x"], ["t"]), node("Identity", ["go"], ["on"])], "body",
        [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("s", FLOAT, None)],
        [value("on", TensorProto.BOOL, []), value("t", FLOAT, None)])
    yield Form("loop_constant", [node("Loop", ["n", "c", "x"], ["y"], body=body)],
               constants={"n": np.int64(3), "c": np.array(True)})
    function = helper.make_function("own", "Swish", ["a"], ["b"], [node("Sigmoid", ["a"], ["s"]), node("Mul", ["a", "s"], ["b"])],
                                    [helper.make_opsetid("", 17)])
    yield Form("function", [node("Swish", ["x"], ["y"], domain="own")], functions=(function,), domains=("own",))
    yield Form("foreign_domain", [node("Foo", ["x"], ["y"], domain="acme")], domains=("acme",), may_be_refused=True)
    yield Form("top_k", [node("TopK", ["x", "k"], ["y", "i"])], constants={"k": ints(3)}, may_be_refused=True)
    yield one("nonzero", "NonZero", refused=True)
    for op, gates in (("LSTM", 4), ("GRU", 3)):
        yield one(op.lower(), op, "w", "r", shape=[5, 1, 4], refused=True, hidden_size=8,
                  constants={"w": random(1, 8 * gates, 4), "r": random(1, 8 * gates, 8)})
    yield one("hardmax", "Hardmax", shape=[1, 8], refused=True)
    yield one("cumsum", "CumSum", "a", shape=[1, 8], constants={"a": np.int64(1)})
    yield one("cumsum_inner", "CumSum", "a", shape=[1, 8, 3], constants={"a": np.int64(-2)}, exclusive=1, reverse=1)
    yield one("trilu", "Trilu", shape=[1, 8, 8])
    yield one("trilu_lower", "Trilu", "k", shape=[1, 8, 6], constants={"k": np.int64(-1)}, upper=0)
    yield one("stft", "STFT", "s", "", "n", shape=[1, 32, 1], refused=True,
              constants={"s": np.int64(8), "n": np.int64(16)})
    yield one("grid_sample", "GridSample", "g", opset=16, constants={"g": random(1, 6, 6, 2)}, refused=True)
    yield one("mod", "Mod", "c", constants={"c": np.float32(.5)}, refused=True, fmod=1)


def make_forms():
    for family in (windows, resizes, axes, moves, products, norms, functions, exporters, optimized, graphs):
        yield from family()
