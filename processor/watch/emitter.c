// SPDX-License-Identifier: MIT
#include "processor/watch/emitter.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/mem.h"
#include "processor/batch/kafkaerror.h"
#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 10000, PATIENCE_MS = 5000, REST_AFTER_MS = 60000 };

struct emitter {
  const struct settings *settings;
  struct kafka_producer producer; // closed as long as nothing is to be written
  int64_t used_ms;                // monotonic: when the last event was queued
  struct err undelivered;         // the first report of a failure since the last flush; empty text: none
};

// Called by rd_kafka_poll() and rd_kafka_flush().
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  struct emitter *emitter = opaque;
  (void)rk;
  if (rkm->err && !*emitter->undelivered.text)
    kafka_fail(&emitter->undelivered, rd_kafka_topic_name(rkm->rkt), rkm->err, NULL);
}

struct emitter *emitter_new(const struct processor *processor) {
  struct emitter *emitter = mem_alloc(sizeof *emitter);
  emitter->settings = processor->settings;
  return emitter;
}

void emitter_free(struct emitter *emitter) {
  if (emitter == NULL) return;
  kafka_producer_close(&emitter->producer);
  free(emitter);
}

static bool open_producer(struct emitter *emitter, struct err *err) {
  const struct kafka_producer_options options = {
      .patience_ms = PATIENCE_MS, .on_report = on_report, .opaque = emitter};
  emitter->used_ms = clock_mono_ms();
  return emitter->producer.rk || kafka_producer_open(emitter->settings, &options, &emitter->producer, err);
}

void emitter_rest(struct emitter *emitter) {
  if (emitter->producer.rk && clock_mono_ms() - emitter->used_ms >= REST_AFTER_MS)
    kafka_producer_close(&emitter->producer);
}

bool emitter_send(struct emitter *emitter, const struct emitter_event *event, struct err *err) {
  const struct event ev = {
      .id = uuid_of_fields((const char *const[]){event->type, event->key, event->value}, 3),
      .type = event->type,
      .source = event->source ? event->source : "/processor/watch",
      .subject = event->key,
      .time_ms = clock_wall_ms(),
      .provider = event->provider,
      .endpoint = event->endpoint};
  if (!open_producer(emitter, err)) return false;
  const struct event_record record = {emitter->producer.topics[KAFKA_TOPIC_EVENTS],
                                      event->partition ? *event->partition : RD_KAFKA_PARTITION_UA,
                                      event->key,
                                      event->value,
                                      strlen(event->value),
                                      NULL};
  return kafka_produce(emitter->producer.rk, &record, &ev, FLUSH_MS, err);
}

bool emitter_flush(struct emitter *emitter, struct err *err) {
  if (!emitter->producer.rk) return true; // nothing was queued
  CRASH_POINT("watch_before_flush");
  rd_kafka_resp_err_t code = rd_kafka_flush(emitter->producer.rk, FLUSH_MS);
  if (!code && !*emitter->undelivered.text) {
    CRASH_POINT("watch_after_flush");
    return true;
  }
  if (*emitter->undelivered.text)
    *err = emitter->undelivered;
  else
    kafka_fail(err, "events", code, NULL);
  emitter->undelivered = (struct err){0};
  return false;
}
