// SPDX-License-Identifier: MIT
#include "processor/postgres/pipeline.h"
#include "common/base/mem.h"
#include <assert.h>
#include <stdlib.h>

enum { BINARY = 1 };

void pipeline_fini(struct pipeline *pipeline) {
  for (size_t i = 0; i < pipeline->n; i++) PQclear(pipeline->steps[i].result);
}

void pipeline_begin(struct pipeline *pipeline, PGconn *conn) {
  *pipeline = (struct pipeline){.conn = conn};
  PQenterPipelineMode(conn);
}

static size_t add(struct pipeline *pipeline, const char *name) {
  assert(pipeline->n < COUNT_OF(pipeline->steps));
  pipeline->steps[pipeline->n].name = name;
  pipeline->steps[pipeline->n].rows = -1;
  return pipeline->n++;
}

size_t pipeline_send(struct pipeline *pipeline, const char *name, const char *sql) {
  PQsendQueryParams(pipeline->conn, sql, 0, NULL, NULL, NULL, NULL, BINARY);
  return add(pipeline, name);
}

size_t pipeline_send_prepared(struct pipeline *pipeline, const char *name, int n, const char *const *values,
                              const int *lengths, const int *formats) {
  PQsendQueryPrepared(pipeline->conn, name, n, values, lengths, formats, BINARY);
  return add(pipeline, name);
}

void pipeline_expect(struct pipeline *pipeline, long rows) {
  pipeline->steps[pipeline->n - 1].rows = rows;
}

// Without a connection there is no result, which pg_ok() takes for a lost one. A transaction without a BEGIN
// commits when the server reads the Sync. If that fails, an error comes before the Sync's answer.
static void receive(struct pipeline *pipeline) {
  PGconn *conn = pipeline->conn;
  for (size_t i = 0; i < pipeline->n; i++) {
    pipeline->steps[i].result = PQgetResult(conn);
    if (pipeline->steps[i].result) PQclear(PQgetResult(conn)); // the end of this statement
  }
  PGresult *end = PQgetResult(conn);
  if (PQresultStatus(end) == PGRES_PIPELINE_SYNC) {
    PQclear(end);
    return;
  }
  pipeline->steps[add(pipeline, "commit")].result = end;
  PQclear(PQgetResult(conn)); // the end of the error
  PQclear(PQgetResult(conn)); // the Sync's answer
}

static bool is_good(const struct pipeline *pipeline, size_t i, enum pg_fault *fault, struct err *err) {
  const char *name = pipeline->steps[i].name;
  PGresult *res = pipeline->steps[i].result;
  long rows = pipeline->steps[i].rows;
  if (!pg_ok(pipeline->conn, res, name, fault, err)) return false;
  if (rows < 0 || strtol(PQcmdTuples(res), NULL, 10) == rows) return true;
  if (fault) *fault = PG_FAULT_AGAIN;
  return err_set_class(err, "conflict", "%s: another transaction keeps writing the same rows", name);
}

bool pipeline_end(struct pipeline *pipeline, enum pg_fault *fault, struct err *err) {
  if (pipeline->n > 0) {
    PQpipelineSync(pipeline->conn);
    receive(pipeline);
  }
  PQexitPipelineMode(pipeline->conn);
  for (size_t i = 0; i < pipeline->n; i++)
    if (!is_good(pipeline, i, fault, err)) return false;
  return true;
}
