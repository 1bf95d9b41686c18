// SPDX-License-Identifier: MIT
// What a batch does with incidents: the account faults in it open one, or are counted into it; the watch's
// events open and close them; while one is open, overdue notifications of its provider raise no alert of
// their own. All of it is part of the batch's transaction. Not for: when the watch opens and closes one.
// Thread: one worker each.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/rules/alert.h"

struct incidents;

// Zeroed facts are none. Reads which providers fold their overdue notifications, if a fact of the batch may
// be one. NULL: `fault` and `err` say why.
MUST_CHECK struct incidents *incidents_new(PGconn *conn, struct fact *const *facts, size_t n,
                                           enum pg_fault *fault, struct err *err);
void incidents_free(struct incidents *incidents);

// Whether an overdue notification of this provider raises no alert; then it is counted into the incident.
bool incidents_fold(struct incidents *incidents, const char *provider);
// An account fault that is new. Its fact is borrowed.
void incidents_add_fault(struct incidents *incidents, const struct fact *fact);
// Writes all, with how many were folded, and appends an alert for each that opens or closes to `alerts`,
// adding to *n_alerts: at most one for each fact.
MUST_CHECK bool incidents_write(struct incidents *incidents, PGconn *conn, struct alert *alerts,
                                size_t *n_alerts, enum pg_fault *fault, struct err *err);
