# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models and samples to compiled models and statistics."""

import inspect
import io
import logging
import os
import sys
import threading
from collections.abc import Iterable, Mapping

from . import _native
from ._model import Model
from ._stats import Stats

_log = logging.getLogger("qopt")


def version():
    return _native.library().qopt_version().decode()


def option_names():
    """The flags of the command line, without dashes."""
    names = []
    while True:
        name = _native.library().qopt_option_name(len(names))
        if name is None:
            return names
        names.append(name.decode())


def compile(model, calibration=None, *, progress=None, example_inputs=None,
            **options):
    """Compiles a model to integers.

    model: a path, bytes, an onnx.ModelProto, or a torch.nn.Module.
    example_inputs: for a torch.nn.Module, what torch.onnx.export runs it on: a
      tensor or a tuple of these.
    calibration: an array or a dict of arrays by input name (axis 0 counts
      samples), an iterable of these, a qopt.Stats, a path to a folder or file
      of samples or to a .qcal, or what `--calibrate` takes as text. None for
      models that arrive quantized.
    progress: called as progress(what, done, total); total is 0 where the number
      of samples is not known. What it raises ends the run and comes out, and so
      does an interrupt from the keyboard.
    options: flags of the command line, `range="mse"`, `bias_correction=False`,
      `shape=["x=1x8"]`.

    Returns a qopt.Model; raises qopt.Error, and whatever the iterable raises.
    Notes and warnings go to the logger `qopt`.
    """
    run = _Run(_exported(model, example_inputs), calibration, progress, options)
    return Model(run.make("result", "compile"))


def calibrate(model, calibration, *, progress=None, example_inputs=None,
              **options):
    """One pass over the samples: a qopt.Stats. Arguments as for `compile`."""
    run = _Run(_exported(model, example_inputs), calibration, progress, options)
    return Stats(run.make("stats", "calibrate"))


def _exported(model, example_inputs):
    """A torch.nn.Module as ONNX bytes; any other model as it is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model, torch.nn.Module):
        return model
    if example_inputs is None:
        raise TypeError("a torch.nn.Module needs example_inputs")
    if not isinstance(example_inputs, tuple):
        example_inputs = (example_inputs,)
    options = {}
    # The other exporter needs packages beside torch.
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    training = model.training
    model.eval()
    try:
        file = io.BytesIO()
        torch.onnx.export(model, example_inputs, file, **options)
        return file.getvalue()
    finally:
        model.train(training)


def _source(model):
    if isinstance(model, (str, os.PathLike)):
        return _native.Handle("source", "source_from_file", os.fsencode(model))
    if hasattr(model, "SerializeToString"):
        model = model.SerializeToString()
    if not isinstance(model, (bytes, bytearray, memoryview)):
        raise TypeError("a model is a path, bytes, an onnx.ModelProto or a "
                        "torch.nn.Module, not "
                        + type(model).__name__)
    data = bytes(model)
    return _native.Handle("source", "source_from_memory", data, len(data),
                          b"model.onnx")


def _texts(value):
    """The texts of an option: none for None, one, or one for each item of a list."""
    if value is None:
        return []
    if isinstance(value, bool):
        return ["on" if value else "off"]
    if isinstance(value, (str, int, float)):
        return [str(value)]
    if isinstance(value, os.PathLike):
        return [os.fspath(value)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item)]
    raise TypeError("an option is a text, a number or a list of these, not "
                    + type(value).__name__)


class _Run:
    """Handles and callbacks of one call of libqopt."""

    def __init__(self, model, calibration, progress, options):
        self.source = _source(model)
        self.options = _native.Handle("options", "options_create")
        self.raised = None
        self.alive = []
        self.log = _native.LOG(self._write)
        self._call("set_log", self.log, None)
        self.cancel = _native.CANCEL(self._cancelled)
        self._call("set_cancel", self.cancel, None)
        if progress is not None:
            self.tell = progress
            self.progress = _native.PROGRESS(self._progress)
            self._call("set_progress", self.progress, None)
        for name, value in options.items():
            for text in _texts(value):
                self._call("set", name.replace("_", "-").encode(),
                           os.fsencode(text))
        if calibration is not None:
            self._set_data(calibration)

    def _call(self, name, *arguments):
        _native.call("options_" + name, self.options.pointer, *arguments)

    def _set_data(self, data):
        if isinstance(data, (str, os.PathLike)):
            self._call("set", b"calibrate", os.fsencode(data))
        elif isinstance(data, Stats):
            self._call("set_stats", data._handle.pointer)
        elif isinstance(data, Mapping) or hasattr(data, "__array__"):
            arrays, alive = _describe_all(data, None)
            self._call("set_samples", arrays, len(arrays))
        elif isinstance(data, Iterable):
            self.items = iter(data)
            self.next = _native.NEXT(self._next)
            self._call("set_next", self.next, None)
        else:
            raise TypeError("calibration is an array, a dict of arrays, an "
                            "iterable of these, a path or a qopt.Stats, not "
                            + type(data).__name__)

    def make(self, kind, call):
        try:
            with _Interrupts(self):
                made = _native.Handle(kind, call, self.source.pointer,
                                      self.options.pointer)
        except _native.Error:
            if self.raised is None:
                raise
        if self.raised is not None:
            raise self.raised
        return made

    # What libqopt calls. Exceptions wait until it has returned.

    def _next(self, _, arrays, count):
        try:
            try:
                item = next(self.items)
            except StopIteration:
                return 0
            names = [arrays[i].name.decode("utf-8", "replace")
                     for i in range(count)]
            found, self.alive = _describe_all(item, names)
            for i in range(count):
                arrays[i] = found[i]
            return 1
        except BaseException as error:  # KeyboardInterrupt as well
            self.raised = error
            return -1

    def _write(self, _, line):
        try:
            text = line.decode("utf-8", "replace")
            level = (logging.WARNING if text.startswith("warning: ")
                     else logging.INFO)
            _log.log(level, text.partition(": ")[2] or text)
        except BaseException as error:
            self.raised = error

    def _cancelled(self, _):
        try:
            return int(self.raised is not None)
        except BaseException as error:  # an interrupt that waited until here
            self.raised = error
            return 1

    def _progress(self, _, what, done, total):
        try:
            if self.raised is None:
                self.tell(what.decode(), done, total)
        except BaseException as error:
            self.raised = error


class _Interrupts:
    """An interrupt from the keyboard that waits as libqopt calls is raised before
    the first line of what is called, and ctypes drops it; only
    sys.unraisablehook sees it there. Interrupts come to the main thread alone."""

    def __init__(self, run):
        self.run = run
        self.before = None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self.before, sys.unraisablehook = sys.unraisablehook, self._keep

    def __exit__(self, *_):
        if self.before is not None:
            sys.unraisablehook = self.before

    def _keep(self, unraisable):
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            self.run.raised = unraisable.exc_value or KeyboardInterrupt()
        else:
            self.before(unraisable)


def _describe_all(data, names):
    """CArrays for an array, a dict or a list of arrays, and what must live. In
    the order of `names`, the model's inputs, where they are given."""
    if isinstance(data, Mapping):
        if names is not None and set(data) != set(names):
            raise _native.Error(
                "an item has arrays for %s, but the model's inputs are %s" % (
                    ", ".join(map(str, data)), ", ".join(names)), 445, 4)
        pairs = [(name, data[name]) for name in (names or data)]
    elif isinstance(data, (list, tuple)):
        pairs = [(None, array) for array in data]
    else:
        pairs = [(None, data)]
    if names is not None and len(pairs) != len(names):
        raise _native.Error(
            "an item has %d arrays, but the model has %d inputs: %s" % (
                len(pairs), len(names), ", ".join(names)), 445, 4)
    arrays = (_native.CArray * len(pairs))()
    alive = []
    for entry, (name, value) in zip(arrays, pairs):
        array = _native.plain(value)
        alive.append((_native.describe(entry, name, array.shape, array.dtype),
                      array))
        entry.data = array.ctypes.data
    return arrays, alive
