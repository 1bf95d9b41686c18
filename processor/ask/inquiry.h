// SPDX-License-Identifier: MIT
// An inquiry: asks a provider for what its webhooks should have brought, and writes the events that are
// missing here to the events topic, as if the webhook had come. The processors do the rest, so an answer that
// comes twice, or a webhook that comes late, changes nothing.
//
// It may be killed at any time: table ask_question holds what is still to be asked. A question goes from
// there when the events of its answer are in Kafka. So only what was answered since the last checkpoint is
// asked again. Not for: when to ask (schedule.h, the command `reconcile`), or showing anything. Thread: one.
#pragma once
#include "processor/ask/asker.h"
#include "processor/processor.h"
#include "processor/tables/ask_run.h"

enum inquiry_which {
  INQUIRY_OVERDUE, // the notifications whose receipt is due
  INQUIRY_SINCE,   // the notifications by the time of their acceptance
  INQUIRY_KNOWN,   // the contacts that are known here
  INQUIRY_LISTED   // the contacts of a list
};

struct inquiry_choice {
  enum inquiry_which which;
  int64_t since_ms, until_ms;         // of INQUIRY_SINCE; INT64_MIN and INT64_MAX are no bound
  bool all;                           // likewise: also those that have a result
  const struct ask_questions *listed; // of INQUIRY_LISTED, borrowed: in the order of their ids, each once
  // Of INQUIRY_OVERDUE: those that became due after this time, and those that expire within so long.
  // INT64_MIN: all.
  int64_t after_ms, expires_within_ms;
  bool is_scheduled; // no operator asks: goes on with any run of the schedule that has not ended
};
enum { INQUIRY_IDS_MAX = 2000000 };

struct inquiry_options {
  const struct ask_account *account; // borrowed
  struct inquiry_choice choice;
  bool dry_run;  // only says what differs
  bool restart;  // forgets what an earlier run has left to be asked
  bool all_gone; // believes that contacts are gone also where one answer after the other says so
  int64_t patience_ms;
};

// For a caller that shows what happens. Each may be NULL.
struct inquiry_listener {
  void *arg;
  void (*differs)(void *arg, const char *id, const char *from, const char *to);
  void (*unclear)(void *arg, const char *id, const char *why); // for good
  void (*looks)(void *arg);                                    // several times a second
};

struct inquiry;

// Chooses the questions and stores them, or goes on with the run of the same choice that has not ended.
// `conn` is a session of ask_session_open() that may ask the provider (ask_run_lock()). All is borrowed.
MUST_CHECK struct inquiry *inquiry_open(const struct processor *processor, PGconn *conn,
                                        const struct inquiry_options *options,
                                        const struct inquiry_listener *listener, struct err *err);
void inquiry_close(struct inquiry *inquiry);
// Asks everything and stores what comes of it. False: it has not ended, or it was stopped; what was answered
// before is stored, unless the error says so.
MUST_CHECK bool inquiry_ask(struct inquiry *inquiry, struct err *err);

struct inquiry_sums {
  const char *scope;    // which ids, in words; borrowed
  int64_t started_at;   // and the following: Unix milliseconds
  int64_t not_before;   // until when the provider wants no requests; 0: it has not said so
  bool is_resumed;      // an earlier process began it
  int64_t questions;    // ids
  int64_t left;         // of these, not asked yet
  int64_t found;        // answers with a result
  int64_t nothing;      // answers that there is none yet
  int64_t unclear;      // ids without a usable answer
  int64_t too_old;      // ids that the provider does not know any more, which are not asked for
  int64_t differed;     // ids
  int64_t requests;     // by all processes
  int64_t requests_now; // by this one
  const char *unclear_id, *unclear_why; // of the first one; borrowed, or NULL
};
struct inquiry_sums inquiry_sums(const struct inquiry *inquiry);

// What the choice is called in ask_run.scope. New string.
char *inquiry_scope(const struct inquiry_choice *choice);
