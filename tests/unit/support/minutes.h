// SPDX-License-Identifier: MIT
// Minutes of a provider, given as runs of equal ones, the oldest first. The newest is minute NOW.
#pragma once
#include "common/base/mem.h"
#include "processor/rules/minutes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOW = 29 * 1000 * 1000, KEPT = MINUTES_DAY + 60, RUNS_MAX = 6 };

struct run {
  int64_t minutes;
  struct minute_counts each;
};

// The list is static: one at a time.
static inline struct minutes minutes_of(const struct run *runs) {
  static struct minute_counts list[KEPT];
  memset(list, 0, sizeof list);
  int64_t age = 0;
  for (size_t i = RUNS_MAX; i-- > 0;)
    for (int64_t minute = 0; minute < runs[i].minutes; minute++) {
      assert_true(age < KEPT);
      list[age++] = runs[i].each;
    }
  return (struct minutes){.list = list, .n = KEPT, .now = NOW};
}
