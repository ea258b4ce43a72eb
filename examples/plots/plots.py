# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""plots.py MODEL DATA FOLDER [FLAG=VALUE...]: what quantization does to a model,
as pictures in FOLDER. Cells (`# %%`) run one by one in editors that know them.

    plots.py ../fashion-mnist/resnet20.onnx \\
      /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz pictures \\
      input=x:u8,mean=0.2860,std=0.3530 limit=128"""

# %% Compile. The report of --emit=report-html holds histograms and errors.
import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy
import qopt

path, data, folder = sys.argv[1:4]
flags = dict(text.split("=", 1) for text in sys.argv[4:])
os.makedirs(folder, exist_ok=True)
model = qopt.compile(path, calibration=data, emit="report-html", **flags)
report = model.report
tensors = {tensor["id"]: tensor for tensor in report["tensors"]}


def save(figure, name):
    figure.tight_layout()
    figure.savefig(os.path.join(folder, name), dpi=100)
    plt.close(figure)
    print("wrote", os.path.join(folder, name))


# %% Histograms of the values that calibration saw, and the range that their
# integers represent: what lies outside the lines is clipped.
shown = list(report["histograms"].items())[:12]
columns = min(4, len(shown))
rows = -(-len(shown) // columns)
figure, axes = plt.subplots(rows, columns, figsize=(4 * columns, 2.5 * rows),
                            squeeze=False)
for axis, (name, histogram) in zip(axes.flat, shown):
    counts = numpy.array(histogram["counts"])
    edges = numpy.linspace(histogram["low"], histogram["high"], len(counts) + 1)
    axis.stairs(counts / histogram["count"], edges, fill=True)
    tensor = tensors[name]
    least = -(1 << tensor["bits"] - 1)
    for integer in (least, -least - 1):
        axis.axvline(tensor["scale"] * (integer - tensor["zero_point"]),
                     color="tab:red", linewidth=1)
    axis.set_title(name[-30:], fontsize=8)
    axis.set_yscale("log")
for axis in list(axes.flat)[len(shown):]:
    axis.axis("off")
save(figure, "histograms.png")

# %% Error by layer: what each value's own rounding and clipping cost it, and
# what has added up to there. 300 dB stands for no error.
values = report["layers"]["values"]
names = [value["id"] for value in values]
figure, axis = plt.subplots(figsize=(max(6, 0.3 * len(names)), 4))
for kind, label in (("own_db", "its own"), ("accumulated_db", "accumulated")):
    axis.plot(range(len(names)),
              [min(value[kind]["all"], 100) for value in values],
              marker="o", label=label)
axis.set_xticks(range(len(names)))
axis.set_xticklabels([name[-24:] for name in names], rotation=90, fontsize=7)
axis.set_ylabel("SQNR, dB")
axis.legend()
save(figure, "errors.png")

# %% Range and error of weights: the steps of each output channel, which differ
# by what per-channel scales gain.
figure, axis = plt.subplots(figsize=(max(6, 0.3 * len(report["weights"])), 4))
axis.boxplot([weights["scale"] for weights in report["weights"].values()])
axis.set_xticklabels([name[-24:] for name in report["weights"]], rotation=90,
                     fontsize=7)
axis.set_yscale("log")
axis.set_ylabel("step of a channel's weights")
save(figure, "weights.png")
