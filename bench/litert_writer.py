# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a QDQ model of ONNX Runtime's quantizer as a LiteRT file.

LiteRT's own converter starts from TensorFlow or PyTorch; for a comparison of
engines the same integers matter, so this writes them with the schema that the
runtime ships: images channels-last, activations i8 (u8 less 128), weights i8 a
channel, biases i32, float in and out. Convolutions, full layers, additions,
pools and flattening; `Unsupported` for anything else.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from onnx import helper, numpy_helper, shape_inference
import flatbuffers

Op = schema.BuiltinOperator
Types = {np.dtype(np.float32): schema.TensorType.FLOAT32, np.dtype(np.int8): schema.TensorType.INT8,
         np.dtype(np.int32): schema.TensorType.INT32}


class Unsupported(Exception):
    """A model with an operator or form that this writer lacks."""


def channels_last(shape):
    return [shape[0], *shape[2:], shape[1]] if len(shape) == 4 else list(shape)


class Writer:
    def __init__(self, model):
        graph = shape_inference.infer_shapes(model).graph
        self.graph = graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
                       for v in (*graph.input, *graph.output, *graph.value_info)}
        self.parameters = {}  # of a quantized name: scale, zero point
        self.names = {}       # of a real name, the quantized one
        self.tensors, self.buffers, self.operators, self.codes = [], [schema.BufferT()], [], []
        self.indices = {}     # of a quantized name, the tensor's

    def write(self):
        for node in self.graph.node:
            if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
                self.note_quantization(node)
        source = self.real_input()
        first = self.tensor(source, channels_last(self.shapes[source]), np.float32)
        self.operator(Op.QUANTIZE, [first], self.activation(source))
        for node in self.graph.node:
            if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
                emit = getattr(self, "emit_" + node.op_type.lower(), None)
                if not emit:
                    raise Unsupported(node.op_type)
                emit(node, {a.name: helper.get_attribute_value(a) for a in node.attribute})
        result = self.graph.output[0].name
        last = self.tensor(result, channels_last(self.shapes[result]), np.float32)
        self.operator(Op.DEQUANTIZE, [self.activation(result)], last)
        return self.pack(first, last)

    def real_input(self):
        """The input, or what flattening makes of it before it is quantized."""
        source = self.graph.input[0].name
        for node in list(self.graph.node):
            if node.op_type in ("Flatten", "Reshape") and node.input[0] == source:
                self.graph.node.remove(node)
                return node.output[0]
        return source

    def note_quantization(self, node):
        real, quantized = ((node.input[0], node.output[0]) if node.op_type == "QuantizeLinear"
                           else (node.output[0], node.input[0]))
        self.names.setdefault(real, quantized)
        self.parameters[quantized] = [self.constants[i] for i in node.input[1:3]]

    def quantized(self, real):
        if real not in self.names:
            raise Unsupported(f"float value {real}")
        return self.names[real]

    # Tensors

    def tensor(self, name, shape, dtype, data=None, scale=None, zero=None, axis=0):
        self.tensors.append(schema.TensorT())
        tensor = self.tensors[-1]
        tensor.name, tensor.shape, tensor.type = name, [int(d) for d in shape], Types[np.dtype(dtype)]
        tensor.hasRank, tensor.buffer = True, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.buffers.append(buffer)
            tensor.buffer = len(self.buffers) - 1
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.atleast_1d(scale).astype(np.float32)
            tensor.quantization.zeroPoint = np.broadcast_to(
                np.atleast_1d(zero), tensor.quantization.scale.shape).astype(np.int64)
            tensor.quantization.quantizedDimension = axis
        return len(self.tensors) - 1

    def scale(self, real):
        return self.parameters[self.quantized(real)][0]

    def activation(self, real):
        name = self.quantized(real)
        if name not in self.indices:
            scale, zero = self.parameters[name]
            if zero.dtype != np.uint8:
                raise Unsupported(f"activation of {zero.dtype}")
            self.indices[name] = self.tensor(name, channels_last(self.shapes[real]), np.int8,
                                             scale=scale, zero=int(zero) - 128)
        return self.indices[name]

    def weight(self, real, arrange, axis):
        name = self.quantized(real)
        scale, zero = self.parameters[name]
        if name not in self.constants or np.any(zero):
            raise Unsupported("weights that are not symmetric constants")
        data = arrange(self.constants[name])
        return self.tensor(name, data.shape, np.int8, data, scale, 0, axis)

    def bias(self, node, channels):
        scale = np.float32(self.scale(node.input[0])) * np.broadcast_to(
            self.scale(node.input[1]), (channels,))
        data = np.zeros(channels, np.int32)
        if len(node.input) > 2:
            data = self.constants[self.quantized(node.input[2])].astype(np.int32)
        return self.tensor(node.output[0] + "_bias", [channels], np.int32, data, scale, 0)

    def numbers(self, values):
        data = np.asarray(values, np.int32)
        return self.tensor(f"numbers_{len(self.tensors)}", data.shape, np.int32, data)

    # Operators

    def operator(self, code, inputs, output, options=None, version=1):
        if (code, version) not in self.codes:
            self.codes.append((code, version))
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index((code, version))
        operator.inputs, operator.outputs = inputs, [output]
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(
                schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.operators.append(operator)

    def window(self, node, attributes, options, kernel):
        """Strides and padding of a window in `options`; returns its input, with
        an operator in front that pads it where LiteRT has no name for that."""
        real = node.input[0]
        image, out = self.shapes[real][2:], self.shapes[node.output[0]][2:]
        strides = attributes.get("strides", [1, 1])
        dilations = attributes.get("dilations", [1, 1])
        options.strideH, options.strideW = strides
        spans = [d * (k - 1) + 1 for d, k in zip(dilations, kernel)]
        needs = [max(0, (o - 1) * s + w - i) for o, s, w, i in zip(out, strides, spans, image)]
        same = [need // 2 for need in needs] + [need - need // 2 for need in needs]
        pads = list(attributes.get("pads", [0] * 4))
        if attributes.get("auto_pad", b"NOTSET") == b"SAME_UPPER":
            pads = same
        options.padding = schema.Padding.VALID
        value = self.activation(real)
        if not any(pads):
            return value
        if pads == same and all(o == -(-i // s) for o, i, s in zip(out, image, strides)):
            options.padding = schema.Padding.SAME
            return value
        scale, zero = self.parameters[self.quantized(real)]
        sizes = [i + b + e for i, b, e in zip(image, pads[:2], pads[2:])]
        padded = self.tensor(node.output[0] + "_padded",
                             [1, *sizes, self.shapes[real][1]], np.int8, scale=scale,
                             zero=int(zero) - 128)
        around = self.numbers([[0, 0], [pads[0], pads[2]], [pads[1], pads[3]], [0, 0]])
        self.operator(Op.PAD, [value, around], padded, schema.PadOptionsT())
        return padded

    def emit_conv(self, node, attributes):
        weights = self.constants[self.quantized(node.input[1])]
        channels, group = len(weights), attributes.get("group", 1)
        is_depthwise = group > 1 and weights.shape[1] == 1 and group == channels
        if weights.ndim != 4 or (group > 1 and not is_depthwise):
            raise Unsupported("convolution with groups or of one axis")
        options = schema.DepthwiseConv2DOptionsT() if is_depthwise else schema.Conv2DOptionsT()
        options.dilationHFactor, options.dilationWFactor = attributes.get("dilations", [1, 1])
        value = self.window(node, attributes, options, weights.shape[2:])
        order = (1, 2, 3, 0) if is_depthwise else (0, 2, 3, 1)
        weight = self.weight(node.input[1], lambda w: w.transpose(order), order.index(0))
        if is_depthwise:
            options.depthMultiplier = 1
        self.operator(Op.DEPTHWISE_CONV_2D if is_depthwise else Op.CONV_2D,
                      [value, weight, self.bias(node, channels)], self.activation(node.output[0]),
                      options, 3)

    def emit_gemm(self, node, attributes):
        if not attributes.get("transB", 0):
            raise Unsupported("Gemm of weights that are not transposed")
        weight = self.weight(node.input[1], lambda w: w, 0)
        channels = len(self.constants[self.quantized(node.input[1])])
        self.operator(Op.FULLY_CONNECTED,
                      [self.activation(node.input[0]), weight, self.bias(node, channels)],
                      self.activation(node.output[0]), schema.FullyConnectedOptionsT(), 5)

    def emit_add(self, node, attributes):
        if any(self.shapes[i] != self.shapes[node.output[0]] for i in node.input):
            raise Unsupported("Add that broadcasts")
        self.operator(Op.ADD, [self.activation(i) for i in node.input],
                      self.activation(node.output[0]), schema.AddOptionsT(), 2)

    def emit_maxpool(self, node, attributes):
        options = schema.Pool2DOptionsT()
        options.filterHeight, options.filterWidth = attributes["kernel_shape"]
        value = self.window(node, attributes, options, attributes["kernel_shape"])
        self.operator(Op.MAX_POOL_2D, [value], self.activation(node.output[0]), options, 2)

    def emit_globalaveragepool(self, node, attributes):
        options = schema.ReducerOptionsT()
        options.keepDims = True
        self.operator(Op.MEAN, [self.activation(node.input[0]), self.numbers([1, 2])],
                      self.activation(node.output[0]), options, 2)

    def emit_flatten(self, node, attributes):
        shape = self.shapes[node.input[0]]
        if len(shape) == 4 and shape[2] * shape[3] > 1 and shape[1] > 1:
            raise Unsupported("Flatten of an image")
        options = schema.ReshapeOptionsT()
        options.newShape = self.shapes[node.output[0]]
        self.operator(Op.RESHAPE, [self.activation(node.input[0]), self.numbers(options.newShape)],
                      self.activation(node.output[0]), options)

    emit_reshape = emit_flatten

    def pack(self, first, last):
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs, graph.name = [first], [last], "main"
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.description, model.operatorCodes = "", []
        for code, version in self.codes:
            entry = schema.OperatorCodeT()
            entry.builtinCode = entry.deprecatedBuiltinCode = code
            entry.version = version
            model.operatorCodes.append(entry)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def convert(model):
    """The bytes of a LiteRT file of a quantized ONNX model."""
    return Writer(model).write()
