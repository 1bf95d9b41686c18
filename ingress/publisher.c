// SPDX-License-Identifier: MIT
#include "ingress/publisher.h"

#include "common/backoff.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "ingress/counters.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 100, WARM_MS = 500, WARM_RETRY_MAX_MS = 1000, PURGE_MS = 1000 };

struct publisher {
  rd_kafka_t *rk;
  rd_kafka_topic_t *topics[KAFKA_TOPIC_COUNT];
  char *names[KAFKA_TOPIC_COUNT];
  struct metrics *metrics;
  pthread_t poller, warmer; // delivery reports; the topics' metadata, until seen
  atomic_bool ready, closing, stopping, away;
};

// ---- a ticket: what one request waits for ----

// It outlives the request, which may give up before the last report: whoever comes last frees it.
struct ticket {
  pthread_mutex_t lock;
  pthread_cond_t settled;
  size_t pending; // reports still to come
  bool failed, too_large, abandoned;
};

static struct ticket *ticket_new(size_t pending) {
  struct ticket *ticket = mem_alloc(sizeof *ticket);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&ticket->lock, NULL);
  pthread_cond_init(&ticket->settled, &attributes);
  pthread_condattr_destroy(&attributes);
  ticket->pending = pending;
  return ticket;
}

static void ticket_free(struct ticket *ticket) {
  pthread_cond_destroy(&ticket->settled);
  pthread_mutex_destroy(&ticket->lock);
  free(ticket);
}

// Reports on one message. Wakes the request at the last one, or at the first bad one.
static void ticket_report(struct ticket *ticket, rd_kafka_resp_err_t code) {
  bool durable = !code;
  pthread_mutex_lock(&ticket->lock);
  bool wakes = !ticket->failed && (!durable || ticket->pending == 1);
  ticket->pending--;
  ticket->failed |= !durable;
  ticket->too_large |= code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  bool last = ticket->pending == 0 && ticket->abandoned;
  if (wakes && !ticket->abandoned) pthread_cond_signal(&ticket->settled);
  pthread_mutex_unlock(&ticket->lock);
  if (last) ticket_free(ticket);
}

// Gives the ticket up; on the `unsent` messages there will be no report, for one of them was refused with
// `code`. Durable: all reports are in and good.
static enum publisher_result ticket_wait(struct ticket *ticket, size_t unsent, rd_kafka_resp_err_t code,
                                         int64_t deadline) {
  struct timespec at = clock_timespec_at(deadline);
  pthread_mutex_lock(&ticket->lock);
  ticket->pending -= unsent;
  ticket->failed |= unsent > 0;
  ticket->too_large |= code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  int expired = 0;
  while (ticket->pending && !ticket->failed && !expired)
    expired = pthread_cond_timedwait(&ticket->settled, &ticket->lock, &at);
  enum publisher_result result = ticket->too_large                   ? PUBLISHER_TOO_LARGE
                                 : ticket->pending || ticket->failed ? PUBLISHER_UNAVAILABLE
                                                                     : PUBLISHER_DURABLE;
  ticket->abandoned = ticket->pending > 0;
  bool last = !ticket->abandoned;
  pthread_mutex_unlock(&ticket->lock);
  if (last) ticket_free(ticket);
  return result;
}

// ---- Kafka ----

static void count_error(struct publisher *publisher, rd_kafka_resp_err_t code) {
  metrics_add(publisher->metrics, COUNTER_KAFKA_ERRORS, rd_kafka_err2name(code), 1);
}

// Thread: the poller.
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  (void)rk;
  if (rkm->err) count_error(opaque, rkm->err);
  ticket_report(rkm->_private, rkm->err);
}

static rd_kafka_resp_err_t produce(struct publisher *publisher, const struct publisher_message *message,
                                   struct ticket *ticket) {
  const struct event_record record = {publisher->topics[message->topic], message->key, message->value,
                                      message->value_len, ticket};
  rd_kafka_resp_err_t code = event_produce(publisher->rk, &record, &message->event);
  if (code) count_error(publisher, code);
  return code;
}

static void log_too_large(const struct publisher_message *messages, size_t n) {
  size_t bytes = 0;
  for (size_t i = 0; i < n; i++)
    if (messages[i].value_len > bytes) bytes = messages[i].value_len;
  log_warn("an event is too large for Kafka, see message.max.bytes here and at the broker",
           LOG_INT("bytes", (int64_t)bytes));
}

// Whether Kafka is there; nothing is learnt from what it refused for its size.
static void note_result(struct publisher *publisher, bool durable) {
  if (atomic_load_explicit(&publisher->away, memory_order_relaxed) == !durable) return;
  if (atomic_exchange(&publisher->away, !durable) == !durable) return;
  if (durable)
    log_info("Kafka takes events again", LOG_STR("topic", publisher->names[KAFKA_TOPIC_EVENTS]));
  else
    log_warn("Kafka does not take events in time; senders are told to come back",
             LOG_STR("topic", publisher->names[KAFKA_TOPIC_EVENTS]));
}

enum publisher_result publisher_publish(struct publisher *publisher, const struct publisher_message *messages,
                                        size_t n, int64_t budget_ms) {
  if (n == 0) return PUBLISHER_DURABLE;
  int64_t deadline = clock_mono_ms() + budget_ms;
  enum publisher_result result = PUBLISHER_UNAVAILABLE;
  if (publisher_ready(publisher)) {
    struct ticket *ticket = ticket_new(n);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    size_t sent = 0;
    while (sent < n && !(code = produce(publisher, &messages[sent], ticket))) sent++;
    result = ticket_wait(ticket, n - sent, code, deadline);
  }
  if (result == PUBLISHER_TOO_LARGE)
    log_too_large(messages, n);
  else
    note_result(publisher, result == PUBLISHER_DURABLE);
  return result;
}

bool publisher_ready(const struct publisher *publisher) {
  return atomic_load(&publisher->ready);
}

// ---- threads ----

static void *poll_reports(void *arg) {
  struct publisher *publisher = arg;
  while (!atomic_load(&publisher->stopping)) rd_kafka_poll(publisher->rk, POLL_MS);
  return NULL;
}

static bool see_topics(struct publisher *publisher, struct err *err) {
  const char *const topics[] = {publisher->names[KAFKA_TOPIC_EVENTS],
                                publisher->names[KAFKA_TOPIC_QUARANTINE]};
  return kafka_warm_topics(publisher->rk, topics, COUNT_OF(topics), WARM_MS, err);
}

static void *warm_topics(void *arg) {
  struct publisher *publisher = arg;
  struct backoff backoff = {.first_ms = 100, .max_ms = WARM_RETRY_MAX_MS};
  struct err err;
  bool told = false;
  while (!atomic_load(&publisher->closing)) {
    if (see_topics(publisher, &err)) {
      atomic_store(&publisher->ready, true);
      metrics_set(publisher->metrics, COUNTER_READY, NULL, 1);
      log_info("Kafka's topics are there", LOG_STR("topic", publisher->names[KAFKA_TOPIC_EVENTS]));
      return NULL;
    }
    if (!told) log_warn("not ready: waiting for Kafka's topics", LOG_STR("cause", err.text));
    told = true;
    clock_sleep_ms(backoff_next_ms(&backoff));
  }
  return NULL;
}

// ---- open, close ----

bool publisher_check(const struct settings *settings, struct err *err) {
  return kafka_producer_check(settings, kafka_conf_new(settings, NULL, 0, err), err);
}

static rd_kafka_t *open_producer(const struct settings *settings, struct publisher *publisher,
                                 struct err *err) {
  rd_kafka_conf_t *conf = kafka_conf_new(settings, NULL, 0, err);
  if (!conf) return NULL;
  rd_kafka_conf_set_dr_msg_cb(conf, on_report);
  rd_kafka_conf_set_opaque(conf, publisher);
  return kafka_producer_new(settings, conf, err);
}

static void release(struct publisher *publisher) {
  for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) {
    if (publisher->topics[i]) rd_kafka_topic_destroy(publisher->topics[i]);
    free(publisher->names[i]);
  }
  if (publisher->rk) rd_kafka_destroy(publisher->rk);
  free(publisher);
}

static bool open_topics(struct publisher *publisher, const char *prefix, struct err *err) {
  for (enum kafka_topic i = 0; i < KAFKA_TOPIC_COUNT; i++) {
    publisher->names[i] = kafka_topic_name(prefix, i);
    publisher->topics[i] = rd_kafka_topic_new(publisher->rk, publisher->names[i], NULL);
    if (!publisher->topics[i])
      return err_set(err, "topic %s: %s", publisher->names[i], rd_kafka_err2str(rd_kafka_last_error()));
  }
  return true;
}

static bool start_threads(struct publisher *publisher, struct err *err) {
  int failed = pthread_create(&publisher->poller, NULL, poll_reports, publisher);
  if (failed) return err_set(err, "cannot start a thread: %s", strerror(failed));
  failed = pthread_create(&publisher->warmer, NULL, warm_topics, publisher);
  if (!failed) return true;
  atomic_store(&publisher->stopping, true);
  pthread_join(publisher->poller, NULL);
  return err_set(err, "cannot start a thread: %s", strerror(failed));
}

struct publisher *publisher_open(const struct settings *settings, struct metrics *metrics, struct err *err) {
  struct publisher *publisher = mem_alloc(sizeof *publisher);
  publisher->metrics = metrics;
  publisher->rk = open_producer(settings, publisher, err);
  if (publisher->rk && open_topics(publisher, settings->topic_prefix, err) && start_threads(publisher, err))
    return publisher;
  release(publisher);
  return NULL;
}

// The last reports are those of a purge: no ticket is left behind.
static void flush(struct publisher *publisher, int64_t flush_ms) {
  if (!rd_kafka_flush(publisher->rk, (int)flush_ms)) return;
  log_warn("stopping with events that Kafka has not acknowledged; their senders were told to come back",
           LOG_INT("events", rd_kafka_outq_len(publisher->rk)));
  rd_kafka_purge(publisher->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(publisher->rk, PURGE_MS);
}

void publisher_close(struct publisher *publisher, int64_t flush_ms) {
  if (!publisher) return;
  atomic_store(&publisher->closing, true);
  pthread_join(publisher->warmer, NULL);
  flush(publisher, flush_ms);
  atomic_store(&publisher->stopping, true);
  pthread_join(publisher->poller, NULL);
  release(publisher);
}
