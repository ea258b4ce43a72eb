#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What clean-root.sh runs in the clean root: each package with no more than it
# depends on, the demo and the pages as users have them, and no file left when
# the packages are gone.
set -eu
cd /srv
get() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 "$@" >/srv/apt.log 2>&1 || {
    cat /srv/apt.log
    exit 1
  }
}
step() { echo "-- $*"; }

get update
test -z "$(find / -xdev -name '*qopt*' -not -path '/srv/*' -not -path '/proc/*')"

step "the tool alone: the demo, an executable"
get install ./packages/qopt_*.deb dataset-fashion-mnist
mkdir -p build/lib
ln -s /usr/bin build/bin
sh examples/fashion-mnist/demo.sh build
test -s build/demo/resnet20.o

step "the development package: CMake, pkg-config"
get install ./packages/libqopt0_*.deb ./packages/libqopt-dev_*.deb \
  gcc libc6-dev cmake make pkg-config
qopt page/model.onnx --calibrate page/samples.npy --emit=exe -o mlp
./mlp --info | grep -q '"name"'
cmake -S examples/cmake-app -B app -G "Unix Makefiles" >/dev/null
cmake --build app
app/app
printf '#include <qopt-c/qopt.h>\n#include <stdio.h>\n%s\n' \
  'int main(void) { return puts(qopt_version()) < 0; }' >version.c
# shellcheck disable=SC2046
cc version.c $(pkg-config --cflags --libs qopt) -o version
./version

step "docs/embedding.md, docs/tosa.md"
get install ./packages/python3-qopt_*.deb mlir-22-tools
(cd / && python3 -c "import qopt; print(qopt.__file__, qopt.version())")
ln -s /usr/lib/libqopt.so* /usr/lib/qopt/QoptPlugin.so build/lib
ln -s /usr/lib/python3/dist-packages page/python
ln -s /usr/include page/include
ln -s /srv/build page/build
for page in embedding tosa; do
  python3 test/Docs/Inputs/run-page.py docs/$page.md page >$page.log 2>&1 || {
    cat $page.log
    exit 1
  }
  tail -n 1 $page.log
done

step "no file is left"
files=$(dpkg -L qopt libqopt0 libqopt-dev python3-qopt)
get purge qopt libqopt0 libqopt-dev python3-qopt
for file in $files; do
  if [ ! -d "$file" ] && [ -e "$file" ]; then
    echo "$file is left" && exit 1
  fi
done
test -z "$(find /usr /etc /var -xdev -name '*qopt*')" || {
  find /usr /etc /var -xdev -name '*qopt*'
  exit 1
}

step "the wheel, which fetches nothing"
get install python3-venv
python3 -m venv --system-site-packages venv
venv/bin/pip --quiet install --no-index packages/*.whl
cd page
PYTHONPATH='' ../venv/bin/python -c "
import numpy, qopt
model = qopt.compile('model.onnx', calibration=numpy.load('samples.npy'))
print(qopt.__file__, model(numpy.load('samples.npy')).shape)"
