// SPDX-License-Identifier: MIT
// The parameters of a request, by a table of what its path takes: each is read, checked, and brought into the
// form in which a statement takes it. What is not in the table, there twice or not as the table demands is
// refused, and the problem says what is allowed. Pure: no I/O. Thread: any.
#pragma once
#include "processor/api/problem.h"
#include <stddef.h>
#include <stdint.h>

enum parameter_type {
  PARAMETER_TEXT,   // 1 to 255 characters, none a control character
  PARAMETER_CHOICE, // one of `allowed`
  PARAMETER_TIME,   // RFC 3339; read as UTC in milliseconds
  PARAMETER_HASH,   // 64 hexadecimal digits; read in lower case
  PARAMETER_NUMBER, // 1 to QUERY_LIMIT_MAX
  PARAMETER_CURSOR, // what cursor_encode() makes; only its length is checked
};

struct parameter {
  const char *name;
  enum parameter_type type;
  const char *allowed; // of PARAMETER_CHOICE: the words, separated by ", "
};

enum { QUERY_PARAMETERS_MAX = 12, QUERY_BYTES_MAX = 4096, QUERY_LIMIT_MAX = 200 };

struct query {
  char *values[QUERY_PARAMETERS_MAX]; // in the order of the table; NULL: not given
};

// `text` is what follows the '?', or NULL. query_fini() in any case.
MUST_CHECK bool query_read(const struct parameter *table, size_t n, const char *text, struct query *out,
                           struct problem *problem);
void query_fini(struct query *query);

// Reads one value of `len` bytes; `*out` is a new string. For a part of the path, too.
MUST_CHECK bool query_read_value(const struct parameter *parameter, const char *value, size_t len, char **out,
                                 struct problem *problem);
// Whether the path is that of a pattern such as /v1/contacts/{provider}/{id}; then *values are the decoded
// parts, new strings. A part that cannot be decoded, or is no PARAMETER_TEXT, matches nothing.
enum { PATH_VALUES_MAX = 2 };
bool path_match(const char *pattern, const char *path, char *values[PATH_VALUES_MAX]);
