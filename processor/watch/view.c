// SPDX-License-Identifier: MIT
#include "processor/watch/view.h"
#include "common/base/clock.h"
#include "common/base/least.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/rules/ledger.h"
#include "processor/tables/rows.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, AGAIN_MINUTES = 30, AHEAD_MINUTES = 2 };
enum { PART_MINUTES = 4 * 60, CURRENT_MINUTES = 4 };

static const char *const statements[] = {
    "watch_counts.sql", "watch_endpoints.sql",    "watch_failed.sql",   "watch_spooled.sql",
    "watch_last.sql",   "incident_list_open.sql", "incident_blind.sql", "watch_day.sql"};

bool view_prepare(PGconn *conn, struct err *err) {
  return rows_prepare(conn, statements, COUNT_OF(statements), err);
}

struct view *view_new(const struct providers *providers) {
  struct view *view = mem_alloc(sizeof *view);
  view->n_providers = providers_count(providers);
  view->providers = mem_array(view->n_providers, sizeof *view->providers);
  view->loaded_until = view->part_until = view->last_report = INT64_MIN;
  view->spooled_since_ms = INT64_MAX;
  for (size_t i = 0; i < view->n_providers; i++) {
    struct view_provider *p = &view->providers[i];
    p->file = providers_at(providers, i);
    p->minutes = (struct minutes){.list = p->list, .n = VIEW_MINUTES};
    p->due_minutes = (provider_expects(p->file).receipt_within_s + 59) / 60;
    if (p->due_minutes > view->due_minutes) view->due_minutes = p->due_minutes;
  }
  return view;
}

static void forget_incidents(struct view *view) {
  for (size_t i = 0; i < view->n_incidents; i++) incident_fini(&view->incidents[i].row);
  free(view->incidents);
  view->incidents = NULL;
  view->n_incidents = 0;
}

static void forget_reporters(struct view *view) {
  for (size_t i = 0; i < view->n_reporters; i++) free(view->reporters[i]);
  free(view->reporters);
  view->reporters = NULL;
  view->n_reporters = 0;
}

void view_free(struct view *view) {
  if (view == NULL) return;
  forget_incidents(view);
  forget_reporters(view);
  for (size_t i = 0; i < REFUSING_CHECKS; i++) free(view->checks[i]);
  free(view->providers);
  free(view->endpoints);
  free(view->named);
  free(view);
}

// A record of a later minute is by a clock that was wrong. By this machine's clock, since the bound of the
// time may be far behind what has come.
static int64_t latest_minute(void) {
  return clock_wall_ms() / MINUTE_MS + AHEAD_MINUTES;
}

// A prepared statement with the times at which two minutes begin.
static PGresult *read_between(PGconn *conn, const char *statement, int64_t first, int64_t last) {
  char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(first * MINUTE_MS, from);
  clock_format_rfc3339(last * MINUTE_MS, to);
  return PQexecPrepared(conn, statement, 2, (const char *const[]){from, to}, NULL, NULL, 1);
}

// A prepared statement with the time at which a minute begins.
static PGresult *read_by(PGconn *conn, const char *statement, int64_t minute) {
  char text[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(minute * MINUTE_MS, text);
  return PQexecPrepared(conn, statement, 1, (const char *const[]){text}, NULL, NULL, 1);
}

// ---- incidents ----

static bool read_incident(const PGresult *res, int row, struct view_incident *out) {
  if (!incident_kind_parse(PQgetvalue(res, row, 1), &out->row.kind)) return false; // of a newer program
  memcpy(&out->row.id, PQgetvalue(res, row, 0), sizeof out->row.id);
  out->row.opens = true;
  out->row.provider = rows_text(res, row, 2);
  out->row.endpoint = rows_text(res, row, 3);
  out->row.scope = rows_text(res, row, 4);
  out->row.since = rows_time(res, row, 5);
  out->opened_ms = rows_time(res, row, 6);
  out->row.judged_until = rows_time(res, row, 7);
  out->row.gap_ms = pgvalue_int8(PQgetvalue(res, row, 8));
  out->row.details = rows_text(res, row, 9);
  return true;
}

bool view_read_incidents(struct view *view, PGconn *conn, struct err *err) {
  AUTO_RESULT *res = PQexecPrepared(conn, "incident_list_open.sql", 0, NULL, NULL, NULL, 1);
  if (!pg_ok(conn, res, "incident_list_open", NULL, err)) return false;
  forget_incidents(view);
  view->incidents = mem_array((size_t)PQntuples(res), sizeof *view->incidents);
  for (int row = 0; row < PQntuples(res); row++)
    view->n_incidents += read_incident(res, row, &view->incidents[view->n_incidents]);
  return true;
}

const struct view_incident *view_find(const struct view *view, enum incident_kind kind, const char *provider,
                                      const char *endpoint, const char *scope) {
  for (size_t i = 0; i < view->n_incidents; i++) {
    const struct incident *row = &view->incidents[i].row;
    if (row->kind == kind && strcmp(row->provider, provider) == 0 && strcmp(row->endpoint, endpoint) == 0 &&
        strcmp(row->scope, scope) == 0)
      return &view->incidents[i];
  }
  return NULL;
}

// ---- providers ----

static const struct counter {
  const char *outcome;
  size_t offset; // of a uint32_t in struct minute_counts
  bool is_receipt;
} counters[] = {
    {"delivered", offsetof(struct minute_counts, delivered), true},
    {"failed", offsetof(struct minute_counts, failed), true},
    {"recipient_fault", offsetof(struct minute_counts, recipient_fault), true},
    {"account_fault", offsetof(struct minute_counts, account_fault), true},
    {"unconfirmed", offsetof(struct minute_counts, unconfirmed), true},
    {"repeated", offsetof(struct minute_counts, repeated), true},
    {"taken", offsetof(struct minute_counts, taken), false},
    {"in_time", offsetof(struct minute_counts, in_time), false},
};

static const struct counter *counter_of(const char *outcome) {
  for (size_t i = 0; i < COUNT_OF(counters); i++)
    if (strcmp(outcome, counters[i].outcome) == 0) return &counters[i];
  return NULL;
}

struct view_provider *view_find_provider(const struct view *view, const char *name) {
  for (size_t i = 0; i < view->n_providers; i++)
    if (strcmp(provider_name(view->providers[i].file), name) == 0) return &view->providers[i];
  return NULL;
}

// A minute that is not over yet is not among `minutes`, but its last receipt counts.
static void add_counter(struct view *view, const PGresult *res, int row) {
  struct view_provider *p = view_find_provider(view, PQgetvalue(res, row, 0));
  const struct counter *counter = counter_of(PQgetvalue(res, row, 2));
  if (!p || !counter) return;
  int64_t minute = rows_time(res, row, 1) / MINUTE_MS, last_ms = rows_time(res, row, 4);
  if (last_ms == NO_TIME) last_ms = minute * MINUTE_MS;
  if (counter->is_receipt && last_ms > p->last_receipt_ms) p->last_receipt_ms = last_ms;
  struct minute_counts *counts = minutes_at(&p->minutes, minute);
  if (counts)
    *(uint32_t *)(void *)((char *)counts + counter->offset) = (uint32_t)pgvalue_int8(PQgetvalue(res, row, 3));
}

// Until another minute is over, only the last receipts change: what was received in a minute that is over is
// known.
static int64_t first_to_read(const struct view *view, int64_t now) {
  if (view->part_until != INT64_MIN) return view->part_until;
  if (view->loaded_until == now) return now;
  int64_t oldest = now - VIEW_MINUTES;
  if (view->loaded_until == INT64_MIN) return oldest;
  return greatest(oldest, view->loaded_until - view->due_minutes - AGAIN_MINUTES);
}

static bool read_span(struct view *view, PGconn *conn, int64_t first, int64_t last, struct err *err) {
  AUTO_RESULT *res = read_between(conn, "watch_counts.sql", first, last);
  if (!pg_ok(conn, res, "watch_counts", NULL, err)) return false;
  for (int row = 0; row < PQntuples(res); row++) add_counter(view, res, row);
  return true;
}

// The last receipts: of the minutes that are not over, and where the bound of the time is far behind, of
// those that may have changed since the last time.
static bool read_ahead(struct view *view, PGconn *conn, int64_t after, struct err *err) {
  int64_t latest = latest_minute(), first = greatest(after + 1, view->ahead_until - CURRENT_MINUTES);
  if (first <= latest && !read_span(view, conn, first, latest, err)) return false;
  view->ahead_until = latest;
  return true;
}

bool view_read_counts(struct view *view, PGconn *conn, int64_t now, bool *is_whole, struct err *err) {
  int64_t first = first_to_read(view, now);
  *is_whole = now - first <= PART_MINUTES;
  int64_t last = *is_whole ? least(now + CURRENT_MINUTES, latest_minute()) : first + PART_MINUTES;
  for (size_t i = 0; i < view->n_providers; i++) minutes_advance(&view->providers[i].minutes, now);
  if (!read_span(view, conn, first, last, err)) return false;
  view->part_until = *is_whole ? INT64_MIN : last;
  if (!*is_whole) return true;
  if (!read_ahead(view, conn, last, err)) return false;
  view->loaded_until = now;
  return true;
}

// ---- endpoints ----

static int check_number(struct view *view, const char *name) {
  for (int i = 0; i < REFUSING_CHECKS; i++) {
    if (!view->checks[i]) view->checks[i] = mem_strdup(name);
    if (strcmp(view->checks[i], name) == 0) return i;
  }
  return REFUSING_CHECKS - 1;
}

static void add_refusals(struct view *view, struct endpoint_minute *minute, const char *by_check) {
  AUTO_JSON *object = json_parse(by_check, strlen(by_check), NULL);
  const char *name;
  json_t *count;
  json_object_foreach(object, name, count) minute->by_check[check_number(view, name)] +=
      (uint32_t)json_integer_value(count);
}

// Of the last row that was read.
struct last_row {
  size_t endpoint; // its place
  int64_t minute, failed_in_a_row;
};

// Minute by minute they come in the same order, so most often it is the next one.
static size_t find_endpoint(const struct view *view, const char *name, size_t last) {
  for (size_t i = 0; i < view->n_endpoints; i++) {
    size_t at = (last + i) % view->n_endpoints;
    if (strcmp(view->endpoints[at].name, name) == 0) return at;
  }
  return view->n_endpoints;
}

static size_t endpoint_of(struct view *view, const PGresult *res, int row, size_t last) {
  const char *name = PQgetvalue(res, row, 0);
  size_t found = find_endpoint(view, name, last);
  if (found < view->n_endpoints) return found;
  view->endpoints = mem_grow(view->endpoints, view->n_endpoints + 1, sizeof *view->endpoints);
  struct view_endpoint *e = &view->endpoints[view->n_endpoints++];
  const struct view_provider *p = view_find_provider(view, PQgetvalue(res, row, 1));
  *e = (struct view_endpoint){.file = p ? p->file : NULL};
  snprintf(e->name, sizeof e->name, "%s", name);
  return found;
}

// The calls that failed in a row are those of all ingress together: a provider does not know that there are
// several. Their rows of one endpoint and minute follow each other.
static void add_minute(struct view *view, const PGresult *res, int row, int64_t now, struct last_row *last) {
  size_t at = endpoint_of(view, res, row, last->endpoint);
  struct view_endpoint *e = &view->endpoints[at];
  int64_t minute = rows_time(res, row, 2) / MINUTE_MS, age = now - minute;
  int64_t failed_in_a_row = pgvalue_int8(PQgetvalue(res, row, 6));
  int64_t spooled_since = rows_time(res, row, 7);
  if (at == last->endpoint && minute == last->minute) failed_in_a_row += last->failed_in_a_row;
  *last = (struct last_row){at, minute, failed_in_a_row};
  if (age < 60 && failed_in_a_row > e->failed_in_a_row) e->failed_in_a_row = failed_in_a_row;
  if (age < 0 || age >= REFUSING_MINUTES) return;
  int64_t refused = pgvalue_int8(PQgetvalue(res, row, 4));
  view->reported[age] = true;
  view->spooled[age] |= spooled_since != NO_TIME;
  e->list[age].calls += (uint32_t)pgvalue_int8(PQgetvalue(res, row, 3));
  e->list[age].refused += (uint32_t)refused;
  if (refused) add_refusals(view, &e->list[age], PQgetvalue(res, row, 5));
}

// ---- blind minutes ----

static void mark_span(struct view_provider *p, int64_t from_ms, int64_t to_ms) {
  int64_t last = to_ms == NO_TIME ? p->minutes.now : to_ms / MINUTE_MS;
  int64_t oldest = p->minutes.now - VIEW_MINUTES + 1, first = from_ms / MINUTE_MS;
  for (int64_t minute = first > oldest ? first : oldest; minute <= last; minute++) {
    struct minute_counts *counts = minutes_at(&p->minutes, minute);
    if (counts) counts->blind = true;
  }
}

static void mark_incident(struct view *view, const PGresult *res, int row) {
  const char *provider = PQgetvalue(res, row, 0); // empty: of all
  for (size_t i = 0; i < view->n_providers; i++)
    if (!*provider || strcmp(provider_name(view->providers[i].file), provider) == 0)
      mark_span(&view->providers[i], rows_time(res, row, 1), rows_time(res, row, 2));
}

// Where no ingress has ever reported, it is of a version that does not.
static void mark_unreported(struct view *view, int64_t now) {
  for (int64_t age = 0; view->last_report != INT64_MIN && age < REFUSING_MINUTES; age++) {
    if (view->reported[age] && !view->spooled[age]) continue;
    if (age > 0 && !view->blind_until_ms) view->blind_until_ms = (now - age + 1) * MINUTE_MS;
    for (size_t i = 0; i < view->n_providers; i++) {
      struct minute_counts *counts = minutes_at(&view->providers[i].minutes, now - age);
      if (counts) counts->blind = true;
    }
  }
}

// A record may have come late, so what was marked is marked anew.
static void clear_blind(struct view *view, int64_t now) {
  for (int64_t age = 0; age < REFUSING_MINUTES; age++)
    for (size_t i = 0; i < view->n_providers; i++) {
      struct minute_counts *counts = minutes_at(&view->providers[i].minutes, now - age);
      if (counts) counts->blind = false;
    }
}

static bool mark_blind(struct view *view, PGconn *conn, int64_t now, struct err *err) {
  AUTO_RESULT *res = read_by(conn, "incident_blind.sql", now - VIEW_MINUTES);
  if (!pg_ok(conn, res, "incident_blind", NULL, err)) return false;
  clear_blind(view, now);
  for (int row = 0; row < PQntuples(res); row++) mark_incident(view, res, row);
  mark_unreported(view, now);
  return true;
}

static void add_failed(struct view *view, const PGresult *res, int row) {
  for (size_t i = 0; i < view->n_endpoints; i++)
    if (strcmp(view->endpoints[i].name, PQgetvalue(res, row, 0)) == 0)
      view->endpoints[i].failed_a_day = pgvalue_int8(PQgetvalue(res, row, 1));
}

// ---- what bounds the time ----

// However long ago it was: as long as no ingress reports, nothing after it is known.
static bool read_last(struct view *view, PGconn *conn, struct err *err) {
  AUTO_RESULT *res = read_by(conn, "watch_last.sql", latest_minute());
  if (!pg_ok(conn, res, "watch_last", NULL, err)) return false;
  forget_reporters(view);
  view->n_reporters = (size_t)PQntuples(res);
  view->reporters = mem_array(view->n_reporters, sizeof *view->reporters);
  int64_t last_report = view->n_reporters ? rows_time(res, 0, 0) / MINUTE_MS : INT64_MIN;
  if (last_report > view->last_report) view->report_came_ms = clock_wall_ms();
  view->last_report = last_report;
  view->has_left = view->n_reporters > 0;
  for (int row = 0; row < PQntuples(res); row++) {
    view->reporters[row] = mem_strdup(PQgetvalue(res, row, 1));
    if (pgvalue_int4(PQgetvalue(res, row, 2)) == 0) view->has_left = false;
  }
  return true;
}

static bool read_spooled(struct view *view, PGconn *conn, int64_t now, struct err *err) {
  AUTO_RESULT *res = read_between(conn, "watch_spooled.sql", now - VIEW_GONE_MINUTES + 1, latest_minute());
  if (!pg_ok(conn, res, "watch_spooled", NULL, err)) return false;
  int64_t since_ms = rows_time(res, 0, 0);
  view->spooled_since_ms = since_ms == NO_TIME ? INT64_MAX : since_ms;
  return true;
}

bool view_read_bounds(struct view *view, PGconn *conn, int64_t now, struct err *err) {
  return read_last(view, conn, err) && read_spooled(view, conn, now, err);
}

// ---- all of an ingress ----

bool view_read_endpoints(struct view *view, PGconn *conn, int64_t now, struct err *err) {
  AUTO_RESULT *res = read_between(conn, "watch_endpoints.sql", now - REFUSING_MINUTES, latest_minute());
  if (!pg_ok(conn, res, "watch_endpoints", NULL, err)) return false;
  AUTO_RESULT *failed = read_between(conn, "watch_failed.sql", now - MINUTES_DAY, latest_minute());
  if (!pg_ok(conn, failed, "watch_failed", NULL, err)) return false;
  free(view->endpoints);
  view->endpoints = NULL;
  view->n_endpoints = 0;
  view->blind_until_ms = 0;
  memset(view->reported, 0, sizeof view->reported);
  memset(view->spooled, 0, sizeof view->spooled);
  struct last_row last = {.minute = INT64_MIN};
  for (int row = 0; row < PQntuples(res); row++) add_minute(view, res, row, now, &last);
  for (int row = 0; row < PQntuples(failed); row++) add_failed(view, failed, row);
  return mark_blind(view, conn, now, err);
}

// ---- the endpoints of a day ----

bool view_read_named(struct view *view, PGconn *conn, int64_t now, struct err *err) {
  AUTO_RESULT *res = read_between(conn, "watch_day.sql", now - MINUTES_DAY, latest_minute());
  if (!pg_ok(conn, res, "watch_day", NULL, err)) return false;
  free(view->named);
  view->n_named = (size_t)PQntuples(res);
  view->named = mem_array(view->n_named, sizeof *view->named);
  for (int row = 0; row < PQntuples(res); row++) {
    struct view_named *named = &view->named[row];
    int64_t refused_ms = rows_time(res, row, 2);
    snprintf(named->endpoint, sizeof named->endpoint, "%s", PQgetvalue(res, row, 0));
    snprintf(named->provider, sizeof named->provider, "%s", PQgetvalue(res, row, 1));
    named->refused_at = refused_ms == NO_TIME ? INT64_MIN : refused_ms / MINUTE_MS;
  }
  return true;
}

static const struct view_named *find_named(const struct view *view, const char *endpoint) {
  for (size_t i = 0; i < view->n_named; i++)
    if (strcmp(view->named[i].endpoint, endpoint) == 0) return &view->named[i];
  return NULL;
}

// One that is new may be of the last hour only.
bool view_endpoint_is_gone(const struct view *view, const char *endpoint) {
  for (size_t i = 0; i < view->n_endpoints; i++)
    if (strcmp(view->endpoints[i].name, endpoint) == 0) return false;
  return view->n_named > 0 && !find_named(view, endpoint);
}

bool view_provider_is_gone(const struct view *view, const char *provider) {
  if (view->n_named == 0 || view_find_provider(view, provider)) return false;
  for (size_t i = 0; i < view->n_named; i++)
    if (strcmp(view->named[i].provider, provider) == 0) return false;
  return true;
}

int64_t view_refused_at(const struct view *view, const char *endpoint) {
  const struct view_named *named = find_named(view, endpoint);
  return named ? named->refused_at : INT64_MIN;
}
