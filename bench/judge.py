#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Judges compiled models by a zoo's own metrics: decoded text, frames, classes.

usage: judge.py --zoo ZOO --build BUILD [--limit N] [--flag=--range=minmax] MODEL...

Each MODEL is a folder of ZOO with meta.json; ZOO/eval.py computes the metric
from what the object answers; --flag is one for qopt, of any number. Needs numpy. Prints one JSON line a model.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile


class Tensor(ctypes.Structure):
    """qopt_tensor of qopt_abi.h."""
    CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
    _fields_ = [("name", ctypes.c_char_p), ("type", ctypes.c_uint32),
                ("rank", ctypes.c_uint32), ("dims", ctypes.POINTER(ctypes.c_int64)),
                ("elements", ctypes.c_uint64), ("bytes", ctypes.c_uint64),
                ("scale", ctypes.c_float), ("zero_point", ctypes.c_int32),
                ("quantize", CALL), ("dequantize", CALL)]


class Model(ctypes.Structure):
    """qopt_model of qopt_abi.h."""
    _fields_ = [("abi_version", ctypes.c_uint32), ("struct_size", ctypes.c_uint32),
                ("name", ctypes.c_char_p), ("info", ctypes.c_char_p),
                ("arena_size", ctypes.c_uint64), ("arena_align", ctypes.c_uint32),
                ("num_inputs", ctypes.c_uint32), ("num_outputs", ctypes.c_uint32),
                ("num_variants", ctypes.c_uint32), ("tensor_size", ctypes.c_uint32),
                ("max_workers", ctypes.c_uint32), ("inputs", ctypes.POINTER(Tensor)),
                ("outputs", ctypes.POINTER(Tensor)),
                ("run", ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)),
                ("resolve_variant", ctypes.c_void_p), ("quantize", ctypes.c_void_p),
                ("dequantize", ctypes.c_void_p)]


def options_of(meta):
    """The flags that make a folder's model and data fit together."""
    flags = []
    for spec in meta["inputs"]:
        if spec["graph_shape"] != spec["shape"]:
            flags += ["--shape", f"{spec['name']}={'x'.join(map(str, spec['shape']))}"]
        if "affine" in spec:
            affine = spec["affine"]
            lists = (f"{key}={','.join(f'{value:.9g}' for value in affine[key])}"
                     for key in ("scale", "bias"))
            flags += ["--input", f"{spec['name']}:u8,{','.join(lists)},axis={affine['axis']}"]
    return flags


class Object:
    """A compiled model that takes and gives a dictionary's and a list's arrays."""

    def __init__(self, folder, meta, build, work, flags):
        import numpy as np
        library = os.path.join(work, meta["name"] + ".so")
        subprocess.run([os.path.join(build, "bin", "qopt"), os.path.join(folder, "model.onnx"),
                        "--calibrate", os.path.join(folder, "calib"), "--emit=lib", "-o",
                        library, "--name=net", *options_of(meta), *flags],
                       check=True, stdout=subprocess.DEVNULL)
        self.library = ctypes.CDLL(library)
        self.model = Model.in_dll(self.library, "net_model")
        self.arena = np.zeros(self.model.arena_size + 64, np.uint8)
        self.inputs = [self.model.inputs[i] for i in range(self.model.num_inputs)]
        self.outputs = [self.model.outputs[i] for i in range(self.model.num_outputs)]

    def __call__(self, arrays):
        import numpy as np
        integers = []
        for tensor in self.inputs:
            given = np.ascontiguousarray(arrays[tensor.name.decode()])
            buffer = np.zeros(tensor.bytes, np.uint8)
            if given.dtype == np.uint8:
                buffer[:] = given.ravel()
            else:
                given = given.astype(np.float32)
                tensor.quantize(given.ctypes.data, buffer.ctypes.data)
            integers.append(buffer)
        results = [np.zeros(tensor.bytes, np.uint8) for tensor in self.outputs]

        def pointers(buffers):
            return (ctypes.c_void_p * len(buffers))(*(b.ctypes.data for b in buffers))
        arena = (self.arena.ctypes.data + 63) // 64 * 64
        self.model.run(pointers(integers), pointers(results), arena, None)
        floats = []
        for tensor, result in zip(self.outputs, results):
            values = np.zeros([tensor.dims[i] for i in range(tensor.rank)], np.float32)
            tensor.dequantize(result.ctypes.data, values.ctypes.data)
            floats.append(values)
        return floats


def open_folder(zoo_eval, zoo, name):
    """A folder of ZOO that gives bytes as they are; the object normalizes."""
    import numpy as np
    folder = zoo_eval.Folder(os.path.join(zoo, name))
    normalize = folder.conv

    def as_stored(input_name, array):
        spec = folder.inputs[input_name]
        if "affine" in spec:
            return np.asarray(array).reshape(spec["shape"])
        return normalize(input_name, array)
    folder.conv = as_stored
    return folder


def judge(zoo, name, build, limit, flags):
    sys.path.insert(0, zoo)
    import eval as zoo_eval
    folder = open_folder(zoo_eval, zoo, name)
    with tempfile.TemporaryDirectory() as work:
        net = Object(folder.d, folder.meta, build, work, flags)
        result = zoo_eval.evaluate(folder, net, limit)
    return {"model": name, "float": folder.meta["float_metric_eval"], **result}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--flag", action="append", default=[])
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    try:
        import numpy  # noqa: F401
    except ImportError:
        print("judge: skipped, there is no numpy")
        return
    for name in arguments.models:
        print(json.dumps(judge(os.path.abspath(arguments.zoo), name,
                               os.path.abspath(arguments.build), arguments.limit,
                               arguments.flag)), flush=True)


if __name__ == "__main__":
    main()
