// SPDX-License-Identifier: MIT
#include "ingress/http/quota.h"

enum {
  LANE_PART = 2, // of all bytes, a lane's most
  LANE_LEAST_PART = 16,
  FREE_PART = 8, // of all threads, kept free where several lanes are in use
  SHARED_MS = 60000,
};

// Whether another lane was in use lately. A firm lane needs nothing to be kept free for it.
static bool is_shared(struct quota_lane *lane, int64_t now_ms) {
  struct quota *quota = lane->quota;
  if (!lane->firm) {
    struct quota_lane *last = atomic_exchange_explicit(&quota->last, lane, memory_order_relaxed);
    if (last && last != lane) atomic_store_explicit(&quota->shared_ms, now_ms, memory_order_relaxed);
  }
  int64_t shared_ms = atomic_load_explicit(&quota->shared_ms, memory_order_relaxed);
  return shared_ms && now_ms - shared_ms < SHARED_MS;
}

bool quota_enter(struct quota_lane *lane, int64_t now_ms) {
  struct quota *quota = lane->quota;
  int64_t most = quota->threads_max - (is_shared(lane, now_ms) ? quota->threads_max / FREE_PART : 0);
  int64_t of_lane = atomic_fetch_add_explicit(&lane->threads, 1, memory_order_relaxed);
  int64_t of_all = atomic_fetch_add_explicit(&quota->threads, 1, memory_order_relaxed);
  if (of_lane < lane->threads_max || (!lane->firm && of_all < most)) return true;
  quota_leave(lane);
  return false;
}

void quota_leave(struct quota_lane *lane) {
  atomic_fetch_sub_explicit(&lane->threads, 1, memory_order_relaxed);
  atomic_fetch_sub_explicit(&lane->quota->threads, 1, memory_order_relaxed);
}

bool quota_hold(struct quota_lane *lane, int64_t bytes, int64_t own) {
  struct quota *quota = lane->quota;
  int64_t of_all = atomic_fetch_add_explicit(&quota->bytes, bytes, memory_order_relaxed);
  int64_t of_lane = atomic_fetch_add_explicit(&lane->bytes, bytes, memory_order_relaxed);
  bool fits = of_all + bytes <= quota->bytes_max && of_lane + bytes <= quota->bytes_max / LANE_PART;
  if (fits || of_lane == own || of_lane + bytes <= quota->bytes_max / LANE_LEAST_PART) return true;
  quota_release(lane, bytes);
  return false;
}

void quota_release(struct quota_lane *lane, int64_t bytes) {
  atomic_fetch_sub_explicit(&lane->bytes, bytes, memory_order_relaxed);
  atomic_fetch_sub_explicit(&lane->quota->bytes, bytes, memory_order_relaxed);
}
