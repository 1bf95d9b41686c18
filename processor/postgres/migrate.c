// SPDX-License-Identifier: MIT
// A migration never queues for a lock for long: the workers would queue behind its ALTER TABLE. So each
// attempt is short, with a pause behind it, and reports which sessions are in the way.
#include "processor/postgres/migrate.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/postgres/pg.h"
#include "processor/postgres/schema_version.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_AFTER_MS = 2000, REPORT_AGAIN_MS = 10000, ANSWER_POLL_MS = 100 };

// Of a migrate that was killed the server learns by the interval, and takes back what it was at.
static const char session_settings[] = "SET lock_timeout = 0;"
                                       "SET statement_timeout = 0;"
                                       "SET client_connection_check_interval = '1s'";

enum attempt {
  ATTEMPT_DONE,
  ATTEMPT_LATER, // another session is in the way; err names it
  ATTEMPT_FAILED,
};

typedef enum attempt attempt_made(PGconn *conn, const struct embedded *migration, struct err *err);

PRINTF_LIKE(1, 2) static void report(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  printf("postgres: ");
  vprintf(fmt, args);
  va_end(args);
  putchar('\n');
  fflush(stdout); // waiting may take long
}

static bool patiently(PGconn *conn, const struct embedded *migration, attempt_made *attempt,
                      struct err *err) {
  struct backoff backoff = {.first_ms = 100, .max_ms = 2000};
  int64_t report_at = clock_mono_ms() + REPORT_AFTER_MS;
  for (;;) {
    enum attempt result = attempt(conn, migration, err);
    if (result != ATTEMPT_LATER) return result == ATTEMPT_DONE;
    if (clock_mono_ms() >= report_at) {
      report("%s", err->text);
      report_at = clock_mono_ms() + REPORT_AGAIN_MS;
    }
    if (stop_wait_ms(backoff_next_ms(&backoff))) return err_prefix(err, "stopped: ");
  }
}

// `who` is a statement that names them.
static enum attempt later(PGconn *conn, const char *what, const char *who, int n, const char *const *values,
                          struct err *err) {
  AUTO_RESULT *res = pg_run(conn, who, n, values);
  if (!pg_ok(conn, res, who, NULL, err)) return ATTEMPT_FAILED;
  const char *names = PQgetvalue(res, 0, 0);
  err_set(err, "%s: %s", what, *names ? names : "gone by now");
  return ATTEMPT_LATER;
}

// ---- one migration ----

// Those that are too old for it must have ended. The locks are kept until it is committed, so that none
// starts meanwhile.
static enum attempt outlive(PGconn *conn, const char *oldest, struct err *err) {
  AUTO_RESULT *res = pg_run(conn, "migration_outlive.sql", 1, &oldest);
  if (!pg_ok(conn, res, "look for programs that are too old", NULL, err)) return ATTEMPT_FAILED;
  if (*PQgetvalue(res, 0, 0) == 't') return ATTEMPT_DONE;
  if (!pg_command(conn, "rollback", "ROLLBACK", err)) return ATTEMPT_FAILED;
  char last[24];
  snprintf(last, sizeof last, "%ld", strtol(oldest, NULL, 10) - 1);
  return later(conn, "waits until programs that are too old for it have ended", "migration_holders.sql", 2,
               (const char *const[]){"1", last}, err);
}

static enum attempt judge(PGconn *conn, const PGresult *res, const char *what, struct err *err) {
  if (pg_ok_without_values(conn, res, what, err)) return ATTEMPT_DONE;
  bool busy = pg_is_busy(PQresultErrorField(res, PG_DIAG_SQLSTATE));
  bool begun = PQtransactionStatus(conn) != PQTRANS_IDLE;
  if (!busy || (begun && !pg_command(conn, "rollback", "ROLLBACK", err))) return ATTEMPT_FAILED;
  return later(conn, "waits for tables that others use", "migration_users.sql", 0, NULL, err);
}

static enum attempt change(PGconn *conn, const char *what, const char *sql, struct err *err) {
  AUTO_RESULT *res = PQexec(conn, sql);
  return judge(conn, res, what, err);
}

static bool record(PGconn *conn, const struct embedded *migration, const char *oldest, struct err *err) {
  const char *const values[] = {migration->name, migration->text, oldest};
  AUTO_RESULT *res = pg_run(conn, "migration_record.sql", COUNT_OF(values), values);
  return pg_ok(conn, res, "record the migration", NULL, err);
}

static enum attempt transact(PGconn *conn, const struct embedded *migration, const char *sql,
                             struct err *err) {
  char oldest[24];
  long version = schema_version_oldest(migration);
  assert(version > 0); // a unit test reads each migration
  snprintf(oldest, sizeof oldest, "%ld", version);
  if (!pg_command(conn, "begin", "BEGIN; SET LOCAL lock_timeout = '500ms'", err)) return ATTEMPT_FAILED;
  enum attempt result = outlive(conn, oldest, err);
  if (result == ATTEMPT_DONE) result = change(conn, "apply", sql, err);
  if (result != ATTEMPT_DONE) return result;
  bool done = record(conn, migration, oldest, err) && pg_commit(conn, NULL, err);
  return done ? ATTEMPT_DONE : ATTEMPT_FAILED;
}

// ---- one index, built while others write ----

// By another session: the first one is busy.
static void report_progress(const struct embedded *migration) {
  struct err err = {0};
  PGconn *conn = pg_connect(&err);
  AUTO_RESULT *res = conn ? pg_run(conn, "migration_progress.sql", 0, NULL) : NULL;
  bool known = conn && pg_ok(conn, res, "look for the progress", NULL, &err);
  const char *progress = known && PQntuples(res) ? PQgetvalue(res, 0, 0) : "done";
  report("%s: builds its index while others write: %s", migration->name, known ? progress : err.text);
  PQfinish(conn);
}

// A stop leaves the server with the statement, which it cancels when it finds the connection closed.
static enum attempt change_slowly(PGconn *conn, const struct embedded *migration, const char *sql,
                                  struct err *err) {
  PGresult *received = NULL;
  int64_t report_at = clock_mono_ms() + REPORT_AFTER_MS;
  bool sent = PQsendQuery(conn, sql);
  while (sent && received == NULL && !stop_requested()) {
    received = pg_receive(conn, ANSWER_POLL_MS);
    if (received || clock_mono_ms() < report_at) continue;
    report_progress(migration);
    report_at = clock_mono_ms() + REPORT_AGAIN_MS;
  }
  AUTO_RESULT *res = received;
  if (res || !sent) return judge(conn, res, "build the index", err);
  err_set(err, "stopped; the next migrate builds the index anew");
  return ATTEMPT_FAILED;
}

// A migrate that died while it built the index has left it, and Postgres uses it for nothing.
static enum attempt drop_invalid(PGconn *conn, const struct embedded *migration, struct err *err) {
  const char *name = strchr(migration->name, '_') + 1;
  AUTO_FREE char *index = mem_strndup(name, strcspn(name, "."));
  AUTO_RESULT *res = pg_run(conn, "migration_invalid.sql", 1, (const char *const[]){index});
  if (!pg_ok(conn, res, "look for an invalid index", NULL, err)) return ATTEMPT_FAILED;
  return PQntuples(res) ? change_slowly(conn, migration, PQgetvalue(res, 0, 0), err) : ATTEMPT_DONE;
}

// The first statement. Its locks are waited for without a limit: writers need not queue behind them. If the
// process dies before the rest of the file is applied, the next migrate finds the index built.
static enum attempt build_index(PGconn *conn, const struct embedded *migration, size_t len, struct err *err) {
  AUTO_FREE char *create = mem_strndup(migration->text, len);
  enum attempt result = drop_invalid(conn, migration, err);
  return result == ATTEMPT_DONE ? change_slowly(conn, migration, create, err) : result;
}

static enum attempt apply(PGconn *conn, const struct embedded *migration, struct err *err) {
  size_t len = schema_version_index_len(migration);
  enum attempt result = len ? build_index(conn, migration, len, err) : ATTEMPT_DONE;
  if (result == ATTEMPT_DONE) result = transact(conn, migration, migration->text + len, err);
  if (result != ATTEMPT_DONE) (void)err_prefix(err, "%s: ", migration->name);
  return result;
}

// ---- all of them ----

static bool is_applied(PGconn *conn, const struct embedded *migration, bool *applied, struct err *err) {
  const char *const values[] = {migration->name, migration->text};
  AUTO_RESULT *res = pg_run(conn, "migration_applied.sql", COUNT_OF(values), values);
  if (!pg_ok(conn, res, "look for the migration", NULL, err)) return false;
  *applied = PQntuples(res) == 1;
  if (!*applied || *PQgetvalue(res, 0, 0) == 't') return true;
  return err_set(err,
                 "%s is not what was applied here on %s: a migration is never changed; put it back and add "
                 "a new one",
                 migration->name, PQgetvalue(res, 0, 1));
}

static bool apply_missing(PGconn *conn, struct err *err) {
  int count = 0;
  for (const struct embedded *m = embedded_migrations; m->name; m++) {
    bool applied = false;
    if (!is_applied(conn, m, &applied, err)) return false;
    if (applied) continue;
    if (!patiently(conn, m, apply, err)) return false;
    report("%s applied", m->name);
    count++;
  }
  report("%d migration%s applied", count, count == 1 ? "" : "s");
  return true;
}

static enum attempt lock(PGconn *conn, const struct embedded *none, struct err *err) {
  (void)none;
  AUTO_RESULT *res = PQexec(conn, pg_sql("migration_lock.sql"));
  if (!pg_ok(conn, res, "lock", NULL, err)) return ATTEMPT_FAILED;
  if (*PQgetvalue(res, 0, 0) == 't') return ATTEMPT_DONE;
  return later(conn, "waits for another migrate", "migration_holders.sql", 2, (const char *const[]){"0", "0"},
               err);
}

// A table that is there is left alone: changing it waits for its readers, a backup for example.
static enum attempt prepare_table(PGconn *conn, const struct embedded *none, struct err *err) {
  (void)none;
  long version = 0;
  if (!schema_version_read(conn, &version, err)) return ATTEMPT_FAILED;
  if (version > 0) return ATTEMPT_DONE;
  return change(conn, "make table schema_migration", pg_sql("migration_table.sql"), err);
}

// Of the role that a setting names. Each of the statements says what a role needs, and whether it could do
// more.
static const struct grant {
  const char *statement, *excess, *right;
} runtime = {"runtime_grants.sql",
             "may change tables: it is a superuser or a member of the owner, or may create in the schema",
             "may read and write, and change no table"},
  api = {
      "api_grants.sql",
      "may do more than read: it is a superuser or a member of the owner, may create in the schema, or may "
      "write rows",
      "may read"};

static bool grant(PGconn *conn, const struct grant *grant, const char *role, struct err *err) {
  if (*role == '\0') return true;
  AUTO_RESULT *res = pg_run(conn, grant->statement, 1, &role);
  if (!pg_ok(conn, res, "look for the role", NULL, err)) return false;
  if (PQntuples(res) == 0)
    return err_set(err, "there is no role %s; as an administrator: CREATE ROLE … LOGIN", role);
  if (*PQgetvalue(res, 0, 0) == 't') return err_set(err, "the role %s %s", role, grant->excess);
  if (!pg_command(conn, "grant", PQgetvalue(res, 0, 1), err)) return false;
  report("%s %s", role, grant->right);
  return true;
}

static bool migrate_connected(PGconn *conn, const struct settings *settings, struct err *err) {
  if (!pg_command(conn, "session settings", session_settings, err) || !patiently(conn, NULL, lock, err) ||
      !patiently(conn, NULL, prepare_table, err) || !apply_missing(conn, err))
    return false;
  if (!grant(conn, &runtime, settings->runtime_role, err)) return err_prefix(err, "DOCHAK_RUNTIME_ROLE: ");
  return grant(conn, &api, settings->api_role, err) || err_prefix(err, "DOCHAK_API_ROLE: ");
}

// Changes nothing. Where no table of migrations is there yet, all are missing.
static bool show_missing(PGconn *conn, struct err *err) {
  long version = 0;
  if (!schema_version_read(conn, &version, err)) return false;
  for (const struct embedded *m = embedded_migrations; m->name; m++) {
    bool applied = false;
    if (version > 0 && !is_applied(conn, m, &applied, err)) return false;
    if (!applied) report("%s would be applied", m->name);
  }
  return true;
}

bool migrate_schema(const struct settings *settings, bool dry_run, struct err *err) {
  PGconn *conn = pg_connect(err);
  if (conn == NULL) return false;
  bool done = dry_run ? show_missing(conn, err) : migrate_connected(conn, settings, err);
  PQfinish(conn); // the lock goes with the connection
  return done;
}
