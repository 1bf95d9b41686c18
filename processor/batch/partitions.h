// SPDX-License-Identifier: MIT
// Which partitions a worker owns: how far behind it is in each, for the metrics, and which alerts were
// published but have no mark in Postgres yet. Thread: the worker's.
#pragma once
#include "common/ops/metrics.h"
#include "processor/batch/store.h"
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

// The metadata of an offset that we commit. The transaction that commits the offset publishes the alerts of
// the records below it. An offset without it was set by somebody else: records below it may have been passed
// over.
#define PARTITIONS_OFFSET_METADATA "alerts published"

struct partitions;

struct partitions *partitions_new(struct metrics *metrics); // borrowed
void partitions_free(struct partitions *partitions);

// `list` holds the offsets from which on they are read, and their metadata.
void partitions_assign(struct partitions *partitions, const rd_kafka_topic_partition_list_t *list);
// All of them. Their lag stands as it was last seen until others are assigned: while nobody reads them, it is
// not nothing.
void partitions_revoke(struct partitions *partitions);

// Whether of one of them it is not known yet how far it is read.
bool partitions_is_unknown(const struct partitions *partitions);
// All before `next` is committed; or is at the end of the batch in hand, after which only ends of
// transactions follow, which nobody is given.
void partitions_reached(struct partitions *partitions, const char *topic, int32_t partition, int64_t next);
// The Kafka transaction with the offset range->last + 1 is committed; `any`: with alerts.
void partitions_committed(struct partitions *partitions, const struct store_range *range, bool any);
// Ranges whose alerts are published and may have no mark yet. New array, its topics are borrowed.
struct store_range *partitions_unmarked(const struct partitions *partitions, size_t *n);
void partitions_marked(struct partitions *partitions); // all of those are, committed
// Lag: the last end of each partition that the broker told while fetching, less what is reached.
void partitions_measure(struct partitions *partitions, rd_kafka_t *consumer);
