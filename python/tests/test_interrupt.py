# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Interrupts from the keyboard at many moments, of the command line and of the
Python package: what is there is whole, and nothing else. Exits with 77 where numpy
is missing; environment as for test_qopt.py."""

import os
import signal
import subprocess
import sys
import tempfile
import time

try:
    import numpy
except ImportError:
    print("skipped: interrupts need numpy (python3-numpy)")
    sys.exit(77)

MODEL = os.path.join(os.environ["QOPT_TEST_MODELS"], "mlp.onnx")
MOMENTS = 10

# Once interrupted, the package works on, and so do interrupts.
PROGRAM = """
import os, signal, sys, numpy, qopt
model, out = sys.argv[1:]
x = numpy.random.RandomState(0).uniform(-1, 1, (2000, 8)).astype("f4")
qopt.compile(model, x[:8], range="minmax").save(os.path.join(out, "m.so"))
print("ready", flush=True)
try:
    while True:
        qopt.compile(model, x).save(os.path.join(out, "m.so"))
except KeyboardInterrupt:
    pass
qopt.compile(model, x[:8], range="minmax").save(os.path.join(out, "m.so"))
try:
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000000): pass
    sys.exit("no interrupt came")
except KeyboardInterrupt:
    print("done")
"""


def start(command, scratch):
    return subprocess.Popen(
        command, env={**os.environ, "TMPDIR": scratch}, text=True,
        start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read_all(folder):
    files = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            files[name] = file.read()
    return files


def check_tool(folder):
    data = os.path.join(folder, "x.npy")
    numpy.save(data, numpy.random.RandomState(0).uniform(
        -1, 1, (400, 8)).astype("float32"))

    def run(out, after):
        scratch = os.path.join(out, "scratch")
        os.makedirs(scratch)
        began = time.monotonic()
        process = start([os.environ["QOPT_TOOL"], MODEL, "--calibrate", data,
                         "--emit=obj,lib,exe,report,qcal", "-o",
                         os.path.join(out, "m")], scratch)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
        text = process.communicate()[1]
        taken = time.monotonic() - began
        assert os.listdir(scratch) == [], os.listdir(scratch)
        os.rmdir(scratch)
        assert process.returncode in (0, -signal.SIGINT), text
        return read_all(out), taken, process.returncode

    whole, taken, status = run(os.path.join(folder, "whole"), None)
    assert status == 0 and len(whole) >= 5, whole.keys()
    # The report has times, so that only its end is known.
    interrupted = 0
    for moment in range(MOMENTS):
        found, _, status = run(os.path.join(folder, str(moment)),
                               taken * (moment + 1) / (MOMENTS + 1))
        interrupted += status != 0
        for name, contents in found.items():
            assert name in whole, name
            if name.endswith(".json"):
                assert contents.endswith(whole[name][-3:]), name
            else:
                assert contents == whole[name], name
    assert interrupted >= 1


def check_package(folder):
    for moment in range(4):
        out = os.path.join(folder, "python%d" % moment)
        scratch = os.path.join(out, "scratch")
        os.makedirs(scratch)
        process = start([sys.executable, "-c", PROGRAM, MODEL, out], scratch)
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.05 + 0.15 * moment)
        os.killpg(process.pid, signal.SIGINT)
        text, errors = process.communicate(timeout=60)
        assert (process.returncode, text) == (0, "done\n"), errors
        assert os.listdir(scratch) == [], os.listdir(scratch)
        assert sorted(os.listdir(out)) == ["m.h", "m.so", "scratch"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_tool(folder)
        check_package(folder)


if __name__ == "__main__":
    main()
