// SPDX-License-Identifier: MIT
// Names and values of a query or of an application/x-www-form-urlencoded body, decoded. Bounded:
// FORM_PAIRS_MAX pairs. Not for: forms of several parts, with files.
#pragma once
#include "common/base/digest.h"

enum { FORM_PAIRS_MAX = 1000 };

struct form_pair {
  struct piece name, value; // may hold any byte
};
struct form {
  unsigned char *text; // what the pieces point into
  struct form_pair *pairs;
  size_t n;
};

enum form_plus { FORM_PLUS_IS_PLUS, FORM_PLUS_IS_SPACE };
// Pairs between '&'; empty ones are passed over, one without '=' has an empty value. False, and nothing to
// free: a '%' without two hex digits, too many pairs.
MUST_CHECK bool form_parse(struct form *out, const char *text, size_t len, enum form_plus plus);
void form_fini(struct form *form);

// NULL: none, or more than one.
const struct form_pair *form_only(const struct form *form, const char *name);
// By name, then value, as bytes; a pair that is there several times stays once.
void form_sort(struct form *form);
