// SPDX-License-Identifier: MIT
#include "ingress/durable/topics.h"

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/durable/reason.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, METADATA_MS = 500, RETRY_FIRST_MS = 100, RETRY_MAX_MS = 1000 };

// The topics that ingress writes to.
static const enum kafka_topic ours[] = {KAFKA_TOPIC_EVENTS, KAFKA_TOPIC_QUARANTINE};

struct topics {
  struct topics_owner owner;
  const char *names[COUNT_OF(ours)];
  struct reason unseen;
  struct backoff retry; // while a topic has not been seen
  pthread_t thread;
  atomic_bool stopping;
};

struct answer { // of Kafka, about one topic
  int32_t partitions;
  rd_kafka_resp_err_t code;
};

// False: a topic got no answer, so none of them is known to be missing.
static bool ask(struct topics *topics, struct answer *answers) {
  const rd_kafka_resp_err_t unanswered = RD_KAFKA_RESP_ERR__END; // errors up to it are librdkafka's own
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    struct kafka_topic_shape shape = {0};
    rd_kafka_topic_t *rkt = topics->owner.producer->topics[ours[i]];
    if (code > unanswered) code = kafka_topic_ask(topics->owner.producer->rk, rkt, METADATA_MS, &shape);
    answers[i] = (struct answer){shape.partitions, code};
  }
  return code > unanswered;
}

static bool is_seen(const struct topics *topics, size_t i) {
  return breaker_partitions(topics->owner.breaker, ours[i]) > 0;
}

// A topic that was seen before counts although it cannot be read now: its records are acknowledged, too.
static int64_t check_durability(const struct topics *topics, const struct answer *answers) {
  const char *names[COUNT_OF(ours)];
  size_t n = 0;
  for (size_t i = 0; i < COUNT_OF(ours); i++)
    if (answers[i].partitions || is_seen(topics, i)) names[n++] = topics->names[i];
  if (!n) return RETRY_MAX_MS;
  return durability_watch_look(topics->owner.durability, topics->owner.producer->rk, names, n);
}

// From here on events go to the topic.
static void learn(struct topics *topics, const struct answer *answers) {
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    if (!answers[i].partitions) continue;
    if (!is_seen(topics, i)) log_info("kafka topic seen", LOG_STR("topic", topics->names[i]));
    breaker_learn_partitions(topics->owner.breaker, ours[i], answers[i].partitions);
  }
}

// Names the first topic that has not been seen yet. False: all have been seen.
static bool note_unseen(struct topics *topics, const struct answer *answers, bool answered) {
  struct err err;
  const char *unseen = NULL;
  for (size_t i = COUNT_OF(ours); i-- > 0;) {
    if (is_seen(topics, i)) continue;
    unseen = err.text;
    (void)kafka_topic_fail(topics->names[i], answers[i].code, &err);
    log_warn_rarely(unseen, "kafka topic not seen yet", LOG_STR("cause", unseen)); // each new cause
    if (answered)
      breaker_note_unseen(topics->owner.breaker, ours[i], answers[i].code,
                          rd_kafka_outq_len(topics->owner.producer->rk));
  }
  reason_set(&topics->unseen, unseen);
  return unseen;
}

// Returns when to look again (monotonic). Where readiness or the durability of acks depend on the topics'
// settings, these are known before the first event goes to a topic.
static int64_t look(struct topics *topics) {
  struct answer answers[COUNT_OF(ours)];
  int64_t again_in_ms = RETRY_MAX_MS;
  bool answered = ask(topics, answers), strict = durability_is_strict(topics->owner.durability);
  if (answered && strict) again_in_ms = check_durability(topics, answers);
  learn(topics, answers);
  bool unseen = note_unseen(topics, answers, answered);
  if (answered) breaker_note_cluster(topics->owner.breaker);
  if (answered && !strict) again_in_ms = check_durability(topics, answers);
  if (unseen) again_in_ms = backoff_next_ms(&topics->retry);
  return clock_mono_ms() + again_in_ms;
}

// Without events nothing else would notice that the cluster is back, so it is asked while its breaker is
// open.
static void *run(void *arg) {
  struct topics *topics = arg;
  for (int64_t again_ms = 0, retry_ms = 0; !atomic_load(&topics->stopping); clock_sleep_ms(TICK_MS)) {
    int64_t now_ms = clock_mono_ms();
    bool retry = now_ms >= retry_ms && breaker_is_cluster_open(topics->owner.breaker);
    if (now_ms < again_ms && !retry) continue;
    again_ms = look(topics);
    retry_ms = clock_mono_ms() + RETRY_MAX_MS;
  }
  return NULL;
}

struct topics *topics_start(const struct topics_owner *owner, struct err *err) {
  struct topics *topics = mem_alloc(sizeof *topics);
  topics->owner = *owner;
  topics->retry = (struct backoff){.first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS};
  reason_set(&topics->unseen, "Kafka's topics have not been seen yet");
  for (size_t i = 0; i < COUNT_OF(ours); i++) topics->names[i] = owner->names[ours[i]];
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
