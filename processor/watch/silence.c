// SPDX-License-Identifier: MIT
#include "processor/watch/silence.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "processor/rules/ledger.h"
#include "processor/tables/rows.h"
#include "processor/watch/rhythm_json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, HOUR = 60, DAY = 24 * HOUR };
enum {
  NAMED = 5,
  LATE = 2 * HOUR,
  CATCH_UP = 14 * DAY,
  HISTORY = RHYTHM_WEEKS * RHYTHM_HOURS * HOUR,
  NAME_SIZE = 256
};

static const int64_t HOURS_KEPT = (int64_t)RHYTHM_WEEKS * RHYTHM_HOURS;

struct endpoint {
  char name[NAME_SIZE], provider[NAME_SIZE];
  const struct watched *watched;
  struct rhythm rhythm;
  struct rhythm_state state;
  struct floor_state floor;
  int64_t floor_had,
      floor_opened;   // calls within its time, and minute, when it opened; 0: not in this process
  int64_t built;      // day of the rhythm; -1: none yet
  bool is_registered; // the rhythm does not speak
  int64_t used[LATE]; // calls that were counted, at minute % LATE
  int64_t used_from;  // the first minute that is in there
  int64_t hour;       // whose predecessors are added up; -1: none yet
};

struct silence {
  const struct watched_list *watched;
  struct endpoint **list;
  size_t n;
  bool is_loaded;
  int64_t now;         // minute up to which they are counted
  size_t next, stored; // of the list: which is counted next, and stored next
};

static const char *const statements[] = {"rhythm_endpoints.sql",  "rhythm_calls.sql",  "rhythm_hours_add.sql",
                                         "rhythm_hours_read.sql", "rhythm_pauses.sql", "rhythm_read.sql",
                                         "rhythm_write.sql"};

bool silence_prepare(PGconn *conn, struct err *err) {
  return rows_prepare(conn, statements, COUNT_OF(statements), err);
}

struct silence *silence_new(const struct watched_list *watched) {
  struct silence *s = mem_alloc(sizeof *s);
  s->watched = watched;
  return s;
}

void silence_free(struct silence *s) {
  if (s == NULL) return;
  for (size_t i = 0; i < s->n; i++) free(s->list[i]);
  free(s->list);
  free(s);
}

// ---- reading ----

// The statement from the minute on, with up to two more parameters. The result is binary.
static PGresult *read_from(PGconn *conn, const char *statement, int64_t minute, const char *a,
                           const char *b) {
  char from[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(minute * MINUTE_MS, from);
  const char *const values[] = {from, a, b};
  return PQexecPrepared(conn, statement, 1 + (a != NULL) + (b != NULL), values, NULL, NULL, 1);
}

static struct endpoint *endpoint_of(struct silence *s, const char *name, const char *provider, int64_t now) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->list[i]->name, name) == 0) return s->list[i];
  struct endpoint *e = mem_alloc(sizeof *e);
  snprintf(e->name, sizeof e->name, "%s", name);
  snprintf(e->provider, sizeof e->provider, "%s", provider);
  e->watched = watched_find(s->watched, name);
  e->built = e->hour = -1;
  e->used_from = INT64_MAX;
  rhythm_init(&e->state, now);
  s->list = mem_grow(s->list, s->n + 1, sizeof *s->list);
  return s->list[s->n++] = e;
}

// A state that is ahead of this machine's clock is by one that was wrong. One that is only ahead of the
// minute that is judged now is not: the bound of the time may have moved back.
static bool is_ahead(const struct endpoint *e) {
  enum { AHEAD_MINUTES = 5 };
  return e->state.minute > clock_wall_ms() / MINUTE_MS + AHEAD_MINUTES;
}

static bool load(struct silence *s, PGconn *conn, int64_t now, struct err *err) {
  AUTO_RESULT *res = PQexecPrepared(conn, "rhythm_read.sql", 0, NULL, NULL, NULL, 1);
  if (!pg_ok(conn, res, "rhythm_read", NULL, err)) return false;
  for (int row = 0; row < PQntuples(res); row++) {
    struct endpoint *e = endpoint_of(s, PQgetvalue(res, row, 0), PQgetvalue(res, row, 1), now);
    if (!rhythm_state_parse(PQgetvalue(res, row, 2), &e->state) ||
        !floor_state_parse(PQgetvalue(res, row, 3), &e->floor))
      log_warn("the rhythm of an endpoint is of another version; it begins anew",
               LOG_STR("endpoint", e->name));
    if (now - e->state.minute > CATCH_UP) e->state.minute = now - 1; // what was before is not known
    if (is_ahead(e)) rhythm_set_back(&e->state, now, e->watched->zone_minutes);
  }
  return s->is_loaded = true;
}

// The statement between two minutes, both included, of one endpoint or (NULL) of all.
static PGresult *read_minutes(PGconn *conn, const char *statement, int64_t first, int64_t last,
                              const char *endpoint) {
  char until[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(last * MINUTE_MS, until);
  return read_from(conn, statement, first, until, endpoint);
}

// Calls of each minute from `from` to `to`. New, or NULL.
static int64_t *read_calls(PGconn *conn, const struct endpoint *e, int64_t from, int64_t to,
                           struct err *err) {
  AUTO_RESULT *res = read_minutes(conn, "rhythm_calls.sql", from, to, e->name);
  if (!pg_ok(conn, res, "rhythm_calls", NULL, err)) return NULL;
  int64_t *calls = mem_array((size_t)(to - from + 1), sizeof *calls);
  for (int64_t i = 0; i <= to - from; i++) calls[i] = RHYTHM_UNKNOWN;
  for (int row = 0; row < PQntuples(res); row++) {
    int64_t minute = rows_time(res, row, 0) / MINUTE_MS;
    bool waits = pgvalue_int4(PQgetvalue(res, row, 2)) == 1;
    if (minute >= from && minute <= to && !waits)
      calls[minute - from] = pgvalue_int8(PQgetvalue(res, row, 1));
  }
  return calls;
}

// ---- what is learned ----

static void forget_pauses(struct rhythm_history *history, const PGresult *res, int zone_minutes) {
  for (int row = 0; row < PQntuples(res); row++) {
    int64_t since = rows_time(res, row, 0) / MINUTE_MS, closed_ms = rows_time(res, row, 1);
    int64_t closed = closed_ms == NO_TIME ? RHYTHM_NEVER : closed_ms / MINUTE_MS + 1;
    for (int64_t i = 0; i < HOURS_KEPT; i++)
      if (!rhythm_hour_counts(history->until - 1 - i, zone_minutes, since, closed))
        history->hours[i] = (struct rhythm_hour){0};
  }
}

static void add_hours(struct rhythm_history *history, const PGresult *res, int zone_minutes) {
  for (int row = 0; row < PQntuples(res); row++) {
    int64_t hour = rhythm_hour_of(rows_time(res, row, 0) / MINUTE_MS, zone_minutes);
    int64_t i = history->until - 1 - hour;
    if (i < 0 || i >= HOURS_KEPT) continue;
    history->hours[i] = (struct rhythm_hour){(uint32_t)pgvalue_int8(PQgetvalue(res, row, 1)),
                                             (uint8_t)pgvalue_int4(PQgetvalue(res, row, 2)),
                                             (uint8_t)pgvalue_int4(PQgetvalue(res, row, 3))};
  }
}

static bool build(struct endpoint *e, PGconn *conn, int64_t now, struct err *err) {
  int zone = e->watched->zone_minutes;
  AUTO_FREE struct rhythm_history *history = mem_alloc(sizeof *history);
  AUTO_RESULT *hours = read_from(conn, "rhythm_hours_read.sql", now - HISTORY - DAY, e->name, NULL);
  if (!pg_ok(conn, hours, "rhythm_hours_read", NULL, err)) return false;
  AUTO_RESULT *pauses = read_from(conn, "rhythm_pauses.sql", now - HISTORY - DAY, e->name, e->provider);
  if (!pg_ok(conn, pauses, "rhythm_pauses", NULL, err)) return false;
  history->until = rhythm_hour_of(now, zone);
  add_hours(history, hours, zone);
  forget_pauses(history, pauses, zone);
  bool is_first = e->built < 0;
  rhythm_build(&e->rhythm, history, &e->state, zone, e->watched->holidays);
  e->built = (now + zone) / DAY;
  if (!is_first) return true;
  AUTO_FREE int64_t *calls = read_calls(conn, e, e->state.minute - RHYTHM_EVIDENCE + 1, e->state.minute, err);
  if (calls) rhythm_refill(&e->state, &e->rhythm, calls);
  return calls != NULL;
}

static bool add_up_hours(struct endpoint *e, PGconn *conn, int64_t now, struct err *err) {
  if (e->hour == now / HOUR) return true;
  AUTO_RESULT *res = read_from(conn, "rhythm_hours_add.sql", now / HOUR * HOUR, e->name, NULL);
  if (!pg_ok(conn, res, "rhythm_hours_add", NULL, err)) return false;
  e->hour = now / HOUR;
  return true;
}

// ---- counting ----

// Where only deadlines speak, the rhythm counts and learns all the same.
static struct rhythm rhythm_of(const struct endpoint *e) {
  struct rhythm rhythm = e->rhythm;
  if (e->is_registered) rhythm.watches_score = rhythm.watches_days = false;
  return rhythm;
}

static void count_by_floor(struct endpoint *e, int64_t minute, int64_t calls) {
  int64_t had = floor_calls(&e->floor);
  if (!e->watched->floor.calls) {
    e->floor = (struct floor_state){0}; // one that comes later begins anew
    return;
  }
  if (floor_minute(&e->floor, &e->watched->floor, calls) != VERDICT_OPEN) return;
  e->floor_had = had;
  e->floor_opened = minute;
}

static void count_minute(struct endpoint *e, int64_t minute, int64_t calls) {
  struct rhythm rhythm = rhythm_of(e);
  e->used[minute % LATE] = calls;
  if (e->used_from > minute) e->used_from = minute;
  rhythm_minute(&e->state, &rhythm, minute, calls);
  count_by_floor(e, minute, calls);
}

// `calls` begins with minute `from`. Whether a minute that was counted has other calls by now.
static bool is_late(const struct endpoint *e, const int64_t *calls, int64_t from, int64_t now) {
  for (int64_t minute = from; minute <= now && minute <= e->state.minute; minute++)
    if (e->used[minute % LATE] != calls[minute - from]) return true;
  return false;
}

// Calls have come late: the minutes since the start of the pause are decided again.
static bool count_again(struct endpoint *e, PGconn *conn, struct err *err) {
  int64_t from = rhythm_rerun_from(&e->state), to = e->state.minute;
  if (from > to) return true;
  if (from < to - CATCH_UP) return true; // it has been silent for longer than anything waits
  AUTO_FREE int64_t *calls = read_calls(conn, e, from, to, err);
  if (!calls) return false;
  for (int64_t minute = from > to - LATE ? from : to - LATE + 1; minute <= to; minute++)
    e->used[minute % LATE] = calls[minute - from];
  struct rhythm rhythm = rhythm_of(e);
  rhythm_rerun(&e->state, &rhythm, calls);
  return true;
}

static int64_t first_to_read(const struct endpoint *e) {
  int64_t first = e->state.minute - LATE + 1;
  if (first < e->used_from) first = e->used_from;
  return first <= e->state.minute ? first : e->state.minute + 1;
}

static bool count_minutes(struct endpoint *e, PGconn *conn, int64_t now, struct err *err) {
  int64_t from = first_to_read(e);
  if (from > now) return true;
  AUTO_FREE int64_t *calls = read_calls(conn, e, from, now, err);
  if (!calls || (is_late(e, calls, from, now) && !count_again(e, conn, err))) return false;
  for (int64_t minute = e->state.minute + 1; minute <= now; minute++)
    count_minute(e, minute, calls[minute - from]);
  return true;
}

static bool count_endpoint(struct endpoint *e, PGconn *conn, int64_t now, struct err *err) {
  bool is_new_day = e->built != (now + e->watched->zone_minutes) / DAY;
  return add_up_hours(e, conn, now, err) && (!is_new_day || build(e, conn, now, err)) &&
         count_minutes(e, conn, now, err);
}

// ---- how they stand ----

static struct silence_found by_rhythm(const struct endpoint *e) {
  int64_t since = e->state.open == RHYTHM_BY_DAYS ? e->state.dead_since : e->state.pause_start;
  return (struct silence_found){.endpoint = e->name,
                                .provider = e->provider,
                                .scope = "",
                                .is_silent = e->state.open != RHYTHM_QUIET,
                                .since_ms = since * MINUTE_MS,
                                .score = e->state.score,
                                .bar = e->rhythm.bar};
}

// When another process found it, the time is known as that until now.
static struct silence_found by_floor(const struct endpoint *e) {
  const struct floor *floor = &e->watched->floor;
  int64_t opened = e->floor_opened ? e->floor_opened : e->state.minute;
  return (struct silence_found){.endpoint = e->name,
                                .provider = e->provider,
                                .scope = "floor",
                                .is_silent = floor->calls && e->floor.open,
                                .since_ms = opened * MINUTE_MS - floor->within_s * 1000,
                                .calls = e->floor_opened ? e->floor_had : floor_calls(&e->floor),
                                .floor = floor->calls};
}

static bool act_on(const struct endpoint *e, silence_act *act, void *arg, struct err *err) {
  const struct silence_found found[] = {by_rhythm(e), by_floor(e)};
  for (size_t k = 0; k < COUNT_OF(found); k++)
    if (!act(arg, &found[k], err)) return false;
  return true;
}

size_t silence_left(const struct silence *s) {
  return s->n - s->next;
}

bool silence_begin(struct silence *s, PGconn *conn, int64_t now, struct err *err) {
  if (silence_left(s) > 0) return true;
  if (!s->is_loaded && !load(s, conn, now, err)) return false;
  AUTO_RESULT *res = read_minutes(conn, "rhythm_endpoints.sql", now - NAMED + 1, now, NULL);
  if (!pg_ok(conn, res, "rhythm_endpoints", NULL, err)) return false;
  for (int row = 0; row < PQntuples(res); row++)
    endpoint_of(s, PQgetvalue(res, row, 0), PQgetvalue(res, row, 1), now);
  s->now = now;
  s->next = s->stored = 0;
  return true;
}

bool silence_go_on(struct silence *s, PGconn *conn, int64_t enough_ms, silence_registered *is_registered,
                   silence_act *act, void *arg, struct err *err) {
  while (silence_left(s) > 0) {
    struct endpoint *e = s->list[s->next];
    e->is_registered = is_registered(arg, e->provider);
    if (!count_endpoint(e, conn, s->now, err) || !act_on(e, act, arg, err)) return false;
    s->next++;
    if (clock_mono_ms() >= enough_ms) break;
  }
  return true;
}

// ---- storing ----

static const char *standing_of(const struct endpoint *e) {
  static const char *const names[] = {
      [RHYTHM_LEARNING] = "learning", [RHYTHM_IRREGULAR] = "irregular", [RHYTHM_WATCHING] = "watching"};
  return e->is_registered ? "registered" : names[rhythm_standing(&e->rhythm)];
}

static int64_t time_of(int64_t minute) {
  return minute == RHYTHM_NEVER ? NO_TIME : minute * MINUTE_MS;
}

static void add_endpoint(struct pgarray *c, const struct endpoint *e) {
  AUTO_FREE char *state = rhythm_state_text(&e->state);
  AUTO_FREE char *floor_text = floor_state_text(&e->floor);
  bool is_learning = rhythm_standing(&e->rhythm) == RHYTHM_LEARNING;
  struct rhythm rhythm = rhythm_of(e);
  int64_t horizon = rhythm_horizon(&e->state, &rhythm);
  pgarray_add_text(&c[0], e->name);
  pgarray_add_text(&c[1], e->provider);
  pgarray_add_jsonb(&c[2], state);
  pgarray_add_jsonb(&c[3], floor_text);
  pgarray_add_time(&c[4], e->state.minute * MINUTE_MS);
  pgarray_add_text(&c[5], standing_of(e));
  pgarray_add_time(&c[6], is_learning ? time_of(e->rhythm.speaks_from) : NO_TIME);
  pgarray_add_time(&c[7], horizon == RHYTHM_NEVER ? NO_TIME : (horizon + 1) * MINUTE_MS);
  pgarray_add_int8(&c[8], llround(e->state.score * 1000));
  pgarray_add_int8(&c[9], llround(e->rhythm.bar * 1000));
}

bool silence_store(struct silence *s, PGconn *conn, struct err *err) {
  static const enum pg_type types[] = {PG_TEXT, PG_TEXT,        PG_JSONB,       PG_JSONB, PG_TIMESTAMPTZ,
                                       PG_TEXT, PG_TIMESTAMPTZ, PG_TIMESTAMPTZ, PG_INT8,  PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  if (s->stored == s->next) return true;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = s->stored; i < s->next; i++) add_endpoint(c, s->list[i]);
  AUTO_RESULT *res = rows_run(conn, "rhythm_write.sql", c, COUNT_OF(types));
  if (!pg_ok(conn, res, "rhythm_write", NULL, err)) return false;
  s->stored = s->next;
  return true;
}

bool silence_at(const struct silence *s, size_t i, const char **endpoint, double *score, double *bar) {
  if (i >= s->n) return false;
  *endpoint = s->list[i]->name;
  *score = s->list[i]->state.score;
  *bar = s->list[i]->rhythm.bar;
  return true;
}
