// SPDX-License-Identifier: MIT
#include "processor/commands/reader.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka.h"
#include "processor/batch/kafkaerror.h"
#include <string.h>

// A frozen producer holds a transaction open for 10 s at most.
enum { ASK_TIMEOUT_MS = 15000, POLL_MS = 200, STALL_MS = 30000 };

struct span {
  int64_t first, end; // offsets, from the one to before the other
};

struct reader {
  const char *topic;
  rd_kafka_t *rk;
  rd_kafka_t *asker; // read_uncommitted: what is the end, open transactions included?
  reader_take *on_record;
  void *arg;
};

// librdkafka has no consumer without a group. This one never joins it.
static rd_kafka_t *open_client(const struct settings *settings, const char *isolation, struct err *err) {
  const struct kafka_setting ours[] = {
      {"group.id", settings->group_id},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"}, // what is gone is an error, not passed over
      {"enable.partition.eof", "true"},
      {"fetch.wait.max.ms", "10"}, // an end is reported at once; nothing waits for what comes behind it
      {"isolation.level", isolation},
      {"allow.auto.create.topics", "false"},
  };
  rd_kafka_t *rk =
      kafka_client_new(RD_KAFKA_CONSUMER, kafka_conf_new(settings, ours, COUNT_OF(ours), err), err);
  if (rk) rd_kafka_poll_set_consumer(rk);
  return rk;
}

static bool ok(rd_kafka_resp_err_t code, const struct reader *reader, const char *what, struct err *err) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
  kafka_fail(err, reader->topic, code, NULL);
  return err_prefix(err, "%s of ", what);
}

// ---- spans ----

static bool count_partitions(struct reader *reader, int32_t *n, struct err *err) {
  struct kafka_topic_shape shape = {0};
  rd_kafka_resp_err_t code = kafka_topic_ask(reader->rk, reader->topic, ASK_TIMEOUT_MS, &shape);
  *n = shape.partitions;
  return ok(code, reader, "partitions", err);
}

// What a broker refuses now, it may take in a moment: a leader has moved, a topic was only just made.
static bool ask_span(struct reader *reader, int32_t partition, struct span *out, struct err *err) {
  enum { PAUSE_MS = 100 };
  int64_t deadline_ms = clock_mono_ms() + ASK_TIMEOUT_MS;
  rd_kafka_resp_err_t code;
  do
    code = rd_kafka_query_watermark_offsets(reader->asker, reader->topic, partition, &out->first, &out->end,
                                            ASK_TIMEOUT_MS);
  while (code && clock_mono_ms() < deadline_ms && !stop_wait_ms(PAUSE_MS));
  return ok(code, reader, "ends", err);
}

// ---- reading ----

static bool assign(struct reader *reader, int32_t partition, int64_t offset, struct err *err) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, reader->topic, partition)->offset = offset;
  rd_kafka_resp_err_t code = rd_kafka_assign(reader->rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  return ok(code, reader, "reading", err);
}

static enum reader_result take_record(struct reader *reader, const rd_kafka_message_t *rkm, struct err *err) {
  struct event ev = {0};
  if (!event_from_message(rkm, &ev, NULL)) memset(&ev, 0, sizeof ev);
  return reader->on_record(reader->arg, &ev, rkm, err);
}

// `*next`: the offset from which on nothing was seen yet.
static enum reader_result take_message(struct reader *reader, const rd_kafka_message_t *rkm,
                                       int32_t partition, const struct span *span, int64_t *next,
                                       struct err *err) {
  if (rkm->partition != partition) return READER_MORE; // fetched before this one was assigned
  if (rkm->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    *next = rkm->offset + 1;
    return rkm->offset < span->end ? take_record(reader, rkm, err) : READER_MORE;
  }
  if (rkm->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) *next = rkm->offset;
  if (rkm->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || kafka_class_of(rkm->err)->is_transient)
    return READER_MORE; // librdkafka tries again
  kafka_fail(err, reader->topic, rkm->err, rd_kafka_message_errstr(rkm));
  err_prefix(err, "reading partition %d of ", rkm->partition);
  return READER_FAILED;
}

static enum reader_result read_span(struct reader *reader, int32_t partition, const struct span *span,
                                    struct err *err) {
  enum reader_result result = READER_MORE;
  int64_t next = span->first, deadline_ms = clock_mono_ms() + STALL_MS;
  if (!assign(reader, partition, span->first, err)) return READER_FAILED;
  while (result == READER_MORE && next < span->end) {
    if (stop_requested() || clock_mono_ms() > deadline_ms) {
      err_set(err, "reading %s/%d: %s", reader->topic, partition,
              stop_requested() ? "stopped" : "nothing came for 30 s");
      return READER_FAILED;
    }
    rd_kafka_message_t *rkm = rd_kafka_consumer_poll(reader->rk, POLL_MS);
    if (rkm == NULL) continue;
    if (!rkm->err) deadline_ms = clock_mono_ms() + STALL_MS;
    result = take_message(reader, rkm, partition, span, &next, err);
    rd_kafka_message_destroy(rkm);
  }
  return result;
}

static bool read_all(struct reader *reader, struct err *err) {
  int32_t n;
  if (!count_partitions(reader, &n, err)) return false;
  AUTO_FREE struct span *spans = mem_array((size_t)n, sizeof *spans);
  for (int32_t i = 0; i < n; i++)
    if (!ask_span(reader, i, &spans[i], err)) return false;
  enum reader_result result = READER_MORE;
  for (int32_t i = 0; result == READER_MORE && i < n; i++) result = read_span(reader, i, &spans[i], err);
  return result != READER_FAILED;
}

static bool read_place(struct reader *reader, int32_t partition, int64_t offset, struct err *err) {
  int32_t n;
  struct span span;
  if (!count_partitions(reader, &n, err)) return false;
  if (partition < 0 || partition >= n) return true;
  if (!ask_span(reader, partition, &span, err)) return false;
  if (offset < span.first || offset >= span.end) return true;
  return read_span(reader, partition, &(struct span){offset, offset + 1}, err) != READER_FAILED;
}

static bool open_reader(struct reader *reader, const struct settings *settings, struct err *err) {
  reader->rk = open_client(settings, "read_committed", err);
  if (reader->rk && kafka_warm_topics(reader->rk, &reader->topic, 1, ASK_TIMEOUT_MS, err))
    reader->asker = open_client(settings, "read_uncommitted", err);
  return reader->asker;
}

static void close_reader(struct reader *reader) {
  kafka_client_free(reader->rk);
  kafka_client_free(reader->asker);
}

bool reader_read(const struct settings *settings, const char *topic, reader_take *on_record, void *arg,
                 struct err *err) {
  struct reader reader = {.topic = topic, .on_record = on_record, .arg = arg};
  bool done = open_reader(&reader, settings, err) && read_all(&reader, err);
  close_reader(&reader);
  return done;
}

bool reader_read_at(const struct settings *settings, const char *topic, int32_t partition, int64_t offset,
                    reader_take *on_record, void *arg, struct err *err) {
  struct reader reader = {.topic = topic, .on_record = on_record, .arg = arg};
  bool done = open_reader(&reader, settings, err) && read_place(&reader, partition, offset, err);
  close_reader(&reader);
  return done;
}
