// SPDX-License-Identifier: MIT
// The spool keeps events durable on disk while Kafka is away. One writer thread commits everything that
// requests have waiting as one transaction, so that they share one fsync. Not for: sending rows to Kafka
// (drain.h); the file's format (spool_file.h).
//
// Order. Rows of one key are sent in the order in which they were committed. A row that has to be sent again,
// by the drain or by librdkafka, or that Kafka refuses, may be overtaken by the rows behind it. Once Kafka is
// back, a live event overtakes the spooled ones. That does no harm: an acceptance may follow its receipt, and
// the status rules (processor/rules/ledger.c) end in the same status for every order.
//
// Bounded: a full spool refuses. When the disk fails, is full or does not answer for 2 s, the spool refuses
// and turns readiness red. It tries every second whether it can write again.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "ingress/durable/spool_file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool;

// Starts the writer, which opens DOCHAK_SPOOL_DIR and tries again every second when that fails. Until it is
// open, spool_unready() names the reason and everything is refused. Waits for the first try, which takes
// milliseconds, so that no request comes before it; but for 2 s at most, since a damaged file is copied.
// `metrics` is borrowed.
MUST_CHECK struct spool *spool_open(const struct settings *settings, struct metrics *metrics,
                                    struct err *err);
void spool_close(struct spool *spool); // once no other thread uses it

// Copies the messages and waits until they are on the disk, all or none. False: refused, or not by the
// deadline (monotonic); then they may be stored none the less. Thread: any number.
MUST_CHECK bool spool_store(struct spool *spool, const struct publisher_message *const *messages, size_t n,
                            int64_t deadline_ms);

// NULL, or why it refuses everything now. Thread: any.
const char *spool_failing(const struct spool *spool);
// NULL, or why readiness is red: the spool is not open, cannot be written, its disk does not answer, or
// DOCHAK_SPOOL_READY_PERCENT of it is used. Thread: any.
const char *spool_unready(const struct spool *spool);
int64_t spool_count(const struct spool *spool); // events in it. Thread: any.
// When the oldest was received that is still to come to the events topic (Unix milliseconds); -1: none. Not
// of those that Kafka refuses for what they are. Thread: any.
int64_t spool_waiting_ms(const struct spool *spool);

// ---- for the drain, which is one thread ----

// Waits up to `ms` for a row behind `after`. False: there is none.
bool spool_wait(struct spool *spool, int64_t after, int64_t ms);
int64_t spool_last_id(const struct spool *spool); // of the rows stored so far; 0: none
void spool_wake(struct spool *spool);             // ends that waiting. Thread: any.
// As spool_file_read(). False: it cannot be read now, and the cause is logged.
MUST_CHECK bool spool_read(struct spool *spool, int64_t first, int64_t last, spool_take_fn *take, void *arg);
// Kafka refuses this row for what it is: it stays, and counts for spool_waiting_ms() no more.
void spool_refuse(struct spool *spool, int64_t id);
// Deletes these rows, one at least; true: that is on the disk. Blocks for as long as the disk does.
MUST_CHECK bool spool_remove(struct spool *spool, const int64_t *ids, size_t n);
