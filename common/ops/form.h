// SPDX-License-Identifier: MIT
// Names and values of a query or of an application/x-www-form-urlencoded body, decoded; FORM_PAIRS_MAX pairs
// at most. Not for: multipart forms. Thread: any.
#pragma once
#include "common/base/digest.h"

enum { FORM_PAIRS_MAX = 1000 };

struct form_pair {
  struct piece name, value; // any bytes
};
struct form {
  unsigned char *text; // the pieces point into it
  struct form_pair *pairs;
  size_t n;
};

enum form_plus { FORM_PLUS_IS_PLUS, FORM_PLUS_IS_SPACE };
// Pairs are separated by '&'; empty ones are skipped, one without '=' has an empty value. False, with nothing
// to free: a '%' without two hex digits, too many pairs.
MUST_CHECK bool form_parse(struct form *out, const char *text, size_t len, enum form_plus plus);
void form_fini(struct form *form);

// One decoded value, such as a part of a path: new string of *out_len bytes, with a NUL behind. NULL: a '%'
// without two hex digits.
char *form_decode(const char *text, size_t len, enum form_plus plus, size_t *out_len);

// The name's value. NULL: no such name, or more than one.
const struct piece *form_only(const struct form *form, const char *name);
// The text without the pairs of this name, however it is written; with FORM_PLUS_IS_PLUS. New string.
char *form_without(const char *text, const char *name);
// Sorts by name, then value, as bytes, and removes duplicates.
void form_sort(struct form *form);
