// SPDX-License-Identifier: MIT
// Postgres, as one worker sees it: its connection and the one transaction that a batch is. All or nothing:
// when store_batch() says STORE_DONE everything a batch means is committed; otherwise nothing is. Doing it
// again with the same records changes nothing. Not for: the status rules (ledger) or Kafka (worker). Thread:
// one worker each.
#pragma once
#include "common/base/err.h"
#include "processor/rules/alert.h"
#include "processor/rules/interpret.h"
#include <libpq-fe.h>

struct processor;
struct store;

enum store_result {
  STORE_DONE,
  STORE_WAIT,    // the server, not the data; err says what. Close the store, wait, open a new one
  STORE_REFUSED, // some record holds what Postgres will never take; err says what
};

// Connects by libpq's own PG* environment, prepares, and holds the schema's version (schema_version.h).
// `processor` is borrowed; NULL: for other things than batches.
MUST_CHECK struct store *store_open(const struct processor *processor, struct err *err);
void store_close(struct store *store);
// For what else is done in its session. Borrowed.
PGconn *store_connection(struct store *store);

// Places in one partition.
struct store_range {
  const char *topic; // borrowed
  int32_t partition;
  int64_t first, last;
};

// Applies the facts, in their order, and marks the alerts whose source lies in the `published` ranges, in one
// transaction. FACT_OTHER and FACT_UNCLEAR have no effect but to be counted. A receipt of another
// recipient (recipients.h) has none and is FACT_UNCLEAR when it is done.
MUST_CHECK enum store_result store_batch(struct store *store, struct fact *const *facts, size_t n,
                                         const struct store_range *published, size_t n_published,
                                         struct err *err);
// Whether the database takes a harmless record: writes a receipt of a made-up notification and what else a
// batch writes, and rolls back. STORE_DONE: it does, so what it refused is at fault. STORE_REFUSED: it does
// not, so the database is. The rows have a provider that no provider file can name, and a place of the topic
// that does not exist.
MUST_CHECK enum store_result store_probe(struct store *store, rd_kafka_topic_t *topic, struct err *err);
// Only marks them. Without a mark an alert is published again where the group's offsets are lost as well;
// then its ce_id tells the two apart.
MUST_CHECK bool store_mark(struct store *store, const struct store_range *published, size_t n,
                           struct err *err);
// Alerts older than a minute that have no mark; 10,000 stands for more.
MUST_CHECK bool store_count_unpublished(struct store *store, int64_t *n, struct err *err);

// The alerts whose source lies in the ranges and that have no mark, also those of an earlier attempt. *out is
// a new array.
MUST_CHECK bool store_alerts(struct store *store, const struct store_range *ranges, size_t n,
                             struct alert **out, size_t *n_out, struct err *err);
