// SPDX-License-Identifier: MIT
// Finds the notifications whose receipt is overdue, or which have expired, and writes an event for each.
// Reads by one index; changes no row: the batch that takes the event in does. Thread: one.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/watch/emitter.h"

// A provider's notifications as this tick sees them.
struct deadlines_provider {
  const char *name;      // borrowed
  int64_t written_at_ms; // when events about it were last written; INT64_MIN: never
  bool hold;             // its overdue notifications wait: it may be silent, which one alert will say
  // Those that have expired wait until the schedule has asked for them, which it does so often; 0: they do
  // not.
  int64_t every_s;
  int64_t wait_ms;     // for the caller: for how long at most
  int64_t given_up_ms; // what expired until then waits no longer; NO_TIME: nothing
  int64_t unasked;     // written though it was not asked for them, since the caller set it to 0
  bool has_more;       // as many were due as may be written at once, so more may be
};

// Prepares the statement.
MUST_CHECK bool deadlines_prepare(PGconn *conn, struct err *err);
// Whether a notification of any of them is due now by this machine's clock; also one that is held, but none
// that waits for the schedule. Costs one statement.
MUST_CHECK bool deadlines_any(PGconn *conn, const struct deadlines_provider *list, size_t n, bool *any,
                              struct err *err);
// Writes the events of those that were due at `until_ms`, DEADLINES_MAX of a provider at most, and waits for
// Kafka. A provider whose last events the group has not read by then is left for the next time. `has_more`:
// more of some provider may be due, and its last events are so young that the group will soon have read them.
enum { DEADLINES_MAX = 250 };
MUST_CHECK bool deadlines_write(PGconn *conn, struct emitter *emitter, struct deadlines_provider *list,
                                size_t n, int64_t until_ms, bool *has_more, struct err *err);
