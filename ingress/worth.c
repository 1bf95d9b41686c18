// SPDX-License-Identifier: MIT
#include "ingress/worth.h"

#include "common/log.h"
#include "common/mem.h"
#include "ingress/counters.h"
#include "ingress/reason.h"
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

static const char *const names[WORTH_COUNT] = {
    [WORTH_PROCESS] = "process", [WORTH_MACHINE] = "machine", [WORTH_BROKER] = "broker"};

const char *worth_name(enum worth worth) {
  return names[worth];
}

bool worth_parse(const char *name, enum worth *out, struct err *err) {
  for (enum worth worth = 0; worth < WORTH_COUNT; worth++) {
    if (strcmp(names[worth], name) != 0) continue;
    *out = worth;
    return true;
  }
  return err_set(err, "DOCHAK_ACK_SURVIVES: \"%s\" is none of process, machine, broker", name);
}

// A broker acknowledges when all that are in sync have a record, and they are at least min.insync.replicas;
// newer ones take more than there are replicas for as many as there are.
enum worth worth_of_topic(const struct kafka_facts *facts) {
  if (facts->unread) return WORTH_PROCESS;
  int64_t copies = facts->min_insync < facts->replication ? facts->min_insync : facts->replication;
  if (copies >= 2) return WORTH_BROKER;
  return facts->flush_messages == 1 ? WORTH_MACHINE : WORTH_PROCESS;
}

struct worth_ways worth_ways_for(enum worth asked, enum worth kafka, bool has_spool) {
  const enum worth spool = WORTH_MACHINE;
  struct worth_ways ways = {.kafka = kafka >= asked, .spool = has_spool && spool >= asked};
  ways.any = ways.kafka || ways.spool;
  ways.survives = ways.kafka && (!ways.spool || kafka < spool) ? kafka : spool;
  return ways;
}

// ---- what is known ----

struct worth_watch {
  enum worth asked;
  bool has_spool, known;
  enum worth kafka;
  char *told; // what was logged last
  struct metrics *metrics;
  atomic_bool kafka_gives, spool_gives;
  struct reason unready;
};

static struct worth_ways decide(struct worth_watch *watch) {
  struct worth_ways ways = worth_ways_for(watch->asked, watch->kafka, watch->has_spool);
  atomic_store(&watch->kafka_gives, ways.kafka);
  atomic_store(&watch->spool_gives, ways.spool);
  for (enum worth level = 0; level < WORTH_COUNT; level++)
    metrics_set(watch->metrics, COUNTER_SURVIVES, names[level], ways.any && level <= ways.survives);
  return ways;
}

struct worth_watch *worth_watch_new(const char *asked, bool has_spool, struct metrics *metrics,
                                    struct err *err) {
  enum worth level = WORTH_PROCESS;
  if (!worth_parse(asked, &level, err)) return NULL;
  struct worth_watch *watch = mem_alloc(sizeof *watch);
  watch->asked = level;
  watch->has_spool = has_spool;
  watch->metrics = metrics;
  decide(watch);
  return watch;
}

void worth_watch_free(struct worth_watch *watch) {
  if (!watch) return;
  reason_fini(&watch->unready);
  free(watch->told);
  free(watch);
}

bool worth_kafka_gives(const struct worth_watch *watch) {
  return atomic_load(&watch->kafka_gives);
}

bool worth_spool_gives(const struct worth_watch *watch) {
  return atomic_load(&watch->spool_gives);
}

const char *worth_unready(const struct worth_watch *watch) {
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
    if (worth_of_topic(&facts[i]) < worth_of_topic(&facts[least])) least = i;
  return least;
}

static void tell(struct worth_watch *watch, const struct worth_ways *ways, const char *topic) {
  if (watch->told && strcmp(watch->told, topic) == 0) return;
  free(watch->told);
  watch->told = mem_strdup(topic);
  static const char *const sentences[] = {
      [WORTH_PROCESS] = "a 2xx survives the crash of a process, not that of a machine",
      [WORTH_MACHINE] = "a 2xx survives the crash of a process or a machine, not the loss of a disk",
      [WORTH_BROKER] = "a 2xx survives the crash of a process or a machine, and the loss of a broker"};
  const struct log_field fields[] = {
      LOG_STR("survives", ways->any ? names[ways->survives] : "none is given"),
      LOG_STR("asked", names[watch->asked]), LOG_STR("kafka", names[watch->kafka]),
      LOG_STR("spool", watch->has_spool ? names[WORTH_MACHINE] : "none"), LOG_STR("least_topic", topic)};
  log_write(ways->kafka ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
            ways->kafka
                ? sentences[ways->survives]
                : "what Kafka acknowledges survives less than DOCHAK_ACK_SURVIVES asks for: no 2xx by it",
            fields, COUNT_OF(fields));
}

void worth_watch_learn(struct worth_watch *watch, const char *const *topics, const struct kafka_facts *facts,
                       size_t n) {
  size_t least = find_least(facts, n);
  watch->known = true;
  watch->kafka = worth_of_topic(&facts[least]);
  struct worth_ways ways = decide(watch);
  AUTO_FREE char *described = describe(topics[least], &facts[least]);
  AUTO_FREE char *reason = mem_printf("%s: an ack survives \"%s\", DOCHAK_ACK_SURVIVES asks for \"%s\"",
                                      described, names[watch->kafka], names[watch->asked]);
  reason_set(&watch->unready, ways.kafka ? NULL : reason);
  tell(watch, &ways, described);
}

int64_t worth_watch_look(struct worth_watch *watch, rd_kafka_t *rk, const char *const *topics, size_t n) {
  struct kafka_facts facts[TOPICS_MAX];
  struct err err;
  assert(n > 0 && n <= TOPICS_MAX);
  if (kafka_facts_ask(rk, topics, n, ASK_MS, facts, &err))
    worth_watch_learn(watch, topics, facts, n);
  else if (!watch->known && !worth_kafka_gives(watch) && !worth_spool_gives(watch))
    reason_set(&watch->unready, "what Kafka's acks survive is not known yet");
  return !worth_kafka_gives(watch) ? SHORT_MS : watch->known ? LOOK_MS : UNKNOWN_MS;
}
