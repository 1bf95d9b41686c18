// SPDX-License-Identifier: MIT
// The offsets at which the reading of assigned partitions begins: those that the group has committed, or the
// first record where that one is gone, nothing is committed, or the topic was made anew. Not for: the offsets
// of partitions that are being read (partitions.h). Thread: the worker's.
//
// Each offset that we commit has metadata: the alerts of all records from `published_from` to the offset are
// published, since the transaction that commits an offset publishes the alerts of the records below it. An
// offset that an operator set has no such metadata, and records below it may have been passed over.
#pragma once
#include "processor/batch/measure.h"
#include "processor/batch/outbox.h"

struct offsets {
  int worker;                                // its number, for the log
  struct metrics *metrics;                   // borrowed
  struct measure *measure;                   // borrowed
  rd_kafka_topic_partition_list_t *unopened; // assigned, but not read yet; or NULL. Owned
};

// For the rebalance callback: accepts the assignment without reading.
void offsets_accept(struct offsets *offsets, rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list);
void offsets_forget(struct offsets *offsets); // the unopened partitions
// Starts the reading of the unopened partitions, of which there must be a list; it then has their offsets and
// metadata. The offsets that are not the group's are committed before, together with the alerts about records
// that were deleted before the group read them. Takes up to 1 s for the group's offsets, 5 s for those of the
// partitions, and one transaction of Postgres and one of Kafka. *opened, if true is returned: false where the
// group's offsets are not available yet; ask again after the next poll.
MUST_CHECK bool offsets_open(struct offsets *offsets, rd_kafka_t *consumer,
                             const rd_kafka_consumer_group_metadata_t *group, struct store *store,
                             struct outbox *outbox, bool *opened, struct err *err);

// Adds an offset to commit, with its metadata.
void offsets_add(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition, int64_t offset,
                 int64_t published_from);
// What the metadata of a committed offset says; negative: it is not one of ours.
int64_t offsets_published_from(const rd_kafka_topic_partition_t *rktpar);

// What offsets_open() decides for one partition, whose records are [first, end).
int64_t offsets_begin_at(int64_t committed, int64_t first, int64_t end);
