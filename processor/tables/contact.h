// SPDX-License-Identifier: MIT
// The rows of table contact. Not for: what a row becomes (rules/contact). Thread: that of the connection.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/postgres/pipeline.h"
#include "processor/rules/contact.h"

#define CONTACT_STATEMENTS "contact_lock.sql", "contact_read.sql", "contact_remove.sql", "contact_write.sql"

// Locks these names of contacts, and the provider's own ids, until the end of the transaction: another
// transaction that locks one of them waits. Before any other lock, so that no two wait for each other.
void contact_send_lock(struct pipeline *pipeline, const char *const *providers, const char *const *ids,
                       size_t n);
// Sends contact_read.sql, which finds the contacts that have one of the ids, be it their own or the
// provider's. Returns its step.
size_t contact_send_read(struct pipeline *pipeline, const char *const *providers, const char *const *ids,
                         size_t n);
// A row of its result. `out` is new; its provider is borrowed from the result.
void contact_read_row(const PGresult *res, int row, struct contact_row *out);
// Removes the first, writes the second. Either may be none.
void contact_send_rows(struct pipeline *pipeline, const struct contact_row *const *removed, size_t n_removed,
                       const struct contact_row *const *written, size_t n_written);

// Outside of a batch: the contacts of one provider that have one of these ids, by (id). *out is a new array
// of *n rows, whose provider is borrowed from `provider`; contact_free() frees them. An id that is not known
// has none.
MUST_CHECK bool contact_read(PGconn *conn, const char *provider, const char *const *ids, size_t n_ids,
                             struct contact_row **out, size_t *n, struct err *err);
void contact_free(struct contact_row *rows, size_t n);
