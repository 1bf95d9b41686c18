// SPDX-License-Identifier: MIT
#include "processor/watch/usual.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "processor/rules/ledger.h"
#include "processor/tables/rows.h"
#include <string.h>

enum { HOUR = 60, MINUTE_MS = 60 * 1000, HOUR_MS = HOUR * MINUTE_MS, HOURS = MINUTES_DAY / HOUR };

static const char *const statements[] = {"usual_add.sql", "usual_read.sql", "usual_slow.sql"};

bool usual_prepare(PGconn *conn, struct err *err) {
  return rows_prepare(conn, statements, COUNT_OF(statements), err);
}

// A prepared statement with the time at which an hour begins.
static PGresult *read_since(PGconn *conn, const char *statement, int64_t hour) {
  char text[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(hour * HOUR_MS, text);
  return PQexecPrepared(conn, statement, 1, (const char *const[]){text}, NULL, NULL, 1);
}

// By usual_slow.sql. What would be judged while `slow` is open does not become usual.
static bool is_slow(const PGresult *slow, const struct view_provider *p, int64_t minute) {
  int64_t judged_ms = (minute + p->due_minutes) * MINUTE_MS;
  for (int row = 0; row < PQntuples(slow); row++) {
    int64_t closed_ms = rows_time(slow, row, 2);
    if (strcmp(PQgetvalue(slow, row, 0), provider_name(p->file)) == 0 &&
        rows_time(slow, row, 1) <= judged_ms && (closed_ms == NO_TIME || judged_ms < closed_ms))
      return true;
  }
  return false;
}

static void add_hour(struct pgarray *c, const struct view_provider *p, int64_t hour, const PGresult *slow) {
  int64_t taken = 0, late = 0;
  for (int64_t i = 0; i < HOUR; i++) {
    int64_t minute = hour * HOUR + i;
    if (!minutes_seen(&p->minutes, minute, minute + p->due_minutes) || is_slow(slow, p, minute)) continue;
    const struct minute_counts *counts = minutes_at(&p->minutes, minute);
    taken += counts->taken;
    late += (int64_t)counts->taken - counts->in_time;
  }
  if (!taken) return;
  pgarray_add_time(&c[0], hour * HOUR_MS);
  pgarray_add_text(&c[1], provider_name(p->file));
  pgarray_add_int8(&c[2], taken);
  pgarray_add_int8(&c[3], late);
}

// The messages of the last minutes may still get their receipts in time, so the hour before the current one
// is left for later, too, and all of which a receipt is not due yet.
static bool is_complete(const struct view *view, const struct view_provider *p, int64_t hour) {
  return hour < view->loaded_until / HOUR - 1 && (hour + 1) * HOUR + p->due_minutes <= view->loaded_until;
}

static bool add_hours(PGconn *conn, const struct view *view, struct err *err) {
  static const enum pg_type types[] = {PG_TIMESTAMPTZ, PG_TEXT, PG_INT8, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  int64_t current = view->loaded_until / HOUR;
  AUTO_RESULT *slow = read_since(conn, "usual_slow.sql", current - HOURS);
  if (!pg_ok(conn, slow, "usual_slow", NULL, err)) return false;
  rows_begin(c, types, COUNT_OF(types));
  for (int64_t hour = current - HOURS; hour < current; hour++)
    for (size_t i = 0; i < view->n_providers; i++)
      if (is_complete(view, &view->providers[i], hour)) add_hour(c, &view->providers[i], hour, slow);
  AUTO_RESULT *res = rows_run(conn, "usual_add.sql", c, COUNT_OF(types));
  return pg_ok(conn, res, "usual_add", NULL, err);
}

static void read_row(struct view *view, const PGresult *res, int row) {
  struct view_provider *p = view_find_provider(view, PQgetvalue(res, row, 0));
  if (!p) return;
  int hour = pgvalue_int4(PQgetvalue(res, row, 1)) % 24;
  p->usual.taken[hour] = pgvalue_int8(PQgetvalue(res, row, 2));
  p->usual.late[hour] = pgvalue_int8(PQgetvalue(res, row, 3));
}

bool usual_update(PGconn *conn, struct view *view, struct err *err) {
  if (!add_hours(conn, view, err)) return false;
  AUTO_RESULT *res = read_since(conn, "usual_read.sql", view->loaded_until / HOUR);
  if (!pg_ok(conn, res, "usual_read", NULL, err)) return false;
  for (size_t i = 0; i < view->n_providers; i++) view->providers[i].usual = (struct slow_usual){0};
  for (int row = 0; row < PQntuples(res); row++) read_row(view, res, row);
  return true;
}
