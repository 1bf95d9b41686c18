// SPDX-License-Identifier: MIT
#include "ingress/durable/durability.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/provider/framing.h"
#include "ingress/counters.h"
#include "ingress/durable/reason.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 1000, METADATA_MS = 500, SETTINGS_MS = 1000, RETRY_MS = 1000, CHECK_MS = 60000 };
enum { HEADERS_MAX_BYTES = 4096 }; // of one record, with its key

static const char *const levels[DURABILITY_COUNT] = {
    [DURABILITY_PROCESS] = "process", [DURABILITY_MACHINE] = "machine", [DURABILITY_BROKER] = "broker"};

// The topics that ingress writes to.
static const enum kafka_topic ours[] = {KAFKA_TOPIC_EVENTS, KAFKA_TOPIC_QUARANTINE};

struct durability_watch {
  enum durability asked;
  bool has_spool;
  int64_t record_max_bytes;
  struct metrics *metrics;
  char *logged; // NULL: the topics are not known yet
  atomic_bool kafka_gives, spool_gives;
  struct reason unready, unseen, refusal;
  const struct kafka_producer *producer; // NULL: not started
  struct breaker *breaker;
  struct kafka_topic_shape shapes[COUNT_OF(ours)]; // as last seen; without partitions: not yet
  rd_kafka_resp_err_t codes[COUNT_OF(ours)];       // of the last request
  pthread_t thread;
  atomic_bool stopping;
  sem_t stopped; // posted with it
};

bool durability_parse(const char *name, enum durability *out, struct err *err) {
  for (enum durability level = 0; level < DURABILITY_COUNT; level++) {
    if (strcmp(levels[level], name) != 0) continue;
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
    metrics_set(watch->metrics, COUNTER_SURVIVES, levels[level], (by_kafka || by_spool) && level <= survives);
  return by_kafka || by_spool ? levels[survives] : NULL;
}

struct durability_watch *durability_watch_new(const struct settings *settings, struct metrics *metrics,
                                              struct err *err) {
  enum durability asked = DURABILITY_PROCESS;
  if (!durability_parse(settings->ack_survives, &asked, err)) return NULL;
  int64_t largest = settings->body_max_bytes + FRAMING_ADDED_MAX_BYTES;
  struct durability_watch *watch = mem_alloc(sizeof *watch);
  sem_init(&watch->stopped, 0, 0);
  watch->asked = asked;
  watch->has_spool = *settings->spool_dir != '\0';
  watch->record_max_bytes =
      HEADERS_MAX_BYTES + (largest > KAFKA_BATCH_MAX_BYTES ? largest : KAFKA_BATCH_MAX_BYTES);
  watch->metrics = metrics;
  if (!decide(watch, DURABILITY_PROCESS))
    reason_set(&watch->unready, "the settings of Kafka's topics are not known yet");
  reason_set(&watch->unseen, "Kafka's topics have not been seen yet");
  return watch;
}

void durability_watch_stop(struct durability_watch *watch) {
  atomic_store(&watch->stopping, true);
  sem_post(&watch->stopped);
}

void durability_watch_free(struct durability_watch *watch) {
  if (!watch) return;
  durability_watch_stop(watch);
  if (watch->producer) pthread_join(watch->thread, NULL);
  reason_fini(&watch->unready);
  reason_fini(&watch->unseen);
  reason_fini(&watch->refusal);
  sem_destroy(&watch->stopped);
  free(watch->logged);
  free(watch);
}

void durability_note_refusal(struct durability_watch *watch, const char *text) {
  reason_set(&watch->refusal, text);
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

const char *durability_unseen(const struct durability_watch *watch) {
  return reason_get(&watch->unseen);
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
                                     LOG_STR("asked", levels[watch->asked]),
                                     LOG_STR("kafka", levels[kafka]),
                                     LOG_STR("spool", watch->has_spool ? levels[DURABILITY_MACHINE] : "none"),
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
                                          topic, levels[kafka], levels[watch->asked]);
  AUTO_FREE char *both = weak && small ? mem_printf("%s; %s", weak, small) : NULL;
  const char *unready = both ? both : weak ? weak : small;
  reason_set(&watch->unready, unready);
  log_change(watch, survives, kafka, topic, unready);
  return !unready;
}

// ---- watching the topics ----

static const char *name_of(const struct durability_watch *watch, size_t i) {
  return rd_kafka_topic_name(watch->producer->topics[ours[i]]);
}

// False: a topic got no answer, so none of them is known to be missing.
static bool ask_shapes(struct durability_watch *watch) {
  const rd_kafka_resp_err_t unanswered = RD_KAFKA_RESP_ERR__END; // errors up to it are librdkafka's own
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    if (code > unanswered)
      code = kafka_topic_ask(watch->producer->rk, name_of(watch, i), METADATA_MS, &watch->shapes[i]);
    watch->codes[i] = code;
  }
  return code > unanswered;
}

// False: a topic is too weak, or none could be asked about. A topic that was seen before counts although it
// cannot be read now: its records are acknowledged, too.
static bool ask_settings(struct durability_watch *watch) {
  const char *names[COUNT_OF(ours)];
  struct kafka_facts facts[COUNT_OF(ours)] = {0};
  struct err err;
  size_t n = 0;
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    if (!watch->shapes[i].partitions) continue;
    names[n] = name_of(watch, i);
    facts[n++].shape = watch->shapes[i];
  }
  if (!n) return false;
  if (kafka_facts_ask_settings(watch->producer->rk, names, n, SETTINGS_MS, facts, &err))
    return durability_watch_learn(watch, names, facts, n);
  log_warn_rarely("kafka settings", "the topics' settings cannot be read", LOG_STR("cause", err.text));
  return false;
}

static void note_unseen(struct durability_watch *watch, size_t i, bool answered, struct err *err) {
  rd_kafka_resp_err_t code = watch->codes[i];
  const char *refusal = answered ? NULL : reason_get(&watch->refusal);
  if (refusal)
    err_set(err, "topic %s: %s", name_of(watch, i), refusal);
  else
    (void)kafka_topic_fail(name_of(watch, i), code, err);
  log_warn_rarely(err->text, "kafka topic not seen yet", LOG_STR("cause", err->text)); // each new cause
  if (answered) breaker_note_unseen(watch->breaker, ours[i], code, rd_kafka_outq_len(watch->producer->rk));
}

// From here on events go to the topics that have been seen. Names the first one that has not. False: all
// have.
static bool learn_shapes(struct durability_watch *watch, bool answered) {
  struct err err;
  const char *unseen = NULL;
  for (size_t i = COUNT_OF(ours); i-- > 0;) {
    if (watch->shapes[i].partitions) {
      breaker_learn_partitions(watch->breaker, ours[i], watch->shapes[i].partitions);
      continue;
    }
    note_unseen(watch, i, answered, &err);
    unseen = err.text;
  }
  reason_set(&watch->unseen, unseen);
  return unseen;
}

// Returns after how many milliseconds to look again. The topics' settings are known before the first event
// goes to a topic, since readiness and the durability of its ack depend on them.
static int64_t look(struct durability_watch *watch) {
  bool answered = ask_shapes(watch);
  bool durable = answered && !atomic_load(&watch->stopping) && ask_settings(watch);
  bool unseen = learn_shapes(watch, answered);
  if (answered) {
    reason_set(&watch->refusal, NULL);
    breaker_note_cluster(watch->breaker);
  }
  return durable && !unseen ? CHECK_MS : RETRY_MS;
}

// Waits for a tick. True: the thread has to end.
static bool wait_stopped(struct durability_watch *watch) {
  struct timespec at = clock_timespec_at(clock_mono_ms() + TICK_MS);
  while (sem_clockwait(&watch->stopped, CLOCK_MONOTONIC, &at) != 0)
    if (errno == ETIMEDOUT) return false;
  return true;
}

// Without events nothing else would notice that the cluster is back, so it is asked while its breaker is
// open.
static void *run(void *arg) {
  struct durability_watch *watch = arg;
  int64_t looked_ms = 0, again_in_ms = 0;
  do {
    int64_t wait_ms = breaker_is_cluster_open(watch->breaker) ? RETRY_MS : again_in_ms;
    if (clock_mono_ms() - looked_ms < wait_ms) continue;
    again_in_ms = look(watch);
    looked_ms = clock_mono_ms();
  } while (!wait_stopped(watch));
  return NULL;
}

bool durability_watch_start(struct durability_watch *watch, const struct kafka_producer *producer,
                            struct breaker *breaker, struct err *err) {
  watch->producer = producer;
  watch->breaker = breaker;
  int failed = pthread_create(&watch->thread, NULL, run, watch);
  if (failed) watch->producer = NULL;
  return !failed || err_set(err, "cannot start a thread: %s", strerror(failed));
}
