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

// Counts the minutes up to `now`, and then calls `act` for each endpoint, by its rhythm and by its floor. So
// what must be open or closed is known whatever happened in the minutes between, and whatever became of what
// `act` did before. False: at least one could not be acted on. `is_registered` says whether the messages of a
// provider are registered: then its endpoints learn, but only a floor speaks for them.
typedef bool silence_registered(void *arg, const char *provider);
MUST_CHECK bool silence_count(struct silence *silence, PGconn *conn, int64_t now,
                              silence_registered *is_registered, silence_act *act, void *arg,
                              struct err *err);
// Stores where each endpoint stands; after what was found is in Kafka.
MUST_CHECK bool silence_store(const struct silence *silence, PGconn *conn, struct err *err);

// For metrics: of endpoint `i`. False: there are not so many.
bool silence_at(const struct silence *silence, size_t i, const char **endpoint, double *score, double *bar);
