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

static const char *const statements[] = {"notification_hold.sql", "replay_history.sql",
                                         "replay_verdicts.sql"};
static const enum pg_type verdict_types[] = {PG_TEXT, PG_TEXT, PG_UUID, PG_TEXT, PG_TEXT};

// In memory with all that is stored of its notifications. Arrays are in the same order.
struct page {
  const PGresult *keys; // whose the names are
  size_t n;
  struct notification *before, *after;
  bool *changed;                                    // not so where the row is gone
  struct alert *alerts;                             // counts[REPLAY_ALERTS] of them
  struct pgarray verdicts[COUNT_OF(verdict_types)]; // on receipts, otherwise than their rows have them
  int64_t counts[REPLAY_COUNTS];
};

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

static const char *time_text(int64_t ms, char buf[CLOCK_RFC3339_SIZE]) {
  if (ms == INT64_MIN) return "-infinity";
  if (ms == INT64_MAX) return "infinity";
  clock_format_rfc3339(ms, buf);
  return buf;
}

static bool choose(PGconn *conn, const struct replay_options *options, int64_t *n, struct err *err) {
  char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
  const char *const values[] = {time_text(options->from_ms, from), time_text(options->to_ms, to),
                                options->provider};
  AUTO_RESULT *res = pg_run(conn, "replay_choose.sql", 3, values);
  if (!pg_ok(conn, res, "replay_choose", NULL, err)) return false;
  AUTO_RESULT *all = PQexec(conn, "MOVE FORWARD ALL IN chosen");
  if (!pg_ok(conn, all, "count what was chosen", NULL, err)) return false;
  *n = strtoll(PQcmdTuples(all), NULL, 10);
  return pg_command(conn, "go back", "MOVE ABSOLUTE 0 IN chosen", err);
}

// From the choice on, rows are found by their keys.
bool replay_store_begin(const struct replay_store *rs, int64_t *n, struct err *err) {
  return (rs->options->dry_run || lock(rs->conn, err)) && choose(rs->conn, rs->options, n, err) &&
         pg_use_indexes(rs->conn, err) && rows_prepare(rs->conn, statements, COUNT_OF(statements), err);
}

// ---- a page ----

static void page_init(struct page *page, const PGresult *keys) {
  size_t n = (size_t)PQntuples(keys);
  *page = (struct page){.keys = keys, .n = n, .counts[REPLAY_NOTIFICATIONS] = (int64_t)n};
  page->before = mem_array(n + 1, sizeof *page->before);
  page->after = mem_array(n + 1, sizeof *page->after);
  page->changed = mem_array(n + 1, sizeof *page->changed);
  page->alerts = mem_array(n + 1, sizeof *page->alerts);
  rows_begin(page->verdicts, verdict_types, COUNT_OF(verdict_types));
  for (size_t i = 0; i < n; i++)
    notification_init(&page->before[i], PQgetvalue(keys, (int)i, 0), PQgetvalue(keys, (int)i, 1));
}

static void page_fini(struct page *page) {
  for (size_t i = 0; i < page->n; i++) {
    notification_fini(&page->before[i]);
    notification_fini(&page->after[i]);
  }
  for (size_t i = 0; i < COUNT_OF(page->verdicts); i++) pgarray_fini(&page->verdicts[i]);
  alerts_free(page->alerts, (size_t)page->counts[REPLAY_ALERTS]);
  free(page->before);
  free(page->after);
  free(page->changed);
}

// ---- receipts and acceptances ----

static PGresult *read_history(const struct replay_store *rs, const struct page *page) {
  static const enum pg_type types[] = {PG_INT4, PG_TEXT, PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < page->n; i++) {
    if (page->before[i].version == 0) continue;
    pgarray_add_int4(&c[0], (int32_t)i);
    pgarray_add_text(&c[1], page->before[i].provider);
    pgarray_add_text(&c[2], page->before[i].id);
  }
  return rows_run(rs->conn, "replay_history.sql", c, COUNT_OF(types));
}

// The receipts and acceptances of one notification: some rows of replay_history.sql.
struct history {
  const PGresult *res;
  int first; // row
  size_t n;
  struct fact *facts; // own the strings of the signals
  struct signal *signals;
  size_t receipts;
  bool understood; // today's provider file can read all of them
};

enum { RECEIPT_ID = 1, OUTCOME, CODE, VALUE, RECEIVED_AT };

// NULL in a column that an acceptance does not have.
static const char *text_of(const struct history *history, size_t i, int column) {
  int row = history->first + (int)i;
  return PQgetisnull(history->res, row, column) ? NULL : PQgetvalue(history->res, row, column);
}

static void history_init(struct history *history, const struct replay_store *rs,
                         const struct notification *of, const PGresult *res, int first, int end) {
  size_t n = (size_t)(end - first);
  *history = (struct history){.res = res, .first = first, .n = n, .understood = true};
  history->facts = mem_array(n + 1, sizeof *history->facts);
  history->signals = mem_array(n + 1, sizeof *history->signals);
  for (size_t i = 0; i < n; i++) {
    bool is_receipt = text_of(history, i, OUTCOME) != NULL;
    history->understood &= interpret_stored(rs->interpreter, is_receipt ? EVENT_RECEIPT : EVENT_ACCEPTED,
                                            of->provider, text_of(history, i, VALUE),
                                            rows_time(res, first + (int)i, RECEIVED_AT), &history->facts[i]);
    history->signals[i] = history->facts[i].signal;
    history->receipts += is_receipt;
  }
}

static void history_fini(struct history *history) {
  for (size_t i = 0; i < history->n; i++) fact_fini(&history->facts[i]);
  free(history->facts);
  free(history->signals);
}

// ---- building anew ----

static bool has_verdict(const struct history *history, size_t i, const struct signal *signal) {
  return strcmp(text_of(history, i, OUTCOME), signal->outcome) == 0 &&
         strcmp(text_of(history, i, CODE), signal->code) == 0;
}

static void add_verdicts(struct page *page, const struct notification *of, const struct history *history) {
  struct pgarray *c = page->verdicts;
  for (size_t i = 0; i < history->n; i++) {
    const struct signal *signal = &history->signals[i];
    const char *receipt_id = text_of(history, i, RECEIPT_ID);
    struct uuid id;
    if (receipt_id == NULL || has_verdict(history, i, signal)) continue;
    memcpy(&id, receipt_id, sizeof id);
    pgarray_add_text(&c[0], of->provider);
    pgarray_add_text(&c[1], of->id);
    pgarray_add_uuid(&c[2], id);
    pgarray_add_text(&c[3], signal->outcome);
    pgarray_add_text(&c[4], signal->code);
  }
}

static bool is_contradicted_by_receipt(const struct notification *n, const struct history *history) {
  for (size_t i = 0; n->contradicted_by && i < history->n; i++) {
    const char *code = text_of(history, i, CODE);
    if (code && strcmp(code, n->contradicted_by) == 0) return true;
  }
  return false;
}

static void compare(const struct replay_store *rs, struct page *page, size_t place,
                    const struct history *history) {
  const struct notification *before = &page->before[place], *after = &page->after[place];
  enum ledger_alert alert = correction_alert(before->status, after->status);
  page->changed[place] = correction_differs(before, after);
  page->counts[REPLAY_CHANGED] += page->changed[place];
  if (!page->changed[place] || alert == LEDGER_NO_ALERT) return;
  alert_of_correction(&page->alerts[page->counts[REPLAY_ALERTS]++], alert, after, before->status,
                      correction_scope(after, history->signals, history->n), rs->source);
}

static void build(const struct replay_store *rs, struct page *page, size_t place,
                  const struct history *history) {
  const struct notification *before = &page->before[place];
  struct notification *after = &page->after[place];
  bool has_acceptance = history->n > history->receipts;
  if (!providers_find(rs->interpreter->providers, before->provider)) {
    page->counts[REPLAY_WITHOUT_FILE]++;
    return;
  }
  page->counts[REPLAY_RECEIPTS] += (int64_t)history->receipts;
  page->counts[REPLAY_ACCEPTANCES] += (int64_t)(history->n - history->receipts);
  page->counts[REPLAY_UNCLEAR] += !history->understood;
  page->counts[REPLAY_KEPT] += !has_acceptance && correction_needs_acceptance(before);
  if (history->n == 0 || !history->understood) return; // the row stays as it is
  correction_build(after, before, history->signals, history->n);
  if (!has_acceptance && !is_contradicted_by_receipt(before, history))
    correction_keep_contradiction(after, before);
  add_verdicts(page, before, history);
  compare(rs, page, place, history);
}

static void build_all(const struct replay_store *rs, struct page *page, const PGresult *res) {
  int rows = PQntuples(res), row = 0;
  for (size_t i = 0; i < page->n; i++) {
    int first = row;
    while (row < rows && pgvalue_int4(PQgetvalue(res, row, 0)) == (int32_t)i) row++;
    if (page->before[i].version == 0) continue;
    struct history history;
    history_init(&history, rs, &page->before[i], res, first, row);
    build(rs, page, i, &history);
    history_fini(&history);
  }
}

// Reads the notifications and builds them anew. One that was deleted meanwhile keeps version 0.
// In one snapshot: a receipt that comes meanwhile must not show without what it did to its notification. If a
// processor has written a notification since, the write is refused with 40001, and the page is read again.
static bool begin_and_read(const struct replay_store *rs, struct page *page, enum pg_fault *fault,
                           struct err *err) {
  AUTO_PIPELINE pipeline;
  pipeline_begin(&pipeline, rs->conn);
  pipeline_send(&pipeline, "begin", "BEGIN ISOLATION LEVEL REPEATABLE READ");
  size_t step = rows_send_keys(&pipeline, "notification_read.sql", page->before, NULL, page->n);
  if (!pipeline_end(&pipeline, fault, err)) return false;
  rows_read_notifications(pipeline.steps[step].result, page->before, page->n);
  AUTO_RESULT *res = read_history(rs, page);
  if (!pg_ok(rs->conn, res, "replay_history", fault, err)) return false;
  build_all(rs, page, res);
  return true;
}

// ---- correcting ----

static bool write_all(const struct replay_store *rs, struct page *page, enum pg_fault *fault,
                      struct err *err) {
  AUTO_PIPELINE pipeline;
  pipeline_begin(&pipeline, rs->conn);
  if (page->counts[REPLAY_CHANGED])
    rows_send_keys(&pipeline, "notification_hold.sql", page->before, page->changed, page->n);
  rows_send_known(&pipeline, page->after, page->changed, page->n);
  if (page->verdicts[0].rows)
    rows_send(&pipeline, "replay_verdicts.sql", page->verdicts, COUNT_OF(page->verdicts));
  rows_send_alerts(&pipeline, page->alerts, (size_t)page->counts[REPLAY_ALERTS]);
  return pipeline_end(&pipeline, fault, err);
}

static bool transact(const struct replay_store *rs, struct page *page, enum pg_fault *fault,
                     struct err *err) {
  return begin_and_read(rs, page, fault, err) && (rs->options->dry_run || write_all(rs, page, fault, err)) &&
         pg_commit(rs->conn, fault, err);
}

static bool try_page(const struct replay_store *rs, const PGresult *keys, int64_t counts[REPLAY_COUNTS],
                     struct report *report, enum pg_fault *fault, struct err *err) {
  struct page page;
  page_init(&page, keys);
  bool done = transact(rs, &page, fault, err);
  for (size_t i = 0; done && i < page.n; i++)
    if (page.changed[i]) report_add(report, &page.before[i], &page.after[i]);
  for (enum replay_count c = 0; done && c < REPLAY_COUNTS; c++) counts[c] += page.counts[c];
  page_fini(&page);
  return done;
}

bool replay_store_next(const struct replay_store *rs, int64_t counts[REPLAY_COUNTS], struct report *report,
                       struct err *err) {
  AUTO_RESULT *keys = PQexec(rs->conn, "FETCH 500 FROM chosen");
  if (!pg_ok(rs->conn, keys, "fetch what was chosen", NULL, err)) return false;
  for (int tries = 0; tries < AGAIN_TRIES; tries++) {
    enum pg_fault fault = PG_FAULT_WAIT;
    if (try_page(rs, keys, counts, report, &fault, err)) return true;
    if (fault != PG_FAULT_AGAIN || !pg_command(rs->conn, "rollback", "ROLLBACK", err)) return false;
  }
  return false;
}
