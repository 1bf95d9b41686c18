// SPDX-License-Identifier: MIT
// The calls of each endpoint, minute by minute: one event for each endpoint and minute
// (event.minute.schema.json), also when no call came. By these events the processor can tell a silent
// provider from an ingress that was away or refused the calls. Not for: metrics (counters.h); what follows
// from a minute.
//
// Each call is in one record. Records that cannot be made durable are kept and sent again, with the same ids,
// at the end of the next minute. The calls until then are in the record after them. At a stop, records that
// cannot be made durable are lost, and the log says so.
//
// The minutes are those of the wall clock, and a minute has at most one record. If the clock goes forward,
// the minutes between have none. If it goes back, the current minute lasts until the clock has passed it
// again. If it goes back by more than an hour, the minutes begin again there, and their records have other
// ids.
#pragma once
#include "common/ops/metrics.h"
#include "ingress/durable/publisher.h"
#include "ingress/sender/endpoints.h"

struct minutes;

// `instance` names this process in the records. All pointers are borrowed. Times are Unix milliseconds.
struct minutes *minutes_new(const struct endpoints *endpoints, const char *instance,
                            struct publisher *publisher, struct metrics *metrics, int64_t now_ms);
void minutes_free(struct minutes *minutes);

// Counts an answer to a call that named the endpoint. `refused` is the check that refused the sender, or
// NULL. A refused call neither adds to the failures in a row nor ends them: perhaps the provider knows
// nothing of it. Thread: any.
void minutes_count(struct minutes *minutes, const struct endpoint *endpoint, const char *refused, int status);

// Publishes the records of a minute that is over. Blocks for 3 s at most, while neither Kafka nor the spool
// takes them. Thread: the main one, as the next two.
void minutes_tick(struct minutes *minutes, int64_t now_ms);
int64_t minutes_left_ms(int64_t now_ms); // until the minute is over, 1 at least
// The last records, of a part of a minute. After the last call was counted.
void minutes_leave(struct minutes *minutes, int64_t now_ms);
