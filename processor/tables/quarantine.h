// SPDX-License-Identifier: MIT
// Which records stand on the quarantine topic, and what became of them. The bytes stay in Kafka. Not for:
// when one raises an alert (quarantine_alert). Thread: that of the connection.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/postgres/pipeline.h"
#include "processor/rules/interpret.h"

// Adds a row for each of these records. One that is read again changes nothing.
void quarantine_send(struct pipeline *pipeline, struct fact *const *quarantined, size_t n);

struct quarantine_place {
  int32_t partition;
  int64_t offset;
};
// Marks these records as redriven, in a session that has prepared quarantine_redriven.sql.
MUST_CHECK bool quarantine_mark(PGconn *conn, const struct quarantine_place *places, size_t n,
                                struct err *err);
