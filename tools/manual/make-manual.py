#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make-manual.py QOPT FOLDER: the manual page and the completions of bash, zsh
and fish, from what `qopt --help` and `qopt --version` print."""

import os
import re
import subprocess
import sys


class Flag:
    """One line of the help: `--range=<method>  How ranges are chosen: ...`."""

    def __init__(self, name, meta, text):
        self.name, self.meta, self.text = name, meta, text

    def words(self):
        """The values that the text lists, where it lists all or most."""
        if self.meta and "|" in self.meta:
            return self.meta.split("|")
        lists = {"--range": r"chosen: (.*)", "--io": r"boundary: (.*)",
                 "--scales": r"(.*)", "--emit": r"list of (.*)"}
        if self.name not in lists:
            return []
        text = re.search(lists[self.name], self.text)[1]
        text = re.sub(r"\([^)]*\)|\[[^]]*\]|:[^,]*", "", text)
        return [word for part in re.split(r",|\bor\b", text)
                for word in part.split()[:1]]

    def takes_file(self):
        return self.name in ("-o", "--config", "--save-config", "--model",
                             "--calibrate", "--eval")


def read_help(qopt):
    """What it is in a sentence, the usage lines, the flags."""
    text = subprocess.run([qopt, "--help"], check=True, text=True,
                          capture_output=True).stdout
    overview = re.search(r"^OVERVIEW: \w+: (.*)$", text, re.M)[1]
    usage = re.search(r"^USAGE: (.*?)\n\n", text, re.M | re.S)[1]
    body = text[text.index("OPTIONS:\n") + len("OPTIONS:\n"):]
    body = re.sub(r"\n {10,}", "  ", body)  # a long flag's text on its own line
    flags = []
    for line in body.splitlines():
        found = re.match(r"  (--?[\w-]+)(?:[= ]<([^>]*)>)? +(.*)", line)
        if found:
            flags.append(Flag(*found.groups()))
    return overview, [line.strip() for line in usage.splitlines()], flags


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in ".'" else text


def make_page(version, overview, usage, flags):
    lines = ['.TH QOPT 1 "" "qopt %s" "User Commands"' % version, ".SH NAME",
             "qopt \\- " + roff(overview), ".SH SYNOPSIS"]
    for line in usage:
        lines += [".nf", roff(line), ".fi"]
    lines += [".SH OPTIONS"]
    for flag in flags:
        meta = ("=" if flag.name.startswith("--") else " ") + \
            "\\fI" + roff(flag.meta) + "\\fR" if flag.meta else ""
        lines += [".TP", "\\fB" + roff(flag.name) + "\\fR" + meta,
                  roff(flag.text)]
    lines += [".SH EXIT STATUS"]
    for code, text in (("0", "success"), ("1", "wrong usage"),
                       ("2", "a bad model"), ("3", "something unsupported"),
                       ("4", "bad data"), ("5", "input or output failed"),
                       ("6", "an accuracy gate was missed"),
                       ("70", "an internal error")):
        lines += [".TP", code, text]
    return "\n".join(lines) + "\n"


def make_bash(flags, verbs):
    cases = []
    for flag in flags:
        if flag.words():
            cases.append('  %s) words="%s" ;;' % (flag.name,
                                                  " ".join(flag.words())))
        elif flag.takes_file():
            cases.append("  %s) COMPREPLY=($(compgen -f -- \"$word\")); return ;;"
                         % flag.name)
    names = " ".join(flag.name + ("=" if flag.meta and
                                  flag.name.startswith("--") else "")
                     for flag in flags)
    return """# bash completion for qopt
_qopt() {
  local word=${COMP_WORDS[COMP_CWORD]} flag= words=
  COMPREPLY=()
  # bash splits at '='
  if [[ $word == "=" ]]; then
    flag=${COMP_WORDS[COMP_CWORD-1]} word=
  elif [[ ${COMP_WORDS[COMP_CWORD-1]} == "=" ]]; then
    flag=${COMP_WORDS[COMP_CWORD-2]}
  else
    flag=${COMP_WORDS[COMP_CWORD-1]}
  fi
  case $flag in
%s
  esac
  if [[ -n $words ]]; then
    # of a comma list, the last word
    local head=
    [[ $word == *,* ]] && head=${word%%,*},
    COMPREPLY=($(compgen -P "$head" -W "$words" -- "${word##*,}"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "%s" -- "$word"))
    [[ ${COMPREPLY-} == *= ]] && compopt -o nospace 2>/dev/null
  else
    [[ $COMP_CWORD == 1 ]] && COMPREPLY=($(compgen -W "%s" -- "$word"))
    COMPREPLY+=($(compgen -f -- "$word"))
  fi
  return 0
}
complete -o filenames -F _qopt qopt
""" % ("\n".join(cases), names, " ".join(verbs))


def quote(text):
    return text.replace("'", "'\\''")


def make_zsh(flags, verbs):
    lines = ["#compdef qopt", "_arguments \\"]
    for flag in flags:
        text = quote(re.sub(r"([\[\]:])", r"\\\1", flag.text))
        value = ""
        if flag.meta:
            value = ":%s:" % flag.meta.replace(":", " ").replace("|", " ")
            if flag.words():
                value += "(%s)" % " ".join(flag.words())
            elif flag.takes_file():
                value += "_files"
        equals = "=" if flag.meta and flag.name.startswith("--") else ""
        lines.append("  '%s%s[%s]%s' \\" % (flag.name, equals, text, value))
    lines.append("  '1:model or verb:{_alternative \"verbs:verb:(%s)\" "
                 "\"files:file:_files\"}' \\" % " ".join(verbs))
    lines.append("  '*:file:_files'")
    return "\n".join(lines) + "\n"


def make_fish(flags, verbs):
    lines = ["# fish completion for qopt",
             "complete -c qopt -n __fish_use_subcommand -a '%s'"
             % " ".join(verbs)]
    for flag in flags:
        option = "-l " + flag.name[2:] if flag.name.startswith("--") else \
            "-s " + flag.name[1:]
        value = ""
        if flag.meta:
            value = " -r" if flag.takes_file() else " -x"
            if flag.words():
                value += " -a '%s'" % " ".join(flag.words())
        lines.append("complete -c qopt %s%s -d '%s'" % (
            option, value, flag.text.replace("\\", "\\\\").replace("'", "\\'")))
    return "\n".join(lines) + "\n"


def main():
    qopt, folder = sys.argv[1:]
    overview, usage, flags = read_help(qopt)
    version = subprocess.run([qopt, "--version"], check=True, text=True,
                             capture_output=True).stdout.split()[1]
    verbs = [words[1] for words in map(str.split, usage)
             if "." not in words[1]]
    files = {
        "man/man1/qopt.1": make_page(version, overview, usage, flags),
        "bash-completion/completions/qopt": make_bash(flags, verbs),
        "zsh/vendor-completions/_qopt": make_zsh(flags, verbs),
        "fish/vendor_completions.d/qopt.fish": make_fish(flags, verbs),
    }
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
