// SPDX-License-Identifier: MIT
// The connections of the query API to Postgres: a few of its own, which only read, opened when they are
// needed. A result is read whole before it is returned, so that a slow client holds no connection. Each
// statement is bounded in time, by the server and by us. Thread: any.
#pragma once
#include "processor/api/problem.h"
#include "processor/postgres/pg.h"

struct pool;

// `url` is borrowed: as of pg_connect_to_read().
struct pool *pool_new(const char *url);
void pool_free(struct pool *pool); // no statement runs

// Runs <statement> with `n` parameters, as text, NULL for SQL's NULL. NULL with a problem, which is logged:
// all connections are in use, Postgres is away, or the statement takes too long.
MUST_CHECK PGresult *pool_run(struct pool *pool, const char *statement, int n, const char *const *values,
                              struct problem *problem);
