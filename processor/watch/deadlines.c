// SPDX-License-Identifier: MIT
#include "processor/watch/deadlines.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/tables/rows.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HURRY_MS = 2000 };

static const char *const statements[] = {"watch_due.sql"};

bool deadlines_prepare(PGconn *conn, struct err *err) {
  return rows_prepare(conn, statements, COUNT_OF(statements), err);
}

static bool is_read(const struct deadlines_provider *provider, int64_t until_ms) {
  return until_ms > provider->written_at_ms;
}

// Columns as in watch_due.sql. A provider that must not be looked at gets no row.
static PGresult *find(PGconn *conn, const struct deadlines_provider *list, size_t n, int64_t until_ms,
                      bool holds, int64_t most) {
  static const enum pg_type types[] = {PG_TEXT, PG_INT4, PG_TIMESTAMPTZ, PG_INT8, PG_INT8, PG_TIMESTAMPTZ};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    if (!is_read(&list[i], until_ms)) continue;
    pgarray_add_text(&c[0], list[i].name);
    pgarray_add_int4(&c[1], holds && list[i].hold);
    pgarray_add_time(&c[2], until_ms);
    pgarray_add_int8(&c[3], most);
    pgarray_add_int8(&c[4], list[i].every_s);
    pgarray_add_time(&c[5], list[i].given_up_ms);
  }
  return rows_run(conn, "watch_due.sql", c, COUNT_OF(types));
}

bool deadlines_any(PGconn *conn, const struct deadlines_provider *list, size_t n, bool *any,
                   struct err *err) {
  AUTO_RESULT *res = find(conn, list, n, clock_wall_ms(), false, 1);
  if (!pg_ok(conn, res, "watch_due", NULL, err)) return false;
  *any = PQntuples(res) > 0;
  return true;
}

static bool write_one(struct emitter *emitter, const PGresult *res, int row, struct err *err) {
  char deadline[CLOCK_RFC3339_SIZE];
  const char *provider = PQgetvalue(res, row, 0), *id = PQgetvalue(res, row, 1);
  clock_format_rfc3339(rows_time(res, row, 2), deadline);
  AUTO_JSON *value =
      json_pack("{ss ss ss}", "provider", provider, "notification_id", id, "deadline", deadline);
  assert(value);
  AUTO_FREE char *text = json_text(value);
  bool is_expired = pgvalue_int4(PQgetvalue(res, row, 3)) == 1;
  const struct emitter_event event = {
      .type = is_expired ? EVENT_EXPIRED : EVENT_OVERDUE, .key = id, .provider = provider, .value = text};
  return emitter_send(emitter, &event, err);
}

// Of the provider's rows.
static void note_written(struct deadlines_provider *provider, const PGresult *res) {
  int64_t written = 0;
  for (int row = 0; row < PQntuples(res); row++) {
    if (strcmp(provider->name, PQgetvalue(res, row, 0)) != 0) continue;
    provider->written_at_ms = clock_wall_ms();
    provider->unasked += pgvalue_int4(PQgetvalue(res, row, 4));
    written++;
  }
  provider->has_more = written >= DEADLINES_MAX;
}

bool deadlines_write(PGconn *conn, struct emitter *emitter, struct deadlines_provider *list, size_t n,
                     int64_t until_ms, bool *has_more, struct err *err) {
  AUTO_RESULT *res = find(conn, list, n, until_ms, true, DEADLINES_MAX);
  if (!pg_ok(conn, res, "watch_due", NULL, err)) return false;
  for (int row = 0; row < PQntuples(res); row++)
    if (!write_one(emitter, res, row, err)) return false;
  if (PQntuples(res) > 0 && !emitter_flush(emitter, err)) return false;
  *has_more = false;
  for (size_t i = 0; i < n; i++) {
    if (is_read(&list[i], until_ms)) note_written(&list[i], res);
    *has_more |= list[i].has_more && clock_wall_ms() - list[i].written_at_ms < HURRY_MS;
  }
  return true;
}
