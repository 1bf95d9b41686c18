// SPDX-License-Identifier: MIT
#include "processor/tables/incident.h"
#include "common/base/mem.h"
#include "processor/tables/rows.h"
#include <string.h>

// The place in the list of the incident that a row names, or n.
static size_t place_of(const PGresult *res, int row, const struct incident *const *list, size_t n) {
  size_t i = 0;
  while (i < n && memcmp(&list[i]->id, PQgetvalue(res, row, 0), sizeof list[i]->id) != 0) i++;
  return i;
}

bool incident_open(PGconn *conn, const struct incident *const *list, size_t n, int64_t opened_at,
                   bool *is_done, enum pg_fault *fault, struct err *err) {
  static const enum pg_type types[] = {PG_UUID, PG_TEXT,        PG_TEXT,        PG_TEXT,
                                       PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ,
                                       PG_INT8, PG_INT8,        PG_JSONB};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    pgarray_add_uuid(&c[0], list[i]->id);
    pgarray_add_text(&c[1], incident_kind_name(list[i]->kind));
    pgarray_add_text(&c[2], list[i]->provider);
    pgarray_add_text(&c[3], list[i]->endpoint);
    pgarray_add_text(&c[4], list[i]->scope);
    pgarray_add_time(&c[5], list[i]->since);
    pgarray_add_time(&c[6], opened_at);
    pgarray_add_time(&c[7], list[i]->judged_until);
    pgarray_add_int8(&c[8], list[i]->faults);
    pgarray_add_int8(&c[9], list[i]->gap_ms);
    pgarray_add_jsonb(&c[10], list[i]->details);
  }
  AUTO_RESULT *res = rows_run(conn, "incident_open.sql", c, COUNT_OF(types));
  if (!pg_ok(conn, res, "incident_open", fault, err)) return false;
  for (int row = 0; row < PQntuples(res); row++) {
    size_t place = place_of(res, row, list, n);
    if (place < n) is_done[place] = true;
  }
  return true;
}

bool incident_close(PGconn *conn, const struct incident *const *list, size_t n, int64_t closed_at,
                    bool *is_done, int64_t *opened_at, int64_t *folded, enum pg_fault *fault,
                    struct err *err) {
  static const enum pg_type types[] = {PG_UUID, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    pgarray_add_uuid(&c[0], list[i]->id);
    pgarray_add_time(&c[1], closed_at);
    pgarray_add_time(&c[2], list[i]->judged_until);
  }
  AUTO_RESULT *res = rows_run(conn, "incident_close.sql", c, COUNT_OF(types));
  if (!pg_ok(conn, res, "incident_close", fault, err)) return false;
  for (int row = 0; row < PQntuples(res); row++) {
    size_t place = place_of(res, row, list, n);
    if (place == n) continue;
    is_done[place] = true;
    opened_at[place] = rows_time(res, row, 1);
    folded[place] = pgvalue_int8(PQgetvalue(res, row, 2));
  }
  return true;
}

bool incident_folding(PGconn *conn, PGresult **res, enum pg_fault *fault, struct err *err) {
  *res = PQexecPrepared(conn, "incident_folding.sql", 0, NULL, NULL, NULL, 0);
  return pg_ok(conn, *res, "incident_folding", fault, err);
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
