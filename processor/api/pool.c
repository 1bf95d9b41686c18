// SPDX-License-Identifier: MIT
#include "processor/api/pool.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/postgres/schema_version.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CONNECTIONS = 4,
  WAIT_MS = 1000,   // for a connection
  ANSWER_MS = 3000, // for a result: longer than the server's own limit below
  LOOK_MS = 100,
};

// lock_timeout: a migration may hold a table. enable_sort: a table that was never analysed is taken for a
// small one, and sorted whole rather than read in the order of an index.
static const char session_settings[] = "SET default_transaction_read_only = on;"
                                       "SET statement_timeout = '2s';"
                                       "SET lock_timeout = '1s';"
                                       "SET enable_sort = off;"
                                       "SET TimeZone = 'UTC'";

struct pool {
  const char *url;
  pthread_mutex_t mutex; // of what follows
  pthread_cond_t given_back;
  PGconn *idle[CONNECTIONS];
  size_t n_idle, n_used;
};

struct pool *pool_new(const char *url) {
  struct pool *pool = mem_alloc(sizeof *pool);
  pool->url = url;
  pthread_mutex_init(&pool->mutex, NULL);
  clock_cond_init(&pool->given_back);
  return pool;
}

void pool_free(struct pool *pool) {
  if (!pool) return;
  while (pool->n_idle) PQfinish(pool->idle[--pool->n_idle]);
  pthread_cond_destroy(&pool->given_back);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}

// ---- one connection ----

static PGconn *open_connection(const struct pool *pool, struct err *err) {
  PGconn *conn = pg_connect_to_read(pool->url, err);
  if (!conn) return NULL;
  if (pg_command(conn, "session settings", session_settings, err) && pg_use_indexes(conn, err) &&
      schema_version_hold(conn, err))
    return conn;
  PQfinish(conn);
  return NULL;
}

struct opening {
  const struct pool *pool;
  struct err *err;
  PGconn *conn;
};

static void *run_opening(void *arg) {
  struct opening *opening = arg;
  opening->conn = open_connection(opening->pool, opening->err);
  return NULL;
}

// In a thread of its own: the look-up of a name and TLS may need more than the 100 KiB of stack that a thread
// of civetweb has.
static PGconn *open_apart(const struct pool *pool, struct err *err) {
  struct opening opening = {.pool = pool, .err = err};
  pthread_t thread;
  int failed = pthread_create(&thread, NULL, run_opening, &opening);
  if (failed)
    err_set(err, "cannot start a thread: %s", strerror(failed));
  else
    pthread_join(thread, NULL);
  return opening.conn;
}

// `*conn` is an open one, or NULL: none was open. False: all are in use.
static bool take_connection(struct pool *pool, PGconn **conn) {
  struct timespec until = clock_timespec_at(clock_mono_ms() + WAIT_MS);
  int waited = 0;
  *conn = NULL;
  pthread_mutex_lock(&pool->mutex);
  while (pool->n_used == CONNECTIONS && waited == 0)
    waited = pthread_cond_timedwait(&pool->given_back, &pool->mutex, &until);
  bool got = pool->n_used < CONNECTIONS;
  if (got) pool->n_used++;
  if (got && pool->n_idle) *conn = pool->idle[--pool->n_idle];
  pthread_mutex_unlock(&pool->mutex);
  return got;
}

// NULL: it was closed.
static void give_back(struct pool *pool, PGconn *conn) {
  pthread_mutex_lock(&pool->mutex);
  pool->n_used--;
  if (conn) pool->idle[pool->n_idle++] = conn;
  pthread_cond_signal(&pool->given_back);
  pthread_mutex_unlock(&pool->mutex);
}

// ---- one statement ----

// NULL: there was no answer in time, or a stop was requested. Then the connection is good for nothing.
static PGresult *ask(PGconn *conn, const char *statement, int n, const char *const *values) {
  int64_t until_ms = clock_mono_ms() + ANSWER_MS;
  PGresult *res = NULL;
  if (!PQsendQueryParams(conn, pg_sql(statement), n, NULL, values, NULL, NULL, 0)) return PQgetResult(conn);
  while (!res && clock_mono_ms() < until_ms && !stop_requested()) res = pg_receive(conn, LOOK_MS);
  return res;
}

// By the server, or on the way to it.
static bool is_closed(const PGconn *conn, const PGresult *res) {
  const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
  return PQstatus(conn) != CONNECTION_OK || (sqlstate && strncmp(sqlstate, "57P", 3) == 0);
}

// By SQLSTATE: what is not there is about the database.
static const struct {
  const char *sqlstate;
  enum problem_kind kind;
} kinds[] = {{"57014", PROBLEM_TOO_SLOW},
             {"55P03", PROBLEM_BUSY},  // a lock
             {"40001", PROBLEM_BUSY}}; // a standby is behind and has to go on

static enum problem_kind kind_of(const PGresult *res) {
  const char *sqlstate = mem_or_empty(PQresultErrorField(res, PG_DIAG_SQLSTATE));
  for (size_t i = 0; i < COUNT_OF(kinds); i++)
    if (strcmp(sqlstate, kinds[i].sqlstate) == 0) return kinds[i].kind;
  return PROBLEM_DATABASE;
}

static void refuse(struct problem *problem, enum problem_kind kind, const struct err *err) {
  static const char *const details[PROBLEM_COUNT] = {
      [PROBLEM_TOO_SLOW] = "the limit is 2 s; ask for a shorter time, or for one provider or status",
      [PROBLEM_BUSY] = "try again in a moment",
      [PROBLEM_DATABASE] = "try again later; the log of the processor says why"};
  problem_set(problem, kind, "%s", details[kind]);
  snprintf(problem->cause, sizeof problem->cause, "%s", err->text);
}

// Runs it on `*conn`, which is NULL afterwards if it is of no more use.
static PGresult *run_on(PGconn **conn, const char *statement, int n, const char *const *values, bool *closed,
                        struct problem *problem) {
  struct err err = {0};
  PGresult *res = ask(*conn, statement, n, values);
  bool good = res && pg_ok(*conn, res, statement, NULL, &err);
  *closed = !good && is_closed(*conn, res);
  if (!good) {
    if (!res) err_set(&err, stop_requested() ? "the processor stops" : "no answer came in time");
    refuse(problem, res ? kind_of(res) : PROBLEM_DATABASE, &err);
  }
  if (*closed || PQtransactionStatus(*conn) != PQTRANS_IDLE) PQfinish(take(*conn));
  if (good) return res;
  PQclear(res);
  return NULL;
}

// `*closed`: it ran on a connection that was open before, and that was closed meanwhile.
static PGresult *try_once(struct pool *pool, const char *statement, int n, const char *const *values,
                          bool *closed, struct problem *problem) {
  struct err err = {0};
  PGconn *conn;
  *closed = false;
  if (!take_connection(pool, &conn)) {
    refuse(problem, PROBLEM_BUSY, &(struct err){.text = "all connections are in use"});
    return NULL;
  }
  bool was_open = conn;
  PGresult *res = NULL;
  if (was_open || (conn = open_apart(pool, &err)))
    res = run_on(&conn, statement, n, values, closed, problem);
  else
    refuse(problem, PROBLEM_DATABASE, &err);
  *closed = *closed && was_open;
  give_back(pool, conn);
  return res;
}

// After a restart of the server all that were open are closed; then a new one is opened.
PGresult *pool_run(struct pool *pool, const char *statement, int n, const char *const *values,
                   struct problem *problem) {
  bool closed = true;
  PGresult *res = NULL;
  for (size_t tries = 0; closed && tries <= CONNECTIONS; tries++)
    res = try_once(pool, statement, n, values, &closed, problem);
  if (!res)
    log_warn_rarely(statement, "query api: a query failed", LOG_STR("query", statement),
                    LOG_STR("error", problem->cause));
  return res;
}
