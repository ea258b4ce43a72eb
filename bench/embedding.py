#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""embedding.py BUILD [OUT.md]: what qopt costs inside other programs, each figure
beside what it must stay below. Exits with 1 where one does not.

Needs numpy; environment as for python/tests, which it sets itself."""

import os
import subprocess
import sys
import tempfile
import time

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = """# What embedding costs

Written by `bench/embedding.py`, not by hand. A call is the least of many on the
clock; all else is the processor's time, of all threads together, so that what
else runs on the machine does not count.

| what | measured | must be |
|---|---|---|
"""


def least(function, count=500, repeats=200):
    """Seconds of a call: the least mean of `repeats` runs of `count`."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(count):
            function()
        times.append((time.perf_counter() - start) / count)
    return min(times)


def seconds(*command, **options):
    """The processor's seconds of a command and what it starts."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    after = os.times()
    return (after.children_user + after.children_system -
            before.children_user - before.children_system)


def call_overhead(build, _):
    import numpy
    import qopt
    x = numpy.random.RandomState(0).uniform(-1, 1, (32, 8)).astype("float32")
    model = qopt.compile(os.path.join(build, "test/CAPI/mlp.onnx"), x,
                         range="minmax")
    one, raw = x[:1].copy(), numpy.zeros((1, 8), model.inputs[0].dtype)
    yield ("a Python call of a network of two layers, its run included, integers",
           least(lambda: model(raw, raw=True)) * 1e6, 5, "us")
    yield ("the same, floats", least(lambda: model(one)) * 1e6, 5, "us")


def import_time(_, __):
    program = ("import numpy, time\nstart = time.process_time()\nimport qopt\n"
               "print(time.process_time() - start)")
    times = [float(subprocess.run([sys.executable, "-c", program], check=True,
                                  capture_output=True, text=True).stdout)
             for _ in range(9)]
    yield ("`import qopt` without numpy's own, the worst of 9",
           max(times) * 1e3, 50, "ms")


def tosa_chain(blocks):
    """A module of four ops a block on 1x8x8x8."""
    t, w = "tensor<1x8x8x8xf32>", "tensor<8x3x3x8xf32>"
    d, b, z = "tensor<3x3x8x1xf32>", "tensor<8xf32>", "tensor<1xf32>"
    common = ("acc_type = f32, pad = array<i64: 1, 1, 1, 1>, "
              "stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>")
    text = "func.func @main(%%v0: %s) -> %s {\n" % (t, t)
    for name, value, kind in (("z", "0.0", z), ("w", "0.01", w),
                              ("d", "0.1", d), ("b", "0.05", b)):
        text += ('  %%%s = "tosa.const"() {values = dense<%s> : %s} : () -> %s\n'
                 % (name, value, kind, kind))
    for i in range(blocks):
        text += (
            "  %%c%d = tosa.conv2d %%v%d, %%w, %%b, %%z, %%z {%s} : (%s, %s, %s, "
            "%s, %s) -> %s\n" % (i, i, common, t, w, b, z, z, t) +
            "  %%r%d = tosa.clamp %%c%d {min_val = 0.0 : f32, max_val = 6.0 : f32}"
            " : (%s) -> %s\n" % (i, i, t, t) +
            "  %%d%d = tosa.depthwise_conv2d %%r%d, %%d, %%b, %%z, %%z {%s} : "
            "(%s, %s, %s, %s, %s) -> %s\n" % (i, i, common, t, d, b, z, z, t) +
            "  %%v%d = tosa.add %%d%d, %%v%d : (%s, %s) -> %s\n"
            % (i + 1, i, i, t, t, t))
    return text + "  return %%v%d : %s\n}\n" % (blocks, t)


def plugin_time(build, folder):
    path = {name: os.path.join(folder, name) for name in
            ("model.mlir", "marked.mlir", "model.qcal", "int8.mlir")}
    plugin = os.path.join(build, "lib", "QoptPlugin.so")

    def mlir_opt(pipeline, source, result):
        return seconds("mlir-opt-22", path[source], "-o", path[result],
                       "--load-dialect-plugin=" + plugin,
                       "--load-pass-plugin=" + plugin,
                       "--pass-pipeline=builtin.module(%s)" % pipeline)
    with open(path["model.mlir"], "w", encoding="utf-8") as file:
        file.write(tosa_chain(250))
    mlir_opt("qopt-mark-values", "model.mlir", "marked.mlir")
    seconds(os.path.join(build, "bin", "qopt"), "calibrate", path["marked.mlir"],
            "--calibrate", "random:uniform:-1:1,n=4", "-o", path["model.qcal"],
            stderr=subprocess.DEVNULL)
    pipeline = "qopt-quantize-tosa{statistics=%s}" % path["model.qcal"]
    yield ("TOSA of 1,000 ops quantized by the plugin in `mlir-opt`, reading and "
           "writing included",
           min(mlir_opt(pipeline, "marked.mlir", "int8.mlir")
               for _ in range(5)), 0.5, "s")


def consumer_link(build, folder):
    prefix, made = (os.path.join(folder, name) for name in ("prefix", "made"))
    for component in ("qopt-package", "qopt-dev"):
        seconds("cmake", "--install", build, "--prefix", prefix, "--component",
                component)
    seconds("cmake", "-S", os.path.join(TREE, "examples", "foreign-cmake"), "-B",
            made, "-G", "Ninja", "-DCMAKE_PREFIX_PATH=" + prefix,
            "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_COMPILER=clang++-22",
            "-DCMAKE_C_COMPILER=clang-22")
    seconds("cmake", "--build", made)
    program = os.path.join(made, "foreign")
    os.remove(program)
    yield ("linking a compiler that uses the passes",
           seconds("cmake", "--build", made), 10, "s")
    libraries = subprocess.run(["ldd", program], check=True, text=True,
                               capture_output=True).stdout
    yield ("libraries of protobuf that it loads",
           libraries.count("protobuf"), 0, "")


def shard_merge(build, _):
    import numpy
    import qopt
    random = numpy.random.RandomState(0)
    cases = ((os.path.join(build, "test/CAPI/mlp.onnx"), (1000, 8), 1000,
              "a network of two layers"),
             (os.path.join(TREE, "examples/fashion-mnist/resnet20.onnx"),
              (16, 1, 28, 28), 16, "ResNet-20"))
    for model, shape, count, name in cases:
        x = random.uniform(-1, 1, shape).astype("float32")
        texts = [qopt.calibrate(model, x, jobs=1, shard="%d/%d" % (i, count))
                 .to_bytes() for i in range(count)]
        times = []
        for _ in range(3):
            start = time.process_time()
            total = qopt.merge({i: qopt.Stats.from_bytes(text)
                                for i, text in enumerate(texts)}, count)
            times.append((time.process_time() - start) * 1000 / count)
        assert total.samples == shape[0]
        yield ("reading and merging 1,000 shards of %s%s" % (
            name, "" if count == 1000 else ", from %d" % count), min(times), 5, "s")


def main():
    build = os.path.abspath(sys.argv[1])
    os.environ.update(
        PYTHONPATH=os.path.join(TREE, "python"), PYTHONDONTWRITEBYTECODE="1",
        QOPT_LIBRARY=os.path.join(build, "lib", "libqopt.so.0"))
    sys.path.insert(0, os.path.join(TREE, "python"))
    page, missed = HEAD, False
    with tempfile.TemporaryDirectory() as folder:
        for measure in (call_overhead, import_time, plugin_time, consumer_link,
                        shard_merge):
            for what, value, must, unit in measure(build, folder):
                row = "| %s | %.3g %s | <= %g %s |" % (what, value, unit, must,
                                                     unit)
                print(row, flush=True)
                page += row + "\n"
                missed |= value > must
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write(page)
    sys.exit(missed)


if __name__ == "__main__":
    main()
