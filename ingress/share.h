// SPDX-License-Identifier: MIT
// How much of request bodies is held at once: in all, and of that at most half for one endpoint, so that who
// floods one, or feeds it drop by drop, cannot use up the memory of all. A sixteenth is always everybody's,
// whatever the others hold. Thread: any.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SHARE_ALWAYS = 16 }; // a sixteenth of the pool

struct share_pool {
  int64_t max_bytes;
  _Atomic int64_t held;
};

struct share {
  struct share_pool *pool;
  _Atomic int64_t held;
};

static inline void share_give_back(struct share *share, int64_t bytes) {
  atomic_fetch_sub_explicit(&share->held, bytes, memory_order_relaxed);
  atomic_fetch_sub_explicit(&share->pool->held, bytes, memory_order_relaxed);
}

// `own`: what the taker holds of it already. False: it would be too much, and nothing is taken. Who is alone
// in his share may always go on, so that nothing that is allowed is refused for ever.
static inline bool share_take(struct share *share, int64_t bytes, int64_t own) {
  int64_t of_pool = atomic_fetch_add_explicit(&share->pool->held, bytes, memory_order_relaxed);
  int64_t of_share = atomic_fetch_add_explicit(&share->held, bytes, memory_order_relaxed);
  bool fits = of_pool + bytes <= share->pool->max_bytes && of_share + bytes <= share->pool->max_bytes / 2;
  if (fits || of_share == own || of_share + bytes <= share->pool->max_bytes / SHARE_ALWAYS) return true;
  share_give_back(share, bytes);
  return false;
}
