#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""print-npy.py FILE: type, shape and values of an .npy file, without numpy."""

import ast
import struct
import sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
length = struct.unpack("<H", data[8:10])[0]
header = ast.literal_eval(data[10:10 + length].decode())
code = {"f4": "f", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i"}[header["descr"][1:]]
body = data[10 + length:]
values = struct.unpack("<%d%s" % (len(body) // struct.calcsize(code), code), body)
print(header["descr"], "x".join(map(str, header["shape"])), *values)
