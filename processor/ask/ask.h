// SPDX-License-Identifier: MIT
// One form of asking a provider (`ask` of its file): what a request looks like, and what an answer means.
// Pure: no clock, no I/O. Answers are not trusted: they are bounded, and no text of them but their code gets
// into a message. Not for: sending requests (asker.h). Thread: any.
#pragma once
#include "common/provider/provider_ask.h"
#include "processor/ask/ask_conf.h"

// "https://host/path" with the id percent-encoded, or that of the token. New string.
char *ask_url(const struct ask_account *account, const char *id);
char *ask_token_url(const struct ask_account *account);
// "Name: value". New string, which may hold a secret. `token` is the answer that brought the token, or NULL.
// NULL: a value is missing or could not stand in a header; the error names its place.
char *ask_header(const struct ask_account *account, const struct ask_header *header, const json_t *token,
                 struct err *err);

enum { ASK_BODY_MAX = 512 * 1024, ASK_ELEMENTS_MAX = 100 };

enum ask_result {
  ASK_RESULT_FOUND,
  ASK_RESULT_NOTHING,
  ASK_RESULT_AGAIN,
  ASK_RESULT_TOKEN,
  ASK_RESULT_STOP,
  ASK_RESULT_UNCLEAR // it says nothing about this id, and would not if asked again
};

struct ask_elements { // each as the webhook would bring it
  char **list;
  size_t n;
};
void ask_elements_fini(struct ask_elements *elements);

struct ask_reading {
  enum ask_result result;
  struct ask_elements elements; // ASK_RESULT_FOUND; else none
  int64_t doubt_after;          // so many such readings in a row are not to be believed; 0: all are
  char why[160];                // all but found and nothing: "answer 503", "answer 200, A801"
};
// Reads the answer to the question about `id`, which was asked at that time (Unix milliseconds, by the
// provider's clock if ours is known to be ahead). An element
// is taken only if the provider file reads it as a report or contact of this very id.
void ask_read(const struct ask_account *account, const char *id, int64_t asked_at_ms, int status,
              const char *body, size_t len, struct ask_reading *out);
void ask_reading_fini(struct ask_reading *reading);

// The parts of ask_read(), for a person who writes a provider file.
// Cuts or makes the elements of an answer that means found. `body` is NULL where the answer is no JSON.
// False: what stands at `each` is no list, or too long a one.
bool ask_cut(const struct ask_answer *answer, const char *id, int64_t asked_at_ms, const char *body,
             size_t len, struct ask_elements *out);
enum ask_use {
  ASK_USED,        // it is a report on this id, or this contact
  ASK_PASSED_OVER, // it is neither, or no result yet
  ASK_REFUSED      // it is about another id, or the provider file does not read it: nothing is used
};
enum ask_use ask_use_of(const struct ask_account *account, const char *id, const char *element);

struct ask_token_reading {
  enum ask_result result; // ASK_RESULT_FOUND, ASK_RESULT_AGAIN or ASK_RESULT_STOP
  json_t *answer;         // ASK_RESULT_FOUND: new
  int64_t ends_at_ms;     // Unix
  char why[160];
};
void ask_read_token(const struct ask_account *account, int64_t asked_at_ms, int status, const char *body,
                    size_t len, struct ask_token_reading *out);
