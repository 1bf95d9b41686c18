// SPDX-License-Identifier: MIT
// Who may call an endpoint: the checks that the endpoints file gives it, as a list of rows of one table
// (verify.c). All of them have to pass; what is configured and cannot run refuses. Not for: the secret part
// of a path, which is how an endpoint is found (endpoints.h), and what a refusal answers (webhook.c).
#pragma once
#include "common/base/err.h"
#include "ingress/sender/network.h"
#include <civetweb.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

// What the checks look at. Everything is borrowed and as sent.
struct verify_request {
  const char *peer; // the connection's other end
  const struct mg_header *headers;
  size_t n_headers;
  const char *rest;  // of the path, behind the endpoint's name: "" or "/…"
  const char *query; // without its '?'; NULL: none
  const char *body;  // for verify_body() only
  size_t body_len;
  int64_t now_ms;                 // Unix
  const struct networks *trusted; // proxies whose X-Forwarded-For is believed
};

struct verify;

// `checks` is the file's object (already of the schema's form), NULL: none. False with pointer and rule: a
// network that is none, a secret that is missing or unfit.
MUST_CHECK struct verify *verify_new(const json_t *checks, struct err *err);
void verify_free(struct verify *verify);

// NULL, or the name of the check that refuses. First those that need no body, then, with the body, the rest:
// a sender is trusted when both have said NULL. A NULL verify refuses. Thread: any.
MUST_CHECK const char *verify_head(const struct verify *verify, const struct verify_request *req);
MUST_CHECK const char *verify_body(const struct verify *verify, const struct verify_request *req);
