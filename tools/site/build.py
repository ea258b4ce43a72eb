#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""build.py TREE BUILD OUT: the site of TREE's pages, in OUT/site.

Lays out in OUT/pages: README.md, docs/*.md, the pages that TableGen wrote into
BUILD/docs, the flags as `qopt --help` prints them, and what pages link to
outside docs, shown as text. Then calls MkDocs, which needs no network; its
warnings are errors. Exits with 77 where MkDocs or its theme is missing."""

import glob
import os
import re
import shutil
import subprocess
import sys

MKDOCS = "/usr/bin/mkdocs"
THEME = "/usr/share/mkdocs/themes/material"
LANGUAGES = {".c": "c", ".cpp": "cpp", ".h": "c", ".py": "python", ".sh": "sh",
             ".txt": "cmake", ".cmake": "cmake", ".json": "json"}
LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")


def outside_fences(text, change):
    """`change` of each line that stands in no fenced block."""
    lines, fence = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fence = not fence
        elif not fence:
            line = change(line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def for_python_markdown(text):
    """GitHub's lists as Python-Markdown reads them: a blank line in front,
    continued by four spaces."""
    lines, width, fence = [], 0, False
    for line in text.splitlines():
        item = re.match(r"([-*]|\d+\.) +", line)
        if item and not fence:
            if not width and lines and lines[-1].strip():
                lines.append("")
            width = item.end()
        elif width and line.strip():
            indent = len(line) - len(line.lstrip())
            if indent >= width:
                line = " " * 4 + line[width:]
            elif not fence and lines and not lines[-1].strip():
                width = 0
        if line.lstrip().startswith("```"):
            fence = not fence
        lines.append(line)
    return "\n".join(lines) + "\n"


class Site:
    def __init__(self, tree, pages):
        self.tree, self.pages = tree, pages
        # From a file of the tree to its page.
        self.page_of = {"README.md": "index.md"}
        for path in sorted(glob.glob(os.path.join(tree, "docs", "*.md"))):
            name = os.path.basename(path)
            self.page_of["docs/" + name] = name
        self.sources = []

    def write(self, page, text):
        path = os.path.join(self.pages, page)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(for_python_markdown(text))

    def target(self, path):
        """The page of a file or folder; one that shows it, if it has none."""
        if path not in self.page_of:
            self.page_of[path] = "source/" + path.replace("/", "-") + ".md"
            self.sources.append(path)
        return self.page_of[path]

    def relink(self, text, path, page):
        """`text` of the file `path` with its links as they are from `page`."""
        def change(found):
            link, anchor = found[1], found[2] or ""
            if re.match(r"\w+:", link):
                return found[0]
            goal = os.path.normpath(os.path.join(os.path.dirname(path), link))
            if not os.path.exists(os.path.join(self.tree, goal)):
                sys.exit("%s: no file %s" % (path, link))
            relative = os.path.relpath(self.target(goal),
                                       os.path.dirname(page) or ".")
            return "](%s%s)" % (relative, anchor)
        return outside_fences(text, lambda line: LINK.sub(change, line))

    def read(self, path):
        with open(os.path.join(self.tree, path), encoding="utf-8") as file:
            return file.read()

    def show(self, path):
        """A file in a fence, a page as a page."""
        if path.endswith(".md"):
            return self.relink(self.read(path), path, self.page_of[path])
        language = LANGUAGES.get(os.path.splitext(path)[1], "")
        return "# %s\n\n````%s\n%s````\n" % (path, language, self.read(path))

    def show_folder(self, path):
        text = "# %s\n\n" % path
        for name in sorted(os.listdir(os.path.join(self.tree, path))):
            if os.path.splitext(name)[1] in (*LANGUAGES, ".md"):
                text += "- [%s](%s)\n" % (name, os.path.relpath(
                    self.target(path + "/" + name), "source"))
        return text

    def lay_out(self):
        for path, page in sorted(self.page_of.items()):
            self.write(page, self.relink(self.read(path), path, page))
        while self.sources:
            path = self.sources.pop()
            folder = os.path.isdir(os.path.join(self.tree, path))
            self.write(self.page_of[path],
                       self.show_folder(path) if folder else self.show(path))


def add_reference(site, build):
    """The pages that are made: TableGen's, and the flags."""
    def read(name):
        with open(os.path.join(build, "docs", name + ".md"),
                  encoding="utf-8") as file:
            return file.read()

    for name in ("qopt-dialect", "qint-dialect", "interfaces"):
        # An op's C++ class is its name twice.
        site.write("reference/%s.md" % name,
                   re.sub(r"^(#+ `[^`]*`) \(.*\)$", r"\1", read(name),
                          flags=re.M))
    text = "# Passes\n"
    for room in ("transforms", "interop", "codegen"):
        text += "\n## %s\n\n%s" % (room.capitalize(), read(room + "-passes"))
    site.write("reference/passes.md", text)
    text = subprocess.run([os.path.join(build, "bin", "qopt"), "--help"],
                          check=True, text=True, capture_output=True).stdout
    site.write("reference/flags.md", "# Flags\n\nWhat `qopt --help` prints; "
               "[more of each](../cli.md#flags).\n\n```text\n%s```\n" % text)


def main():
    tree, build, out = map(os.path.abspath, sys.argv[1:])
    if not os.path.exists(MKDOCS) or not os.path.isdir(THEME):
        print("skipped: the site needs mkdocs and mkdocs-material")
        sys.exit(77)
    pages = os.path.join(out, "pages")
    shutil.rmtree(pages, ignore_errors=True)
    os.makedirs(pages)
    site = Site(tree, pages)
    site.lay_out()
    add_reference(site, build)
    shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "mkdocs.yml"), out)
    # Python's own paths may hide the one that MkDocs lives in.
    done = subprocess.run([MKDOCS, "build", "--strict", "--quiet", "--clean"],
                          cwd=out, check=False,
                          env={**os.environ, "PYTHONPATH": ""})
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
