// SPDX-License-Identifier: MIT
// Why a request to the query API is refused, as problem details (RFC 9457): what is wrong, with which
// parameter, and what is allowed. No value of the request is repeated but a name. Thread: any.
#pragma once
#include "common/base/err.h"
#include <civetweb.h>

enum problem_kind {
  PROBLEM_KEY,
  PROBLEM_PATH,
  PROBLEM_METHOD,
  PROBLEM_BODY,
  PROBLEM_QUERY_LENGTH,
  PROBLEM_QUERY,     // it cannot be read at all
  PROBLEM_PARAMETER, // one of its parameters is wrong
  PROBLEM_NONE_SUCH,
  PROBLEM_TOO_SLOW,
  PROBLEM_BUSY,
  PROBLEM_DATABASE,
  PROBLEM_REDRIVE, // it failed
  PROBLEM_COUNT
};

struct problem {
  enum problem_kind kind;
  char parameter[48]; // "": it is not about one
  const char *allow;  // of PROBLEM_METHOD: the header line
  char detail[512];
  char cause[512]; // for the log only
};

// Returns false, so that `return problem_set(...)` reads well.
bool problem_set(struct problem *problem, enum problem_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
// PROBLEM_PARAMETER about this one. The name is cut, and left out if it is not printable ASCII.
bool problem_set_parameter(struct problem *problem, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

int problem_status(const struct problem *problem);
// The body; new string.
char *problem_text(const struct problem *problem);
// Sends it and closes the connection. Returns the status.
int problem_answer(struct mg_connection *conn, const struct problem *problem);
// The same for a request that civetweb itself refuses (listen_refusal).
int problem_answer_refused(struct mg_connection *conn, int status, const char *code, const char *message);
