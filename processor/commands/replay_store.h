// SPDX-License-Identifier: MIT
// Postgres, as a replay sees it: chooses notifications by the time at which something about them was
// received, reads page by page all that was said about them, and builds each anew by today's provider files.
// What differs is written in one transaction a page: the notifications, the outcomes and codes of their
// receipts, and the alerts, or nothing of them. Beside running processors: what is to be written is read once
// more with the notifications locked. Not for: publishing alerts (telling). Thread: one.
#pragma once
#include "processor/batch/store.h"
#include "processor/rules/interpret.h"

struct replay_store;

// `source`: of the alerts it raises, borrowed. `alone`: fails when another replay is at work, and keeps
// others away until it is closed.
MUST_CHECK struct replay_store *replay_store_open(const struct interpreter *interpreter, const char *source,
                                                  bool alone, struct err *err);
void replay_store_close(struct replay_store *rs);
// Its connection. Borrowed.
struct store *replay_store_base(struct replay_store *rs);

// Chooses the notifications with a receipt or an acceptance that was received from `from_ms` to before
// `to_ms` (INT64_MIN, INT64_MAX: no bound), of one provider or, NULL, of all. Once only. *n: how many.
MUST_CHECK bool replay_store_choose(struct replay_store *rs, int64_t from_ms, int64_t to_ms,
                                    const char *provider, int64_t *n, struct err *err);

struct replay_counts {
  int64_t notifications, receipts, acceptances; // read
  // Notifications that stay as they are, since today's provider files cannot read all that was said about
  // them, or since their provider has none; and those whose acceptance is not stored.
  int64_t unclear, without_file, kept;
};
struct verdict { // on a receipt, otherwise than the row has it
  const struct notification *of;
  struct uuid receipt_id;
  const char *outcome; // static
  char *code;
};
struct replay_page { // arrays are in the same order
  struct notification *before, *after;
  bool *wanted;  // has to be looked at
  bool *changed; // not so where the row is gone
  size_t n;
  struct alert *alerts; // raised
  size_t n_alerts;
  struct verdict *verdicts;
  size_t n_verdicts;
  struct replay_counts counts;
  PGresult *keys; // whose the names are
};
// The next page of what was chosen, put right; none is left when `n` is 0. Without `change` it only looks:
// the page is the same, and Postgres as it was.
MUST_CHECK bool replay_store_next(struct replay_store *rs, bool change, struct replay_page *out,
                                  struct err *err);
void replay_page_fini(struct replay_page *page);
