// SPDX-License-Identifier: MIT
// Statements that travel together: all are sent, then all answers are read, in one round trip (PostgreSQL
// manual, "Pipeline Mode"). They run in their order; after one that fails no other runs. Not for: COPY, which
// libpq refuses there; answers so large that both sides would wait to send. Thread: that of the connection.
#pragma once
#include "processor/postgres/pg.h"

enum { PIPELINE_MAX = 8 };

struct pipeline {
  PGconn *conn;
  size_t n;
  struct {
    const char *name; // borrowed
    PGresult *result; // once it has ended
    long rows;        // that it has to change; -1: any number
  } steps[PIPELINE_MAX];
};

void pipeline_fini(struct pipeline *pipeline);
#define AUTO_PIPELINE __attribute__((cleanup(pipeline_fini))) struct pipeline

// What is sent after this, up to pipeline_end(), is part of it. A failure to send shows at the end.
void pipeline_begin(struct pipeline *pipeline, PGconn *conn);
// A statement without parameters.
void pipeline_send(struct pipeline *pipeline, const char *name, const char *sql);
// A prepared one, under its own name, with binary values and a binary result.
void pipeline_send_prepared(struct pipeline *pipeline, const char *name, int n, const char *const *values,
                            const int *lengths, const int *formats);
// The last statement has to change so many rows; else it is PG_FAULT_AGAIN: others were there first.
void pipeline_expect(struct pipeline *pipeline, long rows);
// Waits for all answers. As pg_ok() for the first that is not good.
MUST_CHECK bool pipeline_end(struct pipeline *pipeline, enum pg_fault *fault, struct err *err);
