// SPDX-License-Identifier: MIT
// A record with headers and a timestamp. Only librdkafka can make one: a producer without a broker gives back
// what it was given.
#pragma once
#include "common/kafka/event.h"
#include <assert.h>
#include <string.h>

typedef void record_fn(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque);

struct record {
  const char *topic;
  const struct event *ev; // NULL: none of our events
  const char *value;      // NULL: a tombstone
  int64_t time_ms;        // 0: now
};

static inline rd_kafka_t *record_producer(record_fn *use, void *opaque) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_dr_msg_cb(conf, use);
  rd_kafka_conf_set_opaque(conf, opaque);
  rd_kafka_conf_set_log_cb(conf, NULL); // it would say that there is no broker
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
  assert(rk);
  return rk;
}

// Calls `use` with the record, which is gone afterwards.
static inline void record_give(const struct record *record, record_fn *use, void *opaque) {
  rd_kafka_t *rk = record_producer(use, opaque);
  const char *value = record->value;
  const rd_kafka_vu_t fields[] = {
      {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = record->topic},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, value ? strlen(value) : 0}},
      {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->time_ms},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = record->ev ? event_headers_new(record->ev) : NULL}};
  rd_kafka_error_t *failed = rd_kafka_produceva(rk, fields, record->ev ? 4 : 3);
  assert(!failed);
  rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE);
  rd_kafka_resp_err_t late = rd_kafka_flush(rk, 5000);
  assert(!late);
  rd_kafka_destroy(rk);
}
