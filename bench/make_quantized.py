#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes quantized models with ONNX Runtime's quantizer, to compare with it.

usage: make_quantized.py --zoo ZOO --out DIR [--models a,b] [--forms qdq-s8,...]
       make_quantized.py --ops --out DIR
       make_quantized.py --blocks --out DIR
       make_quantized.py --functions --out DIR

ZOO holds one folder a model (model.onnx, calib/). Each model is written as
DIR/<name>-<form>.onnx beside DIR/<name>.npy, inputs to compare on. --ops writes
small networks of one operator each instead, --blocks products whose weights have a
scale a block, --functions operators on rows and elements between integers of 8
and 16 bits, which onnxruntime's quantizer does not write (opset 21). Needs
numpy, onnx and onnxruntime.
"""

import argparse
import json
import os
import sys

FORMS = {
    # name: (format, activations, weights, per channel)
    "qdq-s8": ("QDQ", "QInt8", "QInt8", True),
    "qdq-u8": ("QDQ", "QUInt8", "QInt8", True),
    "qdq-u8t": ("QDQ", "QUInt8", "QUInt8", False),
    "qdq-s16": ("QDQ", "QInt16", "QInt8", True),
    "qdq-u16": ("QDQ", "QUInt16", "QInt8", True),
    "qdq-u8w4": ("QDQ", "QUInt8", "QInt4", False),
    "qop-s8": ("QOperator", "QInt8", "QInt8", True),
    "qop-u8": ("QOperator", "QUInt8", "QUInt8", False),
}
MODELS = ["mlp_fmnist", "mlp_mnist", "mlp_synth", "cnn_fmnist", "resnet20_fmnist",
          "mbv2_fmnist", "mbv2_badscale_fmnist", "mbv3_fmnist", "efficientnet_lite0",
          "vit_fmnist", "ppocr_rec"]
SAMPLES = 64
# The quantizer keeps every tensor of every sample in memory.
CALIBRATION_BYTES = 20_000_000


class Reader:
    """Calibration data as the quantizer asks for it."""

    def __init__(self, name, samples):
        self.feeds = iter([{name: sample} for sample in samples])

    def get_next(self):
        return next(self.feeds, None)


def quantize(source, target, name, samples, form):
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    format_name, activations, weights, per_channel = FORMS[form]
    quantize_static(source, target, Reader(name, samples),
                    quant_format=getattr(QuantFormat, format_name),
                    activation_type=getattr(QuantType, activations),
                    weight_type=getattr(QuantType, weights),
                    per_channel=per_channel)


def read_samples(folder, entry):
    """Calibration samples of a zoo folder as the model's input takes them."""
    import numpy as np
    data = np.load(os.path.join(folder, "calib", entry["name"] + ".npy"), mmap_mode="r")
    data = np.asarray(data[:256], np.float32)
    if "affine" in entry:
        affine = entry["affine"]
        # The axis is one of the input, whose batch is the file's sample axis.
        shape = [-1 if axis == affine.get("axis") else 1 for axis in range(data.ndim)]
        scale, bias = (np.asarray(affine[key], np.float32) for key in ["scale", "bias"])
        if scale.ndim:
            scale, bias = scale.reshape(shape), bias.reshape(shape)
        data = data * scale + bias
    return data.reshape([-1] + entry["shape"])


def make_static(model, entry):
    """Gives the model's input the shape that the zoo compiles it for."""
    for value in model.graph.input:
        if value.name == entry["name"]:
            dims = value.type.tensor_type.shape.dim
            for dim, size in zip(dims, entry["shape"]):
                dim.Clear()
                dim.dim_value = size


def make_zoo(args):
    import numpy as np
    import onnx
    import onnx.version_converter
    for model in args.models.split(","):
        folder = os.path.join(args.zoo, model)
        meta = json.load(open(os.path.join(folder, "meta.json")))
        entry = meta["inputs"][0]
        samples = read_samples(folder, entry)
        calibration = samples[:min(128, max(8, CALIBRATION_BYTES // samples[0].nbytes // 4))]
        np.save(os.path.join(args.out, model + ".npy"), samples[:args.samples])
        source = os.path.join(args.out, model + "-float.onnx")
        float_model = onnx.load(os.path.join(folder, "model.onnx"))
        make_static(float_model, entry)
        # Scales along an axis need opset 13.
        if float_model.opset_import[0].version < 13:
            float_model = onnx.version_converter.convert_version(float_model, 13)
        onnx.save(float_model, source)
        from onnxruntime.quantization.shape_inference import quant_pre_process
        quant_pre_process(source, source, skip_symbolic_shape=True)
        for form in args.forms.split(","):
            target = os.path.join(args.out, f"{model}-{form}.onnx")
            quantize(source, target, entry["name"], calibration, form)
            print(target)
        os.remove(source)


def op_networks():
    """Name, nodes, input shape, output shape, initializers of each network."""
    import numpy as np
    from onnx import helper
    rng = np.random.default_rng(1)
    random = lambda *shape: rng.standard_normal(shape).astype(np.float32) * 0.3
    node = helper.make_node
    image = [1, 8, 16, 16]
    yield ("conv", [node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1])],
           image, [1, 16, 16, 16], {"w": random(16, 8, 3, 3), "b": random(16)})
    yield ("conv_relu", [node("Conv", ["x", "w", "b"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
                         node("Relu", ["c"], ["y"])],
           image, [1, 16, 8, 8], {"w": random(16, 8, 3, 3), "b": random(16)})
    yield ("depthwise", [node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], group=8)],
           image, image, {"w": random(8, 1, 3, 3)})
    yield ("conv_clip", [node("Conv", ["x", "w"], ["c"]),
                         node("Clip", ["c", "low", "high"], ["y"])],
           image, [1, 8, 16, 16], {"w": random(8, 8, 1, 1), "low": np.float32(0),
                                   "high": np.float32(0.7)})
    yield ("gemm", [node("Gemm", ["x", "w", "b"], ["y"], transB=1)],
           [1, 128], [1, 64], {"w": random(64, 128), "b": random(64)})
    yield ("matmul", [node("MatMul", ["x", "w"], ["y"])],
           [1, 16, 64], [1, 16, 32], {"w": random(64, 32)})
    for op in ["Add", "Mul"]:
        yield (op.lower(), [node("Conv", ["x", "w"], ["c"]), node("Conv", ["x", "v"], ["d"]),
                            node(op, ["c", "d"], ["y"])],
               image, image, {"w": random(8, 8, 1, 1), "v": random(8, 8, 1, 1)})
        yield (op.lower() + "_same", [node(op, ["x", "x"], ["y"])], image, image, {})
    for op, attributes in [("Sigmoid", {}), ("LeakyRelu", {"alpha": 0.1}),
                           ("Softmax", {"axis": 1}), ("GlobalAveragePool", {}),
                           ("Tanh", {}), ("HardSwish", {}),
                           ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
                           ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]})]:
        out = {"GlobalAveragePool": [1, 8, 1, 1], "AveragePool": [1, 8, 8, 8],
               "MaxPool": [1, 8, 8, 8]}.get(op, image)
        # The quantizer leaves pools alone whose input is not quantized.
        yield (op.lower(), [node("Conv", ["x", "w"], ["c"]), node(op, ["c"], ["y"], **attributes)],
               image, out, {"w": random(8, 8, 1, 1)})
    yield ("averagepool3", [node("Conv", ["x", "w"], ["c"]),
                            node("AveragePool", ["c"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])],
           image, image, {"w": random(8, 8, 1, 1)})
    yield ("concat", [node("Conv", ["x", "w"], ["c"]), node("Concat", ["c", "x"], ["y"], axis=1)],
           image, [1, 16, 16, 16], {"w": random(8, 8, 1, 1)})
    yield ("moves", [node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]),
                     node("Reshape", ["t", "shape"], ["r"]),
                     node("MatMul", ["r", "w"], ["y"])],
           image, [1, 256, 4], {"shape": np.array([1, 256, 8], np.int64), "w": random(8, 4)})


def make_ops(args):
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper
    rng = np.random.default_rng(2)
    for name, nodes, shape, out, values in op_networks():
        graph = helper.make_graph(
            nodes, name,
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, out)],
            [numpy_helper.from_array(value, key) for key, value in values.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        source = os.path.join(args.out, f"op_{name}-float.onnx")
        onnx.save(model, source)
        samples = rng.standard_normal([args.samples] + shape).astype(np.float32)
        np.save(os.path.join(args.out, f"op_{name}.npy"), samples)
        for form in args.forms.split(","):
            target = os.path.join(args.out, f"op_{name}-{form}.onnx")
            quantize(source, target, "x", samples[:16], form)
            print(target)
        os.remove(source)


def blocked_product(rng, length, channels, block, kind, samples):
    """A model of one MatMul between int8 tensors, and its inputs."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper
    bits = {"Int4": 4, "UInt4": 4, "Int8": 8}[kind]
    low = 0 if kind[0] == "U" else -(1 << bits - 1)
    weights = rng.standard_normal((length, channels)).astype(np.float32) / np.sqrt(length)
    blocks = weights.reshape(length // block, block, channels)
    scales = (np.abs(blocks).max(1) / ((1 << bits - 1) - 1)).astype(np.float32)
    middle = 1 << bits - 1 if low == 0 else 0
    integers = np.clip(np.rint(blocks / scales[:, None]) + middle, low, low + (1 << bits) - 1)
    data_type = {"Int4": TensorProto.INT4, "UInt4": TensorProto.UINT4, "Int8": TensorProto.INT8}[kind]
    flat = integers.reshape(length, channels).astype(np.int64).ravel()
    initializers = [
        helper.make_tensor("w", data_type, [length, channels], flat),
        helper.make_tensor("wz", data_type, scales.shape, [middle] * scales.size),
        numpy_helper.from_array(scales, "ws")]
    inputs = rng.standard_normal([samples, 1, 16, length]).astype(np.float32)
    real = inputs @ ((integers - middle) * scales[:, None]).reshape(length, channels)
    nodes = [helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0, block_size=block),
             helper.make_node("MatMul", ["xd", "wd"], ["p"])]
    return between_integers(nodes, initializers, inputs, real, np.int8), inputs


def between_integers(nodes, initializers, inputs, outputs, kind):
    """A model of `nodes` from xd to p between tensors of the integer type `kind`,
    whose scales follow from samples."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper
    limits = np.iinfo(kind)
    initializers = list(initializers)
    for name, values in [("x", inputs), ("y", outputs)]:
        low, high = min(values.min(), 0), max(values.max(), 0)
        step = np.float32((high - low) / (limits.max - limits.min))
        point = kind(np.clip(np.rint(limits.min - low / step), limits.min, limits.max))
        initializers += [numpy_helper.from_array(step, name + "s"),
                         numpy_helper.from_array(point, name + "z")]
    node = helper.make_node
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
             node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]), *nodes,
             node("QuantizeLinear", ["p", "ys", "yz"], ["yq"]),
             node("DequantizeLinear", ["yq", "ys", "yz"], ["y"])]
    value = lambda name, values: helper.make_tensor_value_info(name, TensorProto.FLOAT, values.shape[1:])
    graph = helper.make_graph(nodes, "integers", [value("x", inputs)], [value("y", outputs)],
                              initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    model.ir_version = 10
    return model


FUNCTIONS = [("Softmax", {"axis": -1}), ("LogSoftmax", {"axis": -1}), ("Sigmoid", {}), ("Tanh", {}),
             ("HardSwish", {}), ("LeakyRelu", {"alpha": 0.1}),
             ("ReduceMean", {}), ("GlobalAveragePool", {}),
             ("AveragePool", {"kernel_shape": [2, 2]}), ("MaxPool", {"kernel_shape": [2, 2]})]


def make_functions(args):
    import numpy as np
    import onnx
    from onnx import helper
    from onnx.reference import ReferenceEvaluator
    rng = np.random.default_rng(4)
    for op, attributes in FUNCTIONS:
        inputs = (3 * rng.standard_normal([args.samples, 1, 8, 12, 16])).astype(np.float32)
        node = helper.make_node(op, ["xd"], ["p"], **attributes)
        session = ReferenceEvaluator(node)
        outputs = np.stack([session.run(None, {"xd": sample})[0] for sample in inputs])
        for form, kind in [("qdq-s8", np.int8), ("qdq-u8", np.uint8), ("qdq-s16", np.int16),
                           ("qdq-u16", np.uint16)]:
            model = between_integers([node], [], inputs, outputs, kind)
            onnx.save(model, os.path.join(args.out, f"function_{op.lower()}-{form}.onnx"))
        np.save(os.path.join(args.out, f"function_{op.lower()}.npy"), inputs)
        print(op)


def make_blocks(args):
    import numpy as np
    import onnx
    rng = np.random.default_rng(3)
    for length, block in [(64, 16), (256, 32), (1024, 32), (4096, 128)]:
        for kind in ["Int4", "UInt4", "Int8"]:
            name = f"blocks_{length}x64_{block}_{kind.lower()}"
            model, inputs = blocked_product(rng, length, 64, block, kind, args.samples)
            onnx.save(model, os.path.join(args.out, name + "-qdq.onnx"))
            np.save(os.path.join(args.out, name + ".npy"), inputs)
            print(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--zoo")
    parser.add_argument("--out", required=True)
    parser.add_argument("--ops", action="store_true")
    parser.add_argument("--blocks", action="store_true")
    parser.add_argument("--functions", action="store_true")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--forms", default=",".join(FORMS))
    parser.add_argument("--samples", type=int, default=SAMPLES)
    args = parser.parse_args()
    try:
        import onnxruntime.quantization  # noqa: F401
    except ImportError as missing:
        print(f"skipped: {missing}")
        return 0
    os.makedirs(args.out, exist_ok=True)
    if args.blocks:
        make_blocks(args)
    elif args.functions:
        make_functions(args)
    elif args.ops:
        make_ops(args)
    else:
        make_zoo(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
