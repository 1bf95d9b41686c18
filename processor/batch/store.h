// SPDX-License-Identifier: MIT
// Postgres, as one worker sees it: its connection and the one transaction that a batch is. All or nothing:
// when store_batch() says STORE_DONE everything a batch means is committed; otherwise nothing is. Doing it
// again with the same records changes nothing. Not for: the status rules (ledger) or Kafka (worker). Thread:
// one worker each.
#pragma once
#include "common/base/err.h"
#include "common/ops/metrics.h"
#include "processor/rules/alert.h"
#include "processor/rules/interpret.h"
#include <libpq-fe.h>

struct store;

enum store_result {
  STORE_DONE,
  STORE_WAIT,    // the server, not the data; err says what. Close the store, wait, open a new one
  STORE_REFUSED, // some record holds what Postgres will never take; err says what
};

// Connects by libpq's own PG* environment, prepares, and holds the schema's version (schema_version.h).
// `metrics` counts what was done again; NULL: nobody wants to know. Borrowed.
MUST_CHECK struct store *store_open(struct metrics *metrics, struct err *err);
void store_close(struct store *store);
// For what else is done in its session. Borrowed.
PGconn *store_connection(struct store *store);

// Alerts that are on their topic, committed, and have no mark yet. It outlives the store: what one database
// connection could not be told, the next one is. Without a mark an alert is told again where the group's
// offsets are lost as well; then its ce_id tells the two apart.
struct told {
  struct uuid *ids;
  size_t n, room;
};
void told_add(struct told *told, const struct alert *alerts, size_t n);
void told_fini(struct told *told);

// Applies the facts, in their order, and marks what was told, in one transaction; `told` is empty then. Only
// FACT_NOTIFICATION and FACT_QUARANTINED have an effect.
MUST_CHECK enum store_result store_batch(struct store *store, struct fact *const *facts, size_t n,
                                         struct told *told, struct err *err);
// Only marks them.
MUST_CHECK bool store_mark(struct store *store, struct told *told, struct err *err);

// The places of a batch in one partition.
struct store_range {
  const char *topic; // borrowed
  int32_t partition;
  int64_t first, last;
};
// The alerts whose source lies in the ranges and that are not known to be told, also those of an earlier
// attempt. *out is a new array.
MUST_CHECK bool store_alerts(struct store *store, const struct store_range *ranges, size_t n,
                             struct alert **out, size_t *n_out, struct err *err);
