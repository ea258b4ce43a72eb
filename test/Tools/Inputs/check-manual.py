#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-manual.py QOPT FOLDER: each flag of `qopt --help` stands in the manual
page, which groff takes without a warning, and in each completion."""

import re
import shutil
import subprocess
import sys

qopt, folder = sys.argv[1:]
text = subprocess.run([qopt, "--help"], check=True, text=True,
                      capture_output=True).stdout
names = re.findall(r"^  (--?[\w-]+)", text, re.M)
assert len(names) > 30, names
for path, form in (("man/man1/qopt.1", lambda n: n.replace("-", "\\-")),
                   ("bash-completion/completions/qopt", str),
                   ("zsh/vendor-completions/_qopt", str),
                   ("fish/vendor_completions.d/qopt.fish",
                    lambda n: "-l " + n[2:] if n[1] == "-" else "-s " + n[1:])):
    with open(folder + "/" + path, encoding="utf-8") as file:
        text = file.read()
    for name in names:
        assert re.search(re.escape(form(name)) + r"(?![\w-])", text), (path, name)
if shutil.which("groff"):
    done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8",
                           folder + "/man/man1/qopt.1"], text=True,
                          capture_output=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
