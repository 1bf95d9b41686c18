// SPDX-License-Identifier: MIT
// The spool: where events are durable while Kafka is away. One writer thread commits what all requests have
// waiting as one transaction, so that one fsync serves them all. Not for: sending what is in it to Kafka
// (drain.h); what the file looks like (spool_file.h).
//
// What is promised about order. Rows of one key leave in the order in which they were committed, except that
// a row which Kafka refuses for what it is does not hold up the rows behind it. Between spooled and live
// events nothing is promised: once Kafka is back, a live event overtakes what is still in the spool, and an
// event may be in Kafka twice, with the same ce_id, when it came to the spool because its acknowledgement was
// late. Neither does harm: a receipt that was there already changes nothing (dedupe key), an acceptance may
// follow its receipt, and the status rules (processor/ledger.c) end in the same status whichever of two
// outcomes comes first.
//
// Bounded: a full spool refuses. When the disk fails or is full, the spool refuses, turns readiness red, and
// tries every second whether it can write again.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "ingress/durable/spool_file.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool;

// Starts the writer, which opens DOCHAK_SPOOL_DIR and, whenever that fails, tries again every second: until
// then spool_unready() says why, and everything is refused. Waits a second for the first try to be over; a
// large file on a slow disk takes longer. `metrics` is borrowed.
MUST_CHECK struct spool *spool_open(const struct settings *settings, struct metrics *metrics,
                                    struct err *err);
void spool_close(struct spool *spool); // nobody may be using it any more

// Copies the messages and waits until they are on the disk, all or none. False: refused, or not by the
// deadline (monotonic); then they may be stored none the less. Thread: any number.
MUST_CHECK bool spool_store(struct spool *spool, const struct publisher_message *const *messages, size_t n,
                            int64_t deadline_ms);

// It refuses now, and tries by itself whether that has changed. Thread: any.
bool spool_is_failing(const struct spool *spool);
// NULL, or why there should be no new events: it is not open, it cannot be written, or
// DOCHAK_SPOOL_READY_PERCENT of it is used. Thread: any.
const char *spool_unready(const struct spool *spool);
int64_t spool_count(const struct spool *spool); // events in it. Thread: any.

// ---- for the drain, which is one thread ----

// Waits until there is a row behind `after`, at most so long. False: there is none.
bool spool_wait(struct spool *spool, int64_t after, int64_t ms);
int64_t spool_last_id(struct spool *spool); // of the rows that were stored; 0: none
void spool_wake(struct spool *spool);       // ends that waiting. Thread: any.
// As spool_file_read() and spool_file_read_one().
MUST_CHECK bool spool_read(struct spool *spool, int64_t after, spool_take_fn *take, void *arg,
                           struct err *err);
MUST_CHECK bool spool_read_one(struct spool *spool, int64_t id, spool_take_fn *take, void *arg, bool *found,
                               struct err *err);
// Takes these rows out, for good when it returns true. Blocks for as long as the disk does.
MUST_CHECK bool spool_remove(struct spool *spool, const int64_t *ids, size_t n);
