// SPDX-License-Identifier: MIT
// Postgres, as a replay sees it: chooses notifications by the time at which something about them was
// received, reads page by page all their receipts and acceptances, and builds each anew by today's provider
// files. What differs is written in one transaction a page: the notifications, the outcomes and codes of
// their receipts, and the alerts, or nothing of them. Beside running processors: a page that one of them has
// written meanwhile is read again. Not for: publishing alerts (replay_alerts). Thread: one.
#pragma once
#include "processor/commands/report.h"
#include "processor/rules/interpret.h"
#include <libpq-fe.h>

struct replay_options {
  int64_t from_ms, to_ms; // from the one to before the other; INT64_MIN, INT64_MAX: no bound
  const char *provider;   // NULL: all
  bool dry_run;
};

enum replay_count {
  REPLAY_NOTIFICATIONS, // read
  REPLAY_RECEIPTS,
  REPLAY_ACCEPTANCES,
  REPLAY_CHANGED, // notifications
  REPLAY_ALERTS,  // raised
  // Notifications that stay as they are, since today's provider files cannot read all that is stored of them,
  // or since their provider has none; and those whose acceptance is not stored.
  REPLAY_UNCLEAR,
  REPLAY_WITHOUT_FILE,
  REPLAY_KEPT,
  REPLAY_COUNTS
};

struct replay_store { // all borrowed
  PGconn *conn;       // of a store
  const struct interpreter *interpreter;
  const char *source; // of the alerts
  const struct replay_options *options;
};

// Chooses the notifications with a receipt or an acceptance that was received in that time. *n: how many.
// Unless it is a dry run, it fails when another replay is at work, and keeps others away until the connection
// closes.
MUST_CHECK bool replay_store_begin(const struct replay_store *rs, int64_t *n, struct err *err);

// Corrects the next page of what was chosen, adds to the counts, and reports what has changed. A dry run does
// the same, and leaves Postgres as it was.
MUST_CHECK bool replay_store_next(const struct replay_store *rs, int64_t counts[REPLAY_COUNTS],
                                  struct report *report, struct err *err);
