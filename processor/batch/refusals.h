// SPDX-License-Identifier: MIT
// Stores a batch of which Postgres refuses some records, and decides whether those records or the database
// are at fault. Not for: a server that is away (STORE_WAIT). Thread: the worker's.
#pragma once
#include "processor/batch/partitions.h"
#include "processor/batch/publish_fault.h"

struct refusals {
  struct publish_fault *fault; // borrowed; set if the database is at fault
  struct err last;             // of the last refused record
  // By kind: receipts and acceptances, and quarantined records. A refused record of the first kind comes back
  // as one of the second.
  size_t before[2]; // refused since the last batch of which Postgres accepted one, without this batch
  struct {
    size_t refused[2];
    bool is_taken[2]; // at least one
  } batch;
};

// Stores the facts, and the marks of partitions_unmarked(). A refused record is FACT_UNCLEAR when it is done,
// or FACT_OTHER if it came from the quarantine topic. False: the server is away, or the database is at fault.
// Then nothing is quarantined, and an operator has to mend the database.
MUST_CHECK bool refusals_store(struct refusals *refusals, struct store *store, struct partitions *partitions,
                               struct fact **facts, size_t n, struct err *err);
// Before the stored batch is published. False: Postgres has refused too many records in a row, so the
// database is at fault.
MUST_CHECK bool refusals_check(const struct refusals *refusals, struct err *err);
// The batch is published, so its refused records count. Those of a batch that failed do not: it is read
// again.
void refusals_committed(struct refusals *refusals, struct metrics *metrics);
