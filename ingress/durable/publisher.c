// SPDX-License-Identifier: MIT
#include "ingress/durable/publisher.h"

#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/kafka/kafka_hint.h"
#include "ingress/counters.h"
#include "ingress/durable/breaker.h"
#include "ingress/durable/drain.h"
#include "ingress/durable/durability.h"
#include "ingress/durable/spool.h"
#include "ingress/durable/ticket.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
  POLL_MS = 250,
  PURGE_MS = 1000,
  QUEUED_MS = 10,
  // The part of a budget that is kept for the spool. A commit takes some 10 ms on a good disk, and a request
  // may have to wait for two; the rest is for a busy disk.
  SPOOL_MS = 300,
  WAIT_LEAST_MS = 20, // a shorter wait says nothing about Kafka
};

struct publisher {
  struct spool *spool; // NULL: there is none
  struct drain *drain;
  struct durability_watch *durability; // watches the topics: which of Kafka and spool may give acks
  struct breaker *breaker;
  struct kafka_producer producer;
  struct metrics *metrics;
  pthread_t poller; // of delivery reports
  metric_value *by_kafka, *by_spool;
  _Atomic uint64_t turn;  // which partition an event without a key tries first
  struct ticket *settled; // on_report()'s: tickets whose last report came in this round
  atomic_bool stopping;
};

// ---- Kafka ----

static int queue_length(const struct publisher *publisher) {
  return rd_kafka_outq_len(publisher->producer.rk);
}

// A record that timed out has closed its partition when its request gave it up, up to 5 s ago; the partition
// may be well again since.
static void fail(struct publisher *publisher, enum kafka_topic topic, int32_t partition,
                 rd_kafka_resp_err_t code) {
  metrics_add(publisher->metrics, COUNTER_KAFKA_ERRORS, rd_kafka_err2name(code), 1);
  if (code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT) return;
  breaker_fail(publisher->breaker, topic, partition, code, queue_length(publisher));
}

static bool spool_serves(const struct publisher *publisher) {
  return publisher->spool && durability_spool_gives(publisher->durability) &&
         !spool_failing(publisher->spool);
}

// Thread: the poller, and publisher_close() when that has ended.
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  (void)rk;
  struct publisher *publisher = opaque;
  enum kafka_topic topic = publisher_record_topic(&publisher->producer, rkm);
  if (rkm->err) {
    fail(publisher, topic, rkm->partition, rkm->err);
  } else {
    breaker_note_ack(publisher->breaker, topic, rkm->partition, clock_mono_ms());
    // Without the spool a slow Kafka is better than none.
    if (rd_kafka_message_latency(rkm) < 1000 * (int64_t)BREAKER_QUICK_MS || !spool_serves(publisher))
      breaker_succeed(publisher->breaker, topic, rkm->partition);
  }
  ticket_report(rkm->_private, rkm->err ? SLOT_FAILED : SLOT_ACKED, &publisher->settled);
}

// Thread: the poller.
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
  (void)rk;
  struct publisher *publisher = opaque;
  struct err err;
  if (kafka_refusal((rd_kafka_resp_err_t)code, reason, &err))
    durability_note_refusal(publisher->durability, err.text);
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

// ---- a publication: the messages of one request, until they are durable or out of time ----

struct publication {
  struct publisher *publisher;
  const struct publisher_message *messages;
  size_t n;
  struct ticket *ticket;
  struct slot *slots; // the ticket's, one a message
  int64_t deadline_ms;
};

// Without a key any partition that is well will do.
static int32_t choose_partition(struct publisher *publisher, const struct publisher_message *message) {
  struct breaker *breaker = publisher->breaker;
  int32_t n = breaker_partitions(breaker, message->topic), partition, left = n;
  if (message->key) return breaker_partition_of(n, message->key, 0);
  uint64_t turn = atomic_fetch_add_explicit(&publisher->turn, 1, memory_order_relaxed);
  do partition = breaker_partition_of(n, NULL, turn++);
  while (--left > 0 && breaker_is_open(breaker, message->topic, partition));
  return partition;
}

// Hands one event to librdkafka. The report may come before this returns.
static void send_one(struct publication *publication, size_t i, int32_t partition) {
  struct publisher *publisher = publication->publisher;
  const struct publisher_message *message = &publication->messages[i];
  struct slot *slot = &publication->slots[i];
  slot->partition = partition;
  slot->state = SLOT_SENT;
  rd_kafka_resp_err_t code = publisher_message_produce(message, &publisher->producer, partition, slot);
  if (!code) return;
  slot->state = SLOT_UNSENT;
  fail(publisher, message->topic, partition, code);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    log_warn_rarely("queue full", "kafka producer queue is full; events go to the spool",
                    LOG_STR("error", rd_kafka_err2name(code)), LOG_INT("queued", queue_length(publisher)));
}

// Hands to Kafka what is unsent and whose partition is well; with `anyway` also the rest.
static void send_all(struct publication *publication, bool anyway) {
  struct publisher *publisher = publication->publisher;
  if (!durability_kafka_gives(publisher->durability)) return;
  for (size_t i = 0; i < publication->n; i++) {
    if (publication->slots[i].state != SLOT_UNSENT) continue;
    int32_t partition = choose_partition(publisher, &publication->messages[i]);
    if (partition == RD_KAFKA_PARTITION_UA) continue; // of a topic that has not been seen yet
    if (anyway || !breaker_is_open(publisher->breaker, publication->messages[i].topic, partition))
      send_one(publication, i, partition);
  }
}

// Stores the messages whose state is at most `last`. False: the spool refused, or was late.
static bool store(struct publication *publication, enum slot_state last) {
  struct publisher *publisher = publication->publisher;
  AUTO_FREE const struct publisher_message **stored = NULL;
  size_t n = 0;
  for (size_t i = 0; i < publication->n; i++) {
    if (publication->slots[i].state > last) continue;
    if (!stored) stored = mem_array(publication->n, sizeof(const struct publisher_message *));
    stored[n++] = &publication->messages[i];
  }
  if (!n) return true;
  if (!spool_serves(publisher) || !spool_store(publisher->spool, stored, n, publication->deadline_ms))
    return false;
  while (n-- > 0) publication->slots[stored[n] - publication->messages].state = SLOT_SPOOLED;
  return true;
}

static void fail_unreported(struct publication *publication, int64_t since_ms) {
  struct publisher *publisher = publication->publisher;
  for (size_t i = 0; i < publication->n; i++) {
    enum kafka_topic topic = publication->messages[i].topic;
    const struct slot *slot = &publication->slots[i];
    if (slot->state == SLOT_SENT && !breaker_is_open(publisher->breaker, topic, slot->partition) &&
        breaker_is_silent(publisher->breaker, topic, slot->partition, since_ms))
      fail(publisher, topic, slot->partition, RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
}

// Waits for the reports; the last part of the budget is kept for the spool. A partition that acknowledges
// nothing for a while is sick: this request goes on waiting, and the next ones do not begin to. Without the
// spool they would have no other way.
static void wait_reports(struct publication *publication) {
  int64_t since_ms = clock_mono_ms(), left_ms = publication->deadline_ms - since_ms;
  bool spooling = spool_serves(publication->publisher);
  if (spooling) left_ms -= left_ms / 2 < SPOOL_MS ? left_ms / 2 : SPOOL_MS;
  int64_t until_ms = since_ms + left_ms;
  if (spooling && left_ms > BREAKER_QUICK_MS) {
    ticket_wait(publication->ticket, since_ms + BREAKER_QUICK_MS);
    fail_unreported(publication, since_ms);
    // The look spares a partition that acknowledged an older record, which may have been its last.
    since_ms += BREAKER_QUICK_MS;
  }
  ticket_wait(publication->ticket, until_ms);
  if (left_ms >= WAIT_LEAST_MS) fail_unreported(publication, since_ms);
}

// A spool that refuses is no reason not to ask a Kafka that is thought away, but one request at a time: the
// others are better off with a quick answer. NULL: another request is the one for the first unsent event.
static atomic_bool *send_anyway(struct publication *publication) {
  struct publisher *publisher = publication->publisher;
  const struct publisher_message *first = publication->messages;
  while (publication->slots[first - publication->messages].state != SLOT_UNSENT) first++;
  atomic_bool *trying = breaker_try(publisher->breaker, first->topic, choose_partition(publisher, first));
  if (trying) send_all(publication, true);
  return trying;
}

// What Kafka cannot take now is stored while it works on the rest. Where that fails, the sender has to come
// back whatever becomes of the rest, so there is nothing to wait for.
static void run(struct publication *publication) {
  send_all(publication, false);
  bool stored = store(publication, SLOT_UNSENT);
  atomic_bool *trying = stored ? NULL : send_anyway(publication);
  ticket_begin(publication->ticket);
  if (stored || trying) wait_reports(publication);
  CRASH_POINT("before_ack");
  if (trying) atomic_store(trying, false);
  if (stored) (void)store(publication, SLOT_FAILED); // what is not, stays as it is
}

bool publisher_publish(struct publisher *publisher, const struct publisher_message *messages, size_t n,
                       int64_t deadline_ms, bool *spooled) {
  size_t counts[SLOT_STATE_COUNT] = {0};
  *spooled = false;
  if (n == 0) return true;
  struct ticket *ticket = ticket_new(n);
  struct publication publication = {publisher, messages, n, ticket, ticket_slots(ticket), deadline_ms};
  run(&publication);
  for (size_t i = 0; i < n; i++) counts[publication.slots[i].state]++;
  ticket_leave(ticket);
  metric_add(publisher->by_kafka, (int64_t)counts[SLOT_ACKED]);
  metric_add(publisher->by_spool, (int64_t)counts[SLOT_SPOOLED]);
  *spooled = counts[SLOT_SPOOLED] > 0;
  return counts[SLOT_ACKED] + counts[SLOT_SPOOLED] == n;
}

const char *publisher_unready(const struct publisher *publisher) {
  const char *reason = publisher->spool ? spool_unready(publisher->spool) : NULL;
  if (!reason && !spool_serves(publisher)) reason = durability_unseen(publisher->durability);
  return reason ? reason : durability_unready(publisher->durability);
}

int64_t publisher_spooled(const struct publisher *publisher, int64_t *waiting_ms) {
  *waiting_ms = publisher->spool ? spool_waiting_ms(publisher->spool) : -1;
  return publisher->spool ? spool_count(publisher->spool) : 0;
}

// ---- open, close ----

bool publisher_check(const struct settings *settings, struct err *err) {
  const struct kafka_producer_options options = {.patience_ms = settings->ack_budget_ms};
  return kafka_producer_check(settings, &options, err);
}

static void release(struct publisher *publisher) {
  drain_stop(publisher->drain);
  spool_close(publisher->spool);
  durability_watch_free(publisher->durability);
  kafka_producer_close(&publisher->producer);
  free(publisher->breaker);
  free(publisher);
}

static bool open_producer(struct publisher *publisher, const struct settings *settings, struct err *err) {
  const struct kafka_producer_options options = {.patience_ms = settings->ack_budget_ms,
                                                 .on_report = on_report,
                                                 .on_error = on_error,
                                                 .opaque = publisher};
  return kafka_producer_open(settings, &options, &publisher->producer, err);
}

static bool open_spool(struct publisher *publisher, const struct settings *settings, struct err *err) {
  if (!*settings->spool_dir) {
    log_warn("no spool: while Kafka is away requests are answered 503, and some senders never try again",
             LOG_STR("setting", "DOCHAK_SPOOL_DIR"));
    return true;
  }
  if (!(publisher->spool = spool_open(settings, publisher->metrics, err))) return false;
  publisher->drain = drain_start(settings, publisher->spool, publisher->breaker, publisher->durability,
                                 publisher->metrics, err);
  return publisher->drain != NULL;
}

static bool start_poller(struct publisher *publisher, struct err *err) {
  int failed = pthread_create(&publisher->poller, NULL, poll_reports, publisher);
  return !failed || err_set(err, "cannot start a thread: %s", strerror(failed));
}

struct publisher *publisher_open(const struct settings *settings, struct metrics *metrics, struct err *err) {
  struct publisher *publisher = mem_alloc(sizeof *publisher);
  publisher->metrics = metrics;
  publisher->by_kafka = metrics_at(metrics, COUNTER_DURABLE, "kafka");
  publisher->by_spool = metrics_at(metrics, COUNTER_DURABLE, "spool");
  publisher->breaker = breaker_new(settings->topic_prefix, metrics);
  publisher->durability = durability_watch_new(settings, metrics, err);
  if (publisher->durability && open_producer(publisher, settings, err) &&
      open_spool(publisher, settings, err) &&
      durability_watch_start(publisher->durability, &publisher->producer, publisher->breaker, err) &&
      start_poller(publisher, err))
    return publisher;
  release(publisher);
  return NULL;
}

// The drain works on it anyway; this gives it the time, as long as rows leave.
static void wait_drained(const struct spool *spool, int64_t deadline_ms) {
  int64_t left = spool_count(spool), before = left + 1;
  while (left && left < before && clock_mono_ms() < deadline_ms) {
    clock_sleep_ms(BREAKER_QUICK_MS);
    before = left;
    left = spool_count(spool);
  }
  if (left) log_warn("events stay in the spool until the next start", LOG_INT("events", left));
}

void publisher_close(struct publisher *publisher, int64_t flush_ms) {
  if (!publisher) return;
  int64_t deadline_ms = clock_mono_ms() + flush_ms;
  durability_watch_stop(publisher->durability);
  atomic_store(&publisher->stopping, true);
  pthread_join(publisher->poller, NULL);
  // No request waits for what is queued any more: with a spool it is stored, or was answered 503. A purge
  // reports on all that is left, so that no ticket is left behind.
  rd_kafka_flush(publisher->producer.rk, publisher->spool ? QUEUED_MS : (int)flush_ms);
  rd_kafka_purge(publisher->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(publisher->producer.rk, PURGE_MS);
  ticket_settle_all(&publisher->settled);
  if (publisher->spool) wait_drained(publisher->spool, deadline_ms);
  release(publisher);
}
