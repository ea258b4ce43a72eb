#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lints that run as a test: include directions, dead check lines, file
lengths, static MLIR archives in link lines.

usage: lint.py SOURCE_TREE [--link-lines build.ninja]

Prints one line a finding and exits 1 if there is any.
"""

import argparse
import os
import re
import sys

MAX_LINES = 600
FOLDERS = ("lib", "include", "tools", "test", "python", "bench", "examples", "cmake")
COUNTED = (".cpp", ".h", ".c", ".td", ".mlir", ".py", ".cmake", ".test", ".sh")

# What each room may include (docs/architecture.md), closed over "may use".
ROOMS = {
    "Support": [],
    "Numerics": ["Support"],
    "Observers": ["Support", "Numerics"],
    "IR": ["Support", "Numerics"],
    "Import": ["Support", "Numerics", "IR"],
    "Export": ["Support", "Numerics", "IR", "Transforms"],
    "Transforms": ["Support", "Numerics", "IR", "Observers"],
    "Interop": ["Support", "Numerics", "IR", "Observers", "Transforms"],
    "Reference": ["Support", "Numerics", "IR"],
    "Codegen": ["Support", "Numerics", "IR"],
    "Target": ["Support"],
    "Runtime": [],
}
ROOMS["Calibration"] = [
    "Support", "Numerics", "IR", "Observers", "Transforms", "Codegen", "Target",
    "Reference",
]
ROOMS["Evaluation"] = ROOMS["Calibration"] + ["Calibration", "Runtime"]
ROOMS["Pipelines"] = ROOMS["Evaluation"] + [
    "Evaluation", "Import", "Export", "Interop",
]

ROOMS["CAPI"] = ROOMS["Pipelines"] + ["Pipelines"]

INCLUDE = re.compile(r'^\s*#?\s*include\s+"qopt/(\w+)/')
CHECK_WORD = re.compile(r"(?://|#|;)\s*((?:[A-Z0-9]+-)?CHECK(?:-[A-Z0-9-]+)?)(.*)")
CHECK_VALID = re.compile(
    r"(?:-(?:LABEL|NEXT|SAME|NOT|DAG|EMPTY|COUNT-\d+))?(?:\{LITERAL\})?:"
)


def files(tree):
    for folder in FOLDERS:
        for root, folders, names in os.walk(os.path.join(tree, folder)):
            folders[:] = sorted(d for d in folders if d != "__pycache__")
            for name in sorted(names):
                yield os.path.join(root, name)


def room_of(path, tree):
    parts = os.path.relpath(path, tree).split(os.sep)
    if parts[0] == "lib" and len(parts) > 2:
        return parts[1]
    if parts[0] == "include" and len(parts) > 3:
        return parts[2]
    return None


def lint_includes(path, room, lines):
    if room not in ROOMS:
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match and match[1] != room and match[1] not in ROOMS[room]:
            yield number, f"room {room} includes room {match[1]}"


def lint_checks(lines):
    """A check word that is no directive is silently ignored by FileCheck."""
    for number, line in enumerate(lines, 1):
        match = CHECK_WORD.search(line)
        if not match:
            continue
        word, rest = match[1], match[2]
        suffix = word[word.index("CHECK") + len("CHECK"):]
        if not CHECK_VALID.match(suffix + rest):
            yield number, f"dead check line: '{line.strip()}'"


def lint_links(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            for archive in re.findall(r"\S*lib(?:MLIR|LLVM)\w+\.a", line):
                yield number, f"static archive in a link line: {archive}"


def lint_tree(tree):
    for path in files(tree):
        if not path.endswith(COUNTED):
            continue
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        name = os.path.relpath(path, tree)
        if len(lines) > MAX_LINES:
            yield f"{name}:{len(lines)}: longer than {MAX_LINES} lines"
        for number, text in lint_includes(path, room_of(path, tree), lines):
            yield f"{name}:{number}: {text}"
        if path.endswith((".mlir", ".test")):
            for number, text in lint_checks(lines):
                yield f"{name}:{number}: {text}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tree")
    parser.add_argument("--link-lines")
    arguments = parser.parse_args()
    findings = list(lint_tree(arguments.tree))
    if arguments.link_lines:
        findings += [f"build.ninja:{n}: {t}" for n, t in lint_links(arguments.link_lines)]
    print("\n".join(findings) if findings else "lint: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
