// SPDX-License-Identifier: MIT
// Makes events durable: hands them to Kafka and waits, on our own clock, until all are acknowledged with
// acks=all. One wake for all the events of a request. Not for: what an event says; what to answer.
//
// UNAVAILABLE does not mean that nothing was stored: some events may be, or be stored later, after the
// waiting has ended. The sender is told to send again, and the doubles are absorbed downstream by the
// receipts' dedupe key.
#pragma once
#include "common/err.h"
#include "common/event.h"
#include "common/kafka.h"
#include "common/metrics.h"
#include "common/settings.h"
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

// Returns at once, whether or not Kafka is there; looks for the topics in the background. `metrics` is
// borrowed.
MUST_CHECK struct publisher *publisher_open(const struct settings *settings, struct metrics *metrics,
                                            struct err *err);
// The topics have been seen. Once true it stays true. Thread: any.
bool publisher_ready(const struct publisher *publisher);
// Flushes what is queued, at most so long, and closes. Nobody may be publishing any more.
void publisher_close(struct publisher *publisher, int64_t flush_ms);

// TOO_LARGE: one of them is larger than Kafka's message.max.bytes, and will be the next time, too; it is
// logged.
enum publisher_result { PUBLISHER_DURABLE, PUBLISHER_UNAVAILABLE, PUBLISHER_TOO_LARGE };
// Everything in `messages` is copied. Blocks for at most budget_ms. No messages are durable at once. Thread:
// any.
MUST_CHECK enum publisher_result publisher_publish(struct publisher *publisher,
                                                   const struct publisher_message *messages, size_t n,
                                                   int64_t budget_ms);
