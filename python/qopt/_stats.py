# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration statistics: what a .qcal file holds."""

import os
from ctypes import byref, c_uint64

from . import _native


class Stats:
    """Statistics of one model over some samples.

    Shards of one data set add up (`a + b`) to the same bytes in any order.
    Pickling keeps the bytes.
    """

    def __init__(self, handle):
        self._handle = handle

    @classmethod
    def from_bytes(cls, data):
        data = bytes(data)
        return cls(_native.Handle("stats", "stats_parse", data, len(data)))

    @classmethod
    def load(cls, path):
        return cls(_native.Handle("stats", "stats_read", os.fsencode(path)))

    def to_bytes(self):
        return _native.take_bytes("stats_bytes", self._handle.pointer)

    def save(self, path):
        _native.call("stats_write", self._handle.pointer, os.fsencode(path))

    @property
    def samples(self):
        """How many samples were seen."""
        count = c_uint64()
        _native.call("stats_samples", self._handle.pointer, byref(count))
        return count.value

    def __add__(self, other):
        if not isinstance(other, Stats):
            return NotImplemented
        total = Stats.from_bytes(self.to_bytes())
        _native.call("stats_merge", total._handle.pointer,
                     other._handle.pointer)
        return total

    def __eq__(self, other):
        if not isinstance(other, Stats):
            return NotImplemented
        return self.to_bytes() == other.to_bytes()

    __hash__ = None

    def __reduce__(self):
        return Stats.from_bytes, (self.to_bytes(),)

    def __repr__(self):
        return "<qopt.Stats of %d samples>" % self.samples
