// SPDX-License-Identifier: MIT
#include "processor/commands/reader.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka.h"
#include "processor/batch/kafkaerror.h"
#include <stdlib.h>

// A frozen producer holds a transaction open for 10 s at most.
enum { ASK_TIMEOUT_MS = 15000, POLL_MS = 200, STALL_MS = 30000 };

struct reader {
  char *topic;
  rd_kafka_t *rk;
  rd_kafka_t *asker; // read_uncommitted: what is the end, open transactions included?
  struct reader_span span;
};

// librdkafka has no consumer without a group. This one never joins it.
static rd_kafka_t *open_client(const struct settings *settings, const char *isolation, struct err *err) {
  const struct kafka_setting ours[] = {
      {"group.id", settings->group_id},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"}, // what is gone is told, not passed over
      {"enable.partition.eof", "true"},
      {"fetch.wait.max.ms", "10"}, // an end is told at once; there is no waiting for what comes behind it
      {"isolation.level", isolation},
      {"allow.auto.create.topics", "false"},
  };
  rd_kafka_t *rk =
      kafka_client_new(RD_KAFKA_CONSUMER, kafka_conf_new(settings, ours, COUNT_OF(ours), err), err);
  if (rk) rd_kafka_poll_set_consumer(rk);
  return rk;
}

struct reader *reader_open(const struct settings *settings, const char *topic, struct err *err) {
  struct reader *reader = mem_alloc(sizeof *reader);
  reader->topic = mem_strdup(topic);
  reader->rk = open_client(settings, "read_committed", err);
  if (reader->rk && kafka_warm_topics(reader->rk, &topic, 1, ASK_TIMEOUT_MS, err))
    reader->asker = open_client(settings, "read_uncommitted", err);
  if (reader->asker) return reader;
  reader_close(reader);
  return NULL;
}

void reader_close(struct reader *reader) {
  if (reader == NULL) return;
  kafka_client_free(reader->rk);
  kafka_client_free(reader->asker);
  free(reader->topic);
  free(reader);
}

static bool ok(rd_kafka_resp_err_t code, const struct reader *reader, const char *what, struct err *err) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
  kafka_fail(err, reader->topic, code, NULL);
  return err_prefix(err, "%s of ", what);
}

// What a broker refuses now, it may take in a moment: a leader has moved, a topic was only just made.
static bool again(rd_kafka_resp_err_t code, int64_t deadline_ms) {
  enum { PAUSE_MS = 100 };
  return code && clock_mono_ms() < deadline_ms && !stop_wait_ms(PAUSE_MS);
}

// ---- spans ----

static bool count_partitions(struct reader *reader, size_t *n, struct err *err) {
  rd_kafka_topic_t *rkt = rd_kafka_topic_new(reader->rk, reader->topic, NULL);
  const struct rd_kafka_metadata *metadata = NULL;
  rd_kafka_resp_err_t code = rd_kafka_metadata(reader->rk, 0, rkt, &metadata, ASK_TIMEOUT_MS);
  if (!code) *n = (size_t)metadata->topics[0].partition_cnt;
  if (metadata) rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(rkt);
  return ok(code, reader, "partitions", err);
}

static bool offset_at(struct reader *reader, int32_t partition, int64_t time_ms, int64_t *out,
                      struct err *err) {
  int64_t deadline = clock_mono_ms() + ASK_TIMEOUT_MS;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_t *rktpar = rd_kafka_topic_partition_list_add(list, reader->topic, partition);
  rd_kafka_resp_err_t code;
  do {
    rktpar->offset = time_ms;
    code = rd_kafka_offsets_for_times(reader->asker, list, ASK_TIMEOUT_MS);
    if (!code) code = rktpar->err;
  } while (again(code, deadline));
  *out = rktpar->offset >= 0 ? rktpar->offset : INT64_MAX; // none that late
  rd_kafka_topic_partition_list_destroy(list);
  return ok(code, reader, "offset of a time", err);
}

static bool set_span(struct reader *reader, int64_t from_ms, struct reader_span *span, struct err *err) {
  int64_t deadline = clock_mono_ms() + ASK_TIMEOUT_MS, first = INT64_MIN;
  rd_kafka_resp_err_t code;
  do
    code = rd_kafka_query_watermark_offsets(reader->asker, reader->topic, span->partition, &span->first,
                                            &span->end, ASK_TIMEOUT_MS);
  while (again(code, deadline));
  if (!ok(code, reader, "ends", err)) return false;
  if (from_ms != INT64_MIN && !offset_at(reader, span->partition, from_ms, &first, err)) return false;
  if (first > span->first) span->first = first < span->end ? first : span->end;
  return true;
}

bool reader_spans(struct reader *reader, int64_t from_ms, struct reader_span **out, size_t *n,
                  struct err *err) {
  if (!count_partitions(reader, n, err)) return false;
  AUTO_FREE struct reader_span *spans = mem_array(*n, sizeof *spans);
  for (size_t i = 0; i < *n; i++) {
    spans[i].partition = (int32_t)i;
    if (!set_span(reader, from_ms, &spans[i], err)) return false;
  }
  *out = take(spans);
  return true;
}

// ---- reading ----

bool reader_begin(struct reader *reader, const struct reader_span *span, struct err *err) {
  reader->span = *span;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, reader->topic, span->partition)->offset = span->first;
  rd_kafka_resp_err_t code = rd_kafka_assign(reader->rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  return ok(code, reader, "reading", err);
}

// Takes what is no record of the span. READER_RECORD: it was nothing, go on.
static enum reader_result look_at(struct reader *reader, const rd_kafka_message_t *rkm, struct err *err) {
  if (rkm->err == RD_KAFKA_RESP_ERR_NO_ERROR || rkm->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
    return rkm->partition == reader->span.partition && rkm->offset >= reader->span.end ? READER_END
                                                                                       : READER_RECORD;
  if (kafka_class_of(rkm->err)->passes) return READER_RECORD; // librdkafka tries again
  kafka_fail(err, reader->topic, rkm->err, rd_kafka_message_errstr(rkm));
  err_prefix(err, "reading partition %d of ", reader->span.partition);
  return READER_FAILED;
}

enum reader_result reader_next(struct reader *reader, rd_kafka_message_t **out, struct err *err) {
  int64_t deadline = clock_mono_ms() + STALL_MS;
  if (reader->span.first >= reader->span.end) return READER_END;
  while (!stop_requested() && clock_mono_ms() < deadline) {
    rd_kafka_message_t *rkm = rd_kafka_consumer_poll(reader->rk, POLL_MS);
    if (rkm == NULL) continue;
    enum reader_result result = look_at(reader, rkm, err);
    if (result == READER_RECORD && rkm->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      *out = rkm;
      return READER_RECORD;
    }
    rd_kafka_message_destroy(rkm);
    if (result != READER_RECORD) return result;
  }
  err_set(err, "reading %s/%d: %s", reader->topic, reader->span.partition,
          stop_requested() ? "stopped" : "nothing came for 30 s");
  return READER_FAILED;
}
