// SPDX-License-Identifier: MIT
#include "processor/api/problem.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/ops/listen.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TYPE_PREFIX "urn:dochak:problem:"
#define COMMON      "Cache-Control: no-store\r\n"
#define LATER       "Retry-After: 2\r\n"

static const struct row {
  int status;
  const char *type, *title, *headers;
} rows[PROBLEM_COUNT] = {
    [PROBLEM_KEY] = {401, "key", "No valid key", COMMON "WWW-Authenticate: Bearer realm=\"dochak\"\r\n"},
    [PROBLEM_PATH] = {404, "path", "No such path", COMMON},
    [PROBLEM_METHOD] = {405, "method", "Method not allowed", COMMON},
    [PROBLEM_BODY] = {413, "body", "A request has no body", COMMON},
    [PROBLEM_QUERY_LENGTH] = {414, "query-length", "The query is too long", COMMON},
    [PROBLEM_QUERY] = {400, "query", "The query cannot be read", COMMON},
    [PROBLEM_PARAMETER] = {400, "parameter", "A parameter is wrong", COMMON},
    [PROBLEM_NONE_SUCH] = {404, "none-such", "There is no such thing", COMMON},
    [PROBLEM_TOO_SLOW] = {503, "too-slow", "The query takes too long", COMMON LATER},
    [PROBLEM_BUSY] = {503, "busy", "Too many queries at once", COMMON LATER},
    [PROBLEM_DATABASE] = {503, "database", "The database cannot be read now", COMMON LATER},
    [PROBLEM_REDRIVE] = {503, "redrive", "The record could not be redriven", COMMON LATER},
};

bool problem_set(struct problem *problem, enum problem_kind kind, const char *fmt, ...) {
  va_list args;
  *problem = (struct problem){.kind = kind};
  va_start(args, fmt);
  vsnprintf(problem->detail, sizeof problem->detail, fmt, args);
  va_end(args);
  return false;
}

static bool is_printable(const char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~') return false;
  return true;
}

bool problem_set_parameter(struct problem *problem, const char *name, const char *fmt, ...) {
  va_list args;
  *problem = (struct problem){.kind = PROBLEM_PARAMETER};
  snprintf(problem->parameter, sizeof problem->parameter, "%s", is_printable(name) ? name : "");
  va_start(args, fmt);
  vsnprintf(problem->detail, sizeof problem->detail, fmt, args);
  va_end(args);
  return false;
}

int problem_status(const struct problem *problem) {
  return rows[problem->kind].status;
}

static char *text_of(int status, const char *type, const char *title, const char *detail,
                     const char *parameter) {
  AUTO_FREE char *urn = mem_printf(TYPE_PREFIX "%s", type);
  AUTO_JSON *body = json_pack("{s:s,s:s,s:i,s:s,s:s*}", "type", urn, "title", title, "status", status,
                              "detail", detail, "parameter", *parameter ? parameter : NULL);
  return json_text(body);
}

char *problem_text(const struct problem *problem) {
  const struct row *row = &rows[problem->kind];
  return text_of(row->status, row->type, row->title, problem->detail, problem->parameter);
}

static int send_text(struct mg_connection *conn, int status, const char *body, const char *headers) {
  return http_answer_send(conn, &(struct http_answer){.status = status,
                                                      .content_type = "application/problem+json",
                                                      .body = body,
                                                      .body_len = strlen(body),
                                                      .headers = headers,
                                                      .close = true});
}

int problem_answer(struct mg_connection *conn, const struct problem *problem) {
  AUTO_FREE char *body = problem_text(problem);
  AUTO_FREE char *headers = mem_printf("%s%s", rows[problem->kind].headers, mem_or_empty(problem->allow));
  return send_text(conn, problem_status(problem), body, headers);
}

int problem_answer_refused(struct mg_connection *conn, int status, const char *code, const char *message) {
  AUTO_FREE char *body = text_of(status, code, "The request cannot be read", message, "");
  return send_text(conn, status, body, COMMON);
}
