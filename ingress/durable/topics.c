// SPDX-License-Identifier: MIT
#include "ingress/durable/topics.h"

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, METADATA_MS = 500, RETRY_FIRST_MS = 100, RETRY_MAX_MS = 1000 };

// The topics that ingress writes to.
static const enum kafka_topic ours[] = {KAFKA_TOPIC_EVENTS, KAFKA_TOPIC_QUARANTINE};

struct topics {
  struct topics_owner owner;
  const char *names[COUNT_OF(ours)];
  pthread_t thread;
  atomic_bool stopping;
};

static bool see(struct topics *topics, struct err *err) {
  return kafka_warm_topics(topics->owner.producer->rk, topics->names, COUNT_OF(ours), METADATA_MS, err);
}

static bool wait_seen(struct topics *topics) {
  struct backoff backoff = {.first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS};
  struct err err;
  while (!atomic_load(&topics->stopping)) {
    if (see(topics, &err)) return true;
    log_warn_rarely(err.text, "kafka topics not seen yet", LOG_STR("cause", err.text)); // each new cause
    clock_sleep_ms(backoff_next_ms(&backoff));
  }
  return false;
}

// False: the partitions of a topic are not known yet.
static bool learn_partitions(struct topics *topics) {
  bool known = true;
  for (size_t i = 0; i < COUNT_OF(ours); i++) {
    rd_kafka_topic_t *rkt = topics->owner.producer->topics[ours[i]];
    struct kafka_topic_shape shape;
    if (!kafka_topic_ask(topics->owner.producer->rk, rkt, METADATA_MS, &shape))
      breaker_learn_partitions(topics->owner.breaker, ours[i], shape.partitions);
    known &= breaker_partitions(topics->owner.breaker, ours[i]) > 0;
  }
  return known;
}

// Returns when to look again (monotonic).
static int64_t look(struct topics *topics) {
  int64_t again_in_ms = durability_watch_look(topics->owner.durability, topics->owner.producer->rk,
                                              topics->names, COUNT_OF(ours));
  (void)learn_partitions(topics);
  return clock_mono_ms() + again_in_ms;
}

// Without events nothing else would notice that the cluster is back.
static void ask_cluster(struct topics *topics) {
  struct err err;
  if (breaker_is_cluster_open(topics->owner.breaker) && see(topics, &err))
    breaker_note_cluster(topics->owner.breaker);
}

// Where readiness depends on what Kafka's acks survive, it waits until that is known.
static void *run(void *arg) {
  struct topics *topics = arg;
  int64_t look_at = 0, ask_at = 0;
  if (!wait_seen(topics)) return NULL;
  if (!durability_kafka_gives(topics->owner.durability)) look_at = look(topics);
  while (!learn_partitions(topics) && !atomic_load(&topics->stopping)) clock_sleep_ms(TICK_MS);
  atomic_store(topics->owner.seen, true);
  breaker_note_cluster(topics->owner.breaker);
  log_info("kafka topics seen", LOG_STR("topic", topics->names[0]));
  for (; !atomic_load(&topics->stopping); clock_sleep_ms(TICK_MS)) {
    if (clock_mono_ms() >= look_at) look_at = look(topics);
    if (clock_mono_ms() < ask_at) continue;
    ask_cluster(topics);
    ask_at = clock_mono_ms() + RETRY_MAX_MS;
  }
  return NULL;
}

struct topics *topics_start(const struct topics_owner *owner, struct err *err) {
  struct topics *topics = mem_alloc(sizeof *topics);
  topics->owner = *owner;
  for (size_t i = 0; i < COUNT_OF(ours); i++) topics->names[i] = owner->names[ours[i]];
  int failed = pthread_create(&topics->thread, NULL, run, topics);
  if (!failed) return topics;
  err_set(err, "cannot start a thread: %s", strerror(failed));
  free(topics);
  return NULL;
}

void topics_stop(struct topics *topics) {
  if (!topics) return;
  atomic_store(&topics->stopping, true);
  pthread_join(topics->thread, NULL);
  free(topics);
}
