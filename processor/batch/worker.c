// SPDX-License-Identifier: MIT
// The batch: collect, interpret, one Postgres transaction; then, if it has something to publish or the
// offsets were not committed for a while, one Kafka transaction.
//   dies before Postgres commits: nothing happened, the batch is read again.
//   dies before Kafka commits: the batches since the last transaction are read again, change nothing in
//   Postgres, and the alerts they wrote there are published with the offsets.
//   dies after Kafka commits: the next batch follows.
// Thread: each worker its own.
#include "processor/batch/worker.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/batch/kafkaerror.h"
#include "processor/batch/measure.h"
#include "processor/batch/offsets.h"
#include "processor/batch/outbox.h"
#include "processor/batch/partitions.h"
#include "processor/batch/refusals.h"
#include "processor/batch/store.h"
#include "processor/postgres/pg.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_POLL_MS = 200, OPEN_TIMEOUT_MS = 15000 };
enum { COUNT_EVERY_MS = 10000, COMMIT_EVERY_MS = 200 };
enum { FETCH_AHEAD_KBYTES = 1024 }; // in librdkafka's memory it is seven times that
enum { BATCH_MAX_BYTES = 8 * 1024 * 1024 };

struct worker {
  struct processor *processor;
  int index;
  pthread_t thread;
  rd_kafka_t *consumer;
  struct outbox *outbox;
  struct store *store;
  struct partitions *partitions;
  struct offsets offsets;
  struct refusals refusals;
  struct measure measure;
  int64_t count_at_ms;  // when the unpublished alerts are counted again
  int64_t commit_at_ms; // when the offsets are committed although there is nothing to publish
  rd_kafka_consumer_group_metadata_t *group; // what the consumer was when the batch began
  struct fact *facts;                        // the batch, batch_max_records long
  size_t n_facts, batch_bytes;
  bool revoked; // a rebalance took the partitions away while the batch was collected
  bool is_idle; // no record and no end of a partition came for IDLE_POLL_MS
  bool ready;
  struct err fault;       // the consumer's, from on_error(); its text is empty when there is none
  struct backoff backoff; // grows until a batch is stored
};

// ---- opening and closing ----

static void set_ready(struct worker *w, bool ready) {
  if (w->ready == ready) return;
  if (ready) publish_fault_clear(&w->processor->waits[w->index]);
  w->ready = ready;
  atomic_fetch_add(&w->processor->workers_ready, ready ? 1 : -1);
  metrics_add(w->processor->metrics, METRIC_WORKERS_READY, NULL, ready ? 1 : -1);
}

static void note_rebalance(struct worker *w, bool lasts) {
  atomic_store(&w->processor->rebalance_since_ms[w->index], lasts ? clock_mono_ms() : 0);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque) {
  struct worker *w = opaque;
  bool assign = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  if (assign) {
    offsets_accept(&w->offsets, rk, partitions);
  } else {
    note_rebalance(w, true);
    offsets_forget(&w->offsets);
    rd_kafka_assign(rk, NULL);
    w->revoked = true;
    partitions_revoke(w->partitions);
  }
  log_info(assign ? "partitions assigned" : "partitions revoked", LOG_INT("worker", w->index),
           LOG_INT("partitions", partitions->cnt));
}

// A transient error, from which the consumer recovers by itself, is no more than a line in the log.
static bool is_transient(const struct worker *w, rd_kafka_t *rk, rd_kafka_resp_err_t code, const char *reason,
                         struct err *err) {
  char cause[256];
  rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(rk, cause, sizeof cause);
  if (fatal) return kafka_fail(err, "consumer", fatal, cause);
  if (!kafka_class_of(code)->is_transient) return kafka_fail(err, "consumer", code, reason);
  log_warn_rarely(rd_kafka_err2name(code), "kafka consumer", LOG_INT("worker", w->index),
                  LOG_STR("error", reason));
  return true;
}

// Errors of brokers, of topics or of the client itself: not of one record.
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
  struct worker *w = opaque;
  struct err err;
  if (!is_transient(w, rk, (rd_kafka_resp_err_t)code, reason, &err) && *w->fault.text == '\0') w->fault = err;
}

// Contains the topics' prefix: a broker gives a returning static member its old partitions, whatever topics
// it subscribes to now.
static char *instance_name(const struct worker *w) {
  const struct settings *settings = w->processor->settings;
  return mem_printf("%s%s-%s-%d", settings->topic_prefix, settings->group_id, w->processor->instance,
                    w->index);
}

static rd_kafka_conf_t *consumer_conf(const struct settings *settings, const char *name, struct err *err) {
  AUTO_FREE char *ahead = mem_printf("%d", FETCH_AHEAD_KBYTES);
  struct kafka_setting ours[] = {
      {"group.id", settings->group_id},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"}, // the worker decides where to begin, and says what is gone (offsets.h)
      // Nobody writes events in a transaction. But a new owner's offsets then wait for the transaction in
      // which an expelled one commits them, without which both would publish the batch's alerts
      // (docs/model/README.md).
      {"isolation.level", "read_committed"},
      {"enable.partition.eof", "true"}, // how far it is read, where only a transaction's end follows
      {"partition.assignment.strategy", "range"}, // cooperative is broken before librdkafka 2.10
      {"heartbeat.interval.ms", "500"},           // how soon a member hears of a rebalance
      {"session.timeout.ms", "10000"},            // how long the partitions of a killed process rest
      {"allow.auto.create.topics", "false"},
      {"queued.max.messages.kbytes", ahead},
      {"group.instance.id", name}, // last: only a named instance is a static member
  };
  size_t n = COUNT_OF(ours) - (*settings->instance == '\0');
  return kafka_conf_new(settings, ours, n, err);
}

bool worker_check(const struct settings *settings, struct err *err) {
  return kafka_client_check(RD_KAFKA_CONSUMER, consumer_conf(settings, "check", err), err) &&
         outbox_check(settings, err);
}

static bool open_consumer(struct worker *w, const char *name, struct err *err) {
  rd_kafka_conf_t *conf = consumer_conf(w->processor->settings, name, err);
  if (conf == NULL) return false;
  rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_conf_set_opaque(conf, w);
  w->consumer = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
  if (w->consumer) rd_kafka_poll_set_consumer(w->consumer);
  return w->consumer != NULL;
}

static bool subscribe(struct worker *w, struct err *err) {
  char *const *topics = w->processor->topics;
  if (!kafka_warm_topics(w->consumer, (const char *const *)topics, KAFKA_TOPIC_COUNT, OPEN_TIMEOUT_MS, err))
    return false;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2);
  rd_kafka_topic_partition_list_add(list, topics[KAFKA_TOPIC_EVENTS], RD_KAFKA_PARTITION_UA);
  rd_kafka_topic_partition_list_add(list, topics[KAFKA_TOPIC_QUARANTINE], RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t code = rd_kafka_subscribe(w->consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR || kafka_fail(err, "subscribe", code, NULL);
}

// One worker for all, from time to time.
static bool measure_unpublished(struct worker *w, struct err *err) {
  int64_t n;
  if (w->index != 0 || clock_mono_ms() < w->count_at_ms) return true;
  w->count_at_ms = clock_mono_ms() + COUNT_EVERY_MS;
  if (!store_count_unpublished(w->store, &n, err)) return false;
  metrics_set(w->processor->metrics, METRIC_ALERTS_UNPUBLISHED, NULL, n);
  return true;
}

static bool open_all(struct worker *w, struct err *err) {
  measure_enter(&w->measure, PHASE_POSTGRES);
  w->store = store_open(w->processor, err);
  if (w->store == NULL || !pg_use_indexes(store_connection(w->store), err) || !measure_unpublished(w, err))
    return false;
  measure_enter(&w->measure, PHASE_KAFKA);
  AUTO_FREE char *name = instance_name(w);
  w->outbox = outbox_open(w->processor, name, err);
  if (!w->outbox || !open_consumer(w, name, err) || !subscribe(w, err)) return false;
  measure_reset(&w->measure); // the first batch did not take so long
  return true;
}

static void close_all(struct worker *w) {
  set_ready(w, false);
  kafka_client_free(take(w->consumer));
  note_rebalance(w, false);
  w->fault = (struct err){0};
  offsets_forget(&w->offsets);
  partitions_revoke(w->partitions); // kafka_client_free() calls no callback
  outbox_close(take(w->outbox));
  store_close(take(w->store));
}

// ---- the batch ----

static void note_busy(struct worker *w, bool busy) {
  atomic_store(&w->processor->batch_since_ms[w->index], busy ? clock_mono_ms() : 0);
}

static void clear(struct worker *w) {
  facts_release(w->facts, w->n_facts);
  if (w->group) rd_kafka_consumer_group_metadata_destroy(take(w->group));
  note_busy(w, false);
  w->n_facts = 0;
  w->batch_bytes = 0;
  measure_reset(&w->measure);
}

// Captures the group metadata (member id, generation) when the batch starts. Taken at commit time, it could
// belong to a later generation that never owned these records. False: the consumer is no member any more; the
// records that it had fetched still come before the revocation. Kafka accepts offsets without a member id
// from any process (ClassicGroup.validateOffsetCommit: "older versions of this protocol do not require
// memberId").
static bool is_member(struct worker *w) {
  if (w->group) return true;
  w->group = rd_kafka_consumer_group_metadata(w->consumer);
  char *id = rd_kafka_memberid(w->consumer); // asked second: one that is gone does not come back meanwhile
  bool is = w->group && id && *id;
  if (id) rd_kafka_mem_free(w->consumer, id);
  if (!is && w->group) rd_kafka_consumer_group_metadata_destroy(take(w->group));
  return is;
}

// Without the time itself, which is of the provider's element.
static void warn_of_unread_time(const struct fact *fact) {
  if (!fact->unread_time) return;
  AUTO_FREE char *key = mem_printf("unread time %s %s", fact->provider, fact->kind_name);
  log_warn_rarely(key, "a provider's time cannot be read; the time of receipt is taken",
                  LOG_STR("provider", fact->provider), LOG_STR("kind", fact->kind_name),
                  LOG_STR("place", fact->unread_time->text));
}

// False: the message is not a record of this batch.
static bool take_in(struct worker *w, const rd_kafka_message_t *rkm) {
  if (rkm->err || !is_member(w)) return false;
  measure_enter(&w->measure, PHASE_INTERPRET);
  interpret(&w->processor->interpreter, rkm, &w->facts[w->n_facts]);
  warn_of_unread_time(&w->facts[w->n_facts++]);
  measure_enter(&w->measure, PHASE_FETCH);
  w->batch_bytes += rkm->len;
  return true;
}

static bool pass_by(struct worker *w, const rd_kafka_message_t *rkm, struct err *err) {
  if (!rkm->err) { // the next owner reads it again
    partitions_revoke(w->partitions);
    return true;
  }
  if (rkm->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
    return is_transient(w, w->consumer, rkm->err, rd_kafka_message_errstr(rkm), err) ||
           err_prefix(err, "%s: ", rkm->rkt ? rd_kafka_topic_name(rkm->rkt) : "group");
  partitions_reached(w->partitions, rd_kafka_topic_name(rkm->rkt), rkm->partition, rkm->offset);
  return true; // of one partition: another may have more
}

// ---- collecting ----

static bool open_partitions(struct worker *w, struct err *err) {
  bool opened;
  if (!w->offsets.unopened || !is_member(w)) return true; // no member: the revocation comes
  if (!offsets_open(&w->offsets, w->consumer, w->group, w->store, w->outbox, &opened, err)) return false;
  if (!opened) return true;
  partitions_assign(w->partitions, w->offsets.unopened);
  offsets_forget(&w->offsets);
  note_rebalance(w, false);
  set_ready(w, true); // also with no partition: then others have them
  return true;
}

static bool collect_one(struct worker *w, int timeout_ms, bool *got, struct err *err) {
  rd_kafka_message_t *rkm = rd_kafka_consumer_poll(w->consumer, timeout_ms);
  if (w->revoked) clear(w); // whoever has the partitions now reads these again
  w->revoked = false;
  *got = rkm != NULL;
  bool ok = *w->fault.text == '\0';
  if (!ok) *err = w->fault;
  if (rkm == NULL || (ok && take_in(w, rkm))) return ok;
  ok = ok && pass_by(w, rkm, err);
  rd_kafka_message_destroy(rkm);
  return ok;
}

// Waits for a first record, then takes the records that are fetched already: a batch is as large as the
// backlog and never waits for more.
static bool collect(struct worker *w, struct err *err) {
  bool got = false;
  if (!open_partitions(w, err)) return false;
  if (!collect_one(w, IDLE_POLL_MS, &got, err)) return false;
  w->is_idle = !got;
  const struct settings *settings = w->processor->settings;
  int64_t deadline = clock_mono_ms() + settings->batch_max_ms;
  while (got && w->n_facts < (size_t)settings->batch_max_records && w->batch_bytes < BATCH_MAX_BYTES &&
         clock_mono_ms() < deadline)
    if (!collect_one(w, 0, &got, err)) return false;
  return true;
}

// ---- publishing ----

// One transaction: the alerts, the unclear records, and the offsets of all that is stored.
static bool commit(struct worker *w, struct fact *const *facts, const struct alert *alerts, size_t n_alerts,
                   struct err *err) {
  rd_kafka_topic_partition_list_t *offsets = partitions_uncommitted(w->partitions);
  bool committed = outbox_send(w->outbox, w->group, offsets, facts, w->n_facts, alerts, n_alerts, err);
  if (committed) {
    partitions_committed(w->partitions, offsets, n_alerts > 0);
    if (w->n_facts > 0) publish_fault_clear(&w->processor->faults[w->index]); // ends alone prove nothing
    w->commit_at_ms = clock_mono_ms() + COMMIT_EVERY_MS;
  } else if (outbox_undelivered(w->outbox))
    publish_fault_set(&w->processor->faults[w->index], err->text);
  rd_kafka_topic_partition_list_destroy(offsets);
  return committed;
}

static bool any_unclear(const struct worker *w) {
  for (size_t i = 0; i < w->n_facts; i++)
    if (w->facts[i].type == FACT_UNCLEAR) return true;
  return false;
}

// A transaction costs several times as much as storing a small batch. So a batch without anything to publish
// leaves its offsets to a later transaction; after a crash it is read again, and changes nothing.
static bool publish(struct worker *w, struct fact **facts, struct err *err) {
  AUTO_FREE struct store_range *ranges = mem_array(w->n_facts, sizeof *ranges);
  struct alert *alerts = NULL;
  size_t n_alerts = 0;
  outbox_sort(facts, w->n_facts);
  size_t n_ranges = outbox_ranges(facts, w->n_facts, ranges);
  if (!store_alerts(w->store, ranges, n_ranges, &alerts, &n_alerts, err)) return false;
  n_alerts = outbox_keep_own(alerts, n_alerts, facts, w->n_facts);
  measure_enter(&w->measure, PHASE_KAFKA);
  bool is_ours =
      partitions_read(w->partitions, ranges, n_ranges) ||
      err_set_class(err, "fenced", "a partition was revoked; its next owner reads the batch again");
  bool due = n_alerts > 0 || any_unclear(w) || clock_mono_ms() >= w->commit_at_ms;
  bool published = is_ours && (!due || commit(w, facts, alerts, n_alerts, err));
  if (!due) CRASH_POINT("offsets_put_off");
  alerts_free(alerts, n_alerts);
  return published;
}

static void measure_lag(struct worker *w) {
  for (size_t i = 0; i < w->n_facts && partitions_is_unknown(w->partitions); i++) {
    const rd_kafka_message_t *rkm = w->facts[i].rkm;
    partitions_reached(w->partitions, rd_kafka_topic_name(rkm->rkt), rkm->partition, rkm->offset);
  }
  partitions_measure(w->partitions, w->consumer);
}

// With no batch in hand. The end of a transaction has an offset, too, and is no record: where only such ends
// follow, the group's offset goes on behind them. Once they are deleted they would look like records that
// were lost. The group metadata is that of now, and the offsets are of earlier batches. That is safe: the
// consumer joins a later generation only after the revocation callback, and that one empties the list.
// Without a membership the offsets are the next owner's.
static bool commit_reached(struct worker *w, struct err *err) {
  if (!partitions_any_uncommitted(w->partitions) || !is_member(w)) return true;
  note_busy(w, true);
  measure_enter(&w->measure, PHASE_KAFKA);
  return commit(w, NULL, NULL, 0, err);
}

// There is no next batch yet that would mark the alerts of the last one.
static bool mark_published(struct worker *w, struct err *err) {
  size_t n;
  AUTO_FREE struct store_range *published = partitions_unmarked(w->partitions, &n);
  note_busy(w, n > 0);
  measure_enter(&w->measure, PHASE_POSTGRES);
  if (!store_mark(w->store, published, n, err)) return false;
  partitions_marked(w->partitions);
  return true;
}

static bool finish_idle(struct worker *w, struct err *err) {
  return commit_reached(w, err) && mark_published(w, err) && measure_unpublished(w, err);
}

// After the end of a partition more records may follow at once. Committing waits for the next idle poll, or
// for COMMIT_EVERY_MS.
static bool pass_without_batch(struct worker *w, struct err *err) {
  bool is_due = w->is_idle || clock_mono_ms() >= w->commit_at_ms;
  if (is_due && !finish_idle(w, err)) return false;
  clear(w);
  return true;
}

static bool do_batch(struct worker *w, struct err *err) {
  if (!collect(w, err)) return false;
  measure_lag(w);
  if (w->n_facts == 0) return pass_without_batch(w, err);
  note_busy(w, true);
  if (w->batch_bytes >= FETCH_AHEAD_KBYTES * 1024 / 4) partitions_wake_fetch(w->partitions, w->consumer);
  AUTO_FREE struct fact **facts = mem_array(w->n_facts, sizeof *facts);
  for (size_t i = 0; i < w->n_facts; i++) facts[i] = &w->facts[i];
  measure_enter(&w->measure, PHASE_POSTGRES);
  if (!refusals_store(&w->refusals, w->store, w->partitions, facts, w->n_facts, err) ||
      !measure_unpublished(w, err) || !refusals_check(&w->refusals, err) || !publish(w, facts, err))
    return false;
  w->backoff.tries = 0;
  refusals_committed(&w->refusals, w->processor->metrics);
  measure_committed(&w->measure, w->processor->metrics, w->facts, w->n_facts);
  clear(w);
  return true;
}

// ---- the thread ----

static void *run(void *arg) {
  struct worker *w = arg;
  while (!stop_requested()) {
    struct err err = {0};
    bool ok = open_all(w, &err);
    while (ok && !stop_requested()) ok = do_batch(w, &err);
    if (ok && !finish_idle(w, &err))
      log_warn("the last batches are not finished; the next start reads them again and marks their alerts",
               LOG_INT("worker", w->index), LOG_STR("error", err.text));
    const char *part = measure_part(&w->measure);
    clear(w);
    close_all(w);
    if (ok || stop_requested()) break;
    int64_t wait_ms = backoff_next_ms(&w->backoff);
    log_warn("worker starts over", LOG_INT("worker", w->index), LOG_STR("part", part),
             LOG_STR("error", err.text), LOG_INT("wait_ms", wait_ms));
    processor_count_retry(w->processor->metrics, part, &err);
    publish_fault_set(&w->processor->waits[w->index], err.text);
    stop_wait_ms(wait_ms);
  }
  return NULL;
}

static void worker_free(struct worker *w) {
  partitions_free(w->partitions);
  free(w->facts);
  free(w);
}

struct worker *worker_start(struct processor *processor, int index, struct err *err) {
  struct worker *w = mem_alloc(sizeof *w);
  w->backoff = (struct backoff){.first_ms = 100, .max_ms = 5000};
  w->processor = processor;
  w->index = index;
  w->partitions = partitions_new(processor->metrics);
  w->offsets = (struct offsets){.worker = index, .metrics = processor->metrics, .measure = &w->measure};
  w->refusals = (struct refusals){.fault = &processor->faults[index]};
  w->facts = mem_array((size_t)processor->settings->batch_max_records, sizeof *w->facts);
  int failed = pthread_create(&w->thread, NULL, run, w);
  if (failed == 0) return w;
  err_set(err, "cannot start a worker thread: %s", strerror(failed));
  worker_free(w);
  return NULL;
}

bool worker_join(struct worker *w, int64_t until_ms) {
  if (w == NULL) return true;
  struct timespec until = clock_timespec_at(until_ms);
  if (pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &until) != 0) return false;
  worker_free(w);
  return true;
}
