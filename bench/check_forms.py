#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_forms.py BUILD [TEXT ...]: the forms in which exporters write operators.

Small models, one form each (of exporter_forms.py; those whose name has a TEXT), are
calibrated, compiled, run and held against ONNX Runtime's float results on other
samples. A form passes with 18 dB, which a wrong axis, pad or rounding mode does
not reach; or it is one that qopt refuses, with exit code 3. Prints what did not,
and numbers. Needs numpy, onnx and onnxruntime."""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

LEAST_DB = 18
SAMPLES = 24
CALIBRATION = 16


def make_samples(model, shapes):
    import numpy as np
    rng = np.random.default_rng(5)
    samples = {}
    weights = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name in weights:
            continue
        shape = shapes.get(value.name) or [
            max(dim.dim_value, 1) for dim in value.type.tensor_type.shape.dim]
        samples[value.name] = rng.standard_normal([SAMPLES] + list(shape)).astype(np.float32)
    return samples


def run_peer(model, samples):
    """Each output by name, for the samples behind those of calibration; None
    where ONNX Runtime does not run the model."""
    import numpy as np
    import onnxruntime
    from onnx import helper
    onnxruntime.set_default_logger_severity(4)
    types = {value.name: helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
             for value in model.graph.input}
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(),
                                               providers=["CPUExecutionProvider"])
        results = [session.run(None, {name: values[i].astype(types[name])
                                      for name, values in samples.items()})
                   for i in range(CALIBRATION, SAMPLES)]
    except Exception:  # Its errors have no common base.
        return None
    names = [output.name for output in session.get_outputs()]
    return {name: np.stack([result[i] for result in results]) for i, name in enumerate(names)}


def run_qopt(build, path, samples, shapes, folder):
    """Each output by name, or the error and the exit code."""
    import numpy as np
    program, data = os.path.join(folder, "model"), os.path.join(folder, "samples.npz")
    np.savez(data, **{name: values[:CALIBRATION] for name, values in samples.items()})
    command = [os.path.join(build, "bin", "qopt"), path, "--calibrate", data, "--emit=exe", "-o", program]
    for name, shape in shapes.items():
        command += ["--shape", f"{name}={'x'.join(map(str, shape))}"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        errors = [line for line in result.stderr.split("\n") if line.startswith("error")]
        return None, (errors or ["no error"])[0], result.returncode
    info = json.loads(subprocess.run([program, "--info"], check=True, capture_output=True, text=True).stdout)
    command = [program]
    for entry in info["inputs"]:
        path = os.path.join(folder, f"in{len(command)}.npy")
        np.save(path, samples[entry["name"]][CALIBRATION:])
        command += ["--in", f"{entry['name']}={path}"]
    for i, entry in enumerate(info["outputs"]):
        command += ["--out", f"{entry['name']}={folder}/out{i}.npy"]
    subprocess.run(command, check=True, capture_output=True)
    return {entry["name"]: np.load(f"{folder}/out{i}.npy")
            for i, entry in enumerate(info["outputs"])}, "", 0


def find_sqnr(results, expected):
    """The smallest of all outputs, in dB."""
    import numpy as np
    least = np.inf
    for name, values in results.items():
        real = expected[name].astype(np.float64)
        if values.size != real.size:
            return -np.inf
        error = ((values.reshape(real.shape) - real) ** 2).sum()
        if error > 0:
            least = min(least, 10 * np.log10(max((real ** 2).sum(), 1e-30) / error))
    return least


def check(form, build):
    """What became of a form, and a remark."""
    import onnx
    model = form.make()
    samples = make_samples(model, form.shapes)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        onnx.save(model, path)
        results, error, code = run_qopt(build, path, samples, form.shapes, folder)
    if code:
        return ("refused" if form.may_be_refused and code == 3 else "wrong"), f"exit code {code}: {error}"
    expected = run_peer(model, samples)
    if expected is None:
        return "without peer", ""
    sqnr = find_sqnr(results, expected)
    return ("passed" if sqnr >= LEAST_DB else "wrong"), f"{sqnr:.1f} dB"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("build")
    parser.add_argument("texts", nargs="*", metavar="TEXT")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    try:
        import onnxruntime  # noqa: F401
        from exporter_forms import make_forms
    except ImportError as missing:
        print(f"skipped: {missing}")
        return 0
    counts = collections.Counter()
    for form in make_forms():
        if args.texts and not any(text in form.name for text in args.texts):
            continue
        verdict, remark = check(form, args.build)
        counts[verdict] += 1
        if args.verbose or verdict != "passed":
            print(f"{verdict:13}{form.name}: {remark}", flush=True)
    print(", ".join(f"{verdict} {count}" for verdict, count in sorted(counts.items())))
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
