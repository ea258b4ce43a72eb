// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Spin-then-park pool. Each worker has a lane: a 64-bit word {generation, next,
// end} of the pieces that are its own, so that the same worker takes the same
// piece of every region and finds in its cache what it wrote before. Who has
// done its own takes from the end of others. Pieces are claimed by
// compare-and-swap, so a worker that comes late can neither claim a piece twice
// nor one of another region. Sleeping workers are woken, never waited for.

#define _POSIX_C_SOURCE 200809L
#include "qopt/Runtime/qopt_pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* About 100 us of pauses on current x86; on other CPUs somewhat less. */
#define SPIN_LIMIT 4000u
/* `next` and `count` have 16 bits each. */
#define PIECE_LIMIT 65535u

/* What one thread polls and writes, away from what others do. */
typedef struct lane {
  _Alignas(
      128) _Atomic uint64_t pieces; /* generation << 32 | next << 16 | end */
  _Atomic bool asleep;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  struct qopt_pool *pool;
  pthread_t thread;
  /* Pieces that this thread has ended, of all regions. */
  _Alignas(128) _Atomic uint64_t done;
} lane;

struct qopt_pool {
  /* Of the region that is running; written while no piece is unfinished. */
  qopt_task task;
  void *arg;
  uint32_t first;

  uint32_t num_lanes; /* the caller's is the first */
  uint32_t spin_limit;
  uint64_t generation;
  uint64_t published; /* pieces of all regions */
  _Atomic bool closing;
  lane lanes[];
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

static uint32_t next_of(uint64_t pieces) {
  return (uint32_t)(pieces >> 16) & PIECE_LIMIT;
}

static uint32_t end_of(uint64_t pieces) {
  return (uint32_t)pieces & PIECE_LIMIT;
}

static bool has_piece(uint64_t pieces) {
  return next_of(pieces) < end_of(pieces);
}

/* Runs pieces of `from`, its first ones if they are `own`, else its last. */
static bool work_on(qopt_pool *pool, lane *from, lane *own) {
  uint64_t pieces = atomic_load(&from->pieces);
  bool found = false;
  while (has_piece(pieces)) {
    uint64_t rest = from == own ? pieces + (UINT64_C(1) << 16) : pieces - 1;
    if (!atomic_compare_exchange_weak(&from->pieces, &pieces, rest))
      continue;
    /* The region cannot end before this piece, so its fields stand still. */
    uint32_t index = from == own ? next_of(pieces) : end_of(pieces) - 1;
    pool->task(pool->arg, pool->first + index);
    atomic_store_explicit(
        &own->done, atomic_load_explicit(&own->done, memory_order_relaxed) + 1,
        memory_order_release);
    found = true;
    pieces = atomic_load(&from->pieces);
  }
  return found;
}

/* Own pieces, then those that others have not begun. */
static void work(qopt_pool *pool, lane *own) {
  work_on(pool, own, own);
  for (uint32_t i = 0; i < pool->num_lanes; ++i)
    if (&pool->lanes[i] != own)
      work_on(pool, &pool->lanes[i], own);
}

static void sleep_until_work(lane *own) {
  pthread_mutex_lock(&own->mutex);
  /* Said before the check: who publishes pieces after the check sees it and
     takes the mutex to wake this thread. */
  atomic_store(&own->asleep, true);
  while (!has_piece(atomic_load(&own->pieces)) &&
         !atomic_load(&own->pool->closing))
    pthread_cond_wait(&own->wake, &own->mutex);
  atomic_store(&own->asleep, false);
  pthread_mutex_unlock(&own->mutex);
}

static void *worker_main(void *argument) {
  lane *own = argument;
  qopt_pool *pool = own->pool;
  uint32_t idle = 0;
  while (!atomic_load_explicit(&pool->closing, memory_order_acquire)) {
    if (has_piece(atomic_load_explicit(&own->pieces, memory_order_acquire))) {
      work(pool, own);
      idle = 0;
    } else if (++idle < pool->spin_limit) {
      relax();
    } else {
      sleep_until_work(own);
      idle = 0;
    }
  }
  return NULL;
}

static void wake(lane *sleeper) {
  pthread_mutex_lock(&sleeper->mutex);
  pthread_cond_signal(&sleeper->wake);
  pthread_mutex_unlock(&sleeper->mutex);
}

static uint64_t pieces_done(qopt_pool *pool) {
  uint64_t done = 0;
  for (uint32_t i = 0; i < pool->num_lanes; ++i)
    done += atomic_load_explicit(&pool->lanes[i].done, memory_order_acquire);
  return done;
}

static void run_region(qopt_pool *pool, uint32_t first, uint32_t count,
                       qopt_task task, void *arg) {
  pool->task = task;
  pool->arg = arg;
  pool->first = first;
  pool->published += count;
  uint64_t generation = ++pool->generation << 32;
  /* Neighbouring pieces for one thread; those of others first. */
  for (uint32_t i = pool->num_lanes; i-- > 0;) {
    uint64_t next = (uint64_t)count * i / pool->num_lanes;
    uint64_t end = (uint64_t)count * (i + 1) / pool->num_lanes;
    if (count < pool->num_lanes) {
      next = i < count ? i : count;
      end = i < count ? i + 1 : count;
    }
    atomic_store(&pool->lanes[i].pieces, generation | next << 16 | end);
    if (next < end && atomic_load(&pool->lanes[i].asleep))
      wake(&pool->lanes[i]);
  }
  work(pool, &pool->lanes[0]);
  for (uint32_t spins = 0; pieces_done(pool) != pool->published; ++spins) {
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
    if (pieces == 1 || pool->num_lanes == 1)
      for (uint32_t i = 0; i < pieces; ++i)
        task(arg, first + i);
    else
      run_region(pool, first, pieces, task, arg);
    first += pieces;
  }
}

void qopt_pool_attach(qopt_pool *pool, qopt_context *ctx) {
  ctx->workers = pool->num_lanes;
  ctx->parallel_for = qopt_pool_parallel_for;
  ctx->pool = pool;
}

void qopt_pool_destroy(qopt_pool *pool) {
  if (!pool)
    return;
  atomic_store(&pool->closing, true);
  for (uint32_t i = 1; i < pool->num_lanes; ++i) {
    wake(&pool->lanes[i]);
    pthread_join(pool->lanes[i].thread, NULL);
    pthread_cond_destroy(&pool->lanes[i].wake);
    pthread_mutex_destroy(&pool->lanes[i].mutex);
  }
  free(pool);
}

/* False if the thread cannot be made; then nothing is left of it. */
static bool start(qopt_pool *pool, lane *own) {
  own->pool = pool;
  if (pthread_mutex_init(&own->mutex, NULL) != 0)
    return false;
  if (pthread_cond_init(&own->wake, NULL) == 0) {
    if (pthread_create(&own->thread, NULL, worker_main, own) == 0)
      return true;
    pthread_cond_destroy(&own->wake);
  }
  pthread_mutex_destroy(&own->mutex);
  return false;
}

qopt_pool *qopt_pool_create(uint32_t workers) {
  if (workers < 1 || workers > 1024)
    return NULL;
  size_t bytes = sizeof(qopt_pool) + workers * sizeof(lane);
  qopt_pool *pool = aligned_alloc(_Alignof(qopt_pool), bytes);
  if (!pool)
    return NULL;
  memset(pool, 0, bytes);
  /* With fewer CPUs than workers, a spinning worker holds up a working one. */
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  pool->spin_limit = cpus >= (long)workers ? SPIN_LIMIT : 1;
  /* Workers look into all lanes; those that are not yet there have no pieces.
   */
  pool->num_lanes = 1;
  while (pool->num_lanes < workers) {
    if (!start(pool, &pool->lanes[pool->num_lanes])) {
      qopt_pool_destroy(pool);
      return NULL;
    }
    ++pool->num_lanes;
  }
  return pool;
}
