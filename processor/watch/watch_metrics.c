// SPDX-License-Identifier: MIT
#include "processor/watch/watch_metrics.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "processor/processor.h"
#include "processor/tables/rows.h"
#include <math.h>
#include <string.h>

static int64_t count_open(const struct view *view, enum incident_kind kind, const char *provider) {
  int64_t n = 0;
  for (size_t i = 0; i < view->n_incidents; i++)
    n += view->incidents[i].row.kind == kind && strcmp(view->incidents[i].row.provider, provider) == 0;
  return n;
}

static void set_open(struct metrics *metrics, const struct view *view, const char *provider,
                     bool is_leading) {
  for (enum incident_kind kind = 0; kind < INCIDENT_KIND_COUNT; kind++) {
    const char *const labels[] = {incident_kind_name(kind), provider};
    atomic_store(metrics_at_each(metrics, METRIC_INCIDENTS_OPEN, labels),
                 is_leading ? count_open(view, kind, provider) : 0);
  }
}

void watch_metrics_incidents(struct metrics *metrics, const struct view *view) {
  set_open(metrics, view, "", true);
  for (size_t i = 0; i < view->n_providers; i++)
    set_open(metrics, view, provider_name(view->providers[i].file), true);
}

static void set_silence(struct metrics *metrics, const struct silence *silence, bool is_leading) {
  const char *endpoint;
  double score, bar;
  for (size_t i = 0; silence_at(silence, i, &endpoint, &score, &bar); i++) {
    metrics_set(metrics, METRIC_SILENCE_SCORE, endpoint, is_leading ? llround(100 * score) : 0);
    metrics_set(metrics, METRIC_SILENCE_BAR, endpoint, is_leading ? llround(100 * bar) : 0);
  }
}

void watch_metrics_silence(struct metrics *metrics, const struct silence *silence) {
  set_silence(metrics, silence, true);
}

bool watch_metrics_pending(struct metrics *metrics, const struct view *view, PGconn *conn, struct err *err) {
  for (size_t i = 0; i < view->n_providers; i++) {
    const char *name = provider_name(view->providers[i].file);
    AUTO_RESULT *res =
        PQexecParams(conn, pg_sql("watch_oldest.sql"), 1, NULL, (const char *const[]){name}, NULL, NULL, 1);
    if (!pg_ok(conn, res, "watch_oldest", NULL, err)) return false;
    bool any = PQntuples(res) > 0;
    int64_t age_ms = any ? clock_wall_ms() - rows_time(res, 0, 0) : 0;
    metrics_set(metrics, METRIC_PENDING_AGE, name, age_ms > 0 ? age_ms / 1000 : 0);
  }
  return true;
}

void watch_metrics_clear(struct metrics *metrics, const struct view *view, const struct silence *silence) {
  metrics_set(metrics, METRIC_WATCH_BEHIND, NULL, 0);
  metrics_set(metrics, METRIC_WATCH_HIDDEN, NULL, 0);
  set_silence(metrics, silence, false);
  set_open(metrics, view, "", false);
  for (size_t i = 0; i < view->n_providers; i++) {
    const char *name = provider_name(view->providers[i].file);
    set_open(metrics, view, name, false);
    metrics_set(metrics, METRIC_PENDING_AGE, name, 0);
  }
}
