// SPDX-License-Identifier: MIT
// The rows of table `incident`, as a batch writes them. Not for: when an incident opens or closes (rules), or
// what its alert says (alert). Thread: that of the connection.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/rules/alert.h"

#define INCIDENT_STATEMENTS                                                                                  \
  "incident_open.sql", "incident_close.sql", "incident_folding.sql", "incident_fold.sql", "incident_lock.sql"

// One that a batch opens or closes.
struct incident_change {
  const struct incident *incident; // borrowed
  const struct fact *fact;         // that causes it, borrowed
  bool is_done;                    // it was opened; or it was open, and is closed now
  struct alert_incident row;       // of one that is done
};

// Both run within the batch's transaction and lock the rows until its end. `list` is in the order of
// incident_compare(), and is_done is false. open(): opens each, or adds its faults to the open one. `now`:
// when the batch reads it, Unix milliseconds.
MUST_CHECK bool incident_open(PGconn *conn, struct incident_change *list, size_t n, int64_t now,
                              enum pg_fault *fault, struct err *err);
MUST_CHECK bool incident_close(PGconn *conn, struct incident_change *list, size_t n, int64_t now,
                               enum pg_fault *fault, struct err *err);

// The providers of incident_folding.sql. *res is the result, with one column.
MUST_CHECK bool incident_folding(PGconn *conn, PGresult **res, enum pg_fault *fault, struct err *err);
// Before any of these providers' incidents is written.
MUST_CHECK bool incident_lock(PGconn *conn, const char *const *providers, size_t n, enum pg_fault *fault,
                              struct err *err);
MUST_CHECK bool incident_fold(PGconn *conn, const char *const *providers, const int64_t *folded, size_t n,
                              enum pg_fault *fault, struct err *err);
