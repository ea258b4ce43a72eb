#!/bin/sh
# `make bench [ZOO=folder]`: kernels against the machine's peak, other engines on
# the same networks (docs/performance.md), what embedding costs, reading a model
# of 500 MB; with a folder of trained models docs/results.md too.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
cmake --build "$build" --target gemm-peak verify-model calibration-peak model-times
# Only where Google Benchmark is installed; kernel_table.py says so.
cmake --build "$build" --target kernel-times 2>/dev/null || true
python3 "$here/peers.py" --build "$build" ${ZOO:+--zoo "$ZOO"} --out "$here/../docs/performance.md"
python3 "$here/embedding.py" "$build" "$here/../docs/embedding-figures.md"
if [ -n "${ZOO:-}" ]; then
  exec python3 "$here/results.py" --zoo "$ZOO" --build "$build" --out "$here/../docs/results.md"
fi
"$build/bin/gemm-peak"
"$build/bin/calibration-peak" "$here/../examples/fashion-mnist/resnet20.onnx"
python3 "$here/large_model.py" "$build/bin/qopt"
echo "for accuracy and sizes: make bench ZOO=folder of trained models"
