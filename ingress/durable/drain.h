// SPDX-License-Identifier: MIT
// Brings what is in the spool to Kafka. A row leaves the spool only after its delivery report; what a crash
// leaves behind is sent after the next start, and a row whose report was lost goes to Kafka twice, with the
// same ce_id. The drain has a producer of its own, so that live events never stand behind a backlog.
//
// Each partition has a lane. The rows of a lane are sent in order, while its partition takes them. When one
// fails, or none is reported on for a while, the lane waits: one row of it is tried again from time to time,
// and when that one is acknowledged the lane goes on from its first row that was left behind. The other lanes
// go on meanwhile. A row that Kafka refuses for what it is (too large, invalid) stays in the spool, is tried
// again once a minute and after each start, and holds up no other row.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "ingress/durable/breaker.h"
#include "ingress/durable/spool.h"

struct drain;

struct drain_owner {
  struct breaker *breaker; // learns from the reports, and chooses the partitions
  struct metrics *metrics;
  bool (*may_send)(const void *arg); // whether rows may leave the spool for Kafka now. Thread: the drain's.
  void *arg;
};

// Starts the thread. `spool` and what `owner` names are borrowed.
MUST_CHECK struct drain *drain_start(const struct settings *settings, struct spool *spool,
                                     const struct drain_owner *owner, struct err *err);
// Waits a second for the reports on what is in flight; the rest stays in the spool.
void drain_stop(struct drain *drain);
