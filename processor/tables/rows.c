// SPDX-License-Identifier: MIT
#include "processor/tables/rows.h"
#include "common/base/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BINARY = 1 };

// ---- statements ----

bool rows_prepare(PGconn *conn, const char *const *names, size_t n, struct err *err) {
  for (size_t i = 0; i < n; i++) {
    AUTO_RESULT *res = PQprepare(conn, names[i], pg_sql(names[i]), 0, NULL);
    if (!pg_ok(conn, res, names[i], NULL, err)) return false;
  }
  return true;
}

void rows_begin(struct pgarray *columns, const enum pg_type *types, size_t n) {
  for (size_t i = 0; i < n; i++) pgarray_init(&columns[i], types[i]);
}

struct parameters {
  const char *values[ROWS_COLUMNS_MAX];
  int n, lengths[ROWS_COLUMNS_MAX], formats[ROWS_COLUMNS_MAX];
};

static struct parameters complete(struct pgarray *columns, size_t n) {
  struct parameters given = {.n = (int)n};
  assert(n <= ROWS_COLUMNS_MAX);
  for (size_t i = 0; i < n; i++) {
    pgarray_finish(&columns[i]);
    given.values[i] = columns[i].bytes;
    given.lengths[i] = (int)columns[i].len;
    given.formats[i] = BINARY;
  }
  return given;
}

static void free_columns(struct pgarray *columns, size_t n) {
  for (size_t i = 0; i < n; i++) pgarray_fini(&columns[i]);
}

PGresult *rows_run(PGconn *conn, const char *statement, struct pgarray *columns, size_t n) {
  struct parameters p = complete(columns, n);
  PGresult *res = PQexecPrepared(conn, statement, p.n, p.values, p.lengths, p.formats, BINARY);
  free_columns(columns, n);
  return res;
}

size_t rows_send(struct pipeline *pipeline, const char *statement, struct pgarray *columns, size_t n) {
  struct parameters p = complete(columns, n);
  size_t step = pipeline_send_prepared(pipeline, statement, p.n, p.values, p.lengths, p.formats);
  free_columns(columns, n);
  return step;
}

static PGresult *copy_bytes(PGconn *conn, const char *sql, const struct pgarray *rows) {
  PGresult *res = PQexec(conn, sql);
  if (PQresultStatus(res) != PGRES_COPY_IN) return res;
  PQclear(res);
  if (PQputCopyData(conn, rows->bytes, (int)rows->len) == 1) PQputCopyEnd(conn, NULL);
  res = PQgetResult(conn); // what went wrong with either stands here, too
  PQclear(PQgetResult(conn));
  return res;
}

bool rows_copy(PGconn *conn, const char *statement, struct pgarray *rows, enum pg_fault *fault,
               struct err *err) {
  pgarray_copy_end(rows);
  AUTO_RESULT *res = copy_bytes(conn, pg_sql(statement), rows);
  pgarray_fini(rows);
  return pg_ok(conn, res, statement, fault, err);
}

static const char *value_or_null(const PGresult *res, int row, int column) {
  return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

char *rows_text(const PGresult *res, int row, int column) {
  const char *value = value_or_null(res, row, column);
  return mem_strdup_or_null(value); // libpq puts a NUL behind binary text, too
}

int64_t rows_time(const PGresult *res, int row, int column) {
  const char *value = value_or_null(res, row, column);
  return value ? pgvalue_time(value) : NO_TIME;
}

// ---- notifications ----

static void read_notification(const PGresult *res, int row, struct notification *n) {
  n->status = status_parse(value_or_null(res, row, 2));
  n->outcome = rows_text(res, row, 3);
  n->code = rows_text(res, row, 4);
  n->reason = rows_text(res, row, 5);
  n->contradicted_by = rows_text(res, row, 6);
  n->channel = rows_text(res, row, 7);
  n->recipient = rows_text(res, row, 8);
  if (PQgetlength(res, row, 9) == PERSONAL_HASH_SIZE)
    memcpy(n->recipient_hash, PQgetvalue(res, row, 9), PERSONAL_HASH_SIZE);
  n->reference = rows_text(res, row, 10);
  n->accepted_at = rows_time(res, row, 11);
  n->resolved_at = rows_time(res, row, 12);
  n->unconfirmed_at = rows_time(res, row, 13);
  n->due_at = rows_time(res, row, 14);
  n->expires_at = rows_time(res, row, 15);
  n->first_seen_at = rows_time(res, row, 16);
  n->version = pgvalue_int4(PQgetvalue(res, row, 17));
  const char *corrected = value_or_null(res, row, 18);
  n->corrected_version = corrected ? pgvalue_int4(corrected) : 0;
  n->next_look_at = rows_time(res, row, 19);
}

static int compare_key(const void *key, const void *element) {
  const struct notification *a = key, *b = element;
  return notification_compare_key(a->provider, a->id, b->provider, b->id);
}

size_t rows_send_keys(struct pipeline *pipeline, const char *statement, const struct notification *list,
                      const bool *wanted, size_t n) {
  static const enum pg_type types[] = {PG_TEXT, PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    if (wanted && !wanted[i]) continue;
    pgarray_add_text(&c[0], list[i].provider);
    pgarray_add_text(&c[1], list[i].id);
  }
  return rows_send(pipeline, statement, c, COUNT_OF(types));
}

void rows_read_notifications(const PGresult *res, struct notification *list, size_t n) {
  for (int row = 0; row < PQntuples(res); row++) {
    struct notification key = {.provider = PQgetvalue(res, row, 0), .id = PQgetvalue(res, row, 1)};
    struct notification *found = bsearch(&key, list, n, sizeof key, compare_key);
    if (found) read_notification(res, row, found);
  }
}

// ---- notifications, written ----

static void add_notification(struct pgarray *c, size_t step, const struct notification *n) {
  pgarray_add_text(rows_at(c, step, 0), n->provider);
  pgarray_add_text(rows_at(c, step, 1), n->id);
  pgarray_add_text(rows_at(c, step, 2), status_name(n->status));
  pgarray_add_text(rows_at(c, step, 3), n->outcome);
  pgarray_add_text(rows_at(c, step, 4), n->code);
  pgarray_add_text(rows_at(c, step, 5), n->reason);
  pgarray_add_text(rows_at(c, step, 6), n->contradicted_by);
  pgarray_add_text(rows_at(c, step, 7), n->channel);
  pgarray_add_text(rows_at(c, step, 8), n->recipient);
  pgarray_add_bytes(rows_at(c, step, 9), n->recipient ? n->recipient_hash : NULL, PERSONAL_HASH_SIZE);
  pgarray_add_text(rows_at(c, step, 10), n->reference);
  pgarray_add_time(rows_at(c, step, 11), n->accepted_at);
  pgarray_add_time(rows_at(c, step, 12), n->resolved_at);
  pgarray_add_time(rows_at(c, step, 13), n->unconfirmed_at);
  pgarray_add_time(rows_at(c, step, 14), n->due_at);
  pgarray_add_time(rows_at(c, step, 15), n->expires_at);
  pgarray_add_time(rows_at(c, step, 16), n->first_seen_at);
  pgarray_add_int4(rows_at(c, step, 17), n->version + 1);
  if (n->corrected_version)
    pgarray_add_int4(rows_at(c, step, 18), n->corrected_version);
  else
    pgarray_add_null(rows_at(c, step, 18));
  pgarray_add_time(rows_at(c, step, 19), n->next_look_at);
}

enum { NOTIFICATION_COLUMNS = 20 };

static bool is_written(const struct notification *n, bool changed, bool is_new) {
  return changed && is_new == (n->version == 0);
}

static size_t count_written(const struct notification *list, const bool *changed, size_t n, bool is_new) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += is_written(&list[i], changed[i], is_new);
  return count;
}

bool rows_copy_new(PGconn *conn, const struct notification *list, const bool *changed, size_t n,
                   enum pg_fault *fault, struct err *err) {
  struct pgarray rows;
  if (count_written(list, changed, n, true) == 0) return true;
  pgarray_copy_begin(&rows);
  for (size_t i = 0; i < n; i++) {
    if (!is_written(&list[i], changed[i], true)) continue;
    pgarray_copy_row(&rows, NOTIFICATION_COLUMNS);
    add_notification(&rows, 0, &list[i]);
  }
  return rows_copy(conn, "notification_copy.sql", &rows, fault, err);
}

void rows_send_known(struct pipeline *pipeline, const struct notification *list, const bool *changed,
                     size_t n) {
  static const enum pg_type types[NOTIFICATION_COLUMNS] = {
      PG_TEXT,        PG_TEXT,        PG_TEXT,        PG_TEXT, PG_TEXT,        PG_TEXT,        PG_TEXT,
      PG_TEXT,        PG_TEXT,        PG_BYTEA,       PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ,
      PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT4, PG_INT4,        PG_TIMESTAMPTZ};
  struct pgarray c[COUNT_OF(types)];
  size_t count = count_written(list, changed, n, false);
  if (count == 0) return;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++)
    if (is_written(&list[i], changed[i], false)) add_notification(c, 1, &list[i]);
  rows_send(pipeline, "notification_write.sql", c, COUNT_OF(types));
  pipeline_expect(pipeline, (long)count);
}

// ---- alerts ----

void rows_send_alerts(struct pipeline *pipeline, const struct alert *list, size_t n) {
  static const enum pg_type types[] = {PG_UUID,        PG_TEXT, PG_TEXT, PG_TEXT, PG_JSONB, PG_TEXT,
                                       PG_TIMESTAMPTZ, PG_TEXT, PG_INT4, PG_INT8, PG_TEXT};
  if (n == 0) return;
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    const struct alert *alert = &list[i];
    pgarray_add_uuid(&c[0], alert->id);
    pgarray_add_text(&c[1], alert->type);
    pgarray_add_text(&c[2], alert->provider);
    pgarray_add_text(&c[3], alert->subject);
    pgarray_add_jsonb(&c[4], alert->json);
    pgarray_add_text(&c[5], alert->traceparent);
    pgarray_add_time(&c[6], alert->raised_at);
    pgarray_add_text(&c[7], alert->source_topic);
    pgarray_add_int4(&c[8], alert->source_partition);
    pgarray_add_int8(&c[9], alert->source_offset);
    pgarray_add_text(&c[10], alert->source_event);
  }
  rows_send(pipeline, "alert_insert.sql", c, COUNT_OF(types));
}

bool rows_insert_alerts(PGconn *conn, const struct alert *list, size_t n, enum pg_fault *fault,
                        struct err *err) {
  AUTO_PIPELINE pipeline;
  pipeline_begin(&pipeline, conn);
  rows_send_alerts(&pipeline, list, n);
  return pipeline_end(&pipeline, fault, err);
}

void rows_read_alert(const PGresult *res, int row, struct alert *alert) {
  *alert = (struct alert){.type = rows_text(res, row, 1),
                          .provider = rows_text(res, row, 2),
                          .subject = rows_text(res, row, 3),
                          .json = rows_text(res, row, 4),
                          .traceparent = rows_text(res, row, 5),
                          .raised_at = rows_time(res, row, 6),
                          .source_topic = rows_text(res, row, 7),
                          .source_partition = pgvalue_int4(PQgetvalue(res, row, 8)),
                          .source_offset = pgvalue_int8(PQgetvalue(res, row, 9)),
                          .source_event = rows_text(res, row, 10)};
  memcpy(&alert->id, PQgetvalue(res, row, 0), sizeof alert->id);
}
