// SPDX-License-Identifier: MIT
// Why a part is not ready, for those who ask while it may change. One thread sets it, any reads it without
// waiting. A text that was set once stays to the end, so that what a reader has got never goes away; so it
// names causes, and no times or counts.
#pragma once
#include <stdatomic.h>

struct reason_text;

struct reason {
  const char *_Atomic now; // NULL: there is none
  struct reason_text *texts;
};

void reason_set(struct reason *reason, const char *text); // copied; NULL: there is none any more
static inline const char *reason_get(const struct reason *reason) {
  return atomic_load(&reason->now);
}
void reason_fini(struct reason *reason); // of a zeroed one is nothing
