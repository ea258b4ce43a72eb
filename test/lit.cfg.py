# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# One lit configuration for all rooms. Optional tests ask for features.

import importlib.util
import os
import shutil
import sys

import lit.formats

config.name = "qopt"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.qopt_build, "test", "lit")
config.excludes = ["Unit", "Lint", "Faults", "Inputs", "CMakeLists.txt"]

config.environment["PATH"] = os.pathsep.join(
    [
        os.path.join(config.qopt_build, "bin"),
        config.llvm_tools,
        config.environment.get("PATH", os.environ["PATH"]),
    ]
)
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%build", config.qopt_build))
config.substitutions.append(("%source", config.qopt_source))
config.substitutions.append(
    ("%plugin", os.path.join(config.qopt_build, "lib", "QoptPlugin.so"))
)

if shutil.which("qopt", path=config.environment["PATH"]):
    config.available_features.add("qopt")
if os.path.exists(os.path.join(config.qopt_build, "lib", "libqopt.so.0")):
    config.available_features.add("libqopt")
if os.path.exists("/usr/share/mkdocs/themes/material"):
    config.available_features.add("mkdocs")
if importlib.util.find_spec("numpy"):
    config.available_features.add("numpy")
if shutil.which("parallel"):
    config.available_features.add("parallel")
if shutil.which("chromium"):
    config.available_features.add("chromium")
if os.path.exists("/usr/share/datasets/fashion-mnist"):
    config.available_features.add("fashion-mnist")
with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
    flags = cpuinfo.read()
for feature in ("avx2", "avx_vnni", "avx512_vnni"):
    if feature in flags:
        config.available_features.add(feature)
