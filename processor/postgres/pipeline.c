// SPDX-License-Identifier: MIT
#include "processor/postgres/pipeline.h"
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

static void add(struct pipeline *pipeline, const char *name) {
  assert(pipeline->n < PIPELINE_MAX);
  pipeline->steps[pipeline->n].name = name;
  pipeline->steps[pipeline->n++].rows = -1;
}

void pipeline_send(struct pipeline *pipeline, const char *name, const char *sql) {
  add(pipeline, name);
  PQsendQueryParams(pipeline->conn, sql, 0, NULL, NULL, NULL, NULL, BINARY);
}

void pipeline_send_prepared(struct pipeline *pipeline, const char *name, int n, const char *const *values,
                            const int *lengths, const int *formats) {
  add(pipeline, name);
  PQsendQueryPrepared(pipeline->conn, name, n, values, lengths, formats, BINARY);
}

void pipeline_expect(struct pipeline *pipeline, long rows) {
  pipeline->steps[pipeline->n - 1].rows = rows;
}

// Without a connection there is no result, which pg_ok() takes for a lost one.
static void receive(struct pipeline *pipeline) {
  PGconn *conn = pipeline->conn;
  PQpipelineSync(conn);
  for (size_t i = 0; i < pipeline->n; i++) {
    pipeline->steps[i].result = PQgetResult(conn);
    if (pipeline->steps[i].result) PQclear(PQgetResult(conn)); // the end of this statement
  }
  PQclear(PQgetResult(conn)); // the end of the pipeline
  PQexitPipelineMode(conn);
}

static bool is_as_expected(const struct pipeline *pipeline, size_t i, enum pg_fault *fault, struct err *err) {
  long rows = pipeline->steps[i].rows;
  if (rows < 0 || strtol(PQcmdTuples(pipeline->steps[i].result), NULL, 10) == rows) return true;
  if (fault) *fault = PG_FAULT_AGAIN;
  return err_set_class(err, "conflict", "another processor keeps writing the same notifications");
}

bool pipeline_end(struct pipeline *pipeline, enum pg_fault *fault, struct err *err) {
  receive(pipeline);
  for (size_t i = 0; i < pipeline->n; i++)
    if (!pg_ok(pipeline->conn, pipeline->steps[i].result, pipeline->steps[i].name, fault, err) ||
        !is_as_expected(pipeline, i, fault, err))
      return false;
  return true;
}
