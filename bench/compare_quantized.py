#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares qopt with ONNX Runtime on models that arrive quantized.

usage: compare_quantized.py --build BUILD --models DIR [--only TEXT] [--by-op]
                            [--samples N] [--markdown]

DIR is what make_quantized.py wrote. Compiles each DIR/<name>-<form>.onnx without
calibration data (with it where the model is quantized only in part), runs it on
DIR/<name>.npy, and prints a line a model: the share of output elements that
differ from ONNX Runtime's and the largest difference in steps of the output,
with ONNX Runtime's graph optimizations on and off, and last how far ONNX
Runtime's two results are from each other.

--by-op compiles each model with all its integer tensors as outputs, lets ONNX
Runtime compute each operator from qopt's own integers, and prints the shares by
kind of operator: no difference is counted twice. The last columns are against
ONNX's definition of the operators (onnx.reference) in float64, but for 8-bit
AveragePool, whose zero point comes before its rounding as in ONNX Runtime's
kernel. Needs numpy, onnx and onnxruntime.
"""

import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys
import tempfile


class Refused(Exception):
    """qopt does not compile a model."""


class Count:
    """Elements compared, how many differ, and by how many steps at most."""

    def __init__(self):
        self.differing = self.total = self.largest = 0

    def add(self, ours, theirs):
        import numpy as np
        distance = np.abs(ours.astype(np.int64).reshape(theirs.shape) - theirs.astype(np.int64))
        self.differing += int((distance > 0).sum())
        self.largest = max(self.largest, int(distance.max(initial=0)))
        self.total += distance.size

    def cells(self):
        if not self.total:
            return ["-"] * 4
        share = f"{self.differing / self.total:.1e}" if self.differing else "0"
        return [share, str(self.differing), f"{self.total:,}", str(self.largest)]


def run_qopt(build, model, data, folder, flags=()):
    """Each output by name: its integers and what is known of it."""
    import numpy as np
    program = os.path.join(folder, "model")
    command = [os.path.join(build, "bin", "qopt"), model, "--emit=exe", "-o", program, *flags]
    result = subprocess.run(command, capture_output=True, text=True)
    if "quantized only in part" in result.stderr:
        command += ["--calibrate", data]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        errors = re.findall(r"^error.*", result.stderr, re.MULTILINE)
        raise Refused(errors[0] if errors else f"qopt ended with {result.returncode}")
    info = json.loads(subprocess.run([program, "--info"], check=True, capture_output=True,
                                     text=True).stdout)
    command = [program, "--raw", "--in", f"{info['inputs'][0]['name']}={data}"]
    for i, output in enumerate(info["outputs"]):
        command += ["--out", f"{output['name']}={folder}/out{i}.npy"]
    subprocess.run(command, check=True, capture_output=True)
    return {output["name"]: (np.load(f"{folder}/out{i}.npy").reshape([-1] + output["shape"]), output)
            for i, output in enumerate(info["outputs"])}


def start_peer(model, plain):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if plain:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run_peer(session, feeds):
    """The first output for each sample of `feeds`, stacked."""
    import numpy as np
    count = len(next(iter(feeds.values())))
    return np.stack([session.run(None, {name: values[i] for name, values in feeds.items()})[0]
                     for i in range(count)])


def compare_outputs(args, path, samples, folder):
    """A count with optimizations, one without, and one between the two; empty
    where ONNX Runtime fails on what its optimizations have made."""
    import numpy as np
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail
    data = os.path.join(folder, "in.npy")
    np.save(data, samples)
    (steps, info), = run_qopt(args.build, path, data, folder).values()
    results = [steps.astype(np.int64) - info["zero_point"]]
    for plain in [False, True]:
        session = start_peer(path, plain)
        try:
            peer = run_peer(session, {session.get_inputs()[0].name: samples})
        except Fail:
            results.append(None)
            continue
        results.append(np.rint(peer.astype(np.float64) / np.float32(info["scale"])))
    counts = [Count(), Count(), Count()]
    for count, (first, second) in zip(counts, [(0, 1), (0, 2), (1, 2)]):
        if results[first] is not None and results[second] is not None:
            count.add(results[first], results[second])
    return counts


def dequantize(values, scale, zero_point, axis):
    """DequantizeLinear in float64: one scale, one along an axis, or one each."""
    import numpy as np
    shape = [-1 if i == axis % values.ndim else 1 for i in range(values.ndim)]
    parts = [np.asarray(part, np.float64) for part in (values, scale, zero_point)]
    real, scale, zero_point = (
        part if part.shape == values.shape else part.reshape(shape if part.size > 1 else ())
        for part in parts)
    return (real - zero_point) * scale


def quantize(values, scale, zero_point, zero_first):
    """QuantizeLinear from float64."""
    import numpy as np
    limits = np.iinfo(zero_point.dtype)
    steps = values / scale.astype(np.float64)
    steps = np.rint(steps + zero_point) if zero_first else np.rint(steps) + zero_point
    return np.clip(steps, limits.min, limits.max).astype(zero_point.dtype)


class Definition:
    """What ONNX says of a unit's operators, computed in float64."""

    def __init__(self, model):
        from onnx import numpy_helper
        self.model = model
        self.constants = {tensor.name: numpy_helper.to_array(tensor)
                          for tensor in model.graph.initializer}

    def run(self, feeds):
        """The first output for each sample, stacked; None where a node is no
        operator of ONNX."""
        import numpy as np
        if any(node.domain not in ("", "ai.onnx") or node.op_type.startswith("QLinear")
               for node in self.model.graph.node):
            return None
        count = len(next(iter(feeds.values())))
        return np.stack([self.run_sample({name: values[i] for name, values in feeds.items()})
                         for i in range(count)])

    def run_sample(self, feeds):
        values = dict(self.constants, **feeds)
        for node in self.model.graph.node:
            inputs = [values[name] if name else None for name in node.input]
            values[node.output[0]] = self.run_node(node, inputs)
        return values[self.model.graph.output[0].name]

    def run_node(self, node, inputs):
        import numpy as np
        from onnx.reference import ReferenceEvaluator
        attributes = {attribute.name: attribute for attribute in node.attribute}
        axis = attributes["axis"].i if "axis" in attributes else 1
        if node.op_type == "DequantizeLinear" and "block_size" in attributes:
            size = attributes["block_size"].i
            return dequantize(inputs[0], *(np.repeat(part, size, axis) for part in inputs[1:3]), axis)
        if node.op_type == "DequantizeLinear":
            zero_point = inputs[2] if len(inputs) > 2 else np.int8(0)
            return dequantize(*inputs[:2], zero_point, axis)
        if node.op_type == "QuantizeLinear":
            pools = any(other.op_type == "AveragePool" for other in self.model.graph.node)
            return quantize(*inputs, zero_first=pools and inputs[2].itemsize == 1)
        inputs = [value.astype(np.float64) if value is not None and value.dtype.kind == "f" else value
                  for value in inputs]
        session = ReferenceEvaluator(node)
        return session.run(None, {name: value for name, value in zip(node.input, inputs) if name})[0]


class Units:
    """The operators of a quantized graph, cut where it holds integers."""

    def __init__(self, model):
        self.graph = model.graph
        self.model = model
        self.constants = {tensor.name for tensor in model.graph.initializer}
        self.producers = {name: node for node in model.graph.node for name in node.output}
        self.integers = [node.output[0] for node in model.graph.node
                         if node.op_type.startswith("QLinear") or
                         node.op_type == "QuantizeLinear" or self.is_quantized_gemm(node)]

    @staticmethod
    def is_quantized_gemm(node):
        return node.op_type == "QGemm" and len(node.input) > 8 and node.input[8] != ""

    def collect(self, name, nodes, inputs):
        """The nodes behind `name`, down to integers: `nodes` in order, `inputs`."""
        if name == "" or name in self.constants:
            return
        if name in self.integers or name not in self.producers:
            inputs.setdefault(name)
            return
        node = self.producers[name]
        if any(node is other for other in nodes):
            return
        for source in node.input:
            self.collect(source, nodes, inputs)
        nodes.append(node)

    def unit(self, name, arrays):
        """A model of one operator and its kind, or None behind a graph input."""
        import numpy as np
        from onnx import helper
        last, nodes, inputs = self.producers[name], [], {}
        for source in last.input:
            self.collect(source, nodes, inputs)
        nodes.append(last)
        if not inputs or not all(source in arrays for source in inputs):
            return None
        kinds = [node.op_type for node in nodes
                 if node.op_type not in ("QuantizeLinear", "DequantizeLinear", "Constant")]
        value = lambda key: helper.make_tensor_value_info(
            key, helper.np_dtype_to_tensor_dtype(np.dtype(arrays[key].dtype)),
            arrays[key].shape[1:])
        graph = helper.make_graph(nodes, "unit", [value(key) for key in inputs],
                                  [value(name)], self.graph.initializer)
        model = helper.make_model(graph, opset_imports=self.model.opset_import)
        model.ir_version = self.model.ir_version
        return model, "+".join(kinds) or "Requantize", list(inputs)


def compare_units(args, path, samples, folder, kinds):
    """Adds to `kinds`, by kind of operator, the counts against ONNX Runtime with
    optimizations and without and against exact arithmetic."""
    import numpy as np
    import onnx
    units = Units(onnx.load(path))
    data = os.path.join(folder, "in.npy")
    np.save(data, samples)
    outputs = run_qopt(args.build, path, data, folder,
                       ["--outputs", ",".join(units.integers)])
    arrays = {name: values for name, (values, _) in outputs.items()}
    for name in units.integers:
        unit = units.unit(name, arrays)
        if unit is None:
            continue
        model, kind, inputs = unit
        feeds = {key: arrays[key] for key in inputs}
        if arrays[name].dtype.itemsize == 2:
            kind += ", 16 bits"
        for plain, count in zip([False, True], kinds[kind]):
            count.add(arrays[name], run_peer(start_peer(model.SerializeToString(), plain), feeds))
        exact = Definition(model).run(feeds)
        if exact is not None:
            kinds[kind][2].add(arrays[name], exact)


def print_markdown(rows, by_op):
    """The columns of docs/quantized-models.md."""
    head, columns = (["operator", "share", "of", "plain", "exact"], [0, 1, 3, 5, 9]) if by_op else (
        ["model", "share", "steps", "plain", "peer"], [0, 1, 4, 5, 9])
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for row in rows:
        cells = [row[0], "refused", "", "", ""] if len(row) == 2 else [row[i] for i in columns]
        print("| " + " | ".join(cells).rstrip() + " |")


def print_table(rows, last):
    columns = ["share", "differ", "of", "steps"]
    head = ["model"] + columns + [f"{name}, {kind}" for kind in ("plain", last) for name in columns]
    for row in [head] + rows:
        print(f"{row[0]:34}" + "".join(f"{cell:>15}" for cell in row[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--models", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--by-op", action="store_true")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    try:
        import numpy as np
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as missing:
        print(f"skipped: {missing}")
        return 0
    rows = []
    kinds = collections.defaultdict(lambda: [Count(), Count(), Count()])
    for path in sorted(glob.glob(os.path.join(args.models, "*.onnx"))):
        name = os.path.basename(path)[:-len(".onnx")]
        if args.only not in name:
            continue
        samples = np.load(os.path.join(args.models, name.split("-")[0] + ".npy"))[:args.samples]
        with tempfile.TemporaryDirectory() as folder:
            try:
                if args.by_op:
                    compare_units(args, path, samples, folder, kinds)
                    continue
                counts = compare_outputs(args, path, samples, folder)
                rows.append([name] + [cell for count in counts for cell in count.cells()])
            except Refused as refusal:
                rows.append([name, str(refusal)])
    for kind, counts in sorted(kinds.items()):
        rows.append([kind] + [cell for count in counts for cell in count.cells()])
    if args.markdown:
        print_markdown(rows, args.by_op)
    else:
        print_table(rows, "exact" if args.by_op else "peer")
    return 0


if __name__ == "__main__":
    sys.exit(main())
