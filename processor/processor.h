// SPDX-License-Identifier: MIT
// What the workers of one process share. Built in main, handed down, immutable but for the counters.
#pragma once
#include "common/kafka.h"
#include "common/metrics.h"
#include "common/provider.h"
#include "common/settings.h"
#include "processor/interpret.h"
#include <stdatomic.h>

enum processor_metric {
  METRIC_RECORDS, // by what they were
  METRIC_BATCHES,
  METRIC_ALERTS,   // by type
  METRIC_FAILURES, // by part: a worker started over
  METRIC_REFUSED,  // records Postgres would not take
  METRIC_WORKERS_READY,
  METRIC_COUNT
};

struct processor {
  const struct settings *settings;
  struct providers *providers;
  struct metrics *metrics;
  char *topics[KAFKA_TOPIC_COUNT];
  struct interpreter interpreter;
  char *instance; // never empty: names the transactions
  atomic_int workers_ready;
};
