# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs docs/embedding.md and docs/tosa.md as they are written: shell and Python
blocks in their order, C and MLIR blocks as the file that their first line
names."""

import os
import re
import subprocess
import sys
import tempfile
import textwrap

try:
    import numpy
except ImportError:
    print("skipped: docs/embedding.md's commands need numpy (python3-numpy)")
    sys.exit(77)

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def run(command, text, folder):
    done = subprocess.run([*command, text], cwd=folder, text=True,
                          capture_output=True)
    print(text, done.stdout, done.stderr, sep="\n")
    if done.returncode != 0:
        sys.exit("the block above failed with %d" % done.returncode)
    return done.stdout


def run_page(page, folder):
    """What the blocks of a page print."""
    with open(os.path.join(TREE, "docs", page), encoding="utf-8") as file:
        blocks = re.findall(r"^( *)```(\w+)\n(.*?)^ *```$", file.read(),
                            re.M | re.S)
    assert len(blocks) >= 5, blocks
    output = ""
    for indent, kind, text in blocks:
        text = textwrap.dedent(text) if indent else text
        if kind in ("c", "mlir"):
            name = re.match(r"/[/*] (\S+)", text)[1]
            with open(os.path.join(folder, name), "w",
                      encoding="utf-8") as file:
                file.write(text)
        elif kind == "python":
            output += run([sys.executable, "-c"], text, folder)
        elif kind == "sh":
            output += run(["bash", "-euc"], text, folder)
    return output


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("include", "python"):
            os.symlink(os.path.join(TREE, name), os.path.join(folder, name))
        os.symlink(os.environ["QOPT_BUILD"], os.path.join(folder, "build"))
        os.environ["PATH"] = os.path.join(folder, "build", "bin") + ":" + \
            os.environ["PATH"]
        os.symlink(os.path.join(os.environ["QOPT_TEST_MODELS"], "mlp.onnx"),
                   os.path.join(folder, "model.onnx"))
        numpy.save(os.path.join(folder, "samples.npy"),
                   numpy.random.RandomState(0).uniform(
                       -1, 1, (32, 8)).astype("float32"))
        output = run_page("embedding.md", folder)
        for made in ("model.o", "model.h", "first"):
            assert os.path.exists(os.path.join(folder, made)), made
        # The C program's three floats, near the float model's.
        x = numpy.array([0.5, -0.5, 0.25, 0, 0, 0, 0, 0])
        from test_qopt import mlp
        found = [float(word) for word in output.split()[-3:]]
        assert numpy.allclose(found, mlp(x), atol=0.06), (found, mlp(x))

        run_page("tosa.md", folder)
        for made in ("int8.mlir", "linalg.mlir", "small.o"):
            assert os.path.exists(os.path.join(folder, made)), made


if __name__ == "__main__":
    main()
