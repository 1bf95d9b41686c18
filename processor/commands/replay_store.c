// SPDX-License-Identifier: MIT
#include "processor/commands/replay_store.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/rules/correction.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

// A page is in memory with all that was said about it.
enum { AGAIN_TRIES = 8, PAGE_SIZE = 500 };

struct replay_store {
  struct store *store;
  PGconn *conn; // the store's
  const struct interpreter *interpreter;
  const char *source;
};

static const char *const statements[] = {"notification_hold.sql", "replay_said.sql", "replay_verdicts.sql"};

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

// Rows are found by their keys. As long as a table was never analysed, Postgres would plan a hash join over
// the whole table for each page.
static const char session_settings[] = "SET enable_hashjoin = off;"
                                       "SET enable_mergejoin = off";

struct replay_store *replay_store_open(const struct interpreter *interpreter, const char *source, bool alone,
                                       struct err *err) {
  struct store *store = store_open(NULL, err);
  if (store == NULL) return NULL;
  PGconn *conn = store_connection(store);
  if ((alone && !lock(conn, err)) || !pg_command(conn, "session settings", session_settings, err) ||
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

// ---- choosing ----

static const char *time_text(int64_t ms, char buf[CLOCK_RFC3339_SIZE]) {
  if (ms == INT64_MIN) return "-infinity";
  if (ms == INT64_MAX) return "infinity";
  clock_format_rfc3339(ms, buf);
  return buf;
}

bool replay_store_choose(struct replay_store *rs, int64_t from_ms, int64_t to_ms, const char *provider,
                         int64_t *n, struct err *err) {
  char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
  const char *const values[] = {time_text(from_ms, from), time_text(to_ms, to), provider};
  AUTO_RESULT *res = pg_run(rs->conn, "replay_choose.sql", 3, values);
  if (!pg_ok(rs->conn, res, "replay_choose", NULL, err)) return false;
  AUTO_RESULT *all = PQexec(rs->conn, "MOVE FORWARD ALL IN chosen");
  if (!pg_ok(rs->conn, all, "count what was chosen", NULL, err)) return false;
  *n = strtoll(PQcmdTuples(all), NULL, 10);
  return pg_command(rs->conn, "go back", "MOVE ABSOLUTE 0 IN chosen", err);
}

// ---- a page ----

static bool fetch(struct replay_store *rs, struct replay_page *page, struct err *err) {
  char text[48];
  snprintf(text, sizeof text, "FETCH %d FROM chosen", PAGE_SIZE);
  *page = (struct replay_page){.keys = PQexec(rs->conn, text)};
  if (!pg_ok(rs->conn, page->keys, "fetch what was chosen", NULL, err)) return false;
  page->n = (size_t)PQntuples(page->keys);
  page->counts.notifications = (int64_t)page->n;
  page->before = mem_array(page->n + 1, sizeof *page->before);
  page->after = mem_array(page->n + 1, sizeof *page->after);
  page->wanted = mem_array(page->n + 1, sizeof *page->wanted);
  page->changed = mem_array(page->n + 1, sizeof *page->changed);
  page->alerts = mem_array(page->n + 1, sizeof *page->alerts);
  for (size_t i = 0; i < page->n; i++) {
    const char *provider = PQgetvalue(page->keys, (int)i, 0);
    notification_init(&page->before[i], provider, PQgetvalue(page->keys, (int)i, 1));
    page->wanted[i] = providers_find(rs->interpreter->providers, provider) != NULL;
    page->counts.without_file += !page->wanted[i];
  }
  return true;
}

// Clears what look() has filled in.
static void forget(struct replay_page *page) {
  for (size_t i = 0; i < page->n; i++) {
    struct notification *before = &page->before[i];
    notification_fini(before);
    notification_init(before, before->provider, before->id);
    notification_fini(&page->after[i]);
    page->after[i] = (struct notification){0};
    page->changed[i] = false;
  }
  for (size_t i = 0; i < page->n_alerts; i++) alert_fini(&page->alerts[i]);
  for (size_t i = 0; i < page->n_verdicts; i++) free(page->verdicts[i].code);
  page->n_alerts = page->n_verdicts = 0;
}

void replay_page_fini(struct replay_page *page) {
  forget(page);
  free(page->before);
  free(page->after);
  free(page->wanted);
  free(page->changed);
  free(page->alerts);
  free(page->verdicts);
  PQclear(page->keys);
}

// ---- what was said ----

static PGresult *read_said(struct replay_store *rs, const struct replay_page *page) {
  static const enum pg_type types[] = {PG_INT4, PG_TEXT, PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < page->n; i++) {
    if (page->before[i].version == 0) continue;
    pgarray_add_int4(&c[0], (int32_t)i);
    pgarray_add_text(&c[1], page->before[i].provider);
    pgarray_add_text(&c[2], page->before[i].id);
  }
  return rows_run(rs->conn, "replay_said.sql", c, COUNT_OF(types));
}

// The receipts and acceptances of one notification: some rows of replay_said.sql.
struct said {
  const PGresult *res;
  int first; // row
  size_t n;
  struct fact *facts; // whose the sayings' strings are
  struct saying *sayings;
  size_t receipts;
  bool understood; // today's provider file can read all of them
};

enum { RECEIPT_ID = 1, OUTCOME, CODE, VALUE, RECEIVED_AT };

// NULL in a column that an acceptance does not have.
static const char *text_of(const struct said *said, size_t i, int column) {
  int row = said->first + (int)i;
  return PQgetisnull(said->res, row, column) ? NULL : PQgetvalue(said->res, row, column);
}

static void said_init(struct said *said, const struct replay_store *rs, const struct notification *of,
                      const PGresult *res, int first, int end) {
  size_t n = (size_t)(end - first);
  *said = (struct said){.res = res, .first = first, .n = n, .understood = true};
  said->facts = mem_array(n + 1, sizeof *said->facts);
  said->sayings = mem_array(n + 1, sizeof *said->sayings);
  for (size_t i = 0; i < n; i++) {
    bool is_receipt = text_of(said, i, OUTCOME) != NULL;
    said->understood &= interpret_stored(rs->interpreter, is_receipt ? EVENT_RECEIPT : EVENT_ACCEPTED,
                                         of->provider, text_of(said, i, VALUE),
                                         rows_time(res, first + (int)i, RECEIVED_AT), &said->facts[i]);
    said->sayings[i] = said->facts[i].saying;
    said->receipts += is_receipt;
  }
}

static void said_fini(struct said *said) {
  for (size_t i = 0; i < said->n; i++) fact_fini(&said->facts[i]);
  free(said->facts);
  free(said->sayings);
}

// ---- building anew ----

static void note_verdicts(struct replay_page *page, const struct notification *of, const struct said *said) {
  for (size_t i = 0; i < said->n; i++) {
    const struct fact *fact = &said->facts[i];
    const char *outcome = text_of(said, i, OUTCOME);
    if (outcome == NULL || (strcmp(outcome, fact->saying.outcome) == 0 &&
                            strcmp(text_of(said, i, CODE), fact->saying.code) == 0))
      continue;
    page->verdicts = mem_grow(page->verdicts, page->n_verdicts + 1, sizeof *page->verdicts);
    struct verdict *verdict = &page->verdicts[page->n_verdicts++];
    *verdict =
        (struct verdict){.of = of, .outcome = fact->saying.outcome, .code = mem_strdup(fact->saying.code)};
    const char *id = PQgetvalue(said->res, said->first + (int)i, RECEIPT_ID);
    memcpy(&verdict->receipt_id, id, sizeof verdict->receipt_id);
  }
}

static bool is_contradicted_by_receipt(const struct notification *n, const struct said *said) {
  for (size_t i = 0; n->contradicted_by && i < said->n; i++) {
    const char *code = text_of(said, i, CODE);
    if (code && strcmp(code, n->contradicted_by) == 0) return true;
  }
  return false;
}

static void compare(const struct replay_store *rs, struct replay_page *page, size_t place,
                    const struct said *said) {
  const struct notification *before = &page->before[place], *after = &page->after[place];
  enum ledger_alert alert = correction_alert(before->status, after->status);
  page->changed[place] = correction_differs(before, after);
  if (page->changed[place] && alert != LEDGER_NO_ALERT)
    alert_of_correction(&page->alerts[page->n_alerts++], alert, after, before->status,
                        correction_scope(after, said->sayings, said->n), rs->source);
}

static void build(const struct replay_store *rs, struct replay_page *page, size_t place,
                  const struct said *said) {
  const struct notification *before = &page->before[place];
  struct notification *after = &page->after[place];
  bool has_acceptance = said->n > said->receipts;
  page->counts.receipts += (int64_t)said->receipts;
  page->counts.acceptances += (int64_t)(said->n - said->receipts);
  page->counts.unclear += !said->understood;
  page->counts.kept += !has_acceptance && correction_needs_acceptance(before);
  if (said->n == 0 || !said->understood) return; // the row stays as it is
  correction_build(after, before, said->sayings, said->n);
  if (!has_acceptance && !is_contradicted_by_receipt(before, said))
    correction_keep_contradiction(after, before);
  note_verdicts(page, before, said);
  compare(rs, page, place, said);
}

static void build_all(const struct replay_store *rs, struct replay_page *page, const PGresult *res) {
  int rows = PQntuples(res), row = 0;
  for (size_t i = 0; i < page->n; i++) {
    int first = row;
    while (row < rows && pgvalue_int4(PQgetvalue(res, row, 0)) == (int32_t)i) row++;
    if (page->before[i].version == 0) continue;
    struct said said;
    said_init(&said, rs, &page->before[i], res, first, row);
    build(rs, page, i, &said);
    said_fini(&said);
  }
}

// Reads the wanted notifications and builds them anew. One that was deleted meanwhile keeps version 0.
static bool look(struct replay_store *rs, const char *statement, struct replay_page *page,
                 enum pg_fault *fault, struct err *err) {
  if (!rows_read_notifications(rs->conn, statement, page->before, page->wanted, page->n, fault, err))
    return false;
  AUTO_RESULT *res = read_said(rs, page);
  if (!pg_ok(rs->conn, res, "replay_said", fault, err)) return false;
  build_all(rs, page, res);
  return true;
}

// ---- putting right ----

static bool write_verdicts(struct replay_store *rs, const struct replay_page *page, enum pg_fault *fault,
                           struct err *err) {
  static const enum pg_type types[] = {PG_TEXT, PG_TEXT, PG_UUID, PG_TEXT, PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  if (page->n_verdicts == 0) return true;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < page->n_verdicts; i++) {
    const struct verdict *verdict = &page->verdicts[i];
    pgarray_add_text(&c[0], verdict->of->provider);
    pgarray_add_text(&c[1], verdict->of->id);
    pgarray_add_uuid(&c[2], verdict->receipt_id);
    pgarray_add_text(&c[3], verdict->outcome);
    pgarray_add_text(&c[4], verdict->code);
  }
  AUTO_RESULT *res = rows_run(rs->conn, "replay_verdicts.sql", c, COUNT_OF(types));
  return pg_ok(rs->conn, res, "replay_verdicts", fault, err);
}

static bool transact(struct replay_store *rs, struct replay_page *page, enum pg_fault *fault,
                     struct err *err) {
  return pg_command(rs->conn, "begin", "BEGIN", err) && look(rs, "notification_hold.sql", page, fault, err) &&
         rows_write_notifications(rs->conn, page->after, page->changed, page->n, fault, err) &&
         write_verdicts(rs, page, fault, err) &&
         rows_insert_alerts(rs->conn, page->alerts, page->n_alerts, fault, err) &&
         pg_commit(rs->conn, fault, err);
}

// Limits `wanted` to what differs. Returns whether anything does.
static bool keep_differing(struct replay_page *page) {
  memcpy(page->wanted, page->changed, page->n * sizeof *page->wanted);
  for (size_t i = 0; i < page->n_verdicts; i++) page->wanted[page->verdicts[i].of - page->before] = true;
  return memchr(page->wanted, true, page->n) != NULL;
}

// Reads what differs once more, locked: a processor may have written it since.
static bool correct(struct replay_store *rs, struct replay_page *page, struct err *err) {
  const struct replay_counts counts = page->counts;
  for (int tries = 0; tries < AGAIN_TRIES; tries++) {
    enum pg_fault fault = PG_FAULT_WAIT;
    forget(page);
    bool done = transact(rs, page, &fault, err);
    page->counts = counts;
    if (done) return true;
    if (fault != PG_FAULT_AGAIN || !pg_command(rs->conn, "rollback", "ROLLBACK", err)) return false;
  }
  return false;
}

// In one snapshot: a receipt that comes meanwhile must not show without what it did to its notification.
static bool look_unlocked(struct replay_store *rs, struct replay_page *page, struct err *err) {
  return pg_command(rs->conn, "begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) &&
         look(rs, "notification_read.sql", page, NULL, err) && pg_command(rs->conn, "end", "COMMIT", err);
}

bool replay_store_next(struct replay_store *rs, bool change, struct replay_page *out, struct err *err) {
  if (fetch(rs, out, err) && look_unlocked(rs, out, err) &&
      (!change || !keep_differing(out) || correct(rs, out, err)))
    return true;
  replay_page_fini(out);
  return false;
}
