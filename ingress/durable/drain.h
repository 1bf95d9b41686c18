// SPDX-License-Identifier: MIT
// Brings what is in the spool to Kafka: in order, a bounded number of rows in flight, each taken out of the
// spool only after its delivery report. What a crash leaves behind is there at the next start; a row whose
// report was lost goes to Kafka twice, with the same ce_id. It has a producer of its own, so that live events
// never stand behind a backlog, and so it is also the one that notices that Kafka is back.
//
// A row that Kafka refuses for what it is (too large, invalid) stays in the spool, is tried again once a
// minute and at each start, and holds up none of the others.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "ingress/durable/spool.h"

struct drain;

// Whoever it works for. Thread: the drain's.
struct drain_owner {
  void (*heard)(void *arg);          // Kafka has acknowledged rows as quickly as live events need it
  bool (*may_send)(const void *arg); // whether rows may leave the spool for Kafka now
  void *arg;
};

// Starts the thread. `spool` and `metrics` are borrowed.
MUST_CHECK struct drain *drain_start(const struct settings *settings, struct spool *spool,
                                     struct metrics *metrics, const struct drain_owner *owner,
                                     struct err *err);
// Waits a second for the reports on what is in flight; the rest stays in the spool.
void drain_stop(struct drain *drain);
