// SPDX-License-Identifier: MIT
// What stands behind the name of a command: "--flag value", "--flag=value", "--switch", and words. Pure.
#pragma once
#include "common/base/err.h"
#include <stddef.h>
#include <stdint.h>

struct flag {
  const char *name;   // "--provider"
  const char **value; // where the value goes; NULL: it takes none, and `given` is set
  bool *given;
};

// Reads argv[1] onwards. Words are moved to the front of argv + 1, `*n_words` of them. False: an argument
// that is not known, a flag without its value or given twice; the error names it.
MUST_CHECK bool flags_read(int argc, char **argv, const struct flag *flags, size_t n, size_t *n_words,
                           struct err *err);

// A whole number from `min`. NULL is left alone.
MUST_CHECK bool flags_number(const char *text, int64_t min, int64_t *out, struct err *err);

// A time as RFC 3339 has it, UTC where no offset is given, in Unix milliseconds. NULL is left alone.
MUST_CHECK bool flags_time(const char *text, int64_t *out, struct err *err);
