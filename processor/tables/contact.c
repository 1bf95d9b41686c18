// SPDX-License-Identifier: MIT
#include "processor/tables/contact.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMNS = 2 };

static void begin_names(struct pgarray c[NAME_COLUMNS]) {
  static const enum pg_type types[NAME_COLUMNS] = {PG_TEXT, PG_TEXT};
  rows_begin(c, types, NAME_COLUMNS);
}

static void add_name(struct pgarray c[NAME_COLUMNS], const char *provider, const char *id) {
  pgarray_add_text(&c[0], provider);
  pgarray_add_text(&c[1], id);
}

static size_t send_names(struct pipeline *pipeline, const char *statement, const char *const *providers,
                         const char *const *ids, size_t n) {
  struct pgarray c[NAME_COLUMNS];
  begin_names(c);
  for (size_t i = 0; i < n; i++) add_name(c, providers[i], ids[i]);
  return rows_send(pipeline, statement, c, NAME_COLUMNS);
}

size_t contact_send_read(struct pipeline *pipeline, const char *const *providers, const char *const *ids,
                         size_t n) {
  // Whatever the database's default is: each statement has to see what was committed while it waited.
  pipeline_send(pipeline, "isolation", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
  send_names(pipeline, "contact_lock.sql", providers, ids, n);
  send_names(pipeline, "contact_hold.sql", providers, ids, n);
  return send_names(pipeline, "contact_read.sql", providers, ids, n);
}

// ---- reading ----

// As in contact_read.sql.
enum column {
  PROVIDER,
  CONTACT_ID,
  PROVIDER_ID,
  DELETED,
  PHONE,
  PHONE_HASH,
  EMAIL,
  EMAIL_HASH,
  CONSENTS,
  SEALED,
  VERSION,
  CHANGED_AT,
  DELETED_VERSION,
  DELETED_AT,
  DELETED_PROVIDER_ID,
  GONE_AT,
  GONE_LEARNED_AT,
  SEEN_AT,
  OTHER_IDS,
  COLUMN_COUNT
};

static void read_hash(const PGresult *res, int row, enum column column, uint8_t out[PERSONAL_HASH_SIZE]) {
  if (PQgetlength(res, row, (int)column) == PERSONAL_HASH_SIZE)
    memcpy(out, PQgetvalue(res, row, (int)column), PERSONAL_HASH_SIZE);
}

static struct contact_mark read_mark(const PGresult *res, int row, enum column version, enum column at,
                                     enum column provider_id) {
  struct contact_mark mark = {.at = rows_time(res, row, (int)at),
                              .asked_at = NO_TIME,
                              .has_version = !PQgetisnull(res, row, (int)version),
                              .provider_id = rows_text(res, row, (int)provider_id)};
  if (mark.has_version) mark.version = pgvalue_int8(PQgetvalue(res, row, (int)version));
  return mark;
}

// Text of JSON; NULL is NULL.
static json_t *read_json(const PGresult *res, int row, enum column column) {
  const char *text = PQgetvalue(res, row, (int)column);
  return PQgetisnull(res, row, (int)column) ? NULL : json_parse(text, strlen(text), NULL);
}

static void read_sealed(const PGresult *res, int row, struct contact_row *out) {
  if (PQgetisnull(res, row, SEALED)) return;
  out->sealed_len = (size_t)PQgetlength(res, row, SEALED);
  out->sealed = mem_alloc(out->sealed_len);
  memcpy(out->sealed, PQgetvalue(res, row, SEALED), out->sealed_len);
}

void contact_read_row(const PGresult *res, int row, struct contact_row *out) {
  contact_row_init(out, PQgetvalue(res, row, PROVIDER), PQgetvalue(res, row, CONTACT_ID));
  out->is_stored = true;
  out->is_deleted = *PQgetvalue(res, row, DELETED) != 0;
  out->upsert = read_mark(res, row, VERSION, CHANGED_AT, PROVIDER_ID);
  out->deletion = read_mark(res, row, DELETED_VERSION, DELETED_AT, DELETED_PROVIDER_ID);
  out->gone_at = rows_time(res, row, GONE_AT);
  out->gone_learned_at = rows_time(res, row, GONE_LEARNED_AT);
  out->upsert.asked_at = rows_time(res, row, SEEN_AT);
  out->other_ids = read_json(res, row, OTHER_IDS);
  if (out->upsert.at == NO_TIME) free(take(out->upsert.provider_id)); // it is the deletion's
  out->details.phone = rows_text(res, row, PHONE);
  out->details.email = rows_text(res, row, EMAIL);
  read_hash(res, row, PHONE_HASH, out->details.phone_hash);
  read_hash(res, row, EMAIL_HASH, out->details.email_hash);
  out->details.consents = read_json(res, row, CONSENTS);
  read_sealed(res, row, out);
}

bool contact_read(PGconn *conn, const char *provider, const char *const *ids, size_t n_ids,
                  struct contact_row **out, size_t *n, struct err *err) {
  struct pgarray c[NAME_COLUMNS];
  begin_names(c);
  for (size_t i = 0; i < n_ids; i++) add_name(c, provider, ids[i]);
  AUTO_RESULT *res = rows_run(conn, "contact_read.sql", c, NAME_COLUMNS);
  if (!pg_ok(conn, res, "contact_read", NULL, err)) return false;
  *n = (size_t)PQntuples(res);
  *out = mem_array(*n + 1, sizeof **out);
  for (size_t i = 0; i < *n; i++) {
    contact_read_row(res, (int)i, &(*out)[i]);
    (*out)[i].provider = provider;
  }
  return true;
}

void contact_free(struct contact_row *rows, size_t n) {
  for (size_t i = 0; i < n; i++) contact_row_fini(&rows[i]);
  free(rows);
}

// ---- encryption ----

// Neither part contains a line feed.
static char *about(const struct contact_row *row) {
  return mem_printf("%s\n%s", row->provider, row->id);
}

void contact_seal(struct contact_row *row, const struct seal_key *key) {
  if (!row->details.whole) return;
  AUTO_FREE char *bound = about(row), *whole = take(row->details.whole);
  free(row->sealed);
  row->sealed =
      seal(key, (struct piece){bound, strlen(bound)}, (struct piece){whole, strlen(whole)}, &row->sealed_len);
}

char *contact_open(const struct contact_row *row, const struct seal_key *key) {
  AUTO_FREE char *bound = about(row);
  if (!row->sealed) return NULL;
  return seal_open(key, (struct piece){bound, strlen(bound)}, (struct piece){row->sealed, row->sealed_len});
}

// ---- writing ----

static void add_version(struct pgarray *column, const struct contact_mark *mark) {
  if (mark->has_version)
    pgarray_add_int8(column, mark->version);
  else
    pgarray_add_null(column);
}

static void add_other_ids(struct pgarray *column, const struct contact_row *row) {
  AUTO_FREE char *ids = row->other_ids ? json_text(row->other_ids) : NULL;
  if (ids)
    pgarray_add_jsonb(column, ids);
  else
    pgarray_add_null(column);
}

static void add_row(struct pgarray *c, const struct contact_row *row) {
  const struct contact_details *details = &row->details;
  AUTO_FREE char *consents = details->consents ? json_text(details->consents) : mem_strdup("{}");
  pgarray_add_text(&c[PROVIDER], row->provider);
  pgarray_add_text(&c[CONTACT_ID], row->id);
  pgarray_add_text(&c[PROVIDER_ID], contact_provider_id(row));
  pgarray_add_int8(&c[DELETED], row->is_deleted);
  pgarray_add_text(&c[PHONE], details->phone);
  pgarray_add_bytes(&c[PHONE_HASH], details->phone ? details->phone_hash : NULL, PERSONAL_HASH_SIZE);
  pgarray_add_text(&c[EMAIL], details->email);
  pgarray_add_bytes(&c[EMAIL_HASH], details->email ? details->email_hash : NULL, PERSONAL_HASH_SIZE);
  pgarray_add_jsonb(&c[CONSENTS], consents);
  pgarray_add_bytes(&c[SEALED], row->sealed, row->sealed_len);
  add_version(&c[VERSION], &row->upsert);
  pgarray_add_time(&c[CHANGED_AT], row->upsert.at);
  add_version(&c[DELETED_VERSION], &row->deletion);
  pgarray_add_time(&c[DELETED_AT], row->deletion.at);
  pgarray_add_text(&c[DELETED_PROVIDER_ID], row->deletion.provider_id);
  pgarray_add_time(&c[GONE_AT], row->gone_at);
  pgarray_add_time(&c[GONE_LEARNED_AT], row->gone_learned_at);
  pgarray_add_time(&c[SEEN_AT], row->upsert.asked_at);
  add_other_ids(&c[OTHER_IDS], row);
}

static void send_removed(struct pipeline *pipeline, const struct contact_row *const *rows, size_t n) {
  struct pgarray c[NAME_COLUMNS];
  begin_names(c);
  for (size_t i = 0; i < n; i++) add_name(c, rows[i]->provider, rows[i]->id);
  rows_send(pipeline, "contact_remove.sql", c, NAME_COLUMNS);
}

static void send_written(struct pipeline *pipeline, const struct contact_row *const *rows, size_t n) {
  static const enum pg_type types[COLUMN_COUNT] = {
      PG_TEXT,  PG_TEXT,        PG_TEXT,        PG_INT8,        PG_TEXT,        PG_BYTEA, PG_TEXT,
      PG_BYTEA, PG_JSONB,       PG_BYTEA,       PG_INT8,        PG_TIMESTAMPTZ, PG_INT8,  PG_TIMESTAMPTZ,
      PG_TEXT,  PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_JSONB};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) add_row(c, rows[i]);
  rows_send(pipeline, "contact_write.sql", c, COUNT_OF(types));
}

void contact_send_rows(struct pipeline *pipeline, const struct contact_row *const *removed, size_t n_removed,
                       const struct contact_row *const *written, size_t n_written) {
  if (n_removed) send_removed(pipeline, removed, n_removed);
  if (n_written) send_written(pipeline, written, n_written);
}
