# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The build backend of `pip install .`: a wheel of the package and libqopt.
`backend.py FOLDER` writes that wheel into FOLDER.

libqopt is $QOPT_LIBRARY, or that of the tree's build folder, which is made with
CMake where it is not there.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(HERE)


def _version():
    with open(os.path.join(TREE, "CMakeLists.txt"), encoding="utf-8") as file:
        return re.search(r"project\(qopt VERSION ([0-9.]+)", file.read())[1]


def _library():
    given = os.environ.get("QOPT_LIBRARY")
    if given:
        return given
    build = os.path.join(TREE, "build")
    path = os.path.join(build, "lib", "libqopt.so.0")
    if not os.path.exists(path):
        subprocess.run(["cmake", "--preset", "default", "-B", build], cwd=TREE,
                       check=True)
        subprocess.run(["cmake", "--build", build, "--target", "qopt-c"],
                       check=True)
    return path


def _metadata():
    return ("Metadata-Version: 2.1\nName: qopt\nVersion: %s\n"
            "Summary: Float ONNX models to integer-only native objects\n"
            "License: Apache-2.0 WITH LLVM-exception\n"
            "Requires-Python: >=3.9\nRequires-Dist: numpy\n" % _version())


_WHEEL = ("Wheel-Version: 1.0\nGenerator: qopt\nRoot-Is-Purelib: false\n"
          "Tag: py3-none-%s\n")


def _write(folder, files):
    """Writes the wheel of `files`, name to bytes."""
    system = "linux_" + os.uname().machine
    info = "qopt-%s.dist-info/" % _version()
    files = dict(files)
    files[info + "METADATA"] = _metadata().encode()
    files[info + "WHEEL"] = (_WHEEL % system).encode()
    record = ""
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
        record += "%s,sha256=%s,%d\n" % (name, digest.decode().rstrip("="),
                                         len(data))
    files[info + "RECORD"] = (record + info + "RECORD,,\n").encode()
    wheel = "qopt-%s-py3-none-%s.whl" % (_version(), system)
    with zipfile.ZipFile(os.path.join(folder, wheel), "w",
                         zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            # No dates: the same files give the same wheel.
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    package = os.path.join(HERE, "qopt")
    paths = {"qopt/" + name: os.path.join(package, name)
             for name in sorted(os.listdir(package))
             if name.endswith((".py", ".pyi")) or name == "py.typed"}
    paths["qopt/libqopt.so.0"] = _library()
    files = {}
    for name, path in paths.items():
        with open(path, "rb") as file:
            files[name] = file.read()
    return _write(wheel_directory, files)


def build_editable(wheel_directory, config_settings=None,
                   metadata_directory=None):
    """The tree itself; set QOPT_LIBRARY, or install libqopt."""
    return _write(wheel_directory, {"qopt.pth": (HERE + "\n").encode()})


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("qopt is built from its git tree")


if __name__ == "__main__":
    print(os.path.join(sys.argv[1], build_wheel(sys.argv[1])))
