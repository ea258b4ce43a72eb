// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file is believed only where its size confirms it: every number in a header
// is checked before it is used.

#define _POSIX_C_SOURCE 200809L
#include "npy.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_HEADER 65536u

static int fail(npy_error *error, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(npy_error *error, const char *path, const char *format, ...) {
  int used = snprintf(error->text, sizeof error->text, "file '%.200s' ", path);
  if (used < 0 || (size_t)used >= sizeof error->text)
    return -1;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text + used, sizeof error->text - (size_t)used, format,
            arguments);
  va_end(arguments);
  return -1;
}

static const char *skip_blanks(const char *text) {
  while (*text == ' ' || *text == '\t' || *text == '\n')
    ++text;
  return text;
}

/* The text after `'key':`, or NULL. */
static const char *find_value(const char *header, const char *key) {
  size_t length = strlen(key);
  for (const char *at = strpbrk(header, "'\""); at;
       at = strpbrk(at + 1, "'\"")) {
    if (strncmp(at + 1, key, length) != 0 || at[length + 1] != *at)
      continue;
    const char *after = skip_blanks(at + length + 2);
    if (*after == ':')
      return skip_blanks(after + 1);
  }
  return NULL;
}

/* `'<f4'` and its like. */
static bool parse_type(const char *text, npy_array *array) {
  if (*text != '\'' && *text != '"')
    return false;
  char order = text[1];
  if (order != '<' && order != '|' && order != '=')
    return false;
  char kind = text[2];
  uint32_t size =
      text[3] >= '1' && text[3] <= '8' ? (uint32_t)(text[3] - '0') : 0;
  if (text[4] != *text)
    return false;
  bool is_float = kind == 'f' && (size == 4 || size == 8);
  bool is_integer = (kind == 'i' || kind == 'u') &&
                    (size == 1 || size == 2 || size == 4 || size == 8);
  if (!is_float && !is_integer)
    return false;
  if (order == '|' && size != 1)
    return false;
  array->kind = kind;
  array->item_size = size;
  return true;
}

/* `(1, 28, 28)`; counts elements. */
static bool parse_shape(const char *text, npy_array *array) {
  if (*text != '(')
    return false;
  text = skip_blanks(text + 1);
  array->rank = 0;
  array->elements = 1;
  while (*text != ')') {
    if (array->rank == NPY_MAX_RANK || *text < '0' || *text > '9')
      return false;
    int64_t dim = 0;
    for (; *text >= '0' && *text <= '9'; ++text)
      if (__builtin_mul_overflow(dim, 10, &dim) ||
          __builtin_add_overflow(dim, *text - '0', &dim))
        return false;
    if (__builtin_mul_overflow(array->elements, (uint64_t)dim,
                               &array->elements))
      return false;
    array->dims[array->rank++] = dim;
    text = skip_blanks(text);
    if (*text == ',')
      text = skip_blanks(text + 1);
    else if (*text != ')')
      return false;
  }
  return true;
}

static int parse_header(const char *path, const char *header, npy_array *array,
                        npy_error *error) {
  const char *type = find_value(header, "descr");
  const char *order = find_value(header, "fortran_order");
  const char *shape = find_value(header, "shape");
  if (!type || !order || !shape)
    return fail(error, path,
                "has a .npy header without descr, fortran_order "
                "or shape");
  if (!parse_type(type, array))
    return fail(error, path,
                "has element type %.8s; expected little-endian floats or "
                "integers",
                type);
  if (strncmp(order, "False", 5) != 0)
    return fail(error, path,
                "is in Fortran order; save it with "
                "numpy.ascontiguousarray");
  if (!parse_shape(shape, array))
    return fail(error, path, "has a bad shape %.40s", shape);
  return 0;
}

/* Reads magic, version and header text; leaves the file at the data. */
static int read_header(const char *path, FILE *file, uint64_t file_size,
                       npy_array *array, uint64_t *data_offset,
                       npy_error *error) {
  unsigned char start[12];
  if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY", 6) != 0)
    return fail(error, path, "is no .npy file");
  uint64_t header_size = start[8] | (uint64_t)start[9] << 8;
  uint64_t prefix = 10;
  if (start[6] == 2 || start[6] == 3) {
    if (fread(start + 10, 1, 2, file) != 2)
      return fail(error, path, "is cut off in its header");
    header_size |= (uint64_t)start[10] << 16 | (uint64_t)start[11] << 24;
    prefix = 12;
  } else if (start[6] != 1) {
    return fail(error, path, "has .npy version %u; 1 to 3 are known", start[6]);
  }
  if (header_size > MAX_HEADER || header_size > file_size - prefix)
    return fail(error, path, "is cut off in its header");
  char *header = calloc(1, header_size + 8);
  if (!header)
    return fail(error, path, "needs more memory than there is");
  int result = fread(header, 1, header_size, file) == header_size
                   ? parse_header(path, header, array, error)
                   : fail(error, path, "cannot be read");
  free(header);
  *data_offset = prefix + header_size;
  return result;
}

static int read_data(const char *path, FILE *file, uint64_t available,
                     npy_array *array, npy_error *error) {
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(array->elements, array->item_size, &bytes) ||
      bytes != available)
    return fail(error, path,
                "holds %llu bytes of data, but its shape needs %llu elements "
                "of %u bytes",
                (unsigned long long)available,
                (unsigned long long)array->elements, array->item_size);
  array->data = malloc(bytes ? bytes : 1);
  if (!array->data)
    return fail(error, path, "needs %llu bytes of memory",
                (unsigned long long)bytes);
  if (fread(array->data, 1, bytes, file) == bytes)
    return 0;
  npy_free(array);
  return fail(error, path, "cannot be read");
}

int npy_read(const char *path, npy_array *array, npy_error *error) {
  memset(array, 0, sizeof *array);
  FILE *file = fopen(path, "rb");
  if (!file)
    return fail(error, path, "cannot be opened: %s", strerror(errno));
  struct stat status;
  uint64_t data_offset = 0;
  int result;
  if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode) ||
      status.st_size < 10)
    result = fail(error, path, "is no .npy file");
  else
    result = read_header(path, file, (uint64_t)status.st_size, array,
                         &data_offset, error);
  if (result == 0)
    result = read_data(path, file, (uint64_t)status.st_size - data_offset,
                       array, error);
  fclose(file);
  return result;
}

/* The header's text, padded so that the data starts at a multiple of 64. */
static size_t format_header(const npy_array *array, char *text, size_t room) {
  size_t used = (size_t)snprintf(
      text, room, "{'descr': '%c%c%u', 'fortran_order': False, 'shape': (",
      array->item_size == 1 ? '|' : '<', array->kind, array->item_size);
  for (uint32_t i = 0; i < array->rank; ++i)
    used += (size_t)snprintf(
        text + used, room - used, "%lld%s", (long long)array->dims[i],
        i + 1 < array->rank || array->rank == 1 ? ", " : "");
  used += (size_t)snprintf(text + used, room - used, "), }");
  while ((10 + used + 1) % 64 != 0)
    text[used++] = ' ';
  text[used++] = '\n';
  return used;
}

static bool write_file(FILE *file, const npy_array *array) {
  char header[NPY_MAX_RANK * 24 + 256];
  size_t header_size = format_header(array, header, sizeof header);
  unsigned char start[10] = "\x93NUMPY\x01";
  start[8] = (unsigned char)(header_size & 255);
  start[9] = (unsigned char)(header_size >> 8);
  size_t bytes = (size_t)array->elements * array->item_size;
  return fwrite(start, 1, sizeof start, file) == sizeof start &&
         fwrite(header, 1, header_size, file) == header_size &&
         fwrite(array->data, 1, bytes, file) == bytes;
}

/* A temporary file beside `path`, so that a reader never sees half of it. */
static int write_and_rename(const char *path, const npy_array *array,
                            npy_error *error) {
  size_t length = strlen(path);
  char *temporary = malloc(length + 8);
  if (!temporary)
    return fail(error, path, "needs more memory than there is");
  memcpy(temporary, path, length);
  memcpy(temporary + length, ".XXXXXX", 8);
  int result = 0;
  int descriptor = mkstemp(temporary);
  FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
  if (!file) {
    result = fail(error, path, "cannot be written: %s", strerror(errno));
    if (descriptor >= 0)
      close(descriptor);
  } else {
    /* mkstemp makes private files; outputs are as open as the others. */
    mode_t mask = umask(0);
    umask(mask);
    bool written = write_file(file, array);
    written = fchmod(descriptor, 0666 & ~mask) == 0 && written;
    written = fclose(file) == 0 && written;
    if (!written || rename(temporary, path) != 0)
      result = fail(error, path, "cannot be written: %s", strerror(errno));
  }
  if (result != 0 && descriptor >= 0)
    unlink(temporary);
  free(temporary);
  return result;
}

int npy_write(const char *path, const npy_array *array, npy_error *error) {
  struct stat status;
  if (stat(path, &status) != 0 || S_ISREG(status.st_mode))
    return write_and_rename(path, array, error);
  /* A device or a pipe is written to, not replaced. */
  FILE *file = fopen(path, "wb");
  bool written = file && write_file(file, array);
  if (file && fclose(file) != 0)
    written = false;
  if (!written)
    return fail(error, path, "cannot be written: %s", strerror(errno));
  return 0;
}

void npy_free(npy_array *array) {
  free(array->data);
  array->data = NULL;
}
