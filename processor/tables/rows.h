// SPDX-License-Identifier: MIT
// Statements with columns of values, and the rows of `notification` and `alert` that they read and write.
// Not for: what is in a transaction, or what follows from a row (store, replay_store). Thread: that of the
// connection.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/postgres/pgarray.h"
#include "processor/postgres/pipeline.h"
#include "processor/rules/alert.h"
#include "processor/rules/ledger.h"

enum { ROWS_COLUMNS_MAX = 20 };

// Prepares the statement <name> under its own name, for each of the names.
MUST_CHECK bool rows_prepare(PGconn *conn, const char *const *names, size_t n, struct err *err);

void rows_begin(struct pgarray *columns, const enum pg_type *types, size_t n);
// Where a row's value of that column goes: step 1 into columns of their own, step 0 all into the rows of a
// COPY.
static inline struct pgarray *rows_at(struct pgarray *columns, size_t step, size_t column) {
  return &columns[column * step];
}
// Runs a prepared statement over the columns, which it completes and frees. The result is binary.
PGresult *rows_run(PGconn *conn, const char *statement, struct pgarray *columns, size_t n);
// The same statement, in a pipeline. Returns its step.
size_t rows_send(struct pipeline *pipeline, const char *statement, struct pgarray *columns, size_t n);
// Runs <statement>, a COPY, over the rows, which it completes and frees. One that is there
// already is PG_FAULT_AGAIN.
MUST_CHECK bool rows_copy(PGconn *conn, const char *statement, struct pgarray *rows, enum pg_fault *fault,
                          struct err *err);

char *rows_text(const PGresult *res, int row, int column);   // new string; NULL is NULL
int64_t rows_time(const PGresult *res, int row, int column); // Unix milliseconds; NULL is NO_TIME

// Sends the statement with the keys of those notifications that `wanted` names; NULL: of all. Returns
// its step.
size_t rows_send_keys(struct pipeline *pipeline, const char *statement, const struct notification *list,
                      const bool *wanted, size_t n);
// Fills in those of the list that the result of notification_read.sql has. The list is initialised and in the
// order of its keys, byte by byte.
void rows_read_notifications(const PGresult *res, struct notification *list, size_t n);
// Each writes some of those of the list that `changed` names, as the version after the one it was read as:
// the first those that were not there (version 0), the second all others. PG_FAULT_AGAIN, of the pipeline for
// the second: another processor has written one of them since; roll back and read again.
MUST_CHECK bool rows_copy_new(PGconn *conn, const struct notification *list, const bool *changed, size_t n,
                              enum pg_fault *fault, struct err *err);
void rows_send_known(struct pipeline *pipeline, const struct notification *list, const bool *changed,
                     size_t n);

// Alerts that exist are not changed. rows_insert_alerts() sends them and waits.
void rows_send_alerts(struct pipeline *pipeline, const struct alert *list, size_t n);
MUST_CHECK bool rows_insert_alerts(PGconn *conn, const struct alert *list, size_t n, enum pg_fault *fault,
                                   struct err *err);
// Columns as in alert_read.sql.
void rows_read_alert(const PGresult *res, int row, struct alert *alert);
