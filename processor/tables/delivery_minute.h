// SPDX-License-Identifier: MIT
// Counters per minute, provider, endpoint, outcome and partition. A record is counted once: table `applied`
// holds for each partition up to where its records are counted, in the same transaction. A topic that was
// made anew is counted again once it is as long as the one before. Not for: what a record counts as (store).
// Thread: that of the connection.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/rules/interpret.h"

struct delivery {
  const struct fact *fact; // borrowed
  const char *outcome;     // borrowed, one of the table's CHECK
  int64_t at;              // when ingress received it, Unix milliseconds
  int64_t records;         // 1
};

// Within the caller's transaction. Changes the list.
MUST_CHECK bool delivery_minute_add(PGconn *conn, struct delivery *list, size_t n, enum pg_fault *fault,
                                    struct err *err);
