// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Samples from .npy files through the model and back.

#include "driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char kind_of(uint32_t type) {
  if (type == QOPT_TYPE_F32)
    return 'f';
  return type == QOPT_TYPE_U8 || type == QOPT_TYPE_U16 ? 'u' : 'i';
}

static uint32_t size_of(const qopt_tensor *tensor) {
  return tensor->elements ? (uint32_t)(tensor->bytes / tensor->elements) : 1;
}

/* Compares `dims` with the tensor's, axes of length 1 left out. */
static bool same_shape(const qopt_tensor *tensor, const int64_t *dims,
                       uint32_t rank) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < tensor->rank; ++i) {
    if (tensor->dims[i] == 1)
      continue;
    while (at < rank && dims[at] == 1)
      ++at;
    if (at == rank || dims[at] != tensor->dims[i])
      return false;
    ++at;
  }
  while (at < rank && dims[at] == 1)
    ++at;
  return at == rank;
}

static void format_shape(const int64_t *dims, uint32_t rank, char *text,
                         size_t room) {
  size_t used = (size_t)snprintf(text, room, "[");
  for (uint32_t i = 0; i < rank && used < room; ++i)
    used += (size_t)snprintf(text + used, room - used, "%s%lld", i ? ", " : "",
                             (long long)dims[i]);
  if (used < room)
    snprintf(text + used, room - used, "]");
}

uint64_t driver_count_samples(const qopt_tensor *tensor, const char *path,
                              const npy_array *array) {
  char kind = kind_of(tensor->type);
  uint32_t size = size_of(tensor);
  if (array->kind == 'f' && !tensor->quantize && kind != 'f') {
    driver_fail(EXIT_BAD_DATA,
                "file '%s' holds floats, but input '%s' takes %cint%u only; "
                "compile with --io=float to have it quantized",
                path, tensor->name, kind == 'u' ? 'u' : ' ', 8 * size);
    return 0;
  }
  if (array->kind != 'f' && (array->kind != kind || array->item_size != size)) {
    driver_fail(EXIT_BAD_DATA,
                "file '%s' holds '%c%u', but input '%s' takes '%c%u' or floats",
                path, array->kind, array->item_size, tensor->name, kind, size);
    return 0;
  }
  if (same_shape(tensor, array->dims, array->rank))
    return 1;
  if (array->rank > 0 && array->dims[0] > 0 &&
      same_shape(tensor, array->dims + 1, array->rank - 1))
    return (uint64_t)array->dims[0];
  char expected[256], found[256];
  format_shape(tensor->dims, tensor->rank, expected, sizeof expected);
  format_shape(array->dims, array->rank, found, sizeof found);
  driver_fail(EXIT_BAD_DATA,
              "file '%s' has shape %s, but input '%s' expects %s, with or "
              "without a leading axis of samples",
              path, found, tensor->name, expected);
  return 0;
}

void driver_load_sample(driver_session *session, uint32_t input,
                        const npy_array *array, uint64_t index) {
  const qopt_tensor *tensor = driver_input(session->model, input);
  const char *sample = (const char *)array->data +
                       (size_t)(index * tensor->elements) * array->item_size;
  if (array->kind == 'f' && tensor->type != QOPT_TYPE_F32)
    tensor->quantize((const float *)(const void *)sample,
                     session->inputs[input]);
  else
    memcpy(session->inputs[input], sample, tensor->bytes);
}

/* Doubles become floats in place: each lands on bytes already read. */
void driver_narrow_doubles(npy_array *array) {
  if (array->kind != 'f' || array->item_size != 8)
    return;
  char *bytes = array->data;
  for (uint64_t i = 0; i < array->elements; ++i) {
    double wide;
    memcpy(&wide, bytes + i * sizeof wide, sizeof wide);
    float narrow = (float)wide;
    memcpy(bytes + i * sizeof narrow, &narrow, sizeof narrow);
  }
  array->item_size = 4;
}

/* All inputs, all with the same number of samples. */
static int read_inputs(const qopt_model *model, const driver_options *options,
                       npy_array *arrays, uint64_t *samples) {
  npy_error error;
  for (uint32_t i = 0; i < model->num_inputs; ++i) {
    const qopt_tensor *tensor = driver_input(model, i);
    const char *path = options->in[i];
    if (!path)
      return driver_fail(EXIT_USAGE, "input '%s' is missing; add --in %s=FILE",
                         tensor->name, tensor->name);
    if (npy_read(path, &arrays[i], &error) != 0)
      return driver_fail(EXIT_BAD_DATA, "%s", error.text);
    uint64_t count = driver_count_samples(tensor, path, &arrays[i]);
    if (count == 0)
      return EXIT_BAD_DATA;
    if (i > 0 && count != *samples)
      return driver_fail(
          EXIT_BAD_DATA, "file '%s' holds %llu samples, the one before %llu",
          path, (unsigned long long)count, (unsigned long long)*samples);
    *samples = count;
    driver_narrow_doubles(&arrays[i]);
  }
  return EXIT_OK;
}

/* Whether a file has an axis of samples: then the outputs get one too. */
static bool has_sample_axis(const qopt_model *model, const npy_array *arrays,
                            uint64_t samples) {
  return samples > 1 || (model->num_inputs > 0 &&
                         arrays[0].rank > driver_input(model, 0)->rank);
}

/* An output for all samples. The axis of samples takes the place of a leading
   axis of length 1, the model's batch. */
static int allocate_output(const qopt_tensor *tensor, bool raw, bool many,
                           uint64_t samples, npy_array *array) {
  array->kind = raw ? kind_of(tensor->type) : 'f';
  array->item_size = raw ? size_of(tensor) : (uint32_t)sizeof(float);
  uint32_t skip = many && tensor->rank > 0 && tensor->dims[0] == 1 ? 1 : 0;
  uint32_t lead = many ? 1 : 0;
  uint64_t bytes = 0;
  if (tensor->rank - skip + lead > NPY_MAX_RANK ||
      __builtin_mul_overflow(tensor->elements, samples, &array->elements) ||
      __builtin_mul_overflow(array->elements, array->item_size, &bytes) ||
      !(array->data = malloc(bytes ? bytes : 1)))
    return driver_fail(EXIT_IO,
                       "output '%s' of %llu samples does not fit into "
                       "memory",
                       tensor->name, (unsigned long long)samples);
  array->dims[0] = (int64_t)samples;
  array->rank = lead;
  for (uint32_t i = skip; i < tensor->rank; ++i)
    array->dims[array->rank++] = tensor->dims[i];
  return EXIT_OK;
}

static int64_t integer_at(const qopt_tensor *tensor, const void *data,
                          uint64_t index) {
  switch (tensor->type) {
  case QOPT_TYPE_I8:
    return ((const int8_t *)data)[index];
  case QOPT_TYPE_U8:
    return ((const uint8_t *)data)[index];
  case QOPT_TYPE_I16:
    return ((const int16_t *)data)[index];
  case QOPT_TYPE_U16:
    return ((const uint16_t *)data)[index];
  default:
    return ((const int32_t *)data)[index];
  }
}

static void store_sample(const driver_session *session, uint32_t output,
                         bool raw, npy_array *array, uint64_t index) {
  const qopt_tensor *tensor = driver_output(session->model, output);
  const void *data = session->outputs[output];
  if (raw || tensor->type == QOPT_TYPE_F32) {
    memcpy((char *)array->data + index * tensor->bytes, data, tensor->bytes);
    return;
  }
  float *to = (float *)array->data + index * tensor->elements;
  if (tensor->dequantize) {
    tensor->dequantize(data, to);
    return;
  }
  for (uint64_t i = 0; i < tensor->elements; ++i)
    to[i] = (float)(integer_at(tensor, data, i) - tensor->zero_point) *
            tensor->scale;
}

static int run_samples(driver_session *session, const driver_options *options,
                       npy_array *inputs, npy_array *outputs) {
  const qopt_model *model = session->model;
  uint64_t samples = 1;
  int code = read_inputs(model, options, inputs, &samples);
  bool many = code == EXIT_OK && has_sample_axis(model, inputs, samples);
  for (uint32_t i = 0; code == EXIT_OK && i < model->num_outputs; ++i)
    if (options->out[i])
      code = allocate_output(driver_output(model, i), options->raw, many,
                             samples, &outputs[i]);
  if (code != EXIT_OK)
    return code;
  for (uint64_t sample = 0; sample < samples; ++sample) {
    for (uint32_t i = 0; i < model->num_inputs; ++i)
      driver_load_sample(session, i, &inputs[i], sample);
    driver_run_once(session);
    for (uint32_t i = 0; i < model->num_outputs; ++i)
      if (options->out[i])
        store_sample(session, i, options->raw, &outputs[i], sample);
  }
  npy_error error;
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    if (options->out[i] && npy_write(options->out[i], &outputs[i], &error) != 0)
      return driver_fail(EXIT_IO, "%s", error.text);
  return EXIT_OK;
}

int driver_run_files(driver_session *session, const driver_options *options) {
  const qopt_model *model = session->model;
  bool wanted = false;
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    wanted |= options->out[i] != NULL;
  if (!wanted)
    return driver_fail(EXIT_USAGE,
                       "no output is asked for; add --out %s=FILE.npy, or see "
                       "--help",
                       model->num_outputs ? driver_output(model, 0)->name
                                          : "NAME");
  npy_array *inputs = calloc(model->num_inputs + 1u, sizeof *inputs);
  npy_array *outputs = calloc(model->num_outputs + 1u, sizeof *outputs);
  int code = inputs && outputs ? run_samples(session, options, inputs, outputs)
                               : driver_fail(EXIT_IO, "no memory");
  for (uint32_t i = 0; inputs && i < model->num_inputs; ++i)
    npy_free(&inputs[i]);
  for (uint32_t i = 0; outputs && i < model->num_outputs; ++i)
    npy_free(&outputs[i]);
  free(inputs);
  free(outputs);
  return code;
}
