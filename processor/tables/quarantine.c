// SPDX-License-Identifier: MIT
#include "processor/tables/quarantine.h"
#include "common/base/mem.h"
#include "processor/rules/alert.h"
#include "processor/tables/rows.h"

static void add_record(struct pgarray *c, const struct fact *fact) {
  pgarray_add_int4(&c[0], fact->rkm->partition);
  pgarray_add_int8(&c[1], fact->rkm->offset);
  if (fact->ev.type)
    pgarray_add_uuid(&c[2], fact->ev.id);
  else
    pgarray_add_null(&c[2]);
  pgarray_add_text(&c[3], fact->ev.provider);
  pgarray_add_text(&c[4], fact->ev.endpoint);
  pgarray_add_text(&c[5], alert_quarantine_reason(fact));
  pgarray_add_time(&c[6], alert_quarantined_at(fact));
  pgarray_add_int8(&c[7], (int64_t)fact->rkm->len);
}

void quarantine_send(struct pipeline *pipeline, struct fact *const *quarantined, size_t n) {
  static const enum pg_type types[] = {PG_INT4, PG_INT8, PG_UUID,        PG_TEXT,
                                       PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  if (n == 0) return;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) add_record(c, quarantined[i]);
  rows_send(pipeline, "quarantine_insert.sql", c, COUNT_OF(types));
}

bool quarantine_mark(PGconn *conn, const struct quarantine_place *places, size_t n, struct err *err) {
  static const enum pg_type types[] = {PG_INT4, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  if (n == 0) return true;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    pgarray_add_int4(&c[0], places[i].partition);
    pgarray_add_int8(&c[1], places[i].offset);
  }
  AUTO_RESULT *res = rows_run(conn, "quarantine_redriven.sql", c, COUNT_OF(types));
  return pg_ok(conn, res, "quarantine_redriven", NULL, err);
}
