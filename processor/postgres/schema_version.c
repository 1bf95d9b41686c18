// SPDX-License-Identifier: MIT
#include "processor/postgres/schema_version.h"
#include "common/base/mem.h"
#include "processor/postgres/pg.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long schema_version_of(const struct embedded *migration) {
  return strtol(migration->name, NULL, 10);
}

long schema_version_oldest(const struct embedded *migration) {
  static const char mark[] = "-- bears: ";
  const char *line = strstr(migration->text, mark);
  return line ? strtol(line + strlen(mark), NULL, 10) : 0;
}

size_t schema_version_index_len(const struct embedded *migration) {
  static const char mark[] = "-- outside of a transaction\n";
  if (strncmp(migration->text, mark, sizeof mark - 1) != 0) return 0;
  return strcspn(migration->text, ";") + 1;
}

long schema_version_known(void) {
  const struct embedded *newest = embedded_migrations;
  while (newest[1].name) newest++;
  return schema_version_of(newest);
}

static bool look_for_table(PGconn *conn, bool *there, struct err *err) {
  AUTO_RESULT *res = PQexec(conn, pg_sql("migration_any.sql"));
  if (!pg_ok(conn, res, "look for the schema", NULL, err)) return false;
  *there = *PQgetvalue(res, 0, 0) == 't';
  return true;
}

bool schema_version_read(PGconn *conn, long *version, struct err *err) {
  bool there = false;
  *version = 0;
  if (!look_for_table(conn, &there, err)) return false;
  if (!there) return true;
  AUTO_RESULT *res = PQexec(conn, pg_sql("migration_version.sql"));
  if (pg_is_undefined(PQresultErrorField(res, PG_DIAG_SQLSTATE)))
    return true; // migrated by a program that wrote down less
  if (!pg_ok(conn, res, "read the schema's version", NULL, err)) return false;
  *version = strtol(PQgetvalue(res, 0, 0), NULL, 10);
  long needed = strtol(PQgetvalue(res, 0, 1), NULL, 10);
  return needed <= schema_version_known() ||
         err_set(err,
                 "this program is too old for the database: it knows the schema up to version %ld, and what "
                 "was migrated since needs %ld or newer",
                 schema_version_known(), needed);
}

bool schema_version_hold(PGconn *conn, struct err *err) {
  long version = 0;
  char known[24];
  snprintf(known, sizeof known, "%ld", schema_version_known());
  const char *values[] = {known};
  AUTO_RESULT *res = pg_run(conn, "schema_hold.sql", 1, values);
  if (!pg_ok(conn, res, "hold the schema's version", NULL, err)) return false;
  if (*PQgetvalue(res, 0, 0) != 't')
    return err_set(err, "the database is being migrated to a version that this program is too old for");
  if (!schema_version_read(conn, &version, err)) return false;
  return version >= schema_version_known() ||
         err_set(err, "the database has no schema of version %s or newer; run: dochak-processor migrate",
                 known);
}
