#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights of 8, 4 and 2 bits on trained networks: what they cost and save.

usage: weight_bits.py --zoo ZOO --build BUILD [--models A,B] [--form=FLAGS]...

Prints the table in docs/accuracy.md: for each network and set of flags the
metric, agreement with the float model, SQNR and the bytes of constants.
"""

import argparse
import json
import os
import subprocess
import tempfile

from judge import options_of

MODELS = "mlp_fmnist,cnn_fmnist,resnet20_fmnist,vit_fmnist"
FORMS = ["", "--weight-bits=4", "--weight-bits=4 --weight-group=32",
         "--weight-bits=4 --weight-rounding=nearest",
         "--weight-bits=4 --weight-rounding=adaround", "--weight-bits=4 --weight-scaling=awq",
         "--weight-bits=auto --weight-group=32 --target-sqnr=36", "--weight-bits=2",
         "--weight-bits=2 --weight-group=32"]


def compile_report(build, folder, flags):
    """The report of a model compiled with `flags`."""
    with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
        own = options_of(json.load(file))
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "report.json")
        subprocess.run([os.path.join(build, "bin", "qopt"), f"{folder}/model.onnx", "--calibrate",
                        f"{folder}/calib", "--eval", f"{folder}/eval.npz", *own, *flags,
                        "--emit=report", "-o", path], check=True, capture_output=True)
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--form", action="append", default=[])
    arguments = parser.parse_args()
    print("| model | flags | float | integer | agreement | SQNR dB | constants KB |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.models.split(","):
        for form in arguments.form or FORMS:
            report = compile_report(arguments.build, os.path.join(arguments.zoo, name),
                                    form.split())
            e = report["evaluation"]
            words = " ".join(f"`{flag}`" for flag in form.split()) or "none"
            print(f"| {name} | {words} | {100 * e['float_accuracy']:.2f} % | "
                  f"{100 * e['integer_accuracy']:.2f} % | {100 * e['agreement']:.2f} % | "
                  f"{e['outputs'][0]['sqnr_db']:.1f} | "
                  f"{report['sizes']['const_bytes'] / 1000:.1f} |", flush=True)


if __name__ == "__main__":
    main()
