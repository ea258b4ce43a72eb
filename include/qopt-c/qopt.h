/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The C API of qopt (libqopt.so): models to integer-only objects, from files or
 * memory, and such objects run in this process.
 *
 * Every function returns a status; qopt_last_error says more. Handles are
 * opaque, NULL is never a valid one except for the destroy functions. Nothing
 * throws, exits or prints. Handles may be used from several threads, one at a
 * time; a qopt_program takes calls at once and runs them one by one. Strings
 * are UTF-8 and end in 0; those that come back live as long as their handle.
 *
 * Structs begin with their size: set it to sizeof of the struct, so that a
 * later library knows which fields you have.
 */
#ifndef QOPT_C_QOPT_H
#define QOPT_C_QOPT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define QOPT_API
#else
#define QOPT_API __attribute__((visibility("default")))
#endif

/* The exit codes of the command line. */
typedef enum qopt_status {
  QOPT_OK = 0,
  QOPT_USAGE = 1,
  QOPT_BAD_MODEL = 2,
  QOPT_UNSUPPORTED = 3,
  QOPT_BAD_DATA = 4,
  QOPT_IO = 5,
  QOPT_ACCURACY = 6,
  QOPT_INTERNAL = 70
} qopt_status;

typedef enum qopt_dtype {
  QOPT_DTYPE_F32 = 0,
  QOPT_DTYPE_F64 = 1,
  QOPT_DTYPE_F16 = 2,
  QOPT_DTYPE_BF16 = 3,
  QOPT_DTYPE_I8 = 4,
  QOPT_DTYPE_I16 = 5,
  QOPT_DTYPE_I32 = 6,
  QOPT_DTYPE_I64 = 7,
  QOPT_DTYPE_U8 = 8,
  QOPT_DTYPE_U16 = 9,
  QOPT_DTYPE_U32 = 10,
  QOPT_DTYPE_U64 = 11,
  QOPT_DTYPE_BOOL = 12
} qopt_dtype;

typedef struct qopt_options qopt_options; /* flags, and samples in memory */
typedef struct qopt_source qopt_source;   /* a model as it was given */
typedef struct qopt_stats qopt_stats;     /* what a .qcal file holds */
typedef struct qopt_result qopt_result;   /* a compiled model */
typedef struct qopt_program qopt_program; /* a compiled model, loaded */

/* One error: what `error[Q0103]: message`, `note:` and `help:` show on a
 * terminal. `help` may be empty. */
typedef struct qopt_error {
  size_t struct_size;
  int32_t status; /* qopt_status */
  int32_t code;   /* 103 for Q0103; stable */
  const char *message;
  size_t num_notes;
  const char *const *notes;
  const char *help;
} qopt_error;

/* A dense row-major array, first byte aligned to its elements. Arrays of these
 * have one struct_size. */
typedef struct qopt_array {
  size_t struct_size;
  const char *name; /* the input's or output's; NULL: by position */
  int32_t dtype;    /* qopt_dtype */
  uint32_t rank;
  const int64_t *dims;
  void *data; /* only read where the array is an input */
  size_t bytes;
} qopt_array;

/* An input or output of a compiled model: real = scale * (q - zero_point). */
typedef struct qopt_port {
  size_t struct_size;
  const char *name;
  int32_t dtype; /* of the integers */
  uint32_t rank;
  const int64_t *dims;
  uint64_t elements;
  float scale;
  int32_t zero_point;
} qopt_port;

/* Brings the next samples: fills in `arrays` (one an input, in model order, with
 * struct_size and name set) and returns 1; they must stay valid until the next
 * call. 0: no more. Else: gives up, and the run fails with Q0153. Calls do not
 * overlap, but may come from threads of qopt. */
typedef int (*qopt_next_fn)(void *user, qopt_array *arrays, size_t count);

/* One line of notes and warnings, without a line end. */
typedef void (*qopt_log_fn)(void *user, const char *line);

/* Work under way, how much is done, and of how much (0: not known). */
typedef void (*qopt_progress_fn)(void *user, const char *what, int64_t done,
                                 int64_t total);

/* Asked after each sample and between the steps of a compilation. Not 0: the run
 * ends and fails with Q0155. */
typedef int (*qopt_cancel_fn)(void *user);

/* `0.1.0`. */
QOPT_API const char *qopt_version(void);

/* Error `index` of the last call of this thread that failed, most have one.
 * Valid until the next call of this thread fails. QOPT_USAGE where there is no
 * such error; that changes nothing. */
QOPT_API qopt_status qopt_last_error(size_t index, qopt_error *error);

/* Options: the flags of the command line, by name without dashes. */

/* The name of option `index`, NULL behind the last. */
QOPT_API const char *qopt_option_name(size_t index);
QOPT_API qopt_status qopt_options_create(qopt_options **options);
QOPT_API void qopt_options_destroy(qopt_options *options);
/* qopt_options_set(o, "range", "mse"): as --range=mse. Values are checked at
 * once. Lists (emit, shape, input, inputs, outputs, config) add up. */
QOPT_API qopt_status qopt_options_set(qopt_options *options, const char *name,
                                      const char *value);
/* Calibration data in memory in place of `calibrate`; the last such call
 * counts. Axis 0 counts samples where the rest of an array's shape is the
 * input's. `arrays` are copied, what `next` brings is not; `stats` are too. */
QOPT_API qopt_status qopt_options_set_samples(qopt_options *options,
                                              const qopt_array *arrays,
                                              size_t count);
QOPT_API qopt_status qopt_options_set_next(qopt_options *options,
                                           qopt_next_fn next, void *user);
QOPT_API qopt_status qopt_options_set_stats(qopt_options *options,
                                            const qopt_stats *stats);
/* NULL: nobody. */
QOPT_API qopt_status qopt_options_set_log(qopt_options *options,
                                          qopt_log_fn log, void *user);
QOPT_API qopt_status qopt_options_set_progress(qopt_options *options,
                                               qopt_progress_fn progress,
                                               void *user);
QOPT_API qopt_status qopt_options_set_cancel(qopt_options *options,
                                             qopt_cancel_fn cancel,
                                             void *user);

/* Models. Bytes are copied; `name` is what messages call them and, without the
 * option `name`, where symbols get their prefix (NULL: model). Whether the
 * bytes are a model is seen when they are used. */
QOPT_API qopt_status qopt_source_from_file(const char *path,
                                           qopt_source **source);
QOPT_API qopt_status qopt_source_from_memory(const void *bytes, size_t size,
                                             const char *name,
                                             qopt_source **source);
QOPT_API void qopt_source_destroy(qopt_source *source);

/* Statistics. `options` may be NULL: all defaults. */
QOPT_API qopt_status qopt_calibrate(const qopt_source *source,
                                    const qopt_options *options,
                                    qopt_stats **stats);
QOPT_API qopt_status qopt_stats_read(const char *path, qopt_stats **stats);
QOPT_API qopt_status qopt_stats_parse(const void *bytes, size_t size,
                                      qopt_stats **stats);
/* Adds another shard of the same run; any order gives the same bytes. */
QOPT_API qopt_status qopt_stats_merge(qopt_stats *stats,
                                      const qopt_stats *other);
QOPT_API qopt_status qopt_stats_write(const qopt_stats *stats,
                                      const char *path);
/* The bytes of the .qcal file, valid until `stats` changes. */
QOPT_API qopt_status qopt_stats_bytes(qopt_stats *stats, const void **bytes,
                                      size_t *size);
QOPT_API qopt_status qopt_stats_samples(const qopt_stats *stats,
                                        uint64_t *samples);
QOPT_API void qopt_stats_destroy(qopt_stats *stats);

/* As the command line: writes the files that the options `emit` and `o` name.
 */
QOPT_API qopt_status qopt_compile_files(const qopt_source *source,
                                        const qopt_options *options);
/* The same in memory: object, header, report, statistics, and what the option
 * `emit` names. */
QOPT_API qopt_status qopt_compile(const qopt_source *source,
                                  const qopt_options *options,
                                  qopt_result **result);
/* The prefix of the object's symbols. */
QOPT_API qopt_status qopt_result_name(const qopt_result *result,
                                      const char **name);
/* A file by its word in `emit`: obj, header, report, qcal, mlir:qint, ... A 0
 * follows the last byte. */
QOPT_API qopt_status qopt_result_get(const qopt_result *result,
                                     const char *kind, const void **bytes,
                                     size_t *size);
/* Writes the kind that the suffix of `path` says: .o (and .h beside it), .so
 * and .a (the same), .h, .json, .qcal. */
QOPT_API qopt_status qopt_result_save(const qopt_result *result,
                                      const char *path);
QOPT_API void qopt_result_destroy(qopt_result *result);

/* Loads a compiled model into this process. The bytes of an object are code:
 * load only what you trust. `name` is the prefix of its symbols. */
QOPT_API qopt_status qopt_program_create(const qopt_result *result,
                                         qopt_program **program);
QOPT_API qopt_status qopt_program_load(const void *object, size_t size,
                                       const char *name,
                                       qopt_program **program);
QOPT_API qopt_status qopt_program_count(const qopt_program *program,
                                        size_t *inputs, size_t *outputs);
QOPT_API qopt_status qopt_program_input(const qopt_program *program,
                                        size_t index, qopt_port *port);
QOPT_API qopt_status qopt_program_output(const qopt_program *program,
                                         size_t index, qopt_port *port);
/* Runs the model on all samples of the arrays, one after the other. Inputs and
 * outputs are in model order (or named), each f32 or of its port's own dtype.
 * An array has the port's shape, or that with one axis of N samples in front,
 * or N times its first axis; all arrays have the same N. */
QOPT_API qopt_status qopt_program_run(qopt_program *program,
                                      const qopt_array *inputs,
                                      size_t num_inputs, qopt_array *outputs,
                                      size_t num_outputs);
QOPT_API void qopt_program_destroy(qopt_program *program);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* QOPT_C_QOPT_H */
