// SPDX-License-Identifier: MIT
#include "ingress/durable/publisher.h"

#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include "ingress/durable/breaker.h"
#include "ingress/durable/drain.h"
#include "ingress/durable/durability.h"
#include "ingress/durable/spool.h"
#include "ingress/durable/ticket.h"
#include "ingress/durable/topics.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
  POLL_MS = 100,
  PURGE_MS = 1000,
  LOOK_MS = 10,
  // The part of a budget that is kept for the spool. A commit takes some 10 ms on a good disk, and a request
  // may have to wait for two; the rest is for a busy disk.
  SPOOL_MS = 300,
  WAIT_LEAST_MS = 20, // a shorter wait says nothing about Kafka
};

struct publisher {
  struct spool *spool; // NULL: there is none
  struct drain *drain;
  struct durability_watch *durability; // which of Kafka and spool may give acks
  struct breaker *breaker;
  struct kafka_producer producer;
  char *names[KAFKA_TOPIC_COUNT];
  struct metrics *metrics;
  struct topics *topics;
  pthread_t poller; // of delivery reports
  metric_value *by_kafka, *by_spool;
  _Atomic uint64_t turn;  // which partition an event without a key tries first
  struct ticket *settled; // the poller's: tickets whose last report came in this round
  atomic_bool stopping;
};

// ---- Kafka ----

static int queue_length(const struct publisher *publisher) {
  return rd_kafka_outq_len(publisher->producer.rk);
}

static void fail(struct publisher *publisher, enum kafka_topic topic, int32_t partition,
                 rd_kafka_resp_err_t code) {
  metrics_add(publisher->metrics, COUNTER_KAFKA_ERRORS, rd_kafka_err2name(code), 1);
  breaker_fail(publisher->breaker, topic, partition, code, queue_length(publisher));
}

static bool spool_serves(const struct publisher *publisher) {
  return publisher->spool && durability_spool_gives(publisher->durability) &&
         !spool_is_failing(publisher->spool);
}

static enum kafka_topic topic_of(const struct publisher *publisher, const rd_kafka_topic_t *rkt) {
  enum kafka_topic topic = 0;
  while (topic < KAFKA_TOPIC_COUNT - 1 && publisher->producer.topics[topic] != rkt) topic++;
  return topic;
}

// A record that timed out has closed its partition when its request gave it up, up to 5 s ago; the partition
// may be well again since.
static enum slot_state learn(struct publisher *publisher, const rd_kafka_message_t *rkm) {
  enum kafka_topic topic = topic_of(publisher, rkm->rkt);
  if (!rkm->err) {
    breaker_note_ack(publisher->breaker, topic, rkm->partition, clock_mono_ms());
    // Without the spool a slow Kafka is better than none.
    if (rd_kafka_message_latency(rkm) < 1000 * (int64_t)BREAKER_QUICK_MS || !spool_serves(publisher))
      breaker_succeed(publisher->breaker, topic, rkm->partition);
    return SLOT_DURABLE;
  }
  if (rkm->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
    metrics_add(publisher->metrics, COUNTER_KAFKA_ERRORS, rd_kafka_err2name(rkm->err), 1);
  else
    fail(publisher, topic, rkm->partition, rkm->err);
  return rkm->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? SLOT_TOO_LARGE : SLOT_FAILED;
}

// Thread: the poller.
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  (void)rk;
  struct publisher *publisher = opaque;
  ticket_report(rkm->_private, learn(publisher, rkm), &publisher->settled);
}

// Thread: the poller.
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
  (void)rk, (void)reason;
  struct publisher *publisher = opaque;
  breaker_note_error(publisher->breaker, (rd_kafka_resp_err_t)code, queue_length(publisher));
}

static void *poll_reports(void *arg) {
  struct publisher *publisher = arg;
  while (!atomic_load(&publisher->stopping)) {
    rd_kafka_poll(publisher->producer.rk, POLL_MS);
    ticket_settle_all(&publisher->settled);
  }
  return NULL;
}

// There may be acks by Kafka, for a topic that has been seen.
static bool may_send(const void *arg) {
  const struct publisher *publisher = arg;
  bool seen = breaker_partitions(publisher->breaker, KAFKA_TOPIC_EVENTS) ||
              breaker_partitions(publisher->breaker, KAFKA_TOPIC_QUARANTINE);
  return seen && durability_kafka_gives(publisher->durability);
}

// ---- a publication: the messages of one request, until they are durable or out of time ----

struct publication {
  struct publisher *publisher;
  const struct publisher_message *messages;
  enum slot_state *states; // one a message
  size_t n;
  struct ticket *ticket;
  int64_t deadline_ms;
  bool spooled;
};

static int32_t choose_partition(struct publisher *publisher, const struct publisher_message *message) {
  struct breaker *breaker = publisher->breaker;
  rd_kafka_topic_t *rkt = publisher->producer.topics[message->topic];
  uint64_t turn = message->key ? 0 : atomic_fetch_add_explicit(&publisher->turn, 1, memory_order_relaxed);
  int32_t partition = breaker_partition_of(breaker, rkt, message->topic, message->key, turn);
  if (message->key) return partition;
  // Without a key any partition that is well will do.
  for (int32_t i = 1; i < breaker_partitions(breaker, message->topic); i++) {
    if (!breaker_is_open(breaker, message->topic, partition)) break;
    partition = breaker_partition_of(breaker, rkt, message->topic, NULL, turn + (uint64_t)i);
  }
  return partition;
}

static enum slot_state state_of_refused(struct publisher *publisher, const struct publisher_message *message,
                                        int32_t partition, rd_kafka_resp_err_t code) {
  fail(publisher, message->topic, partition, code);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    log_warn_rarely("queue full", "kafka producer queue is full; events go to the spool",
                    LOG_STR("error", rd_kafka_err2name(code)), LOG_INT("queued", queue_length(publisher)));
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? SLOT_TOO_LARGE : SLOT_UNSENT;
}

// Hands one event to librdkafka. The report may come before this returns.
static void send_one(struct publication *publication, size_t i, int32_t partition) {
  struct publisher *publisher = publication->publisher;
  const struct publisher_message *message = &publication->messages[i];
  struct slot *slot = ticket_expect(publication->ticket, i, partition);
  const struct event_record record = {publisher->producer.topics[message->topic],
                                      partition,
                                      message->key,
                                      message->value,
                                      message->value_len,
                                      slot};
  publication->states[i] = SLOT_SENT;
  rd_kafka_resp_err_t code = event_produce(publisher->producer.rk, &record, &message->event);
  if (!code) return;
  ticket_take_back(slot);
  publication->states[i] = state_of_refused(publisher, message, partition, code);
}

// Hands to Kafka what is unsent and whose partition is well; with `anyway` also the rest.
static void send_all(struct publication *publication, bool anyway) {
  struct publisher *publisher = publication->publisher;
  if (!durability_kafka_gives(publisher->durability)) return;
  for (size_t i = 0; i < publication->n; i++) {
    if (publication->states[i] != SLOT_UNSENT) continue;
    int32_t partition = choose_partition(publisher, &publication->messages[i]);
    if (partition == RD_KAFKA_PARTITION_UA) continue; // of a topic that has not been seen yet
    if (anyway || !breaker_is_open(publisher->breaker, publication->messages[i].topic, partition))
      send_one(publication, i, partition);
  }
}

// Neither durable nor refused for good.
static bool is_undone(enum slot_state state) {
  return state == SLOT_UNSENT || state == SLOT_SENT || state == SLOT_FAILED;
}

static bool is_unsent(enum slot_state state) {
  return state == SLOT_UNSENT;
}

// Stores the messages whose state is such. False: the spool refused, or was late.
static bool store(struct publication *publication, bool (*is_such)(enum slot_state state)) {
  struct publisher *publisher = publication->publisher;
  AUTO_FREE const struct publisher_message **such = NULL;
  size_t n = 0;
  for (size_t i = 0; i < publication->n; i++) {
    if (!is_such(publication->states[i])) continue;
    if (!such) such = mem_array(publication->n, sizeof(const struct publisher_message *));
    such[n++] = &publication->messages[i];
  }
  if (!n) return true;
  if (!spool_serves(publisher) || !spool_store(publisher->spool, such, n, publication->deadline_ms))
    return false;
  for (size_t i = 0; i < publication->n; i++)
    if (is_such(publication->states[i])) publication->states[i] = SLOT_DURABLE;
  atomic_fetch_add(publisher->by_spool, (int64_t)n);
  publication->spooled = true;
  return true;
}

// What of a budget is kept for the spool.
static int64_t reserve_ms(const struct publication *publication) {
  int64_t budget_ms = publication->deadline_ms - clock_mono_ms();
  if (!spool_serves(publication->publisher)) return 0;
  return budget_ms / 2 < SPOOL_MS ? budget_ms / 2 : SPOOL_MS;
}

static void fail_unreported(struct publication *publication, const struct slot *slots, int64_t since_ms) {
  struct publisher *publisher = publication->publisher;
  for (size_t i = 0; i < publication->n; i++) {
    enum kafka_topic topic = publication->messages[i].topic;
    if (slots[i].state == SLOT_SENT && !breaker_is_open(publisher->breaker, topic, slots[i].partition) &&
        breaker_is_silent(publisher->breaker, topic, slots[i].partition, since_ms))
      fail(publisher, topic, slots[i].partition, RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
}

// Waits for the reports. A partition that acknowledges nothing for a while is sick: this request goes on
// waiting, and the next ones do not begin to. Without the spool they would have no other way.
static void wait_reports(struct publication *publication, int64_t until_ms) {
  struct ticket *ticket = take(publication->ticket);
  AUTO_FREE struct slot *slots = mem_array(publication->n, sizeof *slots);
  int64_t now_ms = clock_mono_ms(), quick_ms = now_ms + BREAKER_QUICK_MS;
  bool patient = until_ms > quick_ms && spool_serves(publication->publisher);
  if (patient && !ticket_wait(ticket, quick_ms, slots, publication->n))
    fail_unreported(publication, slots, now_ms);
  ticket_wait(ticket, until_ms, slots, publication->n);
  ticket_leave(ticket);
  // The look spares a partition that acknowledged an older record, which may have been its last.
  if (until_ms - now_ms >= WAIT_LEAST_MS) fail_unreported(publication, slots, patient ? quick_ms : now_ms);
  int64_t durable = 0;
  for (size_t i = 0; i < publication->n; i++) {
    if (publication->states[i] != SLOT_SENT) continue;
    publication->states[i] = slots[i].state;
    durable += slots[i].state == SLOT_DURABLE;
  }
  atomic_fetch_add_explicit(publication->publisher->by_kafka, durable, memory_order_relaxed);
}

// A spool that refuses is no reason not to ask a Kafka that is thought away, but one request at a time: the
// others are better off with a quick answer. NULL: another request is the one for the first unsent event.
static atomic_bool *send_anyway(struct publication *publication) {
  struct publisher *publisher = publication->publisher;
  const struct publisher_message *first = publication->messages;
  while (publication->states[first - publication->messages] != SLOT_UNSENT) first++;
  atomic_bool *trying = breaker_try(publisher->breaker, first->topic, choose_partition(publisher, first));
  if (trying) send_all(publication, true);
  return trying;
}

static enum publisher_result finish(const struct publication *publication) {
  const struct publisher_message *too_large = NULL; // the largest of them
  bool undone = false;
  for (size_t i = 0; i < publication->n; i++) {
    const struct publisher_message *message = &publication->messages[i];
    undone |= is_undone(publication->states[i]);
    if (publication->states[i] == SLOT_TOO_LARGE && (!too_large || message->value_len > too_large->value_len))
      too_large = message;
  }
  if (!too_large) return undone ? PUBLISHER_UNAVAILABLE : PUBLISHER_DURABLE;
  log_warn("an event is too large for Kafka, see message.max.bytes here and at the broker",
           LOG_STR("error", rd_kafka_err2name(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)),
           LOG_INT("bytes", (int64_t)too_large->value_len));
  return PUBLISHER_TOO_LARGE;
}

// What Kafka cannot take now is stored while it works on the rest. Where that fails, the sender has to come
// back whatever becomes of the rest, so there is nothing to wait for.
static enum publisher_result run(struct publication *publication) {
  send_all(publication, false);
  bool stored = store(publication, is_unsent);
  atomic_bool *trying = stored ? NULL : send_anyway(publication);
  int64_t now_ms = clock_mono_ms(), until_ms = publication->deadline_ms - reserve_ms(publication);
  wait_reports(publication, stored || trying ? until_ms : now_ms);
  CRASH_POINT("before_ack");
  if (trying) atomic_store(trying, false);
  if (stored && !store(publication, is_undone)) return PUBLISHER_UNAVAILABLE;
  return finish(publication);
}

enum publisher_result publisher_publish(struct publisher *publisher, const struct publisher_message *messages,
                                        size_t n, int64_t deadline_ms, bool *spooled) {
  *spooled = false;
  if (n == 0) return PUBLISHER_DURABLE;
  AUTO_FREE enum slot_state *states = mem_array(n, sizeof *states);
  struct publication publication = {.publisher = publisher,
                                    .messages = messages,
                                    .states = states,
                                    .n = n,
                                    .ticket = ticket_new(n),
                                    .deadline_ms = deadline_ms};
  enum publisher_result result = run(&publication);
  *spooled = publication.spooled;
  return result;
}

const char *publisher_unready(const struct publisher *publisher) {
  const char *reason = durability_unready(publisher->durability);
  if (!reason && publisher->spool) reason = spool_unready(publisher->spool);
  if (!reason && !spool_serves(publisher)) reason = topics_unseen(publisher->topics);
  return reason;
}

// ---- open, close ----

bool publisher_check(const struct settings *settings, struct err *err) {
  const struct kafka_producer_options options = {.patience_ms = settings->ack_budget_ms};
  return kafka_producer_check(settings, &options, err);
}

static void release(struct publisher *publisher) {
  topics_stop(publisher->topics);
  drain_stop(publisher->drain);
  spool_close(publisher->spool);
  durability_watch_free(publisher->durability);
  kafka_producer_close(&publisher->producer);
  breaker_free(publisher->breaker);
  for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) free(publisher->names[i]);
  free(publisher);
}

static bool open_producer(struct publisher *publisher, const struct settings *settings, struct err *err) {
  const struct kafka_producer_options options = {.patience_ms = settings->ack_budget_ms,
                                                 .on_report = on_report,
                                                 .on_error = on_error,
                                                 .opaque = publisher};
  return kafka_producer_open(settings, &options, &publisher->producer, err);
}

static bool start_threads(struct publisher *publisher, struct err *err) {
  const struct topics_owner owner = {.producer = &publisher->producer,
                                     .names = publisher->names,
                                     .breaker = publisher->breaker,
                                     .durability = publisher->durability};
  if (!(publisher->topics = topics_start(&owner, err))) return false;
  int failed = pthread_create(&publisher->poller, NULL, poll_reports, publisher);
  return !failed || err_set(err, "cannot start a thread: %s", strerror(failed));
}

static bool open_spool(struct publisher *publisher, const struct settings *settings, struct err *err) {
  if (!*settings->spool_dir) {
    log_warn("no spool: while Kafka is away requests are answered 503, and some senders never try again",
             LOG_STR("setting", "DOCHAK_SPOOL_DIR"));
    return true;
  }
  publisher->spool = spool_open(settings, publisher->metrics, err);
  return publisher->spool != NULL;
}

static bool start_drain(struct publisher *publisher, const struct settings *settings, struct err *err) {
  if (!publisher->spool) return true;
  const struct drain_owner owner = {
      .breaker = publisher->breaker, .metrics = publisher->metrics, .may_send = may_send, .arg = publisher};
  publisher->drain = drain_start(settings, publisher->spool, &owner, err);
  return publisher->drain != NULL;
}

struct publisher *publisher_open(const struct settings *settings, struct metrics *metrics, struct err *err) {
  struct publisher *publisher = mem_alloc(sizeof *publisher);
  publisher->metrics = metrics;
  publisher->by_kafka = metrics_at(metrics, COUNTER_DURABLE, "kafka");
  publisher->by_spool = metrics_at(metrics, COUNTER_DURABLE, "spool");
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++)
    publisher->names[topic] = kafka_topic_name(settings->topic_prefix, topic);
  publisher->breaker = breaker_new(publisher->names, metrics);
  publisher->durability = durability_watch_new(settings, metrics, err);
  if (publisher->durability && open_producer(publisher, settings, err) &&
      open_spool(publisher, settings, err) && start_drain(publisher, settings, err) &&
      start_threads(publisher, err))
    return publisher;
  release(publisher);
  return NULL;
}

static void wait_unqueued(const struct publisher *publisher, int64_t deadline_ms) {
  while (queue_length(publisher) && clock_mono_ms() < deadline_ms) clock_sleep_ms(LOOK_MS);
}

// The poller reads the reports. A purge reports on all that is left, so that no ticket is left behind.
static void flush(const struct publisher *publisher, int64_t deadline_ms) {
  wait_unqueued(publisher, deadline_ms);
  if (!queue_length(publisher)) return;
  log_warn("stopping with events that Kafka has not acknowledged; they are in the spool, or their senders "
           "were asked to send them again",
           LOG_INT("events", queue_length(publisher)));
  rd_kafka_purge(publisher->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  wait_unqueued(publisher, clock_mono_ms() + PURGE_MS);
}

// The drain works on it anyway; this gives it the time, as long as rows leave.
static void wait_drained(const struct publisher *publisher, int64_t deadline_ms) {
  if (!publisher->spool) return;
  int64_t left = spool_count(publisher->spool), moved_ms = clock_mono_ms();
  while (left && clock_mono_ms() < deadline_ms && clock_mono_ms() - moved_ms < BREAKER_QUICK_MS) {
    clock_sleep_ms(LOOK_MS);
    int64_t now_left = spool_count(publisher->spool);
    if (now_left < left) moved_ms = clock_mono_ms();
    left = now_left;
  }
  if (left) log_warn("events stay in the spool until the next start", LOG_INT("events", left));
}

void publisher_close(struct publisher *publisher, int64_t flush_ms) {
  if (!publisher) return;
  int64_t deadline_ms = clock_mono_ms() + flush_ms;
  topics_stop(take(publisher->topics));
  // With a spool, no request waits for what is queued any more: it is stored, or was answered 503.
  flush(publisher, publisher->spool ? clock_mono_ms() + LOOK_MS : deadline_ms);
  wait_drained(publisher, deadline_ms);
  atomic_store(&publisher->stopping, true);
  pthread_join(publisher->poller, NULL);
  release(publisher);
}
