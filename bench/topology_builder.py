# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes ONNX files of convolutional networks with random weights.

A network is a function of a `Net` that adds nodes and returns the outputs. It
is called twice. The first model is fed with samples and normalizes every
marked value by the mean and variance of its channels over them, as training
does; the second carries these statistics, as BatchNormalization nodes or
folded into the convolutions, as exporters write them. Without this, a deep
network with random weights answers the same to every input.
"""

import math
import sys
from typing import NamedTuple

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    sys.exit(f"generated topologies need Python's onnx, onnxruntime and numpy: {error}")

EPSILON = 1e-5


def smooth_basis(size):
    """The slowest quarter of the cosines on `size` points, as columns; at most
    512, for the sake of VGG's 25,088."""
    waves = np.arange(max(1, min(size // 4, 512)))
    return np.cos(np.pi * np.multiply.outer(np.arange(size) + 0.5, waves) / size)


class Value(NamedTuple):
    """A tensor of the graph; `shape` is without the batch axis."""
    name: str
    shape: tuple

    @property
    def channels(self):
        return self.shape[0]


class Statistics(NamedTuple):
    """What normalizing a value learned: real moments and random affine parts."""
    mean: np.ndarray
    variance: np.ndarray


class Net:
    """A graph under construction.

    folded: normalizations are written into the convolutions before them.
    statistics: those of the measured model, in its order; None measures."""

    def __init__(self, seed, batch=1, folded=False, statistics=None):
        self.random = np.random.default_rng(seed)
        self.batch, self.folded, self.statistics = batch, folded, statistics
        self.nodes, self.weights, self.inputs, self.moments = [], [], [], []
        self.norms = 0

    # Graph

    def node(self, op, inputs, shape, **attributes):
        """One node with one output, which is returned."""
        return self.nodes_of(op, inputs, [shape], **attributes)[0]

    def nodes_of(self, op, inputs, shapes, **attributes):
        """One node with an output for each of `shapes`."""
        number = len(self.nodes)
        names = [f"{op.lower()}_{number}" + (f"_{i}" if i else "") for i in range(len(shapes))]
        self.nodes.append(helper.make_node(
            op, [i.name if isinstance(i, Value) else i for i in inputs], names,
            name=f"/{op}_{number}", **attributes))
        return [Value(name, tuple(shape)) for name, shape in zip(names, shapes)]

    def constant(self, array, dtype=np.float32):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype), name))
        return name

    def input(self, *shape, name="x"):
        self.inputs.append(Value(name, shape))
        return self.inputs[-1]

    def model(self, outputs, name, opset):
        """The model; while measuring, its outputs are the moments."""
        names = self.moments or [o.name for o in outputs]
        graph = helper.make_graph(
            self.nodes, name,
            [helper.make_tensor_value_info(v.name, TensorProto.FLOAT, [self.batch, *v.shape])
             for v in self.inputs],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names]
            if self.moments else
            [helper.make_tensor_value_info(v.name, TensorProto.FLOAT, [self.batch, *v.shape])
             for v in outputs], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                                 producer_name="qopt-topologies", ir_version=8)

    # Layers with weights

    def normal(self, shape, fan_in):
        """He weights with habits of trained ones: channels differ in size; half
        of the power reads and writes a quarter of the features, which are
        smooth along the channels, and is smooth over the taps of a kernel.
        Weights without any structure make networks chaotic: they amplify every
        disturbance, those of rounding too."""
        scales = np.exp(self.random.normal(0, 0.3, (shape[0],) + (1,) * (len(shape) - 1)))
        out, into = smooth_basis(shape[0]), smooth_basis(shape[1])
        smooth = out @ self.random.normal(0, 1, (out.shape[1], into.shape[1])) @ into.T
        for taps in shape[2:]:
            bump = np.sin(np.arange(1, taps + 1) * np.pi / (taps + 1))
            smooth = np.multiply.outer(smooth, bump)
        smooth /= np.sqrt(np.mean(smooth ** 2))
        values = (self.random.normal(0, 1, shape) + smooth) / math.sqrt(2)
        return values * math.sqrt(2 / fan_in) * scales

    def conv(self, x, channels, kernel=1, stride=1, pad=None, groups=1, dilation=1, norm=True,
             act=None, gain=1.0, auto_pad=None):
        """A convolution, normalized unless `norm` is false, and an activation.
        One without a normalization has a bias, and weights that bring its
        channels to the same size. `pad` is one number or a list as in ONNX; by
        default the size is kept."""
        rank = len(x.shape) - 1
        kernels = (kernel,) * rank if isinstance(kernel, int) else tuple(kernel)
        if pad is None:
            pad = [dilation * (k // 2) for k in kernels] * 2
        pads = [pad] * (2 * rank) if isinstance(pad, int) else list(pad)
        if auto_pad:
            sizes = [-(-size // stride) for size in x.shape[1:]]
            padding = {"auto_pad": auto_pad}
        else:
            sizes = [(x.shape[1 + i] + pads[i] + pads[rank + i] - dilation * (k - 1) - 1) // stride
                     + 1 for i, k in enumerate(kernels)]
            padding = {"pads": pads}
        fan_in = x.channels // groups * math.prod(kernels)
        weight = self.normal((channels, x.channels // groups, *kernels), fan_in)
        attributes = dict(kernel_shape=kernels, strides=[stride] * rank, group=groups,
                          dilations=[dilation] * rank, **padding)
        shape = (channels, *sizes)
        operands, is_folded = self.layer_weights(weight, norm, gain)
        y = self.node("Conv", [x, *operands], shape, **attributes)
        return self.act(y if is_folded else self.norm(y, gain, norm), act)

    def layer_weights(self, weight, norm, gain):
        """Constants of a layer, and whether they normalize its result."""
        if not self.statistics or (norm and not self.folded):
            return [self.constant(weight)], False
        gamma, beta, mean, variance = self.learned(len(weight), gain, norm)
        scale = gamma / np.sqrt(variance + EPSILON)
        weight = weight * scale.reshape(-1, *(1,) * (weight.ndim - 1))
        return [self.constant(weight), self.constant(beta - mean * scale)], True

    def depthwise(self, x, kernel=3, stride=1, act=None, **more):
        return self.conv(x, x.channels, kernel, stride, groups=x.channels, act=act, **more)

    def linear(self, x, features, act=None, gain=1.0, norm=False):
        """A product and an activation; of a vector, normalized if `norm`."""
        weight = self.normal((features, x.shape[-1]), x.shape[-1])
        if len(x.shape) == 1:
            operands, is_folded = self.layer_weights(weight, norm, gain)
            y = self.node("Gemm", [x, *operands], (features,), transB=1)
            y = y if is_folded else self.norm(y, gain, norm)
        else:
            bias = self.random.normal(0, 0.1, features)
            y = self.node("MatMul", [x, self.constant(weight.T)], (*x.shape[:-1], features))
            y = self.node("Add", [self.constant(bias), y], y.shape)
        return self.act(y, act)

    def conv_transpose(self, x, channels, kernel, stride):
        weight = self.normal((x.channels, channels, kernel, kernel), x.channels)
        bias = self.random.normal(0, 0.1, channels)
        return self.node("ConvTranspose", [x, self.constant(weight), self.constant(bias)],
                         (channels, *(size * stride for size in x.shape[1:])),
                         kernel_shape=[kernel] * 2, strides=[stride] * 2)

    # Normalization

    def learned(self, channels, gain, centered=True):
        """Factor, term, mean and variance of the next normalization. One that
        is not centered keeps the mean, and its variance is around zero."""
        gamma = gain * self.random.uniform(0.6, 1.2, channels)
        beta = gain * (self.random.normal(0.5, 0.3, channels) if centered
                       else self.random.normal(0, 0.1, channels))
        if not self.statistics:
            return gamma, beta, None, None
        self.norms += 1
        return gamma, beta, *self.statistics[self.norms - 1]

    def norm(self, x, gain=1.0, centered=True):
        """BatchNormalization; measuring, the same from the samples' moments."""
        gamma, beta, *found = self.learned(x.channels, gain, centered)
        if self.statistics:
            return self.node("BatchNormalization", [x] + [self.constant(p) for p in (
                gamma, beta, *found)], x.shape, epsilon=EPSILON)
        axes = [0, *range(2, len(x.shape) + 1)]
        each = (1, x.channels) + (1,) * (len(x.shape) - 1)
        mean = self.node("ReduceMean", [x], each, axes=axes)
        if not centered:
            mean = self.node("Sub", [mean, mean], each)
        difference = self.node("Sub", [x, mean], x.shape)
        square = self.node("Mul", [difference, difference], x.shape)
        variance = self.node("ReduceMean", [square], each, axes=axes)
        if not centered:
            # One value a sample is few: a channel that happens to be small over
            # these samples must not explode on others.
            average = self.node("ReduceMean", [variance], (1,) * len(each), axes=[1])
            variance = self.node("Max", [variance, average], each)
        self.moments += [mean.name, variance.name]
        offset = self.node("Add", [variance, self.constant(EPSILON)], each)
        scaled = self.node("Div", [difference, self.node("Sqrt", [offset], each)], x.shape)
        scaled = self.node("Mul", [scaled, self.constant(gamma.reshape(each))], x.shape)
        return self.node("Add", [scaled, self.constant(beta.reshape(each))], x.shape)

    def layer_norm(self, x, written_out=False):
        """Over the last axis."""
        gamma = self.constant(self.random.uniform(0.5, 1.5, x.shape[-1]))
        beta = self.constant(self.random.normal(0, 0.3, x.shape[-1]))
        if not written_out:
            return self.node("LayerNormalization", [x, gamma, beta], x.shape, axis=-1,
                             epsilon=1e-6)
        one = (*x.shape[:-1], 1)
        centered = self.node("Sub", [x, self.node("ReduceMean", [x], one, axes=[-1])], x.shape)
        square = self.node("Pow", [centered, self.constant(2.0)], x.shape)
        variance = self.node("ReduceMean", [square], one, axes=[-1])
        offset = self.node("Add", [variance, self.constant(1e-6)], one)
        y = self.node("Div", [centered, self.node("Sqrt", [offset], one)], x.shape)
        return self.node("Add", [self.node("Mul", [y, gamma], x.shape), beta], x.shape)

    # Layers without weights

    def act(self, x, kind):
        if kind is None:
            return x
        if kind == "silu":
            return self.mul(x, self.node("Sigmoid", [x], x.shape))
        if kind == "gelu":
            y = self.node("Div", [x, self.constant(math.sqrt(2))], x.shape)
            y = self.node("Add", [self.node("Erf", [y], x.shape), self.constant(1.0)], x.shape)
            y = self.node("Mul", [x, y], x.shape)
            return self.node("Mul", [y, self.constant(0.5)], x.shape)
        if kind == "relu6":
            return self.node("Clip", [x, self.constant(0.0), self.constant(6.0)], x.shape)
        if kind == "hard_sigmoid":
            return self.node("HardSigmoid", [x], x.shape, alpha=1 / 6, beta=0.5)
        names = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "hard_swish": "HardSwish"}
        return self.node(names[kind], [x], x.shape)

    def pool(self, op, x, kernel, stride=None, pad=0, ceil=False):
        stride = stride or kernel
        sizes = [(-(-s // stride) if ceil else s // stride) + 1
                 for s in (size + 2 * pad - kernel for size in x.shape[1:])]
        rounding = {"ceil_mode": 1} if ceil else {}
        return self.node(op, [x], (x.channels, *sizes), kernel_shape=[kernel] * 2,
                         strides=[stride] * 2, pads=[pad] * 4, **rounding)

    def max_pool(self, x, kernel, stride=None, pad=0, ceil=False):
        return self.pool("MaxPool", x, kernel, stride, pad, ceil)

    def avg_pool(self, x, kernel):
        return self.pool("AveragePool", x, kernel)

    def global_pool(self, x):
        return self.node("GlobalAveragePool", [x], (x.channels, 1, 1))

    def flatten(self, x):
        return self.node("Flatten", [x], (math.prod(x.shape),))

    def reshape(self, x, *shape):
        """`shape` without the batch axis."""
        return self.node("Reshape", [x, self.constant([self.batch, *shape], np.int64)], shape)

    def transpose(self, x, *axes):
        """`axes` counts the batch axis, which stays."""
        return self.node("Transpose", [x], [x.shape[a - 1] for a in axes[1:]], perm=axes)

    def add(self, x, y):
        return self.node("Add", [x, y], x.shape)

    def mul(self, x, y):
        return self.node("Mul", [x, y], x.shape)

    def concat(self, *values, axis=1):
        shape = list(values[0].shape)
        shape[axis - 1] = sum(v.shape[axis - 1] for v in values)
        return self.node("Concat", values, shape, axis=axis)

    def split(self, x, parts=2):
        """Equal parts of the channels."""
        size = x.channels // parts
        return self.nodes_of("Split", [x, self.constant([size] * parts, np.int64)],
                             [(size, *x.shape[1:])] * parts, axis=1)

    def upsample(self, x, factor=2):
        """Nearest, by scales."""
        scales = self.constant([1, 1, factor, factor])
        return self.node("Resize", [x, self.constant([]), scales],
                         (x.channels, *(size * factor for size in x.shape[1:])), mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def resize(self, x, sizes):
        """Bilinear, to sizes."""
        return self.node("Resize", [x, "", "", self.constant(
            [self.batch, x.channels, *sizes], np.int64)], (x.channels, *sizes), mode="linear",
            coordinate_transformation_mode="half_pixel")

    def squeeze_excite(self, x, reduced, act="relu", gate="sigmoid"):
        """Gates move by about a quarter of their range, as trained ones do: wide
        open and shut in turn, sixteen of them amplify each other."""
        y = self.conv(self.global_pool(x), reduced, norm=False, act=act)
        return self.mul(x, self.conv(y, x.channels, norm=False, act=gate, gain=0.5))


def make_model(function, name, samples, opset=17, folded=False):
    """The ONNX model of `function(net)`, normalized over `samples`, an array
    whose axis 0 counts them."""
    seed = sum(name.encode())
    net = Net(seed, batch=len(samples))
    outputs = function(net)
    found, = run(net.model(outputs, name, opset), [samples])
    statistics = [Statistics(m.reshape(-1), v.reshape(-1))
                  for m, v in zip(found[::2], found[1::2])]
    net = Net(seed, folded=folded, statistics=statistics)
    outputs = function(net)
    return net.model(outputs, name, opset)


def run(model, batches):
    """All outputs of a model for each of `batches`."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    name = session.get_inputs()[0].name
    return [session.run(None, {name: batch}) for batch in batches]
