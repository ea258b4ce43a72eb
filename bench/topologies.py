#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""topologies.py FOLDER [NET ...]: networks as people have them, random weights.

Writes FOLDER/NET/model.onnx with the sizes of the published network, and
samples to compile it with: calib.npy (32 by default, --calibration) and
eval.npz (8, with the float outputs as references). --list prints the names.
The inputs are smooth shapes with noise; the float outputs must differ over
them by more than 5 % of their size, or there is nothing to measure, and no sample's may explode."""

import argparse
import json
import os
import sys

import numpy as np
import onnx

from topology_builder import make_model, run

NETS = {}


def net(shape, **options):
    """Registers a network: input shape without batch, options of make_model."""
    def register(function):
        NETS[function.__name__] = (function, shape, options)
        return function
    return register


# Plain chains

@net((3, 224, 224), folded=True, opset=11)
def vgg11(n):
    x = n.input(3, 224, 224)
    for channels in 64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M":
        x = n.max_pool(x, 2) if channels == "M" else n.conv(x, channels, 3, act="relu")
    x = n.flatten(x)
    for _ in range(2):
        x = n.linear(x, 4096, act="relu")
    return [n.linear(x, 1000)]


@net((1, 120, 160), folded=True, opset=13)
def espcn(n):
    x = n.conv(n.input(1, 120, 160), 64, 5, act="tanh")
    x = n.conv(x, 32, 3, act="tanh")
    x = n.conv(x, 9, 3, norm=False)
    return [n.node("DepthToSpace", [x], (1, 360, 480), blocksize=3, mode="CRD")]


@net((80, 1024), folded=True)
def wavenet(n):
    """Two stacks of dilated causal convolutions with gates and skips over the
    frames of a sound's spectrum."""
    x = n.conv(n.input(80, 1024), 64)
    skips = None
    for dilation in [1 << i for i in range(9)] * 2:
        past = n.node("Pad", [x, n.constant([0, 0, dilation, 0, 0, 0], np.int64)],
                      (64, 1024 + dilation))
        both = n.conv(past, 128, 2, pad=0, dilation=dilation)
        signal, gate = n.split(both)
        gated = n.mul(n.act(signal, "tanh"), n.act(gate, "sigmoid"))
        skip = n.conv(gated, 128)
        skips = n.add(skips, skip) if skips else skip
        x = n.add(x, n.conv(gated, 64, gain=0.3))
    x = n.conv(n.act(skips, "relu"), 128, act="relu")
    return [n.conv(x, 256, norm=False)]


# Branches

@net((3, 224, 224), folded=True, opset=11)
def squeezenet(n):
    def fire(x, squeeze, expand):
        x = n.conv(x, squeeze, act="relu")
        return n.concat(n.conv(x, expand, act="relu"), n.conv(x, expand, 3, act="relu"))
    x = n.conv(n.input(3, 224, 224), 64, 3, 2, pad=0, act="relu")
    x = n.max_pool(x, 3, 2, ceil=True)
    x = n.max_pool(fire(fire(x, 16, 64), 16, 64), 3, 2, ceil=True)
    x = n.max_pool(fire(fire(x, 32, 128), 32, 128), 3, 2, ceil=True)
    for squeeze, expand in (48, 192), (48, 192), (64, 256), (64, 256):
        x = fire(x, squeeze, expand)
    x = n.conv(x, 1000, norm=False, act="relu")
    return [n.flatten(n.global_pool(x))]


@net((3, 224, 224), folded=True, opset=13)
def googlenet(n):
    def inception(x, one, reduce3, three, reduce5, five, pool):
        return n.concat(
            n.conv(x, one, act="relu"),
            n.conv(n.conv(x, reduce3, act="relu"), three, 3, act="relu"),
            n.conv(n.conv(x, reduce5, act="relu"), five, 3, act="relu"),
            n.conv(n.max_pool(x, 3, 1, pad=1), pool, act="relu"))
    x = n.conv(n.input(3, 224, 224), 64, 7, 2, act="relu")
    x = n.conv(n.max_pool(x, 3, 2, ceil=True), 64, act="relu")
    x = n.max_pool(n.conv(x, 192, 3, act="relu"), 3, 2, ceil=True)
    for row in (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64):
        x = inception(x, *row)
    x = n.max_pool(x, 3, 2, ceil=True)
    for row in ((192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64),
                (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
                (256, 160, 320, 32, 128, 128)):
        x = inception(x, *row)
    x = n.max_pool(x, 2, 2, ceil=True)
    for row in (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128):
        x = inception(x, *row)
    return [classify(n, x)]


def classify(n, x):
    return n.linear(n.flatten(n.global_pool(x)), 1000)


@net((3, 224, 224))
def densenet121(n):
    x = n.conv(n.input(3, 224, 224), 64, 7, 2, act="relu")
    x = n.max_pool(x, 3, 2, pad=1)
    for stage, layers in enumerate((6, 12, 24, 16)):
        for _ in range(layers):
            y = n.conv(n.act(n.norm(x), "relu"), 128, act="relu")
            x = n.concat(x, n.conv(y, 32, 3, norm=False))
        x = n.act(n.norm(x), "relu")
        if stage < 3:
            x = n.avg_pool(n.conv(x, x.channels // 2, norm=False), 2)
    return [classify(n, x)]


# Residual networks

def residual(n, x, branch, channels, stride=1, act="relu"):
    """`branch` added to `x`, projected where the shape changes."""
    if stride > 1 or x.channels != channels:
        x = n.conv(x, channels, 1, stride)
    return n.act(n.add(branch, x), act)


def resnet(n, depths, bottleneck, groups=1, width=64):
    x = n.conv(n.input(3, 224, 224), 64, 7, 2, act="relu")
    x = n.max_pool(x, 3, 2, pad=1)
    for stage, depth in enumerate(depths):
        inner, outer = width << stage, (256 if bottleneck else 64) << stage
        for block in range(depth):
            stride = 2 if stage and not block else 1
            if bottleneck:
                y = n.conv(x, inner, act="relu")
                y = n.conv(y, inner, 3, stride, groups=groups, act="relu")
                y = n.conv(y, outer, gain=0.3)
            else:
                y = n.conv(n.conv(x, inner, 3, stride, act="relu"), outer, 3, gain=0.3)
            x = residual(n, x, y, outer, stride)
    return [classify(n, x)]


@net((3, 224, 224))
def resnet18(n):
    return resnet(n, (2, 2, 2, 2), bottleneck=False)


@net((3, 224, 224), folded=True)
def resnet50(n):
    return resnet(n, (3, 4, 6, 3), bottleneck=True)


@net((3, 224, 224))
def resnext50(n):
    return resnet(n, (3, 4, 6, 3), bottleneck=True, groups=32, width=128)


@net((3, 224, 224), folded=True)
def regnet_y_400mf(n):
    x = n.conv(n.input(3, 224, 224), 32, 3, 2, act="relu")
    for channels, depth in (48, 1), (104, 3), (208, 6), (440, 6):
        for block in range(depth):
            stride = 1 if block else 2
            y = n.conv(x, channels, act="relu")
            y = n.conv(y, channels, 3, stride, groups=channels // 8, act="relu")
            y = n.squeeze_excite(y, x.channels // 4)
            x = residual(n, x, n.conv(y, channels, gain=0.3), channels, stride)
    return [classify(n, x)]


# Tiny networks: three of the MLPerf Tiny benchmark, and a perceptron

@net((3, 32, 32), folded=True)
def resnet8(n):
    x = n.conv(n.input(3, 32, 32), 16, 3, act="relu")
    for channels, stride in (16, 1), (32, 2), (64, 2):
        y = n.conv(x, channels, 3, stride, act="relu", auto_pad="SAME_UPPER")
        x = residual(n, x, n.conv(y, channels, 3, gain=0.3), channels, stride)
    return [n.linear(n.flatten(n.global_pool(x)), 10)]


@net((1, 49, 10), folded=True)
def ds_cnn(n):
    x = n.conv(n.input(1, 49, 10), 64, (10, 4), 2, act="relu", auto_pad="SAME_UPPER")
    for _ in range(4):
        x = n.conv(n.depthwise(x, 3, act="relu"), 64, act="relu")
    return [n.linear(n.flatten(n.global_pool(x)), 12)]


@net((640,), folded=True)
def autoencoder(n):
    x = n.input(640)
    for features in [128] * 4 + [8] + [128] * 4:
        x = n.linear(x, features, act="relu", norm=True)
    return [n.linear(x, 640)]


@net((784,), folded=True)
def mlp(n):
    x = n.linear(n.input(784), 100, act="relu")
    return [n.linear(n.linear(x, 100, act="relu"), 10)]


# Mobile networks

def inverted_residual(n, x, expand, channels, kernel, stride, act, squeeze=0, gate="sigmoid",
                      squeeze_act="relu", **more):
    """`expand` channels inside; `squeeze` those of the gate, if any."""
    y = n.conv(x, expand, act=act) if expand != x.channels else x
    y = n.depthwise(y, kernel, stride, act=act, **more)
    if squeeze:
        y = n.squeeze_excite(y, squeeze, squeeze_act, gate)
    same = stride == 1 and channels == x.channels
    y = n.conv(y, channels, gain=0.3 if same else 1.0)
    return n.add(x, y) if same else y


def mobilenet_v1_body(n, x):
    """The values after each stride."""
    x, taps = n.conv(x, 32, 3, 2, act="relu"), []
    for channels, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
                             *[(512, 1)] * 5, (1024, 2), (1024, 1)):
        if stride == 2:
            taps.append(x)
        x = n.conv(n.depthwise(x, 3, stride, act="relu"), channels, act="relu")
    return [*taps, x]


@net((3, 224, 224))
def mobilenet_v1(n):
    return [classify(n, mobilenet_v1_body(n, n.input(3, 224, 224))[-1])]


def mobilenet_v2_body(n, x, last_stride=2):
    """The values after stride 4 and at the end of the inverted residuals."""
    x, low = n.conv(x, 32, 3, 2, act="relu6"), None
    for t, channels, repeats, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                         (6, 96, 3, 1), (6, 160, 3, last_stride), (6, 320, 1, 1)):
        for i in range(repeats):
            x = inverted_residual(n, x, t * x.channels, channels, 3, 1 if i else stride, "relu6")
        low = x if channels == 24 else low
    return low, x


@net((3, 224, 224))
def mobilenet_v2(n):
    _, x = mobilenet_v2_body(n, n.input(3, 224, 224))
    return [classify(n, n.conv(x, 1280, act="relu6"))]


MOBILENET_V3_LARGE = (  # kernel, expanded, channels, squeeze, activation, stride
    (3, 16, 16, 0, "relu", 1), (3, 64, 24, 0, "relu", 2), (3, 72, 24, 0, "relu", 1),
    (5, 72, 40, 24, "relu", 2), (5, 120, 40, 32, "relu", 1), (5, 120, 40, 32, "relu", 1),
    (3, 240, 80, 0, "hard_swish", 2), (3, 200, 80, 0, "hard_swish", 1),
    (3, 184, 80, 0, "hard_swish", 1), (3, 184, 80, 0, "hard_swish", 1),
    (3, 480, 112, 120, "hard_swish", 1), (3, 672, 112, 168, "hard_swish", 1),
    (5, 672, 160, 168, "hard_swish", 2), (5, 960, 160, 240, "hard_swish", 1),
    (5, 960, 160, 240, "hard_swish", 1))


@net((3, 224, 224), folded=True)
def mobilenet_v3(n):
    x = n.conv(n.input(3, 224, 224), 16, 3, 2, act="hard_swish")
    for kernel, expand, channels, squeeze, act, stride in MOBILENET_V3_LARGE:
        x = inverted_residual(n, x, expand, channels, kernel, stride, act, squeeze,
                              "hard_sigmoid")
    x = n.flatten(n.global_pool(n.conv(x, 960, act="hard_swish")))
    return [n.linear(n.linear(x, 1280, act="hard_swish"), 1000)]


def efficientnet(n, act, squeeze, **more):
    x = n.conv(n.input(3, 224, 224), 32, 3, 2, act=act, **more)
    for t, channels, repeats, stride, kernel in (
            (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
            (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)):
        for i in range(repeats):
            x = inverted_residual(n, x, t * x.channels, channels, kernel, 1 if i else stride, act,
                                  squeeze and x.channels // 4, squeeze_act=act, **more)
    return [classify(n, n.conv(x, 1280, act=act))]


@net((3, 224, 224), folded=True, opset=11)
def efficientnet_lite0(n):
    return efficientnet(n, "relu6", False, auto_pad="SAME_UPPER")


@net((3, 224, 224))
def efficientnet_b0(n):
    return efficientnet(n, "silu", True)


@net((3, 224, 224))
def shufflenet_v2(n):
    def shuffle(x):
        channels, height, width = x.shape
        x = n.reshape(x, 2, channels // 2, height, width)
        return n.reshape(n.transpose(x, 0, 2, 1, 3, 4), channels, height, width)

    def branch(x, channels, stride):
        x = n.depthwise(n.conv(x, channels, act="relu"), 3, stride)
        return n.conv(x, channels, act="relu")
    x = n.max_pool(n.conv(n.input(3, 224, 224), 24, 3, 2, act="relu"), 3, 2, pad=1)
    for channels, repeats in (116, 4), (232, 8), (464, 4):
        half = channels // 2
        kept = n.conv(n.depthwise(x, 3, 2), half, act="relu")
        x = shuffle(n.concat(kept, branch(x, half, 2)))
        for _ in range(repeats - 1):
            kept, changed = n.split(x)
            x = shuffle(n.concat(kept, branch(changed, half, 1)))
    return [classify(n, n.conv(x, 1024, act="relu"))]


@net((3, 224, 224))
def convnext_t(n):
    x = n.input(3, 224, 224)
    for stage, (channels, depth) in enumerate(((96, 3), (192, 3), (384, 9), (768, 3))):
        if stage == 0:
            x = n.conv(x, channels, 4, 4, pad=0, norm=False)
            x = n.layer_norm(n.transpose(x, 0, 2, 3, 1))
        else:
            x = n.transpose(n.layer_norm(x, written_out=stage == 2), 0, 3, 1, 2)
            x = n.transpose(n.conv(x, channels, 2, 2, pad=0, norm=False), 0, 2, 3, 1)
        for _ in range(depth):
            y = n.depthwise(n.transpose(x, 0, 3, 1, 2), 7, norm=False)
            y = n.layer_norm(n.transpose(y, 0, 2, 3, 1), written_out=stage == 2)
            y = n.linear(n.linear(y, 4 * channels, act="gelu"), channels)
            scale = n.constant(n.random.uniform(0.1, 0.5, channels))
            x = n.add(x, n.node("Mul", [y, scale], y.shape))
    x = n.node("ReduceMean", [x], (channels,), axes=[1, 2], keepdims=0)
    return [n.linear(n.layer_norm(x), 1000)]


# Detection

def yolo(n, block, heads, stem):
    """The body of YOLOv5n and v8n: `block(x, channels, repeats, shortcut)`."""
    def down(x, channels):
        return n.conv(x, channels, 3, 2, act="silu")

    def pyramid(x):
        x = n.conv(x, x.channels // 2, act="silu")
        pools = [x]
        for _ in range(3):
            pools.append(n.max_pool(pools[-1], 5, 1, pad=2))
        return n.conv(n.concat(*pools), 256, act="silu")
    lateral = (lambda x, c: n.conv(x, c, act="silu")) if stem == 6 else lambda x, c: x
    x = n.conv(n.input(3, 320, 320), 16, stem, 2, pad=2 if stem == 6 else 1, act="silu")
    x = block(down(x, 32), 32, 1, True)
    p3 = block(down(x, 64), 64, 2, True)
    p4 = block(down(p3, 128), 128, 3 if stem == 6 else 2, True)
    p5 = lateral(pyramid(block(down(p4, 256), 256, 1, True)), 128)
    m4 = lateral(block(n.concat(n.upsample(p5), p4), 128, 1, False), 64)
    out3 = block(n.concat(n.upsample(m4), p3), 64, 1, False)
    out4 = block(n.concat(down(out3, 64), m4), 128, 1, False)
    out5 = block(n.concat(down(out4, 128), p5), 256, 1, False)
    return [heads(out) for out in (out3, out4, out5)]


def bottleneck(n, x, shortcut, kernel):
    y = n.conv(x, x.channels, kernel, act="silu")
    y = n.conv(y, x.channels, 3, act="silu", gain=0.3 if shortcut else 1.0)
    return n.add(x, y) if shortcut else y


@net((3, 320, 320), folded=True, opset=12)
def yolov5n(n):
    def c3(x, channels, repeats, shortcut):
        y, other = (n.conv(x, channels // 2, act="silu") for _ in range(2))
        for _ in range(repeats):
            y = bottleneck(n, y, shortcut, 1)
        return n.conv(n.concat(y, other), channels, act="silu")

    def head(x):
        y = n.reshape(n.conv(x, 255, norm=False), 3, 85, *x.shape[1:])
        return n.transpose(y, 0, 1, 3, 4, 2)
    return yolo(n, c3, head, stem=6)


@net((3, 320, 320), folded=True)
def yolov8n(n):
    def c2f(x, channels, repeats, shortcut):
        parts = list(n.split(n.conv(x, channels, act="silu")))
        for _ in range(repeats):
            parts.append(bottleneck(n, parts[-1], shortcut, 3))
        return n.conv(n.concat(*parts), channels, act="silu")

    def head(x):
        def branch(inner, outer):
            y = n.conv(n.conv(x, inner, 3, act="silu"), inner, 3, act="silu")
            return n.conv(y, outer, norm=False)
        return n.concat(branch(64, 64), branch(80, 80))
    return yolo(n, c2f, head, stem=3)


@net((3, 300, 300))
def ssd_mobilenet(n):
    *_, x19, x = mobilenet_v1_body(n, n.input(3, 300, 300))
    maps = [x19, x]
    for inner, channels in (256, 512), (128, 256), (128, 256), (64, 128):
        x = n.conv(n.conv(x, inner, act="relu6"), channels, 3, 2, act="relu6")
        maps.append(x)

    def heads(size):
        parts = []
        for i, x in enumerate(maps):
            anchors = 3 if i == 0 else 6
            y = n.transpose(n.conv(x, anchors * size, 3, norm=False), 0, 2, 3, 1)
            parts.append(n.reshape(y, anchors * x.shape[1] * x.shape[2], size))
        return n.concat(*parts)
    return [heads(4), heads(21)]


# Segmentation

@net((3, 224, 224))
def deeplab_v3plus(n):
    low, x = mobilenet_v2_body(n, n.input(3, 224, 224), last_stride=1)
    pooled = n.resize(n.conv(n.global_pool(x), 256, norm=False, act="relu"), x.shape[1:])
    rates = [n.conv(x, 256, 3, dilation=rate, act="relu") for rate in (6, 12, 18)]
    x = n.conv(n.concat(n.conv(x, 256, act="relu"), *rates, pooled), 256, act="relu")
    x = n.concat(n.resize(x, low.shape[1:]), n.conv(low, 48, act="relu"))
    x = n.conv(n.conv(x, 256, 3, act="relu"), 256, 3, act="relu")
    return [n.resize(n.conv(x, 21, norm=False), (224, 224))]


@net((3, 224, 224))
def unet(n):
    def twice(x, channels):
        return n.conv(n.conv(x, channels, 3, act="relu"), channels, 3, act="relu")
    x, skips = twice(n.input(3, 224, 224), 32), []
    for channels in 64, 128, 256, 512:
        skips.append(x)
        x = twice(n.max_pool(x, 2), channels)
    for skip in reversed(skips):
        x = twice(n.concat(skip, n.conv_transpose(x, skip.channels, 2, 2)), skip.channels)
    return [n.conv(x, 2, norm=False)]


# Samples

def smooth(random, shape):
    """One sample: gratings and spots of any size and place, brightness, contrast
    and noise, as image networks normalize it. One axis beside the channels
    makes it a sound, none a vector of a sound's features."""
    if len(shape) == 1:
        return smooth(random, (1, *shape))[0]
    axes = np.meshgrid(*[np.linspace(-1, 1, size) for size in shape[1:]], indexing="ij")
    total = np.zeros(shape)
    for _ in range(12):
        color = random.normal(0, 1, (shape[0],) + (1,) * len(axes))
        frequency = np.exp(random.uniform(0, 4)) * random.normal(0, 1, len(axes))
        wave = np.sin(sum(f * a for f, a in zip(frequency, axes)) + random.uniform(0, 6.3))
        center, width = random.uniform(-1, 1, len(axes)), random.uniform(0.1, 1)
        distance = sum((a - c) ** 2 for a, c in zip(axes, center))
        total += color * (0.5 * wave + np.exp(-distance / width ** 2))
    total -= np.mean(total, axis=tuple(range(1, len(shape))), keepdims=True)
    total *= random.uniform(0.7, 1) / np.sqrt(np.mean(total ** 2))
    total += random.normal(0, 0.2, (shape[0],) + (1,) * len(axes))
    return np.clip(total + random.normal(0, 0.05, shape), -2.2, 2.7)


def samples(shape, count, seed):
    random = np.random.default_rng(seed)
    return np.stack([smooth(random, shape) for _ in range(count)]).astype(np.float32)


def spread(outputs):
    """How much outputs, samples first, differ over samples: standard deviation
    over samples by root mean square, the least of all outputs."""
    return min(float(np.sqrt(np.mean(np.var(y, axis=0)) / np.mean(y ** 2))) for y in outputs)


def explosion(outputs):
    """The largest sample's root mean square by that of the median sample."""
    sizes = [np.sqrt(np.mean(y.reshape(len(y), -1) ** 2, axis=1)) for y in outputs]
    return max(float(np.max(size) / np.median(size)) for size in sizes)


def write_net(name, folder, calibration=32, evaluation=8):
    """Writes model, samples and the spread of its outputs, which it returns."""
    function, shape, options = NETS[name]
    os.makedirs(folder, exist_ok=True)
    model = make_model(function, name, samples(shape, 64, 1), **options)
    onnx.save(model, os.path.join(folder, "model.onnx"))
    np.save(os.path.join(folder, "calib.npy"), samples(shape, calibration, 2))
    held_out = samples(shape, evaluation, 3)
    results = [np.stack(y) for y in zip(*run(model, [x[None] for x in held_out]))]
    names = [output.name for output in model.graph.output]
    np.savez(os.path.join(folder, "eval.npz"), x=held_out,
             **{f"ref_{n}": y for n, y in zip(names, results)})
    if explosion(results) > 4:
        sys.exit(f"{name}: a sample's outputs are {explosion(results):.1f} times the others'")
    found = spread(results)
    with open(os.path.join(folder, "spread.json"), "w", encoding="utf-8") as file:
        json.dump(found, file)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("nets", nargs="*", metavar="NET")
    parser.add_argument("--calibration", type=int, default=32)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_intermixed_args()
    if arguments.list or not arguments.folder:
        print("\n".join(NETS))
        return
    for name in arguments.nets or NETS:
        found = write_net(name, os.path.join(arguments.folder, name), arguments.calibration)
        print(f"{name:18} output spread {found:.2f}", flush=True)
        if found < 0.05:
            raise SystemExit(f"{name}: the outputs hardly depend on the input")


if __name__ == "__main__":
    main()
