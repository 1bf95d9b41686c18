// SPDX-License-Identifier: MIT
// Asks one provider, question after question, with libcurl: several at once on connections that are kept,
// never more requests a second than its file allows, with pauses where it asks for one or does not answer,
// and again what was not answered. It follows no redirect, takes no proxy of the environment, and checks the
// certificate. Not for: what follows from an answer. Thread: one.
#pragma once
#include "processor/ask/ask.h"

struct asker;

// `account` is borrowed. After `patience_ms` without a usable answer, and at least 5 others, the asking
// fails. Pauses that the provider asks for do not count; after ten of these in a row it fails all the same.
// `not_before_ms`: no request leaves earlier (Unix); 0: there is no pause.
struct asker *asker_open(const struct ask_account *account, int64_t patience_ms, int64_t not_before_ms);
void asker_close(struct asker *asker);             // gives up what is asked
int64_t asker_requests(const struct asker *asker); // that have left
// Until when the provider wants no more requests (Unix milliseconds); 0, or past: there is no pause.
int64_t asker_not_before_ms(const struct asker *asker);

// How many more questions it takes. A question's id is copied; its number is the caller's.
size_t asker_room(const struct asker *asker);
void asker_ask(struct asker *asker, int64_t number, const char *id);

struct asker_answer {
  int64_t number;
  char *id;
  int64_t asked_at_ms;        // before the request left, Unix milliseconds
  struct ask_reading reading; // ASK_RESULT_FOUND, ASK_RESULT_NOTHING or ASK_RESULT_UNCLEAR
};
void asker_answer_fini(struct asker_answer *answer);

enum asker_event {
  ASKER_ANSWERED, // `out` is an answer
  ASKER_WAITING,  // none came in that time, or a stop is requested
  ASKER_FAILED    // further questions would fail, too; `err` says why, with no secret
};
// Waits for an answer for `ms` at most.
MUST_CHECK enum asker_event asker_wait(struct asker *asker, int64_t ms, struct asker_answer *out,
                                       struct err *err);
