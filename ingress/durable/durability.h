// SPDX-License-Identifier: MIT
// The durability of a 2xx: which failures an acknowledged event survives. Kafka and the spool can each
// acknowledge; the durability is that of the weaker of those in use. One that is weaker than
// DOCHAK_ACK_SURVIVES gives no acks, and no event moves there from the other.
//
// A thread watches Kafka's topics: it looks for each until it has been seen once, and teaches the breaker
// their partitions. It asks for their settings once a minute, and each second while they are unknown or too
// weak; so for up to a minute after somebody lowered min.insync.replicas an ack may survive less. While the
// breaker of the cluster is open, it asks whether the cluster is back. A topic that is missing or denied
// delays no other one. Not for: whether Kafka or the spool work now (breaker.h, spool.h).
#pragma once
#include "common/config/settings.h"
#include "common/kafka/kafka_facts.h"
#include "common/ops/metrics.h"
#include "ingress/durable/breaker.h"
#include <stdbool.h>

// Each level includes those before it. The names are those of the setting.
enum durability {
  DURABILITY_PROCESS, // survives the crash of a process: the record is in a broker's page cache
  DURABILITY_MACHINE, // survives the crash of a machine: the spool, or a topic that syncs each record
  DURABILITY_BROKER,  // survives the loss of a machine: two replicas in sync, and only those become leader
  DURABILITY_COUNT
};

// A name of DOCHAK_ACK_SURVIVES.
MUST_CHECK bool durability_parse(const char *name, enum durability *out, struct err *err);
// The durability of Kafka's ack on such a topic. Without permission to read the settings, the weakest.
enum durability durability_of_topic(const struct kafka_facts *facts);

struct durability_watch;

// Until the topics are known, Kafka's acks are DURABILITY_PROCESS. `metrics` is borrowed. NULL: a wrong
// DOCHAK_ACK_SURVIVES.
MUST_CHECK struct durability_watch *durability_watch_new(const struct settings *settings,
                                                         struct metrics *metrics, struct err *err);
// Starts the thread. Producer and breaker are borrowed.
MUST_CHECK bool durability_watch_start(struct durability_watch *watch, const struct kafka_producer *producer,
                                       struct breaker *breaker, struct err *err);
// Asks the thread to end, without waiting: a request to a Kafka that is away may take a second. Thread: any.
void durability_watch_stop(struct durability_watch *watch);
void durability_watch_free(struct durability_watch *watch); // stops it and waits. NULL is let through

// Learns the facts of n topics, and logs them if they differ from the last ones. False: one of them is too
// weak, as durability_unready() says. Thread: the watch's.
bool durability_watch_learn(struct durability_watch *watch, const char *const *topics,
                            const struct kafka_facts *facts, size_t n);

// Why a broker refuses the connection, or cannot be trusted (kafka_refusal()): until the cluster answers, it
// is the reason why a topic has not been seen. One thread, any.
void durability_note_refusal(struct durability_watch *watch, const char *text);

// Whether Kafka, and the spool, may give acks. Thread: any.
bool durability_kafka_gives(const struct durability_watch *watch);
bool durability_spool_gives(const struct durability_watch *watch);
// NULL, or the topic and the setting that is too low. Thread: any.
const char *durability_unready(const struct durability_watch *watch);
// NULL, or the first topic that has not been seen yet, and why. Thread: any.
const char *durability_unseen(const struct durability_watch *watch);
