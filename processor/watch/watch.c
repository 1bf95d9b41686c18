// SPDX-License-Identifier: MIT
#include "processor/watch/watch.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/ask/ask_conf.h"
#include "processor/postgres/schema_version.h"
#include "processor/watch/deadlines.h"
#include "processor/watch/front_door.h"
#include "processor/watch/frontier.h"
#include "processor/watch/judge_story.h"
#include "processor/watch/usual.h"
#include "processor/watch/watch_look.h"
#include "processor/watch/watch_metrics.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  TICK_MS = 1000,
  SOON_MS = 200,
  JUDGE_MS = 2000,
  STORE_MS = 5000,
  MINUTE_MS = 60 * 1000,
  SETTLE_MS = 2000
};
enum { READ_MS = 10 }; // for the counters, and for the silence of endpoints, in one look
enum { JUMP_MS = 5000, JUMP_WAIT_MS = 120000 };

struct watch {
  struct processor *processor;
  pthread_t thread;
  struct deadlines_provider *providers; // as many as the view has, in the same order
  int64_t clock_ms;                     // wall clock minus monotonic clock, at the last tick
  int64_t wait_until_ms;                // monotonic: the clock has jumped, so nothing is judged before
  // Of the leader, from its start to its end.
  PGconn *conn;
  struct frontier *frontier;
  struct emitter *emitter;
  struct view *view;
  struct silence *silence;
  struct front_door *front_door; // NULL: there is no public URL
  struct judge judge;
  bool looks_soon;        // the last look has left something over
  int64_t judge_at_ms;    // monotonic: the next time
  int64_t store_at_ms;    // likewise, for what it saw
  int64_t written_at_ms;  // when incidents were last written; INT64_MIN: never
  int64_t hour;           // of the last judge_hour_once(); INT64_MIN: never
  int64_t reported_until; // minute up to which ingress's reports were read; INT64_MIN: never
};

// ---- leading ----

// A leader that is frozen loses its session, and with it the lock. Its statements look for a few rows by
// index.
static const char session_settings[] = "SET idle_session_timeout = '10s';"
                                       "SET statement_timeout = '10s';"
                                       "SET lock_timeout = '1s'";

static bool open_session(struct watch *w, struct err *err) {
  w->conn = pg_connect(err);
  return w->conn && pg_command(w->conn, "session settings", session_settings, err) &&
         pg_use_indexes(w->conn, err) && schema_version_hold(w->conn, err);
}

static bool begin_to_lead(struct watch *w, struct err *err) {
  struct processor *p = w->processor;
  if (!deadlines_prepare(w->conn, err) || !view_prepare(w->conn, err) || !judge_story_prepare(w->conn, err) ||
      !usual_prepare(w->conn, err) || !silence_prepare(w->conn, err))
    return false;
  w->view = view_new(p->providers);
  w->silence = silence_new(p->watched);
  w->emitter = emitter_new(p);
  w->frontier = frontier_open(p->settings, p->topics[KAFKA_TOPIC_EVENTS], err);
  if (!w->frontier || !front_door_start(p->settings, &w->front_door, err)) return false;
  w->judge = (struct judge){.view = w->view,
                            .emitter = w->emitter,
                            .frontier = w->frontier,
                            .conn = w->conn,
                            .led_since_ms = clock_wall_ms()};
  w->written_at_ms = w->hour = w->reported_until = w->judge_at_ms = w->store_at_ms = INT64_MIN;
  metrics_set(p->metrics, METRIC_WATCH_LEADS, NULL, 1);
  log_info("watch leads", LOG_STR("instance", p->instance));
  return true;
}

static void close_all(struct watch *w) {
  metrics_set(w->processor->metrics, METRIC_WATCH_LEADS, NULL, 0);
  w->looks_soon = false;
  if (w->view) watch_metrics_clear(w->processor->metrics, w->view, w->silence);
  front_door_stop(take(w->front_door));
  frontier_close(take(w->frontier));
  emitter_free(take(w->emitter));
  view_free(take(w->view));
  silence_free(take(w->silence));
  PQfinish(take(w->conn));
}

// ---- until when everything is known ----

// Events that wait in a spool are not known yet. And ingress's own clock bounds ours: by a clock that is
// ahead, everything would be overdue.
static int64_t bound(const struct watch *w, int64_t until_ms) {
  const struct view *view = w->view;
  enum { REPORT_MS = 2 * MINUTE_MS + SETTLE_MS }; // the minute that is not over, and the one that is reported
  if (view->spooled_since_ms < until_ms) until_ms = view->spooled_since_ms;
  if (view->last_report == INT64_MIN) return until_ms;
  int64_t known_ms = (view->last_report + 1) * MINUTE_MS + REPORT_MS;
  return known_ms < until_ms ? known_ms : until_ms;
}

static int64_t finished_minute(int64_t until_ms) {
  return (until_ms - SETTLE_MS) / MINUTE_MS - 1;
}

// What bounds the time is read by the time without that bound, which would hold itself for ever otherwise.
static bool read_reports(struct watch *w, int64_t read_ms, struct err *err) {
  int64_t now = finished_minute(read_ms);
  if (now == w->reported_until) return true;
  if (!view_read_bounds(w->view, w->conn, now, err)) return false;
  w->reported_until = now;
  return true;
}

// until_ms: the time until which everything is known; INT64_MIN: none.
static bool store_look(struct watch *w, int64_t until_ms, int32_t hidden, struct err *err) {
  struct front_door_result door = {0};
  if (clock_mono_ms() < w->store_at_ms) return true;
  if (w->front_door) (void)front_door_latest(w->front_door, &door);
  const struct watch_look look = {.instance = w->processor->instance,
                                  .leads_since_ms = w->judge.led_since_ms,
                                  .looked_at_ms = clock_wall_ms(),
                                  .known_until_ms = until_ms,
                                  .hidden = hidden,
                                  .door = &door};
  w->store_at_ms = clock_mono_ms() + STORE_MS;
  return watch_look_store(w->conn, &look, err);
}

// Without the bound, which the gauge and the table have.
static bool look_until(struct watch *w, struct frontier_known *known, struct err *err) {
  struct metrics *metrics = w->processor->metrics;
  if (!frontier_look(w->frontier, known, err)) return false;
  int64_t until_ms = known->until_ms == INT64_MIN ? INT64_MIN : bound(w, known->until_ms);
  int64_t since_ms = until_ms == INT64_MIN ? w->judge.led_since_ms : until_ms;
  metrics_set(metrics, METRIC_WATCH_BEHIND, NULL, (clock_wall_ms() - since_ms) / 1000);
  metrics_set(metrics, METRIC_WATCH_HIDDEN, NULL, known->hidden);
  return store_look(w, until_ms, known->hidden, err);
}

// ---- a tick ----

// Whether the incidents that were written last are read. Before, one that is being opened would be opened
// again.
static bool knows_written(const struct watch *w, int64_t read_ms) {
  return read_ms != INT64_MIN && read_ms > w->written_at_ms;
}

static bool judge_hour_once(struct watch *w, int64_t now, struct err *err) {
  if (w->hour == now / 60) return true;
  if (!usual_update(w->conn, w->view, err) || !view_read_named(w->view, w->conn, now, err) ||
      !judge_gone(&w->judge, w->front_door != NULL, err))
    return false;
  w->hour = now / 60;
  return true;
}

// What is judged once a minute.
static bool judge_minute_once(struct watch *w, int64_t now, struct err *err) {
  if (!view_read_endpoints(w->view, w->conn, now, err) || !judge_hour_once(w, now, err)) return false;
  return judge_providers_minute(&w->judge, err) && judge_endpoints_minute(&w->judge, err) &&
         silence_begin(w->silence, w->conn, now, err) &&
         watch_metrics_pending(w->processor->metrics, w->view, w->conn, err);
}

// What no spool, no absent ingress and no hidden partition can hide.
static bool judge_ourselves(struct watch *w, int64_t read_ms, struct err *err) {
  struct front_door_result door;
  bool is_called = w->front_door && front_door_latest(w->front_door, &door);
  w->judge.until_ms = read_ms;
  return (!is_called || judge_front_door(&w->judge, &door, err)) && judge_ingress_now(&w->judge, err);
}

static bool read_counts(struct watch *w, int64_t now, bool *are_whole, struct err *err) {
  int64_t enough_ms = clock_mono_ms() + READ_MS;
  do
    if (!view_read_counts(w->view, w->conn, now, are_whole, err)) return false;
  while (!*are_whole && clock_mono_ms() < enough_ms);
  return true;
}

// What was received before that time, or before the bound.
static bool judge_received(struct watch *w, int64_t read_ms, struct err *err) {
  if (!knows_written(w, read_ms)) return true;
  int64_t until_ms = bound(w, read_ms);
  int64_t now = finished_minute(until_ms), before = w->view->loaded_until;
  w->judge.until_ms = until_ms;
  if (now < before) return true; // the bound has moved back
  bool are_whole;
  if (!read_counts(w, now, &are_whole, err)) return false;
  return !are_whole ||
         ((now == before || judge_minute_once(w, now, err)) && judge_providers_now(&w->judge, err) &&
          silence_go_on(w->silence, w->conn, clock_mono_ms() + READ_MS, judge_is_registered, judge_silence,
                        &w->judge, err));
}

static bool judge(struct watch *w, const struct frontier_known *known, struct err *err) {
  if (!knows_written(w, known->others_ms)) return true;
  w->judge.written = 0;
  if (!read_reports(w, known->others_ms, err) || !view_read_incidents(w->view, w->conn, err) ||
      !judge_ourselves(w, known->others_ms, err) || !judge_received(w, known->until_ms, err))
    return false;
  watch_metrics_incidents(w->processor->metrics, w->view);
  watch_metrics_silence(w->processor->metrics, w->silence);
  if (w->judge.written > 0) {
    if (!emitter_flush(w->emitter, err)) return false;
    w->written_at_ms = clock_wall_ms();
  }
  return silence_store(w->silence, w->conn, err);
}

// What has expired waits for the schedule (ask/schedule.h), but not for ever. A leader that begins gives it
// two rounds: no processor may have run for hours.
static void bound_waits(struct watch *w, int64_t until_ms) {
  for (size_t i = 0; i < w->view->n_providers; i++) {
    struct deadlines_provider *provider = &w->providers[i];
    int64_t wait_ms = provider->wait_ms, rounds_ms = 2 * provider->every_s * 1000;
    bool is_new = until_ms - w->judge.led_since_ms < (wait_ms < rounds_ms ? wait_ms : rounds_ms);
    provider->given_up_ms = is_new ? NO_TIME : until_ms - wait_ms;
  }
}

static void say_unasked(struct watch *w) {
  for (size_t i = 0; i < w->view->n_providers; i++) {
    struct deadlines_provider *provider = &w->providers[i];
    if (provider->unasked == 0) continue;
    metrics_add(w->processor->metrics, METRIC_EXPIRED_UNASKED, provider->name, provider->unasked);
    AUTO_FREE char *key = mem_printf("unasked %s", provider->name);
    log_warn_rarely(key, "notifications are given up for which the provider could not be asked",
                    LOG_STR("provider", provider->name), LOG_INT("notifications", provider->unasked),
                    LOG_INT("waited_s", provider->wait_ms / 1000));
    provider->unasked = 0;
  }
}

// After judge(): a provider may be known to be silent by now.
static bool write_deadlines(struct watch *w, int64_t until_ms, struct err *err) {
  w->judge.until_ms = until_ms;
  for (size_t i = 0; i < w->view->n_providers; i++)
    w->providers[i].hold = judge_may_be_silent(&w->judge, &w->view->providers[i]);
  bound_waits(w, until_ms);
  bool has_more = false;
  bool done =
      deadlines_write(w->conn, w->emitter, w->providers, w->view->n_providers, until_ms, &has_more, err);
  w->looks_soon |= has_more;
  say_unasked(w);
  return done;
}

// Judges; what takes more than one look is left for the next ones, which come soon as long as that gets it
// on.
static bool judge_in_parts(struct watch *w, const struct frontier_known *known, struct err *err) {
  bool begins = w->view->loaded_until == INT64_MIN;
  int64_t part_until = w->view->part_until;
  size_t left = silence_left(w->silence);
  if (!judge(w, known, err)) return false;
  bool is_reading = w->view->part_until != INT64_MIN, is_counting = silence_left(w->silence) > 0;
  if (known->others_ms != INT64_MIN && !is_reading && !is_counting)
    w->judge_at_ms = clock_mono_ms() + JUDGE_MS;
  w->looks_soon = (is_reading && w->view->part_until != part_until) ||
                  (is_counting && silence_left(w->silence) != left) ||
                  (begins && w->view->loaded_until != INT64_MIN);
  return true;
}

// Most ticks end with the first question, and ask Kafka nothing. The notifications are read again behind the
// frontier: those of the first question may have got their receipts meanwhile. No deadline is written in two
// cases. A leader that has not judged yet does not know whether the provider is silent. And while an incident
// is being opened, a batch could read the deadline before the incident, and would not fold it.
static bool look(struct watch *w, struct err *err) {
  bool is_due, judges = clock_mono_ms() >= w->judge_at_ms, begins = w->view->loaded_until == INT64_MIN;
  struct frontier_known known;
  w->looks_soon = false;
  bound_waits(w, clock_wall_ms());
  if (!deadlines_any(w->conn, w->providers, w->view->n_providers, &is_due, err)) return false;
  if (!is_due && !judges) return true;
  if (!look_until(w, &known, err)) return false;
  if (judges && !judge_in_parts(w, &known, err)) return false;
  if (!is_due || begins || known.hidden > 0 || !knows_written(w, known.until_ms)) return true;
  return write_deadlines(w, bound(w, known.until_ms), err);
}

static void forget_written(struct watch *w) {
  for (size_t i = 0; i < providers_count(w->processor->providers); i++)
    w->providers[i].written_at_ms = INT64_MIN;
}

// A clock that has jumped may jump back. Nothing that was noted by the clock before it is of use.
static bool clock_is_steady(struct watch *w) {
  int64_t before_ms = w->clock_ms;
  w->clock_ms = clock_wall_ms() - clock_mono_ms();
  int64_t by_ms = w->clock_ms - before_ms;
  if (before_ms && (by_ms > JUMP_MS || by_ms < -JUMP_MS)) {
    log_warn("the clock has jumped; the watch waits", LOG_INT("by_ms", by_ms),
             LOG_INT("wait_ms", JUMP_WAIT_MS));
    close_all(w);
    forget_written(w);
    w->wait_until_ms = clock_mono_ms() + JUMP_WAIT_MS;
  }
  return clock_mono_ms() >= w->wait_until_ms;
}

// False: the session is gone, or Kafka does not answer. What the leader asks in each tick also keeps its
// session.
static bool tick(struct watch *w, struct err *err) {
  bool leads = w->frontier != NULL;
  if (!leads && !pg_try_lock(w->conn, "watch", &leads, err)) return false;
  if (!leads) return true;
  if (!w->frontier && !begin_to_lead(w, err)) return false;
  int64_t began_us = clock_mono_us();
  bool done = look(w, err);
  emitter_rest(w->emitter);
  metrics_observe(metrics_histogram_at(w->processor->metrics, METRIC_WATCH_SECONDS, NULL),
                  clock_mono_us() - began_us);
  return done;
}

// ---- the thread ----

static void *run(void *arg) {
  struct watch *w = arg;
  struct backoff backoff = {.first_ms = TICK_MS, .max_ms = 10000};
  int64_t pause_ms = 0;
  while (!stop_wait_ms(pause_ms)) {
    struct err err = {0};
    pause_ms = TICK_MS;
    if (!clock_is_steady(w)) continue; // another process may lead, whose clock did not jump
    if ((w->conn || open_session(w, &err)) && tick(w, &err)) {
      if (w->looks_soon) pause_ms = SOON_MS;
      backoff.tries = 0;
      continue;
    }
    pause_ms = backoff_next_ms(&backoff);
    log_warn("watch starts over", LOG_STR("error", err.text), LOG_INT("wait_ms", pause_ms));
    processor_count_retry(w->processor->metrics, "watch", &err);
    close_all(w);
  }
  close_all(w);
  return NULL;
}

static void watch_free(struct watch *w) {
  free(w->providers);
  free(w);
}

static struct deadlines_provider new_provider(const struct processor *processor, size_t i) {
  const char *name = provider_name(providers_at(processor->providers, i));
  const struct ask_account *account = ask_conf_find(processor->ask, name);
  bool is_asked = account && account->form->about == ASK_NOTIFICATION && account->every_s > 0;
  if (is_asked) metrics_add(processor->metrics, METRIC_EXPIRED_UNASKED, name, 0);
  return (struct deadlines_provider){.name = name,
                                     .written_at_ms = INT64_MIN,
                                     .every_s = is_asked ? account->every_s : 0,
                                     .wait_ms = is_asked ? account->wait_s * 1000 : 0,
                                     .given_up_ms = NO_TIME};
}

struct watch *watch_start(struct processor *processor, struct err *err) {
  struct watch *w = mem_alloc(sizeof *w);
  w->processor = processor;
  size_t n = providers_count(processor->providers);
  w->providers = mem_array(n, sizeof *w->providers);
  for (size_t i = 0; i < n; i++) w->providers[i] = new_provider(processor, i);
  int failed = pthread_create(&w->thread, NULL, run, w);
  if (failed == 0) return w;
  err_set(err, "cannot start the watch: %s", strerror(failed));
  watch_free(w);
  return NULL;
}

bool watch_join(struct watch *w, int64_t until_ms) {
  if (w == NULL) return true;
  struct timespec until = clock_timespec_at(until_ms);
  if (pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &until) != 0) return false;
  watch_free(w);
  return true;
}
