// SPDX-License-Identifier: MIT
#include "processor/watch/frontier.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "processor/batch/kafkaerror.h"
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 1000, OPEN_MS = 5000 };

struct frontier {
  rd_kafka_t *rk;
  char *topic;
  int32_t n;
  struct frontier_marks *marks; // of each partition
};

// ---- the pure part ----

void frontier_marks_init(struct frontier_marks *marks) {
  *marks = (struct frontier_marks){.until_ms = INT64_MIN};
}

// Where the list is full, the newest end is left out: a later look adds a newer one. An end that goes down is
// that of a topic made anew.
void frontier_mark(struct frontier_marks *marks, int64_t end, int64_t committed, int64_t at_ms) {
  if (marks->n && marks->list[marks->n - 1].end > end) marks->n = 0;
  if (marks->n && marks->list[marks->n - 1].end == end)
    marks->list[marks->n - 1].at_ms = at_ms;
  else if (marks->n < FRONTIER_MARKS)
    marks->list[marks->n++] = (struct frontier_mark){end, at_ms};
  size_t reached = 0;
  while (reached < marks->n && marks->list[reached].end <= committed) reached++;
  if (reached == 0) return;
  marks->until_ms = marks->list[reached - 1].at_ms;
  marks->n -= reached;
  memmove(marks->list, marks->list + reached, marks->n * sizeof marks->list[0]);
}

// ---- Kafka ----

// It has the group's id, as the committed offsets are asked for by it, and never joins.
static rd_kafka_t *open_client(const struct settings *settings, struct err *err) {
  const struct kafka_setting ours[] = {{"group.id", settings->group_id},
                                       {"enable.auto.commit", "false"},
                                       {"allow.auto.create.topics", "false"}};
  return kafka_client_new(RD_KAFKA_CONSUMER, kafka_conf_new(settings, ours, COUNT_OF(ours), err), err);
}

static bool fail(struct frontier *f, const char *what, rd_kafka_resp_err_t code, struct err *err) {
  kafka_fail(err, f->topic, code, NULL);
  return err_prefix(err, "%s of ", what);
}

static bool count_partitions(struct frontier *f, struct err *err) {
  struct kafka_topic_shape shape = {0};
  rd_kafka_resp_err_t code = kafka_topic_ask(f->rk, f->topic, OPEN_MS, &shape);
  if (code) return kafka_topic_fail(f->topic, code, err);
  f->n = shape.partitions;
  f->marks = mem_array((size_t)f->n, sizeof *f->marks);
  for (int32_t i = 0; i < f->n; i++) frontier_marks_init(&f->marks[i]);
  return true;
}

struct frontier *frontier_open(const struct settings *settings, const char *topic, struct err *err) {
  struct frontier *f = mem_alloc(sizeof *f);
  f->topic = mem_strdup(topic);
  f->rk = open_client(settings, err);
  if (f->rk && count_partitions(f, err)) return f;
  frontier_close(f);
  return NULL;
}

void frontier_close(struct frontier *f) {
  if (f == NULL) return;
  kafka_client_free(f->rk);
  free(f->marks);
  free(f->topic);
  free(f);
}

// As a timestamp, RD_KAFKA_OFFSET_END asks for the partition's end (Kafka protocol, ListOffsets): one request
// to each broker, not one for each partition.
static bool ask_ends(struct frontier *f, rd_kafka_topic_partition_list_t *list, struct err *err) {
  rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(f->rk, list, ASK_MS);
  for (int i = 0; !code && i < list->cnt; i++) code = list->elems[i].err;
  return !code || fail(f, "the ends", code, err);
}

static bool ask_committed(struct frontier *f, rd_kafka_topic_partition_list_t *list, struct err *err) {
  rd_kafka_resp_err_t code = rd_kafka_committed(f->rk, list, ASK_MS);
  for (int i = 0; !code && i < list->cnt; i++) code = list->elems[i].err;
  return !code || fail(f, "the committed offsets", code, err);
}

static rd_kafka_topic_partition_list_t *list_partitions(const struct frontier *f, int64_t offset) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(f->n);
  for (int32_t i = 0; i < f->n; i++) rd_kafka_topic_partition_list_add(list, f->topic, i)->offset = offset;
  return list;
}

// Where nothing is committed, an empty partition is read to its end.
static int64_t committed_of(const rd_kafka_topic_partition_t *rktpar) {
  return rktpar->offset < 0 ? 0 : rktpar->offset;
}

bool frontier_look(struct frontier *f, int64_t *until_ms, struct err *err) {
  int64_t at_ms = clock_wall_ms();
  rd_kafka_topic_partition_list_t *ends = list_partitions(f, RD_KAFKA_OFFSET_END);
  rd_kafka_topic_partition_list_t *committed = list_partitions(f, RD_KAFKA_OFFSET_INVALID);
  bool ok = ask_ends(f, ends, err) && ask_committed(f, committed, err);
  *until_ms = ok ? at_ms : INT64_MIN;
  for (int32_t i = 0; ok && i < f->n; i++) {
    frontier_mark(&f->marks[i], ends->elems[i].offset, committed_of(&committed->elems[i]), at_ms);
    if (f->marks[i].until_ms < *until_ms) *until_ms = f->marks[i].until_ms;
  }
  rd_kafka_topic_partition_list_destroy(ends);
  rd_kafka_topic_partition_list_destroy(committed);
  return ok;
}
