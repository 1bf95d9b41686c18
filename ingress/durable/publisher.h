// SPDX-License-Identifier: MIT
// Makes the events of a request durable within a budget that is ours and not librdkafka's. Events go to Kafka
// and are durable when it has acknowledged them with acks=all. Events for a partition that is known to be
// sick (breaker.h), events that Kafka refused, and events that it did not report on in time go to the spool,
// if there is one (DOCHAK_SPOOL_DIR). Not for: what an event says; what to answer.
//
// An event whose acknowledgement was late is on the topic twice in the end. Events that are not all durable
// in time may be stored none the less, now or later, and the sender is asked to send again. Both kinds of
// doubles are absorbed downstream: the same receipt by its dedupe key, the same event by its ce_id.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "ingress/durable/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct publisher;

// Whether the Kafka settings can be used, without connecting. For --check.
MUST_CHECK bool publisher_check(const struct settings *settings, struct err *err);

// Opens the spool, if there is to be one, and starts to bring what is in it to Kafka. Does not wait for
// Kafka; looks for the topics in the background. `metrics` is borrowed.
MUST_CHECK struct publisher *publisher_open(const struct settings *settings, struct metrics *metrics,
                                            struct err *err);
// NULL, or why nothing should be published. With a spool, Kafka being away is no reason, a spool that fills
// up or cannot be written is; without one, the topics have to have been seen once. Thread: any.
const char *publisher_unready(const struct publisher *publisher);
// Events in the spool, and spool_waiting_ms(). Both are at most a second old. Without a spool there are none.
// Thread: any.
int64_t publisher_spooled(const struct publisher *publisher, int64_t *waiting_ms);
// Flushes what is queued and what is in the spool as long as Kafka takes it, at most so long, and closes; the
// rest stays in the spool. No request may be publishing any more.
void publisher_close(struct publisher *publisher, int64_t flush_ms);

// Blocks until all are durable (true), or until the deadline (monotonic) at the latest; when Kafka and the
// spool are both known to be away it does not wait. `spooled`: at least one of them is durable by the spool.
// No messages are durable at once. Thread: any number.
MUST_CHECK bool publisher_publish(struct publisher *publisher, const struct publisher_message *messages,
                                  size_t n, int64_t deadline_ms, bool *spooled);
