// SPDX-License-Identifier: MIT
#include "processor/postgres/pg.h"
#include "common/base/embedded.h"
#include "common/base/mem.h"
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct embedded embedded_sql[];

void pg_result_cleanup(PGresult **res) {
  PQclear(*res);
}

static void ignore_notice(void *arg, const PGresult *res) {
  (void)arg, (void)res; // "relation already exists, skipping" and the like
}

// Of several servers each has a line.
static void one_line(char *text) {
  size_t len = strlen(text);
  while (len && text[len - 1] == '\n') text[--len] = '\0';
  for (; *text; text++)
    if (*text == '\n' || *text == '\t') *text = ' ';
}

enum { PLACE_OPTIONS_MAX = 96 }; // libpq 15 knows 45

// Options as PQconnectdbParams() takes them. Of a name that is there twice the last one counts.
struct place {
  size_t n;
  const char *names[PLACE_OPTIONS_MAX], *values[PLACE_OPTIONS_MAX]; // ended by NULL; borrowed
};

static void add_option(struct place *place, const char *name, const char *value) {
  if (place->n == PLACE_OPTIONS_MAX - 1) abort();
  place->names[place->n] = name;
  place->values[place->n++] = value;
}

// Everything else is the PG* environment's; these bound how long a dead server can hold a worker.
static void begin_place(struct place *place, const char *target) {
  const char *wanted = getenv("PGTARGETSESSIONATTRS");
  add_option(place, "dbname",
             "application_name=dochak-processor connect_timeout=5 keepalives_idle=10 keepalives_interval=5 "
             "keepalives_count=3 tcp_user_timeout=15000 client_encoding=UTF8");
  add_option(place, "target_session_attrs", wanted ? wanted : target);
}

static PGconn *connect_server(const struct place *place, struct err *err) {
  PGconn *conn = PQconnectdbParams(place->names, place->values, 1);
  if (conn && PQstatus(conn) == CONNECTION_OK) {
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
    return conn;
  }
  AUTO_FREE char *text = mem_strdup(conn ? PQerrorMessage(conn) : "out of memory");
  one_line(text);
  const char *hint = pg_connect_hint(text);
  err_set_class(err, hint ? "access" : pg_class_of(NULL)->name, "cannot connect to Postgres: %s", text);
  (void)err_hint(err, hint);
  PQfinish(conn);
  return NULL;
}

// In any other encoding there are texts that Postgres cannot hold. SQL_ASCII refuses each escape beyond
// ASCII.
static bool check_encoding(const PGconn *conn, struct err *err) {
  const char *encoding = PQparameterStatus(conn, "server_encoding");
  return (encoding && strcmp(encoding, "UTF8") == 0) ||
         err_set_class(
             err, "encoding",
             "the database %s has the encoding %s and needs UTF8, which only a new database can get: "
             "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
             PQdb(conn), encoding ? encoding : "unknown");
}

static bool read_backend(PGconn *conn, long *pid, struct err *err) {
  AUTO_RESULT *res = PQexec(conn, pg_sql("session_backend.sql"));
  if (!pg_ok(conn, res, "look for the server process", NULL, err)) return false;
  *pid = strtol(PQgetvalue(res, 0, 0), NULL, 10);
  return true;
}

// Two statements of one session run in different server processes, or those of two sessions in the same one.
// A pooler gives out the process that was used last, or the one whose turn it is. Another session's
// statement may come between, so a look that finds nothing is repeated.
static bool is_shared(PGconn *conn, PGconn *other, bool *shared, struct err *err) {
  enum { LOOKS = 10 };
  long first, second, others;
  for (int i = 0; i < LOOKS && !*shared; i++) {
    if (!read_backend(conn, &first, err) || !read_backend(conn, &second, err) ||
        !read_backend(other, &others, err))
      return false;
    *shared = first != second || second == others;
  }
  return true;
}

static bool check_pooler(PGconn *conn, const struct place *place, struct err *err) {
  bool shared = false;
  PGconn *other = connect_server(place, err);
  bool done = other && is_shared(conn, other, &shared, err);
  PQfinish(other);
  if (!done) return err_prefix(err, "a second connection through the pooler: ");
  return !shared ||
         err_set_class(
             err, "session",
             "the pooler at %s:%s shares server connections between sessions, which would lose their "
             "locks and settings: set its pool_mode to session for this database, or connect to "
             "Postgres directly",
             PQhost(conn), PQport(conn));
}

// The server reports the process that serves a connection; a pooler between makes a number up.
static bool check_session(PGconn *conn, const struct place *place, struct err *err) {
  long backend;
  if (!read_backend(conn, &backend, err)) return false;
  return backend == PQbackendPID(conn) || check_pooler(conn, place, err);
}

static PGconn *connect_checked(const struct place *place, struct err *err) {
  PGconn *conn = connect_server(place, err);
  if (conn == NULL || (check_encoding(conn, err) && check_session(conn, place, err))) return conn;
  PQfinish(conn);
  return NULL;
}

PGconn *pg_connect(struct err *err) {
  struct place place = {0};
  begin_place(&place, "read-write");
  return connect_checked(&place, err);
}

bool pg_url_check(const char *url, struct err *err) {
  PQconninfoOption *options = PQconninfoParse(url, NULL); // its message would quote the password
  PQconninfoFree(options);
  return options ||
         err_set(err, "not a connection string of libpq, such as postgresql://user:password@host/database");
}

PGconn *pg_connect_to_read(const char *url, struct err *err) {
  struct place place = {0};
  if (!pg_url_check(url, err)) return NULL;
  begin_place(&place, "any");
  PQconninfoOption *options = PQconninfoParse(url, NULL);
  for (const PQconninfoOption *o = options; o && o->keyword; o++)
    if (o->val) add_option(&place, o->keyword, o->val);
  PGconn *conn = connect_checked(&place, err);
  PQconninfoFree(options);
  return conn;
}

const char *pg_sql(const char *name) {
  for (const struct embedded *row = embedded_sql; row->name; row++)
    if (strcmp(row->name, name) == 0) return row->text;
  abort(); // a statement that was never written
}

static bool is_primary_key(const char *index) {
  static const char end[] = "_pkey";
  size_t len = strlen(index), end_len = sizeof end - 1;
  return len > end_len && strcmp(index + len - end_len, end) == 0;
}

// A row that is there already shows a rival if the key is ours. A unique index that somebody added is a rule
// like a constraint.
static const struct pg_class *class_of(const PGresult *res) {
  const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
  const char *index = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
  bool is_rule = sqlstate && strcmp(sqlstate, "23505") == 0 && index && !is_primary_key(index);
  return pg_class_of(is_rule ? "23000" : sqlstate);
}

static bool is_good(const PGresult *res) {
  ExecStatusType status = PQresultStatus(res);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static bool fail(const PGconn *conn, const PGresult *res, const char *what, struct err *err) {
  const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
  const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
  const struct pg_class *class = pg_class_of(sqlstate);
  int len = (int)strcspn(what, "."); // of a statement's name without ".sql"
  if (sqlstate) {
    err_set_class(err, class->name, "%.*s: SQLSTATE %s: %s", len, what, sqlstate, mem_or_empty(message));
    return err_hint(err, class->words);
  }
  const char *cause = PQerrorMessage(conn);
  return err_set_class(err, class->name, "%.*s: connection lost: %.*s", len, what, (int)strcspn(cause, "\n"),
                       cause);
}

// The table whose row was refused: Postgres names it where a constraint refused; else the statement's name
// does, which is <table>_<verb>. Where neither does, the statement.
static char *refused_by(const PGresult *res, const char *what) {
  const char *table = PQresultErrorField(res, PG_DIAG_TABLE_NAME), *verb = strrchr(what, '_');
  if (table) return mem_printf("a row of table %s", table);
  return verb ? mem_printf("a row of table %.*s", (int)(verb - what), what) : mem_strdup(what);
}

// Postgres' own message about a value that it refuses may quote the value.
static bool refuse(const PGresult *res, const char *what, const struct pg_class *class, struct err *err) {
  const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
  AUTO_FREE char *row = refused_by(res, what);
  return err_set_class(err, class->name, "Postgres refused %s: %s%s%s (SQLSTATE %s)", row, class->words,
                       constraint ? ": " : "", constraint ? constraint : "",
                       PQresultErrorField(res, PG_DIAG_SQLSTATE));
}

bool pg_ok(const PGconn *conn, const PGresult *res, const char *what, enum pg_fault *fault, struct err *err) {
  if (is_good(res)) return true;
  const struct pg_class *class = class_of(res);
  if (fault) *fault = class->fault;
  return class->fault == PG_FAULT_REFUSED ? refuse(res, what, class, err) : fail(conn, res, what, err);
}

bool pg_ok_without_values(const PGconn *conn, const PGresult *res, const char *what, struct err *err) {
  return is_good(res) || fail(conn, res, what, err);
}

bool pg_command(PGconn *conn, const char *what, const char *sql, struct err *err) {
  AUTO_RESULT *res = PQexec(conn, sql);
  return pg_ok(conn, res, what, NULL, err);
}

// A table that was never analysed is taken for a small one, and what joins it with a few rows reads it whole
// until autovacuum comes by. A batch of 10,000 lookups looks expensive enough to be compiled, which takes
// longer than the batch.
static const char index_settings[] = "SET enable_seqscan = off;"
                                     "SET enable_hashjoin = off;"
                                     "SET enable_mergejoin = off;"
                                     "SET jit = off";

bool pg_use_indexes(PGconn *conn, struct err *err) {
  return pg_command(conn, "index settings", index_settings, err);
}

PGresult *pg_run(PGconn *conn, const char *statement, int n, const char *const *values) {
  return PQexecParams(conn, pg_sql(statement), n, NULL, values, NULL, NULL, 0);
}

PGresult *pg_receive(PGconn *conn, int ms) {
  struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
  if (PQisBusy(conn)) poll(&fd, 1, ms);
  if (PQconsumeInput(conn) && PQisBusy(conn)) return NULL;
  PGresult *res = PQgetResult(conn);
  PQclear(PQgetResult(conn)); // there is one statement, so this is the end
  return res;
}

bool pg_try_lock(PGconn *conn, const char *name, bool *got, struct err *err) {
  AUTO_RESULT *res = pg_run(conn, "try_lock.sql", 1, &name);
  if (!pg_ok(conn, res, "lock", NULL, err)) return false;
  *got = *PQgetvalue(res, 0, 0) == 't';
  return true;
}

bool pg_commit(PGconn *conn, enum pg_fault *fault, struct err *err) {
  AUTO_RESULT *res = PQexec(conn, "COMMIT");
  if (!pg_ok(conn, res, "commit", fault, err)) return false;
  const char *done = PQcmdStatus((PGresult *)(uintptr_t)res); // libpq's own: it only reads
  return strcmp(done, "COMMIT") == 0 || err_set(err, "commit: the server answered %s", done);
}
