// SPDX-License-Identifier: MIT
// dochak-processor incidents: what is wrong with a whole provider or endpoint now, and what was lately; and
// when the silence of an endpoint would be found. Only reads.
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/commands/terminal.h"
#include "processor/postgres/schema_version.h"
#include "processor/rules/alert.h"
#include "processor/tables/rows.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct incidents_options {
  bool all, as_json;
};

// ---- what is asked for ----

static const char help[] =
    "dochak-processor incidents: the faults of whole providers and endpoints that are open, the newest "
    "first;\n"
    "and when the watch would find that calls to an endpoint have stopped\n"
    "\n"
    "usage: dochak-processor incidents [--all] [--json]\n"
    "\n"
    "  --all   also those that closed in the last 30 days\n"
    "  --json  only the incidents, one JSON object a line, with the members of the alerts\n"
    "          (schemas/alert.schema.json)\n"
    "\n"
    "Times are those of your zone (TZ); with --json they are UTC.";

static bool read_arguments(int argc, char **argv, void *options, struct err *err) {
  struct incidents_options *o = options;
  struct flag flags[] = {{"--all", FLAG_SWITCH, &o->all, NULL}, {"--json", FLAG_SWITCH, &o->as_json, NULL}};
  return flags_read(argc, argv, flags, COUNT_OF(flags), NULL, err);
}

// ---- one incident ----

// As in incident_list.sql.
enum column { ID, KIND, PROVIDER, ENDPOINT, SCOPE, SINCE, OPENED_AT, CLOSED_AT, FOLDED, DETAILS };

static json_t *text_or_null(const char *text) {
  return *text ? json_string(text) : json_null();
}

// Those of the opening. Never NULL.
static json_t *read_details(const PGresult *res, int row) {
  const char *text = PQgetvalue(res, row, DETAILS);
  json_t *details = json_parse(text, strlen(text), NULL);
  return details ? details : json_object();
}

static void print_json(const PGresult *res, int row) {
  AUTO_JSON *value = read_details(res, row);
  json_object_set_new(value, "incident_id", json_string(PQgetvalue(res, row, ID)));
  json_object_set_new(value, "kind", json_string(PQgetvalue(res, row, KIND)));
  json_object_set_new(value, "status", json_string(PQgetisnull(res, row, CLOSED_AT) ? "open" : "closed"));
  json_object_set_new(value, "provider", text_or_null(PQgetvalue(res, row, PROVIDER)));
  json_object_set_new(value, "endpoint", text_or_null(PQgetvalue(res, row, ENDPOINT)));
  json_object_set_new(value, "scope", text_or_null(PQgetvalue(res, row, SCOPE)));
  json_object_set_new(value, "since", alert_time(rows_time(res, row, SINCE)));
  json_object_set_new(value, "opened_at", alert_time(rows_time(res, row, OPENED_AT)));
  json_object_set_new(value, "closed_at", alert_time(rows_time(res, row, CLOSED_AT)));
  json_object_set_new(value, "folded_overdue", json_integer(pgvalue_int8(PQgetvalue(res, row, FOLDED))));
  terminal_print_json(value);
}

// "failing  bizgo  bizgo/alimtalk  template"; what it is not about is left out.
static void print_head(const PGresult *res, int row) {
  terminal_print(PQgetvalue(res, row, KIND));
  for (enum column column = PROVIDER; column <= SCOPE; column++) {
    if (!*PQgetvalue(res, row, column)) continue;
    fputs("  ", stdout);
    terminal_print(PQgetvalue(res, row, column));
  }
  putchar('\n');
}

static void print_times(const PGresult *res, int row) {
  char since[TERMINAL_TIME_SIZE], closed[TERMINAL_TIME_SIZE], lasted[TERMINAL_DURATION_SIZE];
  int64_t since_ms = rows_time(res, row, SINCE), closed_ms = rows_time(res, row, CLOSED_AT);
  int64_t folded = pgvalue_int8(PQgetvalue(res, row, FOLDED));
  bool is_open = closed_ms == NO_TIME;
  terminal_format_time(since_ms, since);
  terminal_format_duration((is_open ? clock_wall_ms() : closed_ms) - since_ms, lasted);
  if (!is_open) terminal_format_time(closed_ms, closed);
  printf("  %s since %s%s%s, for %s\n", is_open ? "open," : "closed,", since, is_open ? "" : " until ",
         is_open ? "" : closed, lasted);
  if (folded) printf("  %" PRId64 " overdue notifications raised no alert of their own\n", folded);
}

static void print_text(const json_t *details, const char *name, const char *before) {
  const char *text = json_string_value(json_object_get(details, name));
  if (!text || !*text) return;
  fputs(before, stdout);
  terminal_print(text);
  putchar('\n');
}

// What it says was so when the alert was published; an open incident may have grown since.
static void print_summary(const PGresult *res, int row, const json_t *details) {
  char opened[TERMINAL_TIME_SIZE];
  terminal_format_time(rows_time(res, row, OPENED_AT), opened);
  AUTO_FREE char *before = mem_printf("  alert of %s: ", opened);
  print_text(details, "summary", before);
}

static void print_details(const json_t *details) {
  size_t i;
  const json_t *step;
  print_text(details, "cause", "  cause: ");
  print_text(details, "example", "  for example: ");
  json_array_foreach(json_object_get(details, "check_first"), i, step) {
    fputs(i == 0 ? "  check first:\n    - " : "    - ", stdout);
    terminal_print(json_is_string(step) ? json_string_value(step) : "");
    putchar('\n');
  }
}

// ---- the incidents ----

static void print_all(const PGresult *res) {
  for (int row = 0; row < PQntuples(res); row++) {
    AUTO_JSON *details = read_details(res, row);
    if (row > 0) putchar('\n');
    print_head(res, row);
    print_times(res, row);
    print_summary(res, row, details);
    print_details(details);
  }
}

static void print_none(const struct incidents_options *o) {
  puts(o->all ? "no incident is open, and none closed in the last 30 days" : "no incident is open");
}

// ---- whether anybody watches ----

// A leader stores each few seconds that it looks.
static bool print_blindness(PGconn *conn, struct err *err) {
  enum { BLIND_S = 60 };
  static const char advice[] = "what has happened since is not here; dochak-processor doctor says why";
  AUTO_RESULT *res = PQexecParams(conn, pg_sql("watch_look_read.sql"), 0, NULL, NULL, NULL, NULL, 1);
  if (!pg_ok(conn, res, "watch_look_read", NULL, err)) return false;
  if (PQntuples(res) == 0) {
    puts("no processor has watched yet: only what reports say is here; start a processor\n");
    return true;
  }
  int64_t seconds = pgvalue_int8(PQgetvalue(res, 0, 1));
  if (seconds < BLIND_S) return true;
  char at[TERMINAL_TIME_SIZE], lasted[TERMINAL_DURATION_SIZE];
  terminal_format_time(rows_time(res, 0, 0), at);
  terminal_format_duration(seconds * 1000, lasted);
  printf("no processor watches: the last look was %s ago, at %s; %s\n\n", lasted, at, advice);
  return true;
}

// ---- silence that no registration shows ----

// As in rhythm_list.sql.
enum rhythm_column { RHYTHM_ENDPOINT, STANDING, SPEAKS_FROM, HORIZON };

static const struct standing {
  const char *name, *words;
  enum rhythm_column time; // whose time follows the words
} standings[] = {
    {"learning", "learning; speaks from ", SPEAKS_FROM},
    {"watching", "if calls stopped now, the alert would come at ", HORIZON},
    {"irregular", "too irregular to watch; set a floor in the endpoints file", STANDING},
    {"registered", "its messages are registered, so a missing receipt is overdue", STANDING},
};

static void print_standing(const PGresult *res, int row, const struct standing *standing) {
  char at[TERMINAL_TIME_SIZE] = "";
  bool has_time = standing->time != STANDING;
  int64_t ms = has_time ? rows_time(res, row, (int)standing->time) : NO_TIME;
  if (ms != NO_TIME) terminal_format_time(ms, at);
  fputs("  ", stdout);
  terminal_print(PQgetvalue(res, row, RHYTHM_ENDPOINT));
  printf(": %s%s\n", has_time && !*at ? standing->name : standing->words, at);
}

static bool print_rhythms(PGconn *conn, struct err *err) {
  AUTO_RESULT *res = PQexecParams(conn, pg_sql("rhythm_list.sql"), 0, NULL, NULL, NULL, NULL, 1);
  if (!pg_ok(conn, res, "rhythm_list", NULL, err)) return false;
  if (PQntuples(res) > 0) puts("\nsilence of endpoints:");
  for (int row = 0; row < PQntuples(res); row++)
    for (size_t i = 0; i < COUNT_OF(standings); i++)
      if (strcmp(standings[i].name, PQgetvalue(res, row, STANDING)) == 0)
        print_standing(res, row, &standings[i]);
  return true;
}

// ---- all of it ----

static PGresult *list(PGconn *conn, const struct incidents_options *o) {
  enum { DAY_MS = 24 * 60 * 60 * 1000 };
  char since[CLOCK_RFC3339_SIZE] = "infinity";
  if (o->all) clock_format_rfc3339(clock_wall_ms() - INT64_C(30) * DAY_MS, since);
  return PQexecParams(conn, pg_sql("incident_list.sql"), 1, NULL, (const char *const[]){since}, NULL, NULL,
                      1);
}

static bool print(PGconn *conn, const struct incidents_options *o, struct err *err) {
  if (!schema_version_hold(conn, err)) return false;
  AUTO_RESULT *res = list(conn, o);
  if (!pg_ok(conn, res, "incident_list", NULL, err)) return false;
  for (int row = 0; o->as_json && row < PQntuples(res); row++) print_json(res, row);
  if (o->as_json) return true;
  if (!print_blindness(conn, err)) return false;
  if (PQntuples(res) > 0)
    print_all(res);
  else
    print_none(o);
  return print_rhythms(conn, err);
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  (void)processor;
  PGconn *conn = pg_connect(err);
  bool done = conn && print(conn, options, err);
  PQfinish(conn);
  return done;
}

const struct command incidents_command = {"incidents",    help, sizeof(struct incidents_options),
                                          read_arguments, run,  false};
