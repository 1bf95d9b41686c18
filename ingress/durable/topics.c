// SPDX-License-Identifier: MIT
#include "ingress/durable/topics.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/durable/reason.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, METADATA_MS = 500, SETTINGS_MS = 1000, RETRY_MS = 1000, CHECK_MS = 60000 };

// The topics that ingress writes to.
static const enum kafka_topic ours[] = {KAFKA_TOPIC_EVENTS, KAFKA_TOPIC_QUARANTINE};

struct topics {
  const struct kafka_producer *producer;
  struct breaker *breaker;
  struct durability_watch *durability;
  struct kafka_topic_shape shapes[COUNT_OF(ours)]; // as last seen; without partitions: not yet
  rd_kafka_resp_err_t codes[COUNT_OF(ours)];       // of the last request
  struct reason unseen;
  pthread_t thread;
  atomic_bool stopping;
};

// False: a topic got no answer, so none of them is known to be missing.
static bool ask(struct topics *topics) {
  const rd_kafka_resp_err_t unanswered = RD_KAFKA_RESP_ERR__END; // errors up to it are librdkafka's own
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    rd_kafka_topic_t *rkt = topics->producer->topics[ours[i]];
    if (code > unanswered) code = kafka_topic_ask(topics->producer->rk, rkt, METADATA_MS, &topics->shapes[i]);
    topics->codes[i] = code;
  }
  return code > unanswered;
}

static const char *name_of(const struct topics *topics, size_t i) {
  return rd_kafka_topic_name(topics->producer->topics[ours[i]]);
}

// False: a topic is too weak, or none could be asked about. A topic that was seen before counts although it
// cannot be read now: its records are acknowledged, too.
static bool check_durability(struct topics *topics) {
  const char *names[COUNT_OF(ours)];
  struct kafka_facts facts[COUNT_OF(ours)] = {0};
  struct err err;
  size_t n = 0;
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    if (!topics->shapes[i].partitions) continue;
    names[n] = name_of(topics, i);
    facts[n++].shape = topics->shapes[i];
  }
  return n && kafka_facts_ask_settings(topics->producer->rk, names, n, SETTINGS_MS, facts, &err) &&
         durability_watch_learn(topics->durability, names, facts, n);
}

static void note_unseen(struct topics *topics, size_t i, bool answered, struct err *err) {
  rd_kafka_resp_err_t code = topics->codes[i];
  (void)kafka_topic_fail(name_of(topics, i), code, err);
  log_warn_rarely(err->text, "kafka topic not seen yet", LOG_STR("cause", err->text)); // each new cause
  if (answered) breaker_note_unseen(topics->breaker, ours[i], code, rd_kafka_outq_len(topics->producer->rk));
}

// From here on events go to the topics that have been seen. Names the first one that has not. False: all
// have.
static bool learn(struct topics *topics, bool answered) {
  struct err err;
  const char *unseen = NULL;
  for (size_t i = COUNT_OF(ours); i-- > 0;) {
    if (topics->shapes[i].partitions) {
      breaker_learn_partitions(topics->breaker, ours[i], topics->shapes[i].partitions);
      continue;
    }
    note_unseen(topics, i, answered, &err);
    unseen = err.text;
  }
  reason_set(&topics->unseen, unseen);
  return unseen;
}

// Returns after how many milliseconds to look again. The topics' settings are known before the first event
// goes to a topic, since readiness and the durability of its ack depend on them.
static int64_t look(struct topics *topics) {
  bool answered = ask(topics), durable = answered && check_durability(topics);
  bool unseen = learn(topics, answered);
  if (answered) breaker_note_cluster(topics->breaker);
  return durable && !unseen ? CHECK_MS : RETRY_MS;
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
