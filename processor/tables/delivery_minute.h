// SPDX-License-Identifier: MIT
// Counters per minute, provider, endpoint, outcome and partition, and of records about messages also per
// channel and code (code_minute). A record is counted once: table `applied` holds for each partition up to
// where its records are counted, in the same transaction. A topic that was made anew is counted again once it
// is as long as the one before. Not for: what a record counts as (store). Thread: that of the connection.
#pragma once
#include "processor/postgres/pipeline.h"
#include "processor/rules/interpret.h"

struct delivery {
  const struct fact *fact; // borrowed
  const char *outcome;     // borrowed, one of the table's CHECK
  const char *channel;     // borrowed, or NULL
  const char *code;        // borrowed; NULL: it is not counted by channel and code
  int64_t at;              // when ingress received it, Unix milliseconds
  int64_t records;         // 1
};

// Two steps of one transaction. send_advance() stores up to which offset each partition of the facts is
// counted, and locks its row until the transaction ends. An unclear record does not count: it comes again
// from the quarantine topic. Returns the step of the pipeline. is_counted(): by that step's result, this
// fact's record was counted before. send() adds those of the list that were not; it changes the list.
size_t delivery_minute_send_advance(struct pipeline *pipeline, struct fact *const *facts, size_t n);
bool delivery_minute_is_counted(const struct fact *fact, const PGresult *advanced);
void delivery_minute_send(struct pipeline *pipeline, struct delivery *list, size_t n,
                          const PGresult *advanced);
