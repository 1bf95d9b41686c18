// SPDX-License-Identifier: MIT
// Until when the consumer group has read the events topic: all that was written before that time is in
// Postgres. Looks at the offsets that the whole group has committed, not only this process, and at the ends
// of the partitions; reads no record and joins no group. A partition is hidden if no broker says where it
// ends, because it has no leader or the leader does not answer: what it contains is not known. Thread: one.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"

struct frontier;

MUST_CHECK struct frontier *frontier_open(const struct settings *settings, const char *topic,
                                          struct err *err);
void frontier_close(struct frontier *frontier);

// Unix milliseconds by this machine's clock; INT64_MIN as long as the group is behind where it was when the
// frontier was opened.
struct frontier_known {
  int64_t until_ms;  // of all partitions; a hidden one keeps the time that was known before
  int64_t others_ms; // of all but the hidden ones
  int32_t hidden;    // how many partitions are hidden
};
// Asks Kafka for the partitions, their ends and the committed offsets: each for 2 s at most, and where
// partitions are hidden each broker for theirs. Logs which are hidden when that changes. False also if all
// are.
MUST_CHECK bool frontier_look(struct frontier *frontier, struct frontier_known *known, struct err *err);

// Whether records with this key are in a partition that was hidden at the last look. A NULL frontier hides
// none.
bool frontier_hides(const struct frontier *frontier, const char *key);
// Where to write an event whose order among those of its key does not matter: to the partition of the key
// (RD_KAFKA_PARTITION_UA), or if that is hidden to the next one that is not. NULL is allowed.
int32_t frontier_partition(const struct frontier *frontier, const char *key);

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
