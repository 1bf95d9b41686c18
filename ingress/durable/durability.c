// SPDX-License-Identifier: MIT
#include "ingress/durable/durability.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include "ingress/durable/reason.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
  ASK_MS = 1000,
  LOOK_MS = 60000,
  UNKNOWN_MS = 10000,
  SHORT_MS = 1000, // somebody may be mending the topics, and waits for readiness
  TOPICS_MAX = 4,
};

// ---- what is worth what ----

static const char *const names[DURABILITY_COUNT] = {
    [DURABILITY_PROCESS] = "process", [DURABILITY_MACHINE] = "machine", [DURABILITY_BROKER] = "broker"};

const char *durability_name(enum durability worth) {
  return names[worth];
}

bool durability_parse(const char *name, enum durability *out, struct err *err) {
  for (enum durability worth = 0; worth < DURABILITY_COUNT; worth++) {
    if (strcmp(names[worth], name) != 0) continue;
    *out = worth;
    return true;
  }
  return err_set(err, "DOCHAK_ACK_SURVIVES: \"%s\" is none of process, machine, broker", name);
}

// A broker acknowledges when all that are in sync have a record, and they are at least min.insync.replicas;
// newer ones take more than there are replicas for as many as there are.
enum durability durability_of_topic(const struct kafka_facts *facts) {
  if (facts->unread) return DURABILITY_PROCESS;
  int64_t copies = facts->min_insync < facts->replication ? facts->min_insync : facts->replication;
  if (copies >= 2) return DURABILITY_BROKER;
  return facts->flush_messages == 1 ? DURABILITY_MACHINE : DURABILITY_PROCESS;
}

struct durability_ways durability_ways_for(enum durability asked, enum durability kafka, bool has_spool) {
  const enum durability spool = DURABILITY_MACHINE;
  struct durability_ways ways = {.kafka = kafka >= asked, .spool = has_spool && spool >= asked};
  ways.any = ways.kafka || ways.spool;
  ways.survives = ways.kafka && (!ways.spool || kafka < spool) ? kafka : spool;
  return ways;
}

// ---- what is known ----

struct durability_watch {
  enum durability asked;
  bool has_spool, known;
  enum durability kafka;
  char *told; // what was logged last
  struct metrics *metrics;
  atomic_bool kafka_gives, spool_gives;
  struct reason unready;
};

static struct durability_ways decide(struct durability_watch *watch) {
  struct durability_ways ways = durability_ways_for(watch->asked, watch->kafka, watch->has_spool);
  atomic_store(&watch->kafka_gives, ways.kafka);
  atomic_store(&watch->spool_gives, ways.spool);
  for (enum durability level = 0; level < DURABILITY_COUNT; level++)
    metrics_set(watch->metrics, COUNTER_SURVIVES, names[level], ways.any && level <= ways.survives);
  return ways;
}

struct durability_watch *durability_watch_new(const char *asked, bool has_spool, struct metrics *metrics,
                                              struct err *err) {
  enum durability level = DURABILITY_PROCESS;
  if (!durability_parse(asked, &level, err)) return NULL;
  struct durability_watch *watch = mem_alloc(sizeof *watch);
  watch->asked = level;
  watch->has_spool = has_spool;
  watch->metrics = metrics;
  decide(watch);
  return watch;
}

void durability_watch_free(struct durability_watch *watch) {
  if (!watch) return;
  reason_fini(&watch->unready);
  free(watch->told);
  free(watch);
}

bool durability_kafka_gives(const struct durability_watch *watch) {
  return atomic_load(&watch->kafka_gives);
}

bool durability_spool_gives(const struct durability_watch *watch) {
  return atomic_load(&watch->spool_gives);
}

const char *durability_unready(const struct durability_watch *watch) {
  return reason_get(&watch->unready);
}

// ---- asking and telling ----

static char *describe(const char *topic, const struct kafka_facts *facts) {
  if (facts->unread) return mem_printf("%s: its settings may not be read (%s)", topic, facts->unread);
  return mem_printf("%s: replication %lld, min.insync.replicas %lld%s", topic, (long long)facts->replication,
                    (long long)facts->min_insync, facts->flush_messages == 1 ? ", flush.messages 1" : "");
}

// Which topic decides it, and its worth.
static size_t find_least(const struct kafka_facts *facts, size_t n) {
  size_t least = 0;
  for (size_t i = 1; i < n; i++)
    if (durability_of_topic(&facts[i]) < durability_of_topic(&facts[least])) least = i;
  return least;
}

static void tell(struct durability_watch *watch, const struct durability_ways *ways, const char *topic) {
  if (watch->told && strcmp(watch->told, topic) == 0) return;
  free(watch->told);
  watch->told = mem_strdup(topic);
  static const char *const sentences[] = {
      [DURABILITY_PROCESS] = "a 2xx survives the crash of a process, not that of a machine",
      [DURABILITY_MACHINE] = "a 2xx survives the crash of a process or a machine, not the loss of a disk",
      [DURABILITY_BROKER] = "a 2xx survives the crash of a process or a machine, and the loss of a broker"};
  const struct log_field fields[] = {
      LOG_STR("survives", ways->any ? names[ways->survives] : "none is given"),
      LOG_STR("asked", names[watch->asked]), LOG_STR("kafka", names[watch->kafka]),
      LOG_STR("spool", watch->has_spool ? names[DURABILITY_MACHINE] : "none"), LOG_STR("least_topic", topic)};
  log_write(ways->kafka ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
            ways->kafka
                ? sentences[ways->survives]
                : "what Kafka acknowledges survives less than DOCHAK_ACK_SURVIVES asks for: no 2xx by it",
            fields, COUNT_OF(fields));
}

void durability_watch_learn(struct durability_watch *watch, const char *const *topics,
                            const struct kafka_facts *facts, size_t n) {
  size_t least = find_least(facts, n);
  watch->known = true;
  watch->kafka = durability_of_topic(&facts[least]);
  struct durability_ways ways = decide(watch);
  AUTO_FREE char *described = describe(topics[least], &facts[least]);
  AUTO_FREE char *reason = mem_printf("%s: an ack survives \"%s\", DOCHAK_ACK_SURVIVES asks for \"%s\"",
                                      described, names[watch->kafka], names[watch->asked]);
  reason_set(&watch->unready, ways.kafka ? NULL : reason);
  tell(watch, &ways, described);
}

int64_t durability_watch_look(struct durability_watch *watch, rd_kafka_t *rk, const char *const *topics,
                              size_t n) {
  struct kafka_facts facts[TOPICS_MAX];
  struct err err;
  assert(n > 0 && n <= TOPICS_MAX);
  if (kafka_facts_ask(rk, topics, n, ASK_MS, facts, &err))
    durability_watch_learn(watch, topics, facts, n);
  else if (!watch->known && !durability_kafka_gives(watch) && !durability_spool_gives(watch))
    reason_set(&watch->unready, "what Kafka's acks survive is not known yet");
  return !durability_kafka_gives(watch) ? SHORT_MS : watch->known ? LOOK_MS : UNKNOWN_MS;
}
