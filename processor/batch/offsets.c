// SPDX-License-Identifier: MIT
#include "processor/batch/offsets.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/batch/kafkaerror.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

enum { COMMITTED_MS = 1000, ASK_MS = 1000, ASK_ALL_MS = 5000 };

// ---- the metadata ----

static const char published_from_text[] = "alerts published from ";

static void set(rd_kafka_topic_partition_t *rktpar, int64_t offset, int64_t published_from) {
  free(rktpar->metadata); // as the list does
  rktpar->offset = offset;
  rktpar->metadata = mem_printf("%s%lld", published_from_text, (long long)published_from);
  rktpar->metadata_size = strlen(rktpar->metadata);
}

void offsets_add(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition, int64_t offset,
                 int64_t published_from) {
  set(rd_kafka_topic_partition_list_add(list, topic, partition), offset, published_from);
}

int64_t offsets_published_from(const rd_kafka_topic_partition_t *rktpar) {
  size_t len = strlen(published_from_text);
  if (rktpar->offset < 0 || rktpar->metadata_size <= len ||
      memcmp(rktpar->metadata, published_from_text, len) != 0)
    return RD_KAFKA_OFFSET_INVALID;
  AUTO_FREE char *number = mem_strndup((char *)rktpar->metadata + len, rktpar->metadata_size - len);
  return strtoll(number, NULL, 10);
}

// ---- where reading begins ----

// Where the reading begins elsewhere than at the group's offsets.
struct changes {
  rd_kafka_topic_partition_list_t *moved; // the partitions whose reading does not begin at the group's offset
  struct store_range *gaps;               // records that were deleted before the group read them
  size_t n_gaps;
};

int64_t offsets_begin_at(int64_t committed, int64_t first, int64_t end) {
  bool is_gone = committed < first; // also: none is committed
  bool is_anew = committed > end;
  return is_gone || is_anew ? first : committed;
}

static bool ask(rd_kafka_t *consumer, const rd_kafka_topic_partition_t *rktpar, int64_t deadline_ms,
                int64_t *first, int64_t *end) {
  int64_t left_ms = deadline_ms - clock_mono_ms();
  int ask_ms = left_ms < ASK_MS ? (int)left_ms : ASK_MS;
  return left_ms > 0 && !stop_requested() &&
         !rd_kafka_query_watermark_offsets(consumer, rktpar->topic, rktpar->partition, first, end, ask_ms);
}

static void move(rd_kafka_topic_partition_t *rktpar, int64_t first, int64_t end, struct changes *out) {
  int64_t committed = rktpar->offset;
  int64_t begin = offsets_begin_at(committed, first, end);
  if (begin == committed) return;
  bool is_gap = committed >= 0 && committed < begin;
  int64_t published_from = is_gap ? offsets_published_from(rktpar) : begin;
  if (published_from < 0) published_from = committed; // those of the gap are published with its offset
  set(rktpar, begin, published_from);
  offsets_add(out->moved, rktpar->topic, rktpar->partition, begin, published_from);
  if (is_gap)
    out->gaps[out->n_gaps++] = (struct store_range){rktpar->topic, rktpar->partition, committed, begin - 1};
}

// Asks each partition's leader for its first and last offset, for 5 s in all. A partition without an answer
// keeps its offset, or gets RD_KAFKA_OFFSET_BEGINNING: its first fetch finds out. The gaps' topics are
// borrowed from the list.
static void find_changes(rd_kafka_t *consumer, rd_kafka_topic_partition_list_t *list, struct changes *out) {
  int64_t deadline_ms = clock_mono_ms() + ASK_ALL_MS;
  out->moved = rd_kafka_topic_partition_list_new(list->cnt);
  out->gaps = mem_array((size_t)list->cnt, sizeof *out->gaps);
  out->n_gaps = 0;
  for (int i = 0; i < list->cnt; i++) {
    rd_kafka_topic_partition_t *rktpar = &list->elems[i];
    int64_t first, end;
    if (ask(consumer, rktpar, deadline_ms, &first, &end))
      move(rktpar, first, end, out);
    else if (rktpar->offset < 0)
      rktpar->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
}

static void count_lost(struct metrics *metrics, const struct store_range *gaps, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int64_t count = gaps[i].last - gaps[i].first + 1;
    log_error("records were gone before they were read", LOG_STR("topic", gaps[i].topic),
              LOG_INT("partition", gaps[i].partition), LOG_INT("first_offset", gaps[i].first),
              LOG_INT("last_offset", gaps[i].last), LOG_INT("count", count));
    metrics_add(metrics, METRIC_EVENTS_LOST, gaps[i].topic, count);
  }
}

static bool store_lost(struct store *store, const struct store_range *gaps, size_t n, struct err *err) {
  struct alert *lost = mem_array(n, sizeof *lost);
  for (size_t i = 0; i < n; i++)
    alert_of_lost(&lost[i], gaps[i].topic, gaps[i].partition, gaps[i].first, gaps[i].last);
  bool stored = rows_insert_alerts(store_connection(store), lost, n, NULL, err);
  alerts_free(lost, n);
  return stored;
}

// Commits the offsets at which the reading begins before anything is read. The alerts about a gap go out in
// this transaction; with them go those that a crash between the two commits left for records of the gap,
// which no batch will contain again.
static bool commit(const struct offsets *offsets, const struct changes *changes,
                   const rd_kafka_consumer_group_metadata_t *group, struct store *store,
                   struct outbox *outbox, struct err *err) {
  struct alert *alerts = NULL;
  size_t n = 0, n_gaps = changes->n_gaps;
  if (changes->moved->cnt == 0) return true;
  measure_enter(offsets->measure, PHASE_POSTGRES);
  if (!store_lost(store, changes->gaps, n_gaps, err) ||
      !store_alerts(store, changes->gaps, n_gaps, &alerts, &n, err))
    return false;
  measure_enter(offsets->measure, PHASE_KAFKA);
  bool committed = outbox_send(outbox, group, changes->moved, NULL, 0, alerts, n, err);
  if (committed) count_lost(offsets->metrics, changes->gaps, n_gaps);
  alerts_free(alerts, n);
  measure_reset(offsets->measure);
  return committed;
}

// ---- assigned partitions ----

void offsets_forget(struct offsets *offsets) {
  if (offsets->unopened) rd_kafka_topic_partition_list_destroy(take(offsets->unopened));
}

void offsets_accept(struct offsets *offsets, rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list) {
  rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
  rd_kafka_assign(rk, none);
  rd_kafka_topic_partition_list_destroy(none);
  offsets_forget(offsets);
  offsets->unopened = rd_kafka_topic_partition_list_copy(list);
}

// Asks for the group's committed offsets. librdkafka 2.0.2 could ask for them by itself; but if an open
// transaction holds them back and the assignment changes meanwhile, it takes them for none and begins at the
// oldest record (rd_kafka_assignment_apply_offsets()), and after some errors it does not ask again.
static rd_kafka_resp_err_t ask_committed(rd_kafka_t *consumer, rd_kafka_topic_partition_list_t *list) {
  rd_kafka_resp_err_t code = rd_kafka_committed(consumer, list, COMMITTED_MS);
  for (int i = 0; !code && i < list->cnt; i++) code = list->elems[i].err;
  return code;
}

bool offsets_open(struct offsets *offsets, rd_kafka_t *consumer,
                  const rd_kafka_consumer_group_metadata_t *group, struct store *store, struct outbox *outbox,
                  bool *opened, struct err *err) {
  rd_kafka_resp_err_t code = ask_committed(consumer, offsets->unopened);
  if (!code) {
    struct changes changes;
    find_changes(consumer, offsets->unopened, &changes);
    bool committed = commit(offsets, &changes, group, store, outbox, err);
    rd_kafka_topic_partition_list_destroy(changes.moved);
    free(changes.gaps);
    if (!committed) return false;
    code = rd_kafka_assign(consumer, offsets->unopened);
  }
  *opened = !code;
  if (code && !kafka_class_of(code)->is_transient) return kafka_fail(err, "the group's offsets", code, NULL);
  if (code)
    log_warn_rarely(__func__, "waits for the group's offsets", LOG_INT("worker", offsets->worker),
                    LOG_STR("error", rd_kafka_err2str(code)));
  return true;
}
