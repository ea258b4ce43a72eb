#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make-png.py FOLDER COUNT: RGB images of 12 x 9 pixels, i.png for i < COUNT."""

import os
import struct
import sys
import zlib


def chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data
            + struct.pack(">I", zlib.crc32(kind + data)))


folder, count = sys.argv[1], int(sys.argv[2])
os.makedirs(folder, exist_ok=True)
for image in range(count):
    rows = b"".join(b"\0" + bytes((x * 20 + y * 7 * c + image * 31) % 256
                                  for x in range(12) for c in range(3)) for y in range(9))
    with open(os.path.join(folder, f"{image}.png"), "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 12, 9, 8, 2, 0, 0, 0))
                  + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
