// SPDX-License-Identifier: MIT
// Makes events durable, within a budget that is ours and not librdkafka's: hands them to Kafka and tells when
// all are acknowledged with acks=all; what Kafka has not acknowledged in time, or while it is known to be
// away, goes to the spool. Nothing here waits: a publication goes on by the reports, the commits and the
// clock. Not for: what an event says; what to answer.
//
// An event whose acknowledgement was late is in Kafka and in the spool, so twice on the topic in the end; and
// UNAVAILABLE does not mean that nothing was stored: some events may be, or be stored later, after the
// waiting has ended, and the sender is told to send again. Both kinds of doubles are absorbed downstream: the
// same receipt by its dedupe key, the same event by its ce_id.
//
// Without a spool (no DOCHAK_SPOOL_DIR) Kafka being away is UNAVAILABLE.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/kafka/event.h"
#include "common/kafka/kafka.h"
#include "common/ops/metrics.h"
#include "ingress/loop.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct publisher;

// Whether the Kafka settings can be used, without connecting. For --check.
MUST_CHECK bool publisher_check(const struct settings *settings, struct err *err);

struct publisher_message {
  enum kafka_topic topic;
  struct event event;
  const char *key; // NULL: any partition
  const void *value;
  size_t value_len;
};

// Opens the spool, if there is to be one, and starts to bring what is in it to Kafka. Does not wait for
// Kafka; looks for the topics in the background. `metrics` is borrowed.
MUST_CHECK struct publisher *publisher_open(const struct settings *settings, struct metrics *metrics,
                                            struct err *err);
// NULL, or why nothing should be published. With a spool, Kafka being away is no reason, a spool that fills
// up or cannot be written is; without one, the topics have to have been seen once. Thread: any.
const char *publisher_unready(const struct publisher *publisher);
// Flushes what is queued and what is in the spool as long as Kafka takes it, at most so long, and closes; the
// rest stays in the spool. Nobody may be publishing any more.
void publisher_close(struct publisher *publisher, int64_t flush_ms);

// TOO_LARGE: one of them is larger than Kafka's message.max.bytes, and will be the next time, too; it is
// logged, and not spooled. While Kafka is away nobody knows, and it is: the drain tells then.
enum publisher_result { PUBLISHER_DURABLE, PUBLISHER_UNAVAILABLE, PUBLISHER_TOO_LARGE };
// `spooled`: at least one of them is durable by the spool.
typedef void publisher_done_fn(void *arg, enum publisher_result result, bool spooled);

// Publishes, and calls `done` once, on the loop's thread, perhaps before this returns: by the deadline
// (monotonic), or a turn of the loop later. No messages are durable at once. `messages` and all they point to
// stay as they are until then. Thread: the loop's.
void publisher_publish(struct publisher *publisher, struct loop *loop,
                       const struct publisher_message *messages, size_t n, int64_t deadline_ms,
                       publisher_done_fn *done, void *arg);
