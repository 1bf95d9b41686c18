// SPDX-License-Identifier: MIT
// Private to inquiry.c: inquiry_choice.c (which ids), inquiry_notifications.c and inquiry_contacts.c (what
// differs). Thread: one.
#pragma once
#include "processor/ask/inquiry.h"
#include "processor/watch/emitter.h"

// Chooses the ids in Postgres, as they are at that time (Unix milliseconds). `too_old`: how many were left
// out because the provider does not know them any more.
MUST_CHECK bool inquiry_choose(PGconn *conn, const struct ask_account *account,
                               const struct inquiry_choice *choice, int64_t now_ms, struct ask_questions *out,
                               int64_t *too_old, struct err *err);

struct inquiry_differences {
  const struct processor *processor;
  const struct ask_account *account;
  PGconn *conn;
  struct emitter *emitter; // NULL: nothing is written
  struct inquiry_listener listener;
  int64_t count;
};
void inquiry_add_difference(struct inquiry_differences *d, const char *id, const char *from, const char *to);
// Gives the emitter an element about that id, as the webhook would have brought it.
MUST_CHECK bool inquiry_emit(struct inquiry_differences *d, const char *type, const char *id,
                             const char *element, struct err *err);
// Compares the answers with what is known, and gives the emitter the events that are missing here. Sorts the
// answers.
MUST_CHECK bool inquiry_notifications(struct inquiry_differences *d, struct asker_answer *answers, size_t n,
                                      struct err *err);
MUST_CHECK bool inquiry_contacts(struct inquiry_differences *d, struct asker_answer *answers, size_t n,
                                 struct err *err);
