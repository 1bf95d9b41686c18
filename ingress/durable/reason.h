// SPDX-License-Identifier: MIT
// The reason why a part is not ready. One thread sets it; any thread reads it without a lock. A text lives as
// long as the struct, since a reader may still hold it: so it names a cause, without times or counts, and
// there are few different texts.
#pragma once
#include <stdatomic.h>

struct reason_text;

struct reason {
  const char *_Atomic now; // NULL: ready
  struct reason_text *texts;
};

void reason_set(struct reason *reason, const char *text); // copied; NULL: ready
static inline const char *reason_get(const struct reason *reason) {
  return atomic_load(&reason->now);
}
void reason_fini(struct reason *reason); // not needed for a zeroed one
