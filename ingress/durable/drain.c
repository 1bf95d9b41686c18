// SPDX-License-Identifier: MIT
#include "ingress/durable/drain.h"

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "ingress/counters.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
  IN_FLIGHT_MAX = 1000,
  IN_FLIGHT_MAX_BYTES = 4 * 1024 * 1024,
  // Nobody waits for a row, so librdkafka may keep trying for long: each time it gives up and we begin again
  // may be a repeat of the whole batch.
  PATIENCE_MS = 60000,
  PROMPT_MS = 500, // an answer later than this does not help a request that waits
  WAIT_MS = 200,
  POLL_MS = 50,
  STOP_MS = 1000,
  PURGE_MS = 1000,
  REFUSED_AGAIN_MS = 60000,
};

enum state { WAITING, DELIVERED, FAILED, REFUSED };

struct parcel {
  struct drain *drain;
  int64_t id;
  enum state state;
};

struct drain {
  struct spool *spool;
  struct metrics *metrics;
  struct drain_owner owner;
  rd_kafka_t *rk;
  rd_kafka_topic_t *topics[KAFKA_TOPIC_COUNT];
  pthread_t thread;
  atomic_bool stopping;
  struct parcel parcels[IN_FLIGHT_MAX]; // the batch in flight; all of what follows is the thread's own
  size_t n, waiting, bytes;
  int64_t reached;          // rows up to here are out, or refused
  int64_t refused_again_at; // 0: none is refused
};

// ---- Kafka's verdicts ----

// About the row itself: it would be the same tomorrow.
static bool is_refusal(rd_kafka_resp_err_t code) {
  static const rd_kafka_resp_err_t refusals[] = {
      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
      RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP};
  for (size_t i = 0; i < COUNT_OF(refusals); i++)
    if (code == refusals[i]) return true;
  return false;
}

static enum state state_after(struct drain *drain, rd_kafka_resp_err_t code) {
  if (!code) return DELIVERED;
  metrics_add(drain->metrics, COUNTER_KAFKA_ERRORS, rd_kafka_err2name(code), 1);
  return is_refusal(code) ? REFUSED : FAILED;
}

// Thread: ours, from rd_kafka_poll().
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  (void)rk, (void)opaque;
  struct parcel *parcel = rkm->_private;
  parcel->state = state_after(parcel->drain, rkm->err);
  parcel->drain->waiting--;
}

// ---- a batch ----

// A spool_take_fn. A full queue of librdkafka ends the batch, and the row is read again.
static bool send_row(void *arg, int64_t id, const struct publisher_message *message) {
  struct drain *drain = arg;
  struct parcel *parcel = &drain->parcels[drain->n];
  *parcel = (struct parcel){.drain = drain, .id = id};
  const struct event_record record = {drain->topics[message->topic], message->key, message->value,
                                      message->value_len, parcel};
  rd_kafka_resp_err_t code = event_produce(drain->rk, &record, &message->event);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  drain->n++;
  drain->waiting += !code;
  if (code) parcel->state = state_after(drain, code);
  drain->bytes += message->value_len;
  return drain->n < IN_FLIGHT_MAX && drain->bytes < IN_FLIGHT_MAX_BYTES;
}

// After a purge every report comes at once.
static void wait_reports(struct drain *drain) {
  int64_t stop_at = 0;
  while (drain->waiting) {
    rd_kafka_poll(drain->rk, POLL_MS);
    if (!atomic_load(&drain->stopping)) continue;
    int64_t now = clock_mono_ms();
    if (!stop_at) stop_at = now + STOP_MS;
    if (now < stop_at) continue;
    rd_kafka_purge(drain->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(drain->rk, PURGE_MS);
  }
}

static size_t count(const struct drain *drain, enum state state) {
  size_t n = 0;
  for (size_t i = 0; i < drain->n; i++) n += drain->parcels[i].state == state;
  return n;
}

// Delivered rows must not be sent again, so this insists; a disk that takes nothing holds it up.
static void remove_delivered(struct drain *drain) {
  int64_t ids[IN_FLIGHT_MAX];
  size_t n = 0;
  for (size_t i = 0; i < drain->n; i++)
    if (drain->parcels[i].state == DELIVERED) ids[n++] = drain->parcels[i].id;
  struct backoff backoff = {.first_ms = 100, .max_ms = 1000};
  CRASH_POINT("before_spool_remove");
  while (!spool_remove(drain->spool, ids, n) && !atomic_load(&drain->stopping))
    clock_sleep_ms(backoff_next_ms(&backoff));
  metrics_add(drain->metrics, COUNTER_SPOOL_DRAINED, NULL, (int64_t)n);
}

// From the first failed row on, everything is read again; what has been delivered is no longer there.
static void advance(struct drain *drain) {
  for (size_t i = 0; i < drain->n; i++) {
    if (drain->parcels[i].state == FAILED) return;
    drain->reached = drain->parcels[i].id;
  }
}

static void note_refused(struct drain *drain, size_t n) {
  if (!n) return;
  if (!drain->refused_again_at)
    log_error("Kafka refuses events for what they are; they stay in the spool and are tried again",
              LOG_INT("events", n));
  drain->refused_again_at = clock_mono_ms() + REFUSED_AGAIN_MS;
}

// True: Kafka took something, or there was nothing that it could have taken.
static bool send_batch(struct drain *drain) {
  struct err err;
  drain->n = drain->waiting = drain->bytes = 0;
  bool read = spool_read(drain->spool, drain->reached, send_row, drain, &err);
  if (!read) log_error("the spool cannot be read", LOG_STR("cause", err.text));
  int64_t sent_at = clock_mono_ms();
  wait_reports(drain);
  size_t delivered = count(drain, DELIVERED), refused = count(drain, REFUSED);
  if (delivered && clock_mono_ms() - sent_at < PROMPT_MS) drain->owner.heard(drain->owner.arg);
  if (delivered) remove_delivered(drain);
  note_refused(drain, refused);
  advance(drain);
  return read && (delivered || refused);
}

static void try_refused_again(struct drain *drain) {
  if (!drain->refused_again_at || clock_mono_ms() < drain->refused_again_at) return;
  drain->refused_again_at = 0;
  drain->reached = 0;
}

static void *run(void *arg) {
  struct drain *drain = arg;
  struct backoff backoff = {.first_ms = 100, .max_ms = 1000};
  while (!atomic_load(&drain->stopping)) {
    try_refused_again(drain);
    rd_kafka_poll(drain->rk, 0);
    if (!spool_wait(drain->spool, drain->reached, WAIT_MS)) continue;
    if (!drain->owner.may_send(drain->owner.arg)) {
      clock_sleep_ms(WAIT_MS);
      continue;
    }
    if (send_batch(drain))
      backoff.tries = 0;
    else if (!atomic_load(&drain->stopping))
      clock_sleep_ms(backoff_next_ms(&backoff));
  }
  return NULL;
}

// ---- start, stop ----

static rd_kafka_t *open_producer(const struct settings *settings, struct drain *drain, struct err *err) {
  struct settings patient = *settings;
  patient.ack_budget_ms = PATIENCE_MS;
  rd_kafka_conf_t *conf = kafka_conf_new(&patient, NULL, 0, err);
  if (!conf) return NULL;
  rd_kafka_conf_set_dr_msg_cb(conf, on_report);
  rd_kafka_conf_set_opaque(conf, drain);
  return kafka_producer_new(&patient, conf, err);
}

static bool open_topics(struct drain *drain, const char *prefix, struct err *err) {
  for (enum kafka_topic i = 0; i < KAFKA_TOPIC_COUNT; i++) {
    AUTO_FREE char *name = kafka_topic_name(prefix, i);
    drain->topics[i] = kafka_topic_open(drain->rk, name, err);
    if (!drain->topics[i]) return false;
  }
  return true;
}

static bool start_thread(struct drain *drain, struct err *err) {
  int failed = pthread_create(&drain->thread, NULL, run, drain);
  return !failed || err_set(err, "cannot start a thread: %s", strerror(failed));
}

static void release(struct drain *drain) {
  for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++)
    if (drain->topics[i]) rd_kafka_topic_destroy(drain->topics[i]);
  if (drain->rk) rd_kafka_destroy(drain->rk);
  free(drain);
}

struct drain *drain_start(const struct settings *settings, struct spool *spool, struct metrics *metrics,
                          const struct drain_owner *owner, struct err *err) {
  struct drain *drain = mem_alloc(sizeof *drain);
  drain->spool = spool;
  drain->metrics = metrics;
  drain->owner = *owner;
  drain->rk = open_producer(settings, drain, err);
  if (drain->rk && open_topics(drain, settings->topic_prefix, err) && start_thread(drain, err)) return drain;
  release(drain);
  return NULL;
}

void drain_stop(struct drain *drain) {
  if (!drain) return;
  atomic_store(&drain->stopping, true);
  pthread_join(drain->thread, NULL);
  release(drain);
}
