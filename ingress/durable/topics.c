// SPDX-License-Identifier: MIT
#include "ingress/durable/topics.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/durable/reason.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, METADATA_MS = 500, SETTINGS_MS = 1000, RETRY_MS = 1000 };

// The topics that ingress writes to.
static const enum kafka_topic ours[] = {KAFKA_TOPIC_EVENTS, KAFKA_TOPIC_QUARANTINE};

struct topics {
  const struct kafka_producer *producer;
  struct breaker *breaker;
  struct durability_watch *durability;
  struct reason unseen;
  pthread_t thread;
  atomic_bool stopping;
};

struct answer { // of Kafka, about one topic
  struct kafka_topic_shape shape;
  rd_kafka_resp_err_t code;
};

// False: a topic got no answer, so none of them is known to be missing.
static bool ask(struct topics *topics, struct answer *answers) {
  const rd_kafka_resp_err_t unanswered = RD_KAFKA_RESP_ERR__END; // errors up to it are librdkafka's own
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    answers[i] = (struct answer){0};
    rd_kafka_topic_t *rkt = topics->producer->topics[ours[i]];
    if (code > unanswered) code = kafka_topic_ask(topics->producer->rk, rkt, METADATA_MS, &answers[i].shape);
    answers[i].code = code;
  }
  return code > unanswered;
}

static const char *name_of(const struct topics *topics, size_t i) {
  return rd_kafka_topic_name(topics->producer->topics[ours[i]]);
}

static bool is_seen(const struct topics *topics, size_t i) {
  return breaker_partitions(topics->breaker, ours[i]) > 0;
}

// A topic that was seen before counts although it cannot be read now: its records are acknowledged, too. So
// nothing new is known of them all.
static void check_durability(const struct topics *topics, const struct answer *answers) {
  const char *names[COUNT_OF(ours)];
  struct kafka_facts facts[COUNT_OF(ours)] = {0};
  struct err err;
  size_t n = 0;
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    if (!answers[i].shape.partitions && is_seen(topics, i)) return;
    if (!answers[i].shape.partitions) continue;
    names[n] = name_of(topics, i);
    facts[n++].shape = answers[i].shape;
  }
  if (n && kafka_facts_ask_settings(topics->producer->rk, names, n, SETTINGS_MS, facts, &err))
    durability_watch_learn(topics->durability, names, facts, n);
}

// From here on events go to the topic.
static void learn(struct topics *topics, const struct answer *answers) {
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    if (!answers[i].shape.partitions) continue;
    if (!is_seen(topics, i)) log_info("kafka topic seen", LOG_STR("topic", name_of(topics, i)));
    breaker_learn_partitions(topics->breaker, ours[i], answers[i].shape.partitions);
  }
}

// Names the first topic that has not been seen yet. False: all have been seen.
static bool note_unseen(struct topics *topics, const struct answer *answers, bool answered) {
  struct err err;
  const char *unseen = NULL;
  for (size_t i = COUNT_OF(ours); i-- > 0;) {
    if (is_seen(topics, i)) continue;
    unseen = err.text;
    (void)kafka_topic_fail(name_of(topics, i), answers[i].code, &err);
    log_warn_rarely(unseen, "kafka topic not seen yet", LOG_STR("cause", unseen)); // each new cause
    if (answered)
      breaker_note_unseen(topics->breaker, ours[i], answers[i].code, rd_kafka_outq_len(topics->producer->rk));
  }
  reason_set(&topics->unseen, unseen);
  return unseen;
}

// Returns after how many milliseconds to look again. Where readiness or the durability of acks depend on the
// topics' settings, these are known before the first event goes to a topic.
static int64_t look(struct topics *topics) {
  struct answer answers[COUNT_OF(ours)];
  bool answered = ask(topics, answers), strict = durability_is_strict(topics->durability);
  if (answered && strict) check_durability(topics, answers);
  learn(topics, answers);
  bool unseen = note_unseen(topics, answers, answered);
  if (answered) breaker_note_cluster(topics->breaker);
  if (answered && !strict) check_durability(topics, answers);
  return unseen || !answered ? RETRY_MS : durability_look_again_ms(topics->durability);
}

// Without events nothing else would notice that the cluster is back, so it is asked while its breaker is
// open.
static void *run(void *arg) {
  struct topics *topics = arg;
  for (int64_t looked_ms = 0, again_in_ms = 0; !atomic_load(&topics->stopping); clock_sleep_ms(TICK_MS)) {
    int64_t wait_ms = breaker_is_cluster_open(topics->breaker) ? RETRY_MS : again_in_ms;
    if (clock_mono_ms() - looked_ms < wait_ms) continue;
    again_in_ms = look(topics);
    looked_ms = clock_mono_ms();
  }
  return NULL;
}

struct topics *topics_start(const struct kafka_producer *producer, struct breaker *breaker,
                            struct durability_watch *durability, struct err *err) {
  struct topics *topics = mem_alloc(sizeof *topics);
  topics->producer = producer;
  topics->breaker = breaker;
  topics->durability = durability;
  reason_set(&topics->unseen, "Kafka's topics have not been seen yet");
  int failed = pthread_create(&topics->thread, NULL, run, topics);
  if (!failed) return topics;
  err_set(err, "cannot start a thread: %s", strerror(failed));
  reason_fini(&topics->unseen);
  free(topics);
  return NULL;
}

void topics_stop(struct topics *topics) {
  if (!topics) return;
  atomic_store(&topics->stopping, true);
  pthread_join(topics->thread, NULL);
  reason_fini(&topics->unseen);
  free(topics);
}

const char *topics_unseen(const struct topics *topics) {
  return reason_get(&topics->unseen);
}
