#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-pages.py TREE: each block of commands on a page is run by a test of
test/Docs, or is marked `<!-- not run: reason -->`. Links between pages lead to
files and headings that exist."""

import glob
import os
import re
import sys

from pages import read_blocks

# A block without a language is one of commands if a line begins like this.
COMMAND = re.compile(r"^(\$ |(qopt|qopt-opt|mlir-opt\S*|make|cmake|python3?|pip|"
                     r"cc|apt-get|qopt-\w+) )", re.M)

tree = sys.argv[1]
wrong = []


def heading_ids(path):
    """As both GitHub and MkDocs name headings of plain words."""
    ids = set()
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"^ *```.*?^ *```$", "", file.read(), flags=re.M | re.S)
    for title in re.findall(r"^#+ (.*)$", text, re.M):
        title = re.sub(r"[^\w\- ]", "", title.replace("`", "")).strip().lower()
        ids.add(re.sub(r"[ ]", "-", title))
        ids.add(re.sub(r"[-\s]+", "-", title))
    return ids


def check_links(page):
    with open(page, encoding="utf-8") as file:
        text = re.sub(r"^ *```.*?^ *```$", "", file.read(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        path = os.path.join(os.path.dirname(page), path) if path else page
        if not os.path.exists(path):
            wrong.append("%s: no file %s" % (page, target))
        elif anchor and anchor not in heading_ids(path):
            wrong.append("%s: no heading %s" % (page, target))


tests = ""
for name in glob.glob(os.path.join(tree, "test", "Docs", "*.test")):
    with open(name, encoding="utf-8") as file:
        tests += file.read()
os.chdir(tree)
pages = ["README.md"] + sorted(glob.glob("docs/*.md")) + \
    sorted(glob.glob("examples/*/*.md"))
for page in pages:
    check_links(page)
    if "run-page.py %source/" + page in tests:
        continue
    for block in read_blocks(page):
        if block.reason or block.file():
            continue
        if block.language in ("sh", "bash", "console", "python") or \
                block.language == "" and COMMAND.search(block.text):
            wrong.append("%s:%d: no test runs this block" % (page, block.line))
print("\n".join(wrong) or "%d pages" % len(pages))
sys.exit(bool(wrong))
