// SPDX-License-Identifier: MIT
// Brings what is in the spool to Kafka. A row leaves the spool only after its delivery report; what a crash
// leaves behind is sent after the next start, and a row whose report was lost goes to Kafka twice, with the
// same ce_id. The drain has a producer of its own, so that live events never stand behind a backlog.
//
// Each partition has a lane. The rows of a lane are sent in order, while its partition takes them. When one
// fails, or none is reported on for a while, the lane waits: one row of it is tried again from time to time,
// and when that one is acknowledged the lane goes on from its first row that was left behind. The other lanes
// go on meanwhile. Rows that Kafka refuses for what they are (too large, invalid) stay in the spool and hold
// up no other: once a minute, and after each start, their lane goes back to the first of them.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "ingress/durable/breaker.h"
#include "ingress/durable/durability.h"
#include "ingress/durable/spool.h"

struct drain;

// Starts the thread. It sends rows as long as Kafka may give acks (durability.h). The breaker learns from its
// reports. All but the error is borrowed.
MUST_CHECK struct drain *drain_start(const struct settings *settings, struct spool *spool,
                                     struct breaker *breaker, const struct durability_watch *durability,
                                     struct metrics *metrics, struct err *err);
// Waits a second for the reports on what is in flight; the rest stays in the spool.
void drain_stop(struct drain *drain);
