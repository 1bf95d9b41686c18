// SPDX-License-Identifier: MIT
// What a failure of Postgres means for a batch: one table over SQLSTATE (PostgreSQL manual, appendix A).
#pragma once
#include <stdbool.h>

enum pg_fault {
  PG_FAULT_WAIT,    // the server or the session: let go of it, wait, connect anew, do the same
  PG_FAULT_AGAIN,   // another transaction was in the way: roll back and do the same at once
  PG_FAULT_REFUSED, // the values of a row; or the database, if it refuses a harmless row as well
};

struct pg_class {
  const char *sqlstate; // its first characters
  enum pg_fault fault;
  const char *name; // for the metric
  // Of REFUSED: what is wrong with the row, in words. Of all others: what to do about it, where somebody has
  // to; or NULL.
  const char *words;
};

// Never NULL. `sqlstate` may be NULL: the connection broke before an answer. Whatever is not known to be
// about the data waits, since waiting loses nothing.
const struct pg_class *pg_class_of(const char *sqlstate);

// Which setting is to be changed where a connection failed, by libpq's text, which has the server's own
// message and no SQLSTATE. NULL: none is known to be wrong, or the server's messages are not in English.
const char *pg_connect_hint(const char *text);

// For migrate and for the schema's version. NULL is neither.
bool pg_is_busy(const char *sqlstate);      // others hold what was asked for
bool pg_is_undefined(const char *sqlstate); // there is no such table, or column
