// SPDX-License-Identifier: MIT
// Finds receipts that name another recipient than the earlier receipts of their notification. Merged into one
// row, one recipient's result would hide the other's. Not for: acceptances; an application may name the
// recipient otherwise than the provider does. Thread: one worker each.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/rules/interpret.h"

#define RECIPIENTS_STATEMENT "receipt_elements.sql" // has to be prepared

// Sets refused[i] where facts[i] is such a receipt. The facts are ordered by notification, then as they came;
// of[i] is the notification as it is stored. Reads the stored receipts where there are some.
MUST_CHECK bool recipients_compare(PGconn *conn, struct fact *const *facts, struct notification *const *of,
                                   size_t n, bool *refused, enum pg_fault *fault, struct err *err);
// With the id last, since a reason may be cut. New string.
char *recipients_reason(const struct fact *fact);
