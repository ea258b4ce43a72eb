#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Seeded faults: do the tests of Transforms, Numerics and Observers catch
mistakes in those rooms?

usage: run.py [--count 20] [--rooms Numerics,Observers] [--seed TEXT] [--keep FOLDER]

Copies the committed tree, then at `count` places, chosen by a hash of the
commit (or of TEXT), deletes a condition, swaps two operands or shifts a
constant, builds, and runs the tests of that room alone. Passed over are places
whose mutant does not compile or compiles to the same machine code. Prints the
others; exits 1 if fewer than 90 % are caught.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOMS = {
    "Numerics": {"targets": ["QoptNumericsTests"], "lit": None},
    "Observers": {"targets": ["QoptObserversTests"], "lit": None},
    "Transforms": {"targets": ["qopt-opt", "qopt-qcal-from-text", "QoptTransformsTests"], "lit": "Transforms"},
}

CONDITION = re.compile(r"^(\s*(?:\} else )?if \()(.+)(\)(?: \{)?)$")
OPERANDS = re.compile(r"\b([a-zA-Z]\w*) (-|/|<=|>=|<|>|<<|>>) ([a-zA-Z]\w*)\b(?![<(.\[:])")
CONSTANT = re.compile(r"(?<![\w.\"'])(\d+)(?![\w.\"'])")


def run(command, timeout=None, **options):
    """Ends everything that the command started when it takes too long."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          start_new_session=True, **options) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(command, process.returncode, output)


def mutations(line):
    """(kind, new line) for each fault that `line` offers."""
    code = line.split("//")[0].rstrip()
    if not code.strip() or code.lstrip().startswith(("#", "*", "case ", "using ", "namespace ",
                                                     "template", "static_assert")):
        return
    match = CONDITION.match(code)
    if match and "=" not in re.sub(r"[=!<>]=", "", match[2]) and " : " not in match[2]:
        yield "delete condition", f"{match[1]}false && ({match[2]}){match[3]}"
    if '"' in code:
        return
    for match in OPERANDS.finditer(code):
        swapped = f"{match[3]} {match[2]} {match[1]}"
        yield "swap operands", code[:match.start()] + swapped + code[match.end():]
    for match in CONSTANT.finditer(code):
        shifted = str(int(match[1]) + 1)
        yield "shift constant", code[:match.start()] + shifted + code[match.end():]


def places(tree, seed, rooms):
    """All possible faults, in an order that `seed` decides."""
    found = []
    for room in rooms:
        for folder in (f"lib/{room}", f"include/qopt/{room}"):
            for root, _, names in os.walk(os.path.join(tree, folder)):
                for name in sorted(names):
                    if not name.endswith((".cpp", ".h")):
                        continue
                    path = os.path.relpath(os.path.join(root, name), tree)
                    with open(os.path.join(tree, path), encoding="utf-8") as file:
                        lines = file.read().splitlines()
                    for number, line in enumerate(lines):
                        for kind, text in mutations(line):
                            key = f"{seed}|{path}|{number}|{kind}|{text}"
                            digest = hashlib.sha256(key.encode()).hexdigest()
                            found.append((digest, room, path, number, kind, line, text))
    return sorted(found)


class Mutants:
    def __init__(self, tree, build):
        self.tree = tree
        self.build = build
        self.original = {}

    def build_targets(self, room):
        listed = run(["ninja", "-C", self.build, "-t", "targets", "all"]).stdout
        targets = [t for t in ROOMS[room]["targets"] if f"\n{t}: phony" in listed
                   or f"/{t}:" in listed]
        return run(["ninja", "-C", self.build, "-j2", *targets]), targets

    def machine_code(self, targets):
        """What the linker wrote; nothing in it depends on line or time."""
        found = []
        for target in targets:
            with open(os.path.join(self.build, "bin", target), "rb") as file:
                found.append(hashlib.sha256(file.read()).digest())
        return found

    def passes_unchanged(self, room):
        built, targets = self.build_targets(room)
        if built.returncode != 0 or self.test(room, targets):
            return built.stdout[-2000:] or "a test fails"
        self.original[room] = self.machine_code(targets)
        return None

    def test(self, room, targets):
        """True if some test of the room fails."""
        for target in targets:
            if not target.endswith("Tests"):
                continue
            result = run([os.path.join(self.build, "bin", target)], timeout=300)
            if result.returncode != 0:
                return True
        if ROOMS[room]["lit"]:
            result = run([sys.executable, "/usr/lib/llvm-22/bin/lit", "-q", "--max-failures=1",
                          os.path.join(self.build, "test"), "--filter",
                          ROOMS[room]["lit"] + "/"], timeout=300)
            return result.returncode != 0
        return False

    def try_fault(self, room, path, number, text):
        """'caught', 'survived', 'does not compile' or 'same machine code'."""
        full = os.path.join(self.tree, path)
        with open(full, encoding="utf-8") as file:
            original = file.read()
        lines = original.splitlines()
        lines[number] = text
        with open(full, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        try:
            built, targets = self.build_targets(room)
            if built.returncode != 0:
                return "does not compile"
            if self.machine_code(targets) == self.original[room]:
                return "same machine code"
            return "caught" if self.test(room, targets) else "survived"
        except subprocess.TimeoutExpired:
            return "caught"
        finally:
            with open(full, "w", encoding="utf-8") as file:
                file.write(original)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--rooms", default=",".join(ROOMS))
    parser.add_argument("--seed", help="instead of the commit's hash")
    parser.add_argument("--keep", help="folder for the copy, kept afterwards")
    arguments = parser.parse_args()
    rooms = arguments.rooms.split(",")
    if not set(rooms) <= set(ROOMS):
        parser.error(f"rooms are {', '.join(ROOMS)}")
    source = run(["git", "rev-parse", "--show-toplevel"]).stdout.strip()
    commit = run(["git", "rev-parse", "HEAD"], cwd=source).stdout.strip()
    work = arguments.keep or tempfile.mkdtemp(prefix="qopt-faults-")
    tree = os.path.join(work, "tree")
    build = os.path.join(tree, "build")
    if not os.path.isdir(tree):
        os.makedirs(tree)
        archive = subprocess.run(["git", "archive", commit], cwd=source, check=True,
                                 stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "x"], cwd=tree, input=archive, check=True)
        configured = run(["cmake", "--preset", "default", "-B", build], cwd=tree)
        if configured.returncode != 0:
            sys.exit(configured.stdout)
    mutants = Mutants(tree, build)
    for room in rooms:
        problem = mutants.passes_unchanged(room)
        if problem:
            sys.exit(f"room {room} does not pass its tests without a fault\n{problem}")

    caught = tried = 0
    for _, room, path, number, kind, line, text in places(tree, arguments.seed or commit, rooms):
        if tried == arguments.count:
            break
        outcome = mutants.try_fault(room, path, number, text)
        if outcome in ("does not compile", "same machine code"):
            continue
        tried += 1
        caught += outcome == "caught"
        print(f"{outcome}: {kind} at {path}:{number + 1}\n    - {line.strip()}\n"
              f"    + {text.strip()}", flush=True)
    print(f"seeded faults: {caught} of {tried} caught (commit {commit[:12]})")
    if not arguments.keep:
        shutil.rmtree(work)
    return 0 if tried and caught >= 0.9 * tried else 1


if __name__ == "__main__":
    sys.exit(main())
