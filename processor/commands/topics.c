// SPDX-License-Identifier: MIT
#include "processor/commands/topics.h"

#include "common/base/mem.h"

enum { REASON_SIZE = 256 };

static bool describe_topics(const char *const *topics, size_t n, int64_t partitions, int64_t replication,
                            rd_kafka_NewTopic_t **out, struct err *err) {
  char reason[REASON_SIZE];
  for (size_t i = 0; i < n; i++) {
    out[i] = rd_kafka_NewTopic_new(topics[i], (int)partitions, (int)replication, reason, sizeof reason);
    if (!out[i]) return err_set(err, "topic %s: %s", topics[i], reason);
  }
  return true;
}

static bool read_results(rd_kafka_event_t *rkev, size_t *created, struct err *err) {
  if (rd_kafka_event_error(rkev))
    return err_set(err, "creating topics: %s", rd_kafka_event_error_string(rkev));
  size_t n;
  const rd_kafka_topic_result_t **results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(rkev), &n);
  for (size_t i = 0; i < n; i++) {
    rd_kafka_resp_err_t state = rd_kafka_topic_result_error(results[i]);
    if (state == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char *reason = rd_kafka_topic_result_error_string(results[i]);
    if (state)
      return err_set(err, "topic %s: %s", rd_kafka_topic_result_name(results[i]),
                     reason ? reason : rd_kafka_err2str(state));
    ++*created;
  }
  return true;
}

static bool create(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics, size_t n, int timeout_ms, size_t *created,
                   struct err *err) {
  enum { GRACE_MS = 1000 }; // the request's own timeout comes first, and its error says more
  char reason[REASON_SIZE];
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  rd_kafka_event_t *rkev = NULL;
  bool ok = !rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof reason) ||
            err_set(err, "creating topics: %s", reason);
  if (ok) {
    rd_kafka_CreateTopics(rk, topics, n, options, queue);
    rkev = rd_kafka_queue_poll(queue, timeout_ms + GRACE_MS);
    ok = rkev ? read_results(rkev, created, err)
              : err_set(err, "creating topics: no answer in %d ms", timeout_ms);
  }
  if (rkev) rd_kafka_event_destroy(rkev);
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(options);
  return ok;
}

bool topics_create(rd_kafka_t *rk, const char *const *topics, size_t n, int64_t partitions,
                   int64_t replication, int64_t timeout_ms, size_t *created, struct err *err) {
  AUTO_FREE rd_kafka_NewTopic_t **list = mem_array(n, sizeof(rd_kafka_NewTopic_t *));
  size_t count = 0;
  bool ok = describe_topics(topics, n, partitions, replication, list, err) &&
            create(rk, list, n, (int)timeout_ms, &count, err);
  for (size_t i = 0; i < n && list[i]; i++) rd_kafka_NewTopic_destroy(list[i]);
  if (ok && created) *created = count;
  return ok;
}
