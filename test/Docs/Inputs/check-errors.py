#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-errors.py TREE: docs/errors.md has a row for each code that TREE's
sources can report, and for no other."""

import os
import re
import sys

tree = sys.argv[1]
# Calls that make an error, passes whose messages become one, and names of codes.
MADE = (r"\b(?:makeError|refuse|take|fail|linkFailure)\(\s*(\d{3})\s*,",
        r"\b(?:verify|run)\((?:[^;()]*,)?\s*(\d{3})\s*,",
        r"\bcode = (\d{3});", r"^  \w+ = (\d{3}),$")

codes = {}
for folder in ("lib", "tools"):
    for root, _, names in sorted(os.walk(os.path.join(tree, folder))):
        for name in sorted(names):
            if not name.endswith((".cpp", ".h")):
                continue
            with open(os.path.join(root, name), encoding="utf-8") as file:
                text = file.read()
            for pattern in MADE:
                for code in re.findall(pattern, text, re.M):
                    codes.setdefault(code, name)
with open(os.path.join(tree, "docs", "errors.md"), encoding="utf-8") as file:
    page = file.read()
rows = re.findall(r"^\| Q0(\d{3}) \|", page, re.M)

wrong = ["Q0%s of %s is not in docs/errors.md" % (code, codes[code])
         for code in sorted(set(codes) - set(rows))]
wrong += ["no source makes Q0%s" % code for code in sorted(set(rows) - set(codes))]
wrong += ["Q0%s stands out of order" % b for a, b in zip(rows, rows[1:]) if a >= b]
print("\n".join(wrong) or "%d codes" % len(rows))
sys.exit(bool(wrong))
