#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibrates in shards on Dask: dask_calibrate.py MODEL DATA SHARDS OUT.qcal
[SCHEDULER]; without a scheduler's address, four processes of this machine.

A shard whose worker dies is given to another one."""

import sys

import qopt


def calibrate_shard(model, data, index, count):
    return index, qopt.calibrate(model, data, shard="%d/%d" % (index, count),
                                 jobs=1)


def calibrate(client, model, data, count):
    """The statistics of all of `data`, which every worker can read."""
    from distributed import as_completed
    futures = client.map(calibrate_shard, [model] * count, [data] * count,
                         range(count), [count] * count, retries=2, pure=False)
    shards = dict(future.result() for future in as_completed(futures))
    return qopt.merge(shards, count)


def main():
    try:
        from distributed import Client
    except ImportError:
        sys.exit("skipped: Dask is not installed (python3-distributed)")
    model, data, count, out = sys.argv[1:5]
    cluster = sys.argv[5:6] or [None]
    with Client(cluster[0], **({} if cluster[0] else {
            "n_workers": 4, "threads_per_worker": 1,
            "dashboard_address": None})) as client:
        calibrate(client, model, data, int(count)).save(out)


if __name__ == "__main__":
    main()
