// SPDX-License-Identifier: MIT
// A loop on a thread of its own, and what is asynchronous there as calls that wait, from any thread.
#pragma once
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ingress/durable/publisher.h"
#include "ingress/durable/spool.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// A receipt of BizGo's, received now.
static inline struct publisher_message message_of(const char *key, const char *value) {
  return (struct publisher_message){.topic = KAFKA_TOPIC_EVENTS,
                                    .event = {.id = uuid_new_v7(),
                                              .type = EVENT_RECEIPT,
                                              .source = "/ingress/t",
                                              .subject = key,
                                              .time_ms = clock_wall_ms(),
                                              .provider = "bizgo"},
                                    .key = key,
                                    .value = value,
                                    .value_len = strlen(value)};
}

static struct loop *waiting_loop;
static pthread_t waiting_thread;

static inline void *waiting_run(void *arg) {
  loop_run(arg);
  return NULL;
}

static inline void waiting_start(void) {
  struct err err;
  waiting_loop = loop_new(&err);
  if (!waiting_loop || pthread_create(&waiting_thread, NULL, waiting_run, waiting_loop)) abort();
}

static inline void waiting_stop(void) {
  loop_stop(waiting_loop);
  pthread_join(waiting_thread, NULL);
  loop_free(waiting_loop);
}

struct waiting {
  struct mail mail;
  pthread_mutex_t lock;
  pthread_cond_t told;
  bool done, stored;
  enum publisher_result result;
  struct publisher *publisher;
  struct spool *spool;
  const struct publisher_message *messages;
  size_t n;
  int64_t deadline_ms;
  struct loop_timer timer; // of a store, which has no deadline of its own
  struct spool_job *job;
};

static inline void waiting_tell(struct waiting *waiting) {
  pthread_mutex_lock(&waiting->lock);
  waiting->done = true;
  pthread_cond_signal(&waiting->told);
  pthread_mutex_unlock(&waiting->lock);
}

static inline void waiting_for(struct waiting *waiting, void (*begin)(struct mail *mail)) {
  pthread_mutex_init(&waiting->lock, NULL);
  pthread_cond_init(&waiting->told, NULL);
  waiting->mail.deliver = begin;
  loop_post(waiting_loop, &waiting->mail);
  pthread_mutex_lock(&waiting->lock);
  while (!waiting->done) pthread_cond_wait(&waiting->told, &waiting->lock);
  pthread_mutex_unlock(&waiting->lock);
  pthread_cond_destroy(&waiting->told);
  pthread_mutex_destroy(&waiting->lock);
}

static inline void waiting_published(void *arg, enum publisher_result result, bool spooled) {
  struct waiting *waiting = arg;
  (void)spooled;
  waiting->result = result;
  waiting_tell(waiting);
}

static inline void waiting_publish(struct mail *mail) {
  struct waiting *waiting = (struct waiting *)mail;
  publisher_publish(waiting->publisher, waiting_loop, waiting->messages, waiting->n, waiting->deadline_ms,
                    waiting_published, waiting);
}

static inline enum publisher_result publish_and_wait(struct publisher *publisher,
                                                     const struct publisher_message *messages, size_t n,
                                                     int64_t budget_ms) {
  struct waiting waiting = {
      .publisher = publisher, .messages = messages, .n = n, .deadline_ms = clock_mono_ms() + budget_ms};
  waiting_for(&waiting, waiting_publish);
  return waiting.result;
}

static inline void waiting_stored(void *arg, bool stored) {
  struct waiting *waiting = arg;
  loop_clear_timer(waiting_loop, &waiting->timer);
  waiting->stored = stored;
  waiting_tell(waiting);
}

static inline void waiting_out_of_time(struct loop_timer *timer) {
  struct waiting *waiting = (struct waiting *)((char *)timer - offsetof(struct waiting, timer));
  spool_give_up(waiting->spool, waiting->job);
  waiting_tell(waiting);
}

static inline void waiting_store(struct mail *mail) {
  struct waiting *waiting = (struct waiting *)mail;
  waiting->timer.due = waiting_out_of_time;
  waiting->job =
      spool_store(waiting->spool, waiting->messages, waiting->n, waiting_loop, waiting_stored, waiting);
  if (waiting->job)
    loop_set_timer(waiting_loop, &waiting->timer, waiting->deadline_ms);
  else
    waiting_tell(waiting);
}

// False: refused, or not by the deadline (monotonic).
static inline bool store_and_wait(struct spool *spool, const struct publisher_message *messages, size_t n,
                                  int64_t deadline_ms) {
  struct waiting waiting = {.spool = spool, .messages = messages, .n = n, .deadline_ms = deadline_ms};
  waiting_for(&waiting, waiting_store);
  return waiting.stored;
}
