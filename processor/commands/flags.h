// SPDX-License-Identifier: MIT
// The arguments of a command: "--flag value", "--flag=value", "--switch", and words. Pure.
#pragma once
#include "common/base/err.h"
#include <stddef.h>
#include <stdint.h>

enum flag_type {
  FLAG_SWITCH, // bool, without a value
  FLAG_TEXT,   // const char *, borrowed from argv
  FLAG_TIME,   // int64_t, Unix milliseconds: RFC 3339, UTC where no offset is given
  FLAG_SINCE,  // as FLAG_TIME; "beginning" is INT64_MIN
  FLAG_NUMBER, // int64_t, from 1
  FLAG_TEXTS,  // struct flag_texts: it may be given several times
};

enum { FLAG_TEXTS_MAX = 16 };
struct flag_texts {
  const char *list[FLAG_TEXTS_MAX]; // borrowed from argv
  size_t n;
};

struct flag {
  const char *name; // "--provider"
  enum flag_type type;
  void *out;         // left alone where the flag is not given
  const char *given; // its value as it was given; NULL: none
};

// Reads argv[1] onwards. Words are moved to the front of argv + 1, `*n_words` of them; NULL: no word is
// allowed. False: an argument that is not known, a flag with a wrong value, without its value or given too
// often; the error names it.
MUST_CHECK bool flags_read(int argc, char **argv, struct flag *flags, size_t n, size_t *n_words,
                           struct err *err);
