// SPDX-License-Identifier: MIT
// What an error of Kafka means for a worker: one table over librdkafka's codes (rdkafka.h,
// rd_kafka_resp_err_t).
#pragma once
#include "common/base/err.h"
#include "common/kafka/event.h"
#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct kafka_class {
  rd_kafka_resp_err_t code;
  bool is_transient; // a consumer recovers from it by itself
  const char *name;  // for the metric
  const char *hint;  // what to do about it, where somebody has to and kafka_hint() has no words; or NULL
};

// Never NULL. A code that is not in the table is not transient: to start over loses nothing.
const struct kafka_class *kafka_class_of(rd_kafka_resp_err_t code);

// Sets "what: reason; hint" and the class; the hint is the row's or kafka_hint()'s. Returns false. `reason`
// NULL: librdkafka's own words for the code.
bool kafka_fail(struct err *err, const char *what, rd_kafka_resp_err_t code, const char *reason);

// event_produce() that waits while the local queue is full, at most max_ms, and serves delivery reports
// meanwhile. False: the record is not queued; the error is set as above, with the topic.
MUST_CHECK bool kafka_produce(rd_kafka_t *rk, const struct event_record *record, const struct event *ev,
                              int64_t max_ms, struct err *err);
