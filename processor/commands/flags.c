// SPDX-License-Identifier: MIT
#include "processor/commands/flags.h"
#include "common/base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct flag *find(struct flag *flags, size_t n, const char *text, size_t len) {
  for (size_t i = 0; i < n; i++)
    if (strlen(flags[i].name) == len && strncmp(flags[i].name, text, len) == 0) return &flags[i];
  return NULL;
}

static bool set_time(enum flag_type type, const char *text, int64_t *out, struct err *err) {
  bool is_beginning = type == FLAG_SINCE && strcmp(text, "beginning") == 0;
  if (is_beginning) *out = INT64_MIN;
  return is_beginning || clock_parse_time(text, 0, out) ||
         err_set(err, "\"%s\": expected a time such as 2026-01-12T11:00:00+09:00", text);
}

static bool set_number(const char *text, int64_t *out, struct err *err) {
  char *end;
  errno = 0;
  *out = strtoll(text, &end, 10);
  return (*text >= '0' && *text <= '9' && !*end && !errno && *out >= 1) ||
         err_set(err, "\"%s\": expected a whole number from 1", text);
}

static bool add_text(const char *text, struct flag_texts *texts, struct err *err) {
  if (texts->n == FLAG_TEXTS_MAX) return err_set(err, "given more than %d times", FLAG_TEXTS_MAX);
  texts->list[texts->n++] = text;
  return true;
}

static bool set_value(const struct flag *flag, struct err *err) {
  switch (flag->type) {
  case FLAG_SWITCH:
    *(bool *)flag->out = true;
    return true;
  case FLAG_TEXT:
    *(const char **)flag->out = flag->given;
    return true;
  case FLAG_TIME:
  case FLAG_SINCE:
    return set_time(flag->type, flag->given, flag->out, err);
  case FLAG_NUMBER:
    return set_number(flag->given, flag->out, err);
  case FLAG_TEXTS:
    return add_text(flag->given, flag->out, err);
  }
  abort(); // not a type
}

// Takes the argument at *at, and the one behind it where that is its value.
static bool read_flag(int argc, char **argv, int *at, struct flag *flags, size_t n, struct err *err) {
  char *text = argv[*at], *equals = strchr(text, '=');
  struct flag *flag = find(flags, n, text, equals ? (size_t)(equals - text) : strlen(text));
  bool has_value = flag && flag->type != FLAG_SWITCH;
  if (!flag || (equals && !has_value)) return err_set(err, "unknown argument \"%s\"", text);
  if (flag->given && flag->type != FLAG_TEXTS) return err_set(err, "%s: given twice", flag->name);
  if (has_value && !equals && *at + 1 == argc) return err_set(err, "%s: needs a value", flag->name);
  if (has_value) flag->given = equals ? equals + 1 : argv[++*at];
  return set_value(flag, err) || err_prefix(err, "%s: ", flag->name);
}

bool flags_read(int argc, char **argv, struct flag *flags, size_t n, size_t *n_words, struct err *err) {
  if (n_words) *n_words = 0;
  for (int i = 1; i < argc; i++) {
    if (n_words && argv[i][0] != '-')
      argv[1 + (*n_words)++] = argv[i];
    else if (!read_flag(argc, argv, &i, flags, n, err))
      return false;
  }
  return true;
}
