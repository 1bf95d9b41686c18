// SPDX-License-Identifier: MIT
#include "ingress/publisher.h"

#include "common/backoff.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "ingress/breaker.h"
#include "ingress/counters.h"
#include "ingress/drain.h"
#include "ingress/spool.h"
#include "ingress/worth.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
  POLL_MS = 100,
  WARM_MS = 500,
  WARM_RETRY_MAX_MS = 1000,
  PURGE_MS = 1000,
  LOOK_MS = 10,
  // Of a budget, what is kept for the spool: a commit takes some 10 ms on a good disk, and two of them may
  // have to be waited for; the rest is for a disk that is busy.
  SPOOL_MS = 300,
};

struct publisher {
  struct spool *spool; // NULL: there is none
  struct drain *drain;
  struct worth_watch *worth; // which of Kafka and spool may give acks
  struct breaker breaker;
  atomic_flag trying; // somebody waits for Kafka although it is thought away
  rd_kafka_t *rk;
  rd_kafka_topic_t *topics[KAFKA_TOPIC_COUNT];
  char *names[KAFKA_TOPIC_COUNT];
  struct metrics *metrics;
  pthread_t poller, warmer; // delivery reports; the topics, first until seen, then what they are set to
  metric_value *by_kafka, *by_spool;
  atomic_bool seen, closing, stopping;
};

// ---- a ticket: what one request waits for ----

struct slot {
  struct ticket *ticket;
  bool durable;
};

// It outlives the request, which may give up before the last report: whoever comes last frees it.
struct ticket {
  pthread_mutex_t lock;
  pthread_cond_t settled;
  size_t pending; // reports still to come
  bool failed, too_large, abandoned;
  struct slot slots[]; // one a message, which its report finds again
};

static struct ticket *ticket_new(size_t pending) {
  struct ticket *ticket = mem_alloc(sizeof *ticket + pending * sizeof ticket->slots[0]);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&ticket->lock, NULL);
  pthread_cond_init(&ticket->settled, &attributes);
  pthread_condattr_destroy(&attributes);
  ticket->pending = pending;
  for (size_t i = 0; i < pending; i++) ticket->slots[i].ticket = ticket;
  return ticket;
}

static void ticket_free(struct ticket *ticket) {
  pthread_cond_destroy(&ticket->settled);
  pthread_mutex_destroy(&ticket->lock);
  free(ticket);
}

// Reports on one message. Wakes the request at the last one, or at the first bad one.
static void ticket_report(struct slot *slot, rd_kafka_resp_err_t code) {
  struct ticket *ticket = slot->ticket;
  bool durable = !code;
  pthread_mutex_lock(&ticket->lock);
  slot->durable = durable;
  bool wakes = !ticket->failed && (!durable || ticket->pending == 1);
  ticket->pending--;
  ticket->failed |= !durable;
  ticket->too_large |= code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  bool last = ticket->pending == 0 && ticket->abandoned;
  if (wakes && !ticket->abandoned) pthread_cond_signal(&ticket->settled);
  pthread_mutex_unlock(&ticket->lock);
  if (last) ticket_free(ticket);
}

// Gives the ticket up; `sent` of n messages will be reported on, and the next was refused with `code`. Fills
// in which are durable; PUBLISHER_DURABLE: all.
static enum publisher_result ticket_wait(struct ticket *ticket, size_t sent, size_t n,
                                         rd_kafka_resp_err_t code, int64_t deadline, bool *durable) {
  struct timespec at = clock_timespec_at(deadline);
  pthread_mutex_lock(&ticket->lock);
  ticket->pending -= n - sent;
  ticket->failed |= n > sent;
  ticket->too_large |= code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  int expired = 0;
  while (ticket->pending && !ticket->failed && !expired)
    expired = pthread_cond_timedwait(&ticket->settled, &ticket->lock, &at);
  for (size_t i = 0; i < n; i++) durable[i] = ticket->slots[i].durable;
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
                                   struct slot *slot) {
  const struct event_record record = {publisher->topics[message->topic], message->key, message->value,
                                      message->value_len, slot};
  rd_kafka_resp_err_t code = event_produce(publisher->rk, &record, &message->event);
  if (code) count_error(publisher, code);
  return code;
}

// There may be acks by Kafka, and so rows may go there.
static bool kafka_serves(const struct publisher *publisher) {
  return atomic_load(&publisher->seen) && worth_kafka_gives(publisher->worth);
}

static bool spool_serves(const struct publisher *publisher) {
  return publisher->spool && worth_spool_gives(publisher->worth);
}

static void note_success(struct publisher *publisher) {
  if (!breaker_succeed(&publisher->breaker)) return;
  metrics_set(publisher->metrics, COUNTER_BREAKER, NULL, 0);
  log_info("Kafka takes events again", LOG_STR("topic", publisher->names[KAFKA_TOPIC_EVENTS]));
}

static void note_failure(struct publisher *publisher) {
  if (!breaker_fail(&publisher->breaker)) return;
  metrics_set(publisher->metrics, COUNTER_BREAKER, NULL, 1);
  log_warn(spool_serves(publisher) ? "Kafka does not take events in time; they go to the spool"
                                   : "Kafka does not take events in time; senders are told to come back",
           LOG_STR("topic", publisher->names[KAFKA_TOPIC_EVENTS]));
}

// The drain's: it has an answer from Kafka, and a quick one.
static void on_heard(void *arg) {
  note_success(arg);
}

static bool may_send(const void *arg) {
  return kafka_serves(arg);
}

static bool is_away(const struct publisher *publisher) {
  return !kafka_serves(publisher) || breaker_is_open(&publisher->breaker);
}

// ---- publishing ----

// What of a request is not durable yet, in order: the caller's messages, or a copy of some of them.
struct rest {
  const struct publisher_message *messages;
  struct publisher_message *copy;
  size_t n;
};

static void keep_undone(struct rest *rest, const bool *durable) {
  size_t done = 0, kept = 0;
  for (size_t i = 0; i < rest->n; i++) done += durable[i];
  if (done && done < rest->n) {
    struct publisher_message *undone = mem_array(rest->n - done, sizeof *undone);
    for (size_t i = 0; i < rest->n; i++)
      if (!durable[i]) undone[kept++] = rest->messages[i];
    free(rest->copy);
    rest->messages = rest->copy = undone;
  }
  rest->n -= done;
}

static void log_too_large(const struct rest *rest) {
  size_t bytes = 0;
  for (size_t i = 0; i < rest->n; i++)
    if (rest->messages[i].value_len > bytes) bytes = rest->messages[i].value_len;
  log_warn("an event is too large for Kafka, see message.max.bytes here and at the broker",
           LOG_INT("bytes", (int64_t)bytes));
}

// Nothing is learnt about Kafka from what it refused for its size.
static enum publisher_result ask_kafka(struct publisher *publisher, struct rest *rest, int64_t deadline) {
  AUTO_FREE bool *durable = mem_array(rest->n, sizeof *durable);
  struct ticket *ticket = ticket_new(rest->n);
  size_t sent = 0, n = rest->n;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  while (sent < n && !(code = produce(publisher, &rest->messages[sent], &ticket->slots[sent]))) sent++;
  enum publisher_result result = ticket_wait(ticket, sent, n, code, deadline, durable);
  keep_undone(rest, durable);
  atomic_fetch_add(publisher->by_kafka, n - rest->n);
  if (result == PUBLISHER_DURABLE) note_success(publisher);
  if (result == PUBLISHER_UNAVAILABLE) note_failure(publisher);
  if (result == PUBLISHER_TOO_LARGE) log_too_large(rest);
  return result;
}

static enum publisher_result ask_spool(struct publisher *publisher, const struct rest *rest,
                                       int64_t deadline) {
  if (!spool_store(publisher->spool, rest->messages, rest->n, deadline)) return PUBLISHER_UNAVAILABLE;
  atomic_fetch_add(publisher->by_spool, rest->n);
  return PUBLISHER_DURABLE;
}

// A spool that refuses is no reason not to ask a Kafka that is thought away, but one at a time: the others
// are better off with a quick answer.
static enum publisher_result ask_kafka_all_the_same(struct publisher *publisher, struct rest *rest,
                                                    int64_t deadline) {
  if (!kafka_serves(publisher) || atomic_flag_test_and_set(&publisher->trying)) return PUBLISHER_UNAVAILABLE;
  enum publisher_result result = ask_kafka(publisher, rest, deadline);
  atomic_flag_clear(&publisher->trying);
  return result;
}

static enum publisher_result publish(struct publisher *publisher, struct rest *rest, int64_t budget_ms) {
  int64_t deadline = clock_mono_ms() + budget_ms;
  int64_t reserve_ms = budget_ms / 2 < SPOOL_MS ? budget_ms / 2 : SPOOL_MS;
  enum publisher_result result = PUBLISHER_UNAVAILABLE;
  if (!spool_serves(publisher))
    return kafka_serves(publisher) ? ask_kafka(publisher, rest, deadline) : result;
  bool hopeful = !is_away(publisher);
  if (hopeful) result = ask_kafka(publisher, rest, deadline - reserve_ms);
  if (result == PUBLISHER_UNAVAILABLE) result = ask_spool(publisher, rest, deadline);
  if (result == PUBLISHER_UNAVAILABLE && !hopeful) result = ask_kafka_all_the_same(publisher, rest, deadline);
  return result;
}

enum publisher_result publisher_publish(struct publisher *publisher, const struct publisher_message *messages,
                                        size_t n, int64_t budget_ms) {
  if (n == 0) return PUBLISHER_DURABLE;
  struct rest rest = {.messages = messages, .n = n};
  enum publisher_result result = publish(publisher, &rest, budget_ms);
  free(rest.copy);
  return result;
}

const char *publisher_unready(const struct publisher *publisher) {
  const char *reason = worth_unready(publisher->worth);
  if (!reason && publisher->spool) reason = spool_unready(publisher->spool);
  if (!reason && !spool_serves(publisher) && !atomic_load(&publisher->seen))
    reason = "Kafka's topics have not been seen yet";
  return reason;
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

static int64_t look_at_worth(struct publisher *publisher) {
  const char *const topics[] = {publisher->names[KAFKA_TOPIC_EVENTS],
                                publisher->names[KAFKA_TOPIC_QUARANTINE]};
  return worth_watch_look(publisher->worth, publisher->rk, topics, COUNT_OF(topics));
}

static bool wait_for_topics(struct publisher *publisher) {
  struct backoff backoff = {.first_ms = 100, .max_ms = WARM_RETRY_MAX_MS};
  struct err err;
  bool told = false;
  while (!atomic_load(&publisher->closing)) {
    if (see_topics(publisher, &err)) return true;
    if (!told)
      log_warn(spool_serves(publisher) ? "waiting for Kafka's topics; events go to the spool"
                                       : "not ready: waiting for Kafka's topics",
               LOG_STR("cause", err.text));
    told = true;
    clock_sleep_ms(backoff_next_ms(&backoff));
  }
  return false;
}

// Where it depends on what Kafka's acks are worth, nobody is told "ready" before that is known.
static void *watch_topics(void *arg) {
  struct publisher *publisher = arg;
  int64_t look_at = 0;
  if (!wait_for_topics(publisher)) return NULL;
  if (!worth_kafka_gives(publisher->worth)) look_at = clock_mono_ms() + look_at_worth(publisher);
  atomic_store(&publisher->seen, true);
  metrics_set(publisher->metrics, COUNTER_BREAKER, NULL, 0);
  log_info("Kafka's topics are there", LOG_STR("topic", publisher->names[KAFKA_TOPIC_EVENTS]));
  while (!atomic_load(&publisher->closing)) {
    if (clock_mono_ms() >= look_at) look_at = clock_mono_ms() + look_at_worth(publisher);
    clock_sleep_ms(POLL_MS);
  }
  return NULL;
}

// ---- open, close ----

bool publisher_check(const struct settings *settings, struct err *err) {
  enum worth asked;
  return worth_parse(settings->ack_survives, &asked, err) &&
         kafka_producer_check(settings, kafka_conf_new(settings, NULL, 0, err), err);
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
  drain_stop(publisher->drain);
  spool_close(publisher->spool);
  worth_watch_free(publisher->worth);
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
  failed = pthread_create(&publisher->warmer, NULL, watch_topics, publisher);
  if (!failed) return true;
  atomic_store(&publisher->stopping, true);
  pthread_join(publisher->poller, NULL);
  return err_set(err, "cannot start a thread: %s", strerror(failed));
}

static bool open_spool(struct publisher *publisher, const struct settings *settings, struct err *err) {
  if (!*settings->spool_dir) {
    log_warn("no spool: whenever Kafka is away, senders are told to come back, and some never do",
             LOG_STR("setting", "DOCHAK_SPOOL_DIR"));
    return true;
  }
  publisher->spool = spool_open(settings, publisher->metrics, err);
  return publisher->spool != NULL;
}

static bool start_drain(struct publisher *publisher, const struct settings *settings, struct err *err) {
  if (!publisher->spool) return true;
  const struct drain_owner owner = {on_heard, may_send, publisher};
  publisher->drain = drain_start(settings, publisher->spool, publisher->metrics, &owner, err);
  return publisher->drain != NULL;
}

struct publisher *publisher_open(const struct settings *settings, struct metrics *metrics, struct err *err) {
  struct publisher *publisher = mem_alloc(sizeof *publisher);
  publisher->metrics = metrics;
  publisher->by_kafka = metrics_at(metrics, COUNTER_DURABLE, "kafka");
  publisher->by_spool = metrics_at(metrics, COUNTER_DURABLE, "spool");
  atomic_flag_clear(&publisher->trying);
  metrics_set(metrics, COUNTER_BREAKER, NULL, 1); // until Kafka has been seen
  publisher->worth = worth_watch_new(settings->ack_survives, *settings->spool_dir, metrics, err);
  if (publisher->worth) publisher->rk = open_producer(settings, publisher, err);
  if (publisher->rk && open_topics(publisher, settings->topic_prefix, err) &&
      open_spool(publisher, settings, err) && start_drain(publisher, settings, err) &&
      start_threads(publisher, err))
    return publisher;
  release(publisher);
  return NULL;
}

// The last reports are those of a purge: no ticket is left behind.
static void flush(struct publisher *publisher, int64_t deadline) {
  int64_t left_ms = deadline - clock_mono_ms();
  if (!rd_kafka_flush(publisher->rk, left_ms > 0 ? (int)left_ms : 0)) return;
  log_warn("stopping with events that Kafka has not acknowledged; they are in the spool, or their senders "
           "were told to come back",
           LOG_INT("events", rd_kafka_outq_len(publisher->rk)));
  rd_kafka_purge(publisher->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(publisher->rk, PURGE_MS);
}

// The drain is at it anyway; this gives it the time.
static void wait_drained(struct publisher *publisher, int64_t deadline) {
  if (!publisher->spool) return;
  while (spool_count(publisher->spool) && !is_away(publisher) && clock_mono_ms() < deadline)
    clock_sleep_ms(LOOK_MS);
  int64_t left = spool_count(publisher->spool);
  if (left) log_warn("events stay in the spool until the next start", LOG_INT("events", left));
}

void publisher_close(struct publisher *publisher, int64_t flush_ms) {
  if (!publisher) return;
  int64_t deadline = clock_mono_ms() + flush_ms;
  atomic_store(&publisher->closing, true);
  pthread_join(publisher->warmer, NULL);
  // While Kafka is away everything queued is in the spool already, or nobody waits for it.
  bool hopeless = publisher->spool && is_away(publisher);
  flush(publisher, hopeless ? 0 : deadline);
  wait_drained(publisher, deadline);
  atomic_store(&publisher->stopping, true);
  pthread_join(publisher->poller, NULL);
  release(publisher);
}
