// SPDX-License-Identifier: MIT
// Checks the sender of a webhook. The endpoints file gives an endpoint its checks, rows of one table
// (verify.c); all of them have to pass (of an unsigned call, all but signatures), and a check that cannot run
// refuses. Not for: the secret part of a path, which finds the endpoint (endpoints.h); the answer to a
// refusal (webhook.c). Thread: any.
#pragma once
#include "common/base/faults.h"
#include "ingress/http/request.h"
#include <jansson.h>
#include <stddef.h>

struct verify;

// `checks` is the file's object, which has passed the schema; NULL: none. Adds each fault as pointer and
// rule: an ill-formed network, a secret that is missing or too short.
struct verify *verify_new(json_t *checks, struct faults *faults);
void verify_free(struct verify *verify);

// The name of the i-th check that there is, as verify_run() returns it; NULL: there are fewer.
const char *verify_name(size_t i);

// NULL, or the name of the check that refuses. A sender is authenticated when both stages returned NULL.
enum verify_stage { VERIFY_HEAD, VERIFY_BODY }; // the checks that need no body, and those that do
MUST_CHECK const char *verify_run(const struct verify *verify, const struct request *req,
                                  enum verify_stage stage);
// Whether a check compares this header, in any case, with a secret or takes it for a signature.
bool verify_reads_header(const struct verify *verify, const char *name);
// The parameter of the query that a check compares with a secret, borrowed. NULL: none does.
const char *verify_query_parameter(const struct verify *verify);
