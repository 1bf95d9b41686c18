// SPDX-License-Identifier: MIT
// The little of libpq we use: a connection, the embedded SQL by name, results that clear themselves.
#pragma once
#include "common/base/err.h"
#include "processor/postgres/pgerror.h"
#include <libpq-fe.h>

void pg_result_cleanup(PGresult **res);
#define AUTO_RESULT __attribute__((cleanup(pg_result_cleanup))) PGresult

// By the PG* environment, bounded in time, keepalives on; of several servers the one that takes writes,
// unless PGTARGETSESSIONATTRS asks for another. NULL with the cause and "host:port/database", no password. A
// database whose encoding is not UTF8 is refused, and so is a pooler that shares server connections between
// sessions; to find out, a connection through a pooler opens a second one for a moment.
MUST_CHECK PGconn *pg_connect(struct err *err);
// The same for a session that only reads, so a standby will do. `url` is a connection string of libpq; what
// it leaves out is the PG* environment's. pg_url_check() only looks whether it is one. Neither error has a
// password.
MUST_CHECK PGconn *pg_connect_to_read(const char *url, struct err *err);
MUST_CHECK bool pg_url_check(const char *url, struct err *err);
// A statement without parameters or result; `what` is its name in the error.
MUST_CHECK bool pg_command(PGconn *conn, const char *what, const char *sql, struct err *err);
// From here on every statement finds its rows by an index, whatever the statistics of a table are. For a
// session that only ever looks for a few rows.
MUST_CHECK bool pg_use_indexes(PGconn *conn, struct err *err);
// The text of <statement> with `n` parameters, as text. As PQexecParams(): the caller looks
// whether it is good, and clears it.
PGresult *pg_run(PGconn *conn, const char *statement, int n, const char *const *values);
// The result of the statement that was sent (PQsendQuery() and the like), waited for up to `ms`. NULL: it is
// not there yet. A lost connection has an error for a result.
PGresult *pg_receive(PGconn *conn, int ms);
// The advisory lock of that name, which is this program's own, held until the connection closes. `*got`:
// no other session has it. At most 8 characters, which are the lock's key.
MUST_CHECK bool pg_try_lock(PGconn *conn, const char *name, bool *got, struct err *err);
// COMMIT. To commit a transaction that has failed is an error here: the server answers ROLLBACK.
MUST_CHECK bool pg_commit(PGconn *conn, enum pg_fault *fault, struct err *err);
// The text of <name>.sql; a name that is not there is our mistake and aborts.
const char *pg_sql(const char *name);
// Whether a result is good; else the err's class, what the fault means, and the text: for PG_FAULT_REFUSED
// which table refused a row and why, in words, with no value of the row; else "what: SQLSTATE: message;
// hint". `what` is the statement's name, whose ".sql" is left out, or words.
MUST_CHECK bool pg_ok(const PGconn *conn, const PGresult *res, const char *what, enum pg_fault *fault,
                      struct err *err);
// The same for a statement whose message cannot quote a row: always with Postgres' message.
MUST_CHECK bool pg_ok_without_values(const PGconn *conn, const PGresult *res, const char *what,
                                     struct err *err);
