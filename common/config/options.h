// SPDX-License-Identifier: MIT
// Settings from the environment, described by a table that loads, validates, prints and documents them. Every
// setting NAME may also be given as NAME_FILE, a file that contains the value (one trailing newline is cut).
// Both at once, an unknown DOCHAK_* name, or an ill-formed value is an error that names it. Not for: anything
// read after start.
#pragma once
#include "common/base/err.h"
#include "common/base/faults.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
  OPTION_TEXT,   // char *, never NULL; "" is "not given"
  OPTION_SECRET, // char *, as text; printed as ******** and at least `min` characters long when given
  OPTION_INT,    // int64_t, within [min, max]
  OPTION_LISTEN, // char *, "address:port", IPv4; a TLS port ("8443s") is refused with the reason
  OPTION_LEVEL,  // enum log_level
  OPTION_HOSTS,  // char *, "host" or "host:port", comma-separated
  OPTION_TOPIC,  // char *, what a Kafka topic's name may begin with
};

struct option {
  const char *name; // "DOCHAK_…"
  enum option_type type;
  size_t offset;             // of the field in the caller's struct
  const char *default_value; // through the same parser as the user's; NULL: required
  int64_t min, max;
  unsigned services; // bit set of those that read it; others know the name and leave it alone
  const char *help;  // one sentence
};

// Fills `out` (zeroed by the caller) with the rows that `service` reads; of the other rows only the names are
// known. Names beginning with DOCHAK_SECRET_ belong to the endpoints file and are accepted. False with one
// error for every setting that is wrong; the fields of those stay zero, the others are filled. Free it in any
// case.
MUST_CHECK bool options_load(const struct option *table, size_t n, unsigned service, void *out,
                             struct faults *faults);
void options_free(const struct option *table, size_t n, void *out);

// --print-config: NAME=value lines of the loaded values, secrets masked.
void options_print(const struct option *table, size_t n, unsigned service, const void *values, FILE *to);
// --help: name, default, help. --help-markdown: the table of docs/operations.md (all services).
void options_help(const struct option *table, size_t n, unsigned service, FILE *to);
void options_markdown(const struct option *table, size_t n, const char *const *service_names, FILE *to);

// The value of NAME or the content of the file NAME_FILE names, as a new string; false with an error naming
// it when neither is set, both are, or the file cannot be read. For the secrets that the endpoints file
// names.
MUST_CHECK bool options_secret(const char *name, char **out, struct err *err);
