// SPDX-License-Identifier: MIT
#include "processor/batch/partitions.h"
#include "common/base/mem.h"
#include "processor/processor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct owned {
  char *topic;
  int32_t partition;
  int64_t next; // RD_KAFKA_OFFSET_INVALID: not known yet
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

// It is the next owner's to tell.
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

void partitions_reached(struct partitions *partitions, const char *topic, int32_t partition, int64_t next) {
  for (size_t i = 0; i < partitions->n; i++) {
    struct owned *owned = &partitions->list[i];
    if (owned->partition == partition && strcmp(owned->topic, topic) == 0 && owned->next < next)
      owned->next = next;
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
