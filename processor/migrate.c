// SPDX-License-Identifier: MIT
#include "processor/migrate.h"
#include "common/embedded.h"
#include "common/kafka.h"
#include "common/mem.h"
#include "processor/pg.h"
#include <stdio.h>
#include <stdlib.h>

enum { TOPICS_TIMEOUT_MS = 30000 };

extern const struct embedded embedded_migrations[];

static bool current_version(PGconn *conn, long *version, struct err *err) {
  AUTO_RESULT *res = PQexec(conn, pg_sql("migration_version.sql"));
  if (!pg_ok(conn, res, "read the schema's version", NULL, err)) return false;
  *version = strtol(PQgetvalue(res, 0, 0), NULL, 10);
  return true;
}

// The number in front of the file's name.
static long number_of(const struct embedded *migration) {
  return strtol(migration->name, NULL, 10);
}

static bool record(PGconn *conn, const struct embedded *migration, struct err *err) {
  char version[24];
  snprintf(version, sizeof version, "%ld", number_of(migration));
  const char *values[] = {version, migration->name};
  AUTO_RESULT *res = PQexecParams(conn, pg_sql("migration_record.sql"), 2, NULL, values, NULL, NULL, 0);
  return pg_ok(conn, res, "record the migration", NULL, err);
}

static bool apply(PGconn *conn, const struct embedded *migration, struct err *err) {
  if (!pg_command(conn, "begin", "BEGIN", err)) return false;
  AUTO_RESULT *res = PQexec(conn, migration->text);
  if (pg_ok(conn, res, "apply", NULL, err) && record(conn, migration, err) &&
      pg_command(conn, "commit", "COMMIT", err))
    return true;
  return err_prefix(err, "%s: ", migration->name);
}

static bool apply_missing(PGconn *conn, int *applied, struct err *err) {
  long version = 0;
  // The key is this program's own: "dochak" in ASCII. Held until the connection closes.
  if (!pg_command(conn, "lock", "SELECT pg_advisory_lock(x'646f6368616b'::bigint)", err)) return false;
  if (!pg_command(conn, "make table schema_migration", pg_sql("migration_table.sql"), err) ||
      !current_version(conn, &version, err))
    return false;
  for (const struct embedded *m = embedded_migrations; m->name; m++) {
    if (number_of(m) <= version) continue;
    if (!apply(conn, m, err)) return false;
    ++*applied;
  }
  return true;
}

bool migrate_schema(int *applied, struct err *err) {
  *applied = 0;
  PGconn *conn = pg_connect(err);
  if (conn == NULL) return false;
  bool done = apply_missing(conn, applied, err);
  PQfinish(conn);
  return done;
}

bool migrate_topics(const struct settings *settings, size_t *created, struct err *err) {
  char *topics[KAFKA_TOPIC_COUNT];
  rd_kafka_t *rk = kafka_client_new(RD_KAFKA_PRODUCER, kafka_conf_new(settings, NULL, 0, err), err);
  if (rk == NULL) return false;
  for (enum kafka_topic t = 0; t < KAFKA_TOPIC_COUNT; t++)
    topics[t] = kafka_topic_name(settings->topic_prefix, t);
  bool done =
      kafka_create_topics(rk, (const char *const *)topics, KAFKA_TOPIC_COUNT, settings->topic_partitions,
                          settings->topic_replication, TOPICS_TIMEOUT_MS, created, err);
  for (enum kafka_topic t = 0; t < KAFKA_TOPIC_COUNT; t++) free(topics[t]);
  rd_kafka_destroy(rk);
  return done;
}
