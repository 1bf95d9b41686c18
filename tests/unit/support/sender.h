// SPDX-License-Identifier: MIT
// A check as a sender meets it: configured from JSON, asked with a request. A row's expectation is the check
// that refuses, NULL for a sender that is let in.
#pragma once
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/endpoints.h"
#include "tests/unit/support/faults.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEADERS_MAX = 12 };

struct sender {
  const char *what;
  const char *headers; // "Name: value" lines
  const char *query, *body, *rest;
  int64_t now_ms;
  const char *peer;
  const char *refused; // by which check
};

static inline struct verify *configure(const char *checks, struct err *err) {
  json_t *conf = json_loads(checks, 0, NULL);
  assert_non_null(conf);
  struct faults faults = {0};
  struct verify *verify = verify_new(conf, &faults);
  bool good = faults.n_errors == 0;
  faults_first(&faults, err);
  json_decref(conf);
  if (good) return verify;
  verify_free(verify);
  return NULL;
}

// Cuts the lines in place.
static inline void split(char *text, struct mg_request_info *info) {
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    char *colon = strchr(line, ':');
    assert_true(colon && info->num_headers < HEADERS_MAX);
    *colon = '\0';
    info->http_headers[info->num_headers++] = (struct mg_header){line, colon + 1 + strspn(colon + 1, " ")};
  }
}

static inline const char *ask(const struct verify *verify, const struct sender *row) {
  AUTO_FREE char *text = mem_strdup(row->headers ? row->headers : "");
  AUTO_FREE char *body = mem_strdup(row->body ? row->body : "");
  struct networks none = {0};
  struct endpoint endpoint = {.trusted = &none};
  struct mg_request_info info = {.query_string = row->query};
  strcpy(info.remote_addr, row->peer ? row->peer : "192.0.2.1");
  split(text, &info);
  struct request req = {
      .info = &info, .endpoint = &endpoint, .rest = row->rest ? row->rest : "", .received_ms = row->now_ms};
  const char *refused = verify_run(verify, &req, VERIFY_HEAD);
  if (refused) return refused;
  req.body = (struct request_body){body, strlen(body)};
  return verify_run(verify, &req, VERIFY_BODY);
}

static inline void run_rows(const char *checks, const struct sender *rows, size_t n) {
  struct err err = {.text = "none"};
  struct verify *verify = configure(checks, &err);
  if (!verify) fail_msg("%s", err.text);
  for (size_t i = 0; i < n; i++) {
    const char *got = ask(verify, &rows[i]);
    const char *expected = rows[i].refused;
    if (!got != !expected || (got && strcmp(got, expected) != 0))
      fail_msg("%s: expected %s, got %s", rows[i].what, expected ? expected : "let in", got ? got : "let in");
  }
  verify_free(verify);
}
#define RUN(checks, rows) run_rows(checks, rows, COUNT_OF(rows))
