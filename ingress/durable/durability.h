// SPDX-License-Identifier: MIT
// What a 2xx is worth: which faults an event outlives once it was acknowledged. There are two ways to an ack,
// Kafka and the spool, and it is worth the least of those that are used. A way that is worth less than
// DOCHAK_ACK_SURVIVES gives no acks, nor may an event go there from the other one: what came in stays in the
// spool, if that is worth enough, or is answered 503. Not for: whether Kafka or the spool work right now.
//
// The topics are asked again once a minute, and each second while they give too little: for so long after
// somebody has lowered min.insync.replicas, acks may be worth less.
#pragma once
#include "common/kafka/kafka_facts.h"
#include "common/ops/metrics.h"
#include <stdbool.h>

// Each survives what those before it do. The names are those of the setting.
enum durability {
  // A crash of ingress's process or of a broker's: acks=all, the record is at least in the page cache of a
  // machine that goes on.
  DURABILITY_PROCESS,
  // And the power cut or crash of one machine: the spool, which is synced, and a topic that syncs each record
  // (flush.messages=1).
  DURABILITY_MACHINE,
  // And the loss of one machine with its disk: two copies, so replication and min.insync.replicas of 2 or
  // more.
  DURABILITY_BROKER,
  DURABILITY_COUNT
};

const char *durability_name(enum durability worth);
MUST_CHECK bool durability_parse(const char *name, enum durability *out,
                                 struct err *err); // names DOCHAK_ACK_SURVIVES

// What Kafka's ack is worth on such a topic; one that may not be read is worth the least.
enum durability durability_of_topic(const struct kafka_facts *facts);

struct durability_ways {
  bool kafka, spool;        // which of them give acks
  bool any;                 // there is one
  enum durability survives; // and then what every ack survives
};
struct durability_ways durability_ways_for(enum durability asked, enum durability kafka, bool has_spool);

struct durability_watch;

// Until Kafka has been asked, its acks count as DURABILITY_PROCESS. `metrics` is borrowed. False: no such
// level.
MUST_CHECK struct durability_watch *durability_watch_new(const char *asked, bool has_spool,
                                                         struct metrics *metrics, struct err *err);
void durability_watch_free(struct durability_watch *watch);

// Asks the cluster about the topics, logs what has changed in one line, and returns after how many
// milliseconds to ask again. Blocks for some seconds at most. Without an answer what is known stays. Thread:
// one.
int64_t durability_watch_look(struct durability_watch *watch, rd_kafka_t *rk, const char *const *topics,
                              size_t n);
// What an answer leads to; topics and facts are n.
void durability_watch_learn(struct durability_watch *watch, const char *const *topics,
                            const struct kafka_facts *facts, size_t n);

// Thread: any.
bool durability_kafka_gives(const struct durability_watch *watch);
bool durability_spool_gives(const struct durability_watch *watch);
const char *durability_unready(const struct durability_watch *watch); // NULL, or what Kafka's topics lack
