#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares qopt with ONNX Runtime on models that arrive quantized.

usage: compare_quantized.py --build BUILD --models DIR [--only TEXT] [--plain]

DIR is what make_quantized.py wrote. Compiles each DIR/<name>-<form>.onnx without
calibration data, runs it on DIR/<name>.npy, and prints a line a model: the share
of output elements that differ, and the largest difference in steps of the
output. --plain turns ONNX Runtime's graph optimizations off. Needs numpy and
onnxruntime.
"""

import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile


def run_qopt(build, model, data, folder):
    """The integers of each output less their zero point, and their scales."""
    import numpy as np
    program = os.path.join(folder, "model")
    result = subprocess.run([os.path.join(build, "bin", "qopt"), model, "--emit=exe",
                             "-o", program], capture_output=True, text=True)
    if result.returncode != 0:
        return None, result.stderr.strip()
    info = json.loads(subprocess.run([program, "--info"], check=True, capture_output=True,
                                     text=True).stdout)
    command = [program, "--raw", "--in", f"{info['inputs'][0]['name']}={data}"]
    outputs = []
    for i, output in enumerate(info["outputs"]):
        command += ["--out", f"{output['name']}={folder}/out{i}.npy"]
    subprocess.run(command, check=True, capture_output=True)
    for i, output in enumerate(info["outputs"]):
        raw = np.load(f"{folder}/out{i}.npy").astype(np.int64)
        outputs.append((raw - output["zero_point"], np.float32(output["scale"])))
    return outputs, None


def run_peer(model, samples, plain):
    import numpy as np
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if plain:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    results = [session.run(None, {name: sample}) for sample in samples]
    return [np.stack([result[i] for result in results]) for i in range(len(results[0]))]


def compare(build, model, data, plain):
    import numpy as np
    with tempfile.TemporaryDirectory() as folder:
        outputs, error = run_qopt(build, model, data, folder)
    if error:
        return "refused: " + error.split("\n")[0]
    peers = run_peer(model, np.load(data), plain)
    differing = total = 0
    largest = 0
    for (steps, scale), peer in zip(outputs, peers):
        theirs = np.rint(peer.astype(np.float64) / scale).astype(np.int64)
        distance = np.abs(steps.reshape(theirs.shape) - theirs)
        differing += int((distance > 0).sum())
        largest = max(largest, int(distance.max()))
        total += distance.size
    return f"{differing / total:10.2e} differ of {total}, at most {largest} steps"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--models", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--plain", action="store_true")
    args = parser.parse_args()
    try:
        import onnxruntime  # noqa: F401
    except ImportError as missing:
        print(f"skipped: {missing}")
        return 0
    for model in sorted(glob.glob(os.path.join(args.models, "*.onnx"))):
        name = os.path.basename(model)[:-len(".onnx")]
        if args.only not in name:
            continue
        base = name.split("-")[0]
        data = os.path.join(args.models, base + ".npy")
        print(f"{name:32} {compare(args.build, model, data, args.plain)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
