# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration statistics: what a .qcal file holds."""

import os
from collections.abc import Mapping
from ctypes import byref, c_uint64

from . import _native


def merge(shards, count=None):
    """The statistics of all shards as one qopt.Stats.

    shards: Stats or paths of .qcal files, or a dict of these by shard number.
    count: with a dict, how many shards there must be: those that are missing
      are named.
    """
    if count is not None:
        missing = [str(i) for i in range(count) if i not in shards]
        if missing:
            raise _native.Error(
                "of %d shards %s missing: %s" % (
                    count, "one is" if len(missing) == 1 else
                    "%d are" % len(missing), ", ".join(missing)), 421, 4,
                help="calibrate it again: shard=\"%s/%d\"" % (missing[0], count))
    total = None
    for shard in shards.values() if isinstance(shards, Mapping) else shards:
        if not isinstance(shard, Stats):
            shard = Stats.load(shard)
        if total is None:
            total = Stats.from_bytes(shard.to_bytes())
        else:
            _native.call("stats_merge", total._handle.pointer,
                         shard._handle.pointer)
    if total is None:
        raise _native.Error("there are no shards to merge", 410, 4)
    return total


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
