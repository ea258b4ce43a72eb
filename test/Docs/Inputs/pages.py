# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The fenced blocks of a page."""

import re
import textwrap

# An HTML comment right before a block says why no test runs it.
NOT_RUN = re.compile(r"<!-- not run: (.+) -->\s*$")


class Block:
    def __init__(self, language, text, line, reason):
        self.language, self.text, self.line, self.reason = \
            language, text, line, reason

    def file(self):
        """The file that its first line, a comment, says it is; or None."""
        found = re.match(r"(?:/\*|//|#) (\S+\.\w+)(?: \*/)?$",
                         self.text.split("\n", 1)[0])
        return found and found[1]


def read_blocks(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    blocks = []
    for found in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.M | re.S):
        before = text[:found.start()]
        reason = NOT_RUN.search(before)
        blocks.append(Block(found[2], textwrap.dedent(found[3]),
                            before.count("\n") + 1, reason and reason[1]))
    return blocks
