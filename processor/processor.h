// SPDX-License-Identifier: MIT
// What the workers of one process share. Built in main, handed down, immutable but for the counters.
#pragma once
#include "common/base/seal.h"
#include "common/config/settings.h"
#include "common/kafka/kafka.h"
#include "common/ops/metrics.h"
#include "common/provider/providers.h"
#include "processor/batch/publish_fault.h"
#include "processor/rules/interpret.h"
#include <stdatomic.h>

enum processor_metric {
  METRIC_RECORDS, // by outcome
  METRIC_BATCH_RECORDS,
  METRIC_PHASE_SECONDS, // by phase
  METRIC_EVENT_AGE_SECONDS,
  METRIC_ALERT_AGE_SECONDS,
  METRIC_ALERTS, // by type
  METRIC_ALERTS_UNPUBLISHED,
  METRIC_TRANSACTIONS, // Kafka's, by result
  METRIC_RETRIES,      // by part and class
  METRIC_REFUSED,      // records Postgres would not take
  METRIC_EVENTS_LOST,  // by topic
  METRIC_READY,
  METRIC_WORKERS_READY,
  METRIC_PARTITION_OWNED, // by topic and partition
  METRIC_PARTITION_LAG,   // likewise
  METRIC_DELETED,         // by table: retention
  METRIC_DELETION_FAILURES,
  METRIC_WATCH_LEADS,
  METRIC_WATCH_SECONDS,
  METRIC_WATCH_BEHIND,
  METRIC_WATCH_HIDDEN,
  METRIC_INCIDENTS_OPEN,  // by kind and provider
  METRIC_PENDING_AGE,     // by provider
  METRIC_SILENCE_SCORE,   // by endpoint
  METRIC_SILENCE_BAR,     // by endpoint
  METRIC_CONTACTS,        // by provider and change
  METRIC_WITHDRAWN,       // by provider and consent
  METRIC_ASKED,           // ids, by provider and result: by the schedule
  METRIC_ASK_DIFFERED,    // by provider: likewise
  METRIC_ASK_FAILURES,    // by provider: likewise
  METRIC_EXPIRED_UNASKED, // by provider
  METRIC_API_REQUESTS,    // by path and status
  METRIC_API_SECONDS,     // by path
  METRIC_COUNT
};

// Something is done again because of `err`.
static inline void processor_count_retry(struct metrics *metrics, const char *part, const struct err *err) {
  const char *const labels[] = {part, err->class ? err->class : "other"};
  atomic_fetch_add(metrics_at_each(metrics, METRIC_RETRIES, labels), 1);
}

struct ask_conf;     // processor/ask/ask_conf.h
struct watched_list; // processor/watch/watched.h

struct processor {
  const struct settings *settings;
  struct providers *providers;
  const struct watched_list *watched;
  const struct ask_conf *ask; // NULL in a command
  struct metrics *metrics;
  char *topics[KAFKA_TOPIC_COUNT];
  struct interpreter interpreter;
  struct seal_key contact_key; // if interpreter.keeps_whole
  char *instance;              // never empty: names the transactions
  atomic_int workers_ready;
  _Atomic int64_t *batch_since_ms; // of each worker: when it began to commit what it has; 0: nothing
  // Of each worker: when its partitions were revoked for a rebalance that goes on; 0: none does.
  _Atomic int64_t *rebalance_since_ms;
  struct publish_fault *faults; // of each worker
  struct publish_fault *waits;  // of each worker: why it started over, until it is at work
};
