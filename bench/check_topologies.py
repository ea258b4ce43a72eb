#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_topologies.py BUILD [NET ...] [--folder DIR]: compiles generated networks.

Each network of topologies.py is compiled with 32 samples and judged on 8
others; its object is held against Reference on one of them. Prints one line of
a table a network and fails where one does not compile, differs in a byte, or
has less than 25 dB (small depthwise networks and ConvNeXt: 18 dB) between
float and integer outputs. Networks stay in DIR, by default below BUILD."""

import argparse
import json
import os
import re
import subprocess
import sys
import time

SENSITIVE = ("mobilenet", "efficientnet", "convnext")
HEADER = ("network", "nodes", "MMAC", "compile s", "CPU s", "peak MiB", "constants MB", "arena KB",
          "spread", "SQNR dB", "differing bytes", "float ms", "integer ms")


TOPOLOGIES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "topologies.py")


class Failure(Exception):
    """A network that is not as it must be."""


def run(command):
    """Standard output, seconds, CPU seconds and peak MiB of a command. A
    child's peak counts that of its parent at its start, so this process stays
    small: whatever needs arrays or models is a command of its own."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise Failure(f"{os.path.basename(command[0])} ended with {status}: {text.strip()}")
    return (text, time.monotonic() - begin, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024)


def run_python(script, *arguments):
    return run([sys.executable, "-c", script, *arguments])[0]


def generate(name, folder):
    """Writes what is not there yet; returns the outputs' spread."""
    note = os.path.join(folder, name, "spread.json")
    if not os.path.exists(note):
        run([sys.executable, TOPOLOGIES, folder, name])
    with open(note, encoding="utf-8") as file:
        return json.load(file)


def count_nodes(path):
    return int(run_python(
        "import onnx, sys; print(len(onnx.load(sys.argv[1]).graph.node))", path))


def verify(tool, stem, folder):
    """Output bytes that differ between object and Reference on one sample."""
    first = os.path.join(folder, "first.npz")
    run_python("import numpy, sys; data = numpy.load(sys.argv[1]); "
               "numpy.savez(sys.argv[2], **{key: data[key][:1] for key in data.files})",
               os.path.join(folder, "eval.npz"), first)
    command = [tool, "--object", stem + ".o", "--name", "net", "--qint", stem + ".qint.mlir",
               "--quantized", stem + ".quantized.mlir", "--eval", first, "--ops-limit", "0"]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout.decode()
    for level in "qint", "quantized":
        os.remove(f"{stem}.{level}.mlir")
    if not text.startswith("{"):
        raise Failure("verify-model failed")
    return json.loads(text)["differing_bytes"]


def check(name, build, folder):
    """One row of the table, and what is wrong with it."""
    spread = generate(name, folder)
    folder = os.path.join(folder, name)
    qopt, stem = os.path.join(build, "bin", "qopt"), os.path.join(folder, "net")
    path = os.path.join(folder, "model.onnx")
    _, seconds, cpu, peak = run([qopt, path, "--calibrate", os.path.join(folder, "calib.npy"),
                                 "--name=net", "--emit=obj,qcal", "-o", stem])
    text, *_ = run([
        qopt, path, "--calibrate", stem + ".qcal", "--eval", os.path.join(folder, "eval.npz"),
        "--name=net", "--emit=obj,report,mlir:qint,mlir:quantized", "-o", stem])
    times = re.search(r"float ([\d.]+) us, integer ([\d.]+) us", text).groups()
    with open(stem + ".json", encoding="utf-8") as file:
        report = json.load(file)
    sizes, found = report["sizes"], report["evaluation"]
    sqnr = min(output["sqnr_db"] for output in found["outputs"])
    differing = verify(os.path.join(build, "bin", "verify-model"), stem, folder)
    nodes = count_nodes(path)
    row = (name, nodes, f"{sizes['macs'] / 1e6:.0f}", f"{seconds:.1f}", f"{cpu:.1f}",
           f"{peak:.0f}", f"{sizes['const_bytes'] / 1e6:.1f}", f"{sizes['arena_bytes'] / 1e3:.0f}",
           f"{spread:.2f}", f"{sqnr:.1f}", differing,
           *(f"{float(us) / 1e3:.2f}" for us in times))
    least = 18 if name.startswith(SENSITIVE) else 25
    wrong = [text for text, is_wrong in (
        (f"{differing} bytes differ from Reference", differing),
        (f"SQNR below {least} dB", sqnr < least),
        ("the outputs hardly depend on the input", spread < 0.05)) if is_wrong]
    return row, wrong


def line(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("nets", nargs="*", metavar="NET")
    parser.add_argument("--folder")
    arguments = parser.parse_intermixed_args()
    folder = arguments.folder or os.path.join(arguments.build, "topologies")
    print(line(HEADER))
    print("|---" * len(HEADER) + "|", flush=True)
    failures = []
    for name in arguments.nets or run([sys.executable, TOPOLOGIES, "--list"])[0].split():
        try:
            row, wrong = check(name, arguments.build, folder)
            print(line(row), flush=True)
        except Failure as failure:
            wrong = [str(failure)]
        failures += [f"{name}: {text}" for text in wrong]
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
