// SPDX-License-Identifier: MIT
// Postgres, as a replay sees it. First all that today's provider files say otherwise is noted, in tables of
// this session. Then the notifications concerned are built anew, page by page, each page in one transaction:
// their receipts' outcomes and codes, their rows and the alerts, or nothing of them. Beside running
// processors: whoever writes a notification second starts over from what the first one left. Not for: reading
// Kafka, telling (replay). Thread: one.
#pragma once
#include "processor/batch/store.h"
#include "processor/commands/reader.h"
#include "processor/rules/interpret.h"

struct replay_store;

// `source`: of the alerts it raises, borrowed. `alone`: fails when another replay is at work, and keeps
// others away until it is closed.
MUST_CHECK struct replay_store *replay_store_open(const struct interpreter *interpreter, const char *source,
                                                  bool alone, struct err *err);
void replay_store_close(struct replay_store *rs);
// Its connection. Borrowed.
struct store *replay_store_base(struct replay_store *rs);

// Notes what is to be noted of the facts, FACT_NOTIFICATION only. Adds to `*unknown` the receipts that were
// never taken in.
MUST_CHECK bool replay_store_note(struct replay_store *rs, const struct fact *facts, size_t n,
                                  int64_t *unknown, struct err *err);
// Once all is noted. *n: how many notifications are concerned; they are numbered from 1.
MUST_CHECK bool replay_store_gather(struct replay_store *rs, int64_t *n, struct err *err);

enum { REPLAY_PAGE_SIZE = 1000 };
struct replay_page { // arrays are in the same order
  struct notification *before, *after;
  bool *changed; // not so where there is no such number, or the row is gone
  size_t n;
  struct alert *alerts; // raised
  size_t n_alerts;
  PGresult *rows; // whose the names are
};
// Puts the notifications from number `first` right, at most a page of them. Without `change` it only looks:
// the page is the same, and Postgres as it was.
MUST_CHECK bool replay_store_correct(struct replay_store *rs, int64_t first, bool change,
                                     struct replay_page *out, struct err *err);
void replay_page_fini(struct replay_page *page);

// How many receipts of the range lie before what the spans' partitions still hold.
MUST_CHECK bool replay_store_missing(struct replay_store *rs, const struct reader_span *spans, size_t n,
                                     const struct place *from, const char *provider, int64_t *missing,
                                     struct err *err);
