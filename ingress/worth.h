// SPDX-License-Identifier: MIT
// What a 2xx is worth: which faults an event outlives once it was acknowledged. There are two ways to an ack,
// Kafka and the spool, and it is worth the least of those that are used. A way that is worth less than
// DOCHAK_ACK_SURVIVES gives no acks, nor may an event go there from the other one: what came in stays in the
// spool, if that is worth enough, or is answered 503. Not for: whether Kafka or the spool work right now.
//
// The topics are asked again once a minute, and each second while they give too little: for so long after
// somebody has lowered min.insync.replicas, acks may be worth less.
#pragma once
#include "common/kafka_facts.h"
#include "common/metrics.h"
#include <stdbool.h>

// Each survives what those before it do. The names are those of the setting.
enum worth {
  // A crash of ingress's process or of a broker's: acks=all, the record is at least in the page cache of a
  // machine that goes on.
  WORTH_PROCESS,
  // And the power cut or crash of one machine: the spool, which is synced, and a topic that syncs each record
  // (flush.messages=1).
  WORTH_MACHINE,
  // And the loss of one machine with its disk: two copies, so replication and min.insync.replicas of 2 or
  // more.
  WORTH_BROKER,
  WORTH_COUNT
};

const char *worth_name(enum worth worth);
MUST_CHECK bool worth_parse(const char *name, enum worth *out, struct err *err); // names DOCHAK_ACK_SURVIVES

// What Kafka's ack is worth on such a topic; one that may not be read is worth the least.
enum worth worth_of_topic(const struct kafka_facts *facts);

struct worth_ways {
  bool kafka, spool;   // which of them give acks
  bool any;            // there is one
  enum worth survives; // and then what every ack survives
};
struct worth_ways worth_ways_for(enum worth asked, enum worth kafka, bool has_spool);

struct worth_watch;

// Until Kafka has been asked, its acks count as WORTH_PROCESS. `metrics` is borrowed. False: no such level.
MUST_CHECK struct worth_watch *worth_watch_new(const char *asked, bool has_spool, struct metrics *metrics,
                                               struct err *err);
void worth_watch_free(struct worth_watch *watch);

// Asks the cluster about the topics, logs what has changed in one line, and returns after how many
// milliseconds to ask again. Blocks for some seconds at most. Without an answer what is known stays. Thread:
// one.
int64_t worth_watch_look(struct worth_watch *watch, rd_kafka_t *rk, const char *const *topics, size_t n);
// What an answer leads to; topics and facts are n.
void worth_watch_learn(struct worth_watch *watch, const char *const *topics, const struct kafka_facts *facts,
                       size_t n);

// Thread: any.
bool worth_kafka_gives(const struct worth_watch *watch);
bool worth_spool_gives(const struct worth_watch *watch);
const char *worth_unready(const struct worth_watch *watch); // NULL, or what Kafka's topics lack
