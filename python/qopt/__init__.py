# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""qopt: float ONNX models and sample inputs to integer-only native objects.

    import numpy, qopt
    model = qopt.compile("model.onnx", calibration=numpy.load("samples.npy"))
    y = model(x)              # float in, float out, in integers between
    model.save("model.o")     # and model.h

libqopt is loaded at first use: $QOPT_LIBRARY, the library beside this package,
else libqopt.so.0 where the system finds it.
"""

from ._compile import calibrate, compile, option_names, version
from ._model import Model, Port
from ._native import Error
from ._stats import Stats, merge

__all__ = ["Error", "Model", "Port", "Stats", "calibrate", "compile", "merge",
           "option_names", "version"]
