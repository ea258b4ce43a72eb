#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""run-page.py PAGE FOLDER: runs each command of PAGE's blocks without a language
in FOLDER, prints it and what it prints, and stops at the first that fails."""

import re
import subprocess
import sys

page, folder = sys.argv[1:]
with open(page, encoding="utf-8") as file:
    blocks = re.findall(r"^```\n(.*?)^```$", file.read(), re.M | re.S)
commands = [line for block in blocks for line in block.splitlines() if line]
for command in commands:
    print("$", command, flush=True)
    done = subprocess.run(command.split(), cwd=folder, check=False)
    if done.returncode != 0:
        sys.exit("'%s' failed with %d" % (command, done.returncode))
print(len(commands), "commands")
