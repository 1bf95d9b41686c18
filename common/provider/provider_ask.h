// SPDX-License-Identifier: MIT
// The part `ask` of a provider file: how to ask the provider for what its webhooks should have brought, and
// what its answers mean. Strings are borrowed from the provider. Not for: making the request and reading the
// answer (processor/ask/ask.h). Thread: any, once loaded.
#pragma once
#include "common/provider/provider_explain.h"

struct provider_where;

enum ask_about { ASK_NOTIFICATION, ASK_CONTACT };
const char *ask_about_name(enum ask_about about); // "notification" …

enum ask_means {
  ASK_FOUND,   // elements as the webhook brings them
  ASK_NOTHING, // no result yet
  ASK_AGAIN,   // once more, later
  ASK_TOKEN,   // once more, with a new token
  ASK_STOP     // each further request would fail, too
};

enum ask_value { ASK_NO_VALUE, ASK_ID, ASK_ASKED_AT, ASK_PLACE, ASK_SECRET, ASK_TOKEN_PLACE };
// Text, followed by a value unless it is the last piece.
struct ask_piece {
  const char *text;
  size_t len;
  enum ask_value value;
  const char *secret;        // the name of an ASK_SECRET
  struct json_pointer place; // of an ASK_PLACE in the answer, of an ASK_TOKEN_PLACE in that with the token
};
struct ask_text {
  struct ask_piece *pieces;
  size_t n;
};

enum { ASK_HEADERS_MAX = 8 }; // provider.schema.json
struct ask_headers {
  struct ask_header {
    const char *name;
    struct ask_text value;
  } * list;
  size_t n;
};

struct ask_when; // conditions
// Whether they hold for an answer. `body` is NULL where it is no JSON.
bool ask_when_holds(const struct ask_when *when, int status, const json_t *body);
// Where they do not: the first that the answer does not meet. Its rule may also be "status", without a place.
struct provider_unmet ask_when_unmet(const struct ask_when *when, int status, const json_t *body);

struct ask_token { // a POST without a body
  const char *path;
  struct ask_headers headers;
  const struct ask_when *when; // the answer holds a token
  bool has_expires;
  struct json_pointer expires;
  int64_t lasts_s; // where `expires` has no time
};

struct ask_answer {
  const struct ask_when *when;
  enum ask_means means;
  // ASK_FOUND: either the array of elements, or one element that is made of the answer.
  bool has_each;
  struct json_pointer each;
  struct ask_text element;
  int64_t doubt_after; // so many in a row are not believed; 0: all are
};

struct ask_form {
  const char *name;
  enum ask_about about;
  const char *base;
  struct ask_text path; // with one ASK_ID
  struct ask_headers headers;
  const struct ask_token *token;               // NULL: none is needed
  double per_second;                           // requests
  int64_t in_flight, timeout_s, within_s;      // within_s is 0: whatever their age is
  const char *remaining_header, *reset_header; // or NULL
  struct provider_where *code;                 // private
  struct ask_answer *answers;
  size_t n_answers;
};
// The first answer whose conditions hold, or NULL.
const struct ask_answer *ask_form_answer(const struct ask_form *form, int status, const json_t *body);
// The answer's own code, for messages to people, or NULL.
const char *ask_form_code(const struct ask_form *form, const json_t *body, char buf[24]);

size_t provider_ask_count(const struct provider *provider);                                  // forms
const struct ask_form *provider_ask_find(const struct provider *provider, const char *name); // or NULL
size_t provider_ask_nth(const struct provider *provider, const struct ask_form *form);       // from 0
char *provider_ask_names(const struct provider *provider); // "v2, v1". New string
