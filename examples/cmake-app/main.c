/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs whatever model the build put behind the name `classifier` once, on
 * zeros, and prints its first output. */

#include "classifier.h"
#include <stdio.h>
#include <stdlib.h>

static _Alignas(classifier_ARENA_ALIGN) unsigned char
    arena[classifier_ARENA_SIZE];

int main(void) {
  const qopt_model *model = &classifier_model;
  void *buffers[64];
  unsigned total = model->num_inputs + model->num_outputs;
  if (total > 64)
    return 1;
  for (unsigned i = 0; i < total; ++i) {
    const qopt_tensor *tensor = i < model->num_inputs
                                    ? &model->inputs[i]
                                    : &model->outputs[i - model->num_inputs];
    buffers[i] = malloc(tensor->bytes);
    float *zeros = calloc(tensor->elements, sizeof(float));
    if (!buffers[i] || !zeros)
      return 1;
    if (i < model->num_inputs)
      tensor->quantize(zeros, buffers[i]);
    free(zeros);
  }
  model->run((const void *const *)buffers, buffers + model->num_inputs, arena,
             NULL);

  const qopt_tensor *output = &model->outputs[0];
  float *values = malloc(output->elements * sizeof(float));
  if (!values)
    return 1;
  output->dequantize(buffers[model->num_inputs], values);
  printf("%s:", output->name);
  for (unsigned long long i = 0; i < output->elements; ++i)
    printf(" %.2f", values[i]);
  printf("\n");
  free(values);
  for (unsigned i = 0; i < total; ++i)
    free(buffers[i]);
  return 0;
}
