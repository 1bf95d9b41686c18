// SPDX-License-Identifier: MIT
// The rows of table contact. Not for: what a row becomes (rules/contact). Thread: that of the connection.
#pragma once
#include "common/base/seal.h"
#include "processor/postgres/pg.h"
#include "processor/postgres/pipeline.h"
#include "processor/rules/contact.h"

#define CONTACT_STATEMENTS                                                                                   \
  "contact_lock.sql", "contact_hold.sql", "contact_read.sql", "contact_remove.sql", "contact_write.sql"

// Locks these ids, be they contacts' own or the provider's, and the contacts that have or had one of them,
// until the end of the transaction; then reads these contacts. Another transaction that locks one of them
// waits. Has to come before all other locks, so that no two transactions wait for each other. Returns the
// step of contact_read.sql.
size_t contact_send_read(struct pipeline *pipeline, const char *const *providers, const char *const *ids,
                         size_t n);
// A row of its result. `out` is new; its provider is borrowed from the result.
void contact_read_row(const PGresult *res, int row, struct contact_row *out);
// Removes the first, writes the second. Either may be none.
void contact_send_rows(struct pipeline *pipeline, const struct contact_row *const *removed, size_t n_removed,
                       const struct contact_row *const *written, size_t n_written);

// Encrypts the row's `whole`, if it has one, into `sealed`, bound to provider and id.
void contact_seal(struct contact_row *row, const struct seal_key *key);
// What is sealed in the row: JSON, new string. NULL: nothing, or not with this key.
char *contact_open(const struct contact_row *row, const struct seal_key *key);

// Outside of a batch, without locks, in a session that has prepared contact_read.sql: the contacts of one
// provider that have or had one of these ids, be it their own or the provider's, by their own id. *out is a
// new array of *n rows, whose provider is borrowed from `provider`; contact_free() frees them.
MUST_CHECK bool contact_read(PGconn *conn, const char *provider, const char *const *ids, size_t n_ids,
                             struct contact_row **out, size_t *n, struct err *err);
void contact_free(struct contact_row *rows, size_t n);
