// SPDX-License-Identifier: MIT
// Which partitions a worker owns: how far it has read and committed each, how far behind it is, and which
// alerts were published but have no mark in Postgres yet. Thread: the worker's.
#pragma once
#include "common/base/err.h"
#include "common/ops/metrics.h"
#include "processor/batch/store.h"
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct partitions;

struct partitions *partitions_new(struct metrics *metrics); // borrowed
void partitions_free(struct partitions *partitions);

// The list's offsets are those that the group has committed, with their metadata (offsets.h).
void partitions_assign(struct partitions *partitions, const rd_kafka_topic_partition_list_t *list);
// All of them. Their lag keeps its last value until other partitions are assigned: 0 would say that all is
// read.
void partitions_revoke(struct partitions *partitions);

// Whether of one of them it is not known yet how far it is read.
bool partitions_is_unknown(const struct partitions *partitions);
// The records before `next` are done with, or in the batch in hand. Behind the last record only ends of
// transactions follow, which are not records.
void partitions_reached(struct partitions *partitions, const char *topic, int32_t partition, int64_t next);
// These records are stored, so their offsets may be committed. False: a partition is not owned any more, and
// its records are the next owner's.
MUST_CHECK bool partitions_read(struct partitions *partitions, const struct store_range *ranges, size_t n);
// The offsets to commit: of each partition whose reading has reached further than the group's offset. After a
// revocation there are none: they are the next owner's. A new list for the caller to destroy.
bool partitions_any_uncommitted(const struct partitions *partitions);
rd_kafka_topic_partition_list_t *partitions_uncommitted(const struct partitions *partitions);
// These offsets are committed, and all before them with them; `any_alerts`: were published in that
// transaction.
void partitions_committed(struct partitions *partitions, const rd_kafka_topic_partition_list_t *offsets,
                          bool any_alerts);
// Ranges whose alerts are published and may have no mark yet. New array, its topics are borrowed.
struct store_range *partitions_unmarked(const struct partitions *partitions, size_t *n);
void partitions_marked(struct partitions *partitions); // all of those are, committed
// Sends a request to the leader of each partition that has a lag. librdkafka 2.0.2 stops fetching while its
// queue is full, and looks again after a second, or when a request wakes the thread of that broker. Blocks
// for a round trip each.
void partitions_wake_fetch(const struct partitions *partitions, rd_kafka_t *consumer);
// Lag: the last end of each partition that a fetch reported, less what is reached.
void partitions_measure(struct partitions *partitions, rd_kafka_t *consumer);
