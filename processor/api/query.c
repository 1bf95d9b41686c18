// SPDX-License-Identifier: MIT
#include "processor/api/query.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/hex.h"
#include "common/base/mem.h"
#include "common/base/similar.h"
#include "common/base/utf8.h"
#include "common/ops/form.h"
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 255, HASH_DIGITS = 64, CURSOR_MAX = 2048 };

// ---- types: each reads a text without NUL, which is UTF-8 ----

typedef char *reader(const struct parameter *parameter, const char *text, struct problem *problem);

static char *read_text(const struct parameter *parameter, const char *text, struct problem *problem) {
  if (*text && utf8_count(text) <= TEXT_MAX && !utf8_has_control(text)) return mem_strdup(text);
  problem_set_parameter(problem, parameter->name, "expected 1 to %d characters, none a control character",
                        TEXT_MAX);
  return NULL;
}

// Whether `word` is one of the words.
static bool is_among(const char *words, const char *word) {
  size_t len = strlen(word);
  for (; *words; words += strspn(words, ", ")) {
    size_t n = strcspn(words, ", ");
    if (n == len && memcmp(words, word, len) == 0) return true;
    words += n;
  }
  return false;
}

static char *read_choice(const struct parameter *parameter, const char *text, struct problem *problem) {
  if (is_among(parameter->allowed, text)) return mem_strdup(text);
  problem_set_parameter(problem, parameter->name, "expected one of %s", parameter->allowed);
  return NULL;
}

static char *read_time(const struct parameter *parameter, const char *text, struct problem *problem) {
  int64_t ms;
  char utc[CLOCK_RFC3339_SIZE];
  if (!clock_parse_time(text, 0, &ms)) {
    problem_set_parameter(problem, parameter->name,
                          "expected a time such as 2026-01-12T02:00:00Z; in a query, + is written %%2B");
    return NULL;
  }
  clock_format_rfc3339(ms, utc);
  return mem_strdup(utc);
}

static char *read_hash(const struct parameter *parameter, const char *text, struct problem *problem) {
  size_t len = strlen(text), digits = 0;
  while (digits < len && hex_value(text[digits]) >= 0) digits++;
  if (len == HASH_DIGITS && digits == len) {
    char *lower = mem_alloc(len + 1);
    digest_hex_lower(lower, text, len);
    return lower;
  }
  problem_set_parameter(problem, parameter->name, "expected %d hexadecimal digits", HASH_DIGITS);
  return NULL;
}

static char *read_number(const struct parameter *parameter, const char *text, struct problem *problem) {
  size_t len = strlen(text);
  bool is_whole = len >= 1 && len <= 3 && strspn(text, "0123456789") == len;
  long value = is_whole ? strtol(text, NULL, 10) : 0;
  if (value >= 1 && value <= QUERY_LIMIT_MAX) return mem_printf("%ld", value);
  problem_set_parameter(problem, parameter->name, "expected a whole number from 1 to %d", QUERY_LIMIT_MAX);
  return NULL;
}

static char *read_cursor(const struct parameter *parameter, const char *text, struct problem *problem) {
  size_t len = strlen(text);
  if (len >= 1 && len <= CURSOR_MAX) return mem_strdup(text);
  problem_set_parameter(problem, parameter->name, "expected the value of `next` of the page before");
  return NULL;
}

static reader *const readers[] = {
    [PARAMETER_TEXT] = read_text, [PARAMETER_CHOICE] = read_choice, [PARAMETER_TIME] = read_time,
    [PARAMETER_HASH] = read_hash, [PARAMETER_NUMBER] = read_number, [PARAMETER_CURSOR] = read_cursor,
};

bool query_read_value(const struct parameter *parameter, const char *value, size_t len, char **out,
                      struct problem *problem) {
  *out = NULL;
  if (memchr(value, '\0', len) || !utf8_ok(value, len))
    return problem_set_parameter(problem, parameter->name, "expected UTF-8 without NUL");
  AUTO_FREE char *text = mem_strndup(value, len);
  return (*out = readers[parameter->type](parameter, text, problem)) != NULL;
}

// ---- the query as a whole ----

static bool refuse_unknown(const struct parameter *table, size_t n, const char *name,
                           struct problem *problem) {
  struct similar similar = {.given = name};
  AUTO_FREE char *known = mem_strdup("");
  for (size_t i = 0; i < n; i++) {
    AUTO_FREE char *before = take(known);
    known = mem_printf("%s%s%s", before, i ? ", " : "", table[i].name);
    similar_try(&similar, table[i].name);
  }
  if (n == 0) return problem_set_parameter(problem, name, "unknown parameter; this path takes none");
  if (similar.best)
    return problem_set_parameter(problem, name, "unknown parameter; did you mean %s?", similar.best);
  return problem_set_parameter(problem, name, "unknown parameter; this path takes %s", known);
}

static bool read_pair(const struct parameter *table, size_t n, const struct form_pair *pair,
                      struct query *out, struct problem *problem) {
  AUTO_FREE char *name = mem_strndup(pair->name.bytes, pair->name.len);
  size_t i = 0;
  while (i < n && strcmp(table[i].name, name) != 0) i++;
  if (i == n) return refuse_unknown(table, n, name, problem);
  if (out->values[i]) return problem_set_parameter(problem, name, "given more than once");
  return query_read_value(&table[i], pair->value.bytes, pair->value.len, &out->values[i], problem);
}

bool query_read(const struct parameter *table, size_t n, const char *text, struct query *out,
                struct problem *problem) {
  struct form form;
  *out = (struct query){0};
  size_t len = text ? strlen(text) : 0;
  if (len > QUERY_BYTES_MAX)
    return problem_set(problem, PROBLEM_QUERY_LENGTH, "expected %d bytes at most", QUERY_BYTES_MAX);
  if (len == 0) return true;
  if (!form_parse(&form, text, len, FORM_PLUS_IS_SPACE))
    return problem_set(problem, PROBLEM_QUERY, "expected name=value&…, where %% is followed by two digits");
  bool done = true;
  for (size_t i = 0; done && i < form.n; i++) done = read_pair(table, n, &form.pairs[i], out, problem);
  form_fini(&form);
  return done;
}

void query_fini(struct query *query) {
  for (size_t i = 0; i < QUERY_PARAMETERS_MAX; i++) free(query->values[i]);
  *query = (struct query){0};
}

// ---- the path ----

// New string, or NULL.
static char *decode_part(const char *part, size_t len) {
  static const struct parameter any = {"", PARAMETER_TEXT, NULL};
  struct problem problem;
  size_t decoded_len;
  char *out = NULL;
  AUTO_FREE char *decoded = form_decode(part, len, FORM_PLUS_IS_PLUS, &decoded_len);
  return decoded && query_read_value(&any, decoded, decoded_len, &out, &problem) ? out : NULL;
}

static bool match_part(const char *pattern, size_t pattern_len, const char *part, size_t len, char **value) {
  if (*pattern != '{') return pattern_len == len && memcmp(pattern, part, len) == 0;
  return (*value = decode_part(part, len)) != NULL;
}

bool path_match(const char *pattern, const char *path, char *values[PATH_VALUES_MAX]) {
  size_t n = 0;
  for (size_t i = 0; i < PATH_VALUES_MAX; i++) values[i] = NULL;
  while (*pattern == '/' && *path == '/') {
    size_t pattern_len = strcspn(++pattern, "/"), len = strcspn(++path, "/");
    char *value = NULL;
    if (!match_part(pattern, pattern_len, path, len, &value)) break;
    if (value) values[n++] = value;
    pattern += pattern_len;
    path += len;
  }
  if (!*pattern && !*path) return true;
  while (n) {
    free(values[--n]);
    values[n] = NULL;
  }
  return false;
}
