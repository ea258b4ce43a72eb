# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model: its files, and calls on arrays."""

import ctypes
import json
import os
from ctypes import byref, c_char_p, c_size_t
from typing import NamedTuple

from . import _native
from ._stats import Stats


class Port(NamedTuple):
    """An input or output: real = scale * (integer - zero_point)."""
    name: str
    shape: tuple
    dtype: str
    scale: float
    zero_point: int


class Model:
    """What `qopt.compile` returns."""

    def __init__(self, result):
        self._result = result
        self._program = None
        self._report = None
        self._ports = None
        self._plans = {}

    @property
    def name(self):
        """The prefix of the object's symbols."""
        name = c_char_p()
        _native.call("result_name", self._result.pointer, byref(name))
        return name.value.decode()

    def file(self, kind):
        """The bytes of a file by its word in `emit`: obj, header, ..."""
        return _native.take_bytes("result_get", self._result.pointer,
                                  kind.encode())

    @property
    def report(self):
        """What `--emit=report` writes, as a dict."""
        if self._report is None:
            self._report = json.loads(self.file("report"))
        return self._report

    @property
    def stats(self):
        """The statistics that the scales were chosen by."""
        return Stats.from_bytes(self.file("qcal"))

    def save(self, path):
        """Writes .o, .so or .a (each with its header), .h, .json or .qcal."""
        _native.call("result_save", self._result.pointer, os.fsencode(path))

    def _load(self):
        import numpy
        self._as_array = numpy.asarray
        self._program = _native.Handle("program", "program_create",
                                       self._result.pointer)
        counts = c_size_t(), c_size_t()
        _native.call("program_count", self._program.pointer, byref(counts[0]),
                     byref(counts[1]))
        self._ports = tuple(
            tuple(self._port(call, i) for i in range(count.value))
            for call, count in zip(("program_input", "program_output"), counts))

    def _port(self, call, index):
        port = _native.CPort(struct_size=ctypes.sizeof(_native.CPort))
        _native.call(call, self._program.pointer, index, byref(port))
        return Port(port.name.decode("utf-8", "replace"),
                    tuple(port.dims[i] for i in range(port.rank)),
                    _native.DTYPE_NAMES[port.dtype], port.scale,
                    port.zero_point)

    @property
    def inputs(self):
        if self._ports is None:
            self._load()
        return self._ports[0]

    @property
    def outputs(self):
        if self._ports is None:
            self._load()
        return self._ports[1]

    def __call__(self, *arrays, raw=False, **named):
        """Runs the model in this process.

        Inputs in model order or by name: floats, or the input's own integer
        dtype as it is. One more axis in front, or a multiple of the first axis,
        means several samples, run one by one. Returns one array an output, a
        single one as it is: float32, or with `raw` the model's integers.
        Threads may call one model at once.
        """
        if self._ports is None:
            self._load()
        if named or len(arrays) != len(self._ports[0]):
            arrays = self._arrange(arrays, named)
        given = [self._as_array(array) for array in arrays]
        key = (raw, *[(array.shape, array.dtype) for array in given])
        try:
            plan = self._plans[key].pop()
        except (KeyError, IndexError):
            plan = _Plan(self._program, self._ports, given, raw)
        results = plan.run(given)
        self._keep(key, plan)
        return results[0] if len(results) == 1 else tuple(results)

    def _keep(self, key, plan):
        if key not in self._plans and len(self._plans) > 16:
            self._plans.clear()
        self._plans.setdefault(key, []).append(plan)

    def _arrange(self, arrays, named):
        """The arrays in model order."""
        names = [port.name for port in self._ports[0]]
        if len(arrays) + len(named) != len(names) or any(
                name not in names[len(arrays):] for name in named):
            raise _native.Error(
                "the model takes %s, but got %d arrays%s" % (
                    ", ".join(names), len(arrays),
                    " and " + ", ".join(named) if named else ""), 445, 4)
        if not named:
            return arrays
        return [*arrays, *(named[name] for name in names[len(arrays):])]

    def __repr__(self):
        return "<qopt.Model %s>" % self.name


# Arrays up to this size are copied to where the structs of a call point: asking
# numpy for an address takes longer.
_STAGED = 1 << 15


class _Plan:
    """The structs of a call on arrays of certain shapes and types, for one call
    at a time."""

    def __init__(self, program, ports, given, raw):
        import numpy
        count, extra = _samples(given[0].shape, ports[0][0].shape)
        taken = [(array.shape, _plain_dtype(array.dtype)) for array in given]
        made = [(_stack(port.shape, count, extra),
                 numpy.dtype(port.dtype if raw else "float32"))
                for port in ports[1]]
        self._empty = numpy.empty
        self._made = made
        inputs = (_native.CArray * len(taken))()
        outputs = (_native.CArray * len(made))()
        # Elements of a ctypes array are made at each access.
        self._inputs, self._outputs = list(inputs), list(outputs)
        self._alive = [_native.describe(entry, None, *array) for entry, array in
                       zip(self._inputs + self._outputs, taken + made)]
        # Arguments that need no conversion at each call.
        self._run = _native.library().qopt_program_run
        self._arguments = (program.pointer, inputs, c_size_t(len(taken)),
                           outputs, c_size_t(len(made)))
        self._staged = None
        if sum(entry.bytes for entry in self._inputs + self._outputs) <= _STAGED:
            self._staged = ([numpy.empty(*array) for array in taken],
                            [numpy.empty(*array) for array in made])
            self._point(*self._staged)

    def _point(self, given, results):
        for entry, array in zip(self._inputs, given):
            entry.data = array.ctypes.data
        for entry, array in zip(self._outputs, results):
            entry.data = array.ctypes.data

    def run(self, given):
        """The results of a call, in new arrays."""
        if self._staged:
            stage, outputs = self._staged
            for place, array in zip(stage, given):
                place[...] = array
        else:
            given = [_native.plain(array, True) for array in given]
            outputs = [self._empty(*array) for array in self._made]
            self._point(given, outputs)
        status = self._run(*self._arguments)
        if status != 0:
            raise _native.last_error(status)
        return [array.copy() for array in outputs] if self._staged else outputs


def _plain_dtype(dtype):
    """What `_native.plain` makes of `dtype`."""
    if dtype.kind == "f":
        dtype = dtype.type(0).astype("float32").dtype
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def _samples(shape, one):
    """Samples in an array for an input of shape `one`, and whether they have an
    axis of their own. What does not fit is refused by libqopt."""
    if len(shape) == len(one) + 1:
        return shape[0], True
    if shape and one and one[0] and len(shape) == len(one):
        return max(shape[0] // one[0], 1), False
    return 1, False


def _stack(shape, count, extra):
    if extra:
        return (count, *shape)
    return (shape[0] * count, *shape[1:]) if shape and count != 1 else shape
