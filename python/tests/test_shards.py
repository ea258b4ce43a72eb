# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""examples/sharded on a Dask cluster of four processes of which one is killed.
Exits with 77 where numpy or Dask is missing."""

import os
import signal
import sys
import tempfile
import time

try:
    import numpy
    from distributed import Client
except ImportError as error:
    print("skipped: examples/sharded needs python3-numpy and "
          "python3-distributed (%s)" % error)
    sys.exit(77)

import qopt

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, "examples", "sharded"))
import dask_calibrate

COUNT = 12


def slow_shard(marks, *arguments):
    """Leaves a mark and takes its time, so that one can be killed at work."""
    name = "%d-%d" % (arguments[2], os.getpid())
    open(os.path.join(marks, name), "w").close()
    time.sleep(0.2)
    return dask_calibrate.calibrate_shard(*arguments)


def kill_one(marks):
    """Kills the first worker that has begun a shard."""
    while not os.listdir(marks):
        time.sleep(0.01)
    os.kill(int(sorted(os.listdir(marks))[0].split("-")[1]), signal.SIGKILL)


def main():
    model = os.path.join(os.environ["QOPT_TEST_MODELS"], "mlp.onnx")
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "x.npy")
        numpy.save(data, numpy.random.RandomState(0).uniform(
            -1, 1, (50, 8)).astype("float32"))
        marks = os.path.join(folder, "marks")
        os.mkdir(marks)
        with Client(n_workers=4, threads_per_worker=1,
                    dashboard_address=None) as client:
            real = client.map

            def killing_map(function, *arguments, **options):
                futures = real(slow_shard, [marks] * COUNT, *arguments,
                               **options)
                kill_one(marks)
                return futures
            client.map = killing_map
            total = dask_calibrate.calibrate(client, model, data, COUNT)
        # Some shard was begun twice: once by the worker that was killed.
        begun = [name.split("-")[0] for name in os.listdir(marks)]
        assert len(begun) > COUNT and len(set(begun)) == COUNT, begun
        whole = qopt.calibrate(model, data)
        assert total.to_bytes() == whole.to_bytes()
        objects = [qopt.compile(model, calibration=stats).file("obj")
                   for stats in (total, whole)]
        assert objects[0] == objects[1]


if __name__ == "__main__":
    main()
