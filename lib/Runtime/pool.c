// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Spin-then-park pool. A region is one 64-bit word {generation, next, count}:
// a piece is claimed by advancing `next` with compare-and-swap, so a worker
// that comes late can neither claim a piece twice nor one of another region.
// Sleeping workers are woken, never waited for.

#define _POSIX_C_SOURCE 200809L
#include "qopt/Runtime/qopt_pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* About 100 us of pauses on current x86; on other CPUs somewhat less. */
#define SPIN_LIMIT 4000u
/* `next` and `count` have 16 bits each. */
#define PIECE_LIMIT 65535u

struct qopt_pool {
  _Atomic uint64_t state;      /* generation << 32 | next << 16 | count */
  _Atomic uint32_t unfinished; /* pieces of this region not yet done */
  _Atomic uint32_t sleepers;
  _Atomic bool closing;
  uint32_t spin_limit;
  /* Of the region in `state`; written while no piece is unfinished. */
  qopt_task task;
  void *arg;
  uint32_t first;

  pthread_mutex_t mutex;
  pthread_cond_t wake;
  uint32_t num_threads;
  pthread_t threads[];
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

static bool has_piece(uint64_t state) {
  return ((state >> 16) & PIECE_LIMIT) < (state & PIECE_LIMIT);
}

/* Claims and runs pieces until the region has none left. */
static void work(qopt_pool *pool) {
  uint64_t state = atomic_load(&pool->state);
  while (has_piece(state)) {
    if (!atomic_compare_exchange_weak(&pool->state, &state,
                                      state + (UINT64_C(1) << 16)))
      continue;
    /* The region cannot end before this piece, so its fields stand still. */
    uint32_t index = (uint32_t)((state >> 16) & PIECE_LIMIT);
    pool->task(pool->arg, pool->first + index);
    atomic_fetch_sub(&pool->unfinished, 1);
    state = atomic_load(&pool->state);
  }
}

static void sleep_until_work(qopt_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  /* Counted before the check: who publishes a region after the check sees the
     sleeper and takes the mutex to wake it. */
  atomic_fetch_add(&pool->sleepers, 1);
  while (!has_piece(atomic_load(&pool->state)) && !atomic_load(&pool->closing))
    pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *worker_main(void *argument) {
  qopt_pool *pool = argument;
  uint32_t idle = 0;
  while (!atomic_load(&pool->closing)) {
    if (has_piece(atomic_load(&pool->state))) {
      work(pool);
      idle = 0;
    } else if (++idle < pool->spin_limit) {
      relax();
    } else {
      sleep_until_work(pool);
      idle = 0;
    }
  }
  return NULL;
}

static void run_region(qopt_pool *pool, uint32_t first, uint32_t count,
                       qopt_task task, void *arg) {
  uint64_t generation = (atomic_load(&pool->state) >> 32) + 1;
  pool->task = task;
  pool->arg = arg;
  pool->first = first;
  atomic_store(&pool->unfinished, count);
  atomic_store(&pool->state, generation << 32 | count);
  if (atomic_load(&pool->sleepers) != 0) {
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
  }
  work(pool);
  for (uint32_t spins = 0; atomic_load(&pool->unfinished) != 0; ++spins) {
    relax();
    /* A worker that the system has taken off the CPU needs ours. */
    if (spins % SPIN_LIMIT == SPIN_LIMIT - 1)
      sched_yield();
  }
}

void qopt_pool_parallel_for(void *argument, uint32_t count, qopt_task task,
                            void *arg) {
  qopt_pool *pool = argument;
  for (uint32_t first = 0; first < count;) {
    uint32_t pieces = count - first < PIECE_LIMIT ? count - first : PIECE_LIMIT;
    if (pieces == 1 || pool->num_threads == 0)
      for (uint32_t i = 0; i < pieces; ++i)
        task(arg, first + i);
    else
      run_region(pool, first, pieces, task, arg);
    first += pieces;
  }
}

void qopt_pool_attach(qopt_pool *pool, qopt_context *ctx) {
  ctx->workers = pool->num_threads + 1;
  ctx->parallel_for = qopt_pool_parallel_for;
  ctx->pool = pool;
}

void qopt_pool_destroy(qopt_pool *pool) {
  if (!pool)
    return;
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->closing, true);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  for (uint32_t i = 0; i < pool->num_threads; ++i)
    pthread_join(pool->threads[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}

qopt_pool *qopt_pool_create(uint32_t workers) {
  if (workers < 1 || workers > 1024)
    return NULL;
  qopt_pool *pool =
      calloc(1, sizeof(qopt_pool) + (workers - 1) * sizeof(pthread_t));
  if (!pool)
    return NULL;
  /* With fewer CPUs than workers, a spinning worker holds up a working one. */
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  pool->spin_limit = cpus >= (long)workers ? SPIN_LIMIT : 1;
  if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
    free(pool);
    return NULL;
  }
  if (pthread_cond_init(&pool->wake, NULL) != 0) {
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
    return NULL;
  }
  for (uint32_t i = 0; i + 1 < workers; ++i) {
    if (pthread_create(&pool->threads[i], NULL, worker_main, pool) != 0) {
      qopt_pool_destroy(pool);
      return NULL;
    }
    pool->num_threads = i + 1;
  }
  return pool;
}
