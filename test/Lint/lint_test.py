#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The lints must find what they are for."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lint


def tree_findings(files):
    with tempfile.TemporaryDirectory() as tree:
        for name, text in files.items():
            path = os.path.join(tree, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return list(lint.lint_tree(tree))


class LintTest(unittest.TestCase):
    def test_clean_tree(self):
        clean = {
            "lib/IR/A.cpp": '#include "qopt/Numerics/X.h"\n#include "qopt/IR/Y.h"\n',
            "test/IR/a.mlir": "// CHECK-LABEL: func\n// CHECK: x\n// CHECK-COUNT-2: y\n",
        }
        self.assertEqual(tree_findings(clean), [])

    def test_upward_include(self):
        found = tree_findings({"lib/IR/A.cpp": '#include "qopt/Target/X.h"\n'})
        self.assertEqual(found, ["lib/IR/A.cpp:1: room IR includes room Target"])

    def test_target_never_sees_a_qopt_op(self):
        self.assertTrue(tree_findings({"include/qopt/Target/T.h": '#include "qopt/IR/Q.h"\n'}))

    def test_sibling_include(self):
        self.assertTrue(tree_findings({"lib/Codegen/Plan/P.cpp": '#include "qopt/Transforms/P.h"\n'}))

    def test_dead_check_lines(self):
        for line in ("// CHECK-LABEL @f", "// CHECK x", "// CHECK-NEX: x", "// ERR-CHECK-LABEL y"):
            self.assertEqual(len(tree_findings({"test/IR/a.mlir": line + "\n"})), 1, line)

    def test_long_file(self):
        self.assertTrue(tree_findings({"lib/IR/A.cpp": "\n" * 601}))
        self.assertFalse(tree_findings({"lib/IR/A.cpp": "\n" * 600}))

    def test_static_archive(self):
        with tempfile.TemporaryDirectory() as tree:
            path = os.path.join(tree, "build.ninja")
            with open(path, "w", encoding="utf-8") as file:
                file.write("LINK = lib/libQoptIR.a /usr/lib/libMLIRIR.a libMLIR.so\n")
            self.assertEqual(len(list(lint.lint_links(path))), 1)


if __name__ == "__main__":
    unittest.main()
