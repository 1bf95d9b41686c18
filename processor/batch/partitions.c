// SPDX-License-Identifier: MIT
#include "processor/batch/partitions.h"
#include "common/base/mem.h"
#include "processor/batch/offsets.h"
#include "processor/processor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct owned {
  char *topic;
  int32_t partition;
  int64_t next;           // RD_KAFKA_OFFSET_INVALID: not known yet
  int64_t committed;      // negative: none
  int64_t published_from; // the alerts of records from it to `committed` are published; negative: not known
  int64_t marked_end;     // before it they are marked
  bool unmarked;          // some behind it may not be
  metric_value *is_owned, *lag;
};

struct partitions {
  struct metrics *metrics;
  struct owned *list; // also after they were revoked
  size_t n;
  bool revoked;
};

struct partitions *partitions_new(struct metrics *metrics) {
  struct partitions *partitions = mem_alloc(sizeof *partitions);
  partitions->metrics = metrics;
  return partitions;
}

// The marks of the last batches may be missing, if their worker died.
static void set_published(struct owned *owned, const rd_kafka_topic_partition_t *rktpar) {
  int64_t from = offsets_published_from(rktpar);
  owned->committed = rktpar->offset;
  owned->published_from = from < 0 && rktpar->offset >= 0 ? rktpar->offset : from;
  owned->marked_end = from;
  owned->unmarked = from >= 0;
}

// Their lag is from now on the next owner's metric.
static void forget(struct partitions *partitions) {
  for (size_t i = 0; i < partitions->n; i++) {
    struct owned *owned = &partitions->list[i];
    if (atomic_load(owned->is_owned) == 0) atomic_store(owned->lag, 0);
    free(owned->topic);
  }
  free(take(partitions->list));
  partitions->n = 0;
}

void partitions_free(struct partitions *partitions) {
  if (!partitions) return;
  partitions_revoke(partitions);
  forget(partitions);
  free(partitions);
}

void partitions_assign(struct partitions *partitions, const rd_kafka_topic_partition_list_t *list) {
  partitions_revoke(partitions);
  forget(partitions);
  partitions->revoked = false;
  partitions->list = mem_array((size_t)list->cnt, sizeof *partitions->list);
  partitions->n = (size_t)list->cnt;
  for (size_t i = 0; i < partitions->n; i++) {
    struct owned *owned = &partitions->list[i];
    char number[16];
    snprintf(number, sizeof number, "%d", (int)list->elems[i].partition);
    owned->topic = mem_strdup(list->elems[i].topic);
    owned->partition = list->elems[i].partition;
    owned->next = RD_KAFKA_OFFSET_INVALID;
    set_published(owned, &list->elems[i]);
    const char *const labels[] = {owned->topic, number};
    owned->is_owned = metrics_at_each(partitions->metrics, METRIC_PARTITION_OWNED, labels);
    owned->lag = metrics_at_each(partitions->metrics, METRIC_PARTITION_LAG, labels);
    atomic_fetch_add(owned->is_owned, 1); // another worker of this process may still have to notice
  }
}

void partitions_revoke(struct partitions *partitions) {
  for (size_t i = 0; i < partitions->n && !partitions->revoked; i++)
    atomic_fetch_sub(partitions->list[i].is_owned, 1);
  partitions->revoked = true;
}

bool partitions_is_unknown(const struct partitions *partitions) {
  for (size_t i = 0; i < partitions->n; i++)
    if (partitions->list[i].next < 0) return true;
  return false;
}

static struct owned *find(struct partitions *partitions, const char *topic, int32_t partition) {
  for (size_t i = 0; i < partitions->n; i++) {
    struct owned *owned = &partitions->list[i];
    if (owned->partition == partition && strcmp(owned->topic, topic) == 0) return owned;
  }
  return NULL;
}

void partitions_reached(struct partitions *partitions, const char *topic, int32_t partition, int64_t next) {
  struct owned *owned = find(partitions, topic, partition);
  if (owned && owned->next < next) owned->next = next;
}

void partitions_committed(struct partitions *partitions, const rd_kafka_topic_partition_list_t *offsets,
                          bool any_alerts) {
  for (int i = 0; i < offsets->cnt; i++) {
    const rd_kafka_topic_partition_t *rktpar = &offsets->elems[i];
    struct owned *owned = find(partitions, rktpar->topic, rktpar->partition);
    if (!owned) continue;
    owned->committed = rktpar->offset;
    owned->published_from = offsets_published_from(rktpar);
    owned->unmarked |= any_alerts;
  }
}

bool partitions_read(struct partitions *partitions, const struct store_range *ranges, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct owned *owned = find(partitions, ranges[i].topic, ranges[i].partition);
    if (!owned || partitions->revoked) return false;
    if (owned->published_from < 0) owned->published_from = ranges[i].first; // it begins at the oldest record
    if (owned->next <= ranges[i].last) owned->next = ranges[i].last + 1;
  }
  return true;
}

static bool is_uncommitted(const struct partitions *partitions, size_t i) {
  return !partitions->revoked && partitions->list[i].next > partitions->list[i].committed;
}

bool partitions_any_uncommitted(const struct partitions *partitions) {
  for (size_t i = 0; i < partitions->n; i++)
    if (is_uncommitted(partitions, i)) return true;
  return false;
}

rd_kafka_topic_partition_list_t *partitions_uncommitted(const struct partitions *partitions) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partitions->n);
  for (size_t i = 0; i < partitions->n; i++) {
    const struct owned *owned = &partitions->list[i];
    if (is_uncommitted(partitions, i))
      offsets_add(list, owned->topic, owned->partition, owned->next,
                  owned->published_from < 0 ? owned->next : owned->published_from);
  }
  return list;
}

struct store_range *partitions_unmarked(const struct partitions *partitions, size_t *n) {
  struct store_range *ranges = mem_array(partitions->n, sizeof *ranges);
  *n = 0;
  for (size_t i = 0; i < partitions->n; i++) {
    const struct owned *owned = &partitions->list[i];
    int64_t first = owned->marked_end > owned->published_from ? owned->marked_end : owned->published_from;
    if (owned->unmarked)
      ranges[(*n)++] = (struct store_range){owned->topic, owned->partition, first, owned->committed - 1};
  }
  return ranges;
}

void partitions_marked(struct partitions *partitions) {
  for (size_t i = 0; i < partitions->n; i++) {
    struct owned *owned = &partitions->list[i];
    if (owned->unmarked) owned->marked_end = owned->committed;
    owned->unmarked = false;
  }
}

void partitions_wake_fetch(const struct partitions *partitions, rd_kafka_t *consumer) {
  enum { ANSWER_MS = 100 };
  for (size_t i = 0; i < partitions->n && !partitions->revoked; i++) {
    const struct owned *owned = &partitions->list[i];
    int64_t low, end;
    if (atomic_load(owned->lag) > 0)
      rd_kafka_query_watermark_offsets(consumer, owned->topic, owned->partition, &low, &end, ANSWER_MS);
  }
}

void partitions_measure(struct partitions *partitions, rd_kafka_t *consumer) {
  for (size_t i = 0; i < partitions->n; i++) {
    struct owned *owned = &partitions->list[i];
    int64_t low, end;
    if (owned->next < 0 ||
        rd_kafka_get_watermark_offsets(consumer, owned->topic, owned->partition, &low, &end))
      continue;
    if (end >= 0) atomic_store(owned->lag, end > owned->next ? end - owned->next : 0);
  }
}
