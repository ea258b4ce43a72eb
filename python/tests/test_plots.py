# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""examples/plots on a small model. Exits with 77 where matplotlib is missing."""

import os
import subprocess
import sys
import tempfile

try:
    import matplotlib.image
    import numpy
except ImportError as error:
    print("skipped: examples/plots needs python3-matplotlib (%s)" % error)
    sys.exit(77)

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def main():
    model = os.path.join(os.environ["QOPT_TEST_MODELS"], "mlp.onnx")
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "x.npy")
        numpy.save(data, numpy.random.RandomState(0).uniform(
            -1, 1, (50, 8)).astype("float32"))
        subprocess.run([sys.executable,
                        os.path.join(TREE, "examples", "plots", "plots.py"),
                        model, data, folder, "range=mse"], check=True,
                       env={**os.environ, "MPLCONFIGDIR": folder})
        for name in ("histograms", "errors", "weights"):
            picture = matplotlib.image.imread(
                os.path.join(folder, name + ".png"))
            # Drawn on: not one colour.
            assert picture.std() > 0.05, (name, picture.std())


if __name__ == "__main__":
    main()
