#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""footprint.py BUILD OUT.md MODEL=FILE.onnx=DATA...: what loading a compiled model
costs, and what memory its process needs, as a page.

Compiles each model for this machine with 8 bits and no search, loads it in fresh
processes, and writes the least of each time: from dlopen to the first run's end,
less a later run. `topologies.py` writes networks of published sizes."""

import json
import os
import subprocess
import sys
import tempfile

PROCESSES = 15
HEAD = """# Loading a model

Written by `bench/footprint.py`, not by hand: the least of %d processes, each of
which loads the model's shared library, asks for the variant, allocates, and runs
twice (`bench/first_result.c`). The first run reads the weights from the page
cache. Peak memory is that of the whole process, C library included.

| model | library MB | load us | first run us | later run us | load to first result beyond a run, us | peak memory MiB |
|---|---|---|---|---|---|---|
"""


def measure(build, folder, name, model, data):
    library = os.path.join(folder, name + ".so")
    subprocess.run([os.path.join(build, "bin", "qopt"), model, "--calibrate", data,
                    "--limit=2", "--range=minmax", "--max-slowdown=1",
                    "--weight-rounding=nearest", "--bias-correction=off",
                    "--emit=lib", "--name=net", "-o", library], check=True,
                   stdout=subprocess.DEVNULL)
    runs = [json.loads(subprocess.run(
        [os.path.join(folder, "first_result"), library, "net"], check=True,
        text=True, capture_output=True).stdout) for _ in range(PROCESSES)]
    load, first, second = (min(run[key] for run in runs)
                           for key in ("load_us", "first_us", "second_us"))
    beyond = min(run["load_us"] + run["first_us"] for run in runs) - second
    peak = max(run["peak_kib"] for run in runs) / 1024
    return "| %s | %.1f | %.0f | %.0f | %.0f | %.0f | %.1f |\n" % (
        name, os.path.getsize(library) / 1e6, load, first, second, beyond, peak)


def main():
    build, out, *models = sys.argv[1:]
    tree = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    page = HEAD % PROCESSES
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["cc", "-O2", "-I", os.path.join(tree, "include"),
                        os.path.join(tree, "bench", "first_result.c"), "-ldl", "-o",
                        os.path.join(folder, "first_result")], check=True)
        for model in models:
            row = measure(build, folder, *model.split("=", 2))
            print(row, end="", flush=True)
            page += row
    with open(out, "w", encoding="utf-8") as file:
        file.write(page)


if __name__ == "__main__":
    main()
