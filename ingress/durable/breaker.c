// SPDX-License-Identifier: MIT
#include "ingress/durable/breaker.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct topic_state {
  _Atomic int32_t n; // partitions
  atomic_bool open;  // the topic as a whole
  atomic_bool partition_open[BREAKER_PARTITIONS_MAX];
  _Atomic int64_t acked_ms[BREAKER_PARTITIONS_MAX]; // monotonic
};

struct breaker {
  char *const *names;
  struct metrics *metrics;
  pthread_mutex_t lock; // of changes
  atomic_bool cluster_open;
  _Atomic(rd_kafka_resp_err_t) last_error; // that librdkafka has reported of the cluster
  struct topic_state topics[KAFKA_TOPIC_COUNT];
};

// ---- error classes ----

static const struct {
  rd_kafka_resp_err_t code;
  enum breaker_scope scope;
} scopes[] = {
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, BREAKER_NOTHING},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, BREAKER_NOTHING},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, BREAKER_NOTHING},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, BREAKER_RECORD},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, BREAKER_RECORD}, // its batch; alone it may be taken
    {RD_KAFKA_RESP_ERR_INVALID_MSG, BREAKER_RECORD},
    {RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, BREAKER_RECORD},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, BREAKER_RECORD},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, BREAKER_RECORD},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, BREAKER_TOPIC},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, BREAKER_TOPIC},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, BREAKER_TOPIC},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, BREAKER_TOPIC},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, BREAKER_CLUSTER},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, BREAKER_CLUSTER},
    {RD_KAFKA_RESP_ERR__FATAL, BREAKER_CLUSTER},
};

enum breaker_scope breaker_scope_of(rd_kafka_resp_err_t code) {
  for (size_t i = 0; i < COUNT_OF(scopes); i++)
    if (scopes[i].code == code) return scopes[i].scope;
  return BREAKER_PARTITION;
}

// ---- partitions ----

int32_t breaker_partitions(const struct breaker *breaker, enum kafka_topic topic) {
  return atomic_load_explicit(&breaker->topics[topic].n, memory_order_relaxed);
}

int32_t breaker_partition_of(const struct breaker *breaker, rd_kafka_topic_t *rkt, enum kafka_topic topic,
                             const char *key, uint64_t n) {
  int32_t partitions = breaker_partitions(breaker, topic);
  if (partitions <= 0) return RD_KAFKA_PARTITION_UA;
  if (!key) return (int32_t)(n % (uint64_t)partitions);
  return rd_kafka_msg_partitioner_murmur2_random(rkt, key, strlen(key), partitions, NULL, NULL);
}

static size_t place_of(int32_t partition) {
  return partition >= 0 ? (size_t)partition % BREAKER_PARTITIONS_MAX : 0;
}

bool breaker_is_open(const struct breaker *breaker, enum kafka_topic topic, int32_t partition) {
  const struct topic_state *state = &breaker->topics[topic];
  return atomic_load_explicit(&breaker->cluster_open, memory_order_relaxed) ||
         atomic_load_explicit(&state->open, memory_order_relaxed) ||
         atomic_load_explicit(&state->partition_open[place_of(partition)], memory_order_relaxed);
}

bool breaker_is_cluster_open(const struct breaker *breaker) {
  return atomic_load(&breaker->cluster_open);
}

void breaker_note_ack(struct breaker *breaker, enum kafka_topic topic, int32_t partition, int64_t now_ms) {
  _Atomic int64_t *acked_ms = &breaker->topics[topic].acked_ms[place_of(partition)];
  atomic_store_explicit(acked_ms, now_ms, memory_order_relaxed);
}

bool breaker_is_silent(const struct breaker *breaker, enum kafka_topic topic, int32_t partition,
                       int64_t since_ms) {
  const _Atomic int64_t *acked_ms = &breaker->topics[topic].acked_ms[place_of(partition)];
  return atomic_load_explicit(acked_ms, memory_order_relaxed) <= since_ms;
}

// ---- open and close ----

static int64_t count_open(const struct breaker *breaker) {
  int64_t n = atomic_load(&breaker->cluster_open);
  for (size_t topic = 0; topic < KAFKA_TOPIC_COUNT; topic++) {
    const struct topic_state *state = &breaker->topics[topic];
    n += atomic_load(&state->open);
    for (size_t i = 0; i < BREAKER_PARTITIONS_MAX; i++) n += atomic_load(&state->partition_open[i]);
  }
  return n;
}

// What a timed-out record's partition suffers from, only librdkafka knows, and it tells only some of it.
static void log_open(const struct breaker *breaker, enum breaker_scope scope, enum kafka_topic topic,
                     int32_t partition, rd_kafka_resp_err_t code, int queued) {
  const char *name = breaker->names[topic];
  rd_kafka_resp_err_t last = atomic_load(&breaker->last_error);
  const struct log_field fields[] = {
      LOG_STR("topic", scope == BREAKER_CLUSTER ? "all" : name),
      LOG_INT("partition", scope == BREAKER_PARTITION ? partition : -1),
      LOG_STR("error", rd_kafka_err2name(code)),
      LOG_STR("last_client_error", last ? rd_kafka_err2name(last) : "none"),
      LOG_INT("queued", queued),
  };
  AUTO_FREE char *key = mem_printf("breaker %s %d %d", name, (int)scope, (int)partition);
  log_write_rarely(LOG_LEVEL_WARN, key, "kafka breaker opened", fields, COUNT_OF(fields));
}

static atomic_bool *flag_of(struct breaker *breaker, enum breaker_scope scope, enum kafka_topic topic,
                            int32_t partition) {
  if (scope == BREAKER_CLUSTER) return &breaker->cluster_open;
  if (scope == BREAKER_TOPIC) return &breaker->topics[topic].open;
  return &breaker->topics[topic].partition_open[place_of(partition)];
}

void breaker_fail(struct breaker *breaker, enum kafka_topic topic, int32_t partition,
                  rd_kafka_resp_err_t code, int queued) {
  enum breaker_scope scope = breaker_scope_of(code);
  if (scope == BREAKER_NOTHING || scope == BREAKER_RECORD) return;
  // While the whole cluster is away, time-outs say nothing about a partition.
  if (code == RD_KAFKA_RESP_ERR__TIMED_OUT && atomic_load(&breaker->cluster_open)) return;
  pthread_mutex_lock(&breaker->lock);
  bool opened = !atomic_exchange(flag_of(breaker, scope, topic, partition), true);
  if (opened) metrics_set(breaker->metrics, COUNTER_BREAKER, NULL, count_open(breaker));
  pthread_mutex_unlock(&breaker->lock);
  if (opened) log_open(breaker, scope, topic, partition, code, queued);
}

void breaker_learn_partitions(struct breaker *breaker, enum kafka_topic topic, int32_t n) {
  struct topic_state *state = &breaker->topics[topic];
  bool closed = false;
  pthread_mutex_lock(&breaker->lock);
  atomic_store(&state->n, n);
  for (int32_t i = n; i < BREAKER_PARTITIONS_MAX; i++) // of a topic that was made anew with fewer
    closed |= atomic_exchange(&state->partition_open[i], false);
  if (closed) metrics_set(breaker->metrics, COUNTER_BREAKER, NULL, count_open(breaker));
  pthread_mutex_unlock(&breaker->lock);
}

void breaker_note_error(struct breaker *breaker, rd_kafka_resp_err_t code, int queued) {
  atomic_store(&breaker->last_error, code);
  if (breaker_scope_of(code) == BREAKER_CLUSTER) breaker_fail(breaker, KAFKA_TOPIC_EVENTS, -1, code, queued);
}

void breaker_note_cluster(struct breaker *breaker) {
  pthread_mutex_lock(&breaker->lock);
  bool closed = atomic_exchange(&breaker->cluster_open, false);
  int64_t open = count_open(breaker);
  metrics_set(breaker->metrics, COUNTER_BREAKER, NULL, open);
  pthread_mutex_unlock(&breaker->lock);
  if (!closed) return;
  const struct log_field fields[] = {LOG_STR("topic", "all"), LOG_INT("still_open", open)};
  log_write_rarely(LOG_LEVEL_INFO, "breaker closed all", "kafka breaker closed", fields, COUNT_OF(fields));
}

void breaker_succeed(struct breaker *breaker, enum kafka_topic topic, int32_t partition) {
  if (!breaker_is_open(breaker, topic, partition)) return;
  pthread_mutex_lock(&breaker->lock);
  bool closed = false;
  for (enum breaker_scope scope = BREAKER_PARTITION; scope <= BREAKER_CLUSTER; scope++)
    closed |= atomic_exchange(flag_of(breaker, scope, topic, partition), false);
  int64_t open = count_open(breaker);
  if (closed) metrics_set(breaker->metrics, COUNTER_BREAKER, NULL, open);
  pthread_mutex_unlock(&breaker->lock);
  if (!closed) return;
  AUTO_FREE char *key = mem_printf("breaker closed %s %d", breaker->names[topic], (int)partition);
  const struct log_field fields[] = {LOG_STR("topic", breaker->names[topic]), LOG_INT("partition", partition),
                                     LOG_INT("still_open", open)};
  log_write_rarely(LOG_LEVEL_INFO, key, "kafka breaker closed", fields, COUNT_OF(fields));
}

struct breaker *breaker_new(char *const names[KAFKA_TOPIC_COUNT], struct metrics *metrics) {
  struct breaker *breaker = mem_alloc(sizeof *breaker);
  breaker->names = names;
  breaker->metrics = metrics;
  pthread_mutex_init(&breaker->lock, NULL);
  return breaker;
}

void breaker_free(struct breaker *breaker) {
  if (!breaker) return;
  pthread_mutex_destroy(&breaker->lock);
  free(breaker);
}
