// SPDX-License-Identifier: MIT
// Messages to publish and to store.
#pragma once
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ingress/durable/publisher.h"
#include "ingress/durable/spool.h"
#include <stdlib.h>
#include <string.h>

// A receipt of BizGo's, received now.
static inline struct publisher_message message_of(const char *key, const char *value) {
  return (struct publisher_message){.topic = KAFKA_TOPIC_EVENTS,
                                    .event = {.id = uuid_new_v7(),
                                              .type = EVENT_RECEIPT,
                                              .source = "/ingress/t",
                                              .subject = key,
                                              .time_ms = clock_wall_ms(),
                                              .provider = "bizgo"},
                                    .key = key,
                                    .value = value,
                                    .value_len = strlen(value)};
}

static inline bool publish_within(struct publisher *publisher, const struct publisher_message *messages,
                                  size_t n, int64_t budget_ms) {
  bool spooled;
  return publisher_publish(publisher, messages, n, clock_mono_ms() + budget_ms, &spooled);
}

// Waits until the writer has tried to open the file.
static inline void wait_opened(const struct spool *spool) {
  const char *reason;
  for (int i = 0; i < 20000 && (reason = spool_unready(spool)); i++) {
    if (strcmp(reason, "the spool is being opened") != 0) break;
    clock_sleep_ms(1);
  }
}

// False: refused, or not by the deadline (monotonic).
static inline bool store_all(struct spool *spool, const struct publisher_message *messages, size_t n,
                             int64_t deadline_ms) {
  AUTO_FREE const struct publisher_message **list = mem_array(n, sizeof(const struct publisher_message *));
  for (size_t i = 0; i < n; i++) list[i] = &messages[i];
  return spool_store(spool, list, n, deadline_ms);
}
