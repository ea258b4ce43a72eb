#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# debian.sh BUILD: `make package-test`, not part of `make test`. lintian has
# nothing to say of the packages but what debian/lintian gives reasons for; they
# share no file, say what they depend on, and work from a root that holds
# nothing else of qopt: the tool, the Python package.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
lintian --no-cfg --fail-on error,warning --tag-display-limit 0 \
  "$build"/packages/*.deb
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
for package in qopt libqopt0 libqopt-dev python3-qopt; do
  file=$(ls "$build"/packages/${package}_*.deb)
  dpkg-deb -x "$file" "$root"
  dpkg-deb -c "$file" | awk '$1 !~ /^d/ { print $6 }' >>"$root/files"
  dpkg-deb -f "$file" Package Version Depends
done
test -z "$(sort "$root/files" | uniq -d)" || {
  echo "two packages hold:" && sort "$root/files" | uniq -d && exit 1
}
python3 "$here/../Pipelines/Inputs/make-npy.py" "$root/x.npy" 16x1x8 f4 -1 0.015
model=$build/test/CAPI/mlp.onnx
"$root/usr/bin/qopt" "$model" --calibrate "$root/x.npy" --emit=exe,obj \
  -o "$root/mlp"
"$root/mlp" --info | grep -q '"name"'
cd "$root"
env -u QOPT_LIBRARY LD_LIBRARY_PATH="$root/usr/lib" \
  PYTHONPATH="$root/usr/lib/python3/dist-packages" python3 -c "
import qopt
model = qopt.compile('$model', calibration='$root/x.npy')
print(model([[0.5] * 8]))"
