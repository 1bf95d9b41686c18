// SPDX-License-Identifier: MIT
// The events that open and close incidents. Thread: one.
#pragma once
#include "processor/watch/judge.h"

struct judge_key {
  enum incident_kind kind;
  const char *provider, *endpoint, *scope; // "": none
};

// The open incident of that key, or NULL.
const struct view_incident *judge_event_find(const struct judge *judge, const struct judge_key *key);
// The minute in which it was opened; NOT_OPEN of NULL.
int64_t judge_event_minute(const struct view_incident *row);
// Queues the event. The story is borrowed.
MUST_CHECK bool judge_event_open(struct judge *judge, const struct judge_key *key, int64_t since_ms,
                                 const struct incident_story *story, struct err *err);
// `row` is open; `summary` says why it is over.
MUST_CHECK bool judge_event_close(struct judge *judge, const struct view_incident *row, const char *summary,
                                  struct err *err);
