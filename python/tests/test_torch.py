# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A real torch.nn.Module goes in as it is. Exits with 77 where torch is missing;
environment as for test_qopt.py."""

import sys
import unittest

try:
    import numpy
    import torch
except ImportError as error:
    print("skipped: modules of torch need torch and numpy (%s)" % error)
    sys.exit(77)

import qopt


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(8)
        self.drop = torch.nn.Dropout(0.5)
        self.up = torch.nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.head = torch.nn.Linear(4, 5)

    def forward(self, x):
        y = self.drop(torch.relu(self.norm(self.conv(x))))
        y = torch.nn.functional.gelu(self.up(y))
        return self.head(y.mean((2, 3)))


class Modules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.network = Network().eval()
        cls.x = torch.rand(64, 3, 8, 8) * 2 - 1
        with torch.no_grad():
            cls.expected = cls.network(cls.x).numpy()
        cls.model = cls.compile(cls.x.numpy())

    @classmethod
    def compile(cls, calibration, example_inputs=None):
        return qopt.compile(
            cls.network, calibration, range="minmax",
            example_inputs=cls.x[:1] if example_inputs is None
            else example_inputs)

    def test_is_near_the_module(self):
        y = self.model(self.x.numpy())
        self.assertLess(abs(y - self.expected).max(),
                        0.02 * abs(self.expected).max())

    def test_tensors_and_loaders_are_samples(self):
        data = torch.utils.data.TensorDataset(self.x)
        for calibration in (self.x, torch.utils.data.DataLoader(data, 16)):
            model = self.compile(calibration, (self.x[:1],))
            self.assertEqual(model.file("obj"), self.model.file("obj"))
        numpy.testing.assert_array_equal(self.model(self.x),
                                         self.model(self.x.numpy()))

    def test_training_goes_on(self):
        self.network.train()
        try:
            model = self.compile(self.x)
            self.assertTrue(self.network.training)
            # Dropout and batch statistics are those of inference.
            self.assertEqual(model.file("obj"), self.model.file("obj"))
        finally:
            self.network.eval()

    def test_example_inputs_are_needed(self):
        self.assertRaisesRegex(TypeError, "example_inputs", qopt.compile,
                               self.network, self.x)


if __name__ == "__main__":
    unittest.main()
