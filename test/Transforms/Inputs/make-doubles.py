# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints a function that adds a value to itself N times before a softmax: 2^N paths."""
import sys

n = int(sys.argv[1])
t = "tensor<1x8xf32>"
print(f"func.func @doubles(%x0: {t}) -> {t} {{")
for i in range(n):
    print(f"  %x{i + 1} = qopt.add %x{i}, %x{i} : ({t}, {t}) -> {t}")
print(f"  %y = qopt.softmax %x{n} axis 1 : ({t}) -> {t}")
print(f"  return %y : {t}\n}}")
