// SPDX-License-Identifier: MIT
#include "processor/watch/judge_story.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

enum { CAUSES_MAX = 3 };

static const char *const statements[] = {"watch_codes.sql", "watch_example.sql", "watch_unreported.sql"};

bool judge_story_prepare(PGconn *conn, struct err *err) {
  return rows_prepare(conn, statements, COUNT_OF(statements), err);
}

// NULL: it cannot be read; the log says why. The alert goes out without it.
static PGresult *run_texts(struct judge *j, const char *statement, int n, const char *const *values) {
  struct err err = {0};
  PGresult *res = PQexecPrepared(j->conn, statement, n, values, NULL, NULL, 0);
  if (pg_ok(j->conn, res, statement, NULL, &err)) return res;
  log_warn_rarely(statement, "a part of an incident's alert cannot be read", LOG_STR("error", err.text));
  PQclear(res);
  return NULL;
}

json_t *judge_story_codes(struct judge *j, const struct provider *file, int64_t since_ms, char **example) {
  char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(since_ms, from);
  clock_format_rfc3339(j->until_ms, to);
  AUTO_RESULT *res = run_texts(j, "watch_codes.sql", 3, (const char *const[]){provider_name(file), from, to});
  if (!res) return NULL;
  json_t *codes = json_array();
  for (int row = 0; row < PQntuples(res); row++)
    json_array_append_new(codes, json_pack("{ss ss? sI}", "code", PQgetvalue(res, row, 0), "reason",
                                           provider_code_reason(file, PQgetvalue(res, row, 0)), "count",
                                           (json_int_t)strtoll(PQgetvalue(res, row, 1), NULL, 10)));
  if (PQntuples(res) > 0) *example = mem_strdup(PQgetvalue(res, 0, 2));
  return codes;
}

char *judge_story_example(struct judge *j, const struct provider *file, int64_t since_ms, int64_t *seen_ms) {
  char from[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(since_ms, from);
  AUTO_RESULT *res = run_texts(j, "watch_example.sql", 2, (const char *const[]){provider_name(file), from});
  bool found = res && PQntuples(res) == 1;
  if (found && seen_ms) *seen_ms = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
  return found ? mem_strdup(PQgetvalue(res, 0, 0)) : NULL;
}

bool judge_story_unreported(struct judge *j, const struct provider *file, int64_t since_ms, int64_t n,
                            int64_t *first_ms, int64_t *last_ms) {
  char from[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(since_ms, from);
  AUTO_FREE char *most = mem_printf("%lld", (long long)n);
  AUTO_RESULT *res =
      run_texts(j, "watch_unreported.sql", 3, (const char *const[]){provider_name(file), from, most});
  *first_ms = *last_ms = j->until_ms;
  if (!res) return true;
  if (strtoll(PQgetvalue(res, 0, 0), NULL, 10) < n) return false;
  *first_ms = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
  *last_ms = strtoll(PQgetvalue(res, 0, 2), NULL, 10);
  return true;
}

// Whether calls of the provider, or of that endpoint of it, do not reach us because of it. A certificate that
// will end keeps none away yet.
static bool keeps_calls_away(const struct incident *row, const char *provider, const char *endpoint) {
  if (row->kind != INCIDENT_REFUSING && row->kind != INCIDENT_UNREACHABLE) return false;
  if (strncmp(row->scope, "certificate", strlen("certificate")) == 0) return false;
  return (!*row->provider || strcmp(row->provider, provider) == 0) &&
         (!*row->endpoint || !*endpoint || strcmp(row->endpoint, endpoint) == 0);
}

static char *add_cause(char *causes, const struct incident *row) {
  AUTO_FREE char *before = causes;
  AUTO_JSON *details = json_loads(row->details, 0, NULL);
  const char *summary = json_string_value(json_object_get(details, "summary"));
  return mem_printf("%s%s%s is open: %s", before ? before : "", before ? "; " : "",
                    incident_kind_name(row->kind), summary ? summary : "");
}

char *judge_story_cause(const struct judge *j, const char *provider, const char *endpoint) {
  char *causes = NULL;
  for (size_t i = 0, n = 0; i < j->view->n_incidents && n < CAUSES_MAX; i++) {
    const struct incident *row = &j->view->incidents[i].row;
    if (!keeps_calls_away(row, provider, endpoint)) continue;
    causes = add_cause(causes, row);
    n++;
  }
  if (!causes && j->door_result.at && j->door_result.stage != FRONT_DOOR_OK)
    return mem_printf("a call of our own front door fails: %s", j->door_result.text);
  return causes;
}
