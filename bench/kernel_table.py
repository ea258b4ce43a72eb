#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures the kernels and writes the part `## Kernels` of docs/performance.md:
   kernel_table.py --build BUILD [--out PAGE]

Each share is of the int8 peak (or the reading loop) measured in turns with the
kernel in one process; beside it stand what is asked for and what counting vector
instructions allows."""

import argparse
import json
import os
import subprocess
import sys

# Vector instructions per 64 outputs of an epilogue: 8 multiplications, 4 shifts
# and 4 merges around them, 3 packs, 2 roundings.
EPILOGUE = 21

# What words take beyond bytes: twice the dots, 4 more shuffles less those of
# shared rows, one permutation.
WORD_DOTS = 17

# (name, shapes of gemm-peak, must, goal)
PRODUCTS = [
    ("GEMM, K >= 256", ["196x256x1024", "196x1024x256", "3136x64x256", "128x768x768"], 92, 97),
    ("GEMM, K 64-128", ["3136x256x64", "3136x64x64", "784x512x128", "784x128x128"], 80, 88),
    ("GEMM, K 32", ["784x192x32"], 68, 73),
    ("GEMM, K 24", ["3136x144x24"], 62, 67),
    ("GEMM, K 16", ["3136x64x16", "12544x96x16"], 52, 58),
    ("3x3, 64 channels and more", ["conv:56x64x64x3x1", "conv:28x128x128x3x1",
                                   "conv:14x256x256x3x1", "conv:7x512x512x3x1"], 92, 97),
    ("first 7x7/2", ["conv:112x3x64x7x2"], 72, 82),
]
# Of its ten layers: 640-128-128-128-128-8 and back.
AUTOENCODER_WEIGHTS = 2 * (640 * 128 + 3 * 128 * 128 + 128 * 8)
MLP_WEIGHTS = 784 * 100 + 100 * 100 + 100 * 10
BATCH_ONE = ["1x640x128", "1x1000x1280", "1x1000x2048", "1x4096x4096"]
AVX2 = ["196x256x1024", "784x128x512", "196x256x2304"]
# (start of kernel-times' name, must, goal, vector instructions for 64 outputs, taps)
DEPTHWISE = [
    ("depthwise 3x3/1", 23, 34, 12 + 4 + EPILOGUE, 9),
    ("depthwise 3x3/2", 17, 24, 12 + 16 + EPILOGUE, 9),
    ("depthwise 5x5", None, None, None, 25),
]


def run(build, program, *arguments):
    text = subprocess.run([os.path.join(build, "bin", program), *arguments], check=False,
                          stdout=subprocess.PIPE).stdout.decode()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def others(build):
    """The kernels beside products: time, rate and share of peak by name."""
    program = os.path.join(build, "bin", "kernel-times")
    if not os.path.exists(program):
        print("kernel-times: skipped, it was built without libbenchmark-dev", file=sys.stderr)
        return []
    text = subprocess.run([program, "--benchmark_format=json"], check=True,
                          stdout=subprocess.PIPE).stdout
    rows = []
    for entry in json.loads(text)["benchmarks"]:
        if entry.get("aggregate_name") != "p10":
            continue
        time = entry["real_time"]
        rows.append({"kernel": entry["run_name"], "ns_per_64": 64 * time / entry["outputs"],
                     "gmacs": entry["macs"] / time,
                     "share": entry["macs"] / time * entry["peak_ns_per_mac"]})
    return sorted(rows, key=lambda row: row["kernel"])  # they ran in random order


def products(build, shapes, *arguments):
    """Results by shape; empty where the instruction set is missing."""
    rows = [row for row in run(build, "gemm-peak", *arguments, *shapes) if "m" in row]
    return list(zip(shapes, rows))


def percent(value):
    return "-" if value is None else f"{value:.0f} %"


def bound_of(row):
    """Dot products as a share of all vector instructions of a 64-wide panel."""
    dots = 4 * -(-row["k"] // 4) / 4
    ideal = row["k"] / 4
    return 100 * 4 * ideal / (4 * dots + EPILOGUE)


def table(build):
    lines = ["| kernel | case | GMAC/s | share of peak | counted bound | must / goal |",
             "|---|---|---|---|---|---|"]

    def add(kernel, case, rate, share, bound, must, goal):
        asked = f"{percent(must)} / {percent(goal)}" if must else "-"
        lines.append(f"| {kernel} | {case} | {rate:.0f} | {100 * share:.1f} % "
                     f"| {percent(bound)} | {asked} |")

    for name, shapes, must, goal in PRODUCTS:
        for shape, row in products(build, shapes, "--rounds=100"):
            add(name, shape.removeprefix("conv:"), row["gmacs"], row["share"],
                bound_of(row), must, goal)
    rest = others(build)
    for start, must, goal, count, taps in DEPTHWISE:
        for row in rest:
            if row["kernel"].startswith(start):
                add(*row["kernel"].rsplit(" ", 2 if row["kernel"].endswith("i16") else 1)[0:1],
                    row["kernel"].split(" ", 2)[2], row["gmacs"], row["share"],
                    100 * taps / (count + WORD_DOTS * ("i16" in row["kernel"])) if count
                    else None, *((None, None) if "i16" in row["kernel"] else (must, goal)))
    for shape, row in products(build, AVX2, "--rounds=60", "--isa=avx2"):
        add("AVX2 build, of its own exact peak", shape, row["gmacs"], row["share"], None, 85, 90)
    lines += ["", "| kernel | case | measured | must / goal |", "|---|---|---|---|"]
    one_row = products(build, BATCH_ONE)
    for shape, row in one_row:
        lines.append(f"| FC, batch 1, of a reading loop's GB/s | {shape} | {row['gb_s']:.0f} GB/s, "
                     f"{100 * row['share_of_read']:.0f} % | 85 % / 95 % |")
    for shape, row in products(build, ["96x64x4"]):
        time = row["p10_us"] * 1e3 / 96 - 4 * 64 / row["peak_gmacs"]
        counted = EPILOGUE * 64 / row["peak_gmacs"]
        lines.append(f"| requantization of 64 outputs | after 4 dots | {time:.2f} ns; counted bound "
                     f"{counted:.2f} ns | 1.8 ns / 1.5 ns |")
    for row in rest:
        family = row["kernel"].split(" ")[0]
        if family in ("table", "add", "mul", "gate"):
            asked = "0.55 ns / 0.52 ns" if family == "table" else "-"
            lines.append(f"| {family}, 64 elements | {row['kernel'].split(' ', 1)[1]} "
                         f"| {row['ns_per_64']:.2f} ns | {asked} |")
    return lines, one_row


def bound_by_reading(one_row):
    """What reading its weights takes of the largest network without reuse."""
    if not one_row:
        return []
    rate = one_row[0][1]["read_gb_s"]
    return ["- A product of one row uses each weight once. At the reading loop's rate for "
            f"{one_row[0][0]} ({rate:.0f} GB/s) the autoencoder's "
            f"{AUTOENCODER_WEIGHTS / 1e3:.0f} kB of weights take "
            f"{AUTOENCODER_WEIGHTS / rate / 1e3:.2f} us, the 89 kB of the network 784-100-100-10 "
            f"{MLP_WEIGHTS / rate / 1e3:.2f} us. Prefetching, other orders of lines and several "
            "streams were tried on the reading loop and are no faster (48 bytes a cycle)."]


def section(build):
    lines, one_row = table(build)
    return ["## Kernels", "",
            "Written by `bench/kernel_table.py`. One thread, p10; kernel and peak in turns in one "
            "process; requantization to a zero point at the range's lower end (as behind a ReLU) "
            "is part of each. MxNxK, or SIZExCxNxKERNELxSTRIDE for convolutions.", "",
            "Counted bound: the dots that the work needs as a share of all vector instructions of "
            "the kernel (dots, interleaving, "
            f"{EPILOGUE} for the requantization of 64 outputs). Where two vector instructions of "
            "512 bits start in a cycle, and dots are any two of them, no share can be above it; "
            "the figures asked for come from a CPU that starts more.", "",
            *lines, "",
            "What bounds the figures that are missed:", "",
            "- Products with K up to 64 and requantization are at the counted bound, depthwise 3x3 "
            "within a fifth of it: only fewer instructions a result would help. "
            "Requantization takes at least 8 "
            "multiplications for 64 results (32-bit lanes, 64-bit products), a move of the odd "
            "lanes and a merge for 16, and 3 packs.",
            "- Depthwise with stride 2 interleaves twice as many columns a result; shuffles start "
            "on one port only, which the count does not know. Next: interleaving rows by shifts "
            "(`vpshldw` with shifted loads), which start elsewhere.",
            "- A table of 256 bytes is four lookups of 64 bytes that start one a cycle here "
            "(1.3 ns at 3 GHz).",
            "- 16-bit depthwise inputs take two taps a dot; rows share no loads, for want of "
            "registers. No figure is asked for.",
            *bound_by_reading(one_row), ""]


def replace_section(path, lines):
    """Puts the part in the place of the one before, or in front of the peers'."""
    with open(path, encoding="utf-8") as file:
        page = file.read().splitlines()
    heads = [i for i, line in enumerate(page) if line.startswith("## ")] + [len(page)]
    start = next((i for i in heads[:-1] if page[i] == "## Kernels"), None)
    if start is None:
        start = end = next((i for i in heads[:-1] if page[i].startswith("## What the peers")),
                           len(page))
    else:
        end = heads[heads.index(start) + 1]
    page[start:end] = lines
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(page).rstrip() + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    lines = section(os.path.abspath(arguments.build))
    if arguments.out:
        replace_section(arguments.out, lines)
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
