#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# clean-root.sh BUILD: the packages of `make package`, installed by apt in a root
# that holds nothing but Debian's essential packages and apt, and what
# inside-clean-root.sh does there. Part of `make package-test`. The packages that
# ours depend on come from where this machine's own come from, or from the files
# of sources that QOPT_APT_SOURCES names.
set -eu
tree=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
if [ "$(id -u)" != 0 ]; then
  echo "skipped: a clean root needs root's rights"
  exit 0
fi
sources=${QOPT_APT_SOURCES:-$(find /etc/apt -maxdepth 2 -type f -size +0 \
  \( -path /etc/apt/sources.list -o -path '/etc/apt/sources.list.d/*.list' \
  -o -path '/etc/apt/sources.list.d/*.sources' \))}
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# shellcheck disable=SC2086
mmdebstrap --quiet --variant=apt "$suite" "$root" $sources
mkdir -p "$root/srv/packages" "$root/srv/test/Docs" "$root/srv/page"
cp "$build"/packages/*.deb "$build"/packages/*.whl "$root/srv/packages"
cp -r "$tree/docs" "$tree/examples" "$root/srv"
cp -r "$tree/test/Docs/Inputs" "$root/srv/test/Docs"
cp "$tree/test/Package/inside-clean-root.sh" "$root/srv"
cp "$build/test/CAPI/mlp.onnx" "$root/srv/page/model.onnx"
python3 "$tree/test/Pipelines/Inputs/make-npy.py" "$root/srv/page/samples.npy" \
  32x8 f4 -1 0.0078
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
# mlir-opt finds its libraries through /proc; the mount ends with the command.
unshare --mount sh -c 'mount -t proc proc "$1/proc" && exec chroot "$1" env -i \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
  sh /srv/inside-clean-root.sh' sh "$root"
