// SPDX-License-Identifier: MIT
// The offsets at which the reading of assigned partitions begins: those that the group has committed, or the
// first record where that one is gone, nothing is committed, or the topic was made anew. Not for: committing
// them (outbox). Thread: the worker's.
//
// Each offset that we commit has metadata: the alerts of all records from `published_from` to the offset are
// published, since the transaction that commits an offset publishes the alerts of the records below it. An
// offset that an operator set has no such metadata, and records below it may have been passed over.
#pragma once
#include "processor/batch/store.h"
#include <librdkafka/rdkafka.h>

struct offsets {
  rd_kafka_topic_partition_list_t *moved; // the partitions whose reading does not begin at the group's offset
  struct store_range *gaps;               // records that were deleted before the group read them
  size_t n_gaps;
};

// `list` has the committed offsets, negative where there is none; sets those at which the reading begins, and
// their metadata.
// Asks each partition's leader for its first and last offset, for 5 s in all. A partition without an answer
// keeps its offset, or gets RD_KAFKA_OFFSET_BEGINNING: its first fetch finds out. The gaps' topics are
// borrowed from the list.
void offsets_begin(rd_kafka_t *consumer, rd_kafka_topic_partition_list_t *list, struct offsets *out);
void offsets_fini(struct offsets *offsets);

// Adds an offset to commit, with its metadata.
void offsets_add(rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition, int64_t offset,
                 int64_t published_from);
// What the metadata of a committed offset says; negative: it is not one of ours.
int64_t offsets_published_from(const rd_kafka_topic_partition_t *rktpar);

// What offsets_begin() decides for one partition, whose records are [first, end).
int64_t offsets_begin_at(int64_t committed, int64_t first, int64_t end);
