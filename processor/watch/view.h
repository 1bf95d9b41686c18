// SPDX-License-Identifier: MIT
// What the watch knows when it judges: the providers' counters minute by minute, what each ingress counted
// for each endpoint, and the incidents that are open. Read from Postgres, a few rows by index each time. Not
// for: judging (judge.h). Thread: one.
#pragma once
#include "common/provider/providers.h"
#include "processor/postgres/pg.h"
#include "processor/rules/incident.h"
#include "processor/rules/minutes.h"
#include "processor/rules/refusing.h"
#include "processor/rules/slow.h"

enum { VIEW_MINUTES = MINUTES_DAY + 60, VIEW_NAME_SIZE = 256 };
enum { VIEW_GONE_MINUTES = 3 }; // without a record for so long, an ingress is gone

struct view_provider {
  const struct provider *file; // borrowed
  struct minute_counts list[VIEW_MINUTES];
  struct minutes minutes;  // over `list`
  int64_t due_minutes;     // receipt_within_s: so long after its acceptance a message's receipt is in time
  int64_t last_receipt_ms; // when ingress received its last receipt in these minutes; 0: none
  struct slow_usual usual; // see usual.h
};

// One endpoint as all ingress saw it.
struct view_endpoint {
  char name[VIEW_NAME_SIZE];
  const struct provider *file;                   // borrowed; NULL: there is no such file here
  struct endpoint_minute list[REFUSING_MINUTES]; // list[age], the newest finished minute first
  int64_t failed_a_day;                          // answers other than 2xx to calls that no check refused
  int64_t failed_in_a_row;                       // likewise, the highest number of the last hour
};

// An endpoint that ingress named within a day.
struct view_named {
  char endpoint[VIEW_NAME_SIZE], provider[VIEW_NAME_SIZE];
  int64_t refused_at; // minute of the last refused call; INT64_MIN: none
};

struct view_incident {
  struct incident row; // its details are those of the opening
  int64_t opened_ms;
};

struct view {
  struct view_provider *providers;
  size_t n_providers;
  struct view_endpoint *endpoints;
  size_t n_endpoints;
  struct view_named *named;
  size_t n_named;                // 0: not read yet, or ingress writes no records
  char *checks[REFUSING_CHECKS]; // names, as struct endpoint_minute numbers them; NULL: none
  struct view_incident *incidents;
  size_t n_incidents;
  int64_t loaded_until; // minute up to which the counters were read; INT64_MIN: never
  int64_t part_until;   // likewise, while they are read part by part; INT64_MIN: they are not
  int64_t ahead_until;  // minute up to which the last receipts were read; 0: never
  int64_t due_minutes;  // the longest of the providers
  // Of all ingress: minutes of the list above for which one reported, or in which events waited in a spool.
  bool reported[REFUSING_MINUTES], spooled[REFUSING_MINUTES];
  int64_t last_report;    // minute of the last record; INT64_MIN: there is none
  int64_t report_came_ms; // when a record of that minute was first read
  char **reporters;       // the endpoints of which there is a record of that minute
  size_t n_reporters;
  int64_t blind_until_ms; // the end of the last minute, but for the newest, that ingress did not see; 0: none
  bool has_left;          // it said that its ingress stops
  // Before this time all received events are known: the oldest event that waits in a spool.
  int64_t spooled_since_ms; // INT64_MAX: none waits
};

// `providers` is borrowed.
struct view *view_new(const struct providers *providers);
void view_free(struct view *view);
MUST_CHECK bool view_prepare(PGconn *conn, struct err *err);

// Reads the open incidents.
MUST_CHECK bool view_read_incidents(struct view *view, PGconn *conn, struct err *err);
// Reads the counters up to minute `now`: of the last day the first time; when a minute is over, of those in
// which a message may have got its receipt in time since, and half an hour more. Of four hours at once, the
// oldest first; as long as that is not all, `is_whole` is false, and nothing may be judged by them. Reads the
// last receipts of later minutes, too: all of them the first time, then those of the last minutes.
MUST_CHECK bool view_read_counts(struct view *view, PGconn *conn, int64_t now, bool *is_whole,
                                 struct err *err);
// Reads what bounds the time: `last_report`, its `reporters`, `has_left`, and `spooled_since_ms` by the
// records around minute `now`.
MUST_CHECK bool view_read_bounds(struct view *view, PGconn *conn, int64_t now, struct err *err);
// Reads what ingress counted up to minute `now`, and marks the minutes that are blind (minutes.h).
MUST_CHECK bool view_read_endpoints(struct view *view, PGconn *conn, int64_t now, struct err *err);

// Reads which endpoints ingress named in the day up to minute `now`, or later.
MUST_CHECK bool view_read_named(struct view *view, PGconn *conn, int64_t now, struct err *err);
// Whether ingress has not named it for a day, while it named others. False where that is not known.
bool view_endpoint_is_gone(const struct view *view, const char *endpoint);
// Whether there is no such provider file here, and no endpoint of that provider within a day.
bool view_provider_is_gone(const struct view *view, const char *provider);
// The minute of the last refused call of an endpoint; INT64_MIN: none within a day.
int64_t view_refused_at(const struct view *view, const char *endpoint);

// The provider of that name, or NULL: there is no such file here.
struct view_provider *view_find_provider(const struct view *view, const char *name);
// The open incident of that key, or NULL.
const struct view_incident *view_find(const struct view *view, enum incident_kind kind, const char *provider,
                                      const char *endpoint, const char *scope);
