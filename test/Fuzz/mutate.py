#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Mutated and truncated models: qopt must refuse or compile each, within 5 s
of CPU and 1 GiB, and never end by a signal or with an internal error.

usage: mutate.py --qopt QOPT --scratch FOLDER [--count 1000] [--first 0] MODEL...

MODEL is an ONNX file, the text of one (`.test`, which qopt-onnx-test beside qopt
converts), or a folder that is searched for ONNX files. Case i is a
function of i and the models alone; --first and --count select cases. Models
that fail stay in the scratch folder. Exits 1 if any does."""

import argparse
import os
import random
import resource
import subprocess
import sys

SECONDS, BYTES = 5, 1 << 30
NUMBERS = [0, 1, 2, 3, 5, 7, 8, 9, 16, 17, 127, 128, 255, 4096, 1 << 16, (1 << 31) - 1, 1 << 31,
           1 << 40, (1 << 63) - 1, (1 << 64) - 1, (1 << 64) - 2, 1 << 63]
OPERATORS = ["Conv", "Gemm", "MatMul", "Add", "Div", "Relu", "Clip", "MaxPool", "AveragePool", "Pad",
             "Reshape", "Transpose", "Concat", "Softmax", "ReduceMean", "Squeeze", "Unsqueeze", "Slice",
             "Gather", "Expand", "If", "Loop", "Constant", "BatchNormalization", "Resize", "Split",
             "Shape", "Flatten", "GlobalAveragePool", "QuantizeLinear", "DequantizeLinear", "Range",
             "ConstantOfShape", "Cast", "Where", "LayerNormalization", "ConvTranspose", "Tile",
             "ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul", "DynamicQuantizeLinear",
             "Dropout", "Pow", "Greater", "ArgMax", "LRN", "LogSoftmax", "LpNormalization",
             "InstanceNormalization", "ReduceL2", "Sum", "Mean", "Xor"]
# The fields of onnx.proto that hold messages: {message: {field: message}}.
MESSAGES = {
    "Model": {7: "Graph", 8: "Opset", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 11: "Value", 12: "Value", 13: "Value"},
    "Function": {7: "Node", 9: "Opset"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph"},
    "Value": {2: "Type"},
    "Type": {1: "TensorType"},
    "TensorType": {2: "Shape"},
    "Shape": {1: "Dim"},
    "Tensor": {13: "Entry"},
}


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def parse(data, kind):
    """[field, wire type, value, kind] lists; messages are lists of the same."""
    fields, at = [], 0
    while at < len(data):
        tag, at = read_varint(data, at)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = read_varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = data[at:at + size], at + size
        else:
            size, at = read_varint(data, at)
            value, at = data[at:at + size], at + size
            inner = MESSAGES.get(kind, {}).get(field)
            if inner:
                value = parse(value, inner)
        fields.append([field, wire, value, kind])
    return fields


def serialize(fields):
    out = bytearray()
    for field, wire, value, _ in fields:
        out += varint(field << 3 | wire)
        if wire == 0:
            out += varint(value)
        elif wire == 2:
            data = serialize(value) if isinstance(value, list) else value
            out += varint(len(data)) + data
        else:
            out += value
    return bytes(out)


def lists(fields):
    """Every message of the tree."""
    found = [fields]
    for field in fields:
        if isinstance(field[2], list):
            found += lists(field[2])
    return found


def mutate_field(rng, message, tree):
    """Changes one field of one message in place."""
    at = rng.randrange(len(message))
    field, wire, value, kind = message[at]
    everything = [other for part in lists(tree) for other in part]
    choice = rng.randrange(6)
    if choice == 0:
        del message[at]
    elif choice == 1:
        message.insert(rng.randrange(len(message) + 1), list(message[at]))
    elif choice == 2:
        like = [o for o in everything if o[0] == field and o[3] == kind]
        message[at][2] = rng.choice(like)[2]
    elif wire == 0:
        message[at][2] = rng.choice(NUMBERS)
    elif kind == "Node" and field == 4:
        message[at][2] = rng.choice(OPERATORS).encode()
    elif kind == "Node" and field in (1, 2):
        names = [o[2] for o in everything if o[3] == "Node" and o[0] in (1, 2)]
        message[at][2] = rng.choice(names + [b"", b"none"])
    elif isinstance(value, bytes):
        data = bytearray(value)
        for _ in range(rng.randint(1, 4)):
            if wire == 2 and rng.random() < 0.3:
                data = data[:rng.randrange(len(data) + 1)] + rng.randbytes(rng.randrange(9))
            elif data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        message[at][2] = bytes(data)
    else:
        rng.shuffle(value)


def mutate(rng, data):
    kind = rng.randrange(10)
    if kind == 0:
        return data[:rng.randrange(len(data))]
    if kind == 1:
        out = bytearray(data)
        for _ in range(rng.randint(1, 8)):
            out[rng.randrange(len(out))] = rng.randrange(256)
        return bytes(out)
    tree = parse(data, "Model")
    for _ in range(rng.choice([1, 1, 2, 3, 5])):
        messages = [m for m in lists(tree) if m]
        if messages:
            mutate_field(rng, rng.choice(messages), tree)
    return serialize(tree)


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What maps less than this is measured; what maps more would harm the machine.
    resource.setrlimit(resource.RLIMIT_AS, (4 * BYTES, 4 * BYTES))


def run(command):
    """(return code, CPU seconds, peak bytes, last output)."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=limit) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return (process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024,
            output.decode(errors="replace")[-2000:])


def convert(paths, qopt, scratch):
    """Text to ONNX files in the scratch folder; other paths stay."""
    converted = []
    for path in paths:
        if path.endswith(".test"):
            out = os.path.join(scratch, os.path.basename(path)[:-len(".test")])
            tool = os.path.join(os.path.dirname(qopt), "qopt-onnx-test")
            subprocess.run([tool, "--convert", path, "-o", out], check=True)
            path = out
        converted.append(path)
    return converted


def find_models(paths):
    models = []
    for path in paths:
        if os.path.isdir(path):
            for folder, _, files in sorted(os.walk(path)):
                models += [os.path.join(folder, f) for f in sorted(files) if f.endswith(".onnx")]
        else:
            models.append(path)
    return [m for m in models if 0 < os.path.getsize(m) <= 100_000]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--qopt", required=True)
    parser.add_argument("--scratch", required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    os.makedirs(args.scratch, exist_ok=True)
    args.models = convert(args.models, args.qopt, args.scratch)
    models = find_models(args.models)
    if not models:
        sys.exit("no models")
    codes, failures, slowest, largest = {}, 0, 0, 0
    for case in range(args.first, args.first + args.count):
        rng = random.Random(f"case {case}")
        # Models given as files come as often as all those of folders.
        files = [m for m in args.models if os.path.isfile(m)]
        source = rng.choice(files if files and rng.random() < 0.5 else models)
        with open(source, "rb") as file:
            data = mutate(rng, file.read())
        path = os.path.join(args.scratch, f"case{case}.onnx")
        with open(path, "wb") as file:
            file.write(data)
        code, seconds, peak, output = run(
            [args.qopt, path, "--calibrate", "random:uniform:-1:1,n=2", "--emit=obj",
             "-o", os.path.join(args.scratch, "out.o")])
        codes[code] = codes.get(code, 0) + 1
        slowest, largest = max(slowest, seconds), max(largest, peak)
        if code in (0, 1, 2, 3, 4, 5) and seconds < SECONDS and peak <= BYTES:
            os.unlink(path)
            continue
        failures += 1
        print(f"case {case} of {os.path.basename(os.path.dirname(source))}/"
              f"{os.path.basename(source)}: code {code}, {seconds:.1f} s, {peak >> 20} MiB")
        print(output)
    print(f"{args.count} models, exit codes {dict(sorted(codes.items()))}, "
          f"slowest {slowest:.2f} s, largest {largest >> 20} MiB, failed {failures}")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
