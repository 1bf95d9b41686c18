// SPDX-License-Identifier: MIT
// The settings of Kafka's topics on which the durability of an acknowledgement depends. Not for: evaluating
// them.
#pragma once
#include "common/base/err.h"
#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

struct kafka_facts {
  int64_t replication;       // of the partition that has the least
  int64_t min_insync;        // min.insync.replicas
  int64_t flush_messages;    // flush.messages: records between two syncs
  int64_t max_message_bytes; // max.message.bytes; 0: not known
  bool unclean_election;     // unclean.leader.election.enable
  const char *unread;        // NULL, or why the settings cannot be read: an ACL, or a broker that is too old
};

// Asks the cluster for the topics' metadata and settings; out has room for n. False: a topic is missing, or
// no answer came in time; asking again may help. Blocks for about (n + 1) × timeout_ms at most.
MUST_CHECK bool kafka_facts_ask(rd_kafka_t *rk, const char *const *topics, size_t n, int timeout_ms,
                                struct kafka_facts *out, struct err *err);
