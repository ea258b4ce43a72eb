#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""same-reference-error.py QUANTIZED FLOAT: whether the quantized model of the
first report is as far from the data's reference as the float one of the second."""

import json
import sys


def output(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)["evaluation"]["outputs"][0]


first, second = output(sys.argv[1])["integer_sqnr_db"], output(sys.argv[2])["float_sqnr_db"]
if abs(first - second) > 1e-4:
    sys.exit(f"{first} dB and {second} dB")
