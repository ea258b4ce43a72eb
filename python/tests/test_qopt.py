# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The Python package over libqopt: QOPT_LIBRARY, and models in
QOPT_TEST_MODELS. Exits with 77 where numpy is missing."""

import os
import pickle
import subprocess
import sys
import tempfile
import threading
import types
import unittest
import unittest.mock

try:
    import numpy
except ImportError:
    print("skipped: the Python package's tests need numpy (python3-numpy)")
    sys.exit(77)

import qopt

MODELS = os.environ["QOPT_TEST_MODELS"]
MLP = os.path.join(MODELS, "mlp.onnx")
TWO = os.path.join(MODELS, "two.onnx")

W1 = numpy.array([0.5, -0.25, 0.125, 1.0, -0.75, 0.3, 0.2, -0.1, 0.9, -0.8, 0.7,
                  -0.6, 0.5, -0.4, 0.3, -0.2, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7,
                  0.8, -0.5, -0.25, 0.6, -0.3, 0.9, 0.2, -0.4, 0.15]).reshape(4, 8)
W2 = numpy.array([0.5, -0.5, 0.25, 0.75, -0.3, 0.6, 0.9, -0.2, 0.8, 0.1, -0.7,
                  0.4]).reshape(3, 4)


def mlp(x):
    hidden = numpy.maximum(x @ W1.T + [0.1, -0.2, 0.3, 0.0], 0)
    return hidden @ W2.T + [0.05, -0.05, 0.0]


def samples(count=32, size=8, seed=0):
    return numpy.random.RandomState(seed).uniform(
        -1, 1, (count, size)).astype("float32")


class Compile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.x = samples()
        cls.model = qopt.compile(MLP, calibration=cls.x, range="minmax")

    def same(self, model):
        self.assertEqual(model.file("obj"), self.model.file("obj"))

    def test_runs_near_the_float_model(self):
        y = self.model(self.x)
        self.assertEqual((y.shape, y.dtype), ((32, 3), numpy.float32))
        numpy.testing.assert_allclose(y, mlp(self.x), atol=0.06)

    def test_ports_and_report(self):
        self.assertEqual(self.model.inputs[0][:2], ("x", (1, 8)))
        narrow = qopt.compile(MLP, self.x, range="minmax", max_slowdown=1)
        self.assertEqual(narrow.inputs[0].dtype, "int8")
        self.assertEqual(self.model.outputs[0][:3], ("y", (1, 3), "int16"))
        self.assertEqual(self.model.report["calibration_samples"], 32)
        self.assertEqual(self.model.name, "mlp")

    def test_integers_go_in_and_out(self):
        port = self.model.inputs[0]
        q = numpy.rint(self.x / numpy.float32(port.scale)) + port.zero_point
        raw = self.model(q.astype(port.dtype), raw=True)
        self.assertEqual(raw.dtype, numpy.int16)
        out = self.model.outputs[0]
        y = numpy.float32(out.scale) * (raw - out.zero_point).astype("float32")
        numpy.testing.assert_array_equal(y, self.model(self.x))

    def test_shapes_of_calls(self):
        y = self.model(self.x)
        self.assertEqual(self.model(self.x[:1]).shape, (1, 3))
        self.assertEqual(self.model(self.x[:, None]).shape, (32, 1, 3))
        numpy.testing.assert_array_equal(self.model(self.x[:, None])[:, 0], y)
        numpy.testing.assert_array_equal(self.model(x=self.x), y)
        # Not contiguous, another type, another byte order, a list.
        wide = numpy.zeros((32, 16), "float32")
        wide[:, ::2] = self.x
        numpy.testing.assert_array_equal(self.model(wide[:, ::2]), y)
        numpy.testing.assert_array_equal(self.model(self.x.astype("f8")), y)
        numpy.testing.assert_array_equal(self.model(self.x.astype(">f4")), y)
        numpy.testing.assert_array_equal(self.model(self.x.tolist()), y)

    def test_every_kind_of_calibration_is_the_same(self):
        x = self.x
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.npy")
            numpy.save(path, x)
            for data in (path, {"x": x}, list(x), (x[i:i + 5] for i in
                         range(0, 32, 5)), ({"x": s} for s in x), [[x]],
                         self.model.stats, x.astype(">f4"), x.astype("f8")):
                with self.subTest(type(data).__name__):
                    self.same(qopt.compile(MLP, calibration=data,
                                           range="minmax"))

    def test_every_kind_of_model_is_the_same(self):
        with open(MLP, "rb") as file:
            data = file.read()

        class Proto:
            def SerializeToString(self):
                return data
        for model in (data, bytearray(data), Proto()):
            self.same(qopt.compile(model, calibration=self.x, range="minmax",
                                   name="mlp"))

    def test_torch_modules_export_themselves(self):
        class Module:
            training = True

            def eval(self):
                self.training = False

            def train(self, mode):
                self.training = mode

        def export(module, inputs, file, dynamo=True):
            self.assertEqual((module.training, inputs, dynamo),
                             (False, ("x",), False))
            with open(MLP, "rb") as onnx:
                file.write(onnx.read())
        torch = types.SimpleNamespace(
            nn=types.SimpleNamespace(Module=Module),
            onnx=types.SimpleNamespace(export=export))
        module = Module()
        with unittest.mock.patch.dict(sys.modules, torch=torch):
            self.same(qopt.compile(module, self.x, example_inputs="x",
                                   range="minmax", name="mlp"))
            self.assertTrue(module.training)
            self.assertRaisesRegex(TypeError, "example_inputs", qopt.compile,
                                   module, self.x)

    def test_saves_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.o")
            self.model.save(path)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), self.model.file("obj"))
            self.assertEqual(sorted(os.listdir(folder)), ["m.h", "m.o"])

    def test_stats_add_pickle_and_save(self):
        parts = [qopt.calibrate(MLP, self.x, shard="%d/3" % i) for i in range(3)]
        total = parts[2] + parts[0] + parts[1]
        self.assertEqual(total, self.model.stats)
        self.assertEqual(pickle.loads(pickle.dumps(total)), total)
        self.assertEqual(total.samples, 32)
        self.assertEqual(parts[0].samples, 11)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "all.qcal")
            total.save(path)
            self.assertEqual(qopt.Stats.load(path), total)

    def test_merges_many_and_names_the_missing(self):
        shards = {i: qopt.calibrate(MLP, self.x, shard="%d/5" % i)
                  for i in range(5)}
        self.assertEqual(qopt.merge(shards, 5), self.model.stats)
        self.assertEqual(qopt.merge(reversed(shards.values())),
                         self.model.stats)
        self.assertEqual(shards[0].samples, 7)
        del shards[1], shards[4]
        with self.assertRaisesRegex(qopt.Error, "of 5 shards 2 are missing: 1, 4"):
            qopt.merge(shards, 5)
        self.assertRaises(qopt.Error, qopt.merge, [])
        self.assertRaises(qopt.Error, qopt.merge, [shards[0], shards[0]])

    def test_two_inputs(self):
        a, b = samples(16, 6, 1), samples(16, 6, 2)
        model = qopt.compile(TWO, calibration={"b": b, "a": a.reshape(16, 2, 3)})
        total, product = model(a.reshape(16, 2, 3), b=b)
        numpy.testing.assert_allclose(total, a + b, atol=0.03)
        numpy.testing.assert_allclose(product, a * b, atol=0.03)

    def test_threads(self):
        expected = self.model(self.x)
        failures = []

        def work():
            for _ in range(50):
                if not numpy.array_equal(self.model(self.x), expected):
                    failures.append(1)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertFalse(failures)

    def test_progress_and_log(self):
        seen = []
        with self.assertLogs("qopt", "WARNING") as log:
            qopt.compile(MLP, "random:uniform:-1:1,n=5", range="minmax",
                         progress=lambda *told: seen.append(told))
        self.assertIn(("calibrating", 5, 5), seen)
        self.assertIn("random data", log.output[0])

    def test_options_are_the_command_lines(self):
        tool = os.environ.get("QOPT_TOOL")
        if not tool:
            self.skipTest("QOPT_TOOL is not set")
        text = subprocess.run([tool, "--help"], capture_output=True, text=True,
                              check=True).stdout
        flags = {word.strip("-").split("=")[0] for line in text.splitlines()
                 for word in line.split()[:1] if word.startswith("-")}
        flags -= {"help", "h", "version", "model", "values", "json", "nodes"}
        self.assertEqual({flag[:1] if flag.startswith("o<") or
                          flag.startswith("o ") else flag for flag in flags},
                         set(qopt.option_names()))


class Refusals(unittest.TestCase):
    def refuses(self, code, call, *arguments, **named):
        with self.assertRaises(qopt.Error) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        return caught.exception

    def test_codes_notes_help(self):
        error = self.refuses(103, qopt.compile, MLP)
        self.assertEqual(error.status, 1)
        self.assertIn("--calibrate", error.notes[0])
        self.assertTrue(error.help)
        self.assertIn("[Q0103]", str(error))
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((again.code, str(again)), (103, str(error)))

    def test_models(self):
        self.refuses(502, qopt.compile, "no/model.onnx", samples())
        self.assertEqual(
            self.assertRaises(qopt.Error, qopt.compile, b"no model", samples()),
            None)
        self.assertRaises(TypeError, qopt.compile, 7, samples())

    def test_options(self):
        self.refuses(101, qopt.compile, MLP, samples(), rnage="mse")
        self.refuses(102, qopt.compile, MLP, samples(), range="best")
        self.assertRaises(TypeError, qopt.compile, MLP, samples(), range={})

    def test_none_leaves_an_option_out(self):
        model = qopt.compile(MLP, samples(), range=None, shape=None)
        self.assertEqual(model.report, qopt.compile(MLP, samples()).report)

    def test_missed_drop(self):
        x = samples(2000)
        with tempfile.TemporaryDirectory() as folder:
            data = os.path.join(folder, "eval.npz")
            numpy.savez(data, x=x, label=mlp(x).argmax(1))
            gate = {"range": "minmax", "eval": data, "max_drop": 0}
            narrow = samples() / 100
            error = self.refuses(601, qopt.compile, MLP, narrow, **gate)
            self.assertEqual(error.status, 6)
            model = qopt.compile(MLP, narrow, force=True, **gate)
            self.assertGreater(model.report["max_drop"]["drop"], 0)

    def test_samples(self):
        x = samples()
        self.refuses(444, qopt.compile, MLP, x.reshape(64, 4))
        self.refuses(444, qopt.compile, MLP, [x.reshape(64, 4)])
        self.refuses(443, qopt.compile, MLP, x.astype(object))
        self.refuses(443, qopt.compile, MLP, [x.astype("U4")])
        self.refuses(445, qopt.compile, MLP, {"z": x})
        self.refuses(445, qopt.compile, MLP, [{"z": x}])
        self.refuses(445, qopt.compile, MLP, [(x, x)])
        self.refuses(445, qopt.compile, MLP, [])
        self.refuses(445, qopt.compile, MLP, x[:0])
        self.assertRaises(TypeError, qopt.compile, MLP, 7)
        x[3, 2] = numpy.nan
        self.refuses(446, qopt.compile, MLP, x)

    def test_what_iterables_and_callbacks_raise_comes_out(self):
        def broken():
            yield samples()
            raise OSError("disk gone")

        def interrupted():
            yield samples()
            raise KeyboardInterrupt

        def tell(*_):
            raise ValueError("no display")
        with self.assertRaisesRegex(OSError, "disk gone"):
            qopt.compile(MLP, calibration=broken())
        self.assertRaises(KeyboardInterrupt, qopt.calibrate, MLP, interrupted())
        with self.assertRaisesRegex(ValueError, "no display"):
            qopt.compile(MLP, calibration=samples(), progress=tell)

    def test_progress_cancels(self):
        seen = []

        def tell(_, done, total):
            seen.append(done)
            if done == 3:
                raise KeyboardInterrupt
        self.assertRaises(KeyboardInterrupt, qopt.calibrate, MLP,
                          samples(2000), progress=tell, jobs=1)
        self.assertEqual(seen, [1, 2, 3])

    def test_calls(self):
        model = qopt.compile(MLP, samples(), range="minmax")
        self.refuses(445, model)
        self.refuses(445, model, samples(), samples())
        self.refuses(445, model, y=samples())
        self.refuses(444, model, samples(4, 9))
        self.refuses(444, model, samples()[:0])
        self.refuses(443, model, samples().astype("int64"))
        self.refuses(443, model, samples().astype("complex64"))
        self.refuses(154, model.file, "asm")
        self.refuses(154, model.save, "model")
        self.refuses(501, model.save, "no/folder/m.o")
        self.refuses(417, qopt.Stats.from_bytes, b"")
        self.assertEqual(model(samples()).shape, (32, 3))


class Package(unittest.TestCase):
    def run_python(self, text, **environment):
        return subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True,
            env={**os.environ, **environment})

    def test_import_loads_nothing(self):
        done = self.run_python(
            "import qopt, sys\n"
            "print('numpy' in sys.modules, qopt._native._library)\n"
            "try: qopt.version()\n"
            "except qopt.Error as error: print(error.code, error.help)",
            QOPT_LIBRARY="/nowhere/libqopt.so.0")
        self.assertEqual(done.stdout, "False None\n150 set QOPT_LIBRARY to the "
                         "path of libqopt.so.0\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
