// SPDX-License-Identifier: MIT
#include "processor/tables/ask_run.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "processor/postgres/schema_version.h"
#include "processor/tables/rows.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 24 };

void ask_questions_add(struct ask_questions *questions, int64_t number, const char *id, enum ask_said said) {
  size_t n = questions->n;
  if ((n & (n - 1)) == 0) questions->list = mem_grow(questions->list, n ? 2 * n : 1, sizeof *questions->list);
  questions->list[questions->n++] = (struct ask_question){number, mem_strdup(id), said, false};
}

void ask_questions_fini(struct ask_questions *questions) {
  for (size_t i = 0; i < questions->n; i++) free(questions->list[i].id);
  free(questions->list);
  *questions = (struct ask_questions){0};
}

void ask_run_fini(struct ask_run *run) {
  free(run->scope);
  run->scope = NULL;
}

static int64_t number_at(const PGresult *res, int row, int column) {
  return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

PGconn *ask_session_open(struct err *err) {
  static const char *const statements[] = {"ask_question_answered.sql", "ask_question_later.sql",
                                           "ask_receipts_known.sql", "notification_read.sql",
                                           "contact_read.sql"};
  PGconn *conn = pg_connect(err);
  if (conn && pg_command(conn, "session settings", "SET idle_session_timeout = '3min'", err) &&
      pg_use_indexes(conn, err) && schema_version_hold(conn, err) &&
      rows_prepare(conn, statements, COUNT_OF(statements), err))
    return conn;
  PQfinish(conn);
  return NULL;
}

// ---- who asks ----

static bool try_lock(PGconn *conn, const char *name, bool *got, struct err *err) {
  AUTO_RESULT *res = pg_run(conn, "ask_lock.sql", 1, &name);
  if (!pg_ok(conn, res, "lock", NULL, err)) return false;
  *got = *PQgetvalue(res, 0, 0) == 't';
  return true;
}

// A second lock, which the schedule alone holds beside the right.
static bool try_lock_of_schedule(PGconn *conn, const char *provider, bool *got, struct err *err) {
  AUTO_FREE char *name = mem_printf("%s by schedule", provider); // no provider has a space in its name
  return try_lock(conn, name, got, err);
}

bool ask_run_lock(PGconn *conn, const char *provider, enum ask_by by, bool *got, struct err *err) {
  bool second; // an operator's session may be looking for it just now
  if (!try_lock(conn, provider, got, err)) return false;
  return !*got || by == ASK_BY_OPERATOR || try_lock_of_schedule(conn, provider, &second, err);
}

bool ask_run_is_scheduled(PGconn *conn, const char *provider, bool *is_scheduled, struct err *err) {
  bool got;
  if (!try_lock_of_schedule(conn, provider, &got, err)) return false;
  *is_scheduled = !got;
  return true;
}

// ---- what has not ended ----

bool ask_run_read_open(PGconn *conn, const char *provider, const char *about, bool scheduled,
                       struct ask_run *out, bool *found, struct err *err) {
  const char *const values[] = {provider, about, scheduled ? "true" : "false"};
  AUTO_RESULT *res = pg_run(conn, "ask_run_open.sql", (int)COUNT_OF(values), values);
  if (!pg_ok(conn, res, "ask_run_open.sql", NULL, err)) return false;
  *found = PQntuples(res) > 0;
  if (!*found) return true;
  *out = (struct ask_run){.scope = mem_strdup(PQgetvalue(res, 0, 1)),
                          .scheduled = scheduled,
                          .started_at = number_at(res, 0, 2),
                          .not_before_ms = number_at(res, 0, 3),
                          .questions = number_at(res, 0, 4),
                          .requests = number_at(res, 0, 5),
                          .found = number_at(res, 0, 6),
                          .nothing = number_at(res, 0, 7),
                          .differed = number_at(res, 0, 8)};
  return uuid_parse(PQgetvalue(res, 0, 0), &out->id) || err_set(err, "ask_run: a run_id that is no UUID");
}

bool ask_run_read_rounds(PGconn *conn, const char *provider, struct ask_round_seen *out, struct err *err) {
  char now[CLOCK_RFC3339_SIZE];
  int64_t now_ms = clock_wall_ms();
  clock_format_rfc3339(now_ms, now);
  AUTO_RESULT *res = pg_run(conn, "ask_schedule.sql", 2, (const char *const[]){provider, now});
  if (!pg_ok(conn, res, "ask_schedule.sql", NULL, err)) return false;
  *out = (struct ask_round_seen){.now_ms = now_ms,
                                 .is_open = *PQgetvalue(res, 0, 0) == 't',
                                 .asked_ms = number_at(res, 0, 1),
                                 .asked_all_ms = number_at(res, 0, 2),
                                 .turned_ms = number_at(res, 0, 3)};
  return true;
}

bool ask_run_forget(PGconn *conn, const char *provider, int64_t before_ms, struct err *err) {
  char before[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(before_ms, before);
  AUTO_RESULT *res = pg_run(conn, "ask_run_forget.sql", 2, (const char *const[]){provider, before});
  return pg_ok(conn, res, "ask_run_forget.sql", NULL, err);
}

// ---- the beginning ----

static bool insert_run(PGconn *conn, const char *provider, const char *about, const struct ask_run *run,
                       struct err *err) {
  char id[UUID_TEXT_SIZE], started[CLOCK_RFC3339_SIZE], questions[NUMBER_SIZE];
  uuid_format(run->id, id);
  clock_format_rfc3339(run->started_at, started);
  snprintf(questions, sizeof questions, "%" PRId64, run->questions);
  const char *const values[] = {
      id, provider, about, run->scope, started, questions, run->scheduled ? "true" : "false"};
  AUTO_RESULT *res = pg_run(conn, "ask_run_insert.sql", (int)COUNT_OF(values), values);
  return pg_ok(conn, res, "ask_run_insert.sql", NULL, err);
}

static bool copy_questions(PGconn *conn, const struct ask_run *run, const struct ask_questions *questions,
                           struct err *err) {
  enum { A_COPY = 10000 };
  for (size_t from = 0; from < questions->n; from += A_COPY) {
    struct pgarray rows;
    pgarray_copy_begin(&rows);
    for (size_t i = from; i < questions->n && i < from + A_COPY; i++) {
      pgarray_copy_row(&rows, 3);
      pgarray_add_uuid(&rows, run->id);
      pgarray_add_int8(&rows, questions->list[i].number);
      pgarray_add_text(&rows, questions->list[i].id);
    }
    if (!rows_copy(conn, "ask_question_copy.sql", &rows, NULL, err)) return false;
  }
  return true;
}

bool ask_run_begin(PGconn *conn, const char *provider, const char *about, const struct ask_run *run,
                   const struct ask_questions *questions, struct err *err) {
  return pg_command(conn, "begin", "BEGIN", err) && insert_run(conn, provider, about, run, err) &&
         copy_questions(conn, run, questions, err) && pg_commit(conn, NULL, err);
}

bool ask_run_drop_moot(PGconn *conn, const char *provider, const char *about, const struct ask_run *run,
                       struct err *err) {
  char id[UUID_TEXT_SIZE];
  bool is_contact = strcmp(about, "contact") == 0;
  const char *statement = is_contact ? "ask_moot_contacts.sql" : "ask_moot_notifications.sql";
  uuid_format(run->id, id);
  AUTO_RESULT *res = pg_run(conn, statement, 2, (const char *const[]){id, provider});
  return pg_ok(conn, res, statement, NULL, err);
}

static const char *const said_names[] = {[ASK_SAID_UNCLEAR] = "unclear", [ASK_SAID_GONE] = "gone"};

static enum ask_said said_of(const char *name) {
  return strcmp(name, said_names[ASK_SAID_GONE]) == 0 ? ASK_SAID_GONE
         : *name                                      ? ASK_SAID_UNCLEAR
                                                      : ASK_SAID_NOTHING;
}

bool ask_run_read_questions(PGconn *conn, const struct ask_run *run, struct ask_questions *out,
                            struct err *err) {
  char id[UUID_TEXT_SIZE];
  uuid_format(run->id, id);
  AUTO_RESULT *res = pg_run(conn, "ask_question_list.sql", 1, (const char *const[]){id});
  if (!pg_ok(conn, res, "ask_question_list.sql", NULL, err)) return false;
  for (int row = 0; row < PQntuples(res); row++)
    ask_questions_add(out, number_at(res, row, 0), PQgetvalue(res, row, 1), said_of(PQgetvalue(res, row, 2)));
  return true;
}

bool ask_run_read_pause(PGconn *conn, const char *provider, int64_t *not_before_ms, struct err *err) {
  AUTO_RESULT *res = pg_run(conn, "ask_not_before.sql", 1, &provider);
  if (!pg_ok(conn, res, "ask_not_before.sql", NULL, err)) return false;
  *not_before_ms = number_at(res, 0, 0);
  return true;
}

bool ask_run_read_control(PGconn *conn, const char *provider, const struct ask_run *run, char **out,
                          struct err *err) {
  char id[UUID_TEXT_SIZE];
  uuid_format(run->id, id);
  AUTO_RESULT *res = pg_run(conn, "ask_control.sql", 2, (const char *const[]){provider, id});
  if (!pg_ok(conn, res, "ask_control.sql", NULL, err)) return false;
  *out = PQntuples(res) > 0 ? mem_strdup(PQgetvalue(res, 0, 0)) : NULL;
  return true;
}

// ---- how far it is ----

static bool remove_answered(PGconn *conn, const struct ask_run *run, const int64_t *answered, size_t n,
                            struct err *err) {
  static const enum pg_type types[] = {PG_UUID, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  if (n == 0) return true;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    pgarray_add_uuid(&c[0], run->id);
    pgarray_add_int8(&c[1], answered[i]);
  }
  AUTO_RESULT *res = rows_run(conn, "ask_question_answered.sql", c, COUNT_OF(types));
  return pg_ok(conn, res, "ask_question_answered.sql", NULL, err);
}

static bool note_later(PGconn *conn, const struct ask_run *run, const struct ask_question *later, size_t n,
                       struct err *err) {
  static const enum pg_type types[] = {PG_UUID, PG_INT8, PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  if (n == 0) return true;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    if (later[i].said == ASK_SAID_FOUND) continue;
    pgarray_add_uuid(&c[0], run->id);
    pgarray_add_int8(&c[1], later[i].number);
    pgarray_add_text(&c[2], said_names[later[i].said]);
  }
  AUTO_RESULT *res = rows_run(conn, "ask_question_later.sql", c, COUNT_OF(types));
  return pg_ok(conn, res, "ask_question_later.sql", NULL, err);
}

static bool write_run(PGconn *conn, const struct ask_run *run, bool has_ended, struct err *err) {
  char id[UUID_TEXT_SIZE], numbers[5][NUMBER_SIZE];
  const int64_t counts[] = {run->not_before_ms, run->requests, run->found, run->nothing, run->differed};
  uuid_format(run->id, id);
  for (size_t i = 0; i < COUNT_OF(counts); i++)
    snprintf(numbers[i], sizeof numbers[i], "%" PRId64, counts[i]);
  const char *const values[] = {
      id, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], has_ended ? "true" : "false"};
  AUTO_RESULT *res = pg_run(conn, "ask_run_write.sql", (int)COUNT_OF(values), values);
  return pg_ok(conn, res, "ask_run_write.sql", NULL, err);
}

static bool drop_questions(PGconn *conn, const struct ask_run *run, struct err *err) {
  char id[UUID_TEXT_SIZE];
  uuid_format(run->id, id);
  AUTO_RESULT *res = pg_run(conn, "ask_question_drop.sql", 1, (const char *const[]){id});
  return pg_ok(conn, res, "ask_question_drop.sql", NULL, err);
}

bool ask_run_write(PGconn *conn, const struct ask_run *run, const int64_t *answered, size_t n,
                   const struct ask_question *later, size_t n_later, bool has_ended, struct err *err) {
  return pg_command(conn, "begin", "BEGIN", err) && remove_answered(conn, run, answered, n, err) &&
         note_later(conn, run, later, n_later, err) && (!has_ended || drop_questions(conn, run, err)) &&
         write_run(conn, run, has_ended, err) && pg_commit(conn, NULL, err);
}
