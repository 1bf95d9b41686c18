// SPDX-License-Identifier: MIT
// Private to this folder: what a provider file is once provider_load.c has compiled it, and functions that
// only this folder calls. Strings are borrowed from `document`, which the provider owns.
#pragma once
#include "common/provider/provider.h"
#include "common/provider/provider_ask.h"

enum { PROVIDER_NUMBER_SIZE = 24 };
// Bytes of a text that is kept: a code or a channel, a reason, a recipient or a reference.
enum { PROVIDER_TEXT_MAX = 64, PROVIDER_REASON_MAX = 500, PROVIDER_REFERENCE_MAX = 255 };

struct provider_where { // the first place with a usable value, else the literal
  struct json_pointer *pointers;
  size_t n;
  const char *literal;
};

// What stands outside of an element and travels with it, in a member of this name that goes in front of the
// element's own. A pointer that begins with the name reads it there, in ingress as in the processor.
enum provider_source {
  PROVIDER_BODY,    // "@body": the whole body
  PROVIDER_LEVEL_1, // "@level1": the element of the first level that the element is in
  PROVIDER_LEVEL_2,
  PROVIDER_LEVEL_3,
  PROVIDER_HEADER, // "@header": of the request, by its name in lower case
  PROVIDER_SOURCES
};
const char *provider_source_name(enum provider_source source);
// An element that is no object is the member of this name.
#define PROVIDER_ELEMENT "@element"

struct provider_beside {
  enum provider_source source;
  struct json_pointer place; // within the source; its parts are those of a pointer of the file
};

struct provider_part {
  struct provider_where where;
  bool shared;      // it stands in the whole send response, not in a recipient's entry
  bool is_personal; // the recipient: its tag stands in the id
};

struct provider_id { // the parts joined
  struct provider_part *parts;
  size_t n;
};

struct provider_equals {
  struct json_pointer pointer;
  const json_t *values; // array of strings
  bool in_any_case;     // A to Z are compared as a to z
};

struct provider_conditions { // all must hold
  struct provider_where present, absent;
  struct provider_equals *equals;
  size_t n_equals;
};

// What a time that consists of digits only is.
enum provider_time_format {
  TIME_NO_DIGITS, // not a time
  TIME_EPOCH_S,
  TIME_EPOCH_MS,
  TIME_DATE,       // yyyyMMddHHmmss
  TIME_SHORT_DATE, // yyMMddHHmm
  TIME_OF_CONTACT, // Unix milliseconds, of any year
};

struct provider_consent_rule {
  const char *name;
  struct json_pointer pointer;
  bool withdrawn; // the value that says so
};

// Text of an answer, followed by a value of the request unless it is the last piece.
struct provider_piece {
  const char *text;
  size_t len;
  bool has_place;
  struct json_pointer place;
};

struct provider_answer {
  int status;
  bool is_text;
  struct provider_piece *pieces; // n 0: the answer has no body
  size_t n;
};

struct provider_kind_rule {
  const char *name;
  enum provider_kind kind;
  struct provider_conditions when;
  const struct provider_answer *ack; // NULL: the webhook's
  struct provider_id id;
  struct provider_where channel, code, reason, time, recipient, reference, dedupe, masked;
  int zone_minutes; // of a time that names none
  enum provider_time_format time_format;
  const json_t *otherwise; // the outcome of a code that is not listed, or NULL
  // Of a contact, with id and time.
  struct provider_where provider_id, phone, email, version, seen;
  struct provider_conditions *deleted; // any of them
  size_t n_deleted;
  struct provider_consent_rule *consents;
  size_t n_consents;
};

struct provider_shape {
  struct provider_where each;          // all of these lists are read; n 0: the answer is one recipient's
  struct provider_conditions requires; // only its equals
  struct provider_id id;
  struct provider_where code, reason, recipient, reference, shared_reference, channel;
  const json_t *accepted; // array of strings, or NULL: every id is accepted
  bool has_boolean_codes; // `accepted` lists "true" or "false"
};

struct provider {
  json_t *document;
  struct json_pointer *pointers; // all that stand below; copies there are not released
  size_t n_pointers;
  void **kept; // what the structs below point to
  size_t n_kept;
  const char *name;
  char *file;       // for messages; NULL: provider_new() made it
  bool reads_forms; // what is no JSON is a form
  bool takes_get, takes_post;
  bool has_json_at;
  struct json_pointer json_at; // of a text in the body that is JSON itself
  // Where the elements are: at one of the places of the first level, and, if there are more levels, at one of
  // the places of the next level within each element there.
  struct provider_where levels[PROVIDER_LEVELS_MAX];
  size_t n_levels;
  struct provider_kind_rule *kinds;
  size_t n_kinds;
  struct provider_beside *beside; // what the kinds read outside of the element
  size_t n_beside;
  bool reads_element;               // a kind reads PROVIDER_ELEMENT
  struct provider_suffix *suffixes; // their providers are set when all files are loaded
  size_t n_suffixes;
  struct provider_answer ack, refused;
  struct provider_challenge challenge; // answer NULL: none
  const json_t *empty;                 // array of methods, or NULL
  const json_t *outcomes;              // code → {"outcome", "reason"}
  bool has_boolean_codes;              // it lists "true" or "false"
  bool ignores_case, ignores_zeros;    // in a code: of the letters A to Z, in front of its digits
  json_t *listed; // provider_code_key() of a code in `outcomes` → that code; NULL: ignores nothing
  struct provider_shape *shapes;
  size_t n_shapes;
  int64_t budget_ms, deadline_ms;
  bool is_unsigned; // its calls
  struct provider_expects expects;
  struct provider_blocks blocks;
  struct ask_form *forms;
  size_t n_forms;
};

// The code that `outcomes` has for this one, as far as the file says that they are the same. Borrowed; NULL:
// it has none.
const char *provider_code_listed(const struct provider *provider, const char *code);
// Whether two codes are the same, as far as the file says so (codes_ignore).
bool provider_codes_same(const struct provider *provider, const char *a, const char *b);
// What all codes have in common that are the same for this file. `buf` holds the code's bytes and a NUL.
void provider_code_key(const struct provider *provider, const char *code, char *buf);

// The first of them that does not hold (provider_explain.c).
struct provider_unmet provider_conditions_unmet(const struct provider_conditions *conditions,
                                                const json_t *in);

// Each loads its part of the file. NULL: the file has none.
void provider_answer_load(struct provider *provider, struct provider_answer *answer, const json_t *node);
void provider_ask_load(struct provider *provider, const json_t *forms);
void provider_ask_lint(const struct provider *provider, struct faults *faults);

// Warns of probable mistakes as "<pointer>: <what is odd>". Not for: errors, which provider.schema.json
// finds.
void provider_lint(const struct provider *provider, struct faults *faults);
void provider_lint_kinds(const struct provider *provider, struct faults *faults); // a part of it
