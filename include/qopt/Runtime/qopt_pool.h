// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A small thread pool for emitted models: an implementation of
// qopt_context.parallel_for that may be linked beside a model (libQoptPool.a)
// and never must be.
#ifndef QOPT_POOL_H
#define QOPT_POOL_H

#include "qopt_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qopt_pool qopt_pool;

/* A pool of `workers` threads, the caller's own included; 1 to 1024. NULL if
   that is out of range or threads cannot be made. Workers wait busily for a
   short time after each region and sleep after that. */
qopt_pool *qopt_pool_create(uint32_t workers);

/* Ends the threads. No region may be running. NULL is ignored. */
void qopt_pool_destroy(qopt_pool *pool);

/* Points `ctx` (all other fields set by the caller) to the pool. */
void qopt_pool_attach(qopt_pool *pool, qopt_context *ctx);

/* Calls task(arg, i) once for each i < count, on the caller's thread and the
   workers, and returns when all are done. Regions of one pool run one at a
   time: two threads that call models need two pools. Not from inside a task. */
void qopt_pool_parallel_for(void *pool, uint32_t count, qopt_task task,
                            void *arg);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* QOPT_POOL_H */
