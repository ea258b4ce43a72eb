// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// first_result MODEL.so NAME: what a process that loads a compiled model and
// runs it once takes, beside a later run: microseconds and peak memory, as one
// line of JSON. Times on a machine that others use vary; the least of several
// processes is what the model takes.
#include "qopt/Runtime/qopt_abi.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e6 * (double)time.tv_sec + 1e-3 * (double)time.tv_nsec;
}

/* A line of /proc/self/status, in KiB. */
static long status(const char *key) {
  char line[256];
  long value = -1;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, key, strlen(key)) == 0)
      value = atol(line + strlen(key));
  if (file)
    fclose(file);
  return value;
}

static void *allocate(uint64_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 64) / 64 * 64);
  if (!memory)
    exit(1);
  return memory;
}

int main(int argc, char **argv) {
  if (argc != 3)
    return fprintf(stderr, "first_result MODEL.so NAME\n"), 1;
  char symbol[256];
  snprintf(symbol, sizeof symbol, "%s_model", argv[2]);
  const double start = now();
  void *library = dlopen(argv[1], RTLD_NOW);
  const qopt_model *model = library ? dlsym(library, symbol) : NULL;
  if (!model)
    return fprintf(stderr, "%s\n", dlerror()), 1;
  qopt_context context = {sizeof context, model->resolve_variant(), 1, 0, NULL,
                          NULL};
  void *arena = allocate(model->arena_size);
  const void *inputs[16];
  void *outputs[16];
  if (context.variant == QOPT_NO_VARIANT || model->num_inputs > 16 ||
      model->num_outputs > 16)
    return 1;
  for (uint32_t i = 0; i < model->num_inputs; ++i)
    inputs[i] = memset(allocate(model->inputs[i].bytes), 1,
                       model->inputs[i].bytes);
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    outputs[i] = allocate(model->outputs[i].bytes);
  const double loaded = now();
  model->run(inputs, outputs, arena, &context);
  const double first = now();
  model->run(inputs, outputs, arena, &context);
  const double second = now();
  printf("{\"load_us\": %.1f, \"first_us\": %.1f, \"second_us\": %.1f, "
         "\"peak_kib\": %ld}\n",
         loaded - start, first - loaded, second - first, status("VmHWM:"));
  return 0;
}
