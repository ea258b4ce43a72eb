#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Calibrates in shards with GNU parallel: parallel.sh MODEL DATA SHARDS OUT.qcal.
# More machines: `parallel --sshlogin host1,host2`, and a folder that all see.
set -eu
command -v parallel >/dev/null || {
  echo "skipped: GNU parallel is not installed (apt-get install parallel)" >&2
  exit 1
}
model=$1 data=$2 count=$3 out=$4
shards=$(mktemp -d)
trap 'rm -rf "$shards"' EXIT
seq 0 $((count - 1)) | parallel --halt soon,fail=1 --retries 3 \
  qopt calibrate "$model" --calibrate "$data" --shard "{}/$count" --jobs 1 \
  -o "$shards/{}.qcal"
qopt merge "$shards"/*.qcal -o "$out"
