#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-flags.py QOPT PAGE: PAGE and `qopt --help` know the same flags, those of
single verbs apart, which stand in the table of verbs."""

import re
import subprocess
import sys

qopt, page = sys.argv[1:]
text = subprocess.run([qopt, "--help"], check=True, text=True,
                      capture_output=True).stdout
flags = set(re.findall(r"^  (--?[\w-]+)", text, re.M)) - {"--help", "--version"}
with open(page, encoding="utf-8") as file:
    page = file.read()
rows = set(re.findall(r"`(--?[\w-]+)`", "".join(
    row.split("|")[1] for row in re.findall(r"^\| `-.*$", page, re.M))))
verbs = set(re.findall(r"--\w+", "".join(re.findall(r"^\| `qopt .*$", page, re.M))))
for name in sorted(flags - rows - verbs):
    print("no row for", name)
for name in sorted(rows - flags):
    print("--help has no", name)
sys.exit(bool(flags - rows - verbs or rows - flags))
