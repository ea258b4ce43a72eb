#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exports networks in QDQ form, checks the files with onnx.checker and runs them
in ONNX Runtime against the object of the same compilation.

usage: check_qdq.py QOPT ZOO [FOLDER ...]

Prints the rows of the table in docs/quantized-models.md. Needs onnx,
onnxruntime and numpy.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

SAMPLES = 500
FOLDERS = [
    "mlp_fmnist", "mlp_mnist", "mlp_synth", "cnn_fmnist", "resnet20_fmnist",
    "mbv2_fmnist", "mbv2_badscale_fmnist", "mbv3_fmnist", "vit_fmnist",
    "efficientnet_lite0",
]


def run_onnx(path, name, samples, optimize):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimize:
        options.graph_optimization_level = (
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        )
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    return np.concatenate([session.run(None, {name: x})[0] for x in samples])


def describe(reference, values):
    same = np.mean(reference.argmax(-1) == values.argmax(-1))
    noise = np.sum((reference - values) ** 2)
    sqnr = 10 * np.log10(np.sum(reference**2) / noise) if noise else 300
    return f"{100 * same:.2f} % | {sqnr:.1f}"


def check(qopt, folder, work):
    stem = os.path.join(work, "net")
    subprocess.run(
        [qopt, os.path.join(folder, "model.onnx"), "--calibrate",
         os.path.join(folder, "calib"), "--emit=onnx-qdq,exe", "-o", stem],
        check=True, stdout=subprocess.DEVNULL,
    )
    path = stem + ".qdq.onnx"
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    name = model.graph.input[0].name
    output = model.graph.output[0].name
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    data = np.load(os.path.join(folder, "eval.npz"))[name][:SAMPLES]
    samples = data.astype(np.float32).reshape(-1, *shape)
    np.save(stem + ".x.npy", samples)
    subprocess.run(
        [stem, "--in", f"{name}={stem}.x.npy", "--out", f"{output}={stem}.y.npy"],
        check=True, stdout=subprocess.DEVNULL,
    )
    default = run_onnx(path, name, samples, True)
    plain = run_onnx(path, name, samples, False)
    own = np.load(stem + ".y.npy").reshape(default.shape)
    return f"{describe(own, default)} | {describe(own, plain)}"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    qopt, zoo = os.path.abspath(sys.argv[1]), sys.argv[2]
    for folder in sys.argv[3:] or FOLDERS:
        with tempfile.TemporaryDirectory() as work:
            row = check(qopt, os.path.join(zoo, folder), work)
        print(f"| {folder} | {row} |", flush=True)


if __name__ == "__main__":
    main()
