// SPDX-License-Identifier: MIT
#include "processor/tables/retention.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/postgres/pg.h"
#include "processor/postgres/schema_version.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A group whose offsets are lost reads once more what its topics keep, and the rows of that must still be
// there. This is the least; DOCHAK_TOPIC_RETENTION_DAYS may need more, of which retention_warn() warns.
enum { DAYS_MIN = 14 };
enum { BATCH_PAUSE_MS = 100, SWEEP_PAUSE_MS = 600000, ANSWER_POLL_MS = 100 };

// Waits for nobody long enough to be found in a deadlock (1 s): where two are in each other's way, this one
// goes. Deletions that a crash of the server takes back are done again.
static const char session_settings[] = "SET lock_timeout = '100ms';"
                                       "SET statement_timeout = '30s';"
                                       "SET synchronous_commit = off";

// Of what only the watch reads: 29 days (usual_read.sql), and 13 weeks and a day (watch/silence.c). A minute
// goes later than its record, by the default of the topic: read again, it would come back.
enum { WATCH_DAYS = 35, RHYTHM_DAYS = 98 };

// One statement each, which deletes a batch of the oldest behind a point in time: counts by table, the last
// point, whether there may be more.
static const struct rule {
  const char *statement;
  int64_t days; // 0: DOCHAK_RETENTION_DAYS
} rules[] = {
    {"retention_notifications.sql", 0},
    {"retention_alerts.sql", 0},
    {"retention_quarantine_alerts.sql", 0},
    {"retention_quarantine.sql", 0},
    {"retention_delivery_minutes.sql", 0},
    {"retention_code_minutes.sql", 0},
    {"retention_incidents.sql", 0},
    {"retention_ask_runs.sql", 0},
    {"retention_endpoint_minutes.sql", WATCH_DAYS},
    {"retention_provider_hours.sql", WATCH_DAYS},
    {"retention_endpoint_hours.sql", RHYTHM_DAYS},
};

struct retention {
  struct processor *processor;
  pthread_t thread;
};

bool retention_check(const struct settings *settings, struct err *err) {
  return settings->retention_days == 0 || settings->retention_days >= DAYS_MIN ||
         err_set(err,
                 "DOCHAK_RETENTION_DAYS: %lld is too short, a report that comes again would count as a new "
                 "one; at least %d, or 0 for ever",
                 (long long)settings->retention_days, DAYS_MIN);
}

void retention_warn(const struct settings *settings, struct faults *faults) {
  if (settings->retention_days && settings->retention_days <= settings->topic_retention_days)
    faults_warn(
        faults,
        "DOCHAK_RETENTION_DAYS: %lld is not more than DOCHAK_TOPIC_RETENTION_DAYS, %lld: a record that "
        "is read again would count as a new one",
        (long long)settings->retention_days, (long long)settings->topic_retention_days);
}

// ---- one batch ----

// As PQexecParams(), but left alone when a stop is requested: the statement is a transaction of its own and
// ends either way.
static PGresult *run(PGconn *conn, const char *statement, int n, const char *const *values) {
  PGresult *res = NULL;
  if (!PQsendQueryParams(conn, pg_sql(statement), n, NULL, values, NULL, NULL, 0)) return NULL;
  while (res == NULL && !stop_requested()) res = pg_receive(conn, ANSWER_POLL_MS);
  return res;
}

static void count(struct retention *r, const PGresult *res, int64_t *deleted) {
  for (int column = 2; column < PQnfields(res); column++) {
    int64_t n = strtoll(PQgetvalue(res, 0, column), NULL, 10);
    metrics_add(r->processor->metrics, METRIC_DELETED, PQfname(res, column), n);
    *deleted += n;
  }
}

// From the oldest on, batch after batch. Each begins where the one before ended: rows that were deleted
// before it stand in the index until they are vacuumed.
static bool delete_old(struct retention *r, PGconn *conn, const struct rule *rule, int64_t *deleted,
                       struct err *err) {
  int64_t keeps = rule->days ? rule->days : r->processor->settings->retention_days;
  AUTO_FREE char *days = mem_printf("%lld", (long long)keeps);
  AUTO_FREE char *since = mem_strdup("-infinity");
  for (bool more = keeps > 0; more && !stop_wait_ms(BATCH_PAUSE_MS);) {
    AUTO_RESULT *res = run(conn, rule->statement, 2, (const char *const[]){days, since});
    if (stop_requested()) return true;
    if (!pg_ok(conn, res, rule->statement, NULL, err)) return false;
    more = *PQgetvalue(res, 0, 0) == 't';
    free(since);
    since = mem_strdup(PQgetvalue(res, 0, 1));
    count(r, res, deleted);
  }
  return true;
}

// ---- one sweep ----

static bool sweep_connected(struct retention *r, PGconn *conn, int64_t *deleted, struct err *err) {
  bool got = false;
  if (!pg_command(conn, "session settings", session_settings, err) || !pg_use_indexes(conn, err) ||
      !schema_version_hold(conn, err) || !pg_try_lock(conn, "retain", &got, err))
    return false;
  if (!got) return true; // another processor is at it
  for (size_t i = 0; i < COUNT_OF(rules); i++)
    if (!delete_old(r, conn, &rules[i], deleted, err)) return false;
  return true;
}

static bool sweep(struct retention *r, struct err *err) {
  int64_t deleted = 0;
  PGconn *conn = pg_connect(err);
  if (conn == NULL) return false;
  bool done = sweep_connected(r, conn, &deleted, err);
  PQfinish(conn);
  if (deleted) log_info("retention", LOG_INT("rows_deleted", deleted));
  return done;
}

// ---- the thread ----

static void *run_thread(void *arg) {
  struct retention *r = arg;
  struct backoff backoff = {.first_ms = 1000, .max_ms = SWEEP_PAUSE_MS};
  int64_t pause_ms = 0;
  while (!stop_wait_ms(pause_ms)) {
    struct err err = {0};
    bool done = sweep(r, &err);
    if (done) backoff.tries = 0;
    pause_ms = done ? SWEEP_PAUSE_MS : backoff_next_ms(&backoff);
    if (done) continue;
    log_warn("retention starts over", LOG_STR("error", err.text), LOG_INT("wait_ms", pause_ms));
    metrics_add(r->processor->metrics, METRIC_DELETION_FAILURES, NULL, 1);
  }
  return NULL;
}

struct retention *retention_start(struct processor *processor, struct err *err) {
  if (!retention_check(processor->settings, err)) return NULL;
  struct retention *r = mem_alloc(sizeof *r);
  r->processor = processor;
  int failed = pthread_create(&r->thread, NULL, run_thread, r);
  if (failed == 0) return r;
  free(r);
  err_set(err, "cannot start the retention thread: %s", strerror(failed));
  return NULL;
}

bool retention_join(struct retention *retention, int64_t until_ms) {
  if (retention == NULL) return true;
  struct timespec until = clock_timespec_at(until_ms);
  if (pthread_clockjoin_np(retention->thread, NULL, CLOCK_MONOTONIC, &until) != 0) return false;
  free(retention);
  return true;
}
