// SPDX-License-Identifier: MIT
// The Kafka transaction of a batch: its alerts, its quarantined records, and the offsets of all that was
// stored since the last transaction become visible together, or none of them does. Holds the transactional
// producer. Thread: one worker each.
#pragma once
#include "common/base/err.h"
#include "processor/batch/store.h"
#include "processor/processor.h"
#include "processor/rules/alert.h"

struct outbox;

// Whether the Kafka settings make a producer, without connecting. For --check.
MUST_CHECK bool outbox_check(const struct settings *settings, struct err *err);

// `name` is the transactional id: a new outbox of the same name fences the one before and aborts what it left
// open.
MUST_CHECK struct outbox *outbox_open(struct processor *processor, const char *name, struct err *err);
void outbox_close(struct outbox *outbox);

// Sorts the facts by (topic, partition, offset): the batch as places in Kafka.
void outbox_sort(struct fact **facts, size_t n);
// One range for each partition in the sorted facts; `ranges` has room for n. Returns how many.
size_t outbox_ranges(struct fact *const *facts, size_t n, struct store_range *ranges);

// Drops the alerts whose source is not really a record of the sorted facts (its ce_id differs). Returns how
// many stay.
size_t outbox_keep_own(struct alert *alerts, size_t n_alerts, struct fact *const *facts, size_t n);

// Runs the transaction: publishes the alerts, the quarantined ones of the sorted facts, and commits the
// offsets. False: it was aborted, or its end is not known; the caller starts over from the committed offsets.
// `group` is what the consumer was in its group when it read the records: a worker that has been expelled
// since is refused. Without it no offsets are committed, and there are no facts.
MUST_CHECK bool outbox_send(struct outbox *outbox, const rd_kafka_consumer_group_metadata_t *group,
                            const rd_kafka_topic_partition_list_t *offsets, struct fact *const *facts,
                            size_t n, const struct alert *alerts, size_t n_alerts, struct err *err);

// After outbox_send() failed: the partition that a record was not delivered to, and Kafka's error, or NULL if
// it failed of something else. Borrowed until the next outbox_send().
const char *outbox_undelivered(const struct outbox *outbox);
