// SPDX-License-Identifier: MIT
// Sends several statements, then reads all results: one round trip (PostgreSQL manual, "Pipeline Mode"). They
// run in their order; after one that fails no other runs. Without a BEGIN they are one transaction, which
// commits at the end. Large results are safe: libpq reads while it cannot send (fe-misc.c, pqSendSome()). Not
// for: COPY, which libpq refuses in a pipeline. Thread: that of the connection.
#pragma once
#include "processor/postgres/pg.h"

enum { PIPELINE_MAX = 11 };

struct pipeline {
  PGconn *conn; // borrowed
  size_t n;
  struct {
    const char *name;        // borrowed
    PGresult *result;        // from pipeline_end() until pipeline_fini()
    long rows;               // how many it has to change; -1: not checked
  } steps[PIPELINE_MAX + 1]; // the last one: of a commit that failed
};

void pipeline_fini(struct pipeline *pipeline);
#define AUTO_PIPELINE __attribute__((cleanup(pipeline_fini))) struct pipeline

// All statements sent from here to pipeline_end() belong to the pipeline. Each returns its step. If one
// cannot be sent, pipeline_end() says so.
void pipeline_begin(struct pipeline *pipeline, PGconn *conn);
// A statement without parameters.
size_t pipeline_send(struct pipeline *pipeline, const char *name, const char *sql);
// A prepared one, under its own name, with binary values, which are copied, and a binary result.
size_t pipeline_send_prepared(struct pipeline *pipeline, const char *name, int n, const char *const *values,
                              const int *lengths, const int *formats);
// The last statement has to change so many rows. Other than that is PG_FAULT_AGAIN: another transaction has
// written some of them.
void pipeline_expect(struct pipeline *pipeline, long rows);
// Waits for all results; nothing to wait for if no statement was sent. Reports the first statement that
// failed, as pg_ok() does.
MUST_CHECK bool pipeline_end(struct pipeline *pipeline, enum pg_fault *fault, struct err *err);
