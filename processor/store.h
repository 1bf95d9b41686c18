// SPDX-License-Identifier: MIT
// Postgres, as one worker sees it: its connection and the one transaction that a batch is. All or nothing:
// when store_batch() says STORE_DONE everything a batch means is committed; otherwise nothing is. Doing it
// again with the same records changes nothing. Not for: the status rules (ledger) or Kafka (worker). Thread:
// one worker each.
#pragma once
#include "common/err.h"
#include "common/metrics.h"
#include "processor/alert.h"
#include "processor/interpret.h"
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

// Applies the facts, in their order, in one transaction. Only FACT_NOTIFICATION and FACT_QUARANTINED have an
// effect.
MUST_CHECK enum store_result store_batch(struct store *store, struct fact *const *facts, size_t n,
                                         struct err *err);

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
// They are on the alert topic, committed. What is not marked so, because the process died first, is told
// again only if the group's offsets are lost as well; then its ce_id tells the two apart.
MUST_CHECK bool store_told(struct store *store, const struct alert *alerts, size_t n, struct err *err);
