#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compiles through ccache so that every checkout and build folder shares
# results: `ccache.sh SOURCE_DIR COMPILER ARGUMENTS...`, called in the build
# folder. CMake names the precompiled header by an absolute path behind
# -Xclang, where ccache does not look; the header itself holds absolute paths,
# so that its stand-in (lib/MLIRHeaders) is hashed.
export CCACHE_BASEDIR="$1" CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
export CCACHE_SLOPPINESS=pch_defines,time_macros
shift
for argument; do
  shift
  set -- "$@" "${argument#"$PWD"/}"
done
exec ccache "$@"
