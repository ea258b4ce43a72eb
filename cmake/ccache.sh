#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles through ccache so that every checkout and build folder shares
# results: `ccache.sh SOURCE_DIR COMPILER ARGUMENTS...`, called in the build
# folder. CMake names the precompiled header by an absolute path behind
# -Xclang, where ccache does not look. That header itself holds absolute paths:
# each build folder makes its own, and a stand-in (lib/MLIRHeaders) is hashed.
source=$1
shift
for argument; do
  [ "$argument" = -emit-pch ] && exec "$@"
done
for argument; do
  shift
  set -- "$@" "${argument#"$PWD"/}"
done
export CCACHE_BASEDIR="$source" CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
export CCACHE_SLOPPINESS=pch_defines,time_macros
exec ccache "$@"
