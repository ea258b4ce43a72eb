#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""qopt against other engines' int8 on the same models, interleaved.

usage: peers.py --build BUILD [--zoo ZOO] [--models a,b] [--networks a,b]
                [--threads 1,2] [--out docs/performance.md]

Models are folders of ZOO; networks are those of topologies.py. All engines take
and give float32, are pinned to as many CPUs as they have threads, and run in
turns in one process. ONNX Runtime and OpenVINO run the QDQ model that ONNX
Runtime's quantizer makes, LiteRT its integers. Runs itself again in BUILD/venv-peers, made from the
Python index; what cannot be had is left out with one line.
"""

import argparse
import ctypes
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import repeat

import kernel_table

PACKAGES = ["numpy", "onnx", "onnxruntime", "openvino", "ai-edge-litert", "flatbuffers"]
NETWORKS = ("resnet50,resnet18,mobilenet_v2,efficientnet_lite0,efficientnet_b0,yolov8n,"
            "resnet8,ds_cnn,autoencoder,mlp")
PEERS = ("onnxruntime", "openvino", "litert")
MODELS = "mlp_mnist,resnet20_fmnist,mbv2_fmnist,mbv3_fmnist"

# One call an inference: quantize, run on a pool, dequantize.
SHIM = r"""
#include "qopt_abi.h"
#include "qopt/Runtime/qopt_pool.h"
#include <stdlib.h>
typedef struct {
  const qopt_model *m;
  qopt_context ctx;
  void *arena, **in, **out;
  const float **x;
  float **y;
} net;
static void **buffers(const qopt_tensor *t, uint32_t count) {
  void **all = calloc(count, sizeof(void *));
  for (uint32_t i = 0; i < count; ++i)
    all[i] = aligned_alloc(64, (t[i].bytes + 127) / 64 * 64);
  return all;
}
net *shim_open(const qopt_model *m, uint32_t threads, const float **x, float **y) {
  net *n = calloc(1, sizeof(net));
  n->m = m;
  n->x = x;
  n->y = y;
  n->ctx.struct_size = sizeof(qopt_context);
  n->ctx.workers = 1;
  if (threads > 1)
    qopt_pool_attach(qopt_pool_create(threads), &n->ctx);
  n->arena = aligned_alloc(64, (m->arena_size + 127) / 64 * 64);
  n->in = buffers(m->inputs, m->num_inputs);
  n->out = buffers(m->outputs, m->num_outputs);
  return n;
}
void shim_run(net *n) {
  n->m->quantize(n->x, n->in, &n->ctx);
  n->m->run((const void *const *)n->in, n->out, n->arena, &n->ctx);
  n->m->dequantize((const void *const *)n->out, n->y, &n->ctx);
}
void shim_nothing(net *n) { (void)n; }
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
    for package in PACKAGES:
        if os.path.exists(python):
            subprocess.run([python, "-m", "pip", "install", "-q", package], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    have = os.path.exists(python) and subprocess.run(
        [python, "-c", "import numpy, onnx, onnxruntime"], check=False,
        stderr=subprocess.DEVNULL).returncode == 0
    if not have:
        print("peers: skipped, ONNX Runtime cannot be installed from the Python index")
        sys.exit(0)
    os.environ["QOPT_PEERS"] = "1"
    os.execv(python, [python, *sys.argv])


class Task:
    """A model, samples that it takes, and its quantized form."""

    def __init__(self, name, path, samples, work):
        import numpy as np
        import onnx
        import onnx.version_converter
        from onnxruntime.quantization.shape_inference import quant_pre_process
        import make_quantized
        self.name = name
        self.path = os.path.join(work, name + ".onnx")
        self.samples = np.ascontiguousarray(samples, np.float32)
        model = onnx.load(path)
        value = model.graph.input[0]
        self.input = value.name
        make_quantized.make_static(model, {"name": value.name, "shape": samples.shape[1:]})
        # Scales along an axis need opset 13.
        if model.opset_import[0].version < 13:
            model = onnx.version_converter.convert_version(model, 13)
        onnx.save(model, self.path)
        self.quantized = os.path.join(work, name + "-qdq.onnx")
        quant_pre_process(self.path, self.quantized, skip_symbolic_shape=True)
        make_quantized.quantize(self.quantized, self.quantized, value.name,
                                list(self.samples[:8]), "qdq-u8")
        self.calibration = os.path.join(work, name + ".npy")
        np.save(self.calibration, self.samples)


def zoo_task(zoo, name, work):
    import make_quantized
    folder = os.path.join(zoo, name)
    with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
        entry = json.load(file)["inputs"][0]
    return Task(name, os.path.join(folder, "model.onnx"),
                make_quantized.read_samples(folder, entry)[:32], work)


def network_task(name, work):
    import numpy as np
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([sys.executable, os.path.join(here, "topologies.py"), work, name],
                   check=True, stdout=subprocess.DEVNULL)
    samples = np.load(os.path.join(work, name, "calib.npy"))
    return Task(name, os.path.join(work, name, "model.onnx"), samples[:8, None], work)


class Qopt:
    """Our object behind one call."""

    def __init__(self, task, threads, work, build):
        import numpy as np
        import judge
        source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        stem = os.path.join(work, f"{task.name}_{threads}")
        subprocess.run([os.path.join(build, "bin", "qopt"), task.path, "--calibrate",
                        task.calibration, "--emit=lib,report,mlir:qint", "-o", stem,
                        "--name=net", f"--threads={threads}", "--max-slowdown=1"],
                       check=True, stdout=subprocess.DEVNULL)
        shim = os.path.join(work, "shim.so")
        if not os.path.exists(shim):
            with open(shim + ".c", "w", encoding="utf-8") as file:
                file.write(SHIM)
            include = os.path.join(source, "include")
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-pthread", "-I", include, "-I",
                            os.path.join(include, "qopt", "Runtime"), shim + ".c",
                            os.path.join(source, "lib", "Runtime", "pool.c"), "-o", shim],
                           check=True)
        with open(stem + ".json", encoding="utf-8") as file:
            self.sizes = json.load(file)["sizes"]
        self.macs = self.sizes["macs"]
        self.qint = stem + ".qint.mlir"
        self.library = ctypes.CDLL(stem + ".so")
        model = judge.Model.in_dll(self.library, "net_model")
        # Keeping Python's lock makes a call cheaper: 0.1 us, as one of LiteRT.
        self.shim = ctypes.PyDLL(shim)
        self.shim.shim_open.restype = ctypes.c_void_p
        self.x = np.ascontiguousarray(task.samples[0])
        self.y = [np.zeros(model.outputs[i].elements, np.float32)
                  for i in range(model.num_outputs)]
        self.pointers = ((ctypes.c_void_p * 1)(self.x.ctypes.data),
                         (ctypes.c_void_p * len(self.y))(*(y.ctypes.data for y in self.y)))
        handle = ctypes.c_void_p(self.shim.shim_open(
            ctypes.c_void_p(ctypes.addressof(model)), threads, *self.pointers))
        self.run = functools.partial(self.shim.shim_run, handle)
        self.nothing = functools.partial(self.shim.shim_nothing, handle)


class OnnxRuntime:
    def __init__(self, path, task, threads, profile=False):
        import onnxruntime as ort
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        if profile:
            options.enable_profiling = True
            options.profile_file_prefix = os.path.join(tempfile.mkdtemp(), "profile")
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.binding.bind_cpu_input(task.input, task.samples[0])
        for output in self.session.get_outputs():
            self.binding.bind_output(output.name)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    @staticmethod
    def kernels(path, task):
        """Operators that really run, with their counts."""
        engine = OnnxRuntime(path, task, 1, profile=True)
        engine.run()
        counts = {}
        with open(engine.session.end_profiling(), encoding="utf-8") as file:
            for event in json.load(file):
                op = event.get("args", {}).get("op_name")
                if event.get("cat") == "Node" and op:
                    counts[op] = counts.get(op, 0) + 1
        return counts


class LiteRt:
    """XNNPACK below LiteRT's interpreter, on the same integers."""

    def __init__(self, path, task, threads):
        import litert_writer
        import numpy as np
        import onnx
        from ai_edge_litert.interpreter import Interpreter
        try:
            self.content = litert_writer.convert(onnx.load(path))
        except litert_writer.Unsupported as reason:
            raise ImportError(f"no LiteRT file: {reason}") from reason
        self.engine = Interpreter(model_content=self.content, num_threads=threads)
        self.engine.allocate_tensors()
        x = task.samples[0]
        x = x.transpose(0, 2, 3, 1) if x.ndim == 4 else x
        details = self.engine.get_input_details()[0]
        self.engine.set_tensor(details["index"],
                               np.ascontiguousarray(x).reshape(details["shape"]))
        self.run = self.engine._interpreter.Invoke  # pylint: disable=protected-access
        # Answers a number that it holds.
        self.nothing = self.engine._interpreter.NumSubgraphs  # pylint: disable=protected-access

    def result(self):
        y = self.engine.get_tensor(self.engine.get_output_details()[0]["index"])
        return y.transpose(0, 3, 1, 2) if y.ndim == 4 else y

    def kernels(self):
        """Operators; those that are not the delegate's stand behind it."""
        names = [op["op_name"] for op in
                 self.engine._get_ops_details()]  # pylint: disable=protected-access
        parts = names.count("DELEGATE")
        counts = {name: names.count(name) for name in names if name != "DELEGATE"}
        return {**counts, "XNNPACK parts": parts}


class OpenVino:
    def __init__(self, path, task, threads):
        import openvino as ov
        core = ov.Core()
        model = core.read_model(path)
        model.reshape({model.inputs[0].any_name: list(task.samples[0].shape)})
        self.compiled = core.compile_model(model, "CPU", {
            "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32"})
        self.request = self.compiled.create_infer_request()
        self.request.set_input_tensor(ov.Tensor(task.samples[0]))

    def run(self):
        self.request.infer()

    def kernels(self):
        """Layer types with the precision they run in."""
        counts = {}
        for node in self.compiled.get_runtime_model().get_ordered_ops():
            info = node.get_rt_info()
            layer = str(info["layerType"].value if hasattr(info["layerType"], "value")
                        else info["layerType"])
            precision = str(info["runtimePrecision"].value
                            if hasattr(info["runtimePrecision"], "value")
                            else info["runtimePrecision"])
            if layer in ("Convolution", "FullyConnected", "MatMul", "Eltwise"):
                key = f"{layer} {precision}"
                counts[key] = counts.get(key, 0) + 1
        return counts


def interleave(engines, pause, seconds=4.0):
    """Nanoseconds of each engine's calls, in turns of at least 2 ms; `pause`
    seconds before each for the waiting threads of the others to fall asleep."""
    times = {name: [] for name in engines}
    rounds, calls = {}, {}
    for name, engine in engines.items():
        for _ in range(3):
            engine.run()
            begin = time.perf_counter_ns()
            engine.run()
            nanoseconds = max(1, time.perf_counter_ns() - begin)
        # The clock is read once for several calls of less than 20 us.
        calls[name] = max(1, 20_000 // nanoseconds)
        rounds[name] = max(3, 2_000_000 // nanoseconds // calls[name])
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(next(iter(times.values()))) < 30:
        for name, engine in engines.items():
            time.sleep(pause)
            run, count = engine.run, calls[name]
            run()
            for _ in range(rounds[name]):
                begin = time.perf_counter_ns()
                for _ in repeat(None, count):
                    run()
                times[name].append((time.perf_counter_ns() - begin) / count)
    return times


def summary(times):
    times = sorted(times)
    return {"min_us": times[0] / 1e3, "p10_us": times[len(times) // 10] / 1e3,
            "median_us": times[len(times) // 2] / 1e3}


class CallAlone:
    """A call from Python into an engine that does nothing there."""

    def __init__(self, engine):
        self.run = engine.nothing


def less_call(engine, call):
    """What an engine takes without the call: Python's share is no engine's, and
    a tenth of what the smallest networks take."""
    return {key: engine[key] - call["p10_us"] for key in engine}


def compare(task, threads, work, build, peak):
    ours = Qopt(task, threads, work, build)
    engines = {"qopt": ours, "onnxruntime": OnnxRuntime(task.quantized, task, threads),
               "onnxruntime_float": OnnxRuntime(task.path, task, threads)}
    row = {"model": task.name, "threads": threads, "mmac": ours.macs / 1e6,
           "sizes": ours.sizes}
    for name, engine in ("openvino", OpenVino), ("litert", LiteRt):
        try:
            engines[name] = engine(task.quantized, task, threads)
            row[name + "_kernels"] = engines[name].kernels()
        except ImportError as reason:
            print(f"peers: {task.name}: {name} skipped, {reason}", flush=True)
    called = [name for name in ("qopt", "litert") if name in engines]
    engines.update({name + "_call": CallAlone(engines[name]) for name in called})
    row.update({name: summary(t) for name, t in interleave(
        engines, 0.005 if threads > 1 else 0).items()})
    row.update({name: less_call(row[name], row[name + "_call"]) for name in called})
    peers = {name: row[name]["p10_us"] for name in PEERS if name in row}
    row["fastest_peer"] = min(peers, key=peers.get)
    row["ratio"] = peers[row["fastest_peer"]] / row["qopt"]["p10_us"]
    if peak:
        row["share"] = ours.macs / (1e3 * row["qopt"]["p10_us"]) / (peak * threads)
    row["onnxruntime_kernels"] = OnnxRuntime.kernels(task.quantized, task)
    row["qint"] = ours.qint
    print(json.dumps(row), flush=True)
    return row


def read_peak(build):
    """GMAC/s of independent dot products on one core; None without AVX512-VNNI."""
    text = subprocess.run([os.path.join(build, "bin", "gemm-peak")], check=False,
                          stdout=subprocess.PIPE).stdout.decode()
    peaks = [json.loads(line).get("peak_gmacs") for line in text.splitlines()
             if line.startswith("{")]
    return max((p for p in peaks if p), default=None)


def layers_of(row, build):
    text = subprocess.run([os.path.join(build, "bin", "model-times"), row["qint"], "--sort"],
                          check=False, stdout=subprocess.PIPE).stdout.decode().splitlines()
    families = [line for line in text if " all " in line or line.endswith("in all")]
    return [f"{row['model']}, the ten slowest calls and the sum of each kernel:", "", "```",
            *[line for line in text if " all " not in line][:10], "", *families, "```", ""]


def write_page(rows, peak, build, path):
    lines = ["# Speed", "",
             "Written by `bench/peers.py`, not by hand. All engines in one process, in turns, "
             "batch 1, float32 in and out, p10. ONNX Runtime int8 and OpenVINO run the QDQ model "
             "of ONNX Runtime's quantizer (u8, weights per channel), LiteRT the same integers "
             "(`bench/litert_writer.py`), channels-last at its boundary; networks have random "
             "weights. What an empty call from Python takes (0.1 to 0.2 us) is taken off qopt and "
             "LiteRT. A virtual machine shared with others: quote ratios.", ""]
    if peak:
        lines += [f"int8 peak, one core: {peak:.0f} GMAC/s (`gemm-peak`, run just before).", ""]
    for threads in sorted({row["threads"] for row in rows}):
        lines += [f"## {threads} thread{'s' if threads > 1 else ''}", "",
                  "| model | MMAC | qopt us | share of peak | ONNX Runtime int8 | float | "
                  "OpenVINO int8 | LiteRT int8 | ratio to the fastest |",
                  "|---|---|---|---|---|---|---|---|---|"]
        if threads > 1:
            lines[-2:-2] = ["Threads of one engine that wait busily take time from the others "
                            "here; each engine alone is faster.", ""]
        for row in rows:
            if row["threads"] != threads:
                continue
            def cell(name):
                return f"{row[name]['p10_us']:.1f}" if name in row else "-"
            share = f"{100 * row['share']:.0f} %" if "share" in row else "-"
            lines.append(f"| {row['model']} | {row['mmac']:.1f} | {cell('qopt')} | {share} "
                         f"| {cell('onnxruntime')} | {cell('onnxruntime_float')} "
                         f"| {cell('openvino')} | {cell('litert')} | {row['ratio']:.2f} |")
        lines.append("")
    lines += kernel_table.section(build)
    lines += ["## Memory of qopt", "", "The arena beside the largest sum of values that are alive at "
              "one time, which no choice of offsets goes below.", "",
              "| model | constants | code | arena | alive at one time | ratio |",
              "|---|---|---|---|---|---|"]
    for row in rows:
        if row["threads"] == 1:
            sizes = row["sizes"]
            lines.append(f"| {row['model']} | {sizes['const_bytes']} | {sizes['code_bytes']} "
                         f"| {sizes['arena_bytes']} | {sizes['live_bytes']} "
                         f"| {sizes['arena_bytes'] / sizes['live_bytes']:.2f} |")
    lines.append("")
    lines += ["## What the peers run", "",
              "Operators of ONNX Runtime's profile; layers of OpenVINO with their precision; "
              "operators of LiteRT, and how many parts of the graph XNNPACK took.", ""]
    for row in rows:
        if row["threads"] == 1:
            def counts(key):
                return ", ".join(f"{op} {n}" for op, n in sorted(row.get(key, {}).items()))
            lines.append(f"- {row['model']}: {counts('onnxruntime_kernels')}; "
                         f"{counts('openvino_kernels') or 'no OpenVINO'}; "
                         f"{counts('litert_kernels') or 'no LiteRT'}")
    lines += ["", "## Layers of qopt", ""]
    for row in rows:
        if row["threads"] == 1:
            lines += layers_of(row, build)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")


ALLOWED = os.sched_getaffinity(0)


def make_tasks(arguments, work):
    if arguments.zoo and arguments.models:
        for name in arguments.models.split(","):
            yield zoo_task(os.path.abspath(arguments.zoo), name, work)
    for name in filter(None, arguments.networks.split(",")):
        yield network_task(name, work)


def in_process(work, threads, make_rows):
    """Rows made in a process of its own: engines size their thread pools once."""
    folder = os.path.join(work, str(threads))
    os.makedirs(folder)
    path = os.path.join(folder, "rows.json")
    pid = os.fork()
    if pid == 0:
        os.sched_setaffinity(0, set(sorted(ALLOWED)[-threads:]))
        with open(path, "w", encoding="utf-8") as file:
            json.dump(make_rows(folder), file)
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit(f"peers: measuring with {threads} threads failed")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--zoo")
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--networks", default=NETWORKS)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    enter_venv(build)
    peak = read_peak(build)
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for threads in map(int, arguments.threads.split(",")):
            if threads > len(ALLOWED):
                print(f"peers: {threads} threads skipped, there are {len(ALLOWED)} CPUs")
                continue
            rows += in_process(work, threads, lambda folder: [
                compare(task, threads, folder, build, peak)
                for task in make_tasks(arguments, folder)])
        if arguments.out and rows:
            write_page(rows, peak, build, arguments.out)


if __name__ == "__main__":
    main()
