#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make-npy.py FILE SHAPE DTYPE FIRST STEP: an .npy file of an arithmetic
sequence, without numpy. DTYPE is f4, f8, i8, u1 or u2; FIRST may be nan or inf."""

import struct
import sys

path, shape, dtype, first, step = sys.argv[1:]
dims = [int(d) for d in shape.split("x")]
count = 1
for dim in dims:
    count *= dim
code = {"f4": "f", "f8": "d", "i8": "q", "u1": "B", "u2": "H"}[dtype]
convert = float if dtype[0] == "f" else int
values = [convert(float(first)) if i == 0 else convert((0 if first in ("nan", "inf") else
          float(first)) + i * float(step)) for i in range(count)]
descr = "|u1" if dtype == "u1" else "<" + dtype
header = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }" % (
    descr, ", ".join(map(str, dims)))
header += " " * (-(10 + len(header) + 1) % 64) + "\n"
with open(path, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(struct.pack("<%d%s" % (count, code), *values))
