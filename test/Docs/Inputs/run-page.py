#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""run-page.py PAGE FOLDER: runs PAGE in FOLDER as it is written, as one shell
script. Blocks of `sh` are its commands, blocks of `python` programs; a block
whose first line is a comment with a file name becomes that file. Blocks marked
`<!-- not run: reason -->` are left out. Prints each command and what it prints,
and stops at the first that fails."""

import os
import subprocess
import sys
import tempfile

from pages import read_blocks

HERE = "<<'END_OF_BLOCK'\n%sEND_OF_BLOCK\n"


def script_of(blocks):
    # Commands are shown as they run, apart from what pipes carry.
    script = "set -eu\nexec 3>&1 2>&1\nPS4='$ '\nBASH_XTRACEFD=3\n"
    for block in blocks:
        if block.reason:
            continue
        if block.file():
            script += "cat >'%s' " % block.file() + HERE % block.text
        elif block.language == "python":
            script += "python3 - " + HERE % block.text
        elif block.language == "sh":
            script += "set -x\n%s{ set +x; } 3>/dev/null\n" % block.text
    return script


def main():
    page, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory() as programs:
        # The page's python3 is the one that runs the tests.
        python = os.path.join(programs, "python3")
        with open(python, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexec '%s' \"$@\"\n" % sys.executable)
        os.chmod(python, 0o755)
        path = programs + os.pathsep + os.environ["PATH"]
        done = subprocess.run(["bash", "-c", script_of(read_blocks(page))],
                              cwd=folder, check=False,
                              env={**os.environ, "PATH": path},
                              stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit("%s: the last command above failed with %d"
                 % (os.path.basename(page), done.returncode))


if __name__ == "__main__":
    main()
