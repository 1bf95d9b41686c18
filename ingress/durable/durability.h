// SPDX-License-Identifier: MIT
// The durability of a 2xx: which failures an event survives once it was acknowledged. Kafka and the spool can
// each acknowledge; the durability is that of the weaker one of those in use. One that is weaker than
// DOCHAK_ACK_SURVIVES acknowledges nothing, and no event moves there from the other. Checks the topics'
// settings at start and once a minute, and each second while they are not good enough: for that long an ack
// may survive less after somebody lowered min.insync.replicas. Not for: whether Kafka or the spool work now.
#pragma once
#include "common/config/settings.h"
#include "common/kafka/kafka_facts.h"
#include "common/ops/metrics.h"
#include <stdbool.h>

// Each survives what those before it do. The names are those of the setting.
enum durability {
  DURABILITY_PROCESS, // the crash of a process, ingress or broker: the record is in a broker's page cache
  DURABILITY_MACHINE, // and the crash of one machine: the spool, or a topic that syncs each record
  DURABILITY_BROKER,  // and the loss of one machine with its disk: two copies in sync, and only such a copy
                      // becomes the leader
  DURABILITY_COUNT
};

// A name of DOCHAK_ACK_SURVIVES.
MUST_CHECK bool durability_parse(const char *name, enum durability *out, struct err *err);
// The durability of Kafka's ack on such a topic. Settings that may not be read are the weakest.
enum durability durability_of_topic(const struct kafka_facts *facts);

struct durability_watch;

// Until the topics are known, Kafka's acks are DURABILITY_PROCESS. `metrics` is borrowed. NULL: a wrong
// DOCHAK_ACK_SURVIVES.
MUST_CHECK struct durability_watch *durability_watch_new(const struct settings *settings,
                                                         struct metrics *metrics, struct err *err);
void durability_watch_free(struct durability_watch *watch);

// Asks the cluster about the topics, and returns after how many milliseconds to ask again. Blocks for some
// seconds at most. Without an answer the last one holds. Thread: one.
int64_t durability_watch_look(struct durability_watch *watch, rd_kafka_t *rk, const char *const *topics,
                              size_t n);
// Takes an answer in, n topics with their facts, and logs it if it differs from the last one. Thread: the
// same.
void durability_watch_learn(struct durability_watch *watch, const char *const *topics,
                            const struct kafka_facts *facts, size_t n);

// Whether an ack may rest on Kafka, and on the spool. Thread: any.
bool durability_kafka_gives(const struct durability_watch *watch);
bool durability_spool_gives(const struct durability_watch *watch);
// NULL, or which topic has which setting too low. Thread: any.
const char *durability_unready(const struct durability_watch *watch);
