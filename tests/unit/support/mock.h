// SPDX-License-Identifier: MIT
// librdkafka's mock cluster: a broker in memory that can be made to fail, and what was stored on it.
#pragma once
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/config/settings.h"
#include "common/kafka/event.h"
#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOCK_PARTITIONS = 2, MOCK_PRODUCE = 0 /* ApiKey */ };

struct mock {
  rd_kafka_t *owner; // the cluster lives in a client
  rd_kafka_mock_cluster_t *cluster;
  struct settings settings;
  pthread_t waker;
  atomic_bool ending;
};

// The cluster's thread may sleep for a second before it does what a test asks for; a connection wakes it.
static inline void *mock_wake(void *arg) {
  struct mock *mock = arg;
  enum { EACH_MS = 10 };
  const char *port = strrchr(rd_kafka_mock_cluster_bootstraps(mock->cluster), ':') + 1;
  const struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  while (!atomic_load(&mock->ending)) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) shutdown(fd, SHUT_RDWR);
    clock_sleep_ms(EACH_MS);
    if (fd >= 0) close(fd);
  }
  return NULL;
}

static inline void mock_create_topics(struct mock *mock, const char *prefix) {
  static const char *const names[] = {"events", "quarantine", "alerts"};
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    AUTO_FREE char *topic = mem_printf("%s%s", prefix, names[i]);
    rd_kafka_mock_topic_create(mock->cluster, topic, MOCK_PARTITIONS, 1);
  }
}

// Topics of its own for each test: a cluster takes a second to go, so tests share one.
static inline void mock_renew_topics(struct mock *mock) {
  static int n;
  free(mock->settings.topic_prefix);
  mock->settings.topic_prefix = mem_printf("t%d.", ++n);
  mock_create_topics(mock, mock->settings.topic_prefix);
}

static inline void mock_init(struct mock *mock) {
  char reason[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, NULL); // it has no servers of its own, and would say so
  mock->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  mock->cluster = rd_kafka_mock_cluster_new(mock->owner, 1);
  atomic_store(&mock->ending, false);
  pthread_create(&mock->waker, NULL, mock_wake, mock);
  mock_create_topics(mock, "dochak.");
  mock->settings = (struct settings){
      .kafka_bootstrap = mem_strdup(rd_kafka_mock_cluster_bootstraps(mock->cluster)),
      .kafka_properties = mem_strdup(""),
      .topic_prefix = mem_strdup("dochak."),
      .ping_key = mem_strdup(""),
      .providers_dir = mem_strdup(""),
      .ingress_listen = mem_strdup("127.0.0.1:0"),
      .ingress_ops_listen = mem_strdup("127.0.0.1:0"),
      .ingress_threads = 16,
      .bodies_max_bytes = 64 * 1024 * 1024,
      .body_max_bytes = 65536,
      .ack_budget_ms = 5000,
      .ack_survives = mem_strdup("process"),
      .spool_dir = mem_strdup(""),
      .spool_max_bytes = 16 * 1024 * 1024,
      .spool_ready_percent = 80,
  };
}

static inline void mock_fini(struct mock *mock) {
  settings_fini(&mock->settings);
  atomic_store(&mock->ending, true);
  pthread_join(mock->waker, NULL);
  rd_kafka_mock_cluster_destroy(mock->cluster);
  rd_kafka_destroy(mock->owner);
}

// What one topic holds, in no order between partitions.
struct mock_record {
  rd_kafka_message_t *rkm;
  struct event event;
};
struct mock_records {
  rd_kafka_t *rk;
  struct mock_record *list;
  size_t n;
};

static inline void mock_consume(struct mock_records *out) {
  int ended = 0;
  while (ended < MOCK_PARTITIONS) {
    rd_kafka_message_t *rkm = rd_kafka_consumer_poll(out->rk, 10000);
    if (!rkm) abort();
    if (rkm->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ended++;
    if (rkm->err) {
      rd_kafka_message_destroy(rkm);
      continue;
    }
    out->list = mem_grow(out->list, out->n + 1, sizeof *out->list);
    out->list[out->n] = (struct mock_record){.rkm = rkm};
    struct err err;
    if (!event_from_message(rkm, &out->list[out->n].event, &err)) abort();
    out->n++;
  }
}

static inline struct mock_records mock_read(const struct mock *mock, const char *topic) {
  char reason[256];
  struct mock_records out = {0};
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", mock->settings.kafka_bootstrap, reason, sizeof reason);
  rd_kafka_conf_set(conf, "group.id", "test", reason, sizeof reason);
  rd_kafka_conf_set(conf, "enable.partition.eof", "true", reason, sizeof reason);
  rd_kafka_conf_set(conf, "fetch.wait.max.ms", "50", reason, sizeof reason);
  out.rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
  rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(MOCK_PARTITIONS);
  for (int i = 0; i < MOCK_PARTITIONS; i++)
    rd_kafka_topic_partition_list_add(all, topic, i)->offset = 0; // BEGINNING is asked for 500 ms later
  rd_kafka_assign(out.rk, all);
  rd_kafka_topic_partition_list_destroy(all);
  mock_consume(&out);
  return out;
}

// The record with this value; there has to be one.
__attribute__((returns_nonnull)) static inline const struct mock_record *mock_find(
    const struct mock_records *records, const char *value) {
  for (size_t i = 0; i < records->n; i++) {
    const rd_kafka_message_t *rkm = records->list[i].rkm;
    if (rkm->len == strlen(value) && memcmp(rkm->payload, value, rkm->len) == 0) return &records->list[i];
  }
  fprintf(stderr, "no record with the value %s\n", value);
  abort();
}

static inline void mock_records_fini(struct mock_records *records) {
  for (size_t i = 0; i < records->n; i++) rd_kafka_message_destroy(records->list[i].rkm);
  free(records->list);
  rd_kafka_destroy_flags(records->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); // there is no group to leave
}
