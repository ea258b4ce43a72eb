#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The figures that introductions to quantization quote, each by one command.

usage: classic_figures.py --zoo ZOO --build BUILD

Prints the table in docs/accuracy.md: a 784-100-100-10 network with several range
methods, a convolutional one simulated and emitted, the weights of a first
convolution.
"""

import argparse
import json
import os
import subprocess
import tempfile


def run(build, *arguments):
    return subprocess.run([os.path.join(build, "bin", "qopt"), *arguments], check=True,
                          text=True, capture_output=True).stdout


def accuracy(zoo, build, name, flags):
    folder = os.path.join(zoo, name)
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "report.json")
        run(build, f"{folder}/model.onnx", "--calibrate", f"{folder}/calib", "--eval",
            f"{folder}/eval.npz", *flags, "--emit=report", "-o", path)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    e, s = report["evaluation"], report["sizes"]
    return (f"{100 * e['float_accuracy']:.2f} -> {100 * e['integer_accuracy']:.2f} %, "
            f"{e['outputs'][0]['sqnr_db']:.1f} dB, {s['model_bytes'] / 1000:.1f} -> "
            f"{s['const_bytes'] / 1000:.1f} KB of constants")


def first_weight(zoo, build, name):
    weights = json.loads(run(build, "weights", f"{zoo}/{name}/model.onnx", "--json"))["weights"]
    first = weights[0]
    eight = next(e for e in first["errors"] if e["bits"] == 8)
    shape = "x".join(map(str, first["shape"]))
    return shape, ", ".join(f"{key.replace('_', ' ')} {eight[key]['mae']:.2e}"
                            for key in ("symmetric", "asymmetric", "per_channel"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", required=True)
    parser.add_argument("--build", required=True)
    arguments = parser.parse_args()
    zoo, build = os.path.abspath(arguments.zoo), os.path.abspath(arguments.build)
    print("| figure | flags | result |\n|---|---|---|")
    for name, what in (("mlp_mnist", "784-100-100-10, MNIST"),
                       ("mlp_fmnist", "784-100-100-10, Fashion-MNIST"),
                       ("cnn_fmnist", "convolutional, Fashion-MNIST")):
        for flags in ([], ["--range=minmax"], ["--range=percentile:99.99"],
                      ["--range=minmax", "--weights=per-tensor", "--weight-rounding=nearest",
                       "--bias-correction=off", "--max-slowdown=1"]):
            print(f"| {what} | {' '.join(f'`{flag}`' for flag in flags) or 'none'} "
                  f"| {accuracy(zoo, build, name, flags)} |", flush=True)
    for name in ("efficientnet_lite0", "resnet20_fmnist"):
        shape, text = first_weight(zoo, build, name)
        print(f"| mean error of {name}'s first weight, {shape}, 8 bits | `qopt weights` "
              f"| {text} |", flush=True)


if __name__ == "__main__":
    main()
