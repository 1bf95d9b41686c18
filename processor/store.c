// SPDX-License-Identifier: MIT
// One batch, one transaction: insert the receipts (which tells the new ones), read the notifications, let the
// ledger move them, write them back, write the alerts. Two writers of one notification are settled by its
// version: the one that comes second rolls back and starts over from what the first one left.
#include "processor/store.h"
#include "common/clock.h"
#include "common/crash_point.h"
#include "common/mem.h"
#include "processor/processor.h"
#include "processor/rows.h"
#include "processor/schema_version.h"
#include <stdlib.h>
#include <string.h>

enum { AGAIN_TRIES = 8 };

struct store {
  PGconn *conn;
  struct metrics *metrics; // or NULL
};

// What a batch is while it is being stored. Arrays are as long as the batch at most.
struct batch {
  struct fact **facts; // FACT_NOTIFICATION only, by (provider, id), then by place in the batch
  size_t n_facts;
  struct fact **receipts; // of them the receipts, each receipt_id once, by receipt_id
  bool *fresh;            // parallel: Postgres had not seen it
  size_t n_receipts;
  struct notification *notifications; // by (provider, id)
  bool *changed;                      // parallel
  size_t n_notifications;
  struct alert *alerts;
  size_t n_alerts;
};

// ---- opening ----

static const char *const statements[] = {"receipt_insert.sql",     "notification_read.sql",
                                         "notification_write.sql", "alert_insert.sql",
                                         "alert_read.sql",         "alert_told.sql"};

// A commit that is not on disk must not be followed by Kafka's; a frozen worker must not hold its rows for
// ever against the one that took over its partitions. No limit for statements: it would end a commit's wait
// for a synchronous standby, and Postgres calls that a commit, too. Locks are what a statement of ours can
// wait for.
static const char session_settings[] = "SET synchronous_commit = on;"
                                       "SET idle_in_transaction_session_timeout = '10s';"
                                       "SET statement_timeout = 0;"
                                       "SET lock_timeout = '60s'";

struct store *store_open(struct metrics *metrics, struct err *err) {
  PGconn *conn = pg_connect(err);
  if (conn == NULL) return NULL;
  if (!pg_command(conn, "session settings", session_settings, err) || !schema_version_hold(conn, err) ||
      !rows_prepare(conn, statements, COUNT_OF(statements), err)) {
    PQfinish(conn);
    return NULL;
  }
  struct store *store = mem_alloc(sizeof *store);
  *store = (struct store){conn, metrics};
  return store;
}

void store_close(struct store *store) {
  if (store == NULL) return;
  PQfinish(store->conn);
  free(store);
}

PGconn *store_connection(struct store *store) {
  return store->conn;
}

// ---- the batch and its orders ----

static int by_key(const struct fact *a, const struct fact *b) {
  int order = strcmp(a->provider, b->provider);
  return order ? order : strcmp(a->id, b->id);
}

// qsort is not stable, so the place in the batch decides among equals.
struct placed {
  struct fact *fact;
  size_t place;
};

static int by_key_then_place(const void *left, const void *right) {
  const struct placed *a = left, *b = right;
  int order = by_key(a->fact, b->fact);
  return order ? order : (a->place > b->place) - (a->place < b->place);
}

static int by_receipt_then_place(const void *left, const void *right) {
  const struct placed *a = left, *b = right;
  int order = memcmp(&a->fact->receipt_id, &b->fact->receipt_id, sizeof(struct uuid));
  return order ? order : (a->place > b->place) - (a->place < b->place);
}

static size_t pick(struct fact *const *facts, size_t n, bool receipts, struct placed *out) {
  size_t picked = 0;
  for (size_t i = 0; i < n; i++)
    if (facts[i]->type == FACT_NOTIFICATION && (!receipts || facts[i]->element))
      out[picked++] = (struct placed){facts[i], i};
  return picked;
}

static bool same_receipt(const struct fact *a, const struct fact *b) {
  return memcmp(&a->receipt_id, &b->receipt_id, sizeof(struct uuid)) == 0;
}

static void order_batch(struct batch *batch, struct fact *const *facts, size_t n) {
  AUTO_FREE struct placed *order = mem_array(n, sizeof *order);
  batch->facts = mem_array(n, sizeof *batch->facts);
  batch->receipts = mem_array(n, sizeof *batch->receipts);
  batch->fresh = mem_array(n, sizeof *batch->fresh);
  batch->notifications = mem_array(n, sizeof *batch->notifications);
  batch->changed = mem_array(n, sizeof *batch->changed);
  batch->alerts = mem_array(n, sizeof *batch->alerts);

  batch->n_facts = pick(facts, n, false, order);
  qsort(order, batch->n_facts, sizeof *order, by_key_then_place);
  for (size_t i = 0; i < batch->n_facts; i++) batch->facts[i] = order[i].fact;

  size_t receipts = pick(facts, n, true, order);
  qsort(order, receipts, sizeof *order, by_receipt_then_place);
  for (size_t i = 0; i < receipts; i++)
    if (i == 0 || !same_receipt(order[i].fact, order[i - 1].fact))
      batch->receipts[batch->n_receipts++] = order[i].fact;
}

static void batch_fini(struct batch *batch) {
  for (size_t i = 0; i < batch->n_notifications; i++) notification_fini(&batch->notifications[i]);
  free(batch->facts);
  free(batch->receipts);
  free(batch->fresh);
  free(batch->notifications);
  free(batch->changed);
  alerts_free(batch->alerts, batch->n_alerts);
}

// ---- statements ----

static void mark_fresh(struct batch *batch, const PGresult *res) {
  for (int row = 0; row < PQntuples(res); row++) {
    size_t low = 0, high = batch->n_receipts;
    while (low < high) { // the first that is not smaller: what was inserted is there
      size_t middle = (low + high) / 2;
      if (memcmp(&batch->receipts[middle]->receipt_id, PQgetvalue(res, row, 0), sizeof(struct uuid)) < 0)
        low = middle + 1;
      else
        high = middle;
    }
    batch->fresh[low] = true;
  }
}

static bool insert_receipts(struct store *store, struct batch *batch, enum pg_fault *fault, struct err *err) {
  static const enum pg_type types[] = {PG_UUID,  PG_TEXT,        PG_TEXT, PG_TEXT, PG_TEXT,
                                       PG_JSONB, PG_TIMESTAMPTZ, PG_UUID, PG_INT4, PG_INT8};
  if (batch->n_receipts == 0) return true;
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < batch->n_receipts; i++) {
    const struct fact *fact = batch->receipts[i];
    pgarray_add_uuid(&c[0], fact->receipt_id);
    pgarray_add_text(&c[1], fact->provider);
    pgarray_add_text(&c[2], fact->id);
    pgarray_add_text(&c[3], fact->saying.outcome);
    pgarray_add_text(&c[4], fact->code);
    pgarray_add_jsonb(&c[5], fact->element);
    pgarray_add_time(&c[6], fact->ev.time_ms);
    pgarray_add_uuid(&c[7], fact->ev.id);
    pgarray_add_int4(&c[8], fact->rkm->partition);
    pgarray_add_int8(&c[9], fact->rkm->offset);
  }
  AUTO_RESULT *res = rows_run(store->conn, "receipt_insert.sql", c, COUNT_OF(types));
  if (!pg_ok(store->conn, res, "receipt_insert", fault, err)) return false;
  mark_fresh(batch, res);
  return true;
}

static int compare_key(const void *key, const void *element) {
  const struct notification *a = key, *b = element;
  int order = strcmp(a->provider, b->provider);
  return order ? order : strcmp(a->id, b->id);
}

static void fill_rows(struct batch *batch, const PGresult *res) {
  for (int row = 0; row < PQntuples(res); row++) {
    struct notification key = {.provider = PQgetvalue(res, row, 0), .id = PQgetvalue(res, row, 1)};
    struct notification *found =
        bsearch(&key, batch->notifications, batch->n_notifications, sizeof key, compare_key);
    if (found) rows_read_notification(res, row, found);
  }
}

static bool read_notifications(struct store *store, struct batch *batch, enum pg_fault *fault,
                               struct err *err) {
  static const enum pg_type types[] = {PG_TEXT, PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < batch->n_facts; i++) {
    const struct fact *fact = batch->facts[i];
    if (i > 0 && by_key(fact, batch->facts[i - 1]) == 0) continue;
    notification_init(&batch->notifications[batch->n_notifications++], fact->provider, fact->id);
    pgarray_add_text(&c[0], fact->provider);
    pgarray_add_text(&c[1], fact->id);
  }
  AUTO_RESULT *res = rows_run(store->conn, "notification_read.sql", c, COUNT_OF(types));
  if (!pg_ok(store->conn, res, "notification_read", fault, err)) return false;
  fill_rows(batch, res);
  return true;
}

// ---- what the batch means ----

// A repeated receipt, in this batch or an earlier one, has no effect.
static bool counts(const struct batch *batch, const struct fact *fact) {
  if (fact->element == NULL) return true; // acceptances are harmless to repeat by their rules
  size_t low = 0, high = batch->n_receipts;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = memcmp(&batch->receipts[middle]->receipt_id, &fact->receipt_id, sizeof(struct uuid));
    if (order == 0) return batch->receipts[middle] == fact && batch->fresh[middle];
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

static void apply(struct batch *batch, size_t at, const struct fact *fact) {
  struct notification *notification = &batch->notifications[at];
  enum status before = notification->status;
  bool changed = false;
  const struct ledger_rule *rule = ledger_apply(notification, &fact->saying, &changed);
  // A new receipt counts as a change though no field moved: whoever decided meanwhile without it starts over.
  batch->changed[at] |= changed || fact->element;
  if (rule->alert != LEDGER_NO_ALERT)
    alert_of_notification(&batch->alerts[batch->n_alerts++], rule->alert, notification, before, fact);
}

static void apply_all(struct batch *batch) {
  size_t at = 0; // facts and notifications are in the same order
  for (size_t i = 0; i < batch->n_facts; i++) {
    if (i > 0 && by_key(batch->facts[i], batch->facts[i - 1]) != 0) at++;
    if (counts(batch, batch->facts[i])) apply(batch, at, batch->facts[i]);
  }
}

static void alert_quarantined(struct batch *batch, struct fact *const *facts, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (facts[i]->type == FACT_QUARANTINED) alert_of_quarantined(&batch->alerts[batch->n_alerts++], facts[i]);
}

// ---- the transaction ----

static bool transact(struct store *store, struct batch *batch, struct fact *const *facts, size_t n,
                     enum pg_fault *fault, struct err *err) {
  bool conflict = false;
  if (!pg_command(store->conn, "begin", "BEGIN", err)) return false;
  if (batch->n_facts > 0) {
    if (!insert_receipts(store, batch, fault, err) || !read_notifications(store, batch, fault, err))
      return false;
    apply_all(batch);
    if (!rows_write_notifications(store->conn, batch->notifications, batch->changed, batch->n_notifications,
                                  &conflict, fault, err))
      return false;
    if (conflict) {
      *fault = PG_FAULT_AGAIN;
      return err_set_class(err, "conflict", "another processor keeps writing the same notifications");
    }
  }
  alert_quarantined(batch, facts, n);
  if (!rows_insert_alerts(store->conn, batch->alerts, batch->n_alerts, fault, err)) return false;
  CRASH_POINT("before_postgres_commit");
  if (!pg_commit(store->conn, fault, err)) return false;
  CRASH_POINT("after_postgres_commit");
  return true;
}

// What has failed is undone, unless the session has to go anyway.
static bool try_batch(struct store *store, struct fact *const *facts, size_t n, enum pg_fault *fault,
                      struct err *err) {
  struct batch batch = {0};
  *fault = PG_FAULT_WAIT;
  order_batch(&batch, facts, n);
  bool done = transact(store, &batch, facts, n, fault, err);
  batch_fini(&batch);
  if (!done && *fault != PG_FAULT_WAIT && !pg_command(store->conn, "rollback", "ROLLBACK", NULL))
    *fault = PG_FAULT_WAIT;
  return done;
}

enum store_result store_batch(struct store *store, struct fact *const *facts, size_t n, struct err *err) {
  for (int tries = 0; tries < AGAIN_TRIES; tries++) {
    enum pg_fault fault;
    if (try_batch(store, facts, n, &fault, err)) return STORE_DONE;
    if (fault == PG_FAULT_REFUSED) return STORE_REFUSED;
    if (fault == PG_FAULT_WAIT) return STORE_WAIT;
    if (store->metrics) processor_count_retry(store->metrics, "postgres", err);
  }
  return STORE_WAIT;
}

// ---- reading alerts back ----

bool store_alerts(struct store *store, const struct store_range *ranges, size_t n, struct alert **out,
                  size_t *n_out, struct err *err) {
  static const enum pg_type types[] = {PG_TEXT, PG_INT4, PG_INT8, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    pgarray_add_text(&c[0], ranges[i].topic);
    pgarray_add_int4(&c[1], ranges[i].partition);
    pgarray_add_int8(&c[2], ranges[i].first);
    pgarray_add_int8(&c[3], ranges[i].last);
  }
  AUTO_RESULT *res = rows_run(store->conn, "alert_read.sql", c, COUNT_OF(types));
  if (!pg_ok(store->conn, res, "alert_read", NULL, err)) return false;
  int rows = PQntuples(res);
  *out = mem_array((size_t)rows + 1, sizeof **out);
  *n_out = (size_t)rows;
  for (int row = 0; row < rows; row++) rows_read_alert(res, row, &(*out)[row]);
  return true;
}

bool store_told(struct store *store, const struct alert *alerts, size_t n, struct err *err) {
  if (n == 0) return true;
  struct pgarray ids;
  pgarray_init(&ids, PG_UUID);
  for (size_t i = 0; i < n; i++) pgarray_add_uuid(&ids, alerts[i].id);
  AUTO_RESULT *res = rows_run(store->conn, "alert_told.sql", &ids, 1);
  return pg_ok(store->conn, res, "alert_told", NULL, err);
}
