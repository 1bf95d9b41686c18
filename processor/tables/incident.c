// SPDX-License-Identifier: MIT
#include "processor/tables/incident.h"
#include "common/base/mem.h"
#include "processor/tables/rows.h"
#include <string.h>

// The change of the incident that a row names, or NULL.
static struct incident_change *change_of(const PGresult *res, int row, struct incident_change *list,
                                         size_t n) {
  for (size_t i = 0; i < n; i++)
    if (memcmp(&list[i].incident->id, PQgetvalue(res, row, 0), sizeof list[i].incident->id) == 0)
      return &list[i];
  return NULL;
}

bool incident_open(PGconn *conn, struct incident_change *list, size_t n, int64_t now, enum pg_fault *fault,
                   struct err *err) {
  static const enum pg_type types[] = {PG_UUID, PG_TEXT,        PG_TEXT,        PG_TEXT,
                                       PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ,
                                       PG_INT8, PG_INT8,        PG_JSONB};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    const struct incident *incident = list[i].incident;
    pgarray_add_uuid(&c[0], incident->id);
    pgarray_add_text(&c[1], incident_kind_name(incident->kind));
    pgarray_add_text(&c[2], incident->provider);
    pgarray_add_text(&c[3], incident->endpoint);
    pgarray_add_text(&c[4], incident->scope);
    pgarray_add_time(&c[5], incident->since);
    pgarray_add_time(&c[6], now);
    pgarray_add_time(&c[7], incident->judged_until);
    pgarray_add_int8(&c[8], incident->faults);
    pgarray_add_int8(&c[9], incident->gap_ms);
    pgarray_add_jsonb(&c[10], incident->details);
  }
  AUTO_RESULT *res = rows_run(conn, "incident_open.sql", c, COUNT_OF(types));
  if (!pg_ok(conn, res, "incident_open", fault, err)) return false;
  for (int row = 0; row < PQntuples(res); row++) {
    struct incident_change *change = change_of(res, row, list, n);
    if (!change) continue;
    change->is_done = true;
    change->row = (struct alert_incident){.opened_at = now, .closed_at = NO_TIME};
  }
  return true;
}

bool incident_close(PGconn *conn, struct incident_change *list, size_t n, int64_t now, enum pg_fault *fault,
                    struct err *err) {
  static const enum pg_type types[] = {PG_UUID, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    pgarray_add_uuid(&c[0], list[i].incident->id);
    pgarray_add_time(&c[1], now);
    pgarray_add_time(&c[2], list[i].incident->judged_until);
  }
  AUTO_RESULT *res = rows_run(conn, "incident_close.sql", c, COUNT_OF(types));
  if (!pg_ok(conn, res, "incident_close", fault, err)) return false;
  for (int row = 0; row < PQntuples(res); row++) {
    struct incident_change *change = change_of(res, row, list, n);
    if (!change) continue;
    change->is_done = true;
    change->row = (struct alert_incident){.opened_at = rows_time(res, row, 1),
                                          .closed_at = now,
                                          .folded = pgvalue_int8(PQgetvalue(res, row, 2))};
  }
  return true;
}

bool incident_folding(PGconn *conn, PGresult **res, enum pg_fault *fault, struct err *err) {
  *res = PQexecPrepared(conn, "incident_folding.sql", 0, NULL, NULL, NULL, 0);
  return pg_ok(conn, *res, "incident_folding", fault, err);
}

bool incident_lock(PGconn *conn, const char *const *providers, size_t n, enum pg_fault *fault,
                   struct err *err) {
  static const enum pg_type types[] = {PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) pgarray_add_text(&c[0], providers[i]);
  AUTO_RESULT *res = rows_run(conn, "incident_lock.sql", c, COUNT_OF(types));
  return pg_ok(conn, res, "incident_lock", fault, err);
}

bool incident_fold(PGconn *conn, const char *const *providers, const int64_t *folded, size_t n,
                   enum pg_fault *fault, struct err *err) {
  static const enum pg_type types[] = {PG_TEXT, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    pgarray_add_text(&c[0], providers[i]);
    pgarray_add_int8(&c[1], folded[i]);
  }
  AUTO_RESULT *res = rows_run(conn, "incident_fold.sql", c, COUNT_OF(types));
  return pg_ok(conn, res, "incident_fold", fault, err);
}
