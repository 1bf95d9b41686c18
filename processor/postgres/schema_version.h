// SPDX-License-Identifier: MIT
// Which schema this program and the database have: a program knows the migrations that are built into it, and
// runs on a newer schema too for as long as every migration since allows it. So old and new programs run side
// by side. Not for: changing the schema (migrate).
#pragma once
#include "common/base/embedded.h"
#include "common/base/err.h"
#include <libpq-fe.h>

extern const struct embedded embedded_migrations[]; // schemas/postgres/*.sql, by their numbers

// Of a migration: the number in front of its name; and its line "-- bears: N", the oldest version whose
// programs may still run once it is applied. 0: it has no such line.
long schema_version_of(const struct embedded *migration);
long schema_version_oldest(const struct embedded *migration);
// The length of its first statement if that builds an index outside of a transaction, as its first line
// "-- outside of a transaction" says: CREATE INDEX CONCURRENTLY IF NOT EXISTS, and the index has the name of
// the file (0010_alert_subject.sql builds alert_subject). 0: all of the migration is one transaction.
size_t schema_version_index_len(const struct embedded *migration);

// The newest version this program knows.
long schema_version_known(void);
// The version of the database, 0 where nothing was ever migrated. An error where this program is too
// old for it.
MUST_CHECK bool schema_version_read(PGconn *conn, long *version, struct err *err);
// Checks that this program runs on the database, and holds that for the session: migrate waits for it before
// it applies what this program is too old for. The error says whether to migrate or to start a newer program.
MUST_CHECK bool schema_version_hold(PGconn *conn, struct err *err);
