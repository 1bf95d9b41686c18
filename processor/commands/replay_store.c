// SPDX-License-Identifier: MIT
#include "processor/commands/replay_store.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/rules/correction.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

enum { AGAIN_TRIES = 8 };

struct replay_store {
  struct store *store;
  PGconn *conn; // the store's
  const struct interpreter *interpreter;
  const char *source;
};

static const char *const statements[] = {"replay_note.sql",     "replay_note_acceptance.sql",
                                         "replay_verdicts.sql", "replay_notifications.sql",
                                         "replay_said.sql",     "replay_missing.sql"};

// ---- opening ----

// Of a replay that has ended, or died, Postgres may learn a moment later.
static bool lock(PGconn *conn, struct err *err) {
  enum { WAIT_MS = 5000, PAUSE_MS = 100 };
  int64_t deadline = clock_mono_ms() + WAIT_MS;
  bool got = false;
  do
    if (!pg_try_lock(conn, "replay", &got, err)) return false;
  while (!got && clock_mono_ms() < deadline && !stop_wait_ms(PAUSE_MS));
  return got || err_set(err, "another replay is at work");
}

struct replay_store *replay_store_open(const struct interpreter *interpreter, const char *source, bool alone,
                                       struct err *err) {
  struct store *store = store_open(NULL, err);
  if (store == NULL) return NULL;
  PGconn *conn = store_connection(store);
  if ((alone && !lock(conn, err)) || !pg_command(conn, "replay_tables", pg_sql("replay_tables.sql"), err) ||
      !rows_prepare(conn, statements, COUNT_OF(statements), err)) {
    store_close(store);
    return NULL;
  }
  struct replay_store *rs = mem_alloc(sizeof *rs);
  *rs = (struct replay_store){store, conn, interpreter, source};
  return rs;
}

void replay_store_close(struct replay_store *rs) {
  if (rs == NULL) return;
  store_close(rs->store);
  free(rs);
}

struct store *replay_store_base(struct replay_store *rs) {
  return rs->store;
}

// ---- noting ----

static bool note_receipts(struct replay_store *rs, const struct fact *facts, size_t n, int64_t *unknown,
                          struct err *err) {
  static const enum pg_type types[] = {PG_UUID, PG_UUID, PG_TEXT, PG_TEXT,       PG_TEXT,
                                       PG_TEXT, PG_TEXT, PG_TEXT, PG_TIMESTAMPTZ};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    if (facts[i].type != FACT_NOTIFICATION || !facts[i].element) continue;
    pgarray_add_uuid(&c[0], facts[i].row_id);
    pgarray_add_uuid(&c[1], facts[i].ev.id);
    pgarray_add_text(&c[2], facts[i].provider);
    pgarray_add_text(&c[3], facts[i].id);
    pgarray_add_text(&c[4], facts[i].saying.outcome);
    pgarray_add_text(&c[5], facts[i].code);
    pgarray_add_text(&c[6], facts[i].reason);
    pgarray_add_text(&c[7], facts[i].channel);
    pgarray_add_time(&c[8], facts[i].saying.at);
  }
  AUTO_RESULT *res = rows_run(rs->conn, "replay_note.sql", c, COUNT_OF(types));
  if (!pg_ok(rs->conn, res, "replay_note", NULL, err)) return false;
  *unknown += pgvalue_int8(PQgetvalue(res, 0, 0));
  return true;
}

static bool note_acceptances(struct replay_store *rs, const struct fact *facts, size_t n, struct err *err) {
  static const enum pg_type types[] = {PG_TEXT, PG_TEXT,        PG_INT4,        PG_TEXT, PG_TEXT,
                                       PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    if (facts[i].type != FACT_NOTIFICATION || facts[i].element) continue;
    pgarray_add_text(&c[0], facts[i].provider);
    pgarray_add_text(&c[1], facts[i].id);
    pgarray_add_int4(&c[2], facts[i].saying.signal == SIGNAL_REJECTED);
    pgarray_add_text(&c[3], facts[i].code);
    pgarray_add_text(&c[4], facts[i].reason);
    pgarray_add_text(&c[5], facts[i].channel);
    pgarray_add_time(&c[6], facts[i].saying.at);
    pgarray_add_time(&c[7], facts[i].saying.received_at);
    pgarray_add_int8(&c[8], facts[i].rkm->offset);
  }
  AUTO_RESULT *res = rows_run(rs->conn, "replay_note_acceptance.sql", c, COUNT_OF(types));
  return pg_ok(rs->conn, res, "replay_note_acceptance", NULL, err);
}

bool replay_store_note(struct replay_store *rs, const struct fact *facts, size_t n, int64_t *unknown,
                       struct err *err) {
  return note_receipts(rs, facts, n, unknown, err) && note_acceptances(rs, facts, n, err);
}

bool replay_store_gather(struct replay_store *rs, int64_t *n, struct err *err) {
  if (!pg_command(rs->conn, "replay_candidates", pg_sql("replay_candidates.sql"), err)) return false;
  AUTO_RESULT *res = PQexec(rs->conn, pg_sql("replay_count.sql"));
  if (!pg_ok(rs->conn, res, "replay_count", NULL, err)) return false;
  *n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
  return true;
}

// ---- one page ----

// What was said about the notifications of a page, in their order.
struct said {
  struct fact *facts; // whose the sayings' strings are
  struct saying *sayings;
  size_t n;
  size_t first[REPLAY_PAGE_SIZE + 1]; // where each notification's begin; the last is n
};

static void said_fini(struct said *said) {
  for (size_t i = 0; i < said->n; i++) fact_fini(&said->facts[i]);
  free(said->facts);
  free(said->sayings);
}

static size_t place_of(const PGresult *res, int row, int column, int64_t first) {
  return (size_t)(pgvalue_int8(PQgetvalue(res, row, column)) - first);
}

static void read_receipt(const struct replay_store *rs, const PGresult *res, int row,
                         const struct notification *about, struct fact *out) {
  const struct stored_receipt receipt = {.provider = about->provider,
                                         .id = about->id,
                                         .outcome = PQgetvalue(res, row, 1),
                                         .code = PQgetvalue(res, row, 2),
                                         .element = PQgetvalue(res, row, 3),
                                         .received_at = rows_time(res, row, 7)};
  interpret_stored(rs->interpreter, &receipt, out);
}

static void read_acceptance(const struct replay_store *rs, const PGresult *res, int row,
                            const struct notification *about, struct fact *out) {
  *out = (struct fact){
      .code = rows_text(res, row, 2), .reason = rows_text(res, row, 4), .channel = rows_text(res, row, 5)};
  bool rejected = !PQgetisnull(res, row, 1);
  interpret_acceptance_again(rs->interpreter, about->provider, rejected, rows_time(res, row, 6),
                             rows_time(res, row, 7), out);
}

static void said_init(struct said *said, const struct replay_store *rs, const PGresult *res, int64_t first,
                      const struct replay_page *page) {
  enum { ELEMENT = 3 };
  said->n = (size_t)PQntuples(res);
  said->facts = mem_array(said->n + 1, sizeof *said->facts);
  said->sayings = mem_array(said->n + 1, sizeof *said->sayings);
  size_t at = 0;
  for (size_t i = 0; i < said->n; i++) {
    size_t place = place_of(res, (int)i, 0, first);
    while (at <= place) said->first[at++] = i;
    if (page->before[place].version == 0) continue;
    if (PQgetisnull(res, (int)i, ELEMENT))
      read_acceptance(rs, res, (int)i, &page->before[place], &said->facts[i]);
    else
      read_receipt(rs, res, (int)i, &page->before[place], &said->facts[i]);
    said->sayings[i] = said->facts[i].saying;
  }
  while (at <= page->n) said->first[at++] = said->n;
}

static PGresult *run_page(struct replay_store *rs, const char *statement, int64_t first, enum pg_fault *fault,
                          struct err *err) {
  char from[24], to[24];
  snprintf(from, sizeof from, "%lld", (long long)first);
  snprintf(to, sizeof to, "%lld", (long long)first + REPLAY_PAGE_SIZE - 1);
  const char *values[] = {from, to};
  PGresult *res = PQexecPrepared(rs->conn, statement, 2, values, NULL, NULL, 1);
  if (pg_ok(rs->conn, res, statement, fault, err)) return res;
  PQclear(res);
  return NULL;
}

// Rows by their number; one that somebody has deleted stays as it was initialised.
static bool read_before(struct replay_store *rs, int64_t first, struct replay_page *page,
                        enum pg_fault *fault, struct err *err) {
  page->rows = run_page(rs, "replay_notifications.sql", first, fault, err);
  if (page->rows == NULL) return false;
  for (int row = 0; row < PQntuples(page->rows); row++) {
    struct notification *n = &page->before[place_of(page->rows, row, 19, first)];
    notification_init(n, PQgetvalue(page->rows, row, 0), PQgetvalue(page->rows, row, 1));
    rows_read_notification(page->rows, row, n);
  }
  return true;
}

static void build(const struct replay_store *rs, struct replay_page *page, const struct said *said) {
  for (size_t i = 0; i < page->n; i++) {
    const struct notification *before = &page->before[i];
    struct notification *after = &page->after[i];
    if (before->version == 0) continue;
    const struct saying *about = &said->sayings[said->first[i]];
    size_t n = said->first[i + 1] - said->first[i];
    correction_build(after, before, about, n);
    page->changed[i] = correction_differs(before, after);
    enum ledger_alert alert = correction_alert(before->status, after->status);
    if (page->changed[i] && alert != LEDGER_NO_ALERT)
      alert_of_correction(&page->alerts[page->n_alerts++], alert, after, before->status,
                          correction_scope(after, about, n), rs->source);
  }
}

static bool read_and_build(struct replay_store *rs, int64_t first, struct replay_page *page,
                           enum pg_fault *fault, struct err *err) {
  if (!read_before(rs, first, page, fault, err)) return false;
  AUTO_RESULT *res = run_page(rs, "replay_said.sql", first, fault, err);
  if (res == NULL) return false;
  AUTO_FREE struct said *said = mem_alloc(sizeof *said);
  said_init(said, rs, res, first, page);
  build(rs, page, said);
  said_fini(said);
  return true;
}

static bool transact(struct replay_store *rs, int64_t first, bool change, struct replay_page *page,
                     enum pg_fault *fault, struct err *err) {
  if (!pg_command(rs->conn, "begin", "BEGIN", err)) return false;
  // First the verdicts: then all receipts are read as they are to be, also in a dry run.
  AUTO_RESULT *res = run_page(rs, "replay_verdicts.sql", first, fault, err);
  if (res == NULL || !read_and_build(rs, first, page, fault, err)) return false;
  if (!change) return pg_command(rs->conn, "rollback", "ROLLBACK", err);
  return rows_write_notifications(rs->conn, page->after, page->changed, page->n, fault, err) &&
         rows_insert_alerts(rs->conn, page->alerts, page->n_alerts, fault, err) &&
         pg_commit(rs->conn, fault, err);
}

static void page_init(struct replay_page *page) {
  *page = (struct replay_page){0};
  page->n = REPLAY_PAGE_SIZE;
  page->before = mem_array(page->n, sizeof *page->before);
  page->after = mem_array(page->n, sizeof *page->after);
  page->changed = mem_array(page->n, sizeof *page->changed);
  page->alerts = mem_array(page->n, sizeof *page->alerts);
}

void replay_page_fini(struct replay_page *page) {
  for (size_t i = 0; i < page->n; i++) {
    notification_fini(&page->before[i]);
    notification_fini(&page->after[i]);
  }
  free(page->before);
  free(page->after);
  free(page->changed);
  alerts_free(page->alerts, page->n_alerts);
  PQclear(page->rows);
}

bool replay_store_correct(struct replay_store *rs, int64_t first, bool change, struct replay_page *out,
                          struct err *err) {
  for (int tries = 0; tries < AGAIN_TRIES; tries++) {
    enum pg_fault fault = PG_FAULT_WAIT;
    page_init(out);
    if (transact(rs, first, change, out, &fault, err)) return true;
    replay_page_fini(out);
    if (fault != PG_FAULT_AGAIN || !pg_command(rs->conn, "rollback", "ROLLBACK", err)) return false;
  }
  return false;
}

// ---- what is gone ----

bool replay_store_missing(struct replay_store *rs, const struct reader_span *spans, size_t n,
                          const struct place *from, const char *provider, int64_t *missing, struct err *err) {
  static const enum pg_type types[] = {PG_INT4, PG_INT8, PG_INT8, PG_TIMESTAMPTZ, PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  bool any = false;
  *missing = 0;
  for (size_t i = 0; i < n; i++) any |= spans[i].low > 0;
  if (!any) return true;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    pgarray_add_int4(&c[0], spans[i].partition);
    pgarray_add_int8(&c[1], spans[i].low);
    pgarray_add_int8(&c[2], from->kind == PLACE_OFFSET ? from->value : 0);
    pgarray_add_time(&c[3], from->kind == PLACE_TIME ? from->value : 0);
    pgarray_add_text(&c[4], provider);
  }
  AUTO_RESULT *res = rows_run(rs->conn, "replay_missing.sql", c, COUNT_OF(types));
  if (!pg_ok(rs->conn, res, "replay_missing", NULL, err)) return false;
  *missing = pgvalue_int8(PQgetvalue(res, 0, 0));
  return true;
}
