// SPDX-License-Identifier: MIT
// Private to the command `reconcile`: reconcile.c (what is asked for, and the asking), reconcile_choice.c
// (which ids), reconcile_notifications.c and reconcile_contacts.c (what differs). Thread: one.
#pragma once
#include "processor/ask/asker.h"
#include "processor/commands/report.h"
#include "processor/processor.h"
#include "processor/tables/ask_run.h"
#include "processor/watch/emitter.h"

struct reconcile_options {
  const char *provider;
  bool overdue, known, all; // which ids
  const char *members;      // a file, or NULL
  int64_t since_ms, until_ms;
  bool has_since;
  bool dry_run, as_json, restart, all_gone;
  int64_t patience_s;
};

// What the options choose, as ask_run.scope has it. New string. `questions` is of `members` and empty
// otherwise.
char *reconcile_scope(const struct reconcile_options *options, const struct ask_questions *questions);
// Reads the file of --members: one id a line.
MUST_CHECK bool reconcile_read_members(const char *path, struct ask_questions *out, struct err *err);
// Chooses the ids in Postgres. `too_old`: how many were left out because the provider does not know them any
// more.
MUST_CHECK bool reconcile_choose(PGconn *conn, const struct ask_account *account,
                                 const struct reconcile_options *options, struct ask_questions *out,
                                 int64_t *too_old, struct err *err);

struct reconcile_differences {
  const struct processor *processor;
  const struct ask_account *account;
  PGconn *conn;
  struct emitter *emitter; // NULL: nothing is written
  bool as_json;            // a line for each on stdout
  struct report report;
  int64_t count;
};
void reconcile_add_difference(struct reconcile_differences *d, const char *id, const char *from,
                              const char *to);
// Gives the emitter an element about that id, as the webhook would have brought it.
MUST_CHECK bool reconcile_emit(struct reconcile_differences *d, const char *type, const char *id,
                               const char *element, struct err *err);
// Prepares the statements of the two below.
MUST_CHECK bool reconcile_prepare(PGconn *conn, struct err *err);
// Compares the answers with what is known, and gives the emitter the events that are missing here. Sorts the
// answers.
MUST_CHECK bool reconcile_notifications(struct reconcile_differences *d, struct asker_answer *answers,
                                        size_t n, struct err *err);
MUST_CHECK bool reconcile_contacts(struct reconcile_differences *d, struct asker_answer *answers, size_t n,
                                   struct err *err);
