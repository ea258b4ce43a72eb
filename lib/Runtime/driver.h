// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the parts of an emitted executable's driver share.
#ifndef QOPT_RUNTIME_DRIVER_H
#define QOPT_RUNTIME_DRIVER_H

#include "npy.h"
#include "qopt/Runtime/qopt_abi.h"
#include <stdbool.h>

/* Exit codes, as those of qopt itself. */
enum {
  EXIT_OK = 0,
  EXIT_USAGE = 1,
  EXIT_UNSUPPORTED = 3,
  EXIT_BAD_DATA = 4,
  EXIT_IO = 5
};

/* The command line. `in` and `out` have one path a tensor or NULL. */
typedef struct driver_options {
  const char **in;
  const char **out;
  double bench_seconds; /* 0: no benchmark */
  uint32_t threads;
  bool raw;
  bool info;
  bool help;
} driver_options;

/* A model with buffers for one sample. */
typedef struct driver_session {
  const qopt_model *model;
  void *arena;
  void **inputs;
  void **outputs;
  qopt_context context;
  void *pool;
} driver_session;

/* Prints "PROGRAM: error: ..." and returns `code`. */
int driver_fail(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Tensor `index` of an array whose elements are model->tensor_size long. */
const qopt_tensor *driver_input(const qopt_model *model, uint32_t index);
const qopt_tensor *driver_output(const qopt_model *model, uint32_t index);

/* Fills `options`; EXIT_OK or the exit code after a message. */
int driver_parse(int argc, char **argv, const qopt_model *model,
                 driver_options *options);
void driver_print_usage(const char *program, const qopt_model *model);

int driver_open(driver_session *session, const qopt_model *model,
                uint32_t threads);
void driver_close(driver_session *session);
void driver_run_once(driver_session *session);

/* Copies sample `index` of `array` to the session's input, quantized where it
   is float. The array was checked by driver_count_samples and narrowed. */
void driver_load_sample(driver_session *session, uint32_t input,
                        const npy_array *array, uint64_t index);
/* How many samples `array` holds for `tensor`, or 0 after a message. */
uint64_t driver_count_samples(const qopt_tensor *tensor, const char *path,
                              const npy_array *array);
/* Turns an array of doubles into one of floats. */
void driver_narrow_doubles(npy_array *array);

/* Reads inputs, runs every sample, writes outputs. */
int driver_run_files(driver_session *session, const driver_options *options);
/* Repeats the first sample (or zeros) and prints one JSON line. */
int driver_bench(driver_session *session, const driver_options *options);

#endif /* QOPT_RUNTIME_DRIVER_H */
