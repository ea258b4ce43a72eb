// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every emitted model offers to generic callers. The text between the
// guards is repeated in each generated header, so that one .h is enough.
#ifndef QOPT_ABI_H
#define QOPT_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QOPT_ABI_VERSION 1u
#define QOPT_NO_VARIANT 0xffffffffu

/* One piece of a parallel region. */
typedef void (*qopt_task)(void *arg, uint32_t index);

/* How a model may run. NULL in its place means: serial, baseline code. */
typedef struct qopt_context {
  uint32_t struct_size; /* sizeof(qopt_context): lets it grow */
  uint32_t variant;     /* from qopt_model.resolve_variant, 0 is baseline */
  uint32_t workers;     /* threads that parallel_for may use, at least 1 */
  uint32_t reserved;    /* 0 */
  /* Calls task(arg, i) for each i < count, returns when all are done. */
  void (*parallel_for)(void *pool, uint32_t count, qopt_task task, void *arg);
  void *pool;
} qopt_context;

/* Element types at the boundary. */
enum {
  QOPT_TYPE_I8 = 0,
  QOPT_TYPE_U8 = 1,
  QOPT_TYPE_I16 = 2,
  QOPT_TYPE_U16 = 3,
  QOPT_TYPE_I32 = 4,
  QOPT_TYPE_F32 = 5 /* real numbers; scale 1, zero point 0 */
};

/* real = scale * (integer - zero_point); row-major, the ONNX model's shape. */
typedef struct qopt_tensor {
  const char *name; /* as in the ONNX model */
  uint32_t type;    /* QOPT_TYPE_* */
  uint32_t rank;
  const int64_t *dims;
  uint64_t elements;
  uint64_t bytes;
  float scale;
  int32_t zero_point;
  /* NULL without boundary helpers; inputs have the first, outputs the other. */
  void (*quantize)(const float *src, void *dst);
  void (*dequantize)(const void *src, float *dst);
} qopt_tensor;

typedef struct qopt_model {
  uint32_t abi_version; /* QOPT_ABI_VERSION */
  uint32_t struct_size; /* sizeof(qopt_model): lets it grow */
  const char *name;
  const char *info; /* JSON, NAME_info */
  uint64_t arena_size;
  uint32_t arena_align;
  uint32_t num_inputs;
  uint32_t num_outputs;
  uint32_t num_variants;
  uint32_t tensor_size; /* sizeof(qopt_tensor): lets it grow */
  uint32_t max_workers; /* more workers than these are never used */
  const qopt_tensor *inputs;
  const qopt_tensor *outputs;
  /* One pointer a graph input and output, graph order. */
  void (*run)(const void *const *inputs, void *const *outputs, void *arena,
              const qopt_context *ctx);
  /* The best variant for this CPU, or QOPT_NO_VARIANT if it can run none; ask
     once, cpuid is slow in a VM. */
  uint32_t (*resolve_variant)(void);
  /* All inputs' quantize and all outputs' dequantize, graph order, by the
     context's workers; NULL without boundary helpers. */
  void (*quantize)(const float *const *src, void *const *dst,
                   const qopt_context *ctx);
  void (*dequantize)(const void *const *src, float *const *dst,
                     const qopt_context *ctx);
} qopt_model;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* QOPT_ABI_H */
