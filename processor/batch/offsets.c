// SPDX-License-Identifier: MIT
#include "processor/batch/offsets.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include <stdlib.h>
#include <string.h>

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

enum { ASK_MS = 1000, ASK_ALL_MS = 5000 };

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

static void move(rd_kafka_topic_partition_t *rktpar, int64_t first, int64_t end, struct offsets *out) {
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

void offsets_begin(rd_kafka_t *consumer, rd_kafka_topic_partition_list_t *list, struct offsets *out) {
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

void offsets_fini(struct offsets *offsets) {
  rd_kafka_topic_partition_list_destroy(offsets->moved);
  free(offsets->gaps);
}
