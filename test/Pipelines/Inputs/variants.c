// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs each variant that this machine can run, without a context first, and
// compares their bytes.
#include "net.h"
#include <stdio.h>
#include <string.h>

static _Alignas(net_ARENA_ALIGN) uint8_t arena[net_ARENA_SIZE];

static void run(const qopt_context *context, int16_t *y) {
  static int8_t x[net_x_ELEMENTS];
  for (unsigned i = 0; i < net_x_ELEMENTS; ++i)
    x[i] = (int8_t)(37 * i + 11);
  memset(arena, 0xa5, sizeof arena);
  net_run(&(net_inputs){x}, &(net_outputs){y}, arena, context);
}

int main(void) {
  const uint32_t best = net_resolve_variant();
  int16_t expected[net_logits_ELEMENTS], y[net_logits_ELEMENTS];
  if (best == QOPT_NO_VARIANT || best >= net_model.num_variants)
    return 1;
  run(NULL, expected);
  for (uint32_t variant = 0; variant <= best; ++variant) {
    qopt_context context = {sizeof context, variant, 1, 0, NULL, NULL};
    memset(y, 0, sizeof y);
    run(&context, y);
    if (memcmp(y, expected, sizeof y) != 0)
      return printf("variant %u differs\n", variant), 1;
  }
  // What is no variant runs the base.
  qopt_context context = {sizeof context, 77, 1, 0, NULL, NULL};
  run(&context, y);
  if (memcmp(y, expected, sizeof y) != 0)
    return 1;
  printf("%u of %u variants agree\n", best + 1, net_model.num_variants);
  return 0;
}
