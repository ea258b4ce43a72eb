#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-timing.py REPORT PHASE...: the report has these phases, none takes less
than no time, and their sum is the total within rounding."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    timing = json.load(file)["timing"]
phases = timing["phases_ms"]
assert sorted(phases) == sorted(sys.argv[2:]), phases
assert all(time >= 0 for time in phases.values()), phases
assert abs(sum(phases.values()) - timing["total_ms"]) <= 0.001 * len(phases), \
    timing
assert timing["total_ms"] > 0, timing
