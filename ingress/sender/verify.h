// SPDX-License-Identifier: MIT
// Checks the sender of a webhook. The endpoints file gives an endpoint its checks, rows of one table
// (verify.c); all of them have to pass (of an unsigned call, all but signatures), and a check that cannot run
// refuses. Not for: the secret part of a path, which finds the endpoint (endpoints.h); the answer to a
// refusal (webhook.c). Thread: any.
#pragma once
#include "common/base/faults.h"
#include "ingress/sender/network.h"
#include <civetweb.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

// What the checks read. Everything is borrowed and as sent.
struct verify_request {
  const char *peer; // the connection's remote address
  const struct mg_header *headers;
  size_t n_headers;
  const char *rest;  // of the path, behind the endpoint's name: "" or "/…"
  const char *query; // without its '?'; NULL: none
  const char *body;  // for verify_body() only
  size_t body_len;
  int64_t now_ms;                 // Unix
  bool unsigned_call;             // the provider does not sign it: no check of a signature is run
  const struct networks *trusted; // proxies whose X-Forwarded-For is believed
};

struct verify;

// `checks` is the file's object, which has passed the schema; NULL: none. NULL with the first
// fault of each check, as pointer and rule: an ill-formed network, a secret that is missing or too short.
MUST_CHECK struct verify *verify_new(const json_t *checks, struct faults *faults);
void verify_free(struct verify *verify);

// NULL, or the name of the check that refuses. verify_head() runs the checks that need no body, verify_body()
// the others; a sender is authenticated when both returned NULL. A NULL verify refuses.
MUST_CHECK const char *verify_head(const struct verify *verify, const struct verify_request *req);
MUST_CHECK const char *verify_body(const struct verify *verify, const struct verify_request *req);
