#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""same-evaluation.py A B: whether two reports have the same evaluation."""

import json
import sys

first, second = (json.load(open(path, encoding="utf-8"))["evaluation"] for path in sys.argv[1:])
if first != second:
    for key in first:
        if first[key] != second.get(key):
            print(f"{key}: {first[key]} and {second.get(key)}")
    sys.exit(1)
