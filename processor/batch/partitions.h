// SPDX-License-Identifier: MIT
// Which partitions a worker owns and how far behind it is in each: told to the metrics, acted upon by nobody.
// Thread: the worker's.
#pragma once
#include "common/ops/metrics.h"
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct partitions;

struct partitions *partitions_new(struct metrics *metrics); // borrowed
void partitions_free(struct partitions *partitions);

void partitions_assign(struct partitions *partitions, const rd_kafka_topic_partition_list_t *list);
// All of them. Their lag stands as it was last seen until others are assigned: while nobody reads them, it is
// not nothing.
void partitions_revoke(struct partitions *partitions);

// Whether of one of them it is not known yet how far it is read.
bool partitions_is_unknown(const struct partitions *partitions);
// All before `next` is committed; or is at the end of the batch in hand, after which only ends of
// transactions follow, which nobody is given.
void partitions_reached(struct partitions *partitions, const char *topic, int32_t partition, int64_t next);
// Lag: the last end of each partition that the broker told while fetching, less what is reached.
void partitions_measure(struct partitions *partitions, rd_kafka_t *consumer);
