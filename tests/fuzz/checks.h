// SPDX-License-Identifier: MIT
// A configured check for a fuzzer, made once.
#pragma once
#include "ingress/sender/endpoints.h"
#include <stdlib.h>
#include <string.h>

static inline const struct verify *checks_of(const char *text) {
  struct faults faults = {0};
  setenv("DOCHAK_SECRET_FUZZ", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
  json_t *conf = json_loads(text, 0, NULL);
  const struct verify *verify = verify_new(conf, &faults);
  json_decref(conf);
  if (faults.n_errors) abort();
  return verify;
}

// Whether a request with these headers passes.
static inline bool checks_pass(const struct verify *verify, const struct mg_header *headers, int n,
                               const char *query, char *body, int64_t now_ms) {
  struct mg_request_info info = {.num_headers = n, .query_string = query};
  memcpy(info.http_headers, headers, (size_t)n * sizeof *headers);
  struct request req = {.info = &info, .rest = "", .body = {body, strlen(body)}, .received_ms = now_ms};
  return !verify_run(verify, &req, VERIFY_HEAD) && !verify_run(verify, &req, VERIFY_BODY);
}
