#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""large_model.py QOPT [--megabytes 500] [--folder DIR]: time and peak memory of
reading a large model.

Writes models of that size (weights embedded as raw data, as float16, beside
the model as external data, and for MatMul, which transposes them), lets
`qopt inspect` import each, and prints seconds and peak memory as a multiple of
the model's bytes. Protobuf is written by hand: no package is needed."""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time

FLOAT, FLOAT16, RAW, EXTERNAL = 1, 10, "raw", "external"


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def chunk(field, *parts):
    """A length-delimited field."""
    parts = [p.encode() if isinstance(p, str) else p for p in parts]
    return varint(field << 3 | 2) + varint(sum(map(len, parts))) + b"".join(parts)


def node(op, inputs, output, attributes=()):
    return chunk(1, *[chunk(1, i) for i in inputs], chunk(2, output), chunk(4, op),
                 *[chunk(5, chunk(1, name), number(3, value), number(20, 2))
                   for name, value in attributes])


def value(field, name, shape):
    dims = b"".join(chunk(1, number(1, size)) for size in shape)
    return chunk(field, chunk(1, name), chunk(2, chunk(1, number(1, FLOAT), chunk(2, dims))))


def weight(name, shape, kind, storage, block, offset):
    head = b"".join(number(1, size) for size in shape) + number(2, kind) + chunk(8, name)
    if storage == RAW:
        return chunk(5, head, chunk(9, block))
    entries = {"location": "weights.bin", "offset": str(offset), "length": str(len(block))}
    external = b"".join(chunk(13, chunk(1, k), chunk(2, v)) for k, v in entries.items())
    return chunk(5, head, external, number(14, 1))


def write_model(folder, megabytes, op, kind, storage):
    """A chain of products with 2048 x 2048 weights; returns the bytes written."""
    side = 2048
    width = 2 if kind == FLOAT16 else 4
    layers = max(1, megabytes * 1_000_000 // (side * side * width))
    # Small finite numbers whatever the type: the exponent's top bits are clear.
    noise = bytearray(random.Random(1).randbytes(side * side * width))
    for i in range(width - 1, len(noise), width):
        noise[i] = noise[i] & 0x81 | 0x2C
    external = b""
    graph, nodes = [], []
    data = open(os.path.join(folder, "weights.bin"), "wb") if storage == EXTERNAL else None
    for i in range(layers):
        graph.append(weight(f"w{i}", [side, side], kind, storage, bytes(noise), i * len(noise)))
        if data:
            data.write(noise)
        transposed = [("transB", 1)] if op == "Gemm" else []
        nodes.append(node(op, [f"v{i}", f"w{i}"], f"v{i + 1}", transposed))
    if data:
        data.close()
    body = nodes + graph + [value(11, "v0", [1, side]), value(12, f"v{layers}", [1, side])]
    path = os.path.join(folder, "model.onnx")
    with open(path, "wb") as out:
        out.write(number(1, 8) + chunk(8, chunk(1, ""), number(2, 17)))
        out.write(varint(7 << 3 | 2) + varint(sum(map(len, body))))
        for part in body:
            out.write(part)
    return path, sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder))


def measure(qopt, path):
    """Seconds and peak bytes of one import."""
    begin = time.monotonic()
    process = subprocess.Popen([qopt, "inspect", path], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"qopt failed with status {status}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("qopt")
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--folder", help="where the models are written, and removed")
    args = parser.parse_args()
    cases = [("embedded float32", "Gemm", FLOAT, RAW), ("external float32", "Gemm", FLOAT, EXTERNAL),
             ("embedded, transposed", "MatMul", FLOAT, RAW),
             ("embedded float16", "Gemm", FLOAT16, RAW)]
    for name, op, kind, storage in cases:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            path, size = write_model(folder, args.megabytes, op, kind, storage)
            seconds, cpu, peak = measure(args.qopt, path)
        print(f"{name:22} {size / 1e6:7.0f} MB  {seconds:5.2f} s ({cpu:.2f} s CPU)  "
              f"peak {peak / 1e6:7.0f} MB = {peak / size:.2f} x", flush=True)


if __name__ == "__main__":
    main()
