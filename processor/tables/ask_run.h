// SPDX-License-Identifier: MIT
// The tables ask_run and ask_question: how far an asking of a provider is, so that another process goes on
// with it. Not for: which ids are asked about (ask/inquiry_choice), or asking. Thread: that of the
// connection.
#pragma once
#include "common/base/uuid.h"
#include "processor/postgres/pg.h"
#include "processor/rules/ask_round.h"

// What came of asking it, if anything.
enum ask_said {
  ASK_SAID_NOTHING, // it was not asked yet
  ASK_SAID_UNCLEAR, // nothing usable
  ASK_SAID_GONE,    // it is gone, which is not believed at once
  ASK_SAID_FOUND    // never stored
};

struct ask_questions { // in the order of asking
  struct ask_question {
    int64_t number;
    char *id;
    enum ask_said said;
    bool is_answered; // for the caller
  } * list;
  size_t n;
};
void ask_questions_add(struct ask_questions *questions, int64_t number, const char *id, enum ask_said said);
void ask_questions_fini(struct ask_questions *questions);

struct ask_run {
  struct uuid id;
  char *scope;                       // owned
  bool scheduled;                    // a processor began it by itself
  int64_t started_at, not_before_ms; // Unix milliseconds; not_before_ms is 0: there is no pause
  int64_t questions, requests, found, nothing, differed;
};
void ask_run_fini(struct ask_run *run);

// A session for what follows, which ends when it was not used for three minutes: a process that is frozen
// must not keep the right to ask. NULL with the error.
MUST_CHECK PGconn *ask_session_open(struct err *err);
// *got: this session alone may ask the provider, until its connection closes.
enum ask_by { ASK_BY_OPERATOR, ASK_BY_SCHEDULE };
MUST_CHECK bool ask_run_lock(PGconn *conn, const char *provider, enum ask_by by, bool *got, struct err *err);
// Whether the session that has that right is one of the schedule.
MUST_CHECK bool ask_run_is_scheduled(PGconn *conn, const char *provider, bool *is_scheduled, struct err *err);
// The run that has not ended, of the schedule or of an operator; *found is false: there is none.
MUST_CHECK bool ask_run_read_open(PGconn *conn, const char *provider, const char *about, bool scheduled,
                                  struct ask_run *out, bool *found, struct err *err);
// What the schedule goes by.
MUST_CHECK bool ask_run_read_rounds(PGconn *conn, const char *provider, struct ask_round_seen *out,
                                    struct err *err);
// Deletes the run of the schedule if it began before that time and got no usable answer.
MUST_CHECK bool ask_run_forget(PGconn *conn, const char *provider, int64_t before_ms, struct err *err);
// Stores a run with its questions, in one transaction.
MUST_CHECK bool ask_run_begin(PGconn *conn, const char *provider, const char *about,
                              const struct ask_run *run, const struct ask_questions *questions,
                              struct err *err);
// Until when the provider wants no more requests, as it has said to any run; 0: it has not said so.
MUST_CHECK bool ask_run_read_pause(PGconn *conn, const char *provider, int64_t *not_before_ms,
                                   struct err *err);
// Removes the questions that need no answer any more.
MUST_CHECK bool ask_run_drop_moot(PGconn *conn, const char *provider, const char *about,
                                  const struct ask_run *run, struct err *err);
// Those that were not asked yet come first.
MUST_CHECK bool ask_run_read_questions(PGconn *conn, const struct ask_run *run, struct ask_questions *out,
                                       struct err *err);
// A contact that is known here and is not among the questions that are left. New string; *out is NULL: none.
MUST_CHECK bool ask_run_read_control(PGconn *conn, const char *provider, const struct ask_run *run,
                                     char **out, struct err *err);
// Stores how far it is: removes the answered questions, notes what was said of `later` (but
// ASK_SAID_FOUND), writes the counters;
// `has_ended`: and removes all questions that are left, in one transaction.
MUST_CHECK bool ask_run_write(PGconn *conn, const struct ask_run *run, const int64_t *answered, size_t n,
                              const struct ask_question *later, size_t n_later, bool has_ended,
                              struct err *err);
