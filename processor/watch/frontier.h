// SPDX-License-Identifier: MIT
// Until when the consumer group has read the events topic: all that was written before that time is in
// Postgres. Looks at the offsets that the whole group has committed, not only this process, and at the ends
// of the partitions; reads no record and joins no group. Thread: one.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"

struct frontier;

MUST_CHECK struct frontier *frontier_open(const struct settings *settings, const char *topic,
                                          struct err *err);
void frontier_close(struct frontier *frontier);

// Asks Kafka, for 2 s at most. *until_ms: Unix milliseconds by this machine's clock; INT64_MIN as long as the
// group is behind where it was when the frontier was opened.
MUST_CHECK bool frontier_look(struct frontier *frontier, int64_t *until_ms, struct err *err);

// ---- the pure part ----

enum { FRONTIER_MARKS = 64 };

// Ends of a partition that the group has not reached yet, with the time at which each was seen.
struct frontier_mark {
  int64_t end, at_ms;
};
struct frontier_marks {
  struct frontier_mark list[FRONTIER_MARKS];
  size_t n;
  int64_t until_ms; // INT64_MIN: none of them was reached
};
void frontier_marks_init(struct frontier_marks *marks);
// The partition had this end at `at_ms`, and the group has committed this offset.
void frontier_mark(struct frontier_marks *marks, int64_t end, int64_t committed, int64_t at_ms);
