// SPDX-License-Identifier: MIT
#include "processor/batch/outbox.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka_hint.h"
#include "processor/batch/kafkaerror.h"
#include "processor/batch/measure.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
  OPEN_TIMEOUT_MS = 15000,
  OPEN_TURN_MS = 500,
  REFUSED_TIMEOUT_MS = 3000,
  ABORT_TIMEOUT_MS = 10000,
  OFFSETS_TIMEOUT_MS = 10000
};
enum { COMMIT_AGAIN_MS = 20 };
enum { QUEUE_FULL_MS = 10000 };
enum { QUARANTINE_MAX_BYTES = 900000 }; // Kafka's default limit for a record is 1 MB, headers included

struct outbox {
  struct processor *processor;
  struct kafka_producer producer; // transactional
  struct err undelivered;         // the transaction's first record that was not delivered; empty text: none
  struct err refusal;             // the last connection that was refused; empty text: none
};

// ---- places ----

static int by_place(const void *left, const void *right) {
  const rd_kafka_message_t *a = (*(struct fact *const *)left)->rkm, *b = (*(struct fact *const *)right)->rkm;
  return kafka_compare_place(rd_kafka_topic_name(a->rkt), a->partition, a->offset, b);
}

void outbox_sort(struct fact **facts, size_t n) {
  qsort(facts, n, sizeof(struct fact *), by_place);
}

size_t outbox_ranges(struct fact *const *facts, size_t n, struct store_range *ranges) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    const rd_kafka_message_t *rkm = facts[i]->rkm;
    const char *topic = rd_kafka_topic_name(rkm->rkt);
    struct store_range *last = count ? &ranges[count - 1] : NULL;
    if (last && last->partition == rkm->partition && strcmp(last->topic, topic) == 0)
      last->last = rkm->offset;
    else
      ranges[count++] = (struct store_range){topic, rkm->partition, rkm->offset, rkm->offset};
  }
  return count;
}

static int alert_to_fact(const void *key, const void *element) {
  const struct alert *alert = key;
  return kafka_compare_place(alert->source_topic, alert->source_partition, alert->source_offset,
                             (*(struct fact *const *)element)->rkm);
}

// The fact that caused it, or NULL. A topic made anew has the offsets of the old one again, but other events.
static const struct fact *source_of(const struct alert *alert, struct fact *const *facts, size_t n) {
  struct fact *const *found = n ? bsearch(alert, facts, n, sizeof *facts, alert_to_fact) : NULL;
  if (found == NULL) return NULL;
  AUTO_FREE char *event = alert_source_event(*found);
  return strcmp(event, alert->source_event) == 0 ? *found : NULL;
}

size_t outbox_keep_own(struct alert *alerts, size_t n_alerts, struct fact *const *facts, size_t n) {
  size_t kept = 0;
  for (size_t i = 0; i < n_alerts; i++)
    if (source_of(&alerts[i], facts, n))
      alerts[kept++] = alerts[i];
    else
      alert_fini(&alerts[i]);
  return kept;
}

// ---- producing ----

// A full local queue is a wait, never a loss.
static bool produce(struct outbox *outbox, enum kafka_topic topic, const char *key, const struct event *ev,
                    const void *value, size_t len, struct err *err) {
  const struct event_record record = {
      outbox->producer.topics[topic], RD_KAFKA_PARTITION_UA, key, value, len, NULL};
  return kafka_produce(outbox->producer.rk, &record, ev, QUEUE_FULL_MS, err);
}

static bool send_alert(struct outbox *outbox, const struct alert *alert, struct err *err) {
  struct event ev = {.id = alert->id,
                     .type = alert->type,
                     .source = "/processor",
                     .subject = alert->subject,
                     .time_ms = alert->raised_at,
                     .provider = alert->provider,
                     .traceparent = alert->traceparent};
  return produce(outbox, KAFKA_TOPIC_ALERTS, alert->subject, &ev, alert->json, strlen(alert->json), err);
}

// An event that comes again is the same in quarantine, so that its alert is not raised a second time. What is
// no event of ours has no name but its place, and a topic made anew has the places again.
static struct uuid quarantine_id(const struct fact *fact) {
  if (fact->ev.type == NULL) return uuid_new_v7();
  AUTO_FREE char *event = alert_source_event(fact);
  return uuid_of_fields((const char *const[]){event, EVENT_QUARANTINED}, 2);
}

// The headers of an event whose type this program does not know: a program that knows it will take it in.
static const rd_kafka_headers_t *headers_to_keep(const struct fact *fact) {
  rd_kafka_headers_t *headers = NULL;
  if (!fact->ev.type || event_type_find(fact->ev.type)) return NULL;
  return rd_kafka_message_headers(fact->rkm, &headers) ? NULL : headers;
}

static size_t size_of(const rd_kafka_message_t *rkm, const rd_kafka_headers_t *original) {
  const char *name;
  const void *value;
  size_t len, bytes = rkm->len + (original ? rkm->key_len : 0);
  for (size_t i = 0; original && !rd_kafka_header_get_all(original, i, &name, &value, &len); i++)
    bytes += strlen(name) + len;
  return bytes;
}

// The record whole, as it came. One that would not fit with our headers stays where it is, and the reason
// says where.
static bool send_quarantined(struct outbox *outbox, const struct fact *fact, struct err *err) {
  const rd_kafka_message_t *rkm = fact->rkm;
  const rd_kafka_headers_t *original = headers_to_keep(fact);
  bool fits = size_of(rkm, original) <= QUARANTINE_MAX_BYTES;
  if (!fits) original = NULL;
  AUTO_FREE char *key = original && rkm->key ? mem_strndup(rkm->key, rkm->key_len) : NULL;
  AUTO_FREE char *left =
      mem_printf("%zu bytes left at %s/%d/%lld: %s", rkm->len, rd_kafka_topic_name(rkm->rkt), rkm->partition,
                 (long long)rkm->offset, fact->why);
  struct event ev = {.id = quarantine_id(fact),
                     .type = EVENT_QUARANTINED,
                     .source = "/processor",
                     .subject = fact->ev.subject,
                     .time_ms = fact->ev.type ? fact->ev.time_ms : clock_wall_ms(),
                     .provider = fact->ev.provider,
                     .endpoint = fact->ev.endpoint,
                     .traceparent = fact->ev.traceparent,
                     .reason = fits ? fact->why : left,
                     .was_type = fact->ev.type,
                     .original = original};
  return produce(outbox, KAFKA_TOPIC_QUARANTINE, original ? key : ev.subject, &ev, fits ? rkm->payload : NULL,
                 fits ? rkm->len : 0, err);
}

static bool produce_all(struct outbox *outbox, struct fact *const *facts, size_t n,
                        const struct alert *alerts, size_t n_alerts, struct err *err) {
  for (size_t i = 0; i < n_alerts; i++) {
    if (!send_alert(outbox, &alerts[i], err)) return false;
    CRASH_POINT("mid_produce");
  }
  for (size_t i = 0; i < n; i++)
    if (facts[i]->type == FACT_UNCLEAR && !send_quarantined(outbox, facts[i], err)) return false;
  return true;
}

// ---- the transaction ----

static bool kafka_ok(rd_kafka_error_t *error, const char *what, struct err *err) {
  if (error == NULL) return true;
  kafka_fail(err, what, rd_kafka_error_code(error), rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  return false;
}

// Where the transaction failed meanwhile, "erroneous state" is all that librdkafka reports. A second begin is
// refused with the cause.
static rd_kafka_error_t *cause_of(rd_kafka_t *producer, rd_kafka_error_t *error) {
  if (!error || rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR__STATE) return error;
  rd_kafka_error_t *cause = rd_kafka_begin_transaction(producer);
  if (!cause) return error;
  rd_kafka_error_destroy(error);
  return cause;
}

static bool send_offsets(rd_kafka_t *producer, const rd_kafka_consumer_group_metadata_t *group,
                         const rd_kafka_topic_partition_list_t *offsets, struct err *err) {
  rd_kafka_error_t *error =
      rd_kafka_send_offsets_to_transaction(producer, offsets, group, OFFSETS_TIMEOUT_MS);
  return kafka_ok(cause_of(producer, error), "send offsets to the transaction", err);
}

// Retriable means that the outcome is still open: asking again is the way to learn it.
static bool commit(struct outbox *outbox, struct err *err) {
  CRASH_POINT("before_kafka_commit");
  for (;;) {
    rd_kafka_error_t *error = rd_kafka_commit_transaction(outbox->producer.rk, -1);
    if (error == NULL) break;
    bool open = rd_kafka_error_is_retriable(error);
    kafka_ok(error, "commit the transaction", err);
    if (outbox_undelivered(outbox))
      err_set_class(err, outbox->undelivered.class, "commit the transaction: %s", outbox->undelivered.text);
    if (!open || stop_wait_ms(COMMIT_AGAIN_MS)) return false;
    processor_count_retry(outbox->processor->metrics, "kafka", err);
  }
  CRASH_POINT("after_kafka_commit");
  return true;
}

static void count(struct outbox *outbox, const char *result) {
  metrics_add(outbox->processor->metrics, METRIC_TRANSACTIONS, result, 1);
}

// What cannot be aborted is left to the next producer of the same name, which does it.
static void abort_transaction(struct outbox *outbox) {
  rd_kafka_error_t *error = rd_kafka_abort_transaction(outbox->producer.rk, ABORT_TIMEOUT_MS);
  count(outbox, error ? "left" : "aborted");
  if (error) rd_kafka_error_destroy(error);
}

static void count_published(struct outbox *outbox, struct fact *const *facts, size_t n,
                            const struct alert *alerts, size_t n_alerts) {
  count(outbox, "committed");
  for (size_t i = 0; i < n_alerts; i++) {
    const struct fact *source = source_of(&alerts[i], facts, n);
    metrics_add(outbox->processor->metrics, METRIC_ALERTS, alerts[i].type, 1);
    if (source) measure_published(outbox->processor->metrics, source);
  }
}

bool outbox_send(struct outbox *outbox, const rd_kafka_consumer_group_metadata_t *group,
                 const rd_kafka_topic_partition_list_t *offsets, struct fact *const *facts, size_t n,
                 const struct alert *alerts, size_t n_alerts, struct err *err) {
  rd_kafka_t *producer = outbox->producer.rk;
  assert(group || n == 0); // records without offsets would be published again
  outbox->undelivered = (struct err){0};
  if (!kafka_ok(rd_kafka_begin_transaction(producer), "begin a transaction", err)) return false;
  if (produce_all(outbox, facts, n, alerts, n_alerts, err) &&
      (group == NULL || send_offsets(producer, group, offsets, err)) && commit(outbox, err)) {
    count_published(outbox, facts, n, alerts, n_alerts);
    return true;
  }
  abort_transaction(outbox);
  return false;
}

const char *outbox_undelivered(const struct outbox *outbox) {
  return *outbox->undelivered.text ? outbox->undelivered.text : NULL;
}

// Called from within the commit, which by itself says only how many records were not delivered. An abort
// throws away what is still queued.
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  struct outbox *outbox = opaque;
  (void)rk;
  bool is_thrown_away =
      rkm->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || rkm->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
  if (!rkm->err || is_thrown_away || outbox_undelivered(outbox)) return;
  err_set_class(&outbox->undelivered, kafka_class_of(rkm->err)->name, "%s [%d]: %s (%s)",
                rd_kafka_topic_name(rkm->rkt), rkm->partition, rd_kafka_err2name(rkm->err),
                rd_kafka_err2str(rkm->err));
  (void)err_hint(&outbox->undelivered, kafka_hint(rkm->err, NULL));
}

// ---- opening and closing ----

bool outbox_check(const struct settings *settings, struct err *err) {
  return kafka_producer_check(settings, &(struct kafka_producer_options){.transactional_id = "check"}, err);
}

// Called by rd_kafka_poll().
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
  struct outbox *outbox = opaque;
  (void)rk;
  (void)kafka_refusal((rd_kafka_resp_err_t)code, reason, &outbox->refusal);
}

// librdkafka reports a refused connection as a timeout. A new client reads the operator's file and the
// certificates again, so a refusal is not waited out.
static bool init_failed(struct outbox *outbox, rd_kafka_error_t *error, const char *name, struct err *err) {
  if (!rd_kafka_error_is_retriable(error) || !*outbox->refusal.text) return kafka_ok(error, name, err);
  rd_kafka_error_destroy(error);
  return err_set_class(err, "access", "%s: %s", name, outbox->refusal.text);
}

// Asking again goes on with what was begun; in short turns, so that a stop does not wait for a Kafka that is
// away.
static bool init_transactions(struct outbox *outbox, const char *name, struct err *err) {
  int64_t began_ms = clock_mono_ms();
  for (;;) {
    rd_kafka_error_t *error = rd_kafka_init_transactions(outbox->producer.rk, OPEN_TURN_MS);
    if (error == NULL) return true;
    rd_kafka_poll(outbox->producer.rk, 0);
    int64_t timeout_ms = *outbox->refusal.text ? REFUSED_TIMEOUT_MS : OPEN_TIMEOUT_MS;
    if (!rd_kafka_error_is_retriable(error) || stop_requested() || clock_mono_ms() - began_ms > timeout_ms)
      return init_failed(outbox, error, name, err);
    rd_kafka_error_destroy(error);
  }
}

struct outbox *outbox_open(struct processor *p, const char *name, struct err *err) {
  struct outbox *outbox = mem_alloc(sizeof *outbox);
  outbox->processor = p;
  const struct kafka_producer_options options = {
      .transactional_id = name, .on_report = on_report, .on_error = on_error, .opaque = outbox};
  if (kafka_producer_open(p->settings, &options, &outbox->producer, err) &&
      init_transactions(outbox, name, err))
    return outbox;
  err_prefix(err, "cannot begin as transactional producer: ");
  outbox_close(outbox);
  return NULL;
}

void outbox_close(struct outbox *outbox) {
  if (outbox == NULL) return;
  kafka_producer_close(&outbox->producer);
  free(outbox);
}
