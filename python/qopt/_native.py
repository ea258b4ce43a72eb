# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""libqopt through ctypes: structs, signatures, errors."""

import ctypes
import math
import os
from ctypes import (CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_float,
                    c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64,
                    c_void_p)

# qopt_dtype, by the name that numpy gives the type.
DTYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 3, "int8": 4,
          "int16": 5, "int32": 6, "int64": 7, "uint8": 8, "uint16": 9,
          "uint32": 10, "uint64": 11, "bool": 12}
DTYPE_NAMES = {number: name for name, number in DTYPES.items()}


class Error(Exception):
    """What qopt refuses, as the command line says it.

    code: the stable number, 103 for Q0103; status: the command line's exit
    code; message, notes, help: what it says; errors: all errors of the call,
    this one first.
    """

    def __init__(self, message, code=0, status=1, notes=(), help="", errors=()):
        super().__init__(message)
        self.message, self.code, self.status = message, code, status
        self.notes, self.help = tuple(notes), help
        self.errors = (self, *errors)

    def __str__(self):
        lines = []
        for error in self.errors:
            lines.append("[Q%04d] %s" % (error.code, error.message))
            lines += ["  note: " + note for note in error.notes]
            if error.help:
                lines.append("  help: " + error.help)
        return "\n".join(lines)

    def __reduce__(self):
        return (Error, (self.message, self.code, self.status, self.notes,
                        self.help, self.errors[1:]))


class CError(Structure):
    _fields_ = [("struct_size", c_size_t), ("status", c_int32),
                ("code", c_int32), ("message", c_char_p),
                ("num_notes", c_size_t), ("notes", POINTER(c_char_p)),
                ("help", c_char_p)]


class CArray(Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p),
                ("dtype", c_int32), ("rank", c_uint32),
                ("dims", POINTER(c_int64)), ("data", c_void_p),
                ("bytes", c_size_t)]


class CPort(Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p),
                ("dtype", c_int32), ("rank", c_uint32),
                ("dims", POINTER(c_int64)), ("elements", c_uint64),
                ("scale", c_float), ("zero_point", c_int32)]


NEXT = CFUNCTYPE(c_int, c_void_p, POINTER(CArray), c_size_t)
LOG = CFUNCTYPE(None, c_void_p, c_char_p)
PROGRESS = CFUNCTYPE(None, c_void_p, c_char_p, c_int64, c_int64)
CANCEL = CFUNCTYPE(c_int, c_void_p)

_SIGNATURES = {
    "options_create": [c_void_p],
    "options_set": [c_void_p, c_char_p, c_char_p],
    "options_set_next": [c_void_p, NEXT, c_void_p],
    "options_set_samples": [c_void_p, POINTER(CArray), c_size_t],
    "options_set_stats": [c_void_p, c_void_p],
    "options_set_log": [c_void_p, LOG, c_void_p],
    "options_set_progress": [c_void_p, PROGRESS, c_void_p],
    "options_set_cancel": [c_void_p, CANCEL, c_void_p],
    "source_from_file": [c_char_p, c_void_p],
    "source_from_memory": [c_char_p, c_size_t, c_char_p, c_void_p],
    "calibrate": [c_void_p, c_void_p, c_void_p],
    "stats_read": [c_char_p, c_void_p],
    "stats_parse": [c_char_p, c_size_t, c_void_p],
    "stats_merge": [c_void_p, c_void_p],
    "stats_write": [c_void_p, c_char_p],
    "stats_bytes": [c_void_p, POINTER(c_void_p), POINTER(c_size_t)],
    "stats_samples": [c_void_p, POINTER(c_uint64)],
    "compile": [c_void_p, c_void_p, c_void_p],
    "result_name": [c_void_p, POINTER(c_char_p)],
    "result_get": [c_void_p, c_char_p, POINTER(c_void_p), POINTER(c_size_t)],
    "result_save": [c_void_p, c_char_p],
    "program_create": [c_void_p, c_void_p],
    "program_count": [c_void_p, POINTER(c_size_t), POINTER(c_size_t)],
    "program_input": [c_void_p, c_size_t, POINTER(CPort)],
    "program_output": [c_void_p, c_size_t, POINTER(CPort)],
    "program_run": [c_void_p, POINTER(CArray), c_size_t, POINTER(CArray),
                    c_size_t],
}

_library = None


def _find():
    given = os.environ.get("QOPT_LIBRARY")
    if given:
        return given
    beside = os.path.join(os.path.dirname(__file__), "libqopt.so.0")
    return beside if os.path.exists(beside) else "libqopt.so.0"


def library():
    """libqopt, loaded at the first call."""
    global _library
    if _library is None:
        path = _find()
        try:
            loaded = ctypes.CDLL(path)
        except OSError as error:
            raise Error("libqopt cannot be loaded: %s" % error, 150, 5,
                        help="set QOPT_LIBRARY to the path of libqopt.so.0"
                        ) from None
        for name, arguments in _SIGNATURES.items():
            function = getattr(loaded, "qopt_" + name)
            function.argtypes, function.restype = arguments, c_int
        loaded.qopt_last_error.argtypes = [c_size_t, POINTER(CError)]
        loaded.qopt_option_name.argtypes = [c_size_t]
        loaded.qopt_option_name.restype = c_char_p
        loaded.qopt_version.restype = c_char_p
        for kind in ("options", "source", "stats", "result", "program"):
            destroy = getattr(loaded, "qopt_%s_destroy" % kind)
            destroy.argtypes, destroy.restype = [c_void_p], None
        _library = loaded
    return _library


def last_error(status):
    """The errors of the last call of this thread as one exception."""
    found = []
    while True:
        error = CError(struct_size=ctypes.sizeof(CError))
        if library().qopt_last_error(len(found), byref(error)) != 0:
            break
        notes = [error.notes[i].decode("utf-8", "replace")
                 for i in range(error.num_notes)]
        found.append(Error(error.message.decode("utf-8", "replace"),
                           error.code, error.status, notes,
                           error.help.decode("utf-8", "replace")))
    if not found:
        return Error("libqopt returned status %d" % status, 700, status)
    found[0].errors = tuple(found)
    return found[0]


def call(name, *arguments):
    """Calls qopt_<name>; raises what it refuses. ctypes releases the GIL."""
    status = getattr(library(), "qopt_" + name)(*arguments)
    if status != 0:
        raise last_error(status)


class Handle:
    """A handle that is destroyed with its object."""

    def __init__(self, kind, make, *arguments):
        self._destroy = getattr(library(), "qopt_%s_destroy" % kind)
        self.pointer = c_void_p()
        call(make, *arguments, byref(self.pointer))

    def __del__(self):
        if getattr(self, "pointer", None):
            self._destroy(self.pointer)
            self.pointer = None


def take_bytes(name, *arguments):
    """The bytes that a call points to, copied."""
    data, size = c_void_p(), c_size_t()
    call(name, *arguments, byref(data), byref(size))
    return ctypes.string_at(data, size.value)


def plain(value, as_float32=False):
    """`value` as a contiguous numpy array in this machine's byte order; floats
    as float32 where that is asked for."""
    import numpy
    array = numpy.asarray(value, order="C")
    if as_float32 and array.dtype.kind == "f":
        return array.astype("=f4", copy=False)
    return array if array.dtype.isnative else array.astype(
        array.dtype.newbyteorder("="))


def describe(entry, name, shape, dtype):
    """Fills a CArray but for its data; returns what must live."""
    number = DTYPES.get(dtype.name)
    if number is None:
        raise Error("an array of dtype %s cannot be read" % dtype, 443, 4,
                    help="convert it: array.astype('float32')")
    dims = (c_int64 * max(len(shape), 1))(*shape)
    encoded = name.encode() if name is not None else None
    entry.struct_size = ctypes.sizeof(CArray)
    entry.name, entry.dtype, entry.rank = encoded, number, len(shape)
    entry.dims = dims
    entry.bytes = dtype.itemsize * math.prod(shape)
    return dims, encoded
