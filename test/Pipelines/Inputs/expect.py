#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""expect.py CODE COMMAND...: passes the command's output on, and fails unless
it exited with CODE (a signal never counts)."""

import subprocess
import sys

result = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                        check=False)
sys.stdout.buffer.write(result.stdout)
if result.returncode != int(sys.argv[1]):
    print(f"expected exit code {sys.argv[1]}, got {result.returncode}")
    sys.exit(1)
