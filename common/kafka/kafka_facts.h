// SPDX-License-Identifier: MIT
// The settings of Kafka's topics on which it depends what is acknowledged and how long it is kept. Not for:
// evaluating them.
#pragma once
#include "common/kafka/kafka.h"
#include <stddef.h>

enum { KAFKA_FACTS_UNKNOWN = -2 };

struct kafka_facts {
  struct kafka_topic_shape shape;
  int64_t min_insync;        // min.insync.replicas
  int64_t flush_messages;    // flush.messages: records between two syncs
  int64_t max_message_bytes; // max.message.bytes; 0: not known
  int64_t retention_ms;      // retention.ms; -1: for ever; KAFKA_FACTS_UNKNOWN
  int64_t retention_bytes;   // retention.bytes; -1: any number; KAFKA_FACTS_UNKNOWN
  bool compacts;             // cleanup.policy contains "compact"
  bool unclean_election;     // unclean.leader.election.enable
  const char *unread;        // NULL, or why the settings cannot be read: an ACL, or a broker that is too old
};

// Asks the cluster for the topics' metadata and settings; out has room for n. False: a topic is missing, or
// no answer came in time; asking again may help. Blocks for about (n + 1) × timeout_ms at most.
MUST_CHECK bool kafka_facts_ask(rd_kafka_t *rk, const char *const *topics, size_t n, int timeout_ms,
                                struct kafka_facts *out, struct err *err);
// Asks for the settings alone: out has room for n, and its shapes are the caller's.
MUST_CHECK bool kafka_facts_ask_settings(rd_kafka_t *rk, const char *const *topics, size_t n, int timeout_ms,
                                         struct kafka_facts *out, struct err *err);
