// SPDX-License-Identifier: MIT
// What is made durable: one event, for one topic. Its strings and bytes are borrowed from the request.
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
