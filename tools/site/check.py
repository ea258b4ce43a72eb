#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check.py SITE: each link of the site leads to a page and a heading of it, and
no page loads anything from another host."""

import glob
import os
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlparse

# What a page loads, as opposed to what it links to.
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src",
         "source": "src"}


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loads = set(), [], []
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if attrs.get("id"):
            self.ids.add(attrs["id"])
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag in LOADS and attrs.get(LOADS[tag]):
            self.loads.append(attrs[LOADS[tag]])


def main():
    site = sys.argv[1]
    names = sorted(glob.glob(os.path.join(site, "**", "*.html"), recursive=True))
    # 404.html is served from any folder; its links are absolute.
    pages = {name: Page(name) for name in names
             if os.path.basename(name) != "404.html"}
    wrong = []
    for name, page in pages.items():
        where = os.path.relpath(name, site)
        for load in page.loads:
            if urlparse(load).netloc:
                wrong.append("%s loads %s" % (where, load))
        for link in page.links + page.loads:
            parts = urlparse(link)
            if parts.scheme or parts.netloc:
                continue
            goal = os.path.normpath(os.path.join(
                os.path.dirname(name), unquote(parts.path))) \
                if parts.path else name
            if os.path.isdir(goal):
                goal = os.path.join(goal, "index.html")
            if not os.path.exists(goal):
                wrong.append("%s links to %s, which is not there" % (where, link))
            elif parts.fragment and goal in pages and \
                    unquote(parts.fragment) not in pages[goal].ids:
                wrong.append("%s links to %s: no such heading" % (where, link))
    print("\n".join(wrong) or "%d pages" % len(pages))
    sys.exit(bool(wrong) or len(pages) < 20)


if __name__ == "__main__":
    main()
