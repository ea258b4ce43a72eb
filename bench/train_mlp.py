#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains a 784-512-256-128-10 network on Fashion-MNIST, with numpy alone.

usage: train_mlp.py OUT [--epochs N]

Writes OUT/model.onnx, OUT/calib/x.npy (256 training images) and OUT/eval.npz (all
10,000 test images with labels). The data are Debian's dataset-fashion-mnist. Needs
numpy and onnx; a minute on two cores.
"""

import argparse
import gzip
import os

import numpy
import onnx
from onnx import helper, numpy_helper

DATA = "/usr/share/datasets/fashion-mnist"
SIZES = [784, 512, 256, 128, 10]


def read_idx(name, header):
    with gzip.open(os.path.join(DATA, name)) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def load(part):
    images = read_idx(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    return ((images / 255 - 0.2860) / 0.3530).astype(numpy.float32), read_idx(
        f"{part}-labels-idx1-ubyte.gz", 8).astype(numpy.int64)


def forward(layers, x):
    """The inputs of all layers, and the logits."""
    values = [x]
    for number, (weight, bias) in enumerate(layers):
        x = values[-1] @ weight.T + bias
        values.append(x if number == len(layers) - 1 else numpy.maximum(x, 0))
    return values


def gradients(layers, x, labels):
    values = forward(layers, x)
    shares = numpy.exp(values[-1] - values[-1].max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    shares[numpy.arange(len(labels)), labels] -= 1
    error = shares / len(labels)
    result = []
    for (weight, _), inputs in zip(reversed(layers), reversed(values[:-1])):
        result += [error.sum(0), error.T @ inputs]
        error = (error @ weight) * (inputs > 0)
    return result[::-1]


def train(x, labels, epochs):
    random = numpy.random.RandomState(1)
    layers = [(random.standard_normal((n, k)).astype(numpy.float32) * numpy.float32((2 / k) ** 0.5),
               numpy.zeros(n, numpy.float32)) for k, n in zip(SIZES, SIZES[1:])]
    parameters = [array for layer in layers for array in layer]
    means = [numpy.zeros_like(p) for p in parameters]
    squares = [numpy.zeros_like(p) for p in parameters]
    step = 0
    for epoch in range(epochs):
        rate = numpy.float32(1e-3 * 0.5 ** epoch)
        order = random.permutation(len(x))
        for first in range(0, len(x), 128):
            batch = order[first:first + 128]
            step += 1
            for p, g, m, s in zip(parameters, gradients(layers, x[batch], labels[batch]), means,
                                  squares):
                m += numpy.float32(0.1) * (g - m)
                s += numpy.float32(0.001) * (g * g - s)
                p -= rate * (m / numpy.float32(1 - 0.9 ** step)) / (
                    numpy.sqrt(s / numpy.float32(1 - 0.999 ** step)) + numpy.float32(1e-8))
        print(f"epoch {epoch + 1} of {epochs}", flush=True)
    return layers


def save(layers, path):
    nodes, initializers, last = [], [], "x"
    for number, (weight, bias) in enumerate(layers):
        initializers += [numpy_helper.from_array(weight, f"w{number}"),
                         numpy_helper.from_array(bias, f"b{number}")]
        result = "y" if number == len(layers) - 1 else f"h{number}"
        nodes.append(helper.make_node("Gemm", [last, f"w{number}", f"b{number}"], [result],
                                      transB=1))
        last = result
        if result != "y":
            last = f"r{number}"
            nodes.append(helper.make_node("Relu", [result], [last]))
    shape = lambda name, size: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size])
    graph = helper.make_graph(nodes, "mlp", [shape("x", 784)], [shape("y", 10)], initializers)
    onnx.save(helper.make_model(graph, ir_version=8,
                                opset_imports=[helper.make_opsetid("", 17)]), path)


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args(arguments)
    os.makedirs(os.path.join(options.out, "calib"), exist_ok=True)
    x, labels = load("train")
    layers = train(x, labels, options.epochs)
    save(layers, os.path.join(options.out, "model.onnx"))
    numpy.save(os.path.join(options.out, "calib", "x.npy"), x[:256])
    x, labels = load("t10k")
    numpy.savez(os.path.join(options.out, "eval.npz"), x=x, label=labels)
    right = forward(layers, x)[-1].argmax(1) == labels
    print(f"{100 * right.mean():.2f} % of {len(right)} test images")


if __name__ == "__main__":
    main()
