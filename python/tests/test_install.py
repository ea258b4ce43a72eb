# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`pip install ./python` into a virtual environment of its own, from no index:
the wheel of the in-tree backend compiles and runs a model there. Exits with 77
where venv (python3-venv) or numpy is missing; environment as for test_qopt.py."""

import os
import subprocess
import sys
import tempfile

try:
    import ensurepip  # what a virtual environment takes pip from
    import numpy
    import venv
except ImportError as error:
    print("skipped: pip's test needs python3-venv and python3-numpy (%s)" % error)
    sys.exit(77)

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = """
import sys, numpy, qopt
model = qopt.compile(sys.argv[1], numpy.linspace(-1, 1, 128).reshape(16, 8))
print(qopt.__file__, model(numpy.zeros((1, 8), "f4")).shape)
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit("%s\n%s%s" % (command, done.stdout, done.stderr))
    return done.stdout


def main():
    assert ensurepip and numpy
    model = os.path.join(os.environ["QOPT_TEST_MODELS"], "mlp.onnx")
    # The environment has what this Python has, and nothing of the tree.
    bare = {name: value for name, value in os.environ.items()
            if not name.startswith(("PYTHONPATH", "PIP_"))}
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, system_site_packages=True, with_pip=True,
                    symlinks=True)
        python = os.path.join(folder, "bin", "python")
        run(python, "-m", "pip", "install", "--quiet", "--no-index", PACKAGE,
            env=bare)
        del bare["QOPT_LIBRARY"]
        printed = run(python, "-c", PROGRAM, model, env=bare, cwd=folder)
        assert printed.startswith(os.path.join(folder, "lib")), printed
        assert printed.endswith("(1, 3)\n"), printed
        run(python, "-m", "pip", "--quiet", "uninstall", "--yes", "qopt",
            env=bare)
        site = os.path.dirname(os.path.dirname(printed.split()[0]))
        assert not [name for name in os.listdir(site) if "qopt" in name]


if __name__ == "__main__":
    main()
