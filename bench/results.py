#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures qopt on trained models and writes docs/results.md.

usage: results.py --zoo ZOO --build BUILD [--out docs/results.md] [--quick]

ZOO holds one folder a model (model.onnx, calib/, eval.npz, meta.json) and the
peers' figures in peers.json. --quick verifies 50 samples a model instead of
all. Parts whose needs are missing say so in the text.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile

from judge import options_of

MODELS = ["mlp_fmnist", "mlp_mnist", "mlp_synth", "cnn_fmnist", "resnet20_fmnist",
          "mbv2_fmnist", "mbv2_badscale_fmnist", "mbv3_fmnist", "vit_fmnist",
          "efficientnet_lite0"]
# Reference takes seconds a sample.
LARGE = ["efficientnet_lite0"]
# Judged by what their outputs are decoded to.
DECODED = ["ppocr_rec"]
FMNIST = "/usr/share/datasets/fashion-mnist"
NORMALIZE = "x:u8,mean=0.2860,std=0.3530,boundary=float"


class Bench:
    def __init__(self, zoo, build, work, quick):
        self.zoo, self.build, self.work, self.quick = zoo, build, work, quick
        self.source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

    def tool(self, name):
        return os.path.join(self.build, "bin", name)

    def run(self, *command, check=True):
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, check=False)
        if check and result.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
        return result.stdout

    def report(self, stem):
        with open(stem + ".json", encoding="utf-8") as file:
            return json.load(file)

    def flags(self, name):
        with open(os.path.join(self.zoo, name, "meta.json"), encoding="utf-8") as file:
            return options_of(json.load(file))

    def compile(self, name):
        """Calibrates, evaluates on eval.npz, keeps everything under work/name."""
        folder = os.path.join(self.zoo, name)
        stem = os.path.join(self.work, name)
        self.run(self.tool("qopt"), f"{folder}/model.onnx", "--calibrate", f"{folder}/calib",
                 "--eval", f"{folder}/eval.npz", "--name=net", *self.flags(name),
                 "--emit=obj,report,qcal,mlir:qint,mlir:quantized", "-o", stem)
        return self.report(stem)

    def compile_narrow(self, name):
        """The same statistics with all activations at 8 bits: report and
        microseconds an inference, beside those of the default."""
        folder, stem = os.path.join(self.zoo, name), os.path.join(self.work, name)
        found = {}
        for kind, flags in ("narrow", ["--max-slowdown=1"]), ("default", []):
            text = self.run(self.tool("qopt"), f"{folder}/model.onnx", "--calibrate",
                            stem + ".qcal", "--eval", f"{folder}/eval.npz", "--name=net",
                            *self.flags(name), *flags, "--emit=obj,report", "-o",
                            f"{stem}_{kind}")
            found[kind] = float(re.search(r"integer ([0-9.]+) us", text).group(1))
        return self.report(stem + "_narrow"), found["narrow"], found["default"]

    def full_test(self, name):
        """The same statistics on all 10,000 Fashion-MNIST test images."""
        stem = os.path.join(self.work, name + "_full")
        self.run(self.tool("qopt"), f"{self.zoo}/{name}/model.onnx", "--calibrate",
                 os.path.join(self.work, name + ".qcal"), "--input", NORMALIZE, "--eval",
                 f"{FMNIST}/t10k-images-idx3-ubyte.gz,{FMNIST}/t10k-labels-idx1-ubyte.gz",
                 "--name=net", "--emit=report,obj", "-o", stem)
        return self.report(stem)

    def verify(self, name):
        stem = os.path.join(self.work, name)
        limit = ["--limit", "50"] if self.quick else []
        if name in LARGE:
            limit = ["--limit", "4", "--ops-limit", "4"]
        return json.loads(self.run(
            self.tool("verify-model"), "--object", stem + ".o", "--name", "net", "--qint",
            stem + ".qint.mlir", "--quantized", stem + ".quantized.mlir", "--eval",
            f"{self.zoo}/{name}/eval.npz", *limit, check=False))

    def judge(self, names):
        """What judge.py says of each model, or one line why it says nothing."""
        text = self.run(sys.executable, os.path.join(self.source, "bench", "judge.py"),
                        "--zoo", self.zoo, "--build", self.build, *names, check=False)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")], text


    def pairs(self, names):
        """What mcnemar.py says of each model, or why it says nothing."""
        text = self.run(sys.executable, os.path.join(self.source, "bench", "mcnemar.py"),
                        "--zoo", self.zoo, "--build", self.build, *names, check=False)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")], text


def decibels(value):
    return "-" if value is None else f"{value:.1f}"


def accuracy_row(name, count, real, integer, agreement, sqnr, peer):
    def figures(key):
        p = peer.get(key)
        return "-" if not p else (f"{100 * p['metric']:.2f}, {100 * p['agreement']:.1f}, "
                                  f"{decibels(p.get('sqnr_db'))}")
    return (f"| {name} | {count} | {100 * real:.2f} | {100 * integer:.2f} "
            f"| {100 * (real - integer):.2f} | {100 * agreement:.2f} % | {decibels(sqnr)} "
            f"| {figures('ort_best')} | {figures('nncf')} |")


def accuracy_section(bench, peers):
    yield "## Accuracy: integer-only against float\n"
    yield ("On each model's `eval.npz` after calibration on its `calib/`, default settings; "
           "agreement and SQNR are against the float model. ORT: the best of five settings of "
           "ONNX Runtime's static quantization; NNCF: its default, run by OpenVINO.\n")
    yield ("| model | n | float | integer | drop | agreement | SQNR dB | ORT: metric, agreement, "
           "SQNR | NNCF: metric, agreement, SQNR |")
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in MODELS:
        e = bench.compile(name)["evaluation"]
        # Without labels the metric is the agreement with the float model.
        f, i = e.get("float_accuracy"), e.get("integer_accuracy")
        if f is None:
            f, i = 1, e["agreement"]
        yield accuracy_row(name, e["samples"], f, i, e["agreement"],
                           e["outputs"][0]["sqnr_db"], peers.get(name, {}))
    judged, text = bench.judge(DECODED)
    for row in judged:
        yield accuracy_row(row["model"], row["n"], row["float"], row["metric"],
                           row["agreement"], None, peers.get(row["model"], {}))
    yield "" if judged else text.strip() + "\n"
    if os.path.isdir(FMNIST):
        yield "All 10,000 Fashion-MNIST test images:\n"
        yield "| model | float | integer | drop | agreement | SQNR dB |"
        yield "|---|---|---|---|---|---|"
        for name in MODELS:
            if not name.endswith("fmnist"):
                continue
            e = bench.full_test(name)["evaluation"]
            f, i = e["float_accuracy"], e["integer_accuracy"]
            yield (f"| {name} | {100 * f:.2f} | {100 * i:.2f} | {100 * (f - i):.2f} "
                   f"| {100 * e['agreement']:.2f} % | {decibels(e['outputs'][0]['sqnr_db'])} |")
        yield ""


def pairs_section(bench):
    yield "## Against the better peer, sample by sample\n"
    yield ("McNemar's paired test (`bench/mcnemar.py`): samples that only one of the two gets "
           "right, and the exact two-sided probability of so uneven a split by chance. The "
           "peer is the better one of ONNX Runtime's best setting and NNCF's default, rerun "
           "(`--rerun`) on the same samples; what it gets right is kept in "
           "`bench/peer_hits.json`. Sure: agreement where the float model gives one class more "
           "than half.\n")
    yield ("| model | n | qopt | peer | its metric | only qopt | only peer | p | sure: n | "
           "agreement |")
    yield "|---|---|---|---|---|---|---|---|---|---|"
    rows, text = bench.pairs(MODELS + DECODED)
    for row in rows:
        sure = (f"{row['sure']} | {100 * row['sure_agreement']:.2f} %" if "sure" in row
                else "- | -")
        yield (f"| {row['model']} | {row['n']} | {100 * row['metric']:.2f} | {row['peer']} "
               f"| {100 * row['peer_metric']:.2f} | {row['ours_only']} | {row['theirs_only']} "
               f"| {row['p']:.2g} | {sure} |")
    yield "" if rows else text.strip() + "\n"


def bits_section(bench):
    yield "## Activations of more than 8 bits\n"
    yield ("The default gives some activations up to 16 bits (`--target-sqnr=44 "
           "--max-slowdown=1.3`): how many of those that could have them, predicted and measured "
           "slowdown, and the figures of `--max-slowdown=1`, which leaves all at 8.\n")
    yield ("| model | widened | predicted | measured | 8 bits: drop | agreement | SQNR dB | us "
           "an inference |")
    yield "|---|---|---|---|---|---|---|---|"
    for name in MODELS:
        search = bench.report(os.path.join(bench.work, name)).get("bit_search", {})
        report, narrow, default = bench.compile_narrow(name)
        e = report["evaluation"]
        drop = e.get("float_accuracy", 1) - e.get("integer_accuracy", e["agreement"])
        yield (f"| {name} | {search.get('widened', 0)} of {search.get('candidates', 0)} "
               f"| {search.get('slowdown', 1):.2f} | {default / narrow:.2f} | {100 * drop:.2f} "
               f"| {100 * e['agreement']:.2f} % | {decibels(e['outputs'][0]['sqnr_db'])} "
               f"| {narrow:.1f} |")
    yield ""


def exactness_section(bench):
    yield "## Exactness\n"
    yield ("Output bytes of the emitted object against Reference on level `qint`"
           + (" (50 samples a model)" if bench.quick else ", whole evaluation sets")
           + "; each op of level `quantized` in float arithmetic on the integers that the "
             "object has there (first 20 samples).\n")
    yield ("| model | samples | output bytes | differing | op elements | differing from float "
           "arithmetic | largest, steps |")
    yield "|---|---|---|---|---|---|---|"
    for name in MODELS:
        v = bench.verify(name)
        share = v["op_differing"] / max(v["op_elements"], 1)
        yield (f"| {name} | {v['samples']} | {v['output_bytes']} | {v['differing_bytes']} "
               f"| {v['op_elements']} | {share:.2e} | {v['op_largest_steps']} |")
    yield ""


def size_section(bench):
    yield "## Size\n"
    yield "| model | ONNX file | constants | code | arena | stack |"
    yield "|---|---|---|---|---|---|"
    for name in MODELS:
        s = bench.report(os.path.join(bench.work, name))["sizes"]
        yield (f"| {name} | {s['model_bytes']} | {s['const_bytes']} | {s['code_bytes']} "
               f"| {s['arena_bytes']} | {s['stack_bytes']} |")
    yield ""


def gemm_section(bench):
    yield "## GEMM kernel\n"
    yield ("Share of the int8 peak (24 independent `vpdpbusd` on 512-bit registers, checked by "
           "disassembly, in the same process), integer requantization included.\n")
    yield "```"
    yield bench.run(bench.tool("gemm-peak"), check=False).strip() or "not measured on this CPU"
    yield "```\n"


def calibration_section(bench):
    yield "## Calibration\n"
    model = f"{bench.zoo}/resnet20_fmnist/model.onnx"
    c = json.loads(bench.run(bench.tool("calibration-peak"), model))
    yield (f"ResNet-20, float: {c['bare_us']:.0f} us a sample without observers "
           f"({100 * c['bare_share']:.1f} % of the f32 FMA peak of {c['peak_gmacs']:.0f} GMAC/s "
           f"measured in the same process), {c['observed_us']:.0f} us with them "
           f"({100 * c['observed_share']:.1f} %).\n")
    peak = {}
    for count in (100, 10000):
        pid = os.fork()
        if pid == 0:
            with open(os.devnull, "w", encoding="utf-8") as null:
                os.dup2(null.fileno(), 1)
                os.dup2(null.fileno(), 2)
            os.execv(bench.tool("qopt"), [
                "qopt", "calibrate", model, "--calibrate", f"random:normal:0:1,n={count}",
                "-o", os.path.join(bench.work, "memory.qcal")])
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            sys.exit(f"calibration on {count} samples failed")
        peak[count] = usage.ru_maxrss
    yield (f"Peak memory: {peak[100] / 1024:.1f} MB for 100 samples, {peak[10000] / 1024:.1f} MB "
           f"for 10,000: {100 * (peak[10000] / peak[100] - 1):+.1f} %.\n")


def reproducibility_section(bench):
    yield "## Reproducibility\n"
    digests = set()
    for run in range(20):
        folder = os.path.join(bench.work, f"repeat{run % 2}")
        os.makedirs(folder, exist_ok=True)
        out = os.path.join(folder, "net.o")
        bench.run(bench.tool("qopt"), f"{bench.zoo}/mbv2_fmnist/model.onnx", "--calibrate",
                  f"{bench.zoo}/mbv2_fmnist/calib", "-o", out, f"--jobs={run % 3 + 1}")
        with open(out, "rb") as file:
            digests.add(hashlib.sha256(file.read()).hexdigest())
    yield (f"MobileNetV2 compiled 20 times in two folders with 1 to 3 jobs: {len(digests)} "
           "distinct object(s).\n")


def cpu_name():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--out")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    zoo, build = os.path.abspath(arguments.zoo), os.path.abspath(arguments.build)
    with open(os.path.join(zoo, "peers.json"), encoding="utf-8") as file:
        peers = json.load(file)["models"]
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(zoo, build, work, arguments.quick)
        lines = ["# Results", "",
                 "Written by `bench/results.py`, not by hand. Machine: "
                 f"{cpu_name()}, {os.cpu_count()} cores, a virtual machine shared with others; "
                 "quote ratios, not times.", ""]
        for section in (accuracy_section(bench, peers), pairs_section(bench),
                        bits_section(bench),
                        exactness_section(bench),
                        size_section(bench), gemm_section(bench), calibration_section(bench),
                        reproducibility_section(bench)):
            for line in section:
                print(line, file=sys.stderr)
                lines.append(line)
    text = "\n".join(lines).rstrip() + "\n"
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
