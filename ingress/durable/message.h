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

// Hands it to librdkafka as one record, whose report has `opaque`. As event_produce().
static inline rd_kafka_resp_err_t publisher_message_produce(const struct publisher_message *message,
                                                            const struct kafka_producer *producer,
                                                            int32_t partition, void *opaque) {
  const struct event_record record = {
      producer->topics[message->topic], partition, message->key, message->value, message->value_len, opaque};
  return event_produce(producer->rk, &record, &message->event);
}

// The topic of such a record.
static inline enum kafka_topic publisher_record_topic(const struct kafka_producer *producer,
                                                      const rd_kafka_message_t *rkm) {
  enum kafka_topic topic = 0;
  while (topic < KAFKA_TOPIC_COUNT - 1 && producer->topics[topic] != rkm->rkt) topic++;
  return topic;
}
