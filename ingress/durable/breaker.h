// SPDX-License-Identifier: MIT
// Whether it is worth waiting for Kafka: after some failures in a row, no longer, until somebody has heard of
// it again. Thread: any.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

enum { BREAKER_FAILURES = 3 }; // one lost request in flight is no outage, and the third costs a whole budget

struct breaker {
  atomic_uint failures;
  atomic_bool open;
};

static inline bool breaker_is_open(const struct breaker *breaker) {
  return atomic_load_explicit(&breaker->open, memory_order_relaxed);
}

// True: this failure has opened it.
static inline bool breaker_fail(struct breaker *breaker) {
  return atomic_fetch_add(&breaker->failures, 1) + 1 >= BREAKER_FAILURES &&
         !atomic_exchange(&breaker->open, true);
}

// True: this success has closed it.
static inline bool breaker_succeed(struct breaker *breaker) {
  if (atomic_load_explicit(&breaker->failures, memory_order_relaxed)) atomic_store(&breaker->failures, 0);
  return breaker_is_open(breaker) && atomic_exchange(&breaker->open, false);
}
