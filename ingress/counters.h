// SPDX-License-Identifier: MIT
// The metrics of ingress. One row each in counters.c gives name, help, type and labels.
#pragma once
#include "common/ops/metrics.h"

enum counter {
  COUNTER_ANSWERS,      // by endpoint, status, and way: kafka, spool, none
  COUNTER_ACK_SECONDS,  // by endpoint
  COUNTER_ELEMENTS,     // by kind
  COUNTER_QUARANTINED,  // by endpoint
  COUNTER_REFUSED,      // by endpoint
  COUNTER_REFUSALS,     // by check
  COUNTER_KAFKA_ERRORS, // by librdkafka's name of the error
  COUNTER_DURABLE,      // by way
  COUNTER_MINUTES_LATE,
  COUNTER_SPOOL_EVENTS,
  COUNTER_SPOOL_BYTES,
  COUNTER_SPOOL_ROOM,
  COUNTER_SPOOL_AGE,
  COUNTER_SPOOL_COMMITS,
  COUNTER_SPOOL_DRAINED,
  COUNTER_SPOOL_ERRORS, // by what it was
  COUNTER_BREAKER,
  COUNTER_SURVIVES, // by level
  COUNTER_IN_FLIGHT,
  COUNTER_CONNECTIONS,
  COUNTER_READY,
  COUNTER_COUNT
};

extern const struct metric counters[COUNTER_COUNT];
