// SPDX-License-Identifier: MIT
// The rows of table `incident`, as a batch writes them. Not for: when an incident opens or closes (rules), or
// what its alert says (alert). Thread: that of the connection.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/rules/incident.h"

#define INCIDENT_STATEMENTS                                                                                  \
  "incident_open.sql", "incident_close.sql", "incident_folding.sql", "incident_fold.sql"

// Both run within the batch's transaction and lock the rows until its end. `list` is in the order of
// incident_compare(). open(): opens each, or adds its faults to the open one; is_done[i]: it was opened.
// `opened_at`: when the batch reads it, Unix milliseconds. close(): is_done[i]: it was open, and opened_at[i]
// and folded[i] are those of its row.
MUST_CHECK bool incident_open(PGconn *conn, const struct incident *const *list, size_t n, int64_t opened_at,
                              bool *is_done, enum pg_fault *fault, struct err *err);
MUST_CHECK bool incident_close(PGconn *conn, const struct incident *const *list, size_t n, int64_t closed_at,
                               bool *is_done, int64_t *opened_at, int64_t *folded, enum pg_fault *fault,
                               struct err *err);

// The providers of incident_folding.sql. *res is the result, with one column.
MUST_CHECK bool incident_folding(PGconn *conn, PGresult **res, enum pg_fault *fault, struct err *err);
MUST_CHECK bool incident_fold(PGconn *conn, const char *const *providers, const int64_t *folded, size_t n,
                              enum pg_fault *fault, struct err *err);
