// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays in NumPy's .npy format, for the driver of an emitted executable.
#ifndef QOPT_RUNTIME_NPY_H
#define QOPT_RUNTIME_NPY_H

#include <stddef.h>
#include <stdint.h>

#define NPY_MAX_RANK 32

typedef struct npy_array {
  char kind; /* 'f', 'i' or 'u' */
  uint32_t item_size;
  uint32_t rank;
  int64_t dims[NPY_MAX_RANK];
  uint64_t elements;
  void *data; /* row-major, little-endian; freed by npy_free */
} npy_array;

/* Text of a refusal; it names the file. */
typedef struct npy_error {
  char text[512];
} npy_error;

/* Reads versions 1 to 3 of the format, C order, little-endian numbers. Returns
   0, or -1 with `error` filled in; nothing is allocated then. */
int npy_read(const char *path, npy_array *array, npy_error *error);

/* Writes version 1 through a temporary file beside `path`. Returns as above. */
int npy_write(const char *path, const npy_array *array, npy_error *error);

void npy_free(npy_array *array);

#endif /* QOPT_RUNTIME_NPY_H */
