// SPDX-License-Identifier: MIT
#include "processor/watch/usual.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "processor/tables/rows.h"

enum { HOUR = 60, HOUR_MS = 60 * 60 * 1000, HOURS = MINUTES_DAY / HOUR };

static const char *const statements[] = {"usual_add.sql", "usual_read.sql"};

bool usual_prepare(PGconn *conn, struct err *err) {
  return rows_prepare(conn, statements, COUNT_OF(statements), err);
}

static void add_hour(struct pgarray *c, const struct view_provider *p, int64_t hour) {
  int64_t taken = 0, late = 0;
  for (int64_t i = 0; i < HOUR; i++) {
    const struct minute_counts *counts = minutes_at(&p->minutes, hour * HOUR + i);
    if (!counts || counts->blind) continue;
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
  rows_begin(c, types, COUNT_OF(types));
  for (int64_t hour = current - HOURS; hour < current; hour++)
    for (size_t i = 0; i < view->n_providers; i++)
      if (is_complete(view, &view->providers[i], hour)) add_hour(c, &view->providers[i], hour);
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
  char now[CLOCK_RFC3339_SIZE];
  if (!add_hours(conn, view, err)) return false;
  clock_format_rfc3339(view->loaded_until / HOUR * HOUR_MS, now);
  AUTO_RESULT *res = PQexecPrepared(conn, "usual_read.sql", 1, (const char *const[]){now}, NULL, NULL, 1);
  if (!pg_ok(conn, res, "usual_read", NULL, err)) return false;
  for (size_t i = 0; i < view->n_providers; i++) view->providers[i].usual = (struct slow_usual){0};
  for (int row = 0; row < PQntuples(res); row++) read_row(view, res, row);
  return true;
}
