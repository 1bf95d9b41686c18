// SPDX-License-Identifier: MIT
#include "processor/rows.h"
#include "common/mem.h"
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

PGresult *rows_run(PGconn *conn, const char *statement, struct pgarray *columns, size_t n) {
  const char *values[ROWS_COLUMNS_MAX] = {0};
  int lengths[ROWS_COLUMNS_MAX] = {0}, formats[ROWS_COLUMNS_MAX] = {0};
  assert(n <= ROWS_COLUMNS_MAX);
  for (size_t i = 0; i < n; i++) {
    pgarray_finish(&columns[i]);
    values[i] = columns[i].bytes;
    lengths[i] = (int)columns[i].len;
    formats[i] = BINARY;
  }
  PGresult *res = PQexecPrepared(conn, statement, (int)n, values, lengths, formats, BINARY);
  for (size_t i = 0; i < n; i++) pgarray_fini(&columns[i]);
  return res;
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

void rows_read_notification(const PGresult *res, int row, struct notification *n) {
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
}

static void add_notification(struct pgarray *c, const struct notification *n) {
  pgarray_add_text(&c[0], n->provider);
  pgarray_add_text(&c[1], n->id);
  pgarray_add_text(&c[2], status_name(n->status));
  pgarray_add_text(&c[3], n->outcome);
  pgarray_add_text(&c[4], n->code);
  pgarray_add_text(&c[5], n->reason);
  pgarray_add_text(&c[6], n->contradicted_by);
  pgarray_add_text(&c[7], n->channel);
  pgarray_add_text(&c[8], n->recipient);
  if (n->recipient)
    pgarray_add_bytes(&c[9], n->recipient_hash, PERSONAL_HASH_SIZE);
  else
    pgarray_add_null(&c[9]);
  pgarray_add_text(&c[10], n->reference);
  pgarray_add_time(&c[11], n->accepted_at);
  pgarray_add_time(&c[12], n->resolved_at);
  pgarray_add_time(&c[13], n->unconfirmed_at);
  pgarray_add_time(&c[14], n->due_at);
  pgarray_add_time(&c[15], n->expires_at);
  pgarray_add_time(&c[16], n->first_seen_at);
  pgarray_add_int4(&c[17], n->version + 1);
}

static bool any_changed(const bool *changed, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (changed[i]) return true;
  return false;
}

bool rows_write_notifications(PGconn *conn, const struct notification *list, const bool *changed, size_t n,
                              bool *conflict, enum pg_fault *fault, struct err *err) {
  static const enum pg_type types[] = {
      PG_TEXT,        PG_TEXT,        PG_TEXT,        PG_TEXT,        PG_TEXT,        PG_TEXT,
      PG_TEXT,        PG_TEXT,        PG_TEXT,        PG_BYTEA,       PG_TEXT,        PG_TIMESTAMPTZ,
      PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT4};
  struct pgarray c[COUNT_OF(types)];
  long given = 0;
  *conflict = false;
  if (!any_changed(changed, n)) return true;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    if (!changed[i]) continue;
    add_notification(c, &list[i]);
    given++;
  }
  AUTO_RESULT *res = rows_run(conn, "notification_write.sql", c, COUNT_OF(types));
  if (!pg_ok(conn, res, "notification_write", fault, err)) return false;
  *conflict = strtol(PQcmdTuples(res), NULL, 10) != given;
  return true;
}

// ---- alerts ----

bool rows_insert_alerts(PGconn *conn, const struct alert *list, size_t n, enum pg_fault *fault,
                        struct err *err) {
  static const enum pg_type types[] = {PG_UUID,        PG_TEXT, PG_TEXT, PG_TEXT, PG_JSONB, PG_TEXT,
                                       PG_TIMESTAMPTZ, PG_TEXT, PG_INT4, PG_INT8, PG_TEXT};
  if (n == 0) return true;
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
  AUTO_RESULT *res = rows_run(conn, "alert_insert.sql", c, COUNT_OF(types));
  return pg_ok(conn, res, "alert_insert", fault, err);
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
