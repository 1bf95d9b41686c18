// SPDX-License-Identifier: MIT
#include "processor/api/routes.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_DEFAULT = 50 };
#define LISTED                                                                                               \
  [LIST_CURSOR] = {"cursor", PARAMETER_CURSOR, NULL}, [LIST_LIMIT] = {"limit", PARAMETER_NUMBER, NULL},      \
  [LIST_UNTIL] = {"until", PARAMETER_TIME, NULL}
#define STATUSES "PENDING, SENT, DEAD_LETTER"
#define KINDS    "failing, silent, slow, refusing, unreachable, at_risk"
#define ALERT_KINDS                                                                                          \
  "dead_lettered, recovered, overdue, failing, silent, slow, refusing, unreachable, at_risk, restored, "     \
  "quarantined, lost, consent_withdrawn"
#define STATS                                                                                                \
  [STATS_PROVIDER] = {"provider", PARAMETER_TEXT, NULL},                                                     \
  [STATS_ENDPOINT] = {"endpoint", PARAMETER_TEXT, NULL},                                                     \
  [STATS_STEP] = {"step", PARAMETER_CHOICE, "minute, hour, day"},                                            \
  [STATS_SINCE] = {"since", PARAMETER_TIME, NULL}, [STATS_UNTIL] = {"until", PARAMETER_TIME, NULL}

// ---- what no parameter shows by itself ----

// In the order of the table below, behind those of a list.
enum {
  NOTIFICATIONS_PROVIDER = LIST_PARAMETERS,
  ID,
  STATUS,
  CODE,
  REFERENCE,
  RECIPIENT_HASH,
  SINCE,
  OVERDUE
};

// No index has the codes of what has arrived.
static bool check_notifications(struct query *query, struct problem *problem) {
  const char *status = query->values[STATUS];
  if (!query->values[CODE] || query->values[ID] || query->values[REFERENCE] ||
      query->values[RECIPIENT_HASH] || query->values[OVERDUE])
    return true;
  if (status && strcmp(status, "SENT") != 0) return true;
  return problem_set_parameter(problem, "code",
                               "expected beside it status=DEAD_LETTER or status=PENDING, or an id, a "
                               "reference or a recipient: SENT notifications are not found by code alone");
}

enum { STATS_PROVIDER, STATS_ENDPOINT, STATS_STEP, STATS_SINCE, STATS_UNTIL, STATS_PARAMETERS };

static const struct step {
  const char *name;
  int64_t default_hours, hours_max; // from `since` to `until`
} steps[] = {{"minute", 1, 24}, {"hour", 24, 168}, {"day", 168, 744}};

static const struct step *step_of(struct query *query) {
  char **name = &query->values[STATS_STEP];
  if (!*name) *name = mem_strdup(steps[0].name);
  const struct step *step = steps;
  while (strcmp(step->name, *name) != 0) step++; // query_read() has seen that it is one of them
  return step;
}

static char *time_text(int64_t ms) {
  char text[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(ms, text);
  return mem_strdup(text);
}

static bool check_stats(struct query *query, struct problem *problem) {
  enum { HOUR_MS = 3600000 };
  const struct step *step = step_of(query);
  char **since = &query->values[STATS_SINCE], **until = &query->values[STATS_UNTIL];
  int64_t from_ms, to_ms = clock_wall_ms();
  if (!*until) *until = time_text(to_ms);
  bool read = clock_parse_time(*until, 0, &to_ms);
  if (!*since) *since = time_text(to_ms - step->default_hours * HOUR_MS);
  read = clock_parse_time(*since, 0, &from_ms) && read;
  if (read && from_ms < to_ms && to_ms - from_ms <= step->hours_max * HOUR_MS) return true;
  return problem_set_parameter(problem, "since",
                               "expected a time before until, for step=%s at most %lld hours before it",
                               step->name, (long long)step->hours_max);
}

// ---- the table ----

static const struct route routes[] = {
    {.path = "/v1/overview", .statement = "api_overview.sql", .kind = ROUTE_ONE, .takes_words = true},
    {.path = "/v1/notifications",
     .statement = "api_notifications.sql",
     .kind = ROUTE_LIST,
     .keys = CURSOR_NAMES,
     .n = LIST_PARAMETERS + 8,
     .parameters =
         {LISTED, [NOTIFICATIONS_PROVIDER] = {"provider", PARAMETER_TEXT, NULL},
          [ID] = {"id", PARAMETER_TEXT, NULL}, [STATUS] = {"status", PARAMETER_CHOICE, STATUSES},
          [CODE] = {"code", PARAMETER_TEXT, NULL}, [REFERENCE] = {"reference", PARAMETER_TEXT, NULL},
          [RECIPIENT_HASH] = {"recipient_hash", PARAMETER_HASH, NULL},
          [SINCE] = {"since", PARAMETER_TIME, NULL}, [OVERDUE] = {"overdue", PARAMETER_CHOICE, "yes"}},
     .check = check_notifications},
    {.path = "/v1/notifications/{provider}/{id}",
     .statement = "api_notification.sql",
     .kind = ROUTE_ONE,
     .takes_words = true},
    {.path = "/v1/incidents",
     .statement = "api_incidents.sql",
     .kind = ROUTE_LIST,
     .keys = CURSOR_UUID,
     .n = LIST_PARAMETERS + 5,
     .parameters = {LISTED,
                    [LIST_PARAMETERS] = {"status", PARAMETER_CHOICE, "open, closed"},
                    {"kind", PARAMETER_CHOICE, KINDS},
                    {"provider", PARAMETER_TEXT, NULL},
                    {"endpoint", PARAMETER_TEXT, NULL},
                    {"since", PARAMETER_TIME, NULL}}},
    {.path = "/v1/incidents/{id}", .statement = "api_incident.sql", .kind = ROUTE_ONE},
    {.path = "/v1/alerts",
     .statement = "api_alerts.sql",
     .kind = ROUTE_LIST,
     .keys = CURSOR_UUID,
     .n = LIST_PARAMETERS + 4,
     .parameters = {LISTED,
                    [LIST_PARAMETERS] = {"type", PARAMETER_TEXT, NULL},
                    {"kind", PARAMETER_CHOICE, ALERT_KINDS},
                    {"provider", PARAMETER_TEXT, NULL},
                    {"since", PARAMETER_TIME, NULL}}},
    {.path = "/v1/quarantine",
     .statement = "api_quarantine.sql",
     .kind = ROUTE_LIST,
     .keys = CURSOR_PLACE,
     .n = LIST_PARAMETERS + 4,
     .parameters = {LISTED,
                    [LIST_PARAMETERS] = {"provider", PARAMETER_TEXT, NULL},
                    {"endpoint", PARAMETER_TEXT, NULL},
                    {"redriven", PARAMETER_CHOICE, "yes, no"},
                    {"since", PARAMETER_TIME, NULL}}},
    {.path = "/v1/quarantine/{partition}/{offset}/redrive", .kind = ROUTE_REDRIVE},
    {.path = "/v1/contacts",
     .statement = "api_contacts.sql",
     .kind = ROUTE_LIST,
     .keys = CURSOR_NAMES,
     .n = LIST_PARAMETERS + 7,
     .parameters = {LISTED,
                    [LIST_PARAMETERS] = {"provider", PARAMETER_TEXT, NULL},
                    {"id", PARAMETER_TEXT, NULL},
                    {"status", PARAMETER_CHOICE, "known, deleted"},
                    {"consent_given", PARAMETER_TEXT, NULL},
                    {"consent_withdrawn", PARAMETER_TEXT, NULL},
                    {"recipient_hash", PARAMETER_HASH, NULL},
                    {"since", PARAMETER_TIME, NULL}}},
    {.path = "/v1/contacts/{provider}/{id}", .statement = "api_contact.sql", .kind = ROUTE_ONE},
    {.path = "/v1/stats",
     .statement = "api_stats.sql",
     .kind = ROUTE_ONE,
     .n = STATS_PARAMETERS,
     .parameters = {STATS},
     .check = check_stats},
    {.path = "/v1/stats/codes",
     .statement = "api_code_stats.sql",
     .kind = ROUTE_ONE,
     .takes_words = true,
     .n = STATS_PARAMETERS + 2,
     .parameters =
         {STATS, [STATS_PARAMETERS] = {"channel", PARAMETER_TEXT, NULL}, {"code", PARAMETER_TEXT, NULL}},
     .check = check_stats},
};

const struct route *routes_at(size_t i) {
  return i < COUNT_OF(routes) ? &routes[i] : NULL;
}

const struct route *routes_find(const char *path, char *values[PATH_VALUES_MAX]) {
  for (size_t i = 0; i < COUNT_OF(routes); i++)
    if (path_match(routes[i].path, path, values)) return &routes[i];
  return NULL;
}

// ---- a statement's values ----

static void add(struct route_values *out, const char *value) {
  if (out->n == ROUTE_VALUES_MAX) abort();
  out->list[out->n++] = value;
}

// Less than any key.
static const char *const least[] = {
    [CURSOR_NAMES] = "", [CURSOR_UUID] = "00000000-0000-0000-0000-000000000000", [CURSOR_PLACE] = "-1"};

// What is behind no item: all that is before a time.
static void add_start(struct route_values *out, const struct route *route, const char *until) {
  add(out, until ? until : "infinity");
  add(out, least[route->keys]);
  if (route->keys != CURSOR_UUID) add(out, least[route->keys]);
}

static void add_place(struct route_values *out, const struct route *route) {
  add(out, out->cursor.at);
  add(out, out->cursor.keys[0]);
  if (route->keys != CURSOR_UUID) add(out, out->cursor.keys[1]);
}

// `until` may have changed since the page before.
static bool is_before(const char *until, const struct cursor *cursor) {
  int64_t ms;
  return until && clock_parse_time(until, 0, &ms) && ms <= cursor->at_ms;
}

static bool add_list(struct route_values *out, const struct route *route, const struct query *query,
                     struct problem *problem) {
  const char *text = query->values[LIST_CURSOR], *until = query->values[LIST_UNTIL];
  const char *limit = query->values[LIST_LIMIT];
  if (text && !cursor_decode(route->path, route->keys, text, &out->cursor))
    return problem_set_parameter(problem, "cursor", "expected the value of `next` of a page of this list");
  if (!text || is_before(until, &out->cursor))
    add_start(out, route, until);
  else
    add_place(out, route);
  out->limit = limit ? strtol(limit, NULL, 10) : LIMIT_DEFAULT;
  snprintf(out->limit_text, sizeof out->limit_text, "%ld", out->limit + 1);
  add(out, out->limit_text);
  return true;
}

bool route_values_init(struct route_values *out, const struct route *route, char *const path[PATH_VALUES_MAX],
                       const struct query *query, const char *words, struct problem *problem) {
  *out = (struct route_values){0};
  for (size_t i = 0; i < PATH_VALUES_MAX && path[i]; i++) add(out, path[i]);
  for (size_t i = route->kind == ROUTE_LIST ? LIST_PARAMETERS : 0; i < route->n; i++)
    add(out, query->values[i]);
  if (route->takes_words) add(out, words);
  return route->kind != ROUTE_LIST || add_list(out, route, query, problem);
}

void route_values_fini(struct route_values *values) {
  cursor_fini(&values->cursor);
}
