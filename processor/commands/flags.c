// SPDX-License-Identifier: MIT
#include "processor/commands/flags.h"
#include "common/base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct flag *find(const struct flag *flags, size_t n, const char *text, size_t len) {
  for (size_t i = 0; i < n; i++)
    if (strlen(flags[i].name) == len && strncmp(flags[i].name, text, len) == 0) return &flags[i];
  return NULL;
}

// Takes the argument at *at, and the one behind it where that is its value.
static bool read_flag(int argc, char **argv, int *at, const struct flag *flags, size_t n, struct err *err) {
  char *text = argv[*at], *equals = strchr(text, '=');
  const struct flag *flag = find(flags, n, text, equals ? (size_t)(equals - text) : strlen(text));
  if (flag == NULL || (equals && flag->value == NULL)) return err_set(err, "unknown argument \"%s\"", text);
  if (flag->value == NULL) {
    *flag->given = true;
    return true;
  }
  if (*flag->value) return err_set(err, "%s: given twice", flag->name);
  if (equals == NULL && *at + 1 == argc) return err_set(err, "%s: needs a value", flag->name);
  *flag->value = equals ? equals + 1 : argv[++*at];
  return true;
}

bool flags_read(int argc, char **argv, const struct flag *flags, size_t n, size_t *n_words, struct err *err) {
  *n_words = 0;
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] != '-')
      argv[1 + (*n_words)++] = argv[i];
    else if (!read_flag(argc, argv, &i, flags, n, err))
      return false;
  }
  return true;
}

static bool parse_number(const char *text, int64_t min, int64_t *out) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || errno || value < min) return false;
  *out = value;
  return true;
}

bool flags_number(const char *text, int64_t min, int64_t *out, struct err *err) {
  if (text == NULL || parse_number(text, min, out)) return true;
  return err_set(err, "\"%s\": expected a whole number from %lld", text, (long long)min);
}

bool flags_time(const char *text, int64_t *out, struct err *err) {
  if (text == NULL || clock_parse_time(text, 0, out)) return true;
  return err_set(err, "\"%s\": expected a time such as 2026-01-12T11:00:00+09:00", text);
}
