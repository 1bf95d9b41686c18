// SPDX-License-Identifier: MIT
#include "ingress/durable/publisher.h"

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include "ingress/durable/breaker.h"
#include "ingress/durable/drain.h"
#include "ingress/durable/durability.h"
#include "ingress/durable/spool.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
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
  struct durability_watch *durability; // which of Kafka and spool may give acks
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

// ---- an attempt: messages that were handed to Kafka, and what it has said about them ----

struct slot {
  struct attempt *attempt;
  atomic_bool durable;
};

// It outlives its publication, which may give up before the last report: whoever comes last frees it.
struct attempt {
  struct mail mail;                // to the publication: all reports are there, or a bad one
  struct publication *publication; // the loop's; NULL: it has given up
  struct loop *loop;
  atomic_size_t holders; // the loop, the mail, and each report still to come
  atomic_size_t pending; // reports still to come, and one for who hands the messages over
  atomic_bool told, too_large;
  struct slot slots[]; // one a message, which its report finds again
};

static void on_reported(struct mail *mail);

static struct attempt *attempt_new(struct publication *publication, struct loop *loop, size_t n) {
  struct attempt *attempt = mem_alloc(sizeof *attempt + n * sizeof attempt->slots[0]);
  attempt->mail.deliver = on_reported;
  attempt->publication = publication;
  attempt->loop = loop;
  atomic_init(&attempt->holders, 1);
  atomic_init(&attempt->pending, 1);
  for (size_t i = 0; i < n; i++) attempt->slots[i].attempt = attempt;
  return attempt;
}

static void attempt_let_go(struct attempt *attempt) {
  if (atomic_fetch_sub(&attempt->holders, 1) == 1) free(attempt);
}

// Something is there to be told, at the last report or at the first bad one: once.
static void attempt_tell(struct attempt *attempt) {
  if (atomic_exchange(&attempt->told, true)) return;
  atomic_fetch_add(&attempt->holders, 1);
  loop_post(attempt->loop, &attempt->mail);
}

static void attempt_note(struct attempt *attempt, rd_kafka_resp_err_t code) {
  if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) atomic_store(&attempt->too_large, true);
  if (atomic_fetch_sub(&attempt->pending, 1) == 1 || code) attempt_tell(attempt);
}

// Reports on one message. Thread: the poller.
static void attempt_report(struct slot *slot, rd_kafka_resp_err_t code) {
  struct attempt *attempt = slot->attempt;
  if (!code) atomic_store(&slot->durable, true);
  attempt_note(attempt, code);
  attempt_let_go(attempt);
}

// ---- Kafka ----

static void count_error(struct publisher *publisher, rd_kafka_resp_err_t code) {
  metrics_add(publisher->metrics, COUNTER_KAFKA_ERRORS, rd_kafka_err2name(code), 1);
}

// Thread: the poller.
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  (void)rk;
  if (rkm->err) count_error(opaque, rkm->err);
  attempt_report(rkm->_private, rkm->err);
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
  return atomic_load(&publisher->seen) && durability_kafka_gives(publisher->durability);
}

static bool spool_serves(const struct publisher *publisher) {
  return publisher->spool && durability_spool_gives(publisher->durability);
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

// ---- a publication: the messages of one request, until they are durable or out of time ----

enum stage { STAGE_KAFKA, STAGE_SPOOL, STAGE_KAFKA_AFTER_ALL };

struct publication {
  struct publisher *publisher;
  struct loop *loop;
  struct loop_timer timer; // of the stage
  enum stage stage;
  int64_t deadline_ms;
  const struct publisher_message *messages; // not durable yet, in order: the caller's, or a copy of some
  struct publisher_message *copy;
  size_t n;
  struct attempt *attempt; // STAGE_KAFKA and after all
  struct spool_job *job;   // STAGE_SPOOL
  bool asked_kafka, spooled;
  publisher_done_fn *done;
  void *arg;
};

static void finish(struct publication *publication, enum publisher_result result) {
  loop_clear_timer(publication->loop, &publication->timer);
  publication->done(publication->arg, result, publication->spooled);
  free(publication->copy);
  free(publication);
}

// ---- … by Kafka ----

// Gives the attempt up, and keeps the messages that are not durable. DURABLE: none.
static enum publisher_result end_attempt(struct publication *publication) {
  struct attempt *attempt = take(publication->attempt);
  attempt->publication = NULL;
  struct publisher_message *left = NULL; // none in the good case
  size_t undone = 0;
  for (size_t i = 0; i < publication->n; i++) {
    if (atomic_load(&attempt->slots[i].durable)) continue;
    if (!left) left = mem_array(publication->n, sizeof *left);
    left[undone++] = publication->messages[i];
  }
  free(publication->copy);
  publication->messages = publication->copy = left;
  atomic_fetch_add(publication->publisher->by_kafka, (int64_t)(publication->n - undone));
  publication->n = undone;
  bool too_large = atomic_load(&attempt->too_large);
  attempt_let_go(attempt);
  return too_large ? PUBLISHER_TOO_LARGE : undone ? PUBLISHER_UNAVAILABLE : PUBLISHER_DURABLE;
}

static void log_too_large(const struct publication *publication) {
  size_t bytes = 0;
  for (size_t i = 0; i < publication->n; i++)
    if (publication->messages[i].value_len > bytes) bytes = publication->messages[i].value_len;
  log_warn("an event is too large for Kafka, see message.max.bytes here and at the broker",
           LOG_INT("bytes", (int64_t)bytes));
}

static void ask_spool(struct publication *publication);

// Nothing is learnt about Kafka from what it refused for its size.
static void after_kafka(struct publication *publication) {
  struct publisher *publisher = publication->publisher;
  bool last = publication->stage == STAGE_KAFKA_AFTER_ALL || !spool_serves(publisher);
  if (publication->stage == STAGE_KAFKA_AFTER_ALL) atomic_flag_clear(&publisher->trying);
  enum publisher_result result = end_attempt(publication);
  if (result == PUBLISHER_DURABLE) note_success(publisher);
  if (result == PUBLISHER_UNAVAILABLE) note_failure(publisher);
  if (result == PUBLISHER_TOO_LARGE) log_too_large(publication);
  if (result == PUBLISHER_UNAVAILABLE && !last)
    ask_spool(publication);
  else
    finish(publication, result);
}

static void on_reported(struct mail *mail) {
  struct attempt *attempt = (struct attempt *)mail;
  CRASH_POINT("before_ack");
  if (attempt->publication) after_kafka(attempt->publication);
  attempt_let_go(attempt);
}

static void ask_kafka(struct publication *publication, enum stage stage, int64_t until_ms) {
  struct attempt *attempt = attempt_new(publication, publication->loop, publication->n);
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  publication->attempt = attempt;
  publication->asked_kafka = true;
  publication->stage = stage;
  loop_set_timer(publication->loop, &publication->timer, until_ms);
  for (size_t i = 0; i < publication->n && !code; i++) {
    atomic_fetch_add(&attempt->holders, 1);
    atomic_fetch_add(&attempt->pending, 1);
    code = produce(publication->publisher, &publication->messages[i], &attempt->slots[i]);
    if (!code) continue;
    atomic_fetch_sub(&attempt->pending, 1); // there will be no report
    atomic_fetch_sub(&attempt->holders, 1); // nor was it the last one: the loop holds it
  }
  attempt_note(attempt, code);
}

// ---- … by the spool ----

// A spool that refuses is no reason not to ask a Kafka that is thought away, but one at a time: the others
// are better off with a quick answer.
static void ask_kafka_after_all(struct publication *publication) {
  struct publisher *publisher = publication->publisher;
  if (publication->asked_kafka || !kafka_serves(publisher) || atomic_flag_test_and_set(&publisher->trying))
    finish(publication, PUBLISHER_UNAVAILABLE);
  else
    ask_kafka(publication, STAGE_KAFKA_AFTER_ALL, publication->deadline_ms);
}

static void on_stored(void *arg, bool stored) {
  struct publication *publication = arg;
  publication->job = NULL;
  if (!stored) {
    ask_kafka_after_all(publication);
    return;
  }
  publication->spooled = true;
  atomic_fetch_add(publication->publisher->by_spool, (int64_t)publication->n);
  finish(publication, PUBLISHER_DURABLE);
}

static void ask_spool(struct publication *publication) {
  publication->stage = STAGE_SPOOL;
  publication->job = spool_store(publication->publisher->spool, publication->messages, publication->n,
                                 publication->loop, on_stored, publication);
  if (publication->job)
    loop_set_timer(publication->loop, &publication->timer, publication->deadline_ms);
  else
    ask_kafka_after_all(publication);
}

static void on_out_of_time(struct loop_timer *timer) {
  struct publication *publication = CONTAINER_OF(timer, struct publication, timer);
  if (publication->stage != STAGE_SPOOL) {
    after_kafka(publication);
    return;
  }
  spool_give_up(publication->publisher->spool, take(publication->job));
  finish(publication, PUBLISHER_UNAVAILABLE);
}

// ---- publishing ----

// What of the budget is kept for the spool.
static int64_t reserve_ms(int64_t budget_ms) {
  return budget_ms / 2 < SPOOL_MS ? budget_ms / 2 : SPOOL_MS;
}

static void start(struct publication *publication) {
  struct publisher *publisher = publication->publisher;
  int64_t deadline_ms = publication->deadline_ms;
  bool by_spool = spool_serves(publisher);
  if (by_spool && is_away(publisher))
    ask_spool(publication);
  else if (by_spool)
    ask_kafka(publication, STAGE_KAFKA, deadline_ms - reserve_ms(deadline_ms - clock_mono_ms()));
  else if (kafka_serves(publisher))
    ask_kafka(publication, STAGE_KAFKA, deadline_ms);
  else
    finish(publication, PUBLISHER_UNAVAILABLE);
}

void publisher_publish(struct publisher *publisher, struct loop *loop,
                       const struct publisher_message *messages, size_t n, int64_t deadline_ms,
                       publisher_done_fn *done, void *arg) {
  if (n == 0) {
    done(arg, PUBLISHER_DURABLE, false);
    return;
  }
  struct publication *publication = mem_alloc(sizeof *publication);
  *publication = (struct publication){.publisher = publisher,
                                      .loop = loop,
                                      .timer.due = on_out_of_time,
                                      .deadline_ms = deadline_ms,
                                      .messages = messages,
                                      .n = n,
                                      .done = done,
                                      .arg = arg};
  start(publication);
}

const char *publisher_unready(const struct publisher *publisher) {
  const char *reason = durability_unready(publisher->durability);
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

static int64_t look_at_durability(struct publisher *publisher) {
  const char *const topics[] = {publisher->names[KAFKA_TOPIC_EVENTS],
                                publisher->names[KAFKA_TOPIC_QUARANTINE]};
  return durability_watch_look(publisher->durability, publisher->rk, topics, COUNT_OF(topics));
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
  if (!durability_kafka_gives(publisher->durability))
    look_at = clock_mono_ms() + look_at_durability(publisher);
  atomic_store(&publisher->seen, true);
  metrics_set(publisher->metrics, COUNTER_BREAKER, NULL, 0);
  log_info("Kafka's topics are there", LOG_STR("topic", publisher->names[KAFKA_TOPIC_EVENTS]));
  while (!atomic_load(&publisher->closing)) {
    if (clock_mono_ms() >= look_at) look_at = clock_mono_ms() + look_at_durability(publisher);
    clock_sleep_ms(POLL_MS);
  }
  return NULL;
}

// ---- open, close ----

bool publisher_check(const struct settings *settings, struct err *err) {
  enum durability asked;
  return durability_parse(settings->ack_survives, &asked, err) &&
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
  durability_watch_free(publisher->durability);
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
    publisher->topics[i] = kafka_topic_open(publisher->rk, publisher->names[i], err);
    if (!publisher->topics[i]) return false;
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
  publisher->durability = durability_watch_new(settings, metrics, err);
  if (publisher->durability) publisher->rk = open_producer(settings, publisher, err);
  if (publisher->rk && open_topics(publisher, settings->topic_prefix, err) &&
      open_spool(publisher, settings, err) && start_drain(publisher, settings, err) &&
      start_threads(publisher, err))
    return publisher;
  release(publisher);
  return NULL;
}

// The last reports are those of a purge: no attempt is left behind.
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
