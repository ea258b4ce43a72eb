// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `--bench`: time of single runs, summed up by order statistics.

#define _POSIX_C_SOURCE 200809L
#include "driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CAPACITY (1u << 20)

/* Every `stride`-th run of the whole benchmark. */
typedef struct time_log {
  uint64_t *nanoseconds;
  uint64_t runs;
  uint64_t stride;
  uint64_t min;
  size_t used;
} time_log;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

/* When the log is full, every second entry makes room for the rest. */
static void record(time_log *log, uint64_t nanoseconds) {
  if (nanoseconds < log->min)
    log->min = nanoseconds;
  if (log->runs++ % log->stride != 0)
    return;
  if (log->used == CAPACITY) {
    for (size_t i = 0; i < CAPACITY / 2; ++i)
      log->nanoseconds[i] = log->nanoseconds[2 * i];
    log->used = CAPACITY / 2;
    log->stride *= 2;
  }
  log->nanoseconds[log->used++] = nanoseconds;
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static uint64_t percentile(const time_log *log, unsigned percent) {
  return log->nanoseconds[(log->used - 1) * percent / 100];
}

/* The first sample of each given file; other inputs stay zero. */
static int load_first_samples(driver_session *session,
                              const driver_options *options) {
  for (uint32_t i = 0; i < session->model->num_inputs; ++i) {
    const char *path = options->in[i];
    if (!path)
      continue;
    npy_array array;
    npy_error error;
    if (npy_read(path, &array, &error) != 0)
      return driver_fail(EXIT_BAD_DATA, "%s", error.text);
    bool fits = driver_count_samples(driver_input(session->model, i), path,
                                     &array) != 0;
    if (fits) {
      driver_narrow_doubles(&array);
      driver_load_sample(session, i, &array, 0);
    }
    npy_free(&array);
    if (!fits)
      return EXIT_BAD_DATA;
  }
  return EXIT_OK;
}

int driver_bench(driver_session *session, const driver_options *options) {
  int code = load_first_samples(session, options);
  if (code != EXIT_OK)
    return code;
  time_log log = {.stride = 1, .min = UINT64_MAX};
  log.nanoseconds = malloc(CAPACITY * sizeof *log.nanoseconds);
  if (!log.nanoseconds)
    return driver_fail(EXIT_IO, "no memory");
  /* Caches and clock settle before the first run that counts. */
  uint64_t duration = (uint64_t)(options->bench_seconds * 1e9);
  uint64_t start = now();
  do
    driver_run_once(session);
  while (now() - start < duration / 20);
  uint64_t begin = now(), last = begin;
  start = begin;
  do {
    driver_run_once(session);
    last = now();
    record(&log, last - begin);
    begin = last;
  } while (last - start < duration);
  qsort(log.nanoseconds, log.used, sizeof *log.nanoseconds, compare);
  printf("{\"min_ns\": %llu, \"p10_ns\": %llu, \"median_ns\": %llu, "
         "\"p90_ns\": %llu, \"runs\": %llu}\n",
         (unsigned long long)log.min, (unsigned long long)percentile(&log, 10),
         (unsigned long long)percentile(&log, 50),
         (unsigned long long)percentile(&log, 90),
         (unsigned long long)log.runs);
  free(log.nanoseconds);
  return EXIT_OK;
}
