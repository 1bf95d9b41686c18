// SPDX-License-Identifier: MIT
// One batch, one transaction: read the notifications, insert the receipts and acceptances (which tells the
// new ones), let the ledger move the notifications, write them back, write the alerts, mark those that were
// published. Statements that do not depend on each other's results are sent in one round trip. New
// notifications and their receipts go in by COPY. Two writers of one notification are settled by its version,
// or by its key where both take it for new: the one that comes second rolls back and starts over from what
// the first one left.
#include "processor/batch/store.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/mem.h"
#include "processor/batch/contacts.h"
#include "processor/batch/incidents.h"
#include "processor/batch/recipients.h"
#include "processor/postgres/schema_version.h"
#include "processor/processor.h"
#include "processor/tables/contact.h"
#include "processor/tables/delivery_minute.h"
#include "processor/tables/endpoint_minute.h"
#include "processor/tables/incident.h"
#include "processor/tables/quarantine.h"
#include "processor/tables/quarantine_alert.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

enum { AGAIN_TRIES = 8 };

struct store {
  PGconn *conn;
  const struct processor *processor; // or NULL: for no batches
};

// What a batch is while it is being stored. Arrays are as long as the batch at most.
struct batch {
  const char *begin;                   // BEGIN, or a savepoint where the transaction has begun already
  struct fact *const *given;           // all facts, as they came
  const struct store_range *published; // whose alerts are marked
  size_t n_given, n_published;
  struct fact **facts;      // about notifications, by (provider, id), then by place in the batch
  struct notification **of; // parallel: what the fact is about
  bool *refused;            // parallel: it names another recipient, and goes to quarantine
  bool *is_new;             // parallel: it has an effect; what is repeated has none
  size_t n_facts;
  struct notification *notifications; // by (provider, id)
  bool *changed;                      // parallel
  size_t n_notifications;
  struct fact **quarantined; // records of the quarantine topic
  struct uuid *fingerprints; // parallel
  size_t n_quarantined;
  struct contacts *contacts;
  struct incidents *incidents;
  struct delivery *late; // counters of the minute in which a notification was accepted, two a fact at most
  size_t n_late;
  // Two a fact at most (of an account fault, about the notification and the incident), and those of contacts.
  struct alert *alerts;
  size_t n_alerts;
};

// ---- opening ----

static const char *const statements[] = {
    "receipt_insert.sql",     "acceptance_insert.sql",     "notification_read.sql",
    "notification_write.sql", "alert_insert.sql",          "alert_read.sql",
    "alert_published.sql",    "quarantine_alert_hold.sql", "quarantine_alert_write.sql",
    "applied_advance.sql",    "delivery_minute_add.sql",   "endpoint_minute_insert.sql",
    "quarantine_insert.sql",  "code_minute_add.sql",       CONTACT_STATEMENTS,
    INCIDENT_STATEMENTS,      RECIPIENTS_STATEMENT};

// A commit that is not on disk must not be followed by Kafka's; a frozen worker must not hold its rows for
// ever against the one that took over its partitions (unless it was frozen while it sent, which has no limit:
// the one that took over waits until it is killed or goes on). No limit for statements: it would end a
// commit's wait for a synchronous standby, and Postgres calls that a commit, too. Locks are what a statement
// of ours can wait for.
static const char session_settings[] = "SET synchronous_commit = on;"
                                       "SET idle_in_transaction_session_timeout = '10s';"
                                       "SET statement_timeout = 0;"
                                       "SET lock_timeout = '60s'";

struct store *store_open(const struct processor *processor, struct err *err) {
  PGconn *conn = pg_connect(err);
  if (conn == NULL) return NULL;
  if (!pg_command(conn, "session settings", session_settings, err) || !schema_version_hold(conn, err) ||
      !rows_prepare(conn, statements, COUNT_OF(statements), err)) {
    PQfinish(conn);
    return NULL;
  }
  struct store *store = mem_alloc(sizeof *store);
  *store = (struct store){conn, processor};
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
  return notification_compare_key(a->provider, a->id, b->provider, b->id);
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

// Among the facts on its notification, which stand together.
static bool is_repeated(const struct batch *batch, size_t at) {
  const struct uuid *id = &batch->facts[at]->row_id;
  for (size_t i = at; i > 0 && batch->of[i - 1] == batch->of[at]; i--)
    if (!batch->refused[i - 1] && memcmp(&batch->facts[i - 1]->row_id, id, sizeof *id) == 0) return true;
  return false;
}

static void order_batch(struct batch *batch) {
  struct fact *const *facts = batch->given;
  size_t n = batch->n_given;
  AUTO_FREE struct placed *order = mem_array(n, sizeof *order);
  batch->facts = mem_array(n, sizeof(struct fact *));
  batch->of = mem_array(n, sizeof(struct notification *));
  batch->refused = mem_array(n, sizeof *batch->refused);
  batch->is_new = mem_array(n, sizeof *batch->is_new);
  batch->notifications = mem_array(n, sizeof *batch->notifications);
  batch->changed = mem_array(n, sizeof *batch->changed);
  batch->quarantined = mem_array(n, sizeof(struct fact *));
  batch->fingerprints = mem_array(n, sizeof *batch->fingerprints);
  batch->late = mem_array(2 * n, sizeof *batch->late);
  batch->contacts = contacts_new(facts, n);
  batch->alerts = mem_array(2 * n, sizeof *batch->alerts);

  for (size_t i = 0; i < n; i++)
    if (fact_is_about_notification(facts[i])) {
      order[batch->n_facts++] = (struct placed){facts[i], i};
    } else if (facts[i]->type == FACT_QUARANTINED) {
      batch->fingerprints[batch->n_quarantined] = alert_fingerprint(facts[i]);
      batch->quarantined[batch->n_quarantined++] = facts[i];
    }
  qsort(order, batch->n_facts, sizeof *order, by_key_then_place);
  for (size_t i = 0; i < batch->n_facts; i++) {
    struct fact *fact = batch->facts[i] = order[i].fact;
    if (i == 0 || by_key(fact, batch->facts[i - 1]) != 0)
      notification_init(&batch->notifications[batch->n_notifications++], fact->provider, fact->id);
    batch->of[i] = &batch->notifications[batch->n_notifications - 1];
  }
}

static void batch_fini(struct batch *batch) {
  for (size_t i = 0; i < batch->n_notifications; i++) notification_fini(&batch->notifications[i]);
  free(batch->facts);
  free(batch->of);
  free(batch->refused);
  free(batch->is_new);
  free(batch->notifications);
  free(batch->changed);
  free(batch->quarantined);
  free(batch->fingerprints);
  free(batch->late);
  contacts_free(batch->contacts);
  incidents_free(batch->incidents);
  alerts_free(batch->alerts, batch->n_alerts);
}

// ---- receipts and acceptances ----

static const enum pg_type receipt_types[] = {PG_UUID,        PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_JSONB,
                                             PG_TIMESTAMPTZ, PG_UUID, PG_TEXT, PG_INT4, PG_INT8};

static void add_source(struct pgarray *c, size_t step, size_t column, const struct fact *fact) {
  pgarray_add_time(rows_at(c, step, column), fact->ev.time_ms);
  pgarray_add_uuid(rows_at(c, step, column + 1), fact->ev.id);
  pgarray_add_text(rows_at(c, step, column + 2), fact->ev.endpoint);
  pgarray_add_int4(rows_at(c, step, column + 3), fact->rkm->partition);
  pgarray_add_int8(rows_at(c, step, column + 4), fact->rkm->offset);
}

static bool judge_receipts(struct store *store, struct batch *batch, enum pg_fault *fault, struct err *err) {
  if (!recipients_compare(store->conn, batch->facts, batch->of, batch->n_facts, batch->refused, fault, err))
    return false;
  for (size_t i = 0; i < batch->n_facts; i++) batch->is_new[i] = !batch->refused[i] && !is_repeated(batch, i);
  return true;
}

static void add_receipt(struct pgarray *c, size_t step, const struct fact *fact) {
  pgarray_add_uuid(rows_at(c, step, 0), fact->row_id);
  pgarray_add_text(rows_at(c, step, 1), fact->provider);
  pgarray_add_text(rows_at(c, step, 2), fact->id);
  pgarray_add_text(rows_at(c, step, 3), fact->signal.outcome);
  pgarray_add_text(rows_at(c, step, 4), fact->signal.code);
  pgarray_add_jsonb(rows_at(c, step, 5), fact->row_json);
  add_source(c, step, 6, fact);
}

static const enum pg_type acceptance_types[] = {PG_UUID, PG_TEXT,  PG_TEXT,        PG_JSONB,
                                                PG_TEXT, PG_BYTEA, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ,
                                                PG_UUID, PG_TEXT,  PG_INT4,        PG_INT8};

static void add_acceptance(struct pgarray *c, size_t step, const struct fact *fact) {
  pgarray_add_uuid(rows_at(c, step, 0), fact->row_id);
  pgarray_add_text(rows_at(c, step, 1), fact->provider);
  pgarray_add_text(rows_at(c, step, 2), fact->id);
  pgarray_add_jsonb(rows_at(c, step, 3), fact->row_json);
  pgarray_add_text(rows_at(c, step, 4), fact->signal.recipient);
  pgarray_add_bytes(rows_at(c, step, 5), fact->signal.recipient ? fact->signal.recipient_hash : NULL,
                    PERSONAL_HASH_SIZE);
  pgarray_add_time(rows_at(c, step, 6), fact->signal.at);
  add_source(c, step, 7, fact);
}

// Both are kept once, however often they come.
static const struct table {
  enum fact_type of;
  const char *insert, *copy;
  const enum pg_type *types;
  size_t n_types;
  void (*add)(struct pgarray *columns, size_t step, const struct fact *fact);
} tables[] = {
    {FACT_RECEIPT, "receipt_insert.sql", "receipt_copy.sql", receipt_types, COUNT_OF(receipt_types),
     add_receipt},
    {FACT_ACCEPTANCE, "acceptance_insert.sql", "acceptance_copy.sql", acceptance_types,
     COUNT_OF(acceptance_types), add_acceptance},
};

// The places in the batch of a table's facts on notifications that are there, or on those that are not.
static size_t pick(const struct batch *batch, const struct table *table, bool known, size_t *out) {
  size_t n = 0;
  for (size_t i = 0; i < batch->n_facts; i++) {
    bool fits = batch->facts[i]->type == table->of && known == (batch->of[i]->version > 0);
    if (fits && batch->is_new[i]) out[n++] = i;
  }
  return n;
}

// Only those that came back are new. They come in the order in which they were given; if they ever do not,
// the search goes on from the start.
static void keep_fresh(struct batch *batch, const size_t *given, size_t n, const PGresult *res) {
  size_t next = 0;
  for (size_t i = 0; i < n; i++) batch->is_new[given[i]] = false;
  for (int row = 0; row < PQntuples(res); row++) {
    const char *id = PQgetvalue(res, row, 0);
    while (memcmp(&batch->facts[given[next]]->row_id, id, sizeof(struct uuid)) != 0) next = (next + 1) % n;
    batch->is_new[given[next]] = true;
  }
}

static bool insert(struct store *store, struct batch *batch, const struct table *table, const size_t *given,
                   size_t n, enum pg_fault *fault, struct err *err) {
  struct pgarray c[ROWS_COLUMNS_MAX];
  if (n == 0) return true;
  rows_begin(c, table->types, table->n_types);
  for (size_t i = 0; i < n; i++) table->add(c, 1, batch->facts[given[i]]);
  AUTO_RESULT *res = rows_run(store->conn, table->insert, c, table->n_types);
  if (!pg_ok(store->conn, res, table->insert, fault, err)) return false;
  keep_fresh(batch, given, n, res);
  return true;
}

static bool copy(struct store *store, struct batch *batch, const struct table *table, const size_t *given,
                 size_t n, enum pg_fault *fault, struct err *err) {
  struct pgarray rows;
  if (n == 0) return true;
  pgarray_copy_begin(&rows);
  for (size_t i = 0; i < n; i++) {
    pgarray_copy_row(&rows, table->n_types);
    table->add(&rows, 0, batch->facts[given[i]]);
  }
  return rows_copy(store->conn, table->copy, &rows, fault, err);
}

// A notification that is not there has neither, unless it was deleted without them: `again` looks.
static bool add_to(struct store *store, struct batch *batch, const struct table *table, bool again,
                   enum pg_fault *fault, struct err *err) {
  AUTO_FREE size_t *given = mem_array(batch->n_facts, sizeof *given);
  size_t n = pick(batch, table, true, given);
  if (!insert(store, batch, table, given, n, fault, err)) return false;
  n = pick(batch, table, false, given);
  return (again ? insert : copy)(store, batch, table, given, n, fault, err);
}

static bool add_rows(struct store *store, struct batch *batch, bool again, enum pg_fault *fault,
                     struct err *err) {
  for (size_t i = 0; i < COUNT_OF(tables); i++)
    if (!add_to(store, batch, &tables[i], again, fault, err)) return false;
  return true;
}

// ---- what the batch means ----

// The minute in which a notification was accepted counts it twice: when it is known, and when its first
// receipt came in time. Both events come in any order: of a notification that was reported before, the
// receipt is what it was first seen by.
static void count_acceptance(struct batch *batch, const struct notification *n, bool was_accepted,
                             int64_t reported_at, const struct fact *fact) {
  bool is_reported = n->resolved_at != NO_TIME || n->unconfirmed_at != NO_TIME;
  bool was_reported = reported_at != NO_TIME;
  if (n->accepted_at == NO_TIME || (was_accepted && was_reported)) return;
  if (!was_accepted)
    batch->late[batch->n_late++] =
        (struct delivery){.fact = fact, .outcome = "taken", .at = n->accepted_at, .records = 1};
  if (!was_reported) reported_at = fact->signal.received_at;
  if (is_reported && fact->type != FACT_DEADLINE &&
      reported_at - n->accepted_at <= fact->signal.receipt_within_ms)
    batch->late[batch->n_late++] =
        (struct delivery){.fact = fact, .outcome = "in_time", .at = n->accepted_at, .records = 1};
}

static void raise_alert(struct batch *batch, enum ledger_alert kind, const struct notification *notification,
                        enum status before, const struct fact *fact) {
  if (kind == LEDGER_NO_ALERT) return;
  if (kind == LEDGER_OVERDUE && incidents_fold(batch->incidents, notification->provider)) return;
  alert_of_notification(&batch->alerts[batch->n_alerts++], kind, notification, before, fact);
}

// False: a deadline that says nothing new. Every other new fact marks its notification as changed, even if no
// field moved: a worker that read the notification before this fact then starts over.
static bool apply(struct batch *batch, struct notification *notification, const struct fact *fact) {
  enum status before = notification->status;
  bool was_accepted = notification->accepted_at != NO_TIME, changed = false;
  bool was_reported = notification->resolved_at != NO_TIME || notification->unconfirmed_at != NO_TIME;
  int64_t reported_at = was_reported ? notification->first_seen_at : NO_TIME;
  const struct ledger_rule *rule = ledger_apply(notification, &fact->signal, &changed);
  if (fact->type == FACT_DEADLINE && !changed) return false;
  batch->changed[notification - batch->notifications] = true;
  count_acceptance(batch, notification, was_accepted, reported_at, fact);
  raise_alert(batch, rule->alert, notification, before, fact);
  if (fact->signal.scope) incidents_add_fault(batch->incidents, fact);
  return true;
}

static void apply_all(struct batch *batch) {
  for (size_t i = 0; i < batch->n_facts; i++)
    if (batch->is_new[i]) batch->is_new[i] = apply(batch, batch->of[i], batch->facts[i]);
}

// Of contacts: as many as there are, beside the two a fact.
static void take_alerts(struct batch *batch) {
  AUTO_FREE struct alert *list;
  size_t n = contacts_take_alerts(batch->contacts, &list);
  if (n == 0) return;
  batch->alerts = mem_grow(batch->alerts, 2 * batch->n_given + n, sizeof *batch->alerts);
  memcpy(batch->alerts + batch->n_alerts, list, n * sizeof *list);
  batch->n_alerts += n;
}

// ---- what each record counts as ----

// By channel and code only what is new.
static struct delivery delivery_of(const struct batch *batch, size_t i) {
  const struct fact *fact = batch->facts[i];
  const char *channel = fact->signal.channel;
  if (!batch->is_new[i])
    return (struct delivery){.fact = fact, .outcome = "repeated", .at = fact->ev.time_ms, .records = 1};
  return (struct delivery){.fact = fact,
                           .outcome = fact_outcome(fact),
                           .channel = channel ? channel : batch->of[i]->channel,
                           .code = mem_or_empty(fact->signal.code),
                           .at = fact->ev.time_ms,
                           .records = 1};
}

// Not what is unclear or refused: it comes again, from the quarantine topic. Nor a deadline that says
// nothing.
static size_t list_deliveries(const struct batch *batch, struct delivery *list) {
  struct fact *const *facts = batch->given;
  size_t count = 0;
  for (size_t i = 0; i < batch->n_facts; i++)
    if (!batch->refused[i] && (batch->is_new[i] || batch->facts[i]->type != FACT_DEADLINE))
      list[count++] = delivery_of(batch, i);
  for (size_t i = 0; i < batch->n_given; i++)
    if (facts[i]->type == FACT_OTHER || facts[i]->type == FACT_CONTACT)
      list[count++] =
          (struct delivery){.fact = facts[i], .outcome = "other", .at = facts[i]->ev.time_ms, .records = 1};
    else if (facts[i]->type == FACT_QUARANTINED)
      list[count++] = (struct delivery){.fact = facts[i],
                                        .outcome = fact_outcome(facts[i]),
                                        .at = alert_quarantined_at(facts[i]),
                                        .records = 1};
  return count;
}

static void send_counts(struct pipeline *pipeline, const struct batch *batch, const PGresult *advanced) {
  AUTO_FREE struct delivery *list = mem_array(batch->n_given + batch->n_late, sizeof *list);
  size_t n = list_deliveries(batch, list);
  for (size_t i = 0; i < batch->n_late; i++) list[n++] = batch->late[i];
  delivery_minute_send(pipeline, list, n, advanced);
}

// ---- what was published ----

enum { RANGE_COLUMNS = 4 };

static void add_ranges(struct pgarray c[RANGE_COLUMNS], const struct store_range *ranges, size_t n) {
  static const enum pg_type types[RANGE_COLUMNS] = {PG_TEXT, PG_INT4, PG_INT8, PG_INT8};
  rows_begin(c, types, RANGE_COLUMNS);
  for (size_t i = 0; i < n; i++) {
    pgarray_add_text(&c[0], ranges[i].topic);
    pgarray_add_int4(&c[1], ranges[i].partition);
    pgarray_add_int8(&c[2], ranges[i].first);
    pgarray_add_int8(&c[3], ranges[i].last);
  }
}

static void send_marks(struct pipeline *pipeline, const struct store_range *published, size_t n) {
  struct pgarray c[RANGE_COLUMNS];
  add_ranges(c, published, n);
  rows_send(pipeline, "alert_published.sql", c, RANGE_COLUMNS);
}

bool store_mark(struct store *store, const struct store_range *published, size_t n, struct err *err) {
  AUTO_PIPELINE pipeline;
  pipeline_begin(&pipeline, store->conn);
  if (n > 0) send_marks(&pipeline, published, n);
  return pipeline_end(&pipeline, NULL, err);
}

bool store_count_unpublished(struct store *store, int64_t *n, struct err *err) {
  AUTO_RESULT *res = pg_run(store->conn, "alert_unpublished.sql", 0, NULL);
  if (!pg_ok(store->conn, res, "alert_unpublished", NULL, err)) return false;
  *n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
  return true;
}

// ---- the transaction ----

// *advanced: the step of `read` that says what was counted before. *contacts: that of their rows.
static bool begin_and_read(struct store *store, struct batch *batch, struct pipeline *read, size_t *advanced,
                           size_t *contacts, enum pg_fault *fault, struct err *err) {
  pipeline_begin(read, store->conn);
  pipeline_send(read, "begin", batch->begin);
  *contacts = contacts_send_read(batch->contacts, read);
  *advanced = delivery_minute_send_advance(read, batch->given, batch->n_given);
  size_t step =
      rows_send_keys(read, "notification_read.sql", batch->notifications, NULL, batch->n_notifications);
  if (!pipeline_end(read, fault, err)) return false;
  rows_read_notifications(read->steps[step].result, batch->notifications, batch->n_notifications);
  return true;
}

static bool write_rest(struct store *store, struct batch *batch, const PGresult *advanced,
                       enum pg_fault *fault, struct err *err) {
  AUTO_RESULT *held = NULL;
  size_t n = batch->n_quarantined;
  if (n > 0 && !quarantine_alert_hold(store->conn, batch->fingerprints, n, &held, fault, err)) return false;
  AUTO_PIPELINE rest;
  pipeline_begin(&rest, store->conn);
  rows_send_known(&rest, batch->notifications, batch->changed, batch->n_notifications);
  if (n > 0)
    quarantine_alert_send(&rest, batch->quarantined, batch->fingerprints, n, held, advanced, batch->alerts,
                          &batch->n_alerts);
  contacts_send(batch->contacts, &rest, store->processor);
  rows_send_alerts(&rest, batch->alerts, batch->n_alerts);
  send_counts(&rest, batch, advanced);
  endpoint_minute_send(&rest, batch->given, batch->n_given);
  quarantine_send(&rest, batch->quarantined, n);
  if (batch->n_published) send_marks(&rest, batch->published, batch->n_published);
  return pipeline_end(&rest, fault, err);
}

static bool write_all(struct store *store, struct batch *batch, bool again, enum pg_fault *fault,
                      struct err *err) {
  AUTO_PIPELINE read;
  size_t advanced, contacts;
  if (!begin_and_read(store, batch, &read, &advanced, &contacts, fault, err) ||
      !judge_receipts(store, batch, fault, err) || !add_rows(store, batch, again, fault, err))
    return false;
  batch->incidents = incidents_new(store->conn, batch->given, batch->n_given, fault, err);
  if (!batch->incidents) return false;
  apply_all(batch);
  contacts_join(batch->contacts, read.steps[contacts].result, store->processor);
  take_alerts(batch);
  return rows_copy_new(store->conn, batch->notifications, batch->changed, batch->n_notifications, fault,
                       err) &&
         incidents_write(batch->incidents, store->conn, batch->alerts, &batch->n_alerts, fault, err) &&
         write_rest(store, batch, read.steps[advanced].result, fault, err);
}

static bool transact(struct store *store, struct batch *batch, bool again, enum pg_fault *fault,
                     struct err *err) {
  if (!write_all(store, batch, again, fault, err)) return false;
  CRASH_POINT("before_postgres_commit");
  if (!pg_commit(store->conn, fault, err)) return false;
  CRASH_POINT("after_postgres_commit");
  return true;
}

// Not before the commit: what is tried again is compared anew.
static void refuse(const struct batch *batch) {
  for (size_t i = 0; i < batch->n_facts; i++) {
    if (!batch->refused[i]) continue;
    AUTO_FREE char *why = recipients_reason(batch->facts[i]);
    fact_refuse(batch->facts[i], why);
  }
}

// What has failed is undone, unless the session has to go anyway.
static bool try_batch(struct store *store, struct batch batch, bool again, enum pg_fault *fault,
                      struct err *err) {
  *fault = PG_FAULT_WAIT;
  order_batch(&batch);
  bool done = transact(store, &batch, again, fault, err);
  if (done) refuse(&batch);
  if (done) contacts_count(batch.contacts, store->processor->metrics);
  batch_fini(&batch);
  if (!done && *fault != PG_FAULT_WAIT && !pg_command(store->conn, "rollback", "ROLLBACK", NULL))
    *fault = PG_FAULT_WAIT;
  return done;
}

enum store_result store_batch(struct store *store, struct fact *const *facts, size_t n,
                              const struct store_range *published, size_t n_published, struct err *err) {
  const struct batch batch = {
      .begin = "BEGIN", .given = facts, .n_given = n, .published = published, .n_published = n_published};
  for (int tries = 0; tries < AGAIN_TRIES; tries++) {
    enum pg_fault fault;
    if (try_batch(store, batch, tries > 0, &fault, err)) return STORE_DONE;
    if (fault == PG_FAULT_REFUSED) return STORE_REFUSED;
    if (fault == PG_FAULT_WAIT) return STORE_WAIT;
    processor_count_retry(store->processor->metrics, "postgres", err);
  }
  return STORE_WAIT;
}

// ---- the probe ----

enum { PROBE_FACTS = 4, NO_PARTITION = -1 }; // it counts and marks nothing of a partition that exists

static void make_harmless(struct fact facts[PROBE_FACTS], struct contact_said *said,
                          const rd_kafka_message_t *rkm, bool is_delivered) {
  static char name[] = "dochak.probe", object[] = "{}";
  struct event ev = {.id = uuid_new_v7(), .type = EVENT_QUARANTINED, .time_ms = clock_wall_ms()};
  facts[0] = (struct fact){.rkm = rkm,
                           .ev = ev,
                           .type = FACT_RECEIPT,
                           .provider = name,
                           .id = name,
                           .row_json = object,
                           .row_id = uuid_new_v7(),
                           .signal = {.kind = is_delivered ? SIGNAL_DELIVERED : SIGNAL_FAILED,
                                      .outcome = is_delivered ? "delivered" : "failed",
                                      .code = "0",
                                      .at = ev.time_ms,
                                      .received_at = ev.time_ms}};
  facts[1] = (struct fact){.rkm = rkm,
                           .ev = ev,
                           .type = FACT_ACCEPTANCE,
                           .provider = name,
                           .id = name,
                           .row_json = object,
                           .row_id = uuid_new_v7(),
                           .signal = {.kind = SIGNAL_ACCEPTED, .at = ev.time_ms, .received_at = ev.time_ms}};
  facts[2] = (struct fact){.rkm = rkm, .ev = ev, .type = FACT_QUARANTINED};
  *said = (struct contact_said){.id = name, .mark = {.at = ev.time_ms + is_delivered, .asked_at = NO_TIME}};
  facts[3] = (struct fact){
      .rkm = rkm, .ev = ev, .type = FACT_CONTACT, .provider = name, .id = name, .contact = said};
}

// Twice: what is known is written by other statements than what is new, and its alert can be marked.
static bool write_harmless(struct store *store, rd_kafka_topic_t *topic, enum pg_fault *fault,
                           struct err *err) {
  const struct store_range published = {rd_kafka_topic_name(topic), NO_PARTITION, 0, 0};
  bool done = true;
  for (int is_known = 0; done && is_known <= 1; is_known++) {
    const rd_kafka_message_t rkm = {.rkt = topic, .partition = NO_PARTITION, .offset = is_known};
    struct fact facts[PROBE_FACTS], *list[PROBE_FACTS] = {&facts[0], &facts[1], &facts[2], &facts[3]};
    struct contact_said said;
    struct batch batch = {.begin = is_known ? "SAVEPOINT known" : "BEGIN",
                          .given = list,
                          .n_given = PROBE_FACTS,
                          .published = &published,
                          .n_published = 1};
    make_harmless(facts, &said, &rkm, is_known);
    order_batch(&batch);
    done = write_all(store, &batch, false, fault, err);
    batch_fini(&batch);
  }
  return done;
}

static bool check_deferred(struct store *store, enum pg_fault *fault, struct err *err) {
  AUTO_RESULT *res = PQexec(store->conn, "SET CONSTRAINTS ALL IMMEDIATE");
  return pg_ok(store->conn, res, "commit", fault, err);
}

enum store_result store_probe(struct store *store, rd_kafka_topic_t *topic, struct err *err) {
  enum pg_fault fault = PG_FAULT_WAIT;
  bool taken = write_harmless(store, topic, &fault, err) && check_deferred(store, &fault, err);
  if (!pg_command(store->conn, "rollback", "ROLLBACK", taken ? err : NULL)) return STORE_WAIT;
  if (taken) return STORE_DONE;
  return fault == PG_FAULT_REFUSED ? STORE_REFUSED : STORE_WAIT;
}

// ---- reading alerts back ----

bool store_alerts(struct store *store, const struct store_range *ranges, size_t n, struct alert **out,
                  size_t *n_out, struct err *err) {
  struct pgarray c[RANGE_COLUMNS];
  add_ranges(c, ranges, n);
  AUTO_RESULT *res = rows_run(store->conn, "alert_read.sql", c, RANGE_COLUMNS);
  if (!pg_ok(store->conn, res, "alert_read", NULL, err)) return false;
  int rows = PQntuples(res);
  *out = mem_array((size_t)rows + 1, sizeof **out);
  *n_out = (size_t)rows;
  for (int row = 0; row < rows; row++) rows_read_alert(res, row, &(*out)[row]);
  return true;
}
