#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-causes.py REPORT.json: how the errors of a network of two layers without
tables must lie to each other, whose first range clips and whose weights are
rounded to the nearest."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    layers = json.load(file)["layers"]["values"]
first, middle, last = ((v["own_db"], v["accumulated_db"]) for v in layers)


def check(holds, what):
    if not holds:
        sys.exit(what + ": " + json.dumps(layers, indent=1))


# What is clipped at the input is missed behind it, where nothing clips.
check(last[0]["clipping"] > 100, "the output does not clip")
check(last[1]["clipping"] < 40, "clipping accumulates")
# A cause alone is no more than all of them; rounding has no ends.
for own, accumulated in (first, middle, last):
    check(accumulated["all"] <= accumulated["rounding"] + 1, "all causes")
check(first[1]["rounding"] > 40, "rounding alone does not clip")
# Own weights leave out those of the layer before; no table, no bias moved.
check(last[0]["weights"] > last[1]["weights"] + 0.5, "own weights")
for own, _ in (middle, last):
    check(own["arithmetic"] > 80, "arithmetic")
