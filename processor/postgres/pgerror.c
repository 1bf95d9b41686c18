// SPDX-License-Identifier: MIT
#include "processor/postgres/pgerror.h"
#include "common/base/mem.h"
#include <string.h>

// A trigger or a function that is not ours.
#define TRIGGER PG_FAULT_REFUSED, "trigger", "a trigger or a function failed on its values"

// The first row that fits is used: a code stands before its class.
static const struct pg_class classes[] = {
    {"08", PG_FAULT_WAIT, "connection", NULL},
    {"09", TRIGGER},
    {"0A", PG_FAULT_REFUSED, "unsupported", "it holds what this server does not support"},
    {"20", TRIGGER},
    {"21", TRIGGER},
    {"22001", PG_FAULT_REFUSED, "data", "a text is too long for its column"},
    {"22003", PG_FAULT_REFUSED, "data", "a number is out of range"},
    {"22008", PG_FAULT_REFUSED, "data", "a time is out of range"},
    {"22021", PG_FAULT_REFUSED, "data", "a text is not in the encoding of the database"},
    {"22P02", PG_FAULT_REFUSED, "data", "a value is not written as its type demands"},
    {"22P05", PG_FAULT_REFUSED, "data", "a text has a character that jsonb or the database cannot hold"},
    {"22", PG_FAULT_REFUSED, "data", "it has a value that Postgres cannot hold"},
    {"23505", PG_FAULT_AGAIN, "conflict", NULL}, // two take a row for new
    {"23", PG_FAULT_REFUSED, "constraint", "a constraint does not allow its values"},
    {"25006", PG_FAULT_WAIT, "read_only",
     "this server takes no writes (a standby?); PGHOST may list several servers, the one that writes is "
     "found"},
    {"25P03", PG_FAULT_WAIT, "too_slow", NULL}, // idle in transaction: we were frozen
    {"26", PG_FAULT_WAIT, "session", "a pooler between must leave each session its own server connection"},
    {"27", TRIGGER},
    {"28", PG_FAULT_WAIT, "access", "PGUSER and its password must be those of a role that may log in"},
    {"2F", TRIGGER},
    {"38", TRIGGER},
    {"39", TRIGGER},
    {"3D", PG_FAULT_WAIT, "no_database", "PGDATABASE must name a database that is there"},
    {"40001", PG_FAULT_AGAIN, "serialization", NULL},
    {"40003", PG_FAULT_WAIT, "unknown_commit", NULL}, // the batch is read again, and shows what became of it
    {"40P01", PG_FAULT_AGAIN, "deadlock", NULL},
    {"42501", PG_FAULT_WAIT, "access",
     "the role lacks a right; \"dochak-processor migrate\" by the owner gives it"},
    {"42P01", PG_FAULT_WAIT, "schema", "\"dochak-processor migrate\" makes the tables"},
    {"42703", PG_FAULT_WAIT, "schema", "the tables are not those of this version"},
    {"44", PG_FAULT_REFUSED, "constraint", "the check of a view does not allow its values"},
    {"53100", PG_FAULT_WAIT, "disk_full", "the server's disk is full"},
    {"53300", PG_FAULT_WAIT, "connections",
     "raise max_connections there, or lower DOCHAK_WORKERS: each worker has one"},
    {"53", PG_FAULT_WAIT, "resources", NULL},
    {"54001", PG_FAULT_REFUSED, "too_large", "a value is nested too deep"},
    {"54", PG_FAULT_REFUSED, "too_large", "a value is larger than an index or a document may be"},
    {"55P03", PG_FAULT_WAIT, "lock", "somebody else holds a lock on our tables; see pg_locks"},
    {"57014", PG_FAULT_WAIT, "cancelled", NULL},
    {"57P03", PG_FAULT_WAIT, "starting", NULL},
    {"57", PG_FAULT_WAIT, "shutdown", NULL},
    {"58", PG_FAULT_WAIT, "system", "the server could not read or write its files; see its log"},
    {"P0", TRIGGER},
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

#define PASSWORD "PGUSER and DOCHAK_PG_PASSWORD must be those of a role of the server that may log in"
#define CLIENT   "PGSSLCERT and PGSSLKEY must name a certificate for PGUSER of a CA that the server trusts"

// The first row that fits is used.
static const struct {
  const char *text, *hint;
} connect_hints[] = {
    {"root certificate file", "PGSSLROOTCERT must name the CA of the server's certificate"},
    {"does not match host name",
     "PGHOST must be a name in the server's certificate; PGHOSTADDR may hold the address"},
    {"certificate verify failed",
     "PGSSLROOTCERT must name the CA of the server's certificate, which must be valid now"},
    {"server does not support SSL", "the server must have ssl=on, or PGSSLMODE asks for too much"},
    {"no encryption", "PGSSLMODE=verify-full, or the server's pg_hba.conf lacks a line"},
    {"no pg_hba.conf entry", "PGUSER and PGDATABASE, or the server's pg_hba.conf lacks a line"},
    {"valid client certificate", CLIENT},
    {"certificate authentication failed", CLIENT},
    {"alert unknown ca", CLIENT},
    {"alert certificate", CLIENT},
    {"private key file", CLIENT},
    {"no password supplied", "DOCHAK_PG_PASSWORD is missing"},
    {"authentication failed", PASSWORD},
    {"role \"", PASSWORD},
    {"is not permitted to log in", PASSWORD},
    {"permission denied for database", "PGUSER lacks the right CONNECT on the database"},
    {"database \"", "PGDATABASE must name a database that exists"},
    {"could not translate host name", "PGHOST has a name that is not known here"},
};

const char *pg_connect_hint(const char *text) {
  for (size_t i = 0; i < COUNT_OF(connect_hints); i++)
    if (strstr(text, connect_hints[i].text)) return connect_hints[i].hint;
  return NULL;
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
