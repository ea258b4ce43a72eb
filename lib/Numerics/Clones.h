// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions compiled for several x86 levels and picked at load time. Products
// and sums are never contracted in this room, so the pick cannot show in a
// result.
#pragma once

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__clang__)
#define QOPT_CLONES                                                            \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define QOPT_CLONES
#endif
