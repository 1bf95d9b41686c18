// SPDX-License-Identifier: MIT
// What is made durable: one event, for one topic. Strings and bytes are borrowed from the request.
#pragma once
#include "common/kafka/event.h"
#include "common/kafka/kafka.h"
#include <stddef.h>

struct publisher_message {
  enum kafka_topic topic;
  struct event event;
  const char *key; // NULL: any partition
  const void *value;
  size_t value_len;
};

// Its optional strings, by index, for code that stores or copies all of them.
enum { PUBLISHER_MESSAGE_TEXTS = 8 };
static inline const char **publisher_message_text(struct publisher_message *message, size_t i) {
  struct event *ev = &message->event;
  const char **const texts[PUBLISHER_MESSAGE_TEXTS] = {&ev->type,     &ev->source,   &ev->subject,
                                                       &ev->provider, &ev->endpoint, &ev->traceparent,
                                                       &ev->reason,   &message->key};
  return texts[i];
}
