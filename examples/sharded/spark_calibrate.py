#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibrates in shards on Spark: spark_calibrate.py MODEL DATA SHARDS OUT.qcal."""

import sys

import qopt


def main():
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        sys.exit("skipped: Spark is not installed (pip install pyspark)")
    model, data, count, out = sys.argv[1:5]
    count = int(count)

    def calibrate_shard(index):
        return index, qopt.calibrate(model, data, shard="%d/%d" % (index, count),
                                     jobs=1)

    spark = SparkSession.builder.appName("qopt").getOrCreate()
    shards = spark.sparkContext.parallelize(range(count), count).map(
        calibrate_shard).collect()
    qopt.merge(dict(shards), count).save(out)
    spark.stop()


if __name__ == "__main__":
    main()
