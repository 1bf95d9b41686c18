// SPDX-License-Identifier: MIT
// What Kafka's topics are set to, as far as it bears on what an acknowledgement is worth. Not for: judging
// it.
#pragma once
#include "common/base/err.h"
#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_facts {
  int64_t replication;    // of the partition that has the least
  int64_t min_insync;     // min.insync.replicas
  int64_t flush_messages; // flush.messages: records between two syncs
  const char *unread; // NULL, or why the settings may not be read: an ACL, a broker without such a request
};

// Asks the cluster for the topics' metadata and settings; out has room for n. False: a topic is missing, or
// no answer, which there may be the next time. Blocks for about (n + 1) × timeout_ms at most.
MUST_CHECK bool kafka_facts_ask(rd_kafka_t *rk, const char *const *topics, size_t n, int timeout_ms,
                                struct kafka_facts *out, struct err *err);
