// SPDX-License-Identifier: MIT
#include "ingress/http/quota.h"

enum { LANE_PART = 2, LANE_LEAST_PART = 16 }; // of all bytes: a lane's most, and what it always has

static bool take_one(_Atomic int64_t *count, int64_t most) {
  if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < most) return true;
  atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
  return false;
}

bool quota_enter(struct quota_lane *lane, bool strict) {
  return take_one(&lane->threads, strict ? lane->threads_max : INT64_MAX);
}

void quota_leave(struct quota_lane *lane) {
  atomic_fetch_sub_explicit(&lane->threads, 1, memory_order_relaxed);
}

bool quota_begin_slow(struct quota_lane *lane) {
  return take_one(&lane->slow, lane->threads_max);
}

void quota_end_slow(struct quota_lane *lane) {
  atomic_fetch_sub_explicit(&lane->slow, 1, memory_order_relaxed);
}

bool quota_hold(struct quota_lane *lane, int64_t bytes, int64_t own) {
  struct quota *quota = lane->quota;
  int64_t of_all = atomic_fetch_add_explicit(&quota->bytes, bytes, memory_order_relaxed);
  int64_t of_lane = atomic_fetch_add_explicit(&lane->bytes, bytes, memory_order_relaxed);
  bool leaves_room = of_all + bytes <= quota->bytes_max;
  bool fits = leaves_room && of_lane + bytes <= quota->bytes_max / LANE_PART;
  bool is_alone = of_lane == own && (leaves_room || !lane->alone_max || own + bytes <= lane->alone_max);
  if (fits || is_alone || of_lane + bytes <= quota->bytes_max / LANE_LEAST_PART) return true;
  quota_release(lane, bytes);
  return false;
}

void quota_release(struct quota_lane *lane, int64_t bytes) {
  atomic_fetch_sub_explicit(&lane->bytes, bytes, memory_order_relaxed);
  atomic_fetch_sub_explicit(&lane->quota->bytes, bytes, memory_order_relaxed);
}
