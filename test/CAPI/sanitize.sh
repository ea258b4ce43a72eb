#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# sanitize.sh BUILD: the C API and its tests with AddressSanitizer, in BUILD-asan.
# The rooms below are not instrumented, but all that they allocate is watched:
# what the API's 100 misuse cases leak, or read after its end, is an error.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$1-asan
cmake --preset default -S "$source" -B "$build" -DQOPT_SANITIZE_API=ON \
  >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --target QoptCapiTests -j "${JOBS:-2}"
# Code that the JIT emits has no frame that the unwinder knows.
ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=1 \
  LSAN_OPTIONS=suppressions="$source/test/CAPI/leaks.txt:print_suppressions=0" \
  "$build/bin/QoptCapiTests"
