// SPDX-License-Identifier: MIT
// Silence of endpoints whose messages nobody registers: counts each finished minute of each endpoint by its
// rhythm and its floor (rules/rhythm.h, rules/floor.h), and stores where it stands, so that another process
// goes on with it. Not for: deciding (the rules), or writing the event (judge.h). Thread: one.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/rules/verdict.h"
#include "processor/watch/watched.h"

struct silence;

// `watched` is borrowed.
struct silence *silence_new(const struct watched_list *watched);
void silence_free(struct silence *silence);
MUST_CHECK bool silence_prepare(PGconn *conn, struct err *err);

struct silence_found {
  const char *endpoint, *provider; // borrowed from the silence
  const char *scope;               // "", or "floor"
  enum verdict verdict;
  int64_t since_ms;
  double score, bar;
  int64_t calls, floor; // of a floor: within its time
};
// Called for each verdict. False: it could not be acted on, and the minute is counted again the next time.
typedef bool silence_act(void *arg, const struct silence_found *found, struct err *err);

// Counts the minutes up to `now`. `is_registered` says whether the messages of a provider are registered:
// then its endpoints learn, but only a floor speaks for them.
typedef bool silence_registered(void *arg, const char *provider);
MUST_CHECK bool silence_count(struct silence *silence, PGconn *conn, int64_t now,
                              silence_registered *is_registered, silence_act *act, void *arg,
                              struct err *err);
// Stores where each endpoint stands; after what was found is in Kafka.
MUST_CHECK bool silence_store(const struct silence *silence, PGconn *conn, struct err *err);

// For metrics: of endpoint `i`. False: there are not so many.
bool silence_at(const struct silence *silence, size_t i, const char **endpoint, double *score, double *bar);
