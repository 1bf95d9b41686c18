// SPDX-License-Identifier: MIT
// Silence of endpoints whose messages nobody registers: counts each finished minute of each endpoint by its
// rhythm and its floor (rules/rhythm.h, rules/floor.h), and stores where it stands, so that another process
// goes on with it. Not for: deciding (the rules), or writing the event (judge.h). Thread: one.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/watch/watched.h"

struct silence;

// `watched` is borrowed.
struct silence *silence_new(const struct watched_list *watched);
void silence_free(struct silence *silence);
MUST_CHECK bool silence_prepare(PGconn *conn, struct err *err);

// How an endpoint stands by its rhythm, or by its floor.
struct silence_found {
  const char *endpoint, *provider; // borrowed from the silence
  const char *scope;               // "", or "floor"
  bool is_silent;
  int64_t since_ms; // and the following: if it is silent
  double score, bar;
  int64_t calls, floor; // of a floor: within its time
};
typedef bool silence_act(void *arg, const struct silence_found *found, struct err *err);

// Begins to count the minutes up to `now`, unless the last time is not done yet: that goes on then.
MUST_CHECK bool silence_begin(struct silence *silence, PGconn *conn, int64_t now, struct err *err);
// How many endpoints are still to be counted.
size_t silence_left(const struct silence *silence);
// Counts the minutes of one endpoint after the other, at least of one, until it is `enough_ms` by the
// monotonic clock, and calls `act` for each, by its rhythm and by its floor. So what must be open or closed
// is known whatever happened in the minutes between, and whatever became of what `act` did before. False: one
// could not be acted on. `is_registered` says whether the messages of a provider are registered: then its
// endpoints learn, but only a floor speaks for them.
typedef bool silence_registered(void *arg, const char *provider);
MUST_CHECK bool silence_go_on(struct silence *silence, PGconn *conn, int64_t enough_ms,
                              silence_registered *is_registered, silence_act *act, void *arg,
                              struct err *err);
// Stores where each endpoint stands that was counted since the last time; after what was found is in Kafka.
MUST_CHECK bool silence_store(struct silence *silence, PGconn *conn, struct err *err);

// For metrics: of endpoint `i`. False: there are not so many.
bool silence_at(const struct silence *silence, size_t i, const char **endpoint, double *score, double *bar);
