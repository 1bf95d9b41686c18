// SPDX-License-Identifier: MIT
#include "ingress/durable/durability.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "ingress/counters.h"
#include "ingress/durable/reason.h"
#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX_BYTES = 4096 }; // of one record, with its key

static const char *const names[DURABILITY_COUNT] = {
    [DURABILITY_PROCESS] = "process", [DURABILITY_MACHINE] = "machine", [DURABILITY_BROKER] = "broker"};

struct durability_watch {
  enum durability asked;
  bool has_spool;
  int64_t record_max_bytes;
  struct metrics *metrics;
  char *logged; // NULL: the topics are not known yet
  atomic_bool kafka_gives, spool_gives;
  struct reason unready;
};

bool durability_parse(const char *name, enum durability *out, struct err *err) {
  for (enum durability level = 0; level < DURABILITY_COUNT; level++) {
    if (strcmp(names[level], name) != 0) continue;
    *out = level;
    return true;
  }
  return err_set(err, "DOCHAK_ACK_SURVIVES: \"%s\" is none of process, machine, broker", name);
}

// A broker acknowledges when all replicas in sync have the record, and they are at least min.insync.replicas.
// An unclean election may make a replica without the record the leader.
enum durability durability_of_topic(const struct kafka_facts *facts) {
  if (facts->unread) return DURABILITY_PROCESS;
  int64_t copies =
      facts->min_insync < facts->shape.replication ? facts->min_insync : facts->shape.replication;
  if (copies >= 2 && !facts->unclean_election) return DURABILITY_BROKER;
  return facts->flush_messages == 1 ? DURABILITY_MACHINE : DURABILITY_PROCESS;
}

// The name of what every ack survives, or NULL where no acks are given.
static const char *decide(struct durability_watch *watch, enum durability kafka) {
  const enum durability spool = DURABILITY_MACHINE;
  bool by_kafka = kafka >= watch->asked, by_spool = watch->has_spool && spool >= watch->asked;
  enum durability survives = by_kafka && (!by_spool || kafka < spool) ? kafka : spool;
  atomic_store(&watch->kafka_gives, by_kafka);
  atomic_store(&watch->spool_gives, by_spool);
  for (enum durability level = 0; level < DURABILITY_COUNT; level++)
    metrics_set(watch->metrics, COUNTER_SURVIVES, names[level], (by_kafka || by_spool) && level <= survives);
  return by_kafka || by_spool ? names[survives] : NULL;
}

struct durability_watch *durability_watch_new(const struct settings *settings, struct metrics *metrics,
                                              struct err *err) {
  enum durability asked = DURABILITY_PROCESS;
  if (!durability_parse(settings->ack_survives, &asked, err)) return NULL;
  int64_t largest = settings->body_max_bytes;
  struct durability_watch *watch = mem_alloc(sizeof *watch);
  watch->asked = asked;
  watch->has_spool = *settings->spool_dir != '\0';
  watch->record_max_bytes =
      HEADERS_MAX_BYTES + (largest > KAFKA_BATCH_MAX_BYTES ? largest : KAFKA_BATCH_MAX_BYTES);
  watch->metrics = metrics;
  if (!decide(watch, DURABILITY_PROCESS))
    reason_set(&watch->unready, "the settings of Kafka's topics are not known yet");
  return watch;
}

void durability_watch_free(struct durability_watch *watch) {
  if (!watch) return;
  reason_fini(&watch->unready);
  free(watch->logged);
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

// ---- checking the topics ----

static char *describe(const char *topic, const struct kafka_facts *facts) {
  if (facts->unread) return mem_printf("%s: its settings may not be read (%s)", topic, facts->unread);
  return mem_printf("%s: replication %lld, min.insync.replicas %lld%s%s", topic,
                    (long long)facts->shape.replication, (long long)facts->min_insync,
                    facts->unclean_election ? ", unclean.leader.election.enable true" : "",
                    facts->flush_messages == 1 ? ", flush.messages 1" : "");
}

// NULL, or why the topic does not take every record.
static char *describe_small(const struct durability_watch *watch, const char *topic,
                            const struct kafka_facts *facts) {
  if (!facts->max_message_bytes || facts->max_message_bytes >= watch->record_max_bytes) return NULL;
  return mem_printf("%s: max.message.bytes %lld: DOCHAK_BODY_MAX_BYTES needs at least %lld", topic,
                    (long long)facts->max_message_bytes, (long long)watch->record_max_bytes);
}

static void log_change(struct durability_watch *watch, const char *survives, enum durability kafka,
                       const char *topic, const char *unready) {
  const char *text = unready ? unready : topic;
  if (watch->logged && strcmp(watch->logged, text) == 0) return;
  free(watch->logged);
  watch->logged = mem_strdup(text);
  const struct log_field fields[] = {LOG_STR("survives", survives ? survives : "none"),
                                     LOG_STR("asked", names[watch->asked]),
                                     LOG_STR("kafka", names[kafka]),
                                     LOG_STR("spool", watch->has_spool ? names[DURABILITY_MACHINE] : "none"),
                                     LOG_STR("weakest_topic", topic),
                                     LOG_STR("reason", unready)};
  log_write(unready ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
            unready ? "durability: a topic's settings are too weak" : "durability: an ack survives", fields,
            COUNT_OF(fields) - !unready);
}

bool durability_watch_learn(struct durability_watch *watch, const char *const *topics,
                            const struct kafka_facts *facts, size_t n) {
  size_t weakest = 0;
  AUTO_FREE char *small = NULL; // the first of them
  for (size_t i = 0; i < n; i++) {
    if (durability_of_topic(&facts[i]) < durability_of_topic(&facts[weakest])) weakest = i;
    if (!small) small = describe_small(watch, topics[i], &facts[i]);
  }
  enum durability kafka = durability_of_topic(&facts[weakest]);
  const char *survives = decide(watch, kafka);
  AUTO_FREE char *topic = describe(topics[weakest], &facts[weakest]);
  AUTO_FREE char *weak = kafka >= watch->asked
                             ? NULL
                             : mem_printf("%s: an ack survives \"%s\", DOCHAK_ACK_SURVIVES asks for \"%s\"",
                                          topic, names[kafka], names[watch->asked]);
  AUTO_FREE char *both = weak && small ? mem_printf("%s; %s", weak, small) : NULL;
  const char *unready = both ? both : weak ? weak : small;
  reason_set(&watch->unready, unready);
  log_change(watch, survives, kafka, topic, unready);
  return !unready;
}
