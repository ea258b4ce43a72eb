#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibrates in shards on Ray: ray_calibrate.py MODEL DATA SHARDS OUT.qcal."""

import sys

import qopt


def main():
    try:
        import ray
    except ImportError:
        sys.exit("skipped: Ray is not installed (pip install ray)")
    model, data, count, out = sys.argv[1:5]
    count = int(count)
    ray.init()

    @ray.remote(max_retries=2)
    def calibrate_shard(index):
        return qopt.calibrate(model, data, shard="%d/%d" % (index, count),
                              jobs=1)

    shards = ray.get([calibrate_shard.remote(i) for i in range(count)])
    qopt.merge(dict(enumerate(shards)), count).save(out)


if __name__ == "__main__":
    main()
