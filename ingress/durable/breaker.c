// SPDX-License-Identifier: MIT
#include "ingress/durable/breaker.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/kafka/kafka_hint.h"
#include "ingress/counters.h"
#include <string.h>

struct place { // the cluster, a topic, or a partition
  atomic_bool open, trying;
  _Atomic int64_t acked_ms; // monotonic; of a partition
};

struct topic_state {
  _Atomic int32_t n; // partitions
  struct place topic, partitions[BREAKER_PARTITIONS_MAX];
};

struct breaker {
  metric_value *n_open;
  struct place cluster;
  _Atomic(rd_kafka_resp_err_t) last_error; // that librdkafka has reported of the cluster
  struct topic_state topics[KAFKA_TOPIC_COUNT];
  char topic_prefix[];
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

int32_t breaker_partition_of(int32_t partitions, const char *key, uint64_t n) {
  if (partitions <= 0) return RD_KAFKA_PARTITION_UA;
  if (!key) return (int32_t)(n % (uint64_t)partitions);
  return rd_kafka_msg_partitioner_murmur2(NULL, key, strlen(key), partitions, NULL, NULL);
}

static size_t index_of(int32_t partition) {
  return partition >= 0 ? (size_t)partition % BREAKER_PARTITIONS_MAX : 0;
}

static bool is_open(const struct place *place) {
  return atomic_load_explicit(&place->open, memory_order_relaxed);
}

bool breaker_is_open(const struct breaker *breaker, enum kafka_topic topic, int32_t partition) {
  const struct topic_state *state = &breaker->topics[topic];
  return is_open(&breaker->cluster) || is_open(&state->topic) ||
         is_open(&state->partitions[index_of(partition)]);
}

bool breaker_is_cluster_open(const struct breaker *breaker) {
  return is_open(&breaker->cluster);
}

void breaker_note_ack(struct breaker *breaker, enum kafka_topic topic, int32_t partition, int64_t now_ms) {
  struct place *place = &breaker->topics[topic].partitions[index_of(partition)];
  atomic_store_explicit(&place->acked_ms, now_ms, memory_order_relaxed);
}

bool breaker_is_silent(const struct breaker *breaker, enum kafka_topic topic, int32_t partition,
                       int64_t since_ms) {
  const struct place *place = &breaker->topics[topic].partitions[index_of(partition)];
  return atomic_load_explicit(&place->acked_ms, memory_order_relaxed) <= since_ms;
}

// ---- open and close ----

static struct place *place_of(struct breaker *breaker, enum breaker_scope scope, enum kafka_topic topic,
                              int32_t partition) {
  if (scope == BREAKER_CLUSTER) return &breaker->cluster;
  if (scope == BREAKER_TOPIC) return &breaker->topics[topic].topic;
  return &breaker->topics[topic].partitions[index_of(partition)];
}

// True: it was not so.
static bool change(struct breaker *breaker, struct place *place, bool open) {
  if (atomic_exchange(&place->open, open) == open) return false;
  metric_add(breaker->n_open, open ? 1 : -1);
  return true;
}

static char *name_of(const struct breaker *breaker, enum breaker_scope scope, enum kafka_topic topic) {
  return scope == BREAKER_CLUSTER ? mem_strdup("all") : kafka_topic_name(breaker->topic_prefix, topic);
}

// What a timed-out record's partition suffers from, only librdkafka knows, and it tells only some of it.
static void open_place(struct breaker *breaker, enum breaker_scope scope, enum kafka_topic topic,
                       int32_t partition, rd_kafka_resp_err_t code, int queued) {
  if (!change(breaker, place_of(breaker, scope, topic, partition), true)) return;
  AUTO_FREE char *name = name_of(breaker, scope, topic);
  AUTO_FREE char *key = mem_printf("breaker %s %d %d", name, (int)scope, (int)partition);
  rd_kafka_resp_err_t last = atomic_load(&breaker->last_error);
  const char *hint = kafka_hint(code, NULL);
  const struct log_field fields[] = {
      LOG_STR("topic", name),
      LOG_INT("partition", scope == BREAKER_PARTITION ? partition : -1),
      LOG_STR("error", rd_kafka_err2name(code)),
      LOG_STR("last_client_error", last ? rd_kafka_err2name(last) : "none"),
      LOG_INT("queued", queued),
      LOG_STR("hint", hint),
  };
  log_write_rarely(LOG_LEVEL_WARN, key, "kafka breaker opened", fields, COUNT_OF(fields) - !hint);
}

static void close_place(struct breaker *breaker, enum breaker_scope scope, enum kafka_topic topic,
                        int32_t partition) {
  if (!change(breaker, place_of(breaker, scope, topic, partition), false)) return;
  AUTO_FREE char *name = name_of(breaker, scope, topic);
  AUTO_FREE char *key = mem_printf("breaker closed %s %d %d", name, (int)scope, (int)partition);
  const struct log_field fields[] = {LOG_STR("topic", name),
                                     LOG_INT("partition", scope == BREAKER_PARTITION ? partition : -1),
                                     LOG_INT("still_open", atomic_load(breaker->n_open))};
  log_write_rarely(LOG_LEVEL_INFO, key, "kafka breaker closed", fields, COUNT_OF(fields));
}

void breaker_fail(struct breaker *breaker, enum kafka_topic topic, int32_t partition,
                  rd_kafka_resp_err_t code, int queued) {
  enum breaker_scope scope = breaker_scope_of(code);
  if (scope == BREAKER_NOTHING || scope == BREAKER_RECORD) return;
  // While the whole cluster is away, time-outs say nothing about a partition.
  if (code == RD_KAFKA_RESP_ERR__TIMED_OUT && breaker_is_cluster_open(breaker)) return;
  open_place(breaker, scope, topic, partition, code, queued);
}

void breaker_note_error(struct breaker *breaker, rd_kafka_resp_err_t code, int queued) {
  atomic_store(&breaker->last_error, code);
  if (breaker_scope_of(code) == BREAKER_CLUSTER)
    open_place(breaker, BREAKER_CLUSTER, KAFKA_TOPIC_EVENTS, -1, code, queued);
}

void breaker_note_unseen(struct breaker *breaker, enum kafka_topic topic, rd_kafka_resp_err_t code,
                         int queued) {
  open_place(breaker, BREAKER_TOPIC, topic, -1, code, queued);
}

void breaker_learn_partitions(struct breaker *breaker, enum kafka_topic topic, int32_t n) {
  if (atomic_exchange(&breaker->topics[topic].n, n) == 0) close_place(breaker, BREAKER_TOPIC, topic, -1);
  for (int32_t i = n; i < BREAKER_PARTITIONS_MAX; i++) // of a topic that was made anew with fewer
    close_place(breaker, BREAKER_PARTITION, topic, i);
}

void breaker_note_cluster(struct breaker *breaker) {
  close_place(breaker, BREAKER_CLUSTER, KAFKA_TOPIC_EVENTS, -1);
}

void breaker_succeed(struct breaker *breaker, enum kafka_topic topic, int32_t partition) {
  if (!breaker_is_open(breaker, topic, partition)) return;
  for (enum breaker_scope scope = BREAKER_PARTITION; scope <= BREAKER_CLUSTER; scope++)
    close_place(breaker, scope, topic, partition);
}

atomic_bool *breaker_try(struct breaker *breaker, enum kafka_topic topic, int32_t partition) {
  enum breaker_scope scope = BREAKER_CLUSTER;
  while (scope > BREAKER_PARTITION && !is_open(place_of(breaker, scope, topic, partition))) scope--;
  atomic_bool *trying = &place_of(breaker, scope, topic, partition)->trying;
  return atomic_exchange(trying, true) ? NULL : trying;
}

struct breaker *breaker_new(const char *topic_prefix, struct metrics *metrics) {
  size_t size = strlen(topic_prefix) + 1;
  struct breaker *breaker = mem_alloc(sizeof *breaker + size);
  memcpy(breaker->topic_prefix, topic_prefix, size);
  breaker->n_open = metrics_at(metrics, COUNTER_BREAKER, NULL);
  change(breaker, &breaker->cluster, true);
  return breaker;
}
