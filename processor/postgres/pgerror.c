// SPDX-License-Identifier: MIT
#include "processor/postgres/pgerror.h"
#include "common/base/mem.h"
#include <string.h>

// The first row that fits counts: a code stands before its class.
static const struct pg_class classes[] = {
    {"08", PG_FAULT_WAIT, "connection", NULL},
    {"22", PG_FAULT_REFUSED, "data", NULL},       // a character, number or date that Postgres cannot hold
    {"23505", PG_FAULT_AGAIN, "conflict", NULL},  // two take a row for new
    {"23", PG_FAULT_REFUSED, "constraint", NULL}, // a value that our own CHECKs refuse
    {"25006", PG_FAULT_WAIT, "read_only",
     "this server takes no writes (a standby?); PGHOST may list several servers, the one that writes is "
     "found"},
    {"25P03", PG_FAULT_WAIT, "too_slow", NULL}, // idle in transaction: we were frozen
    {"28", PG_FAULT_WAIT, "access", "PGUSER and its password must be those of a role that may log in"},
    {"3D", PG_FAULT_WAIT, "no_database", "PGDATABASE must name a database that is there"},
    {"40001", PG_FAULT_AGAIN, "serialization", NULL},
    {"40003", PG_FAULT_WAIT, "unknown_commit", NULL}, // the batch is read again, and shows what became of it
    {"40P01", PG_FAULT_AGAIN, "deadlock", NULL},
    {"42501", PG_FAULT_WAIT, "access",
     "the role lacks a right; \"dochak-processor migrate\" by the owner gives it"},
    {"42P01", PG_FAULT_WAIT, "schema", "\"dochak-processor migrate\" makes the tables"},
    {"42703", PG_FAULT_WAIT, "schema", "the tables are not those of this version"},
    {"53100", PG_FAULT_WAIT, "disk_full", "the server's disk is full"},
    {"53300", PG_FAULT_WAIT, "connections",
     "raise max_connections there, or lower DOCHAK_WORKERS: each worker has one"},
    {"53", PG_FAULT_WAIT, "resources", NULL},
    {"54", PG_FAULT_REFUSED, "too_large", NULL}, // an index row or a document
    {"55P03", PG_FAULT_WAIT, "lock", "somebody else holds a lock on our tables; see pg_locks"},
    {"57014", PG_FAULT_WAIT, "cancelled", NULL},
    {"57P03", PG_FAULT_WAIT, "starting", NULL},
    {"57", PG_FAULT_WAIT, "shutdown", NULL},
    {"58", PG_FAULT_WAIT, "system", "the server could not read or write its files; see its log"},
    {"XX001", PG_FAULT_WAIT, "corrupted", "the server found damaged data; see its log"},
    {"XX002", PG_FAULT_WAIT, "corrupted", "the server found a damaged index; see its log"},
    {"", PG_FAULT_WAIT, "other", NULL},
};

const struct pg_class *pg_class_of(const char *sqlstate) {
  const struct pg_class *class = classes; // no answer: the connection
  if (sqlstate)
    while (strncmp(sqlstate, class->sqlstate, strlen(class->sqlstate)) != 0) class ++;
  return class;
}

static bool is_either(const char *sqlstate, const char *one, const char *other) {
  return sqlstate && (strcmp(sqlstate, one) == 0 || strcmp(sqlstate, other) == 0);
}

bool pg_is_busy(const char *sqlstate) {
  return is_either(sqlstate, "55P03", "40P01");
}

bool pg_is_undefined(const char *sqlstate) {
  return is_either(sqlstate, "42P01", "42703");
}
