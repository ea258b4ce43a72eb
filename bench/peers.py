#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""qopt against ONNX Runtime int8 in one process, interleaved, one thread.

usage: peers.py --zoo ZOO --build BUILD [--models mlp_mnist,resnet20_fmnist]

Runs itself again in BUILD/venv-peers, which it makes from the Python index;
without that it prints one line and exits 0. Both sides take and give float32.
ONNX Runtime is called through an IO binding, qopt through one ctypes call.
Prints one JSON line a model.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time

PACKAGES = ["numpy", "onnx", "onnxruntime"]

# One call from Python: quantize, run, dequantize through the generic ABI.
SHIM = r"""
#include "qopt_abi.h"
void shim(const qopt_model *m, const float *x, void *q, void *o, float *y, void *arena) {
  const void *in[1] = {q};
  void *out[1] = {o};
  m->inputs[0].quantize(x, q);
  m->run(in, out, arena, 0);
  m->outputs[0].dequantize(o, y);
}
"""


def enter_venv(build):
    """Re-executes this script inside the peers' virtual environment."""
    folder = os.path.join(build, "venv-peers")
    python = os.path.join(folder, "bin", "python")
    if sys.executable == python or os.environ.get("QOPT_PEERS"):
        return
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", folder], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    have = subprocess.run([python, "-c", "import numpy, onnx, onnxruntime"], check=False,
                          stderr=subprocess.DEVNULL).returncode if os.path.exists(python) else 1
    if have != 0 and (not os.path.exists(python) or subprocess.run(
            [python, "-m", "pip", "install", "-q", *PACKAGES], check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0):
        print("peers: skipped, ONNX Runtime cannot be installed from the Python index")
        sys.exit(0)
    os.environ["QOPT_PEERS"] = "1"
    os.execv(python, [python, *sys.argv])


def ort_session(path, profile=False):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = os.path.join(tempfile.mkdtemp(), "profile")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def kernels(path, feed):
    """Operator types that ONNX Runtime really runs, with their counts."""
    session = ort_session(path, profile=True)
    session.run(None, feed)
    counts = {}
    with open(session.end_profiling(), encoding="utf-8") as file:
        for event in json.load(file):
            if event.get("cat") == "Node" and "op_name" in event.get("args", {}):
                op = event["args"]["op_name"]
                counts[op] = counts.get(op, 0) + 1
    return counts


class Qopt:
    """A compiled model behind one ctypes call."""

    def __init__(self, folder, name, work, source, build, calibration, x, outputs):
        import numpy as np
        library = os.path.join(work, name + ".so")
        subprocess.run([os.path.join(build, "bin", "qopt"), os.path.join(folder, "model.onnx"),
                        "--calibrate", calibration, "--emit=lib", "-o", library,
                        "--name=net"], check=True, stdout=subprocess.DEVNULL)
        shim = os.path.join(work, "shim.c")
        with open(shim, "w", encoding="utf-8") as file:
            file.write(SHIM)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-I",
                        os.path.join(source, "include", "qopt", "Runtime"), shim, "-o",
                        os.path.join(work, "shim.so")], check=True)
        self.net = ctypes.CDLL(library)
        self.call = ctypes.CDLL(os.path.join(work, "shim.so")).shim
        self.call.argtypes = [ctypes.c_void_p] * 6
        self.x = np.ascontiguousarray(x, np.float32)
        self.y = np.zeros(outputs, np.float32)
        self.buffers = [np.zeros(1 << 24, np.uint8) for _ in range(3)]
        model = ctypes.addressof(ctypes.c_char.in_dll(self.net, "net_model"))
        aligned = [(b.ctypes.data + 63) // 64 * 64 for b in self.buffers]
        self.arguments = (model, self.x.ctypes.data, aligned[0], aligned[1],
                          self.y.ctypes.data, aligned[2])

    def run(self):
        self.call(*self.arguments)


def percentiles(times):
    times.sort()
    return {"min_us": times[0] / 1e3, "p10_us": times[len(times) // 10] / 1e3,
            "median_us": times[len(times) // 2] / 1e3}


def interleave(runners, rounds=60, repeat=100):
    """Times `runners` in turns; each gets `rounds * repeat` samples."""
    times = [[] for _ in runners]
    for runner in runners:
        for _ in range(repeat):
            runner()
    for _ in range(rounds):
        for runner, samples in zip(runners, times):
            for _ in range(repeat):
                begin = time.perf_counter_ns()
                runner()
                samples.append(time.perf_counter_ns() - begin)
    return [percentiles(samples) for samples in times]


def compare(zoo, name, source, build):
    import numpy as np
    sys.path.insert(0, zoo)
    import eval as judge
    folder = judge.Folder(os.path.join(zoo, name))
    quantized = judge.ort_int8(folder)
    feed = folder.sample(folder.ev, 0)
    session = ort_session(quantized)
    binding = session.io_binding()
    (input_name, x), = feed.items()
    binding.bind_cpu_input(input_name, x)
    output = session.get_outputs()[0]
    binding.bind_output(output.name)
    with tempfile.TemporaryDirectory() as work:
        net = Qopt(os.path.join(zoo, name), name, work, source, build,
                   os.path.join(zoo, name, "calib"), x,
                   int(np.prod([d for d in output.shape if isinstance(d, int)])))
        empty = lambda: None
        ours, theirs, call = interleave(
            [net.run, lambda: session.run_with_iobinding(binding), empty])
    ran = kernels(quantized, feed)
    return {"model": name, "qopt": ours, "onnxruntime": theirs, "empty_call": call,
            "ratio_p10": ours["p10_us"] / theirs["p10_us"],
            "onnxruntime_kernels": ran,
            "onnxruntime_is_int8": any(op.startswith("Q") and op != "QuantizeLinear"
                                       for op in ran)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--models", default="mlp_mnist,resnet20_fmnist")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    enter_venv(build)
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name in arguments.models.split(","):
        print(json.dumps(compare(os.path.abspath(arguments.zoo), name, source, build)),
              flush=True)


if __name__ == "__main__":
    main()
