// SPDX-License-Identifier: MIT
#include "processor/tables/quarantine_alert.h"
#include "common/base/mem.h"
#include "processor/tables/delivery_minute.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

enum { ALERT_MS = 24 * 60 * 60 * 1000 };

struct held {
  struct uuid fingerprint;
  int64_t raised_at; // NO_TIME: never
  int64_t folded;    // records since then that raised none
  bool changes;
};

bool quarantine_alert_hold(PGconn *conn, const struct uuid *fingerprints, size_t n, PGresult **held,
                           enum pg_fault *fault, struct err *err) {
  struct pgarray c;
  pgarray_init(&c, PG_UUID);
  for (size_t i = 0; i < n; i++) pgarray_add_uuid(&c, fingerprints[i]);
  *held = rows_run(conn, "quarantine_alert_hold.sql", &c, 1);
  return pg_ok(conn, *held, "quarantine_alert_hold", fault, err);
}

static int by_fingerprint(const void *left, const void *right) {
  const struct held *a = left, *b = right;
  return memcmp(&a->fingerprint, &b->fingerprint, sizeof a->fingerprint);
}

// Each fingerprint once, in order.
static size_t read_held(const PGresult *res, struct held *rows) {
  size_t n = (size_t)PQntuples(res);
  for (size_t i = 0; i < n; i++) {
    memcpy(&rows[i].fingerprint, PQgetvalue(res, (int)i, 0), sizeof rows[i].fingerprint);
    rows[i].raised_at = rows_time(res, (int)i, 1);
    rows[i].folded = pgvalue_int8(PQgetvalue(res, (int)i, 2));
  }
  qsort(rows, n, sizeof *rows, by_fingerprint);
  return n;
}

// By the time at which it was quarantined. A record that is read again is never later than itself, so it
// raises nothing anew; its own alert is in the table since the first time.
static bool raises(const struct held *row, int64_t at) {
  return row->raised_at == NO_TIME || at >= row->raised_at + ALERT_MS;
}

static void raise_or_fold(struct held *row, const struct fact *fact, bool is_counted, struct alert *alerts,
                          size_t *n_alerts) {
  int64_t at = alert_quarantined_at(fact);
  if (raises(row, at)) {
    alert_of_quarantined(&alerts[(*n_alerts)++], fact, row->folded);
    row->raised_at = at;
    row->folded = 0;
    row->changes = true;
  } else if (!is_counted) {
    row->folded++;
    row->changes = true;
  }
}

static void send_changed(struct pipeline *pipeline, const struct held *rows, size_t n) {
  static const enum pg_type types[] = {PG_UUID, PG_TIMESTAMPTZ, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    if (!rows[i].changes) continue;
    pgarray_add_uuid(&c[0], rows[i].fingerprint);
    pgarray_add_time(&c[1], rows[i].raised_at);
    pgarray_add_int8(&c[2], rows[i].folded);
  }
  rows_send(pipeline, "quarantine_alert_write.sql", c, COUNT_OF(types));
}

void quarantine_alert_send(struct pipeline *pipeline, struct fact *const *quarantined,
                           const struct uuid *fingerprints, size_t n, const PGresult *held,
                           const PGresult *advanced, struct alert *alerts, size_t *n_alerts) {
  AUTO_FREE struct held *rows = mem_array((size_t)PQntuples(held), sizeof *rows);
  size_t n_rows = read_held(held, rows);
  for (size_t i = 0; i < n; i++) {
    struct held key = {.fingerprint = fingerprints[i]};
    struct held *row = bsearch(&key, rows, n_rows, sizeof *rows, by_fingerprint);
    if (row)
      raise_or_fold(row, quarantined[i], delivery_minute_is_counted(quarantined[i], advanced), alerts,
                    n_alerts);
  }
  send_changed(pipeline, rows, n_rows);
}
