// SPDX-License-Identifier: MIT
// Each call adds to one counter, so that the numbers of a record agree without a lock. The counters are never
// set back: what the records contain is noted beside them.
#include "ingress/minutes.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "ingress/counters.h"
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, PUBLISH_MS = 1500, BACK_MAX_MS = 60 * MINUTE_MS };

// What refused a call: nothing, the secret of the path, or a check of verify.c.
enum refusal { PASSED, REFUSED_BY_PATH, REFUSED_BY_CHECKS };

struct tally {
  metric_value calls; // since the start
  int64_t recorded;   // of them, in a record
};

// The calls with one refusal.
struct calls {
  struct tally ok, failed; // by the answer: a 2xx, or another
};

struct minutes {
  const struct endpoints *endpoints;
  struct publisher *publisher;
  struct metrics *metrics;
  const char *instance;
  struct uuid epoch; // part of the ids: a process of the same name may have counted a part of the same minute
  size_t n_refusals;
  struct calls *calls;               // [endpoints->n][n_refusals]
  metric_value *failed_in_a_row;     // [endpoints->n]
  int64_t minute_ms;                 // the start of the minute that is being counted
  struct publisher_message *waiting; // the records that are not durable yet, one an endpoint; or NULL
  bool late;                         // there were some at the last minute's end
};

// ---- counting ----

static const char *refusal_name(size_t refusal) {
  return refusal == REFUSED_BY_PATH ? ENDPOINTS_SECRET_PATH : verify_name(refusal - REFUSED_BY_CHECKS);
}

static size_t refusal_of(const struct minutes *minutes, const char *name) {
  size_t refusal = name ? minutes->n_refusals - 1 : PASSED;
  while (refusal > PASSED && strcmp(refusal_name(refusal), name) != 0) refusal--;
  return refusal;
}

void minutes_count(struct minutes *minutes, const struct endpoint *endpoint, const char *refused,
                   int status) {
  size_t i = (size_t)(endpoint - minutes->endpoints->list);
  struct calls *calls = &minutes->calls[i * minutes->n_refusals + refusal_of(minutes, refused)];
  metric_value *in_a_row = &minutes->failed_in_a_row[i];
  bool is_failed = status / 100 != 2;
  metric_add(is_failed ? &calls->failed.calls : &calls->ok.calls, 1);
  if (refused) return;
  // Mostly it is 0, and a load does not take the cache line from the other threads.
  if (is_failed)
    metric_add(in_a_row, 1);
  else if (atomic_load_explicit(in_a_row, memory_order_relaxed))
    atomic_store(in_a_row, 0);
}

// ---- the records of a minute ----

static int64_t record_calls(struct tally *tally) {
  int64_t all = atomic_load(&tally->calls), fresh = all - tally->recorded;
  tally->recorded = all;
  return fresh;
}

struct totals {
  int64_t calls, good, failed;
  json_t *refused;
};

static void add_calls(struct totals *totals, struct calls *calls, size_t refusal) {
  int64_t ok = record_calls(&calls->ok), failed = record_calls(&calls->failed);
  totals->calls += ok + failed;
  totals->failed += failed;
  if (refusal == PASSED)
    totals->good = ok;
  else if (ok + failed)
    json_object_set_new(totals->refused, refusal_name(refusal), json_integer(ok + failed));
}

static char *record_value(struct minutes *minutes, size_t i, bool leaving) {
  char minute[CLOCK_RFC3339_SIZE], since[CLOCK_RFC3339_SIZE];
  int64_t waiting_ms, spooled = publisher_spooled(minutes->publisher, &waiting_ms);
  struct totals totals = {.refused = json_object()};
  for (size_t refusal = PASSED; refusal < minutes->n_refusals; refusal++)
    add_calls(&totals, &minutes->calls[i * minutes->n_refusals + refusal], refusal);
  clock_format_rfc3339(minutes->minute_ms, minute);
  clock_format_rfc3339(waiting_ms, since);
  AUTO_JSON *value =
      json_pack("{s:s,s:s,s:I,s:I,s:o,s:I,s:I,s:I,s:s?,s:b}", "minute", minute, "instance", minutes->instance,
                "calls", (json_int_t)totals.calls, "good", (json_int_t)totals.good, "refused", totals.refused,
                "failed", (json_int_t)totals.failed, "failed_in_a_row",
                (json_int_t)atomic_load(&minutes->failed_in_a_row[i]), "spooled", (json_int_t)spooled,
                "spooled_since", spooled && waiting_ms >= 0 ? since : NULL, "leaving", leaving);
  return json_text(value);
}

static struct uuid record_id(const struct minutes *minutes, const char *endpoint) {
  char epoch[UUID_TEXT_SIZE], minute[CLOCK_RFC3339_SIZE];
  uuid_format(minutes->epoch, epoch);
  clock_format_rfc3339(minutes->minute_ms, minute);
  return uuid_of_fields((const char *const[]){minutes->instance, epoch, endpoint, minute}, 4);
}

static struct publisher_message make_record(struct minutes *minutes, size_t i, int64_t end_ms, bool leaving) {
  const struct endpoint *endpoint = &minutes->endpoints->list[i];
  char *value = record_value(minutes, i, leaving);
  return (struct publisher_message){
      .topic = KAFKA_TOPIC_EVENTS,
      .event = {.id = record_id(minutes, endpoint->name),
                .type = EVENT_MINUTE,
                .source = endpoint->source,
                .subject = endpoint->name,
                .time_ms = end_ms,
                .provider = provider_name(endpoint->provider),
                .endpoint = endpoint->name},
      .key = endpoint->name,
      .value = value,
      .value_len = strlen(value),
  };
}

static void make_records(struct minutes *minutes, int64_t end_ms, bool leaving) {
  size_t n = minutes->endpoints->n;
  minutes->waiting = mem_array(n, sizeof *minutes->waiting);
  for (size_t i = 0; i < n; i++) minutes->waiting[i] = make_record(minutes, i, end_ms, leaving);
}

static void free_records(struct minutes *minutes) {
  for (size_t i = 0; minutes->waiting && i < minutes->endpoints->n; i++)
    free((char *)(uintptr_t)minutes->waiting[i].value);
  free(take(minutes->waiting));
}

// ---- the end of a minute ----

static bool publish(struct minutes *minutes) {
  bool spooled;
  if (!publisher_publish(minutes->publisher, minutes->waiting, minutes->endpoints->n,
                         clock_mono_ms() + PUBLISH_MS, &spooled))
    return false;
  free_records(minutes);
  return true;
}

static bool end_minute(struct minutes *minutes, int64_t end_ms, bool leaving) {
  if (minutes->waiting && !publish(minutes)) return false;
  make_records(minutes, end_ms, leaving);
  return publish(minutes);
}

static void note_end(struct minutes *minutes, bool published) {
  if (!published) metrics_add(minutes->metrics, COUNTER_MINUTES_LATE, NULL, 1);
  if (!published && !minutes->late)
    log_warn("minute records cannot be published; their calls are in later ones",
             LOG_INT("endpoints", minutes->endpoints->n));
  if (published && minutes->late)
    log_info("minute records are published again", LOG_INT("endpoints", minutes->endpoints->n));
  minutes->late = !published;
}

void minutes_tick(struct minutes *minutes, int64_t now_ms) {
  int64_t minute_ms = now_ms - now_ms % MINUTE_MS;
  if (minute_ms < minutes->minute_ms - BACK_MAX_MS) { // the clock was wrong before, perhaps by years
    minutes->epoch = uuid_new_v7();
    minutes->minute_ms = minute_ms;
  }
  if (minute_ms <= minutes->minute_ms) return;
  note_end(minutes, end_minute(minutes, minutes->minute_ms + MINUTE_MS, false));
  minutes->minute_ms = minute_ms;
}

int64_t minutes_left_ms(int64_t now_ms) {
  return MINUTE_MS - now_ms % MINUTE_MS;
}

void minutes_leave(struct minutes *minutes, int64_t now_ms) {
  minutes_tick(minutes, now_ms);
  if (!end_minute(minutes, now_ms, true))
    log_warn("the last minute records could not be published; the calls in them are lost",
             LOG_INT("endpoints", minutes->endpoints->n), LOG_STR("instance", minutes->instance));
}

// ---- start, stop ----

struct minutes *minutes_new(const struct endpoints *endpoints, const char *instance,
                            struct publisher *publisher, struct metrics *metrics, int64_t now_ms) {
  struct minutes *minutes = mem_alloc(sizeof *minutes);
  minutes->endpoints = endpoints;
  minutes->publisher = publisher;
  minutes->metrics = metrics;
  minutes->instance = instance;
  minutes->epoch = uuid_new_v7();
  minutes->minute_ms = now_ms - now_ms % MINUTE_MS;
  minutes->n_refusals = REFUSED_BY_CHECKS;
  while (refusal_name(minutes->n_refusals)) minutes->n_refusals++;
  minutes->calls = mem_array(endpoints->n * minutes->n_refusals, sizeof *minutes->calls);
  minutes->failed_in_a_row = mem_array(endpoints->n, sizeof *minutes->failed_in_a_row);
  return minutes;
}

void minutes_free(struct minutes *minutes) {
  if (!minutes) return;
  free_records(minutes);
  free(minutes->calls);
  free(minutes->failed_in_a_row);
  free(minutes);
}
